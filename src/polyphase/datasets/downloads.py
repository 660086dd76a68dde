"""Data that Keras downloads once and keeps."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

from polyphase.datasets.checks import one_line
from polyphase.datasets.errors import DataError


def downloaded(load_data: Callable[[], Any], name: str, otherwise: str) -> Any:
    """Return what a loader of `keras.datasets` returns.

    Args:
        load_data: the loader.
        name: of the data, for the message.
        otherwise: what to do without a network, for the message.

    Raises:
        DataError: if the data are not in Keras' cache and cannot be downloaded.
    """
    try:
        # Keras draws its progress bar on stdout, which belongs to results.
        with redirect_stdout(sys.stderr):
            return load_data()
    except Exception as error:  # Keras itself raises plain Exception
        raise DataError(
            f"{name} could not be downloaded ({one_line(error)}). Connect to the network, or "
            f"{otherwise}."
        ) from error
