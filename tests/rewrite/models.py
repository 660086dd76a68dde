"""Models with upsampling in the ways that people build them; small, random weights."""

import keras
from keras import layers
from keras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GroupNormalization,
    Input,
    LayerNormalization,
    LeakyReLU,
    Reshape,
    Resizing,
    SeparableConv2D,
    UpSampling2D,
    ZeroPadding2D,
)

from polyphase import models as references


def generator():
    x = inputs = Input((6,))
    x = Reshape((3, 4, 8))(Dense(3 * 4 * 8)(x))
    for filters in (6, 5):
        x = Conv2D(filters, 3, padding="same")(UpSampling2D()(x))
        x = LeakyReLU(0.2)(BatchNormalization()(x))
    return keras.Model(inputs, Conv2D(3, 5, padding="same", activation="tanh")(x))


def normalised_first():
    """Batch normalisation and activation between upsampling and convolution."""
    x = inputs = Input((4, 5, 3))
    x = UpSampling2D((2, 3))(x)
    x = LeakyReLU(0.1)(BatchNormalization()(x))
    return keras.Model(inputs, Conv2D(4, 3, padding="same")(x))


def residual_unet():
    x = inputs = Input((4, 6, 4))
    for filters in (4, 3):
        up = UpSampling2D()(x)
        way = Conv2D(filters, 3, padding="same", activation="relu")(up)
        x = Add()([Conv2D(filters, 3, padding="same")(way), Conv2D(filters, 1)(up)])
    return keras.Model(inputs, x)


def diffusion_unet():
    x = inputs = Input((4, 6, 4))
    skip = Input((8, 12, 3))
    x = Concatenate()([UpSampling2D(interpolation="bilinear")(x), skip])
    x = BatchNormalization()(x)
    return keras.Model([inputs, skip], Conv2D(4, 3, padding="same", activation="silu")(x))


def unet():
    """Nearest, concatenated with a skip of full size, then convolved."""
    x, skip = Input((4, 6, 4)), Input((8, 12, 3))
    joined = Concatenate()([skip, UpSampling2D()(x)])
    wide = Conv2D(4, 3, padding="same", activation="relu")(joined)
    narrow = Conv2D(3, 1)(joined)
    return keras.Model([x, skip], Concatenate(name="both")([wide, narrow, joined]))


def pyramid():
    high, low = Input((4, 6, 5), name="high"), Input((8, 12, 3), name="low")
    top = Conv2D(4, 1)(high)
    added = Add()([UpSampling2D()(top), Conv2D(4, 1)(low)])
    return keras.Model({"high": high, "low": low}, [top, Conv2D(4, 3, padding="same")(added)])


def segmentation_head():
    x, low = Input((3, 4, 6)), Input((12, 16, 2))
    up = UpSampling2D(4, interpolation="bilinear")
    y = Concatenate()([up(Conv2D(4, 1)(x)), Conv2D(2, 1)(low)])
    y = Conv2D(5, 3, padding="same", activation="relu")(y)
    y = UpSampling2D(2, interpolation="bilinear")(y)
    return keras.Model([x, low], Conv2D(3, 1, name="classes")(y))


def twice_upsampled():
    x = inputs = Input((3, 4, 2))
    x = Activation("relu")(UpSampling2D(3)(UpSampling2D((2, 1))(x)))
    return keras.Model(inputs, Conv2D(2, 4)(x))


def equal_branches():
    a, b = Input((4, 5, 3)), Input((4, 5, 3))
    up = UpSampling2D(2, interpolation="bilinear")
    added = Add()([up(a), up(b)])
    joined = Concatenate()([added, UpSampling2D(2, interpolation="bilinear")(a)])
    return keras.Model([a, b], Conv2D(2, 3, padding="same")(joined))


def shared_convolution():
    """One convolution for an upsampled and for a plain tensor: it can have one form only."""
    a, b = Input((4, 4, 3)), Input((8, 8, 3))
    shared = Conv2D(3, 3, padding="same")
    return keras.Model([a, b], Add()([shared(UpSampling2D()(a)), shared(b)]))


def shared_everywhere():
    a, b = Input((4, 4, 3)), Input((4, 4, 3))
    up, shared = UpSampling2D(), Conv2D(3, 3, padding="same")
    return keras.Model([a, b], Add()([shared(up(a)), shared(up(b))]))


def nested():
    inner = keras.Sequential(
        [Input((4, 4, 3)), UpSampling2D(), Conv2D(2, 3, padding="same")], name="inner"
    )
    inputs = Input((4, 4, 3))
    return keras.Model(inputs, Conv2D(1, 1)(UpSampling2D()(inner(inputs))))


def regularised():
    return keras.Sequential(
        [
            Input((5, 4, 3)),
            UpSampling2D(),
            Conv2D(4, 3, padding="same", kernel_regularizer="l2", kernel_constraint="max_norm"),
            UpSampling2D(),
            Conv2D(2, 3, padding="same", trainable=False, use_bias=False, dilation_rate=2),
        ]
    )


def groups_and_even_kernels():
    return keras.Sequential(
        [
            Input((5, 4, 4)),
            UpSampling2D((1, 2)),
            Conv2D(4, (2, 4), padding="same", groups=2),
            UpSampling2D(3),
            Conv2D(2, 2),
        ]
    )


def transposed():
    return keras.Sequential(
        [
            Input((5, 4, 3)),
            Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(2, 5, strides=3, output_padding=1),
        ]
    )


