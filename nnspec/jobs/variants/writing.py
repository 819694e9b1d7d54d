"""Smaller forms of a deployed model: converted, scored on held-out rows, and written where they lose little."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from nnspec.backends.base import Convertible, ExportedModel, Session
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Diagnostic, Fix, Span, SpecError
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.diagnostics.lists import enumerated
from nnspec.ir.variants import FORMS
from nnspec.jobs.variants.costly_layers import find_costly_layers
from nnspec.jobs.variants.scores import Scorer, Scores
from nnspec.jobs.variants.speed import FASTER
from nnspec.pipeline import Checked
from nnspec.progress import Progress

CALIBRATION_ROWS = 512
ACCURACY_LOSS, ERROR_LOSS = 0.005, 0.01
SMALLER = 0.99  # of the size of float32; casts and scales may weigh more than what kernels save


class VariantResult(TypedDict, total=False):
    """What `verify.json` says of a variant.

    Attributes:
        file: its name; None where the variant is refused.
        size_ratio: its bytes by those of the float32 file.
        is_smaller: whether that is a gain.
        speed: how often it runs at batch 1 while the float32 file runs once.
        is_faster: whether that is more than noise.
        form: `int8` may be stored in two ways, which `nnspec.ir.variants` tells apart.
        reason: why it could not be made, of one that has no other metrics.
        layers: those that cost most, of a refused one.
    """

    file: str | None
    file_size: int
    size_ratio: float
    is_smaller: bool
    speed: float
    is_faster: bool
    form: str
    reason: str
    max_relative_difference: dict[str, float]
    metrics: Scores
    float32_metrics: Scores
    losses: list[str]
    operators: Mapping[str, int]
    layers: list[str]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What a variant loses in an output's metric.

    Attributes:
        share: of accuracy how much less it is; of an error by what share it rises.
    """

    output: str
    metric: str
    before: float
    after: float
    share: float
    allowed: float

    @property
    def is_too_much(self) -> bool:
        return not self.share <= self.allowed + 1e-9  # what is not a number is

    def __str__(self) -> str:
        return f"{self.metric} of `{self.output}` goes from {self.before:.4g} to {self.after:.4g}"


def write_variants(
    checked: Checked,
    exported: ExportedModel,
    deployment: Deployment,
    dataset: Dataset | None,
    folder: Path,
    progress: Progress,
    *,
    is_raw: bool,
) -> tuple[dict[str, VariantResult], list[Diagnostic]]:
    """Writes what `export.variants` asks for.

    Args:
        is_raw: whether the model takes raw data and gives original units.

    Returns:
        What `verify.json` says of each, and a diagnostic for each that has no file: NN617 of one that was refused,
        NN618 of one that cannot be made.

    Raises:
        SpecError: NN618 where the format of the file has no variants.
    """
    wanted: list[str] = list(checked.section("export").get("variants") or ())
    if not wanted:
        return {}, []
    if dataset is None:
        progress.say("note: variants are not written: they are scaled and scored with data, and none was loaded")
        return {}, []
    job = _Variants(checked, exported, deployment, dataset, is_raw)
    found: dict[str, VariantResult] = {}
    refused: list[Diagnostic] = []
    for name in wanted:
        with progress.step(f"variant {name}"):
            try:
                found[name], fault = job.write(name, folder)
            except SpecError as error:
                fault = error.diagnostics[0]
                found[name] = {"file": None, "reason": fault.message}
        refused += [fault] if fault is not None else []
        progress.say(f"variant {name}: {_describe_variant(found[name])}")
    return found, refused


def _describe_variant(result: VariantResult) -> str:
    if "reason" in result:
        return f"not written: {result['reason']}"
    speed = result["speed"]
    faster = f"{speed:.2g}× as fast at batch 1" if result["is_faster"] else f"not faster at batch 1 ({speed:.2g}×)"
    share = f"{'' if result['is_smaller'] else 'not smaller: '}{result['size_ratio']:.0%} of the size"
    return "; ".join([*(["refused"] if not result["file"] else []), share, faster, *result["losses"]])


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


