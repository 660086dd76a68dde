"""Slow, obvious references in float64 NumPy; nothing here imports Polyphase.

Every operation is a product of axis tensors `A[a, n, j]`, one per axis of space: how much tap `a`
of the kernel adds of input `j` to output `n`. The tensors are filled by loops from the definition,
so the adjoint is the same contraction read the other way.
"""

import math
from fractions import Fraction

import numpy as np

# --- interpolation kernels, mathematics section 2 ---------------------------------------------


def triangle(t):
    return max(0.0, 1.0 - abs(t))


def keys(t):
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def mitchell(t):
    t = abs(t)
    if t <= 1:
        return (21 * t**3 - 36 * t**2 + 16) / 18
    return (-7 * t**3 + 36 * t**2 - 60 * t + 32) / 18 if t < 2 else 0.0


def lanczos(n):
    return lambda t: float(np.sinc(t) * np.sinc(t / n)) if abs(t) < n else 0.0


PHI = {
    "bilinear": triangle,
    "bicubic": keys,
    "mitchell": mitchell,
    "lanczos3": lanczos(3),
    "lanczos5": lanczos(5),
}
OF_EVERY_RANK = ["nearest", "linear", "cubic", "mitchell", "lanczos3", "lanczos5"]
PHI |= {"linear": triangle, "cubic": keys}


def resize_matrix(length, size, interpolation):
    """Return the dense `(floor(length * size), length)` matrix of the formula."""
    out = math.floor(length * size)
    scale = Fraction(out, length)
    matrix = np.zeros((out, length))
    for n in range(out):
        centre = (n + Fraction(1, 2)) / scale - Fraction(1, 2)
        for j in range(length):
            if interpolation == "nearest":  # half-open box: the pixel that the centre lies in
                matrix[n, j] = -Fraction(1, 2) <= centre - j < Fraction(1, 2)
            else:
                matrix[n, j] = PHI[interpolation](float(centre - j))
    return matrix / matrix.sum(axis=1, keepdims=True)


# --- axis tensors -----------------------------------------------------------------------------


def conv_axis(length, k, padding, dilation=1):
    """Return `A[a, n, m] = 1` where tap `a` reads input `m` for output `n` (Keras' Conv2D)."""
    span = (k - 1) * dilation
    before = span // 2 if padding == "same" else 0
    out = length if padding == "same" else length - span
    tensor = np.zeros((k, out, length))
    for a in range(k):
        for n in range(out):
            m = n + a * dilation - before
            if 0 <= m < length:
                tensor[a, n, m] = 1.0
    return tensor


def upsample_conv_axis(length, size, interpolation, k, padding, dilation=1):
    resize = resize_matrix(length, size, interpolation)
    return conv_axis(len(resize), k, padding, dilation) @ resize


def transpose_axis(length, k, s, padding, output_padding=None, dilation=1):
    """Return `A[a, n, j] = 1` where tap `a` carries input `j` to output `n`.

    Keras' documentation: the full output `(N-1)*s + k`, then "same" keeps `N*s` of it, "valid"
    at least `N*s`, and `output_padding` says the length itself; what is cropped is cropped
    evenly, the odd sample behind.
    """
    full = (k - 1) * dilation + 1
    if padding == "valid":
        more = max(s - full, 0) if output_padding is None else output_padding
        out, crop = (length - 1) * s + full + more, 0
    else:
        kept = s if output_padding is None else full % 2 + output_padding
        out, crop = (length - 1) * s + kept, max(0, math.floor((full - kept) / 2))
    tensor = np.zeros((k, out, length))
    for a in range(k):
        for j in range(length):
            n = j * s + a * dilation - crop
            if 0 <= n < out:
                tensor[a, n, j] = 1.0
    return tensor


# --- the operations and their adjoints, channels last -----------------------------------------


