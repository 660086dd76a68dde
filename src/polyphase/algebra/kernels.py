"""Continuous interpolation kernels: functions of the distance in input pixels.

A kernel's `radius` is half of its full width, in input pixels. Kernels can be evaluated with any
array namespace that has `abs`, `where` and `sin` (NumPy by default), so the same formula serves the
float64 tables here and tables that are made inside a traced graph.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Kernel:
    """A continuous kernel `phi(t)`, `t` in input pixels.

    Attributes:
        name: its name with its parameters, such as `keys(a=-0.5)`.
        diameter: full width in input pixels; `phi` is 0 at distances from `diameter / 2` on.
        function: `function(t, xp)` evaluates `phi` with the array namespace `xp`.
    """

    name: str
    diameter: int
    function: Callable[[Array, ModuleType], Array]

    @property
    def radius(self) -> float:
        """Half of the full width, in input pixels."""
        return self.diameter / 2

    @property
    def interpolates(self) -> bool:
        """Whether it passes through the pixels, so that upsampling by 1 changes nothing.

        Example:
            >>> [name for name, kernel in KERNELS.items() if not kernel.interpolates]
            ['mitchell']
        """
        pixels = np.arange(1, self.diameter)
        return bool(self(np.array(0.0)) == 1 and np.abs(self(pixels)).max(initial=0) < 1e-9)

    def __call__(self, t: Array, xp: ModuleType = np) -> Array:
        """Evaluate the kernel at distances `t` (any shape, input pixels)."""
        return self.function(t, xp)


def box() -> Kernel:
    """Return the kernel of nearest-neighbour interpolation: 1 for `-1/2 <= t < 1/2`, else 0.

    Example:
        >>> box()(np.array([-0.5, 0.0, 0.5]))
        array([1., 1., 0.])
    """
    return Kernel("box", 1, lambda t, xp: xp.where((t >= -0.5) & (t < 0.5), 1.0, 0.0))


def triangle() -> Kernel:
    """Return the kernel of linear interpolation: `1 - |t|` for `|t| < 1`.

    Example:
        >>> triangle()(np.array([-0.25, 0.0, 1.5]))
        array([0.75, 1.  , 0.  ])
    """
    return Kernel("triangle", 2, lambda t, xp: xp.where(xp.abs(t) < 1, 1 - xp.abs(t), 0.0))


def keys(a: float) -> Kernel:
    """Return the Keys cubic with slope `a` at distance 1; `a = -1/2` is third-order exact.

    Reference: R. Keys, "Cubic convolution interpolation for digital image processing", 1981.

    Example:
        >>> keys(-0.5)(np.array([0.0, 0.5, 1.0, 1.5]))
        array([ 1.    ,  0.5625,  0.    , -0.0625])
    """

    def function(t: Array, xp: ModuleType) -> Array:
        d = xp.abs(t)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        return xp.where(d < 1, near, xp.where(d < 2, far, 0.0))

    return Kernel(f"keys(a={a})", 4, function)


def mitchell(b: float = 1 / 3, c: float = 1 / 3) -> Kernel:
    """Return the Mitchell-Netravali cubic; `B = C = 1/3` is the authors' compromise.

    Reference: D. Mitchell, A. Netravali, "Reconstruction filters in computer graphics", 1988.

    Example:
        >>> (mitchell()(np.array([0.0, 1.0])) * 18).round(12)
        array([16.,  1.])
    """

    def function(t: Array, xp: ModuleType) -> Array:
        d = xp.abs(t)
        near = ((12 - 9 * b - 6 * c) * d - (18 - 12 * b - 6 * c)) * d * d + (6 - 2 * b)
        far = ((-(b + 6 * c) * d + 6 * b + 30 * c) * d - (12 * b + 48 * c)) * d + 8 * b + 24 * c
        return xp.where(d < 1, near, xp.where(d < 2, far, 0.0)) / 6

    return Kernel(f"mitchell(b={b:.4g}, c={c:.4g})", 4, function)


def lanczos(n: int) -> Kernel:
    """Return the Lanczos kernel: `sinc(t) * sinc(t / n)` for `|t| < n`.

    Example:
        >>> lanczos(3)(np.array([0.0, 1.5])).round(4)
        array([ 1.    , -0.1351])
    """

    def function(t: Array, xp: ModuleType) -> Array:
        inside = (t != 0) & (xp.abs(t) < n)
        u = xp.where(inside, math.pi * t, 1.0)
        value = n * xp.sin(u) * xp.sin(u / n) / (u * u)
        return xp.where(inside, value, xp.where(t == 0, 1.0, 0.0))

    return Kernel(f"lanczos(n={n})", 2 * n, function)


KERNELS: dict[str, Kernel] = {
    "nearest": box(),
    "bilinear": triangle(),
    "bicubic": keys(-0.5),
    "mitchell": mitchell(),
    "lanczos3": lanczos(3),
    "lanczos5": lanczos(5),
}


_BY_NAME = KERNELS | {
    prefix + name: kernel
    for prefix in ("", "tri")
    for name, kernel in (("linear", KERNELS["bilinear"]), ("cubic", KERNELS["bicubic"]))
}
NAMES = tuple(_BY_NAME)


def get(interpolation: str) -> Kernel:
    """Return the kernel of an interpolation's name.

    Args:
        interpolation: one of `KERNELS`: "nearest", "bilinear", "bicubic" (`keys(a=-0.5)`),
            "mitchell" (`B = C = 1/3`), "lanczos3", "lanczos5"; or "linear" and "cubic", "trilinear"
            and "tricubic", which are the same kernels for other numbers of axes.

    Raises:
        ValueError: for any other name.

    Example:
        >>> get("bicubic").name
        'keys(a=-0.5)'
    """
    if not isinstance(interpolation, str) or interpolation.lower() not in NAMES:
        raise ValueError(
            f"`interpolation` must be one of {', '.join(KERNELS)}. "
            f"Received: interpolation={interpolation!r}."
        )
    return _BY_NAME[interpolation.lower()]
