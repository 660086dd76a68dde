"""
Title: Choosing how to upsample
Author: The Polyphase developers
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Compare `UpSampling2D`, `Conv2DTranspose` and sub-pixel convolution fairly.
Accelerator: None
"""

"""
## Introduction

Decoders make large images of small ones: the second half of an autoencoder or a
U-Net, the generator of a GAN. Keras offers several ways to do it:

- `UpSampling2D` followed by `Conv2D`: repeat or interpolate, then learn;
- `Conv2DTranspose`: both in one layer;
- `Conv2D` into more channels, which a reshape sorts into space: sub-pixel convolution.

Which one should you use? This example shows

1. that the first is a special case of the second, by computing its kernel;
2. which of them make *checkerboards*, before and after training, and how to measure it;
3. how to compare them so that the answer means something: one encoder, one budget of
   weights, several seeds, paired differences.

It takes about four minutes on two CPU cores. The images are scikit-learn's digits of
8x8 pixels.
"""

"""
## Setup
"""

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

images = load_digits().images.astype("float32")[..., None] / 16
train, validation = images[:1400], images[1400:]
print(train.shape, validation.shape)

"""
## Three ways to double an image

Each is a function that returns a layer or a small model: `filters` channels out, both
sides doubled. The sub-pixel convolution computes `4 * filters` channels on the small
image; the reshape and the transposition put the four values of each pixel side by
side.
"""


class SubPixel(layers.Layer):
    """A convolution into channels that become space."""

    def __init__(self, filters, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.convolution = layers.Conv2D(4 * filters, 3, padding="same")
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        self.convolution.build(shape)

    def call(self, x):
        x = self.convolution(x)
        height, width = x.shape[1:3]
        x = ops.reshape(x, (-1, height, width, 2, 2, self.filters))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return self.activation(
            ops.reshape(x, (-1, 2 * height, 2 * width, self.filters))
        )


def nearest(filters, activation):
    return keras.Sequential(
        [
            layers.UpSampling2D(),
            layers.Conv2D(filters, 3, padding="same", activation=activation),
        ]
    )


def transposed_3(filters, activation):
    return layers.Conv2DTranspose(
        filters, 3, strides=2, padding="same", activation=activation
    )


def transposed_4(filters, activation):
    return layers.Conv2DTranspose(
        filters, 4, strides=2, padding="same", activation=activation
    )


def sub_pixel(filters, activation):
    return SubPixel(filters, activation)


WAYS = {
    "nearest + conv 3x3": nearest,
    "transposed 3x3": transposed_3,
    "transposed 4x4": transposed_4,
    "sub-pixel 3x3": sub_pixel,
}

"""
## One is a special case of the other

Nearest upsampling repeats every pixel. A convolution behind it therefore meets the
same value several times, and its weights can be added up beforehand. For a factor of
2 and a kernel `w` of 3x3 the sums are a kernel `W` of 4x4, and the two layers
together are exactly one `Conv2DTranspose`.
"""


def transposed_kernel(w):
    """Return the 4x4 kernel that does the same as upsampling and a 3x3 kernel."""
    rows = np.pad(w[::-1, ::-1], ((1, 1), (1, 1), (0, 0), (0, 0)))
    summed = rows[:-1, :-1] + rows[1:, :-1] + rows[:-1, 1:] + rows[1:, 1:]
    return np.swapaxes(summed, 2, 3)


x = np.random.default_rng(0).normal(size=(1, 5, 6, 2)).astype("float32")
two = nearest(3, None)
expected = ops.convert_to_numpy(two(x))
w, bias = two.get_weights()

one = transposed_4(3, None)
one.build(x.shape)
one.set_weights([transposed_kernel(w), bias])
print("greatest difference:", np.abs(ops.convert_to_numpy(one(x)) - expected).max())

"""
So a transposed convolution of 4x4 *can* do all that upsampling with a 3x3 convolution
can, and more: it has 16 weights where the other has 9. What it has to learn, the
other has by construction.

## Checkerboards

Every output pixel of a layer that doubles an image is of one of four kinds, by
whether its row and its column are even or odd. Send a constant through the layer: if
the four kinds come out differently, the layer draws a pattern on flat areas, a
checkerboard. Its strength is the spread of the four values, divided by their mean.
"""


def checkerboard(layer, channels):
    """Return the spread of the four kinds of pixels, relative to their mean."""
    constant = np.ones((1, 8, 8, channels), "float32")
    out = ops.convert_to_numpy(layer(constant))[0, 4:12, 4:12]  # away from the border
    kinds = np.stack(
        [out[row::2, column::2].mean((0, 1)) for row in (0, 1) for column in (0, 1)]
    )
    return np.sqrt((kinds.std(0) ** 2).mean() / (kinds.mean(0) ** 2).mean())


keras.utils.set_random_seed(0)
for name, way in WAYS.items():
    layer = way(16, None)
    layer.build((None, 8, 8, 16))
    print(f"{name:20} untrained: {checkerboard(layer, 16):.2f}")

"""
Upsampling and a convolution have none, whatever the weights: all four kinds use all
of the kernel. The others start with a strong one. For kernels of 3x3 it is in the
geometry, too: 2 does not divide 3, so that pixels get one, two or four weights.
Training has to remove it.

## A fair comparison

An autoencoder squeezes a digit into 2x2 pixels of 8 channels and restores it by two
doublings. Only the doublings differ. Wider kernels have more weights, so that the
numbers of channels are chosen to give all decoders about as many.
"""


def autoencoder(way, width):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 1, activation="relu"),
            way(width, "relu"),
            way(width, "relu"),
            layers.Conv2D(1, 1, activation="sigmoid"),
        ]
    )


