"""Whether what a model makes lies where what it was made of does: its layers' geometry alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import keras
from keras import layers

from polyphase.algebra.alignment import Grid
from polyphase.algebra.geometry import padding_amounts, strided_padding
from polyphase.inspection.readings import transposed_crop
from polyphase.inspection.words import WORDS
from polyphase.layers import kinds
from polyphase.layers.kinds import Kind
from polyphase.ops import layout
from polyphase.rewrite.activations import LAYERS
from polyphase.rewrite.forms import Concat, Norm, Pointwise, Sum
from polyphase.rewrite.frames import amounts
from polyphase.rewrite.graph import calls, data_format, graph_of, is_graph
from polyphase.rewrite.reader import form_of

Grids = tuple[Grid, ...]  # one per axis
_START = Grid()


@dataclass(frozen=True)
class Shift:
    """An image that is shifted, against another or against the input.

    Attributes:
        layer: the layer that joins two images, or that gives the output; in a nested model
            `outer/layer`.
        pixels: the shift towards the first pixel (up and left) along each axis, in pixels of the
            model's input; where two images are joined, that of the first against the other.
        meets: whether two images are joined there; otherwise an output is shifted against the
            input.
    """

    layer: str
    pixels: tuple[float, ...]
    meets: bool

    def __str__(self) -> str:
        words = WORDS[len(self.pixels)]
        by = " and ".join(
            f"{abs(pixels):g} {way[pixels < 0]}"
            for pixels, way in zip(self.pixels, words.ways, strict=True)
            if pixels
        )
        what = (
            f"the {words.image}s that it joins lie apart"
            if self.meets
            else f"the {words.image} is shifted"
        )
        return f"{self.layer}: {what} by {by} ({words.pixels} of the input)"


def shifts(model: keras.Model) -> tuple[Shift, ...]:
    """Return where images of a model are shifted.

    Every tensor of a Functional or Sequential model has a grid: the centres of its receptive
    fields in the input image. Two tensors that are added or concatenated should have the same grid;
    an output with the sides of the input should have the input's. After layers that mix all pixels
    or are not known (Dense after Flatten, a layer of your own), nothing is reported.

    Args:
        model: a built model, Functional or Sequential.

    Returns:
        One `Shift` for each layer or output where grids differ, in the order of the graph.

    Exactness: fractions, no floating point; no weights are looked at.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 2, 2),
        ...     keras.layers.Conv2DTranspose(1, 3, 2, padding="same")])
        >>> shifts(model)[0].pixels
        (-0.5, -0.5)
    """
    walk = _Walk(model)
    for tensor, place in zip(model.outputs, walk.outputs, strict=True):
        walk.judge(tensor, place, model)
    return tuple(walk.found)


def offset(model: keras.Model) -> tuple[float, ...] | None:
    """Return by how many pixels a model's first output lies too far up and left of its input.

    Per axis. None where that is not known, or the sides are not the input's.

    Example:
        >>> same = keras.layers.Conv2D(4, 3, padding="same")
        >>> offset(keras.Sequential([keras.Input((8, 8, 1)), same]))
        (0.0, 0.0)
    """
    walk = _Walk(model)
    place = walk.outputs[0]
    if not walk.comparable(model.outputs[0], place, model):
        return None
    return tuple(float(grid.offset) for grid in place[1])  # type: ignore[index]


def scales(model: keras.Model, operation: Any) -> list[tuple[Fraction, ...] | None]:
    """Return, for each output, how many of an operation's samples one of its samples is wide.

    Per axis. None for outputs without axes in space, or to which the way is not known.
    """
    walk = _Walk(model)
    start = walk.made.get(id(operation))
    return [
        None
        if start is None or place is None or place[0] != start[0]
        else tuple(grid.step / own.step for grid, own in zip(place[1], start[1], strict=True))
        for place in walk.outputs
    ]


# Of which input, and where; a negative number is an origin within the model; None: not known.
Place = tuple[int, Grids] | None


class _Walk:
    """One way through a model, and what was found on it."""

    def __init__(self, model: keras.Model) -> None:
        self.layout = data_format(model)
        self.found: list[Shift] = []
        self.made: dict[int, Place] = {}
        placed = [_origin(index, x) for index, x in enumerate(model.inputs)]
        self.outputs = self.follow(model, placed, "")

    def follow(self, model: keras.Model, inputs: Sequence[Place], path: str) -> list[Place]:
        """Return the places of a model's outputs, given those of its inputs."""
        graph = graph_of(model)
        places = {id(x): place for x, place in zip(graph.inputs, inputs, strict=True)}
        for operation, taken, given in calls(graph):
            before = [places.get(id(x)) for x in taken]
            if is_graph(operation):
                after = self.follow(operation, before, f"{path}{operation.name}/")
            else:
                after = [self._through(operation, before, taken, given, path)] * len(given)
                if after[0] is None:  # an origin of its own
                    after[0] = _origin(-1 - len(self.made), given[0])
                self.made.setdefault(id(operation), after[0])
            places |= {id(y): place for y, place in zip(given, after, strict=True)}
        return [places.get(id(y)) for y in graph.outputs]

    def judge(self, output: Any, place: Place, model: keras.Model) -> None:
        """Compare an output with the input that it has the sides of."""
        if place is not None and self.comparable(output, place, model):
            start = (_START,) * len(place[1])
            self._note(output._keras_history.operation.name, place[1], start, False)

    def comparable(self, output: Any, place: Place, model: keras.Model) -> bool:
        """Return whether an output has the samples of the input that it was made of."""
        return (
            place is not None
            and place[0] >= 0
            and all(grid.step == 1 for grid in place[1])
            and self._sides(output) == self._sides(model.inputs[place[0]])
        )

    def _through(
        self, operation: Any, before: list[Place], taken: list[Any], given: list[Any], path: str
    ) -> Place:
        if len(given) != 1 or _origin(0, given[0]) is None:
            return None
        if len(taken) > 1:
            return self._meeting(operation, before, taken, given[0], path)
        if before[0] is None:
            return None
        origin, grids = before[0]
        layer = kinds.inner(operation)
        rule = GRIDS[kinds.nearest(layer)]
        if rule is None:
            return before[0] if _stays(layer, taken) else None
        steps = grids[: layer is not operation]  # of a sequence: each stays
        if steps and "channels_first" in (self.layout, getattr(layer, "data_format", "")):
            return None  # the axis after the steps is not one of space
        space = grids[len(steps) :]
        sides = (self._sides(tensor)[len(steps) :] for tensor in (taken[0], given[0]))
        per_axis = zip(space, range(len(space)), *sides, strict=True)
        after = [rule(layer, *one) for one in per_axis]
        if None in after:
            return None
        return origin, (*steps, *after)  # type: ignore[arg-type]

    def _meeting(
        self, operation: Any, before: list[Place], taken: list[Any], given: Any, path: str
    ) -> Place:
        """Compare images that meet; the result lies where the least shifted one does."""
        if not self._merges(operation, taken):
            return None
        as_it_is = (1,) * (len(given.shape) - 2)
        sizes = getattr(operation, "size", None) or [as_it_is] * len(taken)
        known: list[tuple[int, Grids]] = []
        for place, tensor, size in zip(before, taken, sizes, strict=True):
            whole = tuple(
                None if side is None else side * s
                for side, s in zip(self._sides(tensor), size, strict=True)
            )
            if place is not None and whole == self._sides(given):
                grids = tuple(grid.upsampled(s) for grid, s in zip(place[1], size, strict=True))
                known.append((place[0], grids))
        if not known:
            return None
        origin, first = known[0]
        for other, grids in known[1:]:
            if other == origin and [g.step for g in grids] == [g.step for g in first]:
                self._note(f"{path}{operation.name}", first, grids, True)
        origin, least = min(
            known, key=lambda one: (one[0] < 0, sum(abs(grid.offset) for grid in one[1]))
        )
        if kinds.nearest(operation) is kinds.CONCATENATED:
            least = tuple(_window(operation, grid, axis) for axis, grid in enumerate(least))
        return origin, least

    def _merges(self, operation: Any, taken: list[Any]) -> bool:
        form = form_of(operation, tuple(taken))
        if isinstance(form, Concat):
            axis, dims = layout.channel(self.layout), len(taken[0].shape)
            return bool((form.axis - axis) % dims == 0)
        known = isinstance(form, (Sum, Pointwise))
        return known or kinds.nearest(operation) is kinds.CONCATENATED

    def _note(self, name: str, one: Grids, other: Grids, meets: bool) -> None:
        pixels = tuple(float(a.offset - b.offset) for a, b in zip(one, other, strict=True))
        if any(pixels):
            self.found.append(Shift(name, pixels, meets))

    def _sides(self, tensor: Any) -> tuple[int | None, ...]:
        return tuple(tensor.shape[layout.space(self.layout)])


