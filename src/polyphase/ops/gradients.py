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
    if device.is_traced():  # it knows PyTorch's own operations, which have gradients as well
        return forward(x)
    if backend.backend() == "torch":
        return _torch_linear()(x, forward, adjoint)
    return _with_gradient(forward, lambda upstream, x: adjoint(upstream), x)


def bilinear(
    function: Callable[[Tensor, Tensor], Tensor],
    gradient: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    one: Tensor,
    other: Tensor,
) -> Tensor:
    """Return `function(one, other)`, linear in each, whose gradients are known.

    Args:
        function: the map; of tensors whose first axis is a batch, as is its result's.
        gradient: takes the upstream gradient and both; returns the gradients, which have their own.
        one: its first argument.
        other: its second argument.
    """
    if backend.backend() == "torch":

        def tangent(to_one: Tensor, to_other: Tensor, one: Tensor, other: Tensor) -> Tensor:
            parts = [(to_one, other), (one, to_other)]
            return sum(bilinear(function, gradient, *both) for both in parts)

        return torch_known(function, gradient, tangent, one, other)
    return _with_gradient(function, gradient, one, other)


def torch_known(
    function: Callable[[Tensor, Tensor], Tensor],
    gradient: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    tangent: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    one: Tensor,
    other: Tensor,
) -> Tensor:
    """Return `function(one, other)` on PyTorch, whose derivatives are known.

    Args:
        function: of tensors whose first axis is a batch, as is its result's.
        gradient: takes the upstream gradient and both; returns the gradients.
        tangent: takes the tangents of both, and both; returns the result's.
        one: its first argument.
        other: its second argument.
    """
    return _torch_known()(one, other, function, gradient, tangent)


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
    """Return a tensor that is kept in memory, on JAX's CPU, when others read it.

    Otherwise XLA computes what is cheap again each time that it is read.
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


@functools.lru_cache(maxsize=1)
def _torch_known() -> Callable[..., Tensor]:
    """Return PyTorch's function of two tensors whose derivatives are known."""
    import torch

    class Known(torch.autograd.Function):
        @staticmethod
        def forward(one: Tensor, other: Tensor, function: Any, *derivatives: Any) -> Tensor:
            return function(one, other)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
            *both, _, ctx.gradient, ctx.tangent = inputs
            ctx.save_for_backward(*both)
            ctx.save_for_forward(*both)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> Any:
            return *ctx.gradient(upstream, *ctx.saved_tensors), None, None, None

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Tensor:
            return ctx.tangent(*tangents[:2], *ctx.saved_tensors)

        @staticmethod
        def vmap(info: Any, in_dims: Any, *inputs: Any) -> Any:
            both = [
                x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)
                for x, dim in zip(inputs[:2], in_dims, strict=False)
            ]
            y = Known.apply(*(x.flatten(0, 1) for x in both), *inputs[2:])
            return y.unflatten(0, (info.batch_size, -1)), 0

    apply: Callable[..., Tensor] = Known.apply
    return apply
