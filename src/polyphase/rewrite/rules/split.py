"""A convolution of upsampled and other channels is the sum of two: the concatenation never exists.

`Conv_w(concat(R x, z)) = Conv_{w_x}(R x) + Conv_{w_z}(z)` with the kernel split by input channels,
for every kernel; the zeros around both are the same ("What moves" in docs/folding.md). Worth it for
nearest, where `Conv_{w_x} U` costs less than at full size, for other interpolations where `auto`
takes nearest's convolution, blurred, and for 1x1 convolutions, which go before every interpolation.
To `ConcatConv2D` size 1 is "as it is", and upsampling by 1 need not be ("mitchell" smooths) => not
absorbed.
"""

from typing import Any

from polyphase.rewrite.delayed import Joined
from polyphase.rewrite.forms import Conv, Operation
from polyphase.rewrite.writer import Writer


def apply(one: Operation, build: Writer) -> Any:
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
    if not conv.pointwise and not any(map(build.absorbs, value.delayed)):
        return None
    text = f"absorbed by {one.name!r}, whose kernel was split"
    build.note(value.sources, text, by=one.source)
    return build.concatenated(one, value.parts)
