"""The backend's own resize, where its numbers are the formula's.

The formula is that of "Resampling" in docs/mathematics.md.
"""

import functools
import math
from typing import Any

from keras import backend, ops

from polyphase.ops import layout
from polyphase.ops.gradients import linear
from polyphase.ops.lowerings import phases
from polyphase.ops.plans import Upsampling

Tensor = Any


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Call TensorFlow's or PyTorch's resize.

    Half-pixel centres and renormalised edges are theirs too, and float32 holds their coordinates
    exactly where sizes are powers of two => there the same operator; nearest at every integer.
    Up to a side of 2^22 pixels, that is: `Upsampling.fits_float32`.
    """
    images = backend.backend() == "torch" or len(plan.sizes) == 2
    resize = _RESIZE.get(backend.backend(), {}).get(plan.interpolation) if images else None
    fits = plan.integer if plan.interpolation == "nearest" else plan.dyadic
    fits = fits and plan.fits_float32(x)
    if resize is None or not fits or backend.standardize_dtype(x.dtype) != "float32":
        raise ValueError(
            'lowering="native" computes what TensorFlow or PyTorch computes exactly, in float32, '
            "by powers of two (nearest: by integers) and up to 2^22 pixels a side. "
            f"Received: backend {backend.backend()}, {plan.interpolation}, "
            f"size={plan.sizes}, {backend.standardize_dtype(x.dtype)}. "
            'Use lowering="direct" or "auto".'
        )
    y: Tensor = resize(x, plan)
    return y


def _tensorflow(x: Tensor, plan: Upsampling, method: str) -> Tensor:
    """Call TensorFlow's resize; its gradients have gradients through ours, and not alone.

    Bicubic is read from a table of 1024 steps => exact at powers of two up to 512; its gradient is
    slow, and that of the other resize, antialiasing, is the same when upsampling.
    """
    import tensorflow as tf

    if method == "nearest":
        return _resized(x, plan, method)
    height, width = ops.shape(x)[1:3]

    def back(g: Tensor) -> Tensor:
        image = tf.zeros(tf.stack([tf.shape(g)[0], height, width, tf.shape(g)[3]]))
        if method == "bilinear":
            return tf.raw_ops.ResizeBilinearGrad(
                grads=g, original_image=image, half_pixel_centers=True
            )
        return tf.raw_ops.ScaleAndTranslateGrad(
            grads=g,
            original_image=image,
            scale=[float(size) for size in plan.sizes],
            translation=[0.0, 0.0],
            kernel_type="keyscubic" if method == "bicubic" else method,
            antialias=True,
        )

    def forward(x: Tensor) -> Tensor:
        return linear(x, lambda x: _resized(x, plan, method), adjoint)

    def adjoint(g: Tensor) -> Tensor:
        return linear(g, back, forward)

    return forward(x)


def _resized(image: Tensor, plan: Upsampling, method: str) -> Tensor:
    import tensorflow as tf

    height, width = ops.shape(image)[1:3]
    rows, columns = plan.factors("native")
    return tf.image.resize(image, (height * rows, width * columns), method)


def _torch(x: Tensor, plan: Upsampling, mode: str) -> Tensor:
    if mode == "bicubic" and _few_channels(x, plan):
        return linear(
            x,
            lambda x: _interpolated(x, plan, mode),
            lambda g: phases.upsample_adjoint(g, plan),
        )
    return _interpolated(x, plan, mode)


def _few_channels(x: Tensor, plan: Upsampling) -> bool:
    """Return whether PyTorch's gradient of bicubic is slower than ours: large pictures."""
    return x.shape[-1] <= 4 and math.prod(x.shape[1:-1]) >= 64 * 64


def _interpolated(x: Tensor, plan: Upsampling, mode: str) -> Tensor:
    """Interpolate; antialiasing makes bicubic `keys(a=-0.5)`, renormalised at the edges.

    "nearest" of PyTorch multiplies `n` by a rounded `1 / s`, which falls below the pixel it should
    meet; "nearest-exact" takes `n + 1/2`, half a step away from every border between pixels.
    """
    from torch.nn.functional import interpolate

    image = layout.from_last(x, "channels_first")
    sides = tuple(
        side * size for side, size in zip(image.shape[2:], plan.factors("native"), strict=True)
    )
    # PyTorch 2.13 resamples a column of pixels wrongly if it antialiases; a row is right.
    upright = mode == "bicubic" and sides[1] == 1
    if upright:
        image, sides = image.transpose(2, 3), sides[::-1]
    y = interpolate(image, size=sides, mode=mode, antialias=mode == "bicubic")
    y = y.transpose(2, 3) if upright else y
    return layout.to_last(y, "channels_first")


_TENSORFLOW = {
    "nearest": "nearest",
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    "mitchell": "mitchellcubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}
_RESIZE = {
    "tensorflow": {
        name: functools.partial(_tensorflow, method=method) for name, method in _TENSORFLOW.items()
    },
    "torch": {
        name: functools.partial(_torch, mode=mode)
        for name, mode in (
            ("nearest", "nearest-exact"),
            *((mode, mode) for mode in ("linear", "bilinear", "trilinear", "bicubic")),
        )
    },
}
