"""The plain way: a table of taps; upsample, then convolve; the backend's own transposed one."""

from typing import Any

from keras import backend, ops

from polyphase.algebra.resampling import ResamplingMatrix
from polyphase.ops import axes
from polyphase.ops.gradients import computed, linear
from polyphase.ops.lowerings import patches, reference
from polyphase.ops.plans import Convolution, Transposed, Upsampling

Tensor = Any


def upsample(x: Tensor, plan: Upsampling) -> Tensor:
    """Gather the taps of every output, one axis after the other, and add them up, weighted.

    The gradient gathers by the transposed table => as fast, and the same bits every time.
    """
    for side, axis in enumerate(plan.axes):
        matrix = plan.matrix(x, side)
        if matrix is None:
            columns, weights = plan.table(x, side)
            x = _taken(x, axis, columns, weights, plan.interpolation)
        else:
            x = _resample(x, axis, matrix, plan.interpolation)
    return x


def _resample(x: Tensor, axis: int, matrix: ResamplingMatrix, interpolation: str) -> Tensor:
    back = matrix.transpose()
    return linear(
        x,
        lambda x: _taken(x, axis, matrix.columns, matrix.weights, interpolation),
        lambda g: axes.gather(g, axis, back.columns, back.weights),
    )


def _taken(x: Tensor, axis: int, columns: Any, weights: Any, interpolation: str) -> Tensor:
    """Return the sum of the taps; nearest has one, of weight 1, and any dtype."""
    if interpolation == "nearest":
        return ops.take(x, columns[:, 0], axis=axis)
    return axes.gather(x, axis, columns, weights)


def upsample_conv(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution) -> Tensor:
    """Upsample, then convolve with the backend's convolution.

    One tap mixes channels, upsampling mixes pixels => convolve first, unless that leaves more
    channels to interpolate.
    """
    copies = plan.upsampling.interpolation == "nearest"
    fewer = kernel.shape[3] <= x.shape[plan.channel]
    if tuple(kernel.shape[:2]) == (1, 1) and (copies or fewer):
        y = plan.upsample(_convolution(x, kernel, plan), plan.upsampling)
    else:
        y = _convolution(plan.upsample(x, plan.upsampling), kernel, plan)
    return axes.biased(y, bias, plan.channel)


def upsample_depthwise_conv(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Convolution
) -> Tensor:
    """Upsample, then convolve with the backend's depthwise convolution.

    Of an empty batch TensorFlow's gradient by the kernel is memory that nobody wrote.
    """
    if x.shape[0] == 0:
        return reference.upsample_depthwise_conv(x, kernel, bias, plan)
    y = ops.depthwise_conv(
        plan.upsample(x, plan.upsampling),
        kernel,
        strides=1,
        padding=plan.padding,
        data_format=plan.data_format,
        dilation_rate=plan.dilation,
    )
    return axes.biased(y, bias, plan.channel)


def _convolution(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    """Convolve.

    XLA's gradient with respect to the kernel is slow => on JAX that of `patches` instead, which
    knows one group only.
    """
    if kernel.shape[2] != x.shape[plan.channel]:
        return _backend_convolution(x, kernel, plan)
    return computed(
        lambda x, kernel: _backend_convolution(x, kernel, plan),
        lambda x, kernel: patches.convolution(x, kernel, None, plan),
        x,
        kernel,
    )


def _backend_convolution(x: Tensor, kernel: Tensor, plan: Convolution) -> Tensor:
    return ops.conv(
        x,
        kernel,
        strides=1,
        padding=plan.padding,
        data_format=plan.data_format,
        dilation_rate=plan.dilation,
    )


def conv_transpose(x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed) -> Tensor:
    """Call the backend's transposed convolution through Keras.

    XLA's gradient of it multiplies inserted zeros => on JAX that of `patches` instead.
    """
    if _backend_fails(kernel, plan):
        return patches.conv_transpose(x, kernel, bias, plan)
    behind = _torch_output_padding(kernel, plan)
    if behind is not None:
        return _torch_conv_transpose(x, kernel, bias, plan, behind)
    y = computed(
        lambda x, kernel: _backend_conv_transpose(x, kernel, plan),
        lambda x, kernel: patches.conv_transpose(x, kernel, None, plan),
        x,
        kernel,
    )
    return axes.biased(y, bias, plan.channel)


def _backend_fails(kernel: Tensor, plan: Transposed) -> bool:
    """Return whether the backend cannot compute it on every processor.

    - PyTorch 2.13, a single tap that leaves gaps: without AVX-512 the gradient by the kernel is
      wrong (channels last) and writes past its memory.
    - TensorFlow, dilation: without oneDNN there is no kernel.
    """
    if backend.backend() == "torch":
        return tuple(kernel.shape[:2]) == (1, 1) != plan.strides
    return backend.backend() == "tensorflow" and max(plan.dilation) > 1


def _backend_conv_transpose(x: Tensor, kernel: Tensor, plan: Transposed) -> Tensor:
    """Call it through Keras; compute in full and crop what it refuses.

    "same" with an even kernel and `output_padding=0` is shorter than the stride times the input,
    which TensorFlow refuses.
    """
    short = any(extra <= -stride for extra, stride in zip(plan.extra, plan.strides, strict=True))
    y = ops.conv_transpose(
        x,
        kernel,
        strides=plan.strides,
        padding="valid" if short else plan.padding,
        output_padding=None if short else plan.output_padding,
        data_format=plan.data_format,
        dilation_rate=plan.dilation,
    )
    if short:
        for side, axis in enumerate(plan.axes):
            size = axes.length(x, axis) * plan.strides[side] + plan.extra[side]
            y = axes.window(y, axis, plan.crop[side], size)
    return y


def _torch_output_padding(kernel: Tensor, plan: Transposed) -> list[int] | None:
    """Return by how much less PyTorch must crop behind than in front; None: it cannot.

    PyTorch crops both ends alike and then less behind; Keras computes in full and crops.
    """
    behind = [
        extra + stride + 2 * crop - (size - 1) * rate - 1
        for extra, stride, crop, size, rate in zip(
            plan.extra, plan.strides, plan.crop, kernel.shape, plan.dilation, strict=False
        )
    ]
    most = [max(both) for both in zip(plan.strides, plan.dilation, strict=True)]
    fits = all(0 <= less < bound for less, bound in zip(behind, most, strict=True))
    return behind if backend.backend() == "torch" and fits else None


def _torch_conv_transpose(
    x: Tensor, kernel: Tensor, bias: Tensor | None, plan: Transposed, behind: list[int]
) -> Tensor:
    import torch

    last = plan.data_format == "channels_last"
    y = torch.nn.functional.conv_transpose2d(
        x.permute(0, 3, 1, 2) if last else x,
        kernel.permute(3, 2, 0, 1),
        bias,
        stride=plan.strides,
        padding=plan.crop,
        output_padding=tuple(behind),
        dilation=plan.dilation,
    )
    return y.permute(0, 2, 3, 1) if last else y
