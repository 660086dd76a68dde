"""What is known of code that is nobody's graph: whose it is, and whether its results are larger."""

from typing import Any

Shape = tuple[int | None, ...]
_RUN_WHAT_IS_GIVEN = frozenset(
    {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
    | {"AssociativeScan", "Cond", "ForiLoop", "Map", "Scan", "Switch", "VectorizedMap"}
    | {"WhileLoop", "CustomGradient"}
)


def runs_code(operation: Any) -> bool:
    """Return whether it computes by code that is neither Keras' nor ours."""
    origin = type(operation).call.__module__.split(".")[0]
    return origin not in ("keras", "polyphase") or type(operation).__name__ in _RUN_WHAT_IS_GIVEN


def longer(inputs: list[Shape], output: Shape, layout: str) -> bool | None:
    """Return whether an axis of an image is longer than in every input; None: not known."""
    alike = [shape for shape in inputs if len(shape) == len(output)]
    if not alike or len(output) < 3:
        return False
    verdicts: list[bool | None] = []
    for axis in spatial(len(output), layout):
        before = [shape[axis] for shape in alike]
        unknown = output[axis] is None or None in before
        verdicts.append(None if unknown else output[axis] > max(before))  # type: ignore[type-var, operator]
    return True if True in verdicts else None if None in verdicts else False


def spatial(rank: int, layout: str) -> range:
    """Return the axes of an image of this rank that are not its channels."""
    return range(1, rank - 1) if layout == "channels_last" else range(2, rank)