class _Variants:
    def __init__(
        self, checked: Checked, exported: ExportedModel, deployment: Deployment, dataset: Dataset, is_raw: bool
    ) -> None:
        node = checked.root.get("export")
        self.span: Span = node.span if node is not None else checked.root.span
        if not isinstance(exported, Convertible):
            raise self.fault(f"files of the format `{exported.backend.name}` have no variants")
        self.exported: Convertible = exported
        self.suffix, self.ports, self.size = exported.backend.suffix, exported.interface(), len(exported.to_bytes())
        self.graph = checked.graph
        self.allowed: float | None = checked.section("export").get("max_loss")
        self.scorer = Scorer(
            graph=checked.graph,
            deployment=deployment,
            dataset=dataset,
            plan=checked.data,
            whole=exported.open(),
            states=exported.states,
            is_raw=is_raw,
            layout=checked.section("export").get("layout") or {},
        )
        self.before: Scores = self.scorer.scores(self.scorer.whole)

    def fault(self, message: str) -> SpecError:
        return SpecError.single("NN618", message, self.span, path="export.variants")

    def write(self, name: str, folder: Path) -> tuple[VariantResult, Diagnostic | None]:
        if not self.exported.convertible(name, self.graph):
            what = "matrix" if name == "int4" else "trained kernel"
            raise self.fault(f"the model has no {what} that could be stored as {name}")
        if name == "int4" and not is_installed("int4"):
            raise self.fault(f"the variant `int4` needs a package that is missing: {install_command('int4')}")
        form, made, session = next(self.worthwhile(name))
        content, after = made.to_bytes(), self.scorer.scores(session)
        losses = list(self.losses(after))
        too_much = [loss for loss in losses if loss.is_too_much]
        layers = self.culprits(form, too_much) if too_much else []
        file = f"model.{name}{self.suffix}"
        if not too_much:
            (folder / file).write_bytes(content)
        speed = self.scorer.speed(session)
        result: VariantResult = {
            "file": None if too_much else file,
            "file_size": len(content),
            "size_ratio": round(len(content) / self.size, 4),
            "is_smaller": len(content) < SMALLER * self.size,
            "speed": round(speed, 3),
            "is_faster": speed >= FASTER,
            "form": form,
            "max_relative_difference": self.scorer.differences(session),
            "metrics": after,
            "float32_metrics": self.before,
            "losses": [str(loss) for loss in losses],
            "operators": made.operators(),
        }
        if layers:
            result["layers"] = layers
        return result, self.refusal(name, too_much, layers) if too_much else None

    def worthwhile(self, name: str) -> Iterator[tuple[str, ExportedModel, Session]]:
        """The forms of a variant that are faster and lose little, and the last one whatever it is."""
        forms = FORMS[name]
        for form in forms:
            made = self.converted(form)
            if made.interface() != self.ports:
                raise self.fault(f"`{name}` has other inputs or outputs than the file that it was made from")
            session = self.opened(name, made)
            is_last = form == forms[-1]
            if is_last or (
                self.scorer.speed(session) >= FASTER
                and not any(loss.is_too_much for loss in self.losses(self.scorer.scores(session)))
            ):
                yield form, made, session

    def converted(self, name: str, without: Collection[str] = ()) -> ExportedModel:
        """The model in another form.

        Args:
            without: layers that keep float32.
        """
        try:
            return self.exported.converted(
                name, self.graph, lambda: list(self.scorer.calibration(CALIBRATION_ROWS)), without
            )
        except Exception as error:  # the tools raise errors of many classes
            raise self.fault(f"`{name}` cannot be made from this model: {_first_line(error)}") from error

    def opened(self, name: str, made: ExportedModel) -> Session:
        try:
            return made.open()
        except SpecError as error:
            raise self.fault(f"`{name}` cannot be made from this model: {error.diagnostics[0].message}") from error

    def losses(self, after: Scores) -> Iterator[Loss]:
        for name, metrics in self.before.items():
            for metric, before in metrics.items():
                value = after.get(name, {}).get(metric, float("nan"))
                is_accuracy = metric == "accuracy"
                share = before - value if is_accuracy else value / before - 1 if before else value
                allowed = self.allowed
                if allowed is None:  # a split of 100 rows cannot tell half a point of accuracy
                    rows = self.scorer.held_out.size
                    allowed = max(ACCURACY_LOSS, 1 / rows) if is_accuracy else ERROR_LOSS
                yield Loss(output=name, metric=metric, before=before, after=value, share=share, allowed=allowed)

    def culprits(self, name: str, losses: Sequence[Loss]) -> list[str]:
        """The layers without which the variant loses less, those that matter most first."""
        layers = self.exported.convertible(name, self.graph)
        if len(layers) < 2:
            return layers
        outputs = {loss.output for loss in losses}

        def loss_without(kept: Sequence[str]) -> float:
            scores = self.scorer.scores(self.converted(name, kept).open())
            return sum(loss.share for loss in self.losses(scores) if loss.output in outputs)

        return find_costly_layers(layers, loss_without, sum(loss.share for loss in losses))

    def refusal(self, name: str, losses: Sequence[Loss], layers: Sequence[str]) -> Diagnostic:
        said = ", ".join(map(str, losses))
        where = f"most of it is lost in {enumerated(layers)}" if layers else "no layer alone loses much of it"
        return Diagnostic(
            "NN617",
            f"variant `{name}` loses more than `export.max_loss` allows, so it is not written: {said}",
            self.span,
            path="export.variants",
            notes=(where, "the float32 file is complete, and so are the other variants"),
            fixes=(Fix("leave this variant out, or allow the loss with `export: {max_loss: …}`"),),
        )
