"""What becomes of a mutant: the gate catches it, or it is looked at on inputs of another making.

The judge knows nothing of how the gate measures. Per output and run, a mutant is wrong where the unbroken export gives
what Keras gives and the mutant does not.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import onnx
import onnxruntime

from nnspec.backends.onnx.backend import OnnxModel
from nnspec.diagnostics import SpecError
from nnspec.verify import Gate
from tests.support.mutants.model import Mutation
from tests.support.mutants.wide_inputs import Arrays, Make, wide_inputs

SAME = 1e-5  # of an output's largest magnitude in a run: what rounding may do
NOISE = 1e-6  # below which an output is all noise
ROUNDING = 2.0**-20  # relative, of an input: what right programs may differ by before they have begun
ROUNDED = 3  # draws of it


class RememberingGate(Gate):
    """A gate that asks Keras once for each input: mutants of one model are all compared with the same."""

    def predicted(self, raw: Mapping[str, np.ndarray], *, is_carried: bool = False) -> dict[str, np.ndarray]:
        if any(getattr(layer, "stateful", False) for layer in self.model._flatten_layers()):
            return super().predicted(raw, is_carried=is_carried)
        known: dict[int, dict[str, np.ndarray]] = self.__dict__.setdefault("_known", {})
        parts = [self.model.get_weights(), [(name, array.shape, _bytes(array)) for name, array in raw.items()]]
        key = hash(tuple([array.tobytes() for array in parts[0]] + parts[1]))
        if key not in known:
            known[key] = super().predicted(raw)
        return known[key]


def _bytes(array: np.ndarray) -> Any:
    return tuple(array.reshape(-1).tolist()) if array.dtype.kind in "OU" else array.tobytes()


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        verdict: `caught`, `equivalent` (within rounding wherever it was looked at), `within tolerance` (further than
            rounding, but less than the gate is asked to find), `survivor`, or `crash` of the gate.
        detail: the code of the diagnostic, how far it differs, or the traceback.
    """

    mutation: Mutation
    verdict: str
    detail: str


@dataclass(frozen=True, eq=False)
class Trial:
    """An export and the gate that it passes.

    Attributes:
        name: of the case or spec.
        kind: the layer that it is a case of.
        make: how inputs of the case are made; None for ordinary ones.
        examples: words and ids by input that the model knows.
    """

    name: str
    kind: str
    exported: OnnxModel
    gate: Gate
    make: Make | None = None
    examples: dict[str, list[Any]] = field(default_factory=dict)

    def judge(self, mutation: Mutation) -> Outcome:
        try:
            mutant = mutation(self.exported.proto)
        except onnx.checker.ValidationError as error:  # a mistake that no file can hold
            return Outcome(mutation, "caught", str(error))
        try:
            self.gate.run(replace(self.exported, proto=mutant))
        except SpecError as error:
            return Outcome(mutation, "caught", error.diagnostics[0].code)
        except Exception:  # what the gate must never do
            return Outcome(mutation, "crash", traceback.format_exc())
        worst = self.worst_of(mutant)
        if worst <= SAME:
            return Outcome(mutation, "equivalent", f"{worst:.1e}")
        verdict = "within tolerance" if worst <= self.gate.tolerance else "survivor"
        return Outcome(mutation, verdict, f"{worst:.3g}")

    def worst_of(self, mutant: onnx.ModelProto) -> float:
        """How far a mutant is from Keras, at most, where the unbroken export is not."""
        session = _session(mutant)
        worst = 0.0
        for feed, wanted, trusted in self.runs:
            try:
                got = dict(zip(wanted, session.run(list(wanted), feed), strict=True))
            except Exception:
                return float("inf")
            for name, value in wanted.items():
                found = _distance(got[name], value, trusted[name], self.floors[name])
                if found > SAME and self.is_rounding(name, feed, got[name], value, trusted[name]):
                    found = 0.0
                worst = max(worst, found)
        return worst

    def is_rounding(self, name: str, feed: Arrays, got: np.ndarray, wanted: np.ndarray, trusted: np.ndarray) -> bool:
        """Whether the unbroken export itself moves as far when its inputs are rounded, where all but that cancels out.

        A shift in front of a normalization changes nothing of a constant row but its rounding. Only differences that
        are next to nothing of the output's usual magnitude are looked at so: a tie must not be taken for rounding.
        """
        apart = _apart(got, wanted, trusted)
        usual = self.floors[name] * 100
        if apart is None or float(np.max(apart, initial=0.0)) > self.gate.tolerance * usual:
            return False
        session = _session(self.exported.proto)
        moved = np.zeros(wanted.shape)
        for draw in range(ROUNDED):
            rng = np.random.default_rng(draw)
            rounded = {n: _rounded(feed[n], rng) for n in feed}
            (again,) = session.run([name], rounded)
            moved = np.maximum(moved, np.abs(again.astype(np.float64) - wanted))
        return bool(np.all(apart <= 4 * float(np.max(moved, initial=0.0))))

    @cached_property
    def floors(self) -> dict[str, float]:
        """By output, a hundredth of what it usually gives: a run of nothing but less is not judged by itself."""
        largest: dict[str, list[float]] = {}
        for _, wanted, _ in self.runs:
            for name, value in wanted.items():
                if value.dtype.kind not in "OU":
                    finite = np.abs(value[np.isfinite(value)].astype(np.float64))
                    largest.setdefault(name, []).append(float(np.max(finite, initial=0.0)))
                else:
                    largest[name] = [1.0]
        return {name: max(float(np.median(found)) / 100, NOISE) for name, found in largest.items()}

    @cached_property
    def runs(self) -> list[tuple[Arrays, Arrays, Arrays]]:
        """Feeds, what the unbroken export gives, and where that is to be trusted since Keras gives the same.

        States start anywhere; Keras cannot be asked from there, and the export's own values are trusted.
        """
        session = _session(self.exported.proto)
        opened = self.exported.open()
        names = [port.name for port in session.get_outputs()]
        found = []
        for raw in wide_inputs(self.gate.graph, self.make, self.gate.fixed_batch, self.examples):
            feed = self.gate.feed(opened, raw)
            try:
                made = dict(zip(names, session.run(names, feed), strict=True))
                by_keras = self.gate.deployment.from_network(self.gate.graph, self.gate.predicted(raw), raw)
            except Exception:  # what neither takes says nothing
                continue
            trusted = {n: _agrees(self.moved(n, made[n]), by_keras[n]) if n in by_keras else None for n in names}
            found.append((feed, made, {n: np.asarray(True) if t is None else t for n, t in trusted.items()}))
            if any(name not in raw for name in feed):
                rng = np.random.default_rng(len(found))
                moved = {n: a if n in raw else rng.normal(size=a.shape).astype(a.dtype) for n, a in feed.items()}
                given = dict(zip(names, session.run(names, moved), strict=True))
                found.append((moved, given, {n: np.isfinite(a) for n, a in given.items()}))
        return found

    def moved(self, name: str, array: np.ndarray) -> np.ndarray:
        """An output in the spec's order of axes."""
        output = self.gate.graph.outputs.get(name)
        if output is None or name not in self.gate.layout:
            return array
        axes = ["batch", *(axis.name for axis in output.value.axes)]
        return np.transpose(array, [self.gate.layout[name].index(axis) for axis in axes])


