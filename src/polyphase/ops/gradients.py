"""Gradients that we know better than automatic differentiation."""

import functools
from collections.abc import Callable
from typing import Any

from keras import backend, ops

from polyphase.ops import device

Tensor = Any


def linear(
    x: Tensor, forward: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return `forward(x)`, a linear map whose gradient is `adjoint`, which has one in turn."""
    if backend.backend() == "torch":
        return _torch_linear()(x, forward, adjoint)

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


@functools.lru_cache(maxsize=1)
def _torch_linear() -> Callable[..., Tensor]:
    """Return PyTorch's function of a linear map; Keras' own knows no functorch, no forward mode."""
    import torch

    class Linear(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x: Tensor, forward: Any, adjoint: Any) -> Tensor:
            return forward(x)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
            _, ctx.map, ctx.adjoint = inputs

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> Any:
            return Linear.apply(upstream, ctx.adjoint, ctx.map), None, None

        @staticmethod
        def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
            return Linear.apply(tangent, ctx.map, ctx.adjoint)

    apply: Callable[..., Tensor] = Linear.apply
    return apply
