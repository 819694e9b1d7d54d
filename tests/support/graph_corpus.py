"""Graphs of many networks by two exporters, without their weights, and what a check says of each."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import onnx

from nnspec.onnx_axes.check import check_file
from nnspec.onnx_axes.reading import as_file
from tests.support.onnx_swaps import shapes_of, swaps, without_weights
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from nnspec.pipeline import Checked

EXPORTERS = ("nnspec", "keras")
LARGE = 40_000_000  # weights
# What a row depends on besides the graph: where one of these changes, it is measured again.
RULES = (ROOT / "nnspec" / "onnx_axes", ROOT / "nnspec" / "ir", ROOT / "tests" / "support" / "onnx_swaps.py")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network and who exports it.

    Attributes:
        network: a path of a spec, or the name of a function of keras.applications.
        title: what a table calls it; files are named after it.
    """

    network: str
    exporter: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of a graph: as it is, and with one swap at each place.

    Attributes:
        seconds: of the check of the graph as it is.
        longest: of the checks of the changed graphs.
    """

    name: str
    nodes: int
    alarms: tuple[str, ...]
    swapped: int
    missed: tuple[str, ...]
    seconds: float
    longest: float

    @property
    def found(self) -> int:
        return self.swapped - len(self.missed)


def subjects() -> list[Subject]:
    """All graphs: specs first, then models of keras.applications."""
    specs = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "specs").glob("*/*.yaml")])
    titles = [(str(spec), spec.stem if spec.parent.name != "papers" else f"papers.{spec.stem}") for spec in specs]
    named = [(name, name) for name in applications()]
    found = [Subject(network=path, exporter="nnspec", title=title) for path, title in titles]
    found += [Subject(network=path, exporter="keras", title=f"{title}.keras") for path, title in titles]
    return found + [
        Subject(network=name, exporter=exporter, title=f"{title}.{exporter}")
        for name, title in named
        for exporter in EXPORTERS
    ]


def applications() -> list[str]:
    """The functions of keras.applications that build a model."""
    import keras

    found = vars(keras.applications).items()
    return sorted(name for name, value in found if inspect.isfunction(value) and name[0].isupper())


def make(subject: Subject, path: Path) -> None:
    """Writes a graph without its weights; weights are random."""
    with tempfile.TemporaryDirectory() as scratch:
        exported = _by_keras if subject.exporter == "keras" else _by_nnspec
        graph = without_weights(exported(subject.network, Path(scratch)))
    beside = path.with_suffix(".part")
    onnx.save(graph, str(beside))
    os.replace(beside, path)


def _by_keras(network: str, scratch: Path) -> onnx.ModelProto:
    model = _compiled(network) if network.endswith(".yaml") else _application(network)
    whole = scratch / "whole.onnx"
    model(model.input)  # type: ignore[operator,attr-defined]  # the exporter refuses models that were never called
    is_large = model.count_params() > LARGE  # type: ignore[attr-defined]
    with _weights_apart() if is_large else nullcontext():
        model.export(str(whole), format="onnx", verbose=False)  # type: ignore[attr-defined]
    return onnx.load(str(whole), load_external_data=False)


@contextmanager
def _weights_apart() -> Iterator[None]:
    """tf2onnx keeps a model's weights apart from its graph, in its own way for large ones, and drops them here.

    It takes forty times their size otherwise: 17 GB for BERT.
    """
    import tf2onnx.convert

    whole = tf2onnx.convert.from_function

    def convert(*args: object, output_path: str, **options: object) -> None:
        onnx.save(whole(*args, large_model=True, **options)[0], output_path)

    with mock.patch.object(tf2onnx.convert, "from_function", convert):
        yield


def _by_nnspec(network: str, scratch: Path) -> onnx.ModelProto:
    """The graph that nnspec writes, which no gate compares here: only its axes are looked at."""
    from nnspec.backends.base import Deployable
    from nnspec.backends.onnx.backend import ONNX
    from nnspec.data.deployment import Deployment
    from nnspec.expansion import resolved
    from nnspec.jobs.metadata.model import describe_model

    checked = _checked(network, scratch)
    graph, section = checked.graph, checked.section("export")
    layout = section.get("layout") or {}
    weights = {
        node.owner: {
            weight.name: np.full([int(str(size)) for size in weight.shape], 0.5, np.float32) for weight in node.weights
        }
        for node in graph.nodes
    }
    exported = ONNX.lower(
        Deployable(
            graph=graph,
            weights=weights,
            deployment=Deployment(),
            layout=layout,
            layers={},
            options=section,
            span=checked.root.span,
        )
    )
    exported.embed(describe_model(graph, checked.data, Deployment(), layout, resolved.to_yaml(checked.root)))
    return onnx.load_from_string(exported.to_bytes())


def _compiled(spec: str) -> object:
    from nnspec.jobs.settings import engine_of
    from nnspec.jobs.weights import with_weights

    checked = _checked(spec, Path())
    return with_weights(checked, None, True, engine_of(checked))[0].model


def _checked(network: str, scratch: Path) -> Checked:
    from nnspec import pipeline
    from nnspec.diagnostics import Source, Span
    from nnspec.importers.keras.build_spec import build_draft
    from nnspec.importers.keras.own_blocks import read_blocks
    from nnspec.importers.keras.source import read_network
    from nnspec.importers.keras.written_spec import write_checked

    if network.endswith(".yaml"):
        return pipeline.check(Path(network), without_data=True)
    import keras

    with keras.StatelessScope():  # variables are not drawn: only the configuration is read
        model = _application(network)
    read = read_network(model.get_config(), type(model).__name__)  # type: ignore[attr-defined]
    draft = build_draft(read, None, "tables.npz", read_blocks(None))
    return write_checked(draft, scratch / "spec.yaml", True, Span(Source(network, "")))[1]


def _application(name: str) -> object:
    import keras

    return getattr(keras.applications, name)(weights=None)


def measure(path: Path, title: str) -> Row:
    """Checks a graph as it is, and with each swap."""
    model = onnx.load(str(path), load_external_data=False)
    alarms, seconds = _check(model, path)
    missed, count, longest = [], 0, 0.0
    for swap in swaps(model, shapes_of(model)):
        count += 1
        told, took = _check(swap.model, path)
        longest = max(longest, took)
        if not told:
            missed.append(f"{swap.node}: {swap.how}")
    return Row(
        name=title,
        nodes=len(model.graph.node),
        alarms=tuple(alarms),
        swapped=count,
        missed=tuple(missed),
        seconds=seconds,
        longest=longest,
    )


def _check(model: onnx.ModelProto, path: Path) -> tuple[list[str], float]:
    """What is said, and how much processor time it took, that of reading the graph's bytes included."""
    content = model.SerializeToString()
    started = time.process_time()
    told = check_file(as_file(onnx.load_from_string(content), path), {})
    return [diagnostic.message for diagnostic in told], time.process_time() - started


def read_row(path: Path) -> Row | None:
    """A row that was measured by these rules of this graph; None where there is none, or by others."""
    try:
        said = json.loads(_beside(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not path.is_file() or said.pop("rules") != _rules() or said.pop("graph") != _digest([path]):
        return None
    return Row(**{**said, "alarms": tuple(said["alarms"]), "missed": tuple(said["missed"])})


def write_row(path: Path, row: Row) -> None:
    text = json.dumps({**asdict(row), "rules": _rules(), "graph": _digest([path])}, indent=1)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, _beside(path))


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix('.onnx')}.json")


@cache
def _rules() -> str:
    return _digest(file for rules in RULES for file in (sorted(rules.rglob("*.py")) if rules.is_dir() else [rules]))


def _digest(files: Iterator[Path] | list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()