def _session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _agrees(made: np.ndarray, by_keras: np.ndarray) -> np.ndarray:
    """Whether the whole run is to be trusted, and where it is a number: of the output's shape or a single truth."""
    by_keras = np.asarray(by_keras)
    if made.shape != by_keras.shape:
        return np.asarray(False)
    if made.dtype.kind in "OU":
        return np.asarray(bool(np.all(made.astype(str) == by_keras.astype(str))))
    is_same = _distance(made, by_keras, np.asarray(True)) <= SAME / 10
    return np.asarray(is_same)


def _distance(got: np.ndarray, wanted: np.ndarray, trusted: np.ndarray, floor: float = NOISE) -> float:
    """The largest difference over the largest magnitude of the run; infinite where only one of two is a number."""
    if not trusted.any() or not wanted.size:
        return 0.0
    if got.shape != wanted.shape or got.dtype.kind != wanted.dtype.kind:
        return float("inf")
    if wanted.dtype.kind in "OU":
        return 0.0 if np.array_equal(got.astype(str), wanted.astype(str)) else float("inf")
    right = wanted.astype(np.float64)
    scale = max(float(np.max(np.abs(right), initial=0.0, where=np.isfinite(right))), floor)
    apart = _apart(got, wanted, trusted)
    return float(np.max(apart)) / scale if apart is not None else float("inf")


def _apart(got: np.ndarray, wanted: np.ndarray, trusted: np.ndarray) -> np.ndarray | None:
    """Each number's difference where it is to be trusted; None where there are no numbers to compare."""
    if got.shape != wanted.shape or {got.dtype.kind, wanted.dtype.kind} & {"O", "U"}:
        return None
    left, right = got.astype(np.float64), wanted.astype(np.float64)
    same = (left == right) | (np.isnan(left) & np.isnan(right)) | ~trusted
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(same, 0.0, np.abs(left - right))
    return np.where(np.isnan(apart), np.inf, apart)


def _rounded(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if values.dtype != np.float32:
        return values
    return values * (1 + ROUNDING * rng.uniform(-1, 1, values.shape)).astype(np.float32)
