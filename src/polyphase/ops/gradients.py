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
        import torch

        # A trace, an export's too, knows PyTorch's own operations, which have gradients as well.
        if torch.jit.is_tracing():
            return forward(x)
        return _torch_linear()(x, forward, adjoint)
    return _with_gradient(forward, lambda upstream, x: adjoint(upstream), x)


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

    return _with_gradient(
        forward,
        lambda upstream, *arguments: jax.vjp(differentiated, *arguments)[1](upstream),
        *arguments,
    )


def _with_gradient(
    function: Callable[..., Tensor], gradient: Callable[..., Any], *arguments: Tensor
) -> Tensor:
    @ops.custom_gradient
    def differentiable(*arguments: Tensor) -> Any:
        def backward(*positional: Tensor, upstream: Tensor = None) -> Any:
            return gradient(positional[0] if upstream is None else upstream, *arguments)

        return function(*arguments), backward

    return differentiable(*arguments)


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
