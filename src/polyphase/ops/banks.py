"""One axis of a filter bank on an image: which zeros it reaches for, how many positions it has."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyphase.algebra.phases import Phase, conv_transpose_phases, upsample_conv_phases
from polyphase.ops import axes
from polyphase.ops.plans import Convolution, Transposed

Tensor = Any


@dataclass(frozen=True, eq=False)
class Bank:
    """`y[s*i + p] = sum_t K_p[t] x[i + first_p + t]` along one axis, `s*N + extra` samples long.

    Attributes:
        axis: of the image.
        phases: one per output phase.
        extra: output length less `s * N`.
    """

    axis: int
    phases: tuple[Phase, ...]
    extra: int

    @property
    def factor(self) -> int:
        """The number of phases `s`."""
        return len(self.phases)

    @property
    def first(self) -> int:
        """Offset of the first tap of any phase."""
        return min(phase.first for phase in self.phases if phase.taps)

    @property
    def taps(self) -> int:
        """How many pixels all phases together look at."""
        return max(phase.first + phase.taps for phase in self.phases if phase.taps) - self.first

    @property
    def reach(self) -> int:
        """How many pixels more than its positions a padded image has, for all phases."""
        return self.first - self.start + self.taps - 1

    @property
    def fold(self) -> np.ndarray:
        """`(s * taps, k)`: the kernels of all phases, aligned at `first`, are `fold @ w`."""
        matrix = np.zeros((self.factor, self.taps, self.phases[0].fold.shape[1]))
        for p, phase in enumerate(self.phases):
            start = phase.first - self.first if phase.taps else 0
            matrix[p, start : start + phase.taps] = phase.fold
        return matrix.reshape(self.factor * self.taps, -1)

    def positions(self, x: Tensor) -> Any:
        """Return how many positions `i` the output needs."""
        return axes.length(x, self.axis) + self._more

    @property
    def _more(self) -> int:
        return -(-self.extra // self.factor)

    def pad(self, x: Tensor) -> Tensor:
        """Return the image with the zeros that the phases reach for; starts at pixel `start`."""
        return axes.pad(x, self.axis, *self.pads)

    @property
    def pads(self) -> tuple[int, int]:
        """The zeros before and behind the image that the phases reach for."""
        return -self.start, max(0, self.first + self.taps - 1 + self._more)

    @property
    def start(self) -> int:
        """The pixel that a padded image starts at, 0 or less."""
        return min(0, self.first)

    def crop(self, x: Tensor, woven: Tensor) -> Tensor:
        """Cut the woven phases of image `x` to the output's length."""
        size = axes.length(x, self.axis) * self.factor + self.extra
        return axes.window(woven, self.axis, 0, size)


def upsample_conv_banks(kernel: Tensor, plan: Convolution, factors: tuple[int, int]) -> list[Bank]:
    """Return the vertical and the horizontal bank of nearest upsampling and convolution."""
    return [
        Bank(
            axis, upsample_conv_phases(k, factor, pads[0], dilation), sum(pads) - (k - 1) * dilation
        )
        for axis, k, factor, pads, dilation in zip(
            plan.axes, kernel.shape, factors, plan.pads, plan.dilation, strict=False
        )
    ]


def conv_transpose_banks(kernel: Tensor, plan: Transposed) -> list[Bank]:
    """Return the vertical and the horizontal bank of a transposed convolution."""
    return [
        Bank(axis, conv_transpose_phases(k, stride, crop, dilation), extra)
        for axis, k, stride, crop, dilation, extra in zip(
            plan.axes, kernel.shape, plan.strides, plan.crop, plan.dilation, plan.extra,
            strict=False,
        )
    ]  # fmt: skip
