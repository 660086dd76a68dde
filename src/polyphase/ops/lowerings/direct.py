"""The plain lowering: a table of taps; upsample, then convolve; the backend's transposed one."""

from collections.abc import Sequence
from typing import Any

from keras import backend, ops

from polyphase.algebra.geometry import Axis
from polyphase.algebra.resampling import ResamplingMatrix
from polyphase.ops import axes
from polyphase.ops.gradients import computed, linear
from polyphase.ops.lowerings import patches, phases, reference, torch_convolution
from polyphase.ops.plans import Convolution, Transposed, Upsampling

Tensor = Any


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Gather the taps of every output, one axis after the other, and add them up, weighted.

    The gradient gathers by the transposed table => as fast, and the same bits every time.
    """
    if plan.identity:
        return x
    for i in range(len(plan.sizes)):
        matrix = plan.matrix(x, i)
        if matrix is None:
            columns, weights = plan.table(x, i)
            x = _taken(x, i + 1, columns, weights, plan.interpolation)
        else:
            x = resample(x, i + 1, matrix, plan.interpolation)
    return x


def resample(x: Tensor, axis: int, matrix: ResamplingMatrix, interpolation: str) -> Tensor:
    """Resample one axis by a table, or by some rows of one."""
    back = matrix.transpose()
    return linear(
        x,
        lambda x: _taken(x, axis, matrix.columns, matrix.weights, interpolation),
        lambda g: axes.gather(g, axis, back.columns, back.weights),
        kept=True,
    )


def _taken(x: Tensor, axis: int, columns: Any, weights: Any, interpolation: str) -> Tensor:
    """Return the sum of the taps; nearest has one, of weight 1, and any dtype."""
    if interpolation == "nearest":
        return ops.take(x, columns[:, 0], axis=axis)
    return axes.gather(x, axis, columns, weights)


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Upsample, then convolve with the backend's convolution."""
    return axes.biased(_convolution(upsample(x, plan.upsampling), kernel, plan), bias)


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Upsample, then convolve with the backend's depthwise convolution.

    TensorFlow has none of volumes.
    """
    if backend.backend() == "tensorflow" and len(plan.axes) == 3:
        return reference.upsample_depthwise_conv(x, kernel, bias, plan)
    image = upsample(x, plan.upsampling)
    return axes.biased(depthwise(image, kernel, plan.axes, plan.padding), bias)


def depthwise(x: Tensor, kernel: Tensor, sides: Sequence[Axis], padding: str = "valid") -> Tensor:
    """Convolve every channel alone by a kernel `(*taps, c, multiplier)`."""
    if backend.backend() == "torch":
        kernel = ops.reshape(kernel, (*kernel.shape[:-2], 1, -1))
        return torch_convolution.convolution(x, kernel, sides)
    dilation = tuple(axis.dilation for axis in sides)
    return ops.depthwise_conv(
        x, kernel, padding=padding, data_format="channels_last", dilation_rate=dilation
    )


def _convolution(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Convolve.

    Where XLA's gradient with respect to the kernel is slow, on JAX that of `patches` instead, which
    knows one group only.
    """
    if backend.backend() == "torch":
        return torch_convolution.convolution(x, kernel, plan.axes)
    if kernel.shape[-2] != x.shape[-1] or _gradient_is_fast(kernel):
        return ops.conv(x, kernel, **_arguments(plan))
    return computed(
        lambda x, kernel: ops.conv(x, kernel, **_arguments(plan)),
        lambda x, kernel: patches.convolution(x, kernel, None, plan),
        x,
        kernel,
    )


def _gradient_is_fast(kernel: Tensor) -> bool:
    """Return whether XLA's is: of images, with many filters and taps.

    Measured, JAX 0.10.1 and 0.12: 25 of 49 ms for 4x128x128x64 -> 32 by 3x3, 3 of 48 for a 9x9 of
    three channels; but 27 of 6 for volumes, 4.4 of 4.1 for eight filters, 14 of 3 for three.
    """
    *taps, _, filters = kernel.shape
    return len(taps) == 2 and max(taps) > 1 and filters > 8


def _arguments(plan: Convolution) -> dict[str, Any]:
    return {
        "strides": 1,
        "padding": plan.padding,
        "data_format": "channels_last",
        "dilation_rate": plan.dilation,
    }


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Call the backend's transposed convolution through Keras, which knows one group only.

    XLA's gradient of it multiplies inserted zeros => on JAX that of `patches` instead.
    """
    grouped = plan.groups > 1
    if _backend_fails(plan) and not grouped:
        return patches.conv_transpose(x, kernel, bias, plan)
    after = _torch_output_padding(plan)
    if grouped and (after is None or _backend_fails(plan)):
        return phases.conv_transpose(x, kernel, bias, plan)
    if after is not None:
        return _torch_conv_transpose(x, kernel, bias, plan, after)
    y = computed(
        lambda x, kernel: _backend_conv_transpose(x, kernel, plan),
        lambda x, kernel: patches.conv_transpose(x, kernel, None, plan),
        x,
        kernel,
    )
    return axes.biased(y, bias)


def _backend_fails(plan: Transposed) -> bool:
    """Return whether the backend cannot compute it on every processor.

    - PyTorch 2.13, a single tap that leaves gaps: without AVX-512 the gradient by the kernel is
      wrong (channels last) and writes past its memory.
    - TensorFlow, volumes, such a tap: the gradient by the image is wrong for strides above 2.
    - TensorFlow, dilation: without oneDNN there is no kernel.
    """
    gaps = {axis.taps for axis in plan.axes} == {1} != set(plan.strides)
    if backend.backend() == "tensorflow":
        return max(plan.dilation) > 1 or (gaps and len(plan.axes) == 3)
    return backend.backend() == "torch" and gaps


def _backend_conv_transpose(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    """Call it through Keras; compute in full and crop what it refuses.

    "same" with an even kernel and `output_padding=0` is shorter than the stride times the input,
    which TensorFlow refuses.
    """
    short = any(axis.extra <= -axis.factor for axis in plan.axes)
    y = ops.conv_transpose(
        x,
        kernel,
        strides=plan.strides,
        padding="valid" if short else plan.padding,
        output_padding=None if short else plan.output_padding,
        data_format="channels_last",
        dilation_rate=plan.dilation,
    )
    if short:
        for dim, axis in enumerate(plan.axes, start=1):
            y = axes.window(y, dim, axis.first, axes.length(x, dim) * axis.factor + axis.extra)
    return y


def _torch_output_padding(plan: Transposed) -> list[int] | None:
    """Return by how much less PyTorch must crop after than before; None: it cannot.

    PyTorch crops both ends alike and then less after. Where more is due after, which is negative,
    that is cut off.
    """
    after = [a.extra + a.factor + 2 * a.first - a.span - 1 for a in plan.axes]
    fits = all(
        less < max(axis.factor, axis.dilation) for less, axis in zip(after, plan.axes, strict=True)
    )
    return after if backend.backend() == "torch" and fits else None


def _torch_conv_transpose(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed, after: list[int]
) -> Tensor:
    rank = len(after)
    y = torch_convolution.conv_transpose(
        x,
        kernel.permute(rank + 1, rank, *range(rank)),
        bias,
        stride=plan.strides,
        padding=tuple(axis.first for axis in plan.axes),
        output_padding=tuple(max(0, less) for less in after),
        dilation=plan.dilation,
        groups=plan.groups,
    )
    for dim, less in enumerate(after, start=1):
        y = y if less >= 0 else axes.window(y, dim, 0, y.shape[dim] + less)
    return y
