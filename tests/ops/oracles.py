"""Slow, obvious references in float64 NumPy; nothing here imports Polyphase.

Every operation is a product of two axis tensors `A[a, n, j]`: how much tap `a` of the kernel adds
of input `j` to output `n`. The tensors are filled by loops from the definition, so the adjoint is
the same contraction read the other way.
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


def bilinear_form(rows, columns, x, w, g=None):
    """Return `y = sum A[a] x B[b]^T w[a, b]`, and with a cotangent `g` the gradients `dx, dw`.

    `w` is `(k_h, k_w, c_in / groups, c_out)`.
    """
    groups = x.shape[3] // w.shape[2]
    results = []
    for part, kernel, *cotangent in zip(
        np.split(x, groups, axis=3),
        np.split(w, groups, axis=3),
        *([] if g is None else [np.split(g, groups, axis=3)]),
        strict=True,
    ):
        patches = np.einsum("ahi,nijc->ahnjc", rows, part)
        patches = np.einsum("bwj,ahnjc->abnhwc", columns, patches)
        if g is None:
            results.append((np.einsum("abnhwc,abco->nhwo", patches, kernel),))
            continue
        back = np.einsum("nhwo,abco->abnhwc", cotangent[0], kernel)
        back = np.einsum("ahi,abnhwc->binwc", rows, back)
        results.append(
            (
                np.einsum("abnhwc,abco->nhwo", patches, kernel),
                np.einsum("bwj,binwc->nijc", columns, back),
                np.einsum("abnhwc,nhwo->abco", patches, cotangent[0]),
            )
        )
    return tuple(np.concatenate(parts, axis=3) for parts in zip(*results, strict=True))


def upsample(x, sizes, interpolation, g=None):
    """Return `R_h x R_w^T`, and with a cotangent the adjoint `R_h^T g R_w`."""
    rows, columns = (
        resize_matrix(n, s, interpolation) for n, s in zip(x.shape[1:3], sizes, strict=True)
    )
    y = np.einsum("hi,wj,nijc->nhwc", rows, columns, x, optimize=True)
    return (
        (y,) if g is None else (y, np.einsum("hi,wj,nhwc->nijc", rows, columns, g, optimize=True))
    )


def upsample_conv(x, w, sizes, interpolation, padding, dilation=(1, 1), g=None):
    rows, columns = (
        upsample_conv_axis(
            x.shape[1 + i], sizes[i], interpolation, w.shape[i], padding, dilation[i]
        )
        for i in (0, 1)
    )
    return bilinear_form(rows, columns, x, w, g)


def conv_transpose(x, w, strides, padding, output_padding=None, dilation=(1, 1), g=None):
    """Transposed convolution; `w` is `(k_h, k_w, c_out, c_in)`."""
    more = output_padding or (None, None)
    rows, columns = (
        transpose_axis(x.shape[1 + i], w.shape[i], strides[i], padding, more[i], dilation[i])
        for i in (0, 1)
    )
    results = bilinear_form(rows, columns, x, w.transpose(0, 1, 3, 2), g)
    return results if g is None else (*results[:2], results[2].transpose(0, 1, 3, 2))


def depth_to_space(x, sizes):
    """Move channel `(p*s_w + q)*c + k` of pixel `(i, j)` to channel `k` of `(s_h*i+p, s_w*j+q)`."""
    n, height, width, channels = x.shape
    rows, columns = sizes
    kept = channels // (rows * columns)
    y = np.zeros((n, height * rows, width * columns, kept), x.dtype)
    for i, j, p, q, k in np.ndindex(height, width, rows, columns, kept):
        y[:, rows * i + p, columns * j + q, k] = x[:, i, j, (p * columns + q) * kept + k]
    return y


def biased(results, b, g=None):
    """Add a bias to an output, and its gradient to the gradients."""
    y, *gradients = results
    return (y + b, *gradients) if g is None else (y + b, *gradients, g.sum(axis=(0, 1, 2)))
