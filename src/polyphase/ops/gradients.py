"""Gradients that we know better than automatic differentiation."""

import functools
from collections.abc import Callable
from typing import Any

from keras import backend, ops

from polyphase.ops import device

Tensor = Any


def linear(
    x: Tensor,
    forward: Callable[[Tensor], Tensor],
    adjoint: Callable[[Tensor], Tensor],
    *,
    kept: bool = False,
) -> Tensor:
    """Return `forward(x)`, a linear map whose gradient is `adjoint`, which has one in turn.

    Args:
        x: its argument.
        forward: the map.
        adjoint: its adjoint.
        kept: whether its result is `in_memory` where gradients are computed. They read it again, a
            kernel's in another order, and XLA would compute it there anew.
    """
    if kept and device.is_xla_cpu():
        return _jax_kept(forward, adjoint)(x)
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
    if not device.is_xla_cpu():
        return forward(*arguments)
    import jax

    return _with_gradient(
        forward,
        lambda upstream, *arguments: jax.vjp(differentiated, *arguments)[1](upstream),
        *arguments,
    )


def in_memory(x: Tensor) -> Tensor:
    """Return a tensor that whoever reads it finds in memory, on JAX's CPU.

    XLA computes what is cheap anew for everybody who reads it, and for every time that they do.
    """
    if not device.is_xla_cpu():
        return x
    import jax

    kept: Tensor = jax.lax.optimization_barrier(x)
    return kept


def _jax_kept(
    forward: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    """Return a linear map whose result is `in_memory` if, and only if, it is differentiated."""
    import jax

    mapped: Any = jax.custom_vjp(forward)
    mapped.defvjp(
        lambda x: (in_memory(forward(x)), None),
        lambda _, upstream: (linear(upstream, adjoint, forward, kept=True),),
    )
    differentiable: Callable[[Tensor], Tensor] = mapped
    return differentiable


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