def padded():
    """Zeros before the convolution: as many as "same" puts, more, unequal, and with "same"."""
    x = inputs = Input((4, 5, 3))
    up = UpSampling2D()
    a = Conv2D(2, 3, activation="tanh")(ZeroPadding2D(1)(up(x)))
    b = Conv2D(2, 5)(ZeroPadding2D(((1, 4), (0, 3)))(up(x)))
    c = Conv2D(2, (2, 4), padding="same")(ZeroPadding2D(((2, 1), (3, 0)))(UpSampling2D((1, 3))(x)))
    return keras.Model(inputs, [a, b, c])


def cropped():
    """Cut after upsampling, by whole small pixels and by parts of them."""
    x = inputs = Input((5, 6, 3))
    up = UpSampling2D((2, 3))
    a = Conv2D(2, 3)(Cropping2D(((1, 3), (4, 0)))(up(x)))
    b = Conv2D(2, 3, padding="same")(Cropping2D(((2, 4), (3, 0)))(up(x)))
    c = Conv2D(2, 3, padding="same")(Cropping2D(((1, 0), (0, 2)))(up(x)))
    d = Conv2D(2, 3)(Cropping2D(((3, 0), (0, 1)))(ZeroPadding2D(((1, 0), (2, 3)))(up(x))))
    e = Conv2D(2, 3)(ZeroPadding2D(1)(Cropping2D(((1, 0), (0, 0)))(up(x))))
    return keras.Model(inputs, [a, b, c, d, e])


def depthwise_and_separable():
    x = inputs = Input((4, 5, 3))
    x = DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu")(
        UpSampling2D((2, 3))(x)
    )
    x = SeparableConv2D(4, (4, 3), depth_multiplier=2, activation="tanh")(UpSampling2D()(x))
    x = DepthwiseConv2D(2, padding="same", use_bias=False)(
        UpSampling2D(interpolation="bilinear")(x)
    )
    return keras.Model(inputs, x)


def resized():
    x = inputs = Input((4, 6, 3))
    x = Conv2D(3, 3, padding="same")(Resizing(8, 18, interpolation="nearest")(x))
    x = Conv2D(2, 1)(Resizing(16, 36)(x))
    return keras.Model(inputs, Conv2D(2, 3)(Resizing(20, 40)(x)))


def other_normalisations():
    x = inputs = Input((4, 5, 4))
    x = GroupNormalization(2)(UpSampling2D((2, 3))(x))
    x = Conv2D(4, 3, padding="same")(Activation("silu")(x))
    x = LayerNormalization()(UpSampling2D()(x))
    return keras.Model(inputs, Conv2D(2, 3, padding="same")(x))


def joined_1x1():
    """A concatenation with a bilinear image, an activation, and a 1x1 convolution of both."""
    x, skip = Input((4, 6, 4)), Input((8, 12, 3))
    joined = Concatenate()([UpSampling2D(interpolation="bilinear")(x), skip])
    narrow = Conv2D(3, 1, activation="relu")(joined)
    nearest = LeakyReLU(0.1)(Concatenate()([skip, UpSampling2D()(x), UpSampling2D()(x)]))
    return keras.Model([x, skip], Concatenate()([narrow, Conv2D(2, 3, padding="same")(nearest)]))


def layers_in_between():
    """What must not move: dropout, pooling, a strided convolution, one that is a class."""
    x = inputs = Input((4, 4, 3))
    a = Conv2D(2, 3)(Dropout(0.0)(UpSampling2D()(x)))
    b = Conv2D(2, 3)(layers.AveragePooling2D(3, 1)(UpSampling2D()(x)))
    c = Conv2D(2, 3, strides=2)(UpSampling2D()(x))
    d = Conv2D(2, 3)(Softened()(UpSampling2D()(x)))
    return keras.Model(inputs, {"a": a, "b": b, "c": c, "d": d})


@keras.saving.register_keras_serializable(package="tests")
class Softened(layers.Layer):
    """A layer that nobody knows: every pixel less its neighbour."""

    def call(self, x):
        return x - keras.ops.roll(x, 1, axis=2)

    def compute_output_shape(self, shape):
        return shape


def generator_to_deploy():
    """Convolutions with batch normalisation behind, to merge at inference."""
    x = inputs = Input((3, 4, 5))
    x = LeakyReLU()(BatchNormalization()(Conv2D(6, 3, padding="same", use_bias=False)(x)))
    x = LeakyReLU()(BatchNormalization()(Conv2D(4, 3, padding="same")(UpSampling2D()(x))))
    x = BatchNormalization(scale=False)(Conv2DTranspose(3, 4, strides=2, padding="same")(x))
    x = BatchNormalization(center=False)(DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = BatchNormalization()(SeparableConv2D(3, 3, padding="same")(x))
    return keras.Model(inputs, x)


def half_precision():
    policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    x = inputs = Input((4, 4, 3))
    x = Conv2D(4, 3, padding="same", dtype=policy)(UpSampling2D(dtype=policy)(x))
    return keras.Model(inputs, Conv2D(2, 1, dtype="float32")(UpSampling2D(dtype=policy)(x)))


def nothing_to_fold():
    return keras.Sequential([Input((6, 6, 3)), Conv2D(4, 3), layers.MaxPooling2D(), Conv2D(2, 1)])


MODELS = {
    function.__name__: function
    for function in (
        generator,
        normalised_first,
        residual_unet,
        diffusion_unet,
        unet,
        pyramid,
        segmentation_head,
        twice_upsampled,
        equal_branches,
        shared_convolution,
        shared_everywhere,
        nested,
        regularised,
        groups_and_even_kernels,
        transposed,
        padded,
        cropped,
        depthwise_and_separable,
        resized,
        other_normalisations,
        joined_1x1,
        layers_in_between,
        generator_to_deploy,
        half_precision,
        nothing_to_fold,
        references.upsampling_generator,
        references.transposed_generator,
        references.upsampling_autoencoder,
        references.transposed_autoencoder,
    )
}
