"""Which lowering `auto` takes: one small table, each row with the measurement behind it.

Rows are read from the top; the first that fits decides. What no row names is computed directly.
"""

import functools
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from polyphase.ops.lowerings import LOWERINGS

_log = logging.getLogger("polyphase")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        operation: "upsample", "upsample_conv" or "conv_transpose".
        backend: a Keras backend.
        device: "cpu" or "gpu".
        lowering: the way to take.
        measurement: why: the file under benchmarks/results/ and, over the cases there that this
            row decides, the least and the greatest of direct's time divided by this way's.
        interpolations: for which; empty: for all.
        dtypes: for which; empty: for all.
        channels: for so many input channels, from and to.
        filters: for so many output channels, from and to.
        taps: for kernels of so many taps per axis at most, from and to.
        plain: whether it holds for what `choose` calls plain only.
        convolved: whether it holds for what a convolution reads only.
    """

    operation: str
    backend: str
    device: str
    lowering: str
    measurement: str
    interpolations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    channels: tuple[int, float] = (0, math.inf)
    filters: tuple[int, float] = (0, math.inf)
    taps: tuple[int, float] = (0, math.inf)
    plain: bool = True
    convolved: bool = False

    def fits(self, question: "Question") -> bool:
        """Return whether this row answers a question."""
        return (
            (self.operation, self.backend, self.device)
            == (question.operation, question.backend, question.device)
            and question.interpolation in (self.interpolations or (question.interpolation,))
            and question.dtype in (self.dtypes or (question.dtype,))
            and self.channels[0] <= question.channels <= self.channels[1]
            and self.filters[0] <= question.filters <= self.filters[1]
            and self.taps[0] <= question.taps <= self.taps[1]
            and (question.plain or not self.plain)
            and (question.convolved or not self.convolved)
        )


@dataclass(frozen=True)
class Question:
    """What decides, as `choose` takes it."""

    operation: str
    interpolation: str | None
    plain: bool
    convolved: bool
    channels: int
    filters: int
    taps: int
    dtype: str
    backend: str
    device: str


_FLOAT = ("float32", "float64")
_NEAREST = ("nearest",)
_SMOOTH = ("bilinear", "bicubic", "mitchell", "lanczos3", "lanczos5")


def _cpu(operation: str, backend: str, lowering: str, measured: str, **conditions: Any) -> Row:
    file = f"benchmarks/results/lowerings-{backend}.json"
    return Row(
        operation, backend, "cpu", lowering, f"{file}: direct / this, {measured}", **conditions
    )


TABLE: tuple[Row, ...] = (
    _cpu(
        *("upsample", "jax", "phases", "forward 0.91-1.65, training 2.05-2.85"),
        interpolations=_NEAREST,
    ),
    _cpu(
        *("upsample", "jax", "phases", "forward 0-0, training 0-0"),
        interpolations=_SMOOTH, convolved=True,
    ),
    _cpu(
        *("upsample", "jax", "phases", "forward 0.94-5.32, training 0.82-1.51"),
        interpolations=("lanczos5",),
    ),
    _cpu(
        *("upsample", "jax", "phases", "forward 1.55-2.61, training 1.40-1.91"),
        interpolations=_SMOOTH, channels=(0, 4),
    ),
    _cpu(
        *("upsample_conv", "jax", "difference", "forward 1.53-5.86, training 2.10-7.68"),
        interpolations=_NEAREST, dtypes=_FLOAT,
    ),
    _cpu(
        *("upsample_conv", "jax", "phases", "forward 1.07-1.95, training 1.23-2.24"),
        interpolations=_NEAREST,
    ),
    _cpu(
        *("upsample_conv", "jax", "patches", "forward 0-0, training 0-0"),
        interpolations=_SMOOTH, dtypes=_FLOAT, channels=(1, 8), filters=(1, 16),
    ),
    _cpu(
        *("conv_transpose", "jax", "patches", "forward 0.68-3.45, training 3.29-47.68"),
        dtypes=_FLOAT,
    ),
    _cpu(
        *("conv_transpose", "jax", "phases", "forward 0.90-1.85, training 1.98-8.17"),
        dtypes=("float16", "bfloat16"),
    ),
    _cpu(
        *("upsample", "tensorflow", "phases", "forward 1.00-1.35, training 0.82-1.32"),
        interpolations=_NEAREST,
    ),
    _cpu(
        *("upsample", "tensorflow", "native", "forward 0.42-6.95, training 0.35-11.27"),
        interpolations=_SMOOTH, dtypes=("float32",), plain=False,
    ),
    _cpu(
        *("upsample_conv", "tensorflow", "difference", "forward 1.01-1.17, training 1.22-1.49"),
        interpolations=_NEAREST, dtypes=_FLOAT, taps=(1, 1),
    ),
    _cpu(
        *("upsample_conv", "tensorflow", "transpose", "forward 0.87-2.88, training 1.04-3.35"),
        interpolations=_NEAREST,
    ),
    _cpu(
        *("upsample", "torch", "native", "forward 1.06-9.02, training 1.93-12.90"),
        interpolations=_NEAREST, dtypes=("float32",),
    ),
    _cpu(
        *("upsample", "torch", "native", "forward 1.07-17.67, training 0.87-17.30"),
        interpolations=("bilinear", "bicubic"), dtypes=("float32",), plain=False,
    ),
    _cpu("upsample", "torch", "phases", "forward 1.14-2.72, training 1.28-3.08"),
    _cpu(
        *("upsample_conv", "torch", "difference", "forward 1.36-4.94, training 1.33-3.35"),
        interpolations=_NEAREST, dtypes=_FLOAT, taps=(1, 1),
    ),
    _cpu(
        *("upsample_conv", "torch", "transpose", "forward 0.96-2.69, training 1.28-3.15"),
        interpolations=_NEAREST,
    ),
)  # fmt: skip


def choose(
    operation: str,
    *,
    interpolation: str | None = None,
    plain: bool = True,
    convolved: bool = False,
    channels: int = 0,
    filters: int = 0,
    taps: int = 0,
    dtype: str = "float32",
    backend: str | None = None,
    device: str | None = None,
) -> Row:
    """Return the row of the table that `lowering="auto"` follows.

    Args:
        operation: "upsample", "upsample_conv" or "conv_transpose".
        interpolation: the interpolation's name; None for a transposed convolution.
        plain: whether both sizes are integers and the kernel has no dilation and one group; of a
            transposed convolution, whether it upsamples, without dilation.
        convolved: of "upsample", whether a convolution reads the result.
        channels: number of input channels; 0 if unknown.
        filters: number of output channels; does not matter for "upsample".
        taps: the kernel's longer side; does not matter for "upsample".
        dtype: what is computed in.
        backend: a Keras backend; default: the one in use.
        device: "cpu" or "gpu"; default: the one in use.

    Returns:
        The deciding `Row`: `.lowering` and `.measurement`.

    Example:
        >>> choose("upsample", interpolation="bilinear", backend="torch", device="cpu").lowering
        'native'
    """
    backend = backend or keras.backend.backend()
    device = device or _device(backend)
    question = Question(
        operation, interpolation, plain, convolved, channels, filters, taps, dtype, backend, device
    )
    return _answer(question)


@functools.lru_cache
def _answer(question: Question) -> Row:
    """Look the row up; cached, so that each decision is logged once."""
    asked = (question.operation, question.backend, question.device)
    otherwise = Row(*asked, "direct", "no row: the plain way")
    row = next((row for row in TABLE if row.fits(question)), otherwise)
    _log.debug("auto: %s -> %s (%s)", question, row.lowering, row.measurement)
    return row


@functools.lru_cache
def _device(backend: str) -> str:
    """Return "cpu", or "gpu" for any accelerator in use."""
    if backend == "jax":
        import jax

        return "cpu" if jax.default_backend() == "cpu" else "gpu"
    if backend == "tensorflow":
        import tensorflow

        return "gpu" if tensorflow.config.list_physical_devices("GPU") else "cpu"
    import torch

    return "gpu" if torch.cuda.is_available() or torch.backends.mps.is_available() else "cpu"


def layout(x: Any, data_format: str) -> tuple[Any, str, Callable[[Any], Any]]:
    """Return the image and the data format to compute in, and the way back for the result.

    TensorFlow's convolutions on a CPU know channels first in some dtypes only (none without
    oneDNN) => there, computing goes through channels last.
    """
    backend = keras.backend.backend()
    if data_format == "channels_last" or backend != "tensorflow" or _device(backend) != "cpu":
        return x, data_format, lambda y: y
    x = keras.ops.transpose(x, (0, 2, 3, 1))
    return x, "channels_last", lambda y: keras.ops.transpose(y, (0, 3, 1, 2))


def function(operation: str, lowering: str, **question: Any) -> Callable[..., Any]:
    """Return the function that computes `operation` by `lowering` ("auto": by the table).

    Args:
        operation: as in `choose`.
        lowering: "auto" or a file's name in ops/lowerings/.
        **question: the other arguments of `choose`.

    Raises:
        ValueError: if there is no such lowering for the operation.
    """
    if lowering == "auto":
        lowering = choose(operation, **question).lowering
    ways = [name for name, module in LOWERINGS.items() if hasattr(module, operation)]
    if lowering not in ways:
        raise ValueError(
            f"`lowering` of {operation} must be one of auto, {', '.join(ways)}. "
            f"Received: lowering={lowering!r}."
        )
    way: Callable[..., Any] = getattr(LOWERINGS[lowering], operation)
    return way
