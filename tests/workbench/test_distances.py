"""Distances of features, modes and nearest images, against loops, moments and hand."""

import itertools
import math

import numpy as np
import pytest

from polyphase.workbench.adversarial import distances
from polyphase.workbench.adversarial.distances import fid, kid, modes, nearest, precision_recall

TWO_SETS = (kid, fid, precision_recall)


@pytest.fixture
def small_blocks(monkeypatch):
    """Tables of pairs in blocks of 7 rows: the last one is smaller."""
    monkeypatch.setattr(distances, "_BLOCK", 7)


def draws(*counts, d=2, shift=0.0, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal((n, d)) + shift for n in counts]


def kernel(x, y):
    return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3


def test_kid_is_the_mean_over_pairs_of_different_samples(small_blocks):
    real, made = draws(9, 15, d=3)
    of_real, of_made = (
        np.mean([kernel(x, y) for x, y in itertools.permutations(part.tolist(), 2)])
        for part in (real, made)
    )
    between = np.mean([kernel(x, y) for x in real.tolist() for y in made.tolist()])
    assert kid(real, made) == pytest.approx(of_real + of_made - 2 * between, rel=1e-12)


def test_kid_of_one_distribution_is_zero_on_average_and_not_of_pairs_with_themselves():
    """The biased estimator counts each sample with itself, and is above 0 by far."""
    found, biased = [], []
    for seed in range(400):
        real, made = draws(20, 30, seed=seed)
        found.append(kid(real, made))
        table = (np.concatenate([real, made]) @ np.concatenate([real, made]).T / 2 + 1) ** 3
        biased.append(table[:20, :20].mean() + table[20:, 20:].mean() - 2 * table[:20, 20:].mean())
    error = np.std(found) / math.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    assert min(found) < 0
    assert np.mean(biased) > 10 * error


def test_kid_of_a_shift_is_the_value_of_the_moments():
    """In one dimension (xy + 1)^3 = sum of C(3, i) x^i y^i: squared differences of moments."""
    shift = 0.5
    moments = [1, 0, 1, 0]
    moved = [1, shift, 1 + shift**2, 3 * shift + shift**3]  # of N(shift, 1)
    expected = sum(
        math.comb(3, i) * (a - b) ** 2 for i, (a, b) in enumerate(zip(moments, moved, strict=True))
    )
    found = [
        kid(draws(40, d=1, seed=seed)[0], draws(50, d=1, shift=shift, seed=10_000 + seed)[0])
        for seed in range(600)
    ]
    error = np.std(found) / math.sqrt(len(found))
    assert error < 0.15 * expected
    assert abs(np.mean(found) - expected) < 3 * error


def exact(n, mean, covariance, seed=0):
    """Return samples whose own mean and covariance are these within rounding."""
    x = np.random.default_rng(seed).standard_normal((n, len(mean)))
    x -= x.mean(axis=0)
    values, vectors = np.linalg.eigh(x.T @ x / (n - 1))
    white = x @ vectors / np.sqrt(values)
    return white @ np.linalg.cholesky(covariance).T + mean


def rotated(variances, angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return turn @ np.diag(variances) @ turn.T


# trace (A B)^(1/2) of two 2x2 matrices: the square is trace(AB) + 2 sqrt(det(AB)).
A, B = rotated([4.0, 1.0], 0.3), rotated([0.5, 9.0], 1.4)
COMMON = math.sqrt(np.trace(A @ B) + 2 * math.sqrt(np.linalg.det(A @ B)))
EXPECTED = 1.5**2 + 0.5**2 + np.trace(A) + np.trace(B) - 2 * COMMON


def test_fid_of_given_means_and_covariances_is_the_closed_form():
    real, made = exact(50, [1.0, 0.0], A), exact(70, [2.5, -0.5], B, seed=1)
    assert fid(real, made) == pytest.approx(EXPECTED, rel=1e-12)
    assert fid(made, real) == pytest.approx(EXPECTED, rel=1e-12)


def test_fid_of_many_draws_is_near_that_of_their_gaussians():
    generator = np.random.default_rng(2)
    real = generator.multivariate_normal([1.0, 0.0], A, 20_000)
    made = generator.multivariate_normal([2.5, -0.5], B, 20_000)
    assert fid(real, made) == pytest.approx(EXPECTED, rel=0.03)


@pytest.mark.parametrize("count", [2, 5, 40, 200])
def test_fid_of_a_set_and_itself_is_zero_also_of_fewer_samples_than_features(count):
    (real,) = draws(count, d=64)
    assert fid(real, real) == pytest.approx(0, abs=1e-10)
    dead = np.pad(np.maximum(real, 0), ((0, 0), (0, 9)))  # features that never fire
    assert fid(dead, dead[::-1]) == pytest.approx(0, abs=1e-10)
    moved = fid(dead, dead + 0.5)
    assert moved == pytest.approx(0.25 * 73, rel=1e-9)


def test_fid_of_few_samples_is_that_of_the_roots_of_their_singular_covariances():
    real, made = draws(5, 7, d=12)
    made = 2 * made + 1

    def root(x):
        values, vectors = np.linalg.eigh(np.cov(x.T))
        return vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T

    middle = root(real) @ np.cov(made.T) @ root(real)
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(middle), 0)).sum()
    expected = ((real.mean(0) - made.mean(0)) ** 2).sum() - 2 * common
    expected += np.trace(np.cov(real.T)) + np.trace(np.cov(made.T))
    assert fid(real, made) == pytest.approx(expected, rel=1e-5)


