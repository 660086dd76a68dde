"""What folding an ONNX model did, and what it gained."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from polyphase.rewrite.report import Finding
from polyphase.timing import Times


@dataclass(frozen=True)
class OnnxReport:
    """What `fold_onnx` did.

    Attributes:
        findings: one per node that upsamples.
        difference: the largest difference of outputs on random inputs, relative to the largest
            output.
        own: the same difference between two runs of the given model, one with the runtime's
            defaults and one exactly as it is written: the effect of rounding alone.
        before: milliseconds of the given model.
        after: milliseconds of the returned model.
        runtime: the runtime that was timed.
        precision: the precision in which it computes by default; "" for the file's own.
        shapes: shapes of the inputs that were timed, by name.
        changed: whether the returned model is another one than the given.
        unknown: operators that ONNX does not define, which were left as they are.
    """

    findings: tuple[Finding, ...]
    difference: float
    own: float
    before: Times
    after: Times
    runtime: str
    precision: str
    shapes: Mapping[str, tuple[int, ...]]
    changed: bool
    unknown: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold."""
        return asdict(self)

    def summary(self) -> str:
        """Return times, differences and what was left alone, a line each."""
        sizes = ", ".join(f"{name} {_shape(shape)}" for name, shape in self.shapes.items())
        computes = f" ({self.precision})" if self.precision else ""
        where = f"{self.runtime}{computes}, {sizes}"
        lines = []
        if self.changed:
            gain = self.before.median / self.after.median
            lines.append(
                f"{self.before.median:.3g} ms before, {self.after.median:.3g} ms after, "
                f"{gain:.2f} times as fast, in {where}"
            )
        else:
            lines.append(f"{self.before.median:.3g} ms in {where}")
        if self.unknown:
            lines.append(
                f"Operators that ONNX does not define were left alone: {_some(self.unknown)}"
            )
        lines.append(
            f"Largest difference on random input: {self.difference:.1e} of the largest output"
        )
        if self.own > self.difference / 2 > 0 and self.own > 1e-4:
            lines.append(
                f"The given model itself differs by {self.own:.1e} when its sums have another order"
            )
        if not self.changed:
            lines.append(f"Nothing gained: {self._why()}; the model is as it was.")
        return "\n".join(lines)

    def _why(self) -> str:
        if not self.findings:
            return "nothing in it upsamples"
        return "nothing that was tried was faster beyond doubt"

    def __str__(self) -> str:
        return "\n".join([*(f"{one.layer}: {one.what}" for one in self.findings), self.summary()])


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
