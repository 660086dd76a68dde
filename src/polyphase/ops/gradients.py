"""Gradients that we know better than automatic differentiation."""

from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any


def linear(
    x: Tensor, forward: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return `forward(x)`, a linear map whose gradient is `adjoint`, which has one in turn."""

    @ops.custom_gradient
    def function(x: Tensor) -> Any:
        def gradient(*arguments: Tensor, upstream: Tensor = None) -> Tensor:
            return adjoint(arguments[0] if upstream is None else upstream)

        return forward(x), gradient

    return function(x)