def within(points, others, neighbours):
    """Return which points lie in the ball of any of the others, in loops."""
    found = []
    for point in points:
        inside = False
        for i, other in enumerate(others):
            reach = sorted(math.dist(other, o) for j, o in enumerate(others) if j != i)
            inside |= math.dist(point, other) <= reach[neighbours - 1]
        found.append(inside)
    return np.mean(found)


@pytest.mark.parametrize("neighbours", [1, 3])
def test_precision_and_recall_are_those_of_the_loops(small_blocks, neighbours):
    real, made = draws(40, 33, d=3)
    made = 0.7 * made + 1.2
    precision, recall = precision_recall(real, made, neighbours)
    assert precision == within(made.tolist(), real.tolist(), neighbours)
    assert recall == within(real.tolist(), made.tolist(), neighbours)
    assert 0.1 < recall < precision < 0.95


def test_made_images_far_outside_are_not_precise():
    real, made = draws(200, 200, d=2)
    made[::2] += 1000
    precision, recall = precision_recall(real, np.concatenate([real[:100], made[::2]]))
    assert precision == 0.5
    assert recall > 0.5


def test_a_cluster_that_is_never_made_is_not_recalled():
    near, far = draws(60, 40, d=2)
    real = np.concatenate([near, far + 1000])
    assert precision_recall(real, near) == (1.0, 0.6)
    assert precision_recall(near, real) == (0.6, 1.0)


def test_a_real_image_that_is_there_four_times_is_recalled_by_its_copies():
    """The third neighbour is at distance 0, and so is the ball's surface."""
    real = np.repeat([[0.1, 0.7], [0.3, 0.9]], 4, axis=0)
    assert precision_recall(real, real) == (1.0, 1.0)
    assert precision_recall(real, real + 1e-6) == (0.0, 0.0)


def test_modes_and_the_reverse_divergence_by_hand():
    number, divergence = modes(np.array([0.5, 0.25, 0.25]), np.array([0, 0, 0, 1]))
    assert number == 2
    assert divergence == pytest.approx(0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(1))
    uniform = np.full(1000, 1e-3)
    assert modes(uniform, np.arange(1000)) == (1000, pytest.approx(0, abs=1e-12))
    assert modes(uniform, np.full(50, 407)) == (1, pytest.approx(math.log(1000)))


def test_a_class_that_the_reference_never_has_is_infinitely_far_and_no_mode():
    assert modes(np.array([0.5, 0.5, 0.0]), np.array([0, 2, 2])) == (1, math.inf)
    assert modes(np.array([0.5, 0.5, 0.0]), np.array([0, 1])) == (2, 0.0)


def test_the_divergence_of_draws_from_the_reference_is_that_of_few_samples():
    generator, reference = np.random.default_rng(0), np.array([0.1, 0.2, 0.3, 0.4])
    found = [modes(reference, generator.choice(4, 200, p=reference))[1] for _ in range(300)]
    assert np.mean(found) == pytest.approx(3 / (2 * 200), rel=0.15)


def test_the_nearest_training_image_is_that_of_the_loop():
    generator = np.random.default_rng(0)
    train, made = (generator.random((n, 4, 5, 3)).astype("float32") for n in (30, 8))
    expected = [
        min(range(30), key=lambda i: sum((train[i].ravel().astype(float) - one.ravel()) ** 2))
        for one in made
    ]
    assert nearest(made, train).tolist() == expected
    assert nearest(train, train).tolist() == list(range(30))


@pytest.mark.parametrize("measure", TWO_SETS)
@pytest.mark.parametrize(
    "shapes", [((9, 2), (9, 3)), ((9,), (9,)), ((9, 2), (1, 2)), ((9, 0),) * 2]
)
def test_features_of_other_shapes_are_refused(measure, shapes):
    with pytest.raises(ValueError, match=r"must be features \(n, d\).*Received: \(9"):
        measure(*map(np.zeros, shapes))


def test_as_many_samples_as_neighbours_are_refused():
    with pytest.raises(ValueError, match="n at least 4"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))


@pytest.mark.parametrize(
    ("reference", "made"),
    [
        ([0.5, 0.6], [0]),
        ([1.5, -0.5], [0]),
        ([[0.5, 0.5]], [0]),
        ([0.5, 0.5], [2]),
        ([0.5, 0.5], [-1]),
        ([0.5, 0.5], [0.0]),
        ([0.5, 0.5], []),
        ([0.5, np.nan], [0]),
    ],
)
def test_what_is_no_distribution_or_no_class_is_refused(reference, made):
    with pytest.raises(ValueError, match=r"must be probabilities .* Divide counts"):
        modes(np.array(reference), np.array(made))


@pytest.mark.parametrize(
    "shapes", [((2, 4, 4, 1), (2, 4, 5, 1)), ((2, 16), (2, 16)), ((0, 4, 4, 1),) * 2]
)
def test_images_of_other_shapes_have_no_nearest(shapes):
    with pytest.raises(ValueError, match="must be images .* Resize one of them"):
        nearest(*map(np.zeros, shapes))
