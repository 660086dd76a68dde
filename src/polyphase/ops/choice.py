"""Which lowering `auto` takes: one small table, each row with the measurement behind it.

Rows are read from the top; the first that fits decides. What no row names is computed directly.
"""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from polyphase.ops.lowerings import LOWERINGS

_log = logging.getLogger("polyphase")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        operation: "upsample", "upsample_conv" or "conv_transpose".
        backend: a Keras backend.
        device: "cpu" or "gpu".
        nearest: True for nearest, False for the other interpolations, None where it is all one.
        filters: the row holds from this number of output channels on.
        lowering: the way to take.
        measurement: why: the file under benchmarks/results/ and what it says.
    """

    operation: str
    backend: str
    device: str
    nearest: bool | None
    filters: int
    lowering: str
    measurement: str


_FILE = "benchmarks/results/lowerings-{}.json: faster than direct, forward and training together"

TABLE: tuple[Row, ...] = (
    Row("upsample", "jax", "cpu", True, 0, "phases", _FILE.format("jax")),
    Row("upsample", "tensorflow", "cpu", True, 0, "phases", _FILE.format("tensorflow")),
    Row("upsample", "torch", "cpu", None, 0, "phases", _FILE.format("torch")),
    Row("upsample_conv", "jax", "cpu", True, 8, "phases", _FILE.format("jax")),
    Row("upsample_conv", "jax", "cpu", True, 0, "transpose", _FILE.format("jax")),
    Row("upsample_conv", "tensorflow", "cpu", True, 0, "transpose", _FILE.format("tensorflow")),
    Row("upsample_conv", "torch", "cpu", True, 0, "transpose", _FILE.format("torch")),
    Row("conv_transpose", "jax", "cpu", None, 8, "phases", _FILE.format("jax")),
)


def choose(
    operation: str,
    *,
    interpolation: str | None = None,
    integer: bool = True,
    filters: int = 0,
    backend: str | None = None,
    device: str | None = None,
) -> Row:
    """Return the row of the table that `lowering="auto"` follows.

    Args:
        operation: "upsample", "upsample_conv" or "conv_transpose".
        interpolation: the interpolation's name; None for a transposed convolution.
        integer: whether the size (both axes) is an integer factor, and the kernel is plain: no
            dilation, one group.
        filters: number of output channels; does not matter for "upsample".
        backend: a Keras backend; default: the one in use.
        device: "cpu" or "gpu"; default: the one in use.

    Returns:
        The deciding `Row`: `.lowering` and `.measurement`.

    Example:
        >>> choose("upsample", interpolation="bilinear", integer=False).lowering
        'direct'
    """
    backend = backend or keras.backend.backend()
    device = device or _device(backend)
    return _choose(operation, interpolation, integer, filters, backend, device)


@functools.lru_cache
def _choose(
    operation: str,
    interpolation: str | None,
    integer: bool,
    filters: int,
    backend: str,
    device: str,
) -> Row:
    """Look the row up; cached, so that each decision is logged once."""
    nearest = None if interpolation is None else interpolation == "nearest"
    plain = Row(operation, backend, device, nearest, 0, "direct", "no row: the plain way")
    fitting = (
        row
        for row in TABLE
        if row.operation == operation
        and (row.backend, row.device) == (backend, device)
        and row.nearest in (nearest, None)
        and filters >= row.filters
        and integer
    )
    row = next(fitting, plain)
    _log.debug(
        "auto: %s (%s) on %s/%s -> %s (%s)",
        operation, interpolation, backend, device, row.lowering, row.measurement,
    )  # fmt: skip
    return row


@functools.lru_cache
def _device(backend: str) -> str:
    """Return "cpu", or "gpu" for any accelerator in use."""
    if backend == "jax":
        import jax

        return "cpu" if jax.default_backend() == "cpu" else "gpu"
    if backend == "tensorflow":
        import tensorflow

        return "gpu" if tensorflow.config.list_physical_devices("GPU") else "cpu"
    import torch

    return "gpu" if torch.cuda.is_available() or torch.backends.mps.is_available() else "cpu"


def layout(x: Any, data_format: str) -> tuple[Any, str, Callable[[Any], Any]]:
    """Return the image and the data format to compute in, and the way back for the result.

    TensorFlow's convolutions on a CPU know channels first in some dtypes only (none without
    oneDNN) => there, computing goes through channels last.
    """
    backend = keras.backend.backend()
    if data_format == "channels_last" or backend != "tensorflow" or _device(backend) != "cpu":
        return x, data_format, lambda y: y
    x = keras.ops.transpose(x, (0, 2, 3, 1))
    return x, "channels_last", lambda y: keras.ops.transpose(y, (0, 3, 1, 2))


def function(
    operation: str,
    lowering: str,
    interpolation: str | None = None,
    integer: bool = True,
    filters: int = 0,
) -> Callable[..., Any]:
    """Return the function that computes `operation` by `lowering` ("auto": by the table).

    Raises:
        ValueError: if there is no such lowering for the operation.
    """
    if lowering == "auto":
        row = choose(operation, interpolation=interpolation, integer=integer, filters=filters)
        lowering = row.lowering
    ways = [name for name, module in LOWERINGS.items() if hasattr(module, operation)]
    if lowering not in ways:
        raise ValueError(
            f"`lowering` of {operation} must be one of auto, {', '.join(ways)}. "
            f"Received: lowering={lowering!r}."
        )
    way: Callable[..., Any] = getattr(LOWERINGS[lowering], operation)
    return way
