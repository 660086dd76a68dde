"""What the explorer's layers compute, by plain loops that share no code with the package.

Arrays have two axes; a signal is one row, and its layers have stride 1 and one tap along it.
"""

import math

import numpy as np


def cubic(t, b, c):
    t = abs(t)
    if t < 1:
        return ((12 - 9 * b - 6 * c) * t**3 + (-18 + 12 * b + 6 * c) * t**2 + 6 - 2 * b) / 6
    if t < 2:
        far = (-b - 6 * c) * t**3 + (6 * b + 30 * c) * t**2 + (-12 * b - 48 * c) * t + 8 * b
        return (far + 24 * c) / 6
    return 0.0


def lanczos(t, n):
    return float(np.sinc(t) * np.sinc(t / n)) if abs(t) < n else 0.0


PHI = {
    "bilinear": lambda t: max(0.0, 1 - abs(t)),
    "bicubic": lambda t: cubic(t, 0, 0.5),
    "mitchell": lambda t: cubic(t, 1 / 3, 1 / 3),
    "lanczos3": lambda t: lanczos(t, 3),
    "lanczos5": lambda t: lanczos(t, 5),
}


def interpolate(x, s, name):
    """Enlarge the last axis."""
    columns = []
    for n in range(s * x.shape[1]):
        if name == "nearest":
            weights = [float(j == n // s) for j in range(x.shape[1])]
        else:
            centre = (n + 0.5) / s - 0.5
            weights = [PHI[name](centre - j) for j in range(x.shape[1])]
        columns.append(sum(w * x[:, j] for j, w in enumerate(weights)) / math.fsum(weights))
    return np.stack(columns, axis=1)


def convolve(x, kernel, padding):
    (a, b), (height, width) = kernel.shape, x.shape
    if padding == "same":
        large = np.zeros((height + a - 1, width + b - 1))
        large[(a - 1) // 2 : (a - 1) // 2 + height, (b - 1) // 2 : (b - 1) // 2 + width] = x
        x = large
    rows, columns = x.shape[0] - a + 1, x.shape[1] - b + 1
    y = np.zeros((rows, columns))
    for i in range(a):
        for j in range(b):
            y += kernel[i, j] * x[i : i + rows, j : j + columns]
    return y


def conv_transpose(x, kernel, strides, padding, output_padding):
    full = np.zeros(
        [(n - 1) * s + k for n, s, k in zip(x.shape, strides, kernel.shape, strict=True)]
    )
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            top, left = i * strides[0], j * strides[1]
            full[top : top + kernel.shape[0], left : left + kernel.shape[1]] += x[i, j] * kernel
    for axis, (n, s, k) in enumerate(zip(x.shape, strides, kernel.shape, strict=True)):
        if s == k == 1 and n == 1:
            continue
        full = fitted(np.moveaxis(full, axis, 0), n, s, k, padding, output_padding)
        full = np.moveaxis(full, 0, axis)
    return full


def fitted(full, n, s, k, padding, output_padding):
    """Cut or fill the first axis to the length that Keras' documentation says."""
    if padding == "valid":
        length = len(full) + (max(s - k, 0) if output_padding is None else output_padding)
        before = 0
    elif output_padding is None:
        length, before = n * s, max(0, k - s) // 2
    else:
        kept = k % 2 + output_padding
        length, before = (n - 1) * s + kept, max(0, k - kept) // 2
    filled = np.zeros((before + length, *full.shape[1:]))
    kept = min(len(full), len(filled))
    filled[:kept] = full[:kept]
    return filled[before:]


def sub_pixel(x, kernel, factors, taps, padding):
    parts = {}
    for p in range(factors[0]):
        for q in range(factors[1]):
            rows, columns = slice(p * taps[0], None), slice(q * taps[1], None)
            one = kernel[rows, columns][: taps[0], : taps[1]]
            parts[p, q] = convolve(x, one, padding)
    sides = [n * s for n, s in zip(parts[0, 0].shape, factors, strict=True)]
    y = np.zeros(sides)
    for (p, q), part in parts.items():
        y[p :: factors[0], q :: factors[1]] = part
    return y


def output(layer, x, kernel, rank):
    """Return what a layer, described by its settings, makes of `x`."""
    s, k = layer["s"], layer.get("k", 1)
    both = (s, s) if rank == 2 else (1, s)
    if layer["kind"].startswith("interpolate"):
        y = interpolate(x, s, layer["interpolation"])
        if rank == 2:
            y = interpolate(y.T, s, layer["interpolation"]).T
        return y if layer["kind"] == "interpolate" else convolve(y, kernel, layer["padding"])
    if layer["kind"] == "conv_transpose":
        return conv_transpose(x, kernel, both, layer["padding"], layer["op"])
    return sub_pixel(x, kernel, both, (k, k) if rank == 2 else (1, k), layer["padding"])
