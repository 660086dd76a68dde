"""The shape of the JSON in a run folder, so that damage is found and named early."""

from typing import Any

NUMBER = (int, float)
EPOCH = {"epoch": int, "loss": NUMBER, "validation_loss": NUMBER, "seconds": NUMBER}
FINAL = {
    "parameters": int,
    "multiply_adds": int,
    "validation_loss": NUMBER,
    "psnr": NUMBER,
    "ssim": NUMBER,
    "inference_seconds": NUMBER,
}
# What runs of before lack, and what is null where it is not known.
LATER = {"multiply_adds_computed": int, "offset": [NUMBER], "decoder_seconds": NUMBER}
CHECKERBOARD = {"chi": NUMBER, "periodic_bias": NUMBER, "periodic_variance": NUMBER}
PATTERN = {"amplitude": NUMBER, "low": NUMBER, "high": NUMBER, "ratio": NUMBER}
STAGE = {
    "layer": str,
    "period": [int],
    "chi": NUMBER,
    "untrained": (*NUMBER, type(None)),
    "errors": PATTERN,
    "originals": PATTERN,
}
IMITATION = {
    "fid": NUMBER,
    "precision": NUMBER,
    "recall": NUMBER,
    "modes": int,
    "reverse_kl": NUMBER,
    "spectral_distance": NUMBER,
    "nearness": NUMBER,
}
GAN = dict.fromkeys(("discriminator", "penalty", "spread"), NUMBER)
WHO = {"kind": str, "decoder": str, "seed": int}
LINES: dict[str, dict[str, Any]] = {
    "epoch": WHO | EPOCH,
    "search": WHO | {"learning_rate": NUMBER, "validation_loss": NUMBER},
    "final": WHO | FINAL,
    "baseline": {"kind": str, "decoder": str, "seed": type(None)}
    | {"validation_loss": NUMBER, "psnr": NUMBER, "ssim": NUMBER},
}
CONFIG = {
    "command": str,
    "experiment": str,
    "data": {"name": str, "source": str, "sha256": str, "floor": NUMBER},
    "decoders": [str],
    "seeds": [int],
    "epochs": {str: int},
    "batch_size": {str: int},
    "backend": str,
    "versions": {str: str},
    "started": str,
}
OPTIONAL = {
    "margin": (*NUMBER, type(None)),
    "workers": (str, type(None)),
    "task": (str, type(None)),
    "noise": (*NUMBER, type(None)),
    "scale": (int, type(None)),
    "penalty": (*NUMBER, type(None)),
    "discriminator": (str, type(None)),
    "layers": (str, type(None)),
    "classifier": (dict, type(None)),
}
RESUMED = CONFIG | {
    "widths": {str: [int]},
    "match": (str, type(None)),
    "search": (str, type(None)),
    "encoder": (str, type(None)),
    "width": (int, type(None)),
    "minutes": (*NUMBER, type(None)),
}


def misfit(value: Any, shape: Any, name: str) -> str:
    """Return where and how a value differs from a shape; an empty text if it does not.

    Args:
        value: what JSON gave.
        shape: a type or a tuple of types; `[shape]` for a list that is not empty; `{key: shape}`
            for an object with at least these keys; `{str: shape}` for one with any keys.
        name: of the value, for the answer.

    Example:
        >>> misfit({"seeds": [0, "1"]}, {"seeds": [int]}, "config")
        "config.seeds[1] is '1'"
        >>> misfit({}, {"seeds": [int]}, "config")
        'config.seeds is missing'
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{name} is {value!r:.40}"
        wanted = dict.fromkeys(value, shape[str]) if str in shape else shape
        missing = [f"{name}.{key} is missing" for key in wanted if key not in value]
        inner = ((value[key], wanted[key], f"{name}.{key}") for key in wanted if key in value)
        return next(iter(missing), "") or _first(inner)
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return f"{name} is {value!r:.40}"
        return _first((one, shape[0], f"{name}[{i}]") for i, one in enumerate(value))
    fits = isinstance(value, shape) and not isinstance(value, bool)
    return "" if fits else f"{name} is {value!r:.40}"


def _first(parts: Any) -> str:
    return next(filter(None, (misfit(*part) for part in parts)), "")
