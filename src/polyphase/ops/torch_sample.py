"""PyTorch's sampling: one call that reads and weighs the corners, and one for the gradients.

Both are the backend's own: a bag of rows with a weight each, and the gradient of `grid_sample`.
Neither has a gradient in turn; whoever asks for one gets that of the formula.
"""

from collections.abc import Callable
from typing import Any

from polyphase.ops import gradients

Tensor = Any
Formula = Callable[[Tensor, Tensor], Tensor]


def weighted(rows: Tensor, corners: list[Tensor], weights: list[Tensor]) -> Tensor:
    """Return the sum of rows `(m, c)`, at places and by weights of one shape each."""
    import torch

    bags, scales = (torch.stack(one, dim=-1).flatten(0, -2) for one in (corners, weights))
    y = torch.nn.functional.embedding_bag(bags, rows, mode="sum", per_sample_weights=scales)
    return y.unflatten(0, corners[0].shape)


def differentiable(
    forward: Formula, formula: Formula, x: Tensor, coordinates: Tensor, groups: int
) -> Tensor:
    """Return `forward(x, coordinates)`, which computes what a formula says that has gradients.

    Args:
        forward: computes it, without a gradient.
        formula: of operations that have gradients.
        x: `(n, *space, c)`.
        coordinates: `(n, *out_space, groups * rank)`.
        groups: of channels.
    """
    import torch

    def gradient(upstream: Tensor, x: Tensor, places: Tensor) -> Any:
        if torch.is_grad_enabled():  # gradients of the gradients are asked for
            return torch.func.vjp(formula, x, places)[1](upstream)
        return _gradients(upstream, x, places, groups)

    def tangent(to_x: Tensor, to_places: Tensor, *both: Tensor) -> Tensor:
        return torch.func.jvp(formula, both, (to_x, to_places))[1]

    return gradients.torch_known(forward, gradient, tangent, x, coordinates)


def _gradients(upstream: Tensor, x: Tensor, places: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """Return the gradients of images and places, each group an image of its own."""
    import torch

    if x.ndim == 3:  # a signal is an image one pixel high
        row = torch.zeros_like(places).unflatten(-1, (groups, 1))
        lifted = torch.cat([row, places.unflatten(-1, (groups, 1))], dim=-1).flatten(-2)
        to_x, to_lifted = _gradients(upstream[:, None], x[:, None], lifted[:, None], groups)
        return to_x[:, 0], to_lifted[:, 0, :, 1::2]
    rank = x.ndim - 2
    image, grid = _by_groups(x, places, groups)
    backward = getattr(torch.ops.aten, f"grid_sampler_{rank}d_backward")
    bilinear, border, both = 0, 1, [True, True]
    to_image, to_grid = backward(
        _apart(upstream, groups), image, grid, bilinear, border, False, both
    )
    to_places = to_grid.flip(-1) * (2 / grid.new_tensor(x.shape[1:-1]))
    to_places = to_places.unflatten(0, (-1, groups)).movedim(1, -2)
    return _together(to_image, groups), to_places.flatten(-2)


def grid_sample(x: Tensor, places: Tensor, groups: int) -> Tensor:
    """Return images at their places by PyTorch's own operation, whose coordinates are rounded."""
    import torch

    image, grid = _by_groups(x, places, groups)
    y = torch.nn.functional.grid_sample(image, grid, "bilinear", "border", align_corners=False)
    return _together(y, groups)


def _by_groups(x: Tensor, places: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """Return each group as an image of its own, and its places from -1 to 1, columns first."""
    import torch

    rank = x.ndim - 2
    where = places.unflatten(-1, (groups, rank))  # exports know no movedim of negative axes
    where = where.permute(0, rank + 1, *range(1, rank + 1), rank + 2).flatten(0, 1)
    sides = x.shape[1:-1]
    grid = [(2 * where[..., i] + 1) / sides[i] - 1 for i in reversed(range(rank))]
    return _apart(x, groups), torch.stack(grid, dim=-1)


def _apart(x: Tensor, groups: int) -> Tensor:
    """Return `(n, *space, c)` as `(n * groups, c / groups, *space)`."""
    first = x.permute(0, x.ndim - 1, *range(1, x.ndim - 1))
    return first.unflatten(1, (groups, -1)).flatten(0, 1)


def _together(x: Tensor, groups: int) -> Tensor:
    """Return `(n * groups, c / groups, *space)` as `(n, *space, c)`."""
    whole = x.unflatten(0, (-1, groups)).flatten(1, 2)
    return whole.permute(0, *range(2, whole.ndim), 1)
