"""What torch.compile may look into."""

from collections.abc import Callable
from typing import Any

from keras import backend


def opaque(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that torch.compile puts into its graph as it is.

    Dynamo would read it line by line and take the NumPy tables of the algebra for tensors of the
    graph. Unread, it runs as Python when the graph is lowered: tables are arrays, made once,
    and PyTorch sees the operations on tensors alone. Other backends trace so by themselves.

    Args:
        function: takes tensors, numbers, strings, None and tuples of them; returns a tensor.
    """
    if backend.backend() != "torch":
        return function
    import torch

    unread: Callable[..., Any] = torch.compiler.allow_in_graph(function)
    return unread
