"""The backend's own resize, where its numbers are the formula's (mathematics, section 2)."""

from typing import Any

import keras
from keras import backend, ops

from polyphase.algebra.geometry import upsampled_length
from polyphase.ops import axes
from polyphase.ops.gradients import linear
from polyphase.ops.plans import Upsampling

Tensor = Any

_TABLE_SIZES = tuple(2**n for n in range(10))


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Call TensorFlow's or PyTorch's resize.

    Half-pixel centres and renormalised edges are theirs too => the same operator. What differs
    is asked for: bicubic is a = -1/2 and exact at every factor with antialiasing, which does
    nothing else when upsampling; nearest agrees at integer factors.
    """
    resize = _RESIZE.get(keras.backend.backend(), {}).get(plan.interpolation)
    fits = plan.integer or plan.interpolation != "nearest"
    if resize is None or not fits or backend.standardize_dtype(x.dtype) != "float32":
        raise ValueError(
            'lowering="native" computes what TensorFlow or PyTorch computes exactly, in float32. '
            f"Received: backend {keras.backend.backend()}, {plan.interpolation}, size={plan.sizes},"
            f' {backend.standardize_dtype(x.dtype)}. Use lowering="direct" or "auto".'
        )
    sides = [
        _side(axes.length(x, axis), size) for axis, size in zip(plan.axes, plan.sizes, strict=True)
    ]
    return resize(x, sides, plan.data_format)


def _side(length: Any, size: int | float) -> Any:
    """Return `floor(length * size)`, known or not."""
    if isinstance(length, int):
        return upsampled_length(length, size)
    return ops.cast(ops.floor(ops.cast(length, "float64") * size), "int32")


def _tensorflow(method: str) -> Any:
    def resize(x: Tensor, sides: list[Any], data_format: str) -> Tensor:
        import tensorflow as tf

        first = data_format == "channels_first"
        image = ops.transpose(x, (0, 2, 3, 1)) if first else x
        cubic = method == "bicubic"
        y = _cubic(image, sides) if cubic else tf.image.resize(image, sides, method)
        return ops.transpose(y, (0, 3, 1, 2)) if first else y

    return resize


def _cubic(x: Tensor, sides: list[Any]) -> Tensor:
    """Resize with `keys(a=-0.5)`, by the quicker of TensorFlow's two ways that are exact.

    One reads the kernel from a table of 1024 steps => exact where the factors are powers of two
    up to 512; its gradient is slow. The other, antialiasing, is exact at every factor; so is its
    gradient, the adjoint of both.
    """
    import tensorflow as tf

    known = tuple(x.shape[1:3]), tuple(sides)
    if not all(isinstance(n, int) for pair in known for n in pair):
        return tf.image.resize(x, sides, "bicubic", antialias=True)
    scale = [out / side for side, out in zip(*known, strict=True)]
    if not all(size in _TABLE_SIZES for size in scale):
        return tf.image.resize(x, sides, "bicubic", antialias=True)

    def resize(x: Tensor) -> Tensor:
        return tf.image.resize(x, sides, "bicubic")

    def back(g: Tensor) -> Tensor:
        return tf.raw_ops.ScaleAndTranslateGrad(
            grads=g,
            original_image=tf.zeros(tf.concat([tf.shape(g)[:1], known[0], tf.shape(g)[3:]], 0)),
            scale=scale,
            translation=[0.0, 0.0],
            kernel_type="keyscubic",
            antialias=True,
        )

    def adjoint(g: Tensor) -> Tensor:
        return linear(g, back, forward)

    def forward(x: Tensor) -> Tensor:
        return linear(x, resize, adjoint)

    return forward(x)


def _torch(mode: str, antialias: bool = False) -> Any:
    def resize(x: Tensor, sides: list[Any], data_format: str) -> Tensor:
        from torch.nn.functional import interpolate

        last = data_format == "channels_last"
        image = x.permute(0, 3, 1, 2) if last else x
        y = interpolate(image, size=tuple(sides), mode=mode, antialias=antialias)
        return y.permute(0, 2, 3, 1) if last else y

    return resize


_RESIZE = {
    "tensorflow": {
        "nearest": _tensorflow("nearest"),
        "bilinear": _tensorflow("bilinear"),
        "bicubic": _tensorflow("bicubic"),
        "mitchell": _tensorflow("mitchellcubic"),
        "lanczos3": _tensorflow("lanczos3"),
        "lanczos5": _tensorflow("lanczos5"),
    },
    "torch": {
        "nearest": _torch("nearest"),
        "bilinear": _torch("bilinear"),
        "bicubic": _torch("bicubic", antialias=True),
    },
}
