"""Where the samples of one axis lie in the image that they are computed from, exactly.

A convolution's result lies at the centre of its window. Even kernels and crops at one end move it.
If an encoder moves it and the decoder does not move it back, the image is shifted.
"""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Grid:
    """The positions of an axis' samples: sample `j` is centred at `offset + step * j`.

    Attributes:
        offset: the position of sample 0, in pixels of the first image, whose pixel 0 is at 0.
        step: the distance from one sample to the next, in the same pixels.

    Example:
        >>> code = Grid().windowed(2, stride=2)   # pooling of 2 samples
        >>> code.offset, code.step
        (Fraction(1, 2), Fraction(2, 1))
        >>> code.upsampled(2) == Grid() and code.transposed(2, 2) == Grid()
        True
    """

    offset: Fraction = Fraction(0)
    step: Fraction = Fraction(1)

    def windowed(
        self, kernel_size: int, stride: int = 1, before: int = 0, dilation: int = 1
    ) -> "Grid":
        """Return where the results of a convolution or a pooling lie.

        Args:
            kernel_size: taps of the window, at least 1.
            stride: samples from window to window, at least 1.
            before: number of samples padded before the first.
            dilation: samples from tap to tap, at least 1.
        """
        centre = Fraction((kernel_size - 1) * dilation, 2) - before
        return Grid(self.offset + self.step * centre, self.step * stride)

    def transposed(
        self, kernel_size: int, stride: int, before: int = 0, dilation: int = 1
    ) -> "Grid":
        """Return where the results of a transposed convolution lie: the adjoint of `windowed`.

        Args:
            kernel_size: taps, at least 1.
            stride: samples of the result from window to window, at least 1.
            before: number of samples cropped before the first of the result.
            dilation: samples from tap to tap, at least 1.
        """
        step = self.step / stride
        centre = Fraction((kernel_size - 1) * dilation, 2) - before
        return Grid(self.offset - step * centre, step)

    def upsampled(self, size: int | Fraction) -> "Grid":
        """Return where the results of any interpolation with half-pixel centres lie.

        Args:
            size: samples after upsampling / samples before it, positive.
        """
        step = self.step / size
        return Grid(self.offset + (step - self.step) / 2, step)

    def cropped(self, before: int) -> "Grid":
        """Return where the remaining samples lie when the first ones are cropped.

        Args:
            before: how many are cropped; a negative number is padded instead.
        """
        return Grid(self.offset + self.step * before, self.step)
