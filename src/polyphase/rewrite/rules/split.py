"""A convolution of upsampled and other channels is the sum of two: the concatenation never exists.

`Conv_w(concat(R x, z)) = Conv_{w_x}(R x) + Conv_{w_z}(z)` with the kernel split by input channels,
for every kernel; the zeros around both are the same (mathematics, section 7). Worth it for nearest,
where `Conv_{w_x} U` costs less than at full size, for other interpolations where `auto` takes
nearest's convolution, blurred, and for 1x1 convolutions, which go before every interpolation. To
`ConcatConv2D` size 1 is "as it is", and upsampling by 1 need not be ("mitchell" smooths) => not
absorbed.
"""

from typing import Any

from polyphase.layers import kinds
from polyphase.rewrite.build import Build, Form
from polyphase.rewrite.cost import chosen
from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.recognise import absorbs


def apply(layer: Any, inputs: list[Any], build: Build) -> Any:
    """Convolve the parts."""
    value = inputs[0]
    if not isinstance(value, Joined) or not absorbs(layer, value) or layer.groups != 1:
        return None
    ways = {part.interpolation for part in value.delayed}
    copies = all(part.copies for part in value.delayed)
    if any(set(part.size) == {1} and not part.copies for part in value.delayed):
        return None
    pointwise = set(layer.kernel_size) == {1}
    if not copies and (
        len(ways) > 1 or not (pointwise or all(_blurred(layer, part) for part in value.delayed))
    ):
        return None
    as_it_is = (1,) * len(layer.strides)
    sizes = tuple(part.size if isinstance(part, Delayed) else as_it_is for part in value.parts)
    small = [part.small if isinstance(part, Delayed) else part for part in value.parts]
    build.note(value.sources, f"absorbed by {layer.name!r}, whose kernel was split")
    kind = kinds.CONCATENATED.ours[len(as_it_is)]
    changes = {"size": sizes, "interpolation": ways.pop()}
    return build.call(layer, small, form=Form(kind, changes, ("strides", "groups")))


def _blurred(layer: Any, part: Delayed) -> bool:
    """Return whether `auto` computes a part by nearest's convolution, blurred, on this backend."""
    shape = part.small.shape
    known = None not in [shape[axis] for axis in part.space]
    return known and chosen(layer, shape, part.size, part.interpolation) == "blur"
