"""Which lowering `auto` takes: one small table, each row with its measurement.

Rows are read from the top; the first that fits decides. What no row names is computed directly.
"""

import functools
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from polyphase.ops.device import has_onednn, in_use
from polyphase.ops.lowerings import LOWERINGS

_log = logging.getLogger("polyphase")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        operation: "upsample", "upsample_conv", "upsample_depthwise_conv", "conv_transpose" or
            "reassemble".
        backend: a Keras backend.
        device: "cpu" or "gpu".
        lowering: the one to take.
        interpolations: the ones it applies to; empty: all.
        dtypes: the ones it applies to; empty: all.
        channels: range of input channels, inclusive.
        filters: range of output channels, inclusive.
        pixels: the least number of input pixels in all images together, if it is known.
        side: the least number of pixels on the images' shortest side, if it is known.
        plain: whether it applies only to what `choose` calls plain.
        dyadic: whether it applies only to sizes that are powers of two.
        onednn: whether TensorFlow must use oneDNN (True) or must not (False); None: either.
        rank: number of spatial axes that it was measured with.
        identity: whether it applies where nothing is upsampled (True) or where something is.
    """

    operation: str
    backend: str
    device: str
    lowering: str
    interpolations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    channels: tuple[int, float] = (0, math.inf)
    filters: tuple[int, float] = (0, math.inf)
    pixels: int = 0
    side: int = 0
    plain: bool = True
    dyadic: bool = False
    onednn: bool | None = None
    rank: int = 2
    identity: bool = False

    @property
    def measurement(self) -> str:
        """Why: the file with the cases that this row decides, timed by every lowering.

        docs/performance.md renders what they say of every row.
        """
        where = "" if self.device == "cpu" else f"-{self.device}"
        where += NO_ONEDNN if self.onednn is False else ""
        return f"benchmarks/results/lowerings-{self.backend}{where}.json"

    def fits(self, question: "Question") -> bool:
        """Return whether this row answers a question."""
        return (
            all(getattr(self, name) == getattr(question, name) for name in _SAME)
            and question.interpolation in (self.interpolations or (question.interpolation,))
            and question.dtype in (self.dtypes or (question.dtype,))
            and self.channels[0] <= question.channels <= self.channels[1]
            and self.filters[0] <= question.filters <= self.filters[1]
            and (question.pixels is None or question.pixels >= self.pixels)
            and (question.side is None or question.side >= self.side)
            and (question.plain or not self.plain)
            and (question.dyadic or not self.dyadic)
            and self.onednn in (None, question.onednn)
        )

    def decides(self, measured: dict[str, Any]) -> bool:
        """Return whether `auto` takes this row for a case of its file.

        Args:
            measured: arguments of `choose`, without backend and device.
        """
        onednn = self.onednn is not False
        return choose(**measured, backend=self.backend, device=self.device, onednn=onednn) is self


@dataclass(frozen=True)
class Question:
    """What a row fits or not: the arguments of `choose`."""

    operation: str
    interpolation: str | None
    plain: bool
    dyadic: bool
    channels: int
    filters: int
    pixels: int | None
    side: int | None
    dtype: str
    backend: str
    device: str
    onednn: bool
    rank: int
    identity: bool


_SAME = ("operation", "backend", "device", "rank", "identity")  # of a row and a question
NO_ONEDNN = "-no-onednn"  # in the names of files that were measured without it
_BFLOAT16 = ("bfloat16",)
_FLOAT = ("float32", "float64")
_ONE = ("float32",)
_NEAREST = ("nearest",)
_FEW, _SOME, _MANY, _16 = (1, 8), (2, math.inf), (8, math.inf), (16, math.inf)
_LANCZOS = ("lanczos3", "lanczos5")
_LINEAR, _CUBIC = (("bilinear",), _ONE), (("bicubic",), _ONE)
_32_32, _64_32, _128_64 = (
    ((channels, math.inf), (filters, math.inf))
    for channels, filters in ((32, 32), (64, 32), (128, 64))
)
_SMOOTH = ("bilinear", "bicubic", "mitchell", "lanczos3", "lanczos5")


TABLE: tuple[Row, ...] = (
    Row("upsample", "jax", "cpu", "phases", _NEAREST),
    Row("upsample", "jax", "cpu", "phases", _SMOOTH, channels=(0, 4)),
    Row("upsample_conv", "jax", "cpu", "patches", _NEAREST, _FLOAT, channels=(1, 4), filters=_MANY),
    Row("upsample_conv", "jax", "cpu", "difference", _NEAREST, pixels=32),
    Row("upsample_conv", "jax", "cpu", "blur", *_LINEAR, channels=(5, math.inf), side=16),
    Row("upsample_conv", "jax", "cpu", "patches", _SMOOTH, _FLOAT, channels=_FEW, filters=_FEW),
    Row("upsample_conv", "jax", "cpu", "patches", _SMOOTH, _FLOAT, filters=(1, 4)),
    Row("upsample_conv", "jax", "cpu", "blur", *_CUBIC, *_32_32, side=24),
    Row("conv_transpose", "jax", "cpu", "patches", dtypes=_FLOAT, filters=_FEW),
    Row("conv_transpose", "jax", "cpu", "phases", dtypes=_FLOAT, pixels=4096),
    Row("conv_transpose", "jax", "cpu", "phases", dtypes=_BFLOAT16),
    Row("upsample_depthwise_conv", "jax", "cpu", "phases", _NEAREST),
    Row("upsample", "tensorflow", "cpu", "phases", _NEAREST),
    Row("upsample", "tensorflow", "cpu", "native", _SMOOTH, ("float32",), dyadic=True),
    Row("upsample", "tensorflow", "cpu", "phases", _SMOOTH),
    Row("upsample_conv", "tensorflow", "cpu", "transpose", _NEAREST, pixels=512, onednn=True),
    Row("upsample_conv", "tensorflow", "cpu", "patches", _NEAREST, _BFLOAT16, onednn=False),
    Row("upsample_conv", "tensorflow", "cpu", "transpose", _NEAREST, filters=(1, 4), onednn=False),
    Row("upsample_conv", "tensorflow", "cpu", "phases", _NEAREST, pixels=256, onednn=False),
    Row("upsample_conv", "tensorflow", "cpu", "blur", *_LINEAR, *_64_32, side=32, onednn=True),
    Row("upsample_conv", "tensorflow", "cpu", "blur", *_CUBIC, *_64_32, side=40, onednn=True),
    Row("conv_transpose", "tensorflow", "cpu", "patches", dtypes=_BFLOAT16, onednn=False),
    Row("upsample", "torch", "cpu", "native", _NEAREST, ("float32",)),
    Row("upsample", "torch", "cpu", "native", ("bilinear", "bicubic"), ("float32",), dyadic=True),
    Row("upsample", "torch", "cpu", "phases", pixels=16),
    Row("upsample_conv", "torch", "cpu", "transpose", _NEAREST, channels=(9, math.inf), pixels=512),
    Row("upsample_conv", "torch", "cpu", "blur", *_LINEAR, *_128_64, side=64),
    Row("upsample_conv", "torch", "cpu", "blur", *_CUBIC, *_64_32, side=40),
    Row("upsample_depthwise_conv", "torch", "cpu", "transpose", _NEAREST, pixels=1024),
    Row("upsample", "torch", "gpu", "native", _NEAREST, ("float32",)),
    Row("upsample", "torch", "gpu", "phases", _NEAREST, _BFLOAT16),
    Row("upsample", "torch", "gpu", "native", ("bilinear",), ("float32", "bfloat16"), dyadic=True),
    Row("upsample", "torch", "gpu", "native", ("bicubic",), ("float32",), dyadic=True),
    Row("upsample", "torch", "gpu", "phases", ("bicubic",)),
    Row("upsample_conv", "torch", "gpu", "transpose", _NEAREST, pixels=2**18),
    Row("upsample_conv", "jax", "gpu", "patches", _NEAREST, filters=(1, 4)),
    Row("conv_transpose", "jax", "gpu", "patches", filters=(1, 4)),
    # Signals.
    Row("upsample", "jax", "cpu", "phases", _NEAREST, rank=1),
    Row("upsample_conv", "jax", "cpu", "difference", _NEAREST, _FLOAT, pixels=32, rank=1),
    Row("upsample_conv", "jax", "cpu", "blur", ("linear",), _ONE, *_64_32, side=32, rank=1),
    Row("conv_transpose", "jax", "cpu", "patches", dtypes=_FLOAT, rank=1),
    Row("upsample_depthwise_conv", "jax", "cpu", "phases", _NEAREST, _FLOAT, rank=1),
    Row(
        "upsample_conv",
        "tensorflow",
        "cpu",
        "transpose",
        _NEAREST,
        _FLOAT,
        pixels=256,
        onednn=True,
        rank=1,
    ),
    Row(
        "upsample_conv",
        "tensorflow",
        "cpu",
        "phases",
        _NEAREST,
        _FLOAT,
        pixels=256,
        onednn=False,
        rank=1,
    ),
    Row(
        "upsample_conv",
        "tensorflow",
        "cpu",
        "blur",
        ("linear",),
        _ONE,
        *_64_32,
        side=32,
        onednn=True,
        rank=1,
    ),
    Row("upsample", "torch", "cpu", "native", ("linear",), ("float32",), dyadic=True, rank=1),
    Row("upsample", "torch", "cpu", "phases", ("nearest", *_LANCZOS), rank=1),
    Row("upsample_conv", "torch", "cpu", "transpose", _NEAREST, _FLOAT, pixels=256, rank=1),
    Row("upsample_conv", "torch", "cpu", "blur", ("linear",), _ONE, *_64_32, side=32, rank=1),
    Row(
        "upsample_depthwise_conv",
        "torch",
        "cpu",
        "transpose",
        _NEAREST,
        _FLOAT,
        pixels=1024,
        rank=1,
    ),
    # Volumes.
    Row("upsample", "jax", "cpu", "phases", _NEAREST, rank=3),
    Row("upsample_conv", "jax", "cpu", "difference", _NEAREST, _FLOAT, pixels=32, rank=3),
    Row(
        "upsample_conv", "jax", "cpu", "blur", ("trilinear",), _ONE, filters=_SOME, side=12, rank=3
    ),
    Row("upsample_conv", "jax", "cpu", "patches", ("trilinear",), _FLOAT, rank=3),
    Row("upsample_conv", "jax", "cpu", "patches", _NEAREST, _FLOAT, rank=3, identity=True),
    Row("conv_transpose", "jax", "cpu", "patches", dtypes=_FLOAT, rank=3),
    Row("upsample", "tensorflow", "cpu", "phases", _NEAREST, rank=3),
    Row(
        "upsample_conv",
        "tensorflow",
        "cpu",
        "transpose",
        _NEAREST,
        _FLOAT,
        pixels=512,
        onednn=True,
        rank=3,
    ),
    Row(
        "upsample_conv",
        "tensorflow",
        "cpu",
        "phases",
        _NEAREST,
        _FLOAT,
        pixels=512,
        onednn=False,
        rank=3,
    ),
    Row(
        "conv_transpose",
        "tensorflow",
        "cpu",
        "phases",
        dtypes=_FLOAT,
        filters=(0, 1),
        onednn=False,
        rank=3,
    ),
    Row("upsample", "torch", "cpu", "native", _NEAREST, ("float32",), rank=3),
    Row("upsample", "torch", "cpu", "native", ("trilinear",), ("float32",), dyadic=True, rank=3),
    Row("upsample", "torch", "cpu", "phases", ("nearest", "trilinear", *_LANCZOS), rank=3),
    Row("upsample_conv", "torch", "cpu", "transpose", _NEAREST, _FLOAT, pixels=512, rank=3),
    Row("reassemble", "jax", "cpu", "bands", channels=(32, math.inf)),
    Row("reassemble", "tensorflow", "cpu", "bands", channels=_16, pixels=64, onednn=True),
    Row("reassemble", "tensorflow", "cpu", "bands", pixels=1024, onednn=True),
    Row("reassemble", "tensorflow", "cpu", "bands", channels=_16, onednn=True, rank=1),
    Row("reassemble", "tensorflow", "cpu", "bands", onednn=True, rank=3),
    Row("reassemble", "torch", "cpu", "bands", channels=_16, pixels=64, side=7),
)


# What is taken where no row fits, but "direct".
OTHERWISE = {"reassemble": "phases"}


def choose(
    operation: str,
    *,
    interpolation: str | None = None,
    plain: bool = True,
    dyadic: bool = True,
    channels: int = 0,
    filters: int = 0,
    taps: int = 0,
    pixels: int | None = None,
    side: int | None = None,
    dtype: str = "float32",
    backend: str | None = None,
    device: str | None = None,
    onednn: bool | None = None,
    rank: int = 2,
    identity: bool = False,
) -> Row:
    """Return the row of the table that `lowering="auto"` follows.

    Args:
        operation: "upsample", "upsample_conv", "upsample_depthwise_conv", "conv_transpose" or
            "reassemble".
        interpolation: the interpolation's name; None where there is none.
        plain: whether both sizes are integers, not both 1 (but see `identity`), and the kernel has
            no dilation and one group. For a transposed convolution: whether it upsamples, without
            dilation and with one group.
        dyadic: for "upsample", whether both sizes are powers of two, up to 512.
        channels: number of input channels, for "reassemble" of one group; 0 if unknown.
        filters: number of output channels, for "upsample_depthwise_conv" per input channel; not
            used for "upsample".
        taps: the kernel's longer side; 0 if unknown. With a single tap, "upsample_conv" convolves
            before it upsamples. `direct` does so, and no row can improve on it.
        pixels: batch x height x width of the input; None if unknown. Folding a kernel takes time
            whatever the size of the image, and so does every phase, even of a few pixels.
        side: for "upsample_conv" and "reassemble", the shortest side of the input in pixels; None
            if unknown. Small images consist mostly of border.
        dtype: dtype of the computation.
        backend: a Keras backend; default: the one in use.
        device: "cpu", "gpu" or another accelerator, for which no row exists; default: the one in
            use.
        onednn: whether TensorFlow uses oneDNN; default: whether it does now.
        rank: number of spatial axes; a row applies to the rank that it was measured with.
        identity: for "upsample_conv", whether all sizes are 1, so that it only convolves.

    Returns:
        The `Row` that decides, with `.lowering` and `.measurement`. Where none fits, one whose
        lowering is "direct" ("phases" for "reassemble").

    Example:
        >>> choose("upsample", interpolation="bilinear", backend="torch", device="cpu").lowering
        'native'
    """
    backend = backend or keras.backend.backend()
    return _answer(
        operation,
        interpolation,
        plain and (operation, taps) != ("upsample_conv", 1),
        dyadic,
        channels,
        filters,
        pixels,
        side,
        dtype,
        backend,
        device or in_use(backend),
        has_onednn(backend) if onednn is None else onednn,
        rank,
        identity,
    )


@functools.lru_cache
def _answer(*values: Any) -> Row:
    """Look up the row for the values of a `Question`; cached: quick, and logged once."""
    question = Question(*values)
    asked = (question.operation, question.backend, question.device)
    direct = Row(*asked, OTHERWISE.get(question.operation, "direct"), rank=question.rank)
    row = next((row for row in TABLE if row.fits(question)), direct)
    _log.debug("auto: %s -> %s", question, row.lowering)
    return row


def compiles(interpolation: str) -> bool:
    """Return whether XLA compiles whatever `auto` takes for an interpolation.

    TensorFlow's own bicubic, mitchell and Lanczos, which `native` calls, have no XLA kernel.
    """
    backend = keras.backend.backend()
    own = backend == "tensorflow" and in_use(backend) == "cpu"
    return not own or interpolation in ("nearest", "linear", "bilinear", "trilinear")


def function(operation: str, lowering: str, **question: Any) -> Callable[..., Any]:
    """Return the function that computes `operation` by `lowering`; arguments of `name`."""
    module = LOWERINGS[name(operation, lowering, **question)]
    computing: Callable[..., Any] = getattr(module, operation)
    return computing


def name(operation: str, lowering: str, *, empty: bool = False, **question: Any) -> str:
    """Return a lowering's name, for "auto" the table's; other arguments of `choose`.

    An empty batch is computed by the reference: of one TensorFlow's convolutions return what has
    the shape of their input (oneDNN) or gradients that nobody wrote.
    """
    if lowering == "auto":
        lowering = choose(operation, **question).lowering
    if lowering not in _names(operation):
        raise ValueError(
            f"`lowering` of {operation} must be one of auto, {', '.join(_names(operation))}. "
            f"Received: lowering={lowering!r}."
        )
    return "reference" if empty else lowering


@functools.cache
def _names(operation: str) -> tuple[str, ...]:
    """Return the lowerings that compute an operation."""
    return tuple(name for name, module in LOWERINGS.items() if hasattr(module, operation))