def parameters(way, width):
    return autoencoder(way, width).count_params()


budget = parameters(nearest, 24)
widths = {
    name: min(range(4, 40), key=lambda width: abs(parameters(way, width) - budget))
    for name, way in WAYS.items()
}
for name, width in widths.items():
    print(f"{name:20} {width} channels, {parameters(WAYS[name], width):,} weights")

"""
The same seeds for all: seed 0 of one decoder meets the data in the same order as seed
0 of another. Five are few; they are enough to see how much a result moves by itself.
"""

SEEDS = range(5)
EPOCHS = 12

losses, patterns = {}, {}
for name, way in WAYS.items():
    losses[name], patterns[name] = [], []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        model = autoencoder(way, widths[name])
        model.compile(keras.optimizers.Adam(3e-3), "mse")
        model.fit(train, train, batch_size=50, epochs=EPOCHS, verbose=0)
        losses[name].append(model.evaluate(validation, validation, verbose=0))
        patterns[name].append(checkerboard(model.layers[-2], widths[name]))

"""
## What came out

First the means, then what matters more: the differences to the best, *seed by seed*,
with a confidence interval. If it holds zero, five seeds do not tell the two apart.
"""

best = min(losses, key=lambda name: np.mean(losses[name]))
QUANTILE = 2.776  # of Student's t with four degrees of freedom, 95%

for name in WAYS:
    found = 1000 * np.array(losses[name])
    line = f"{name:20} loss {found.mean():.2f}e-3"
    line += f", checkerboard {np.mean(patterns[name]):.2f}"
    if name != best:
        behind = found - 1000 * np.array(losses[best])
        half = QUANTILE * behind.std(ddof=1) / np.sqrt(len(behind))
        line += f", behind by {behind.mean():.2f} ({behind.mean() - half:.2f} to "
        line += f"{behind.mean() + half:.2f})"
    print(line)

plt.figure(figsize=(7, 3))
for place, name in enumerate(WAYS):
    plt.plot(1000 * np.array(losses[name]), [place] * len(SEEDS), "o", alpha=0.6)
plt.yticks(range(len(WAYS)), list(WAYS))
plt.xlabel("validation loss of each seed, thousandths")
plt.tight_layout()
plt.show()

"""
Look at how far the seeds of *one* decoder lie apart, and compare it with how far the
decoders do: a single training of each would have named a winner, and another pair of
seeds perhaps another one. (Intervals that hold for *all* pairs at once are wider
still.)

## Conclusions

- Upsampling and a convolution is a transposed convolution whose weights are tied so
  that it cannot make a checkerboard. It is a good first choice.
- Kernels with weights of their own for every kind of pixel can do more, and start with a
  pattern that training has to remove.
- Which is better depends on the data and on the budget, often by less than two
  trainings of the same network differ. Measure with several seeds, and pair them.

[Polyphase](https://pypi.org/project/polyphase) does all of this for whole models: it
compares decoders, computes upsampling and convolution as the one layer that they are,
finds the checkerboards of a trained model and takes them out.
"""
