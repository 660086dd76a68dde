"""Gradients that we know better than automatic differentiation."""

from collections.abc import Callable
from typing import Any

from keras import backend, ops

from polyphase.ops import device

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


def computed(
    forward: Callable[..., Tensor], differentiated: Callable[..., Tensor], *arguments: Tensor
) -> Tensor:
    """Return `forward(*arguments)`; on JAX's CPU its gradient is that of `differentiated`.

    Both are the same function. XLA's own gradients of convolutions are slow on a CPU; on a GPU they
    are cuDNN's.
    """
    if backend.backend() != "jax" or device.in_use("jax") != "cpu":
        return forward(*arguments)
    import jax

    function = jax.custom_vjp(forward)
    function.defvjp(
        lambda *arguments: (forward(*arguments), arguments),
        lambda arguments, upstream: jax.vjp(differentiated, *arguments)[1](upstream),
    )
    return function(*arguments)
