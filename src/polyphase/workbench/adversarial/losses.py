"""The losses of a discriminator and a generator, from scores of real and generated images."""

from typing import Any

from keras import ops

Tensor = Any

LOSSES = ("relativistic", "non-saturating")


def of_discriminator(loss: str, real: Tensor, made: Tensor) -> Tensor:
    """Return what a discriminator minimises.

    "relativistic": `mean softplus(made - real)`, pair by pair: a real image should score higher
    than a generated one. "non-saturating": `mean softplus(-real) + mean softplus(made)`.

    Args:
        loss: one of `LOSSES`.
        real: scores `(batch, 1)` of real images.
        made: scores `(batch, 1)` of generated images.

    Reference: Huang et al., "The GAN is dead; long live the GAN! A modern GAN baseline", 2024,
    arXiv 2501.05441, and Jolicoeur-Martineau, 2019; Goodfellow et al., 2014.

    Example:
        >>> import numpy as np
        >>> float(of_discriminator("relativistic", np.zeros((2, 1)), np.zeros((2, 1)))).__round__(4)
        0.6931
    """
    if loss == "relativistic":
        return ops.mean(ops.softplus(made - real))
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(made))


def of_generator(loss: str, real: Tensor, made: Tensor) -> Tensor:
    """Return what a generator minimises: `mean softplus(real - made)`, or `mean softplus(-made)`.

    See `of_discriminator`.

    Example:
        >>> import numpy as np
        >>> float(of_generator("non-saturating", np.ones((2, 1)), np.zeros((2, 1)))).__round__(4)
        0.6931
    """
    if loss == "relativistic":
        return ops.mean(ops.softplus(real - made))
    return ops.mean(ops.softplus(-made))


def penalty(gradient: Tensor) -> Tensor:
    """Return half the mean squared length of scores' gradients, `(batch, ...)`.

    It is called R1 for real images and R2 for generated ones: Mescheder et al., "Which training
    methods for GANs do actually converge?", 2018.

    Example:
        >>> import numpy as np
        >>> float(penalty(np.full((2, 3, 3, 1), 2.0)))
        18.0
    """
    count = ops.shape(gradient)[0]
    lengths = ops.sum(ops.reshape(ops.square(gradient), (count, -1)), axis=1)
    return ops.mean(lengths) / 2
