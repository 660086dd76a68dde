"""What a fold did, upsampling by upsampling."""

from dataclasses import asdict, dataclass
from typing import Any

from polyphase.rewrite.cost import Cost


@dataclass(frozen=True)
class Finding:
    """One upsampling layer or transposed convolution.

    Attributes:
        layer: its name in the model; of a nested model, `model/layer`.
        folded: whether anything was gained.
        what: what happened, or the reason why nothing did.
    """

    layer: str
    folded: bool
    what: str


@dataclass(frozen=True)
class Report:
    """What `fold` did.

    Attributes:
        findings: one per upsampling layer and transposed convolution.
        difference: the largest difference of the outputs on random input, measured, relative to
            the largest output; None: no example was found on which the model runs.
        before: what one example costs the model; None if sizes are not known.
        after: what it costs the folded one.
        used: names of layers that cannot be copied. They themselves are in the new model, so that
            it shares their weights with the given one.
        imports: classes, with their modules, that must be imported to load the new model from a
            file, and given in `custom_objects` unless they are registered.
        unloadable: names of layers whose configurations do not say how to make them, neither Keras'
            nor ours, so that no file of the model can be loaded as it is.
    """

    findings: tuple[Finding, ...]
    difference: float | None
    before: Cost | None = None
    after: Cost | None = None
    used: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    unloadable: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        return asdict(self)

    def summary(self) -> str:
        """Return the costs and the measured difference, a line each."""
        lines = []
        if self.before and self.after:
            lines += [
                f"Multiply-adds: {self.before.multiply_adds:,} before, "
                f"{self.after.multiply_adds:,} after",
                f"Activations: {_size(self.before)} before, {_size(self.after)} after, one example",
            ]
        if self.used:
            lines.append(
                "Used as they are, with shared weights, because they cannot be copied: "
                f"{', '.join(self.used)}"
            )
        if self.unloadable:
            lines.append(
                "No file of it can be loaded as it is: `get_config` does not say how to make "
                f"{', '.join(self.unloadable)}"
            )
        elif self.imports:
            lines.append(f"To load it from a file, import first: {', '.join(self.imports)}")
        lines.append(
            "Not compared: no example was found on which the model runs"
            if self.difference is None
            else f"Largest difference on random input: {self.difference:.1e} of the output"
        )
        return "\n".join(lines)

    def __str__(self) -> str:
        lines = [f"{one.layer}: {one.what}" for one in self.findings]
        if not lines:
            lines = ["There is no upsampling in this model that `fold` reads: nothing to fold."]
        return "\n".join([*lines, self.summary()])


def _size(cost: Cost) -> str:
    large = cost.activation_bytes >= 2**20
    return f"{cost.activation_bytes / 2 ** (20 if large else 10):.1f} {'MiB' if large else 'KiB'}"
