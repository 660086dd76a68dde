"""Which way of computing each upsampling is the fastest, in the runtime that will run it."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir

from polyphase.rewrite.onnx import files
from polyphase.rewrite.onnx.build import RESIZE, WOVEN, WRITERS
from polyphase.rewrite.onnx.walk import Fold, Ways, folded, upsamplings
from polyphase.rewrite.runtimes import Arrays, Runtime
from polyphase.timing import Times, rounds, summary, surely_less

WAYS = (RESIZE, *WRITERS)
_PAIRS = 2


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to compute a model.

    Attributes:
        fold: what happened to its upsamplings.
        ways: how each is computed.
        path: of its file.
    """

    fold: Fold
    ways: Ways
    path: Path


class Search:
    """Tries ways to compute a model, whole models in turns.

    Attributes:
        original: the model as it came.
        trial: what happened when all that can be absorbed was.
    """

    def __init__(
        self,
        path: Path,
        prepared: ir.Model,
        runtime: Runtime,
        arrays: Arrays,
        folder: Path,
        seconds: float,
        watch: Callable[[str], object],
    ) -> None:
        self.original = Candidate(Fold({}, []), {}, path)
        self._prepared, self._runtime, self._arrays = prepared, runtime, arrays
        self._folder, self._seconds, self._watch = folder, seconds, watch
        self.trial = Fold({}, [])
        self._known: dict[Hashable, Candidate] = {_looks(prepared): self.original}

    def fastest(self) -> Candidate:
        """Return the fastest that was found: all upsamplings in one way, then each by itself.

        The model as it came is one of them, and is left only for what is faster beyond doubt.
        """
        every = range(len(upsamplings(self._prepared)))
        self.trial = folded(self._prepared.clone(), dict.fromkeys(every, WOVEN))
        uniform = [self._candidate(dict.fromkeys(every, way)) for way in WAYS]
        best = self._best(self.original, uniform, "all upsamplings alike")
        groups = self.trial.groups
        for number, group in enumerate(groups if len(groups) > 1 else (), 1):
            rest = {one: way for one, way in best.ways.items() if one not in group}
            ways = [rest, *(rest | dict.fromkeys(group, way) for way in WAYS)]
            others = [self._candidate(one) for one in ways]
            best = self._best(best, others, f"upsampling {number} of {len(groups)}")
        return best

    def compared(self, best: Candidate) -> tuple[Candidate, dict[str, Times]]:
        """Return the better of the model as it came and another, and the times of both."""
        better, before, after = self._beats(best, self.original)
        kept = best if best is not self.original and better else self.original
        return kept, {"before": before, "after": after}

    def _best(self, best: Candidate, others: Iterable[Candidate], what: str) -> Candidate:
        contenders = list(dict.fromkeys([best, *others]))
        if len(contenders) == 1:
            return best
        self._watch(f"Timing {what}")
        medians = [np.median(one) for one in self._samples(contenders)]
        first = contenders[int(np.argmin(medians))]
        return first if first is not best and self._beats(first, best)[0] else best

    def _beats(self, new: Candidate, old: Candidate) -> tuple[bool, Times, Times]:
        """Return whether a model is faster than another, and the times of the old and of it.

        Two sessions of one file differ too, by where their memory lies: one is faster only if it
        is in each of several pairs of new ones.
        """
        pairs = [self._samples([old, new]) for _ in range(_PAIRS)]
        every = ([one for samples in each for one in samples] for each in zip(*pairs, strict=True))
        before, after = map(summary, every)
        return all(surely_less(after, before) for before, after in pairs), before, after

    def _samples(self, contenders: Sequence[Candidate]) -> list[list[float]]:
        """Return milliseconds, round by round, of sessions that are made for this."""
        arrays, sessions = self._arrays, [self._runtime.load(one.path) for one in contenders]
        runs = {str(n): lambda run=run: run(arrays) for n, run in enumerate(sessions)}
        return list(rounds(runs, self._seconds).values())

    def _candidate(self, ways: Ways) -> Candidate:
        """Return the model computed so; the known one, if that is the same."""
        model = self._prepared.clone()
        fold = folded(model, ways)
        looks = _looks(model)
        if looks not in self._known:
            path = self._folder / f"{len(self._known)}.onnx"
            files.save(model, path)
            self._known[looks] = Candidate(fold, ways, path)
        return self._known[looks]


def _looks(model: ir.Model) -> Hashable:
    """Return what two models have in common if they compute in the same way."""
    return tuple(
        (
            node.op_type,
            tuple(
                tuple(value.shape or ())
                for value in node.inputs
                if value is not None and value.is_initializer()
            ),
        )
        for node in model.graph
    )