def _origin(index: int, tensor: Any) -> Place:
    """Return a tensor as the origin of what is made of it; None: it has no axes in space."""
    rank = len(tensor.shape) - 2
    return (index, (_START,) * rank) if rank in WORDS else None


def _stays(operation: Any, taken: list[Any]) -> bool:
    """Return whether what an operation makes of an image lies where that does."""
    form = form_of(operation, tuple(taken))
    return isinstance(form, (Pointwise, Norm, Sum)) or type(operation) in _IN_PLACE


# A rule gives the grid of a layer's result along one axis, from the input's and from the lengths
# of that axis before and after; None: it is not known.
Rule = Callable[[Any, Grid, int, int | None, int | None], Grid | None]


def _convolved(layer: Any, grid: Grid, axis: int, before: int | None, after: int | None) -> Grid:
    k = getattr(layer, "kernel_size", None) or layer.pool_size
    stride, rate = layer.strides[axis], _rate(layer, axis)
    zeros = {
        "valid": lambda: 0,
        "same": lambda: strided_padding(before, k[axis], stride, rate),
        "causal": lambda: (k[axis] - 1) * rate,
    }
    return grid.windowed(k[axis], stride, zeros[layer.padding](), rate)


def _transposed(layer: Any, grid: Grid, axis: int, *lengths: int | None) -> Grid:
    k, stride, rate = (one[axis] for one in (layer.kernel_size, layer.strides, layer.dilation_rate))
    return grid.transposed(k, stride, transposed_crop(layer)[axis], rate)


