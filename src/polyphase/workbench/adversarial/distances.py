"""How near generated images are to real ones: distances of features, modes, neighbours."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances_argmin

_BLOCK = 1000  # rows of a table of all pairs that are in memory: 80 MB of 10,000 columns


def kid(real: np.ndarray, made: np.ndarray) -> float:
    """Return the kernel distance: an unbiased estimate of the squared MMD.

    With the kernel `k(x, y) = (x.y / d + 1)^3`, it is the mean over all pairs of two different real
    images, plus the mean over all pairs of two different generated images, minus twice the mean
    over all pairs of a real and a generated image.

    Args:
        real: features of real images, `(n, d)`, n at least 2.
        made: features of generated images, `(m, d)`, m at least 2.

    Returns:
        For samples of one distribution about 0, as often negative as positive.

    Raises:
        ValueError: for other shapes.

    Reference: Binkowski et al., "Demystifying MMD GANs", 2018, arXiv 1801.01401. There the mean is
    taken over subsets, here over all samples at once.

    Example:
        >>> kid(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]))
        297.5
    """
    real, made = _features(real, made, least=2)
    n, m = len(real), len(made)
    of_real = (_kernels(real, real) - _kernel_with_itself(real)) / (n * (n - 1))
    of_made = (_kernels(made, made) - _kernel_with_itself(made)) / (m * (m - 1))
    return of_real + of_made - 2 * _kernels(real, made) / (n * m)


def fid(real: np.ndarray, made: np.ndarray) -> float:
    """Return the Fréchet distance of two Gaussians with the features' means and covariances.

    `|difference of means|^2 + trace(A) + trace(B) - 2 trace((A B)^(1/2))`. With triangular roots,
    `A = Q^T Q` and `B = R^T R`, the last trace is the sum of the singular values of `Q R^T`. This
    also holds for a singular covariance, as there is with fewer samples than features.

    The distance is biased: two samples of one distribution have a positive distance, which is
    larger the fewer samples there are. Compare only distances of equally many samples.

    Args:
        real: features of real images, `(n, d)`, n at least 2.
        made: features of generated images, `(m, d)`, m at least 2.

    Raises:
        ValueError: for other shapes.

    Reference: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash
    equilibrium", 2017, arXiv 1706.08500, with Inception's features.

    Example:
        >>> real = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
        >>> round(fid(real, real + 3), 9), round(fid(real, real), 9)
        (18.0, 0.0)
    """
    real, made = _features(real, made, least=2)
    shift = real.mean(axis=0) - made.mean(axis=0)
    q, r = _root(real), _root(made)
    common = np.linalg.svd(q @ r.T, compute_uv=False).sum()
    return max(0.0, float(shift @ shift + (q**2).sum() + (r**2).sum() - 2 * common))


def precision_recall(
    real: np.ndarray, made: np.ndarray, neighbours: int = 3
) -> tuple[float, float]:
    """Return how many generated images look real, and how many real ones could be generated.

    Around each sample there is a ball that reaches to its third nearest neighbour of the same kind.
    Precision is the share of generated samples that lie in the ball of a real one. Recall is the
    share of real samples that lie in the ball of a generated one. A ball includes its surface.

    Args:
        real: features of real images, `(n, d)`, n more than `neighbours`.
        made: features of generated images, `(m, d)`, m more than `neighbours`.
        neighbours: the number of the neighbour to which the balls reach, at least 1.

    Returns:
        Precision and recall, in 0..1.

    Raises:
        ValueError: for other shapes.

    Reference: Kynkäänniemi et al., "Improved precision and recall metric for assessing generative
    models", 2019, arXiv 1904.06991.

    Example:
        >>> real = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> made = np.array([[0.5], [1.5], [50.0], [70.0]])
        >>> precision_recall(real, made, neighbours=1)
        (0.5, 0.75)
    """
    real, made = _features(real, made, least=neighbours + 1)
    of_real, of_made = _radii(real, neighbours), _radii(made, neighbours)
    precise, recalled = 0, np.zeros(len(real), bool)
    for rows in _blocks(made):
        distances = cdist(made[rows], real)
        precise += int((distances <= of_real).any(axis=1).sum())
        recalled |= (distances <= of_made[rows, None]).any(axis=0)
    return precise / len(made), float(recalled.mean())


def modes(reference: np.ndarray, made: np.ndarray) -> tuple[int, float]:
    """Return how many classes of the reference are generated, and the reverse divergence.

    The divergence is `KL(made || reference) = sum p log(p / q)` over the classes that are
    generated, where p is a class's share of the generated images and q its probability. It is
    infinite if a class is generated that the reference never has; such a class is not counted. For
    m images drawn from the reference itself it is about `(classes - 1) / 2m` nats, if m is much
    more than the number of classes.

    Args:
        reference: probabilities `(classes,)` with the sum 1: for stacked digits 1/1000 each; for
            other images the shares that the classifier finds in the real images.
        made: classes of the generated images `(m,)`, indices into `reference`.

    Returns:
        The number of classes, and nats.

    Raises:
        ValueError: for other shapes, or a reference that is not a distribution.

    Reference: Metz et al., "Unrolled generative adversarial networks", 2016, arXiv 1611.02163.

    Example:
        >>> number, divergence = modes(np.full(4, 0.25), np.array([0, 1, 0, 1]))
        >>> number, round(divergence, 6)
        (2, 0.693147)
    """
    reference, made = np.asarray(reference, np.float64), np.asarray(made)
    distribution = (
        reference.ndim == 1 and bool((reference >= 0).all()) and np.isclose(reference.sum(), 1)
    )
    indices = made.ndim == 1 and made.size > 0 and made.dtype.kind in "iu"
    if not (distribution and indices and 0 <= made.min() <= made.max() < len(reference)):
        raise ValueError(
            "`reference` must be probabilities (classes,) whose sum is 1, and `made` must be at "
            f"least one index (m,) into them. Received: shapes {reference.shape} of sum "
            f"{reference.sum():g} and {made.shape} of {made.dtype}. Divide counts by their sum."
        )
    counts = np.bincount(made, minlength=len(reference))
    shares, probabilities = (x[counts > 0] for x in (counts / len(made), reference))
    if not probabilities.all():
        return int(np.count_nonzero(probabilities)), np.inf
    return len(shares), float((shares * np.log(shares / probabilities)).sum())


def nearest(made: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return which training image is nearest to each generated one, pixel by pixel.

    Args:
        made: generated images, `(m, height, width, channels)`.
        train: training images, `(n, height, width, channels)`.

    Returns:
        Indices into `train`, `(m,)`, by Euclidean distance. If several images are equally near
        within rounding, one of them.

    Raises:
        ValueError: for other shapes.

    Example:
        >>> train = np.array([0.0, 0.5, 1.0]).reshape(3, 1, 1, 1)
        >>> nearest(np.array([0.8, 0.1]).reshape(2, 1, 1, 1), train).tolist()
        [2, 0]
    """
    if made.ndim != 4 or made.shape[1:] != train.shape[1:] or not (len(made) and len(train)):
        raise ValueError(
            "Both must be images (n, height, width, channels) of one size, at least one. "
            f"Received: {made.shape} and {train.shape}. Resize one of them."
        )
    flat = (images.reshape(len(images), -1) for images in (made, train))
    return np.asarray(pairwise_distances_argmin(*flat))


