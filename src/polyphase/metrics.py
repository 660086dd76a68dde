"""Metrics of errors that depend on a pixel's position in a period: their bias and variance."""

from typing import Any

import keras
from keras import ops

from polyphase.ops import arguments, axes, layout


class _PerPhase(keras.Metric):
    """Counts, sums and squares of the residual, for every phase and channel."""

    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name or self._called, dtype=dtype)
        self.size = arguments.of_any_rank(size, "size")
        self.data_format = arguments.data_format(data_format)
        self._sums: tuple[Any, ...] = ()

    _called = ""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add images, signals or volumes and what was made of them.

        Args:
            y_true: `(batch, *space, channels)`, or channels first.
            y_pred: of the same shape.
            sample_weight: not used; None.

        Raises:
            ValueError: for weights, other ranks, or unequal shapes.
        """
        if sample_weight is not None:
            raise ValueError(f"{type(self).__name__} takes no sample weights. Leave them out.")
        y_true, y_pred = (arguments.tensor(y, type(self).__name__) for y in (y_true, y_pred))
        if tuple(y_true.shape[1:]) != tuple(y_pred.shape[1:]):
            raise ValueError(
                f"{type(self).__name__} compares images of the same shape. Received: "
                f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        residual = ops.cast(y_pred, self.dtype) - ops.cast(y_true, self.dtype)
        residual = layout.to_last(residual, self.data_format)
        size = arguments.integers(self.size, "size", len(residual.shape) - 2)
        if not self._sums:
            self._make((*size, residual.shape[-1]))
        added = (ops.ones_like(residual), residual, ops.square(residual))
        for total, values in zip(self._sums, added, strict=True):
            total.assign(total + ops.sum(axes.phase_sums(values, size, 1), axis=0))

    def _make(self, shape: tuple[int, ...]) -> None:
        self._sums = tuple(
            self.add_variable(shape, "zeros", name=name, dtype=self.dtype)
            for name in ("count", "sum", "squares")
        )

    def _moments(self) -> tuple[Any, Any]:
        """Return the mean and the variance of the residual, of every phase and channel."""
        count, total, squares = self._sums
        mean = total / count
        return mean, ops.maximum(squares / count - ops.square(mean), 0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


def _spread(values: Any) -> Any:
    """Return the standard deviation over the phases, root mean square over the channels."""
    phases = tuple(range(len(values.shape) - 1))
    deviations = values - ops.mean(values, axis=phases, keepdims=True)
    return ops.sqrt(ops.mean(ops.square(deviations)))


@keras.saving.register_keras_serializable(package="polyphase")
class PeriodicBias(_PerPhase):
    """How much the mean error depends on a pixel's position in the period: a fixed checkerboard.

    A period has `s_h * s_w` positions, the phases. The error `e = y_pred - y_true` is averaged over
    all images for each of them; the metric is the standard deviation of these means (root mean
    square over the channels). 0: they do not differ.

    It sees only what remains when all images are averaged. A pattern whose sign changes from image
    to image or within one is missed, and so is one of another period. An error that is no pattern
    but always has the same position in the period, such as a last column that is always wrong, is
    counted. `polyphase compare` measures the power at the harmonics of the period instead.

    Args:
        size: the period in pixels, an int or one per axis: the stride of the last upsampling layer,
            or the product of the strides of several.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        name: name of the metric.
        dtype: dtype of the computation; default: float32.

    Call with images `(batch, height, width, channels)` of any number of pixels, or with signals or
    volumes; the value has their unit.

    Reference: "In images" in docs/checkerboards.md.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((1, 4, 4, 1), "float32")
        >>> board = np.indices((4, 4)).sum(axis=0).reshape(image.shape) % 2
        >>> metric = PeriodicBias(2)
        >>> float(metric(image, 0.1 * board)).__round__(3)
        0.05
    """

    _called = "periodic_bias"

    def result(self) -> Any:
        """Return the bias of all images so far; 0 before the first."""
        return _spread(self._moments()[0]) if self._sums else ops.zeros((), self.dtype)


@keras.saving.register_keras_serializable(package="polyphase")
class PeriodicVariance(_PerPhase):
    """How much the variance of the error depends on a pixel's position in the period.

    A period has `s_h * s_w` positions, the phases. The variance of the error `y_pred - y_true` is
    computed for each of them; the metric is the standard deviation of these variances (root mean
    square over the channels). 0: they do not differ.

    It sees positions whose pixels are less certain than others. A checkerboard whose sign changes
    has the same variance at every position and is missed, as is every pattern that is equally
    strong everywhere.

    Args:
        size: the period in pixels, an int or one per axis: the stride of the last upsampling layer,
            or the product of the strides of several.
        data_format: "channels_last" or "channels_first"; default: Keras' configuration.
        name: name of the metric.
        dtype: dtype of the computation; default: float32.

    Call with images `(batch, height, width, channels)` of any number of pixels, or with signals or
    volumes; the value has their unit, squared.

    Reference: "In images" in docs/checkerboards.md.

    Example:
        >>> import numpy as np
        >>> image = np.zeros((1, 4, 4, 1), "float32")
        >>> noisy = image.copy()
        >>> noisy[:, ::2, ::2] = [[[1], [-1]], [[-1], [1]]]
        >>> metric = PeriodicVariance(2)
        >>> float(metric(image, noisy)).__round__(3)
        0.433
    """

    _called = "periodic_variance"

    def result(self) -> Any:
        """Return the spread of variances of all images so far; 0 before the first."""
        return _spread(self._moments()[1]) if self._sums else ops.zeros((), self.dtype)
