"""One training step of two networks against each other; the backends share the mathematics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from polyphase.workbench.adversarial import losses

Tensor = Any
Score = Callable[[Tensor], Tensor]
Step = Callable[[Tensor, Tensor], tuple[Tensor, ...]]
Settle = Callable[[], None]


@dataclass(frozen=True, eq=False)
class Networks:
    """Everything that a training changes.

    Attributes:
        generator: makes images from latent vectors.
        discriminator: scores images.
        average: a generator whose weights are the exponential moving average.
        optimizers: the optimizers of generator and discriminator.
    """

    generator: keras.Model
    discriminator: keras.Model
    average: keras.Model
    optimizers: tuple[keras.Optimizer, keras.Optimizer]


@dataclass(frozen=True)
class Aims:
    """What both networks minimise.

    Attributes:
        loss: one of `losses.LOSSES`.
        gamma: weight of the penalties R1 and R2.
        decay: decay of the moving average, per step.
    """

    loss: str
    gamma: float
    decay: float


def stepper(networks: Networks, aims: Aims) -> tuple[Step, Settle]:
    """Return a function that does one step, and one that puts what was learnt into the networks.

    Returns:
        A function of real images and latents `(2, batch, latent)`. It trains the discriminator with
        the first latents, then the generator with the second. It returns three scalars: the loss
        of the discriminator without its penalties, the loss of the generator, and the penalties,
        unweighted. The other function has no arguments, and must be called before the networks are
        used.
    """
    return _STEPPERS[keras.backend.backend()](networks, aims)


def _judged(
    networks: Networks, aims: Aims, real: Tensor, latents: Tensor, scored: Any
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return what the discriminator minimises, and its parts: the loss and the penalties."""
    score = networks.discriminator
    on_real, to_real = scored(score, real)
    on_made, to_made = scored(score, networks.generator(latents, training=True))
    penalties = losses.penalty(to_real) + losses.penalty(to_made)
    loss = losses.of_discriminator(aims.loss, on_real, on_made)
    return loss + aims.gamma * penalties, (loss, penalties)


def _fooled(networks: Networks, aims: Aims, real: Tensor, latents: Tensor) -> Tensor:
    """Return what the generator minimises."""
    score = networks.discriminator
    made = networks.generator(latents, training=True)
    return losses.of_generator(aims.loss, score(real), score(made))


def _averaged(average: Sequence[Tensor], values: Sequence[Tensor], decay: float) -> list[Tensor]:
    return [decay * one + (1 - decay) * new for one, new in zip(average, values, strict=True)]