def _features(real: np.ndarray, made: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both in float64, checked."""
    real, made = np.asarray(real, np.float64), np.asarray(made, np.float64)
    one_width = real.ndim == made.ndim == 2 and real.shape[1] == made.shape[1] > 0
    if not one_width or min(len(real), len(made)) < least:
        raise ValueError(
            f"Both must be features (n, d) with the same d and n at least {least}. Received: "
            f"{real.shape} and {made.shape}. Compute them from more images, with one classifier."
        )
    return real, made


def _blocks(rows: np.ndarray) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, len(rows), _BLOCK))


def _kernels(x: np.ndarray, y: np.ndarray) -> float:
    """Return the sum of the kernel over all pairs."""
    return sum(float(((x[rows] @ y.T / x.shape[1] + 1) ** 3).sum()) for rows in _blocks(x))


def _kernel_with_itself(x: np.ndarray) -> float:
    return float((((x**2).mean(axis=1) + 1) ** 3).sum())


def _root(x: np.ndarray) -> np.ndarray:
    """Return R, triangular, of which `R^T R` is the covariance."""
    return np.asarray(np.linalg.qr((x - x.mean(axis=0)) / np.sqrt(len(x) - 1), mode="r"))


def _radii(x: np.ndarray, neighbours: int) -> np.ndarray:
    """Return the distance of each to its so-many-th nearest other; the nearest of all is itself."""
    return np.concatenate(
        # `take` copies, so that no block outlives its turn.
        [
            np.partition(cdist(x[rows], x), neighbours).take(neighbours, axis=1)
            for rows in _blocks(x)
        ]
    )
