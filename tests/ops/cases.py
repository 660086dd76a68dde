"""Cases to run an operation on, and the comparison with an oracle."""

import keras
import numpy as np

from tests.gradients import vjp

SIZES = [(1, 1), (1, 5), (3, 4), (5, 7)]
FACTORS = [1, 2, 3, 4, (1, 3), (2, 3), (4, 2)]
INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "mitchell", "lanczos3", "lanczos5"]
FORMATS = ["channels_last", "channels_first"]
DTYPES = ["float32", "float64", "float16", "bfloat16"]

# Allowed error, relative to the sum of the absolute values of all terms.
TOLERANCE = {"float32": 2e-6, "float64": 1e-13, "float16": 2e-3, "bfloat16": 1.6e-2}


def noise(seed, *shape):
    """Return seeded values without any symmetry."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def sample(count, seed, **options):
    """Return `count` cases that meet every value of every option about equally often.

    Each option is dealt like a shuffled deck, again and again: pairs meet at random. A fifth of
    the count on JAX, which compiles every case (and then every value still occurs), and more
    on PyTorch, which compiles none.
    """
    share = {"jax": 1 / 5, "tensorflow": 1, "torch": 2}[keras.backend.backend()]
    count = max(int(count * share), *(len(values) for values in options.values()))
    generator = np.random.default_rng(seed)
    decks = {}
    for name, values in options.items():
        rounds = -(-count // len(values))
        order = np.concatenate([generator.permutation(len(values)) for _ in range(rounds)])
        decks[name] = [values[i] for i in order[:count]]
    return [dict(zip(decks, hand, strict=True)) for hand in zip(*decks.values(), strict=True)]


def each(value, rank):
    """Return one value per axis; of longer tuples the first ones."""
    return value[:rank] if isinstance(value, tuple) else (value,) * rank


def pair(value):
    return each(value, 2)


def ranks(count, seed, **options):
    """Return cases of signals and volumes: sides and every option's value per axis.

    Options whose values are numbers or tuples of three are cut to the rank.
    """
    drawn = sample(count, seed, side=[(5, 3, 2), (1, 3, 2), (2, 4, 3)], rank=[1, 3], **options)
    for case in drawn:
        rank = case.pop("rank")
        yield {k: v[:rank] if isinstance(v, tuple) else v for k, v in case.items()}


def to_format(x, data_format):
    """Return a channels-last array in a data format."""
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


def from_format(x, data_format):
    return x if data_format == "channels_last" else np.moveaxis(x, 1, -1)


def rounded(x, dtype):
    """Return float64 values that the dtype represents, so that only the operation rounds."""
    if dtype == "bfloat16":
        bits = x.astype(np.float32).view(np.uint32)
        return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)
    return x.astype(dtype).astype(np.float64)


def check(function, oracle, arrays, data_format, dtype, label):
    """Compare output and gradients of an operation with its oracle's.

    Args:
        function: takes tensors (the first in `data_format`), returns a tensor.
        oracle: `oracle(*arrays, g=None)` returns `(y, *gradients)`, channels last.
        arrays: float64 NumPy, channels last.
        data_format: of the first array and the output.
        dtype: what the operation computes in.
        label: the case, for the message.
    """
    arrays = [rounded(a, dtype) for a in arrays]
    g = rounded(noise(99, *oracle(*arrays)[0].shape), dtype)
    expected = oracle(*arrays, g=g)
    scales = oracle(*(np.abs(a) for a in arrays), g=np.abs(g))
    inputs = [to_format(arrays[0], data_format), *arrays[1:]]
    y, (dx, *rest), actual_dtype = vjp(function, inputs, to_format(g, data_format), dtype)
    assert actual_dtype == dtype, f"{label}: dtype {actual_dtype}"
    actual = [from_format(y, data_format), from_format(dx, data_format), *rest]
    names = ["output", "gradient of x", "gradient of the kernel", "gradient of the bias"]
    for name, a, e, scale in zip(names, actual, expected, scales, strict=False):
        assert a.shape == e.shape, f"{label}: {name} has shape {a.shape}, expected {e.shape}"
        error = np.max(np.abs(a - e)) / max(np.abs(scale).max(), 1e-30)
        assert error <= TOLERANCE[dtype], (
            f"{label}: {name} is {error:.2g} off, relative to its terms; "
            f"allowed {TOLERANCE[dtype]:.2g}, worst at "
            f"{np.unravel_index(np.abs(a - e).argmax(), a.shape)}"
        )