def _jax(networks: Networks, aims: Aims) -> tuple[Step, Settle]:
    import jax

    models = (networks.generator, networks.discriminator)
    variables = [model.trainable_variables for model in models]
    of_optimizers = [one.variables for one in networks.optimizers]
    average = networks.average.trainable_variables

    def scored(score: Score, x: Tensor) -> tuple[Tensor, Tensor]:
        def summed(x: Tensor) -> tuple[Tensor, Tensor]:
            scores = score(x)
            return ops.sum(scores), scores

        gradient, scores = jax.grad(summed, has_aux=True)(x)
        return scores, gradient

    def with_values(values: Sequence[Sequence[Tensor]], compute: Callable[[], Any]) -> Any:
        mapping = [
            pair
            for one, some in zip(variables, values, strict=True)
            for pair in zip(one, some, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping):
            return compute()

    @jax.jit
    def step(state: Any, real: Tensor, latents: tuple[Tensor, Tensor]) -> Any:
        (making, judging), (of_making, of_judging), mean = state

        def judged(judging: Any) -> Any:
            return with_values(
                (making, judging), lambda: _judged(networks, aims, real, latents[0], scored)
            )

        def fooled(making: Any) -> Any:
            return with_values((making, judging), lambda: _fooled(networks, aims, real, latents[1]))

        (_, parts), gradients = jax.value_and_grad(judged, has_aux=True)(judging)
        first, second = networks.optimizers
        judging, of_judging = second.stateless_apply(of_judging, gradients, judging)
        fooling, gradients = jax.value_and_grad(fooled)(making)
        making, of_making = first.stateless_apply(of_making, gradients, making)
        mean = _averaged(mean, making, aims.decay)
        return ((making, judging), (of_making, of_judging), mean), (parts[0], fooling, parts[1])

    groups = [*variables, *of_optimizers, average]
    values = [[one.value for one in group] for group in groups]
    state: Any = (tuple(values[:2]), tuple(values[2:4]), values[4])

    def stepped(real: Tensor, latents: Tensor) -> tuple[Tensor, ...]:
        nonlocal state
        state, found = step(state, _divided(real), (_divided(latents[0]), _divided(latents[1])))
        return tuple(found)

    def settle() -> None:
        weights, optimizers, mean = state
        for group, new in zip(groups, (*weights, *optimizers, mean), strict=True):
            for variable, value in zip(group, new, strict=True):
                variable.assign(ops.copy(value))  # Keras gives its own away when it predicts

    return stepped, settle


def _divided(batch: Tensor) -> Tensor:
    """Return a batch whose images lie on all devices, where there are several."""
    several = keras.distribution.distribution()
    if several is None:
        return batch
    layout = several.get_data_layout(batch.shape)
    return keras.distribution.distribute_tensor(ops.convert_to_tensor(batch), layout)


def _tensorflow(networks: Networks, aims: Aims) -> tuple[Step, Settle]:
    import tensorflow as tf

    def scored(score: Score, x: Tensor) -> tuple[Tensor, Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            scores = score(x)
        return scores, tape.gradient(scores, x)

    def apply(index: int, tape: Any, loss: Tensor) -> None:
        model = (networks.generator, networks.discriminator)[index]
        variables = model.trainable_variables
        gradients = tape.gradient(loss, [one.value for one in variables])
        networks.optimizers[index].apply(gradients, variables)

    @tf.function(jit_compile=False)
    def step(real: Tensor, latents: Tensor) -> tuple[Tensor, ...]:
        with tf.GradientTape() as tape:
            judged, (loss, penalties) = _judged(networks, aims, real, latents[0], scored)
        apply(1, tape, judged)
        with tf.GradientTape() as tape:
            fooled = _fooled(networks, aims, real, latents[1])
        apply(0, tape, fooled)
        _average(networks, aims)
        return loss, fooled, penalties

    def stepped(real: Tensor, latents: Tensor) -> tuple[Tensor, ...]:
        return tuple(step(tf.constant(real), tf.constant(latents)))

    return stepped, _settled


def _torch(networks: Networks, aims: Aims) -> tuple[Step, Settle]:
    import torch

    def scored(score: Score, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        scores = score(x)
        (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
        return scores, gradient

    def apply(index: int, loss: Tensor) -> None:
        model = (networks.generator, networks.discriminator)[index]
        variables = model.trainable_variables
        gradients = torch.autograd.grad(loss, [one.value for one in variables])
        with torch.no_grad():
            networks.optimizers[index].apply(list(gradients), variables)

    def stepped(real: Tensor, latents: Tensor) -> tuple[Tensor, ...]:
        real, latents = (ops.convert_to_tensor(one) for one in (real, latents))
        judged, (loss, penalties) = _judged(networks, aims, real, latents[0], scored)
        apply(1, judged)
        fooled = _fooled(networks, aims, real, latents[1])
        apply(0, fooled)
        with torch.no_grad():
            _average(networks, aims)
        return loss.detach(), fooled.detach(), penalties.detach()

    return stepped, _settled


def _settled() -> None:
    """Do nothing: the steps change the networks themselves."""


def _average(networks: Networks, aims: Aims) -> None:
    """Move the average towards the generator, in place."""
    average = networks.average.trainable_variables
    values = [one.value for one in networks.generator.trainable_variables]
    moved = _averaged([one.value for one in average], values, aims.decay)
    for variable, value in zip(average, moved, strict=True):
        variable.assign(value)


_STEPPERS = {"jax": _jax, "tensorflow": _tensorflow, "torch": _torch}