def _upsampled(
    layer: Any, grid: Grid, axis: int, before: int | None, after: int | None
) -> Grid | None:
    if getattr(layer, "align_corners", False):
        return None
    if before and after:
        return grid.upsampled(Fraction(after, before))
    size = kinds.factor(layer)
    return None if size is None else grid.upsampled(_ratio(size[axis]))


def _upsampled_convolved(layer: Any, grid: Grid, axis: int, *lengths: int | None) -> Grid:
    return _window(layer, grid.upsampled(_ratio(layer.size[axis])), axis)


def _sub_pixel(layer: Any, grid: Grid, axis: int, *lengths: int | None) -> Grid:
    return _window(layer, grid, axis).upsampled(layer.size[axis])


def _window(layer: Any, grid: Grid, axis: int) -> Grid:
    k, rate = layer.kernel_size[axis], _rate(layer, axis)
    return grid.windowed(k, 1, padding_amounts(k, layer.padding, rate)[0], rate)


def _rate(layer: Any, axis: int) -> int:
    """Return the distance between the taps along one axis; pooling has no other than 1."""
    return int(layer.dilation_rate[axis]) if hasattr(layer, "dilation_rate") else 1


def _ratio(size: int | float) -> Fraction:
    return Fraction(size).limit_denominator(1024)


GRIDS: dict[Kind, Rule | None] = {
    **dict.fromkeys((*kinds.CONVOLUTIONS, *kinds.POOLING), _convolved),
    kinds.CONCATENATED: _convolved,  # of one image; several meet
    kinds.TRANSPOSED: _transposed,
    **dict.fromkeys(kinds.UPSAMPLED, _upsampled_convolved),
    kinds.SUB_PIXEL: _sub_pixel,
    # What is predicted may move pixels, each its own way; nothing moves all of them.
    **dict.fromkeys((kinds.UPSAMPLING, kinds.RESIZING, *kinds.LEARNED), _upsampled),
    kinds.DEPTH_TO_SPACE: lambda layer, grid, axis, *_: grid.upsampled(layer.block_size),
    kinds.CROPPING: lambda layer, grid, axis, *_: grid.cropped(amounts(layer)[axis][0]),
    kinds.ZERO_PADDING: lambda layer, grid, axis, *_: grid.cropped(-amounts(layer)[axis][0]),
    **dict.fromkeys((kinds.OPAQUE, kinds.DENSE, kinds.UPSAMPLING_LIKE), None),
}

# What rules do not read, because losses, or functions of somebody's own, may be within: an
# activation is taken for one of single pixels.
_IN_PLACE = (layers.Activation, layers.ActivityRegularization, layers.Normalization, *LAYERS)