def form(axes, x, w, g=None):
    """Return `y = sum (A1[a] .. Ad[b] x) w[a, .., b]`, and with a cotangent `g` also `dx, dw`.

    `x` is `(n, *space, c_in)` with an axis tensor per axis of space, `w` is
    `(*taps, c_in / groups, c_out)`.
    """
    d = len(axes)
    last = d + 1
    groups = x.shape[last] // w.shape[d]
    cotangents = [None] * groups if g is None else np.split(g, groups, axis=last)
    results = []
    for part, kernel, cotangent in zip(
        np.split(x, groups, axis=last), np.split(w, groups, axis=last), cotangents, strict=True
    ):
        patches = part  # (taps so far, n, outputs so far, inputs to come, c)
        for i, tensor in enumerate(axes):
            patches = np.tensordot(tensor, patches, axes=(2, 2 * i + 1))
            patches = np.moveaxis(patches, (0, 1), (i, 2 * i + 2))
        taps, kept = list(range(d)), list(range(d, 2 * d + 1))
        y = np.tensordot(patches, kernel, axes=([*taps, 2 * d + 1], list(range(d + 1))))
        if cotangent is None:
            results.append((y,))
            continue
        dw = np.tensordot(patches, cotangent, axes=(kept, list(range(d + 1))))
        back = np.tensordot(cotangent, kernel, axes=(last, last))  # (n, outputs, taps, c)
        for i, tensor in enumerate(axes):
            back = np.tensordot(tensor, back, axes=((1, 0), (1, 1 + d - i)))
            back = np.moveaxis(back, 0, -2)
        results.append((y, back, dw))
    return tuple(np.concatenate(parts, axis=last) for parts in zip(*results, strict=True))


def upsample(x, sizes, interpolation, g=None):
    """Return every axis times its matrix, and with a cotangent the adjoint of that."""
    y, back = x, g
    for axis, size in enumerate(sizes, start=1):
        matrix = resize_matrix(x.shape[axis], size, interpolation)
        y = np.moveaxis(np.tensordot(matrix, y, axes=(1, axis)), 0, axis)
        if g is not None:
            back = np.moveaxis(np.tensordot(matrix, back, axes=(0, axis)), 0, axis)
    return (y,) if g is None else (y, back)


def upsample_conv(x, w, sizes, interpolation, padding, dilation=None, g=None):
    axes = [
        upsample_conv_axis(n, size, interpolation, k, padding, rate)
        for n, size, k, rate in zip(
            x.shape[1:-1], sizes, w.shape[:-2], dilation or [1] * len(sizes), strict=True
        )
    ]
    return form(axes, x, w, g)


def conv_transpose(x, w, strides, padding, output_padding=None, dilation=None, g=None):
    """Transposed convolution; `w` is `(*taps, c_out, c_in)`."""
    d = len(strides)
    axes = [
        transpose_axis(n, k, s, padding, more, rate)
        for n, k, s, more, rate in zip(
            x.shape[1:-1],
            w.shape[:-2],
            strides,
            output_padding or [None] * d,
            dilation or [1] * d,
            strict=True,
        )
    ]
    results = form(axes, x, w.swapaxes(-1, -2), g)
    return results if g is None else (*results[:2], results[2].swapaxes(-1, -2))


def depth_to_space(x, sizes):
    """Move channel `(p*s_w + q)*c + k` of pixel `(i, j)` to channel `k` of `(s_h*i+p, s_w*j+q)`."""
    n, *space, channels = x.shape
    kept = channels // math.prod(sizes)
    y = np.zeros((n, *(m * s for m, s in zip(space, sizes, strict=True)), kept), x.dtype)
    for index in np.ndindex(*y.shape[1:]):
        *target, k = index
        channel = 0
        for m, s in zip(target, sizes, strict=True):
            channel = channel * s + m % s
        pixel = tuple(m // s for m, s in zip(target, sizes, strict=True))
        y[(slice(None), *index)] = x[(slice(None), *pixel, channel * kept + k)]
    return y


def biased(results, b, g=None):
    """Add a bias to an output, and its gradient to the gradients."""
    y, *gradients = results
    return (
        (y + b, *gradients)
        if g is None
        else (y + b, *gradients, g.sum(axis=tuple(range(g.ndim - 1))))
    )
