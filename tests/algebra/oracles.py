"""Slow, obvious references: every formula written out again; nothing here imports Polyphase."""

import functools
import math
from fractions import Fraction

import numpy as np

assert_close = functools.partial(np.testing.assert_allclose, rtol=0, atol=1e-11)


def noise(*shape, seed=0):
    """Return an array without any symmetry."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


# --- resampling -------------------------------------------------------------------------------


def box(t):
    return 1.0 if -0.5 <= t < 0.5 else 0.0


def triangle(t):
    return max(0.0, 1.0 - abs(t))


def catmull_rom(t):
    t = abs(t)
    if t < 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def mitchell(t):
    t = abs(t)
    if t < 1:
        return (21 * t**3 - 36 * t**2 + 16) / 18
    return (-7 * t**3 + 36 * t**2 - 60 * t + 32) / 18 if t < 2 else 0.0


def lanczos(t, n):
    if t == 0:
        return 1.0
    if abs(t) >= n:
        return 0.0
    return math.sin(math.pi * t) / (math.pi * t) * math.sin(math.pi * t / n) / (math.pi * t / n)


PHI = {
    "nearest": box,
    "bilinear": triangle,
    "bicubic": catmull_rom,
    "mitchell": mitchell,
    "lanczos3": functools.partial(lanczos, n=3),
    "lanczos5": functools.partial(lanczos, n=5),
}
RADIUS = {
    "nearest": 0.5,
    "bilinear": 1,
    "bicubic": 2,
    "mitchell": 2,
    "lanczos3": 3,
    "lanczos5": 5,
}


def centre(n, length, out_length):
    """Return `c(n) = (n + 1/2) / scale - 1/2`, exactly."""
    return Fraction(2 * n + 1, 2) / Fraction(out_length, length) - Fraction(1, 2)


def zero_padded_filter(length, out_length, phi):
    """Return `H[n, j] = phi(c(n) - j)`."""
    matrix = np.zeros((out_length, length))
    for n in range(out_length):
        for j in range(length):
            t = centre(n, length, out_length) - j
            matrix[n, j] = phi(t if phi is box else float(t))
    return matrix


def resample(x, out_length, phi):
    """Return `y[n] = sum_j phi(c(n) - j) x[j] / sum_j phi(c(n) - j)` of a list of numbers."""
    out = []
    for n in range(out_length):
        weights = [phi(centre(n, len(x), out_length) - j) for j in range(len(x))]
        out.append(sum(w * v for w, v in zip(weights, x, strict=True)) / sum(weights))
    return np.array(out, dtype=float)


# --- convolutions: x (*space, c_in), kernels as Keras stores them -------------------------------


def repeat(x, factor):
    """Return `y[n, m] = x[n // s_h, m // s_w]`."""
    for axis, s in enumerate(factor):
        x = np.repeat(x, s, axis=axis)
    return x


def convolve(x, w, padding, dilation=1):
    """Return the cross-correlation of `x` with `w (*taps, c_in, c_out)`, zero padding."""
    spans = [(k - 1) * dilation for k in w.shape[:-2]]
    if padding == "same":
        x = np.pad(x, [(span // 2, span - span // 2) for span in spans] + [(0, 0)])
    shape = [n - span for n, span in zip(x.shape, spans, strict=False)]
    y = np.zeros((*shape, w.shape[-1]))
    for tap in np.ndindex(*w.shape[:-2]):
        read = [slice(a * dilation, a * dilation + n) for a, n in zip(tap, shape, strict=True)]
        y += x[tuple(read)] @ w[tap]
    return y


def upsample_conv(x, w, factor, padding, dilation=1):
    """Return nearest upsampling followed by a convolution."""
    return convolve(repeat(x, factor), w, padding, dilation)


def scatter(x, w, strides, dilation=1):
    """Return the full transposed convolution with `w (*taps, c_out, c_in)`: every pixel adds."""
    shape = [
        (n - 1) * s + (k - 1) * dilation + 1
        for n, s, k in zip(x.shape[:-1], strides, w.shape[:-2], strict=True)
    ]
    z = np.zeros((*shape, w.shape[-2]))
    for pixel in np.ndindex(*x.shape[:-1]):
        for tap in np.ndindex(*w.shape[:-2]):
            each = zip(strides, pixel, tap, strict=True)
            z[tuple(s * i + dilation * a for s, i, a in each)] += w[tap] @ x[pixel]
    return z


def window(z, crop, shape):
    """Return `shape` pixels of `z` from `crop` on, zeros beyond its end."""
    out = np.zeros((*shape, z.shape[-1]))
    kept = z[tuple(slice(c, c + n) for c, n in zip(crop, shape, strict=True))]
    out[tuple(slice(n) for n in kept.shape)] = kept
    return out


def depth_to_space(z, factor):
    """Return `y[s_h*i + p, s_w*j + q, c] = z[i, j, (p*s_w + q)*c_out + c]`."""
    *space, channels = z.shape
    c_out = channels // math.prod(factor)
    y = np.zeros((*(n * s for n, s in zip(space, factor, strict=True)), c_out))
    for *target, c in np.ndindex(*y.shape):
        phase = 0
        for n, s in zip(target, factor, strict=True):
            phase = phase * s + n % s
        pixel = tuple(n // s for n, s in zip(target, factor, strict=True))
        y[(*target, c)] = z[(*pixel, phase * c_out + c)]
    return y


def filter_bank(x, kernels, firsts, shape):
    """Return `y[s*i + p] = sum_t K_p[t] x[i + first_p + t]`, both axes, x being 0 outside.

    `kernels[p][q] (t, u, c_in, c_out)`; `firsts` holds the offsets of the two axes' phases.
    """
    rim = 20
    padded = np.pad(x, ((rim, rim), (rim, rim), (0, 0)))
    y = np.zeros((*shape, kernels[0][0].shape[3]))
    for p, top in enumerate(firsts[0]):
        for q, left in enumerate(firsts[1]):
            target = y[p :: len(firsts[0]), q :: len(firsts[1])]
            height, width = target.shape[:2]
            for t, line in enumerate(kernels[p][q]):
                for u, tap in enumerate(line):
                    i, j = rim + top + t, rim + left + u
                    target += padded[i : i + height, j : j + width] @ tap
    return y
