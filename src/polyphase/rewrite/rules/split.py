"""A convolution of upsampled and other channels is the sum of two: the concatenation never exists.

`Conv_w(concat(R x, z)) = Conv_{w_x}(R x) + Conv_{w_z}(z)` with the kernel split by input channels,
for every kernel; the zeros around both are the same (mathematics, section 7). Worth it for nearest,
where `Conv_{w_x} U` costs less than at full size, for other interpolations where `auto` takes
nearest's convolution, blurred, and for 1x1 convolutions, which go before every interpolation. To
`ConcatConv2D` size 1 is "as it is", and upsampling by 1 need not be ("mitchell" smooths) => not
absorbed.
"""

from typing import Any

from polyphase.rewrite.build import Build
from polyphase.rewrite.delayed import Delayed, Joined
from polyphase.rewrite.forms import Conv, Operation


def apply(one: Operation, build: Build) -> Any:
    """Convolve the parts."""
    value, conv = one.inputs[0], one.form
    if not isinstance(conv, Conv) or conv.way != "full" or not isinstance(value, Joined):
        return None
    if not conv.absorbs(value) or conv.groups != 1:
        return None
    ways = {part.interpolation for part in value.delayed}
    copies = all(part.copies for part in value.delayed)
    if any(set(part.size) == {1} and not part.copies for part in value.delayed):
        return None
    pays = conv.pointwise or all(build.blurs(one, part) for part in value.delayed)
    if not copies and (len(ways) > 1 or not pays):
        return None
    as_it_is = (1,) * len(conv.strides)
    sizes = tuple(part.size if isinstance(part, Delayed) else as_it_is for part in value.parts)
    build.note(value.sources, f"absorbed by {one.name!r}, whose kernel was split")
    return build.concatenated(one, value.small, sizes, ways.pop())
