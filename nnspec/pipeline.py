"""The order of the phases: the only file that knows it.

document -> expand -> schema -> elaborate -> checks, each a pure function of the one before; diagnostics are collected
within a phase and stop the pipeline between phases.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from collections.abc import Mapping as MappingABC
from contextlib import contextmanager, suppress
from dataclasses import field
from functools import partial
from pathlib import Path

from nnspec.checks import run_checks
from nnspec.data.section.plan import DataPlan
from nnspec.data.section.read_plan import read_plan
from nnspec.diagnostics import Diagnostic, Report, Source, SpecError
from nnspec.document import Mapping, Node, Scalar, locate, parse, read_source, to_plain
from nnspec.document.types import JsonObject, Plain
from nnspec.expansion.aliases import with_kinds, with_kinds_in_path
from nnspec.expansion.auto_arguments import Count
from nnspec.expansion.auto_ids import IDS
from nnspec.expansion.auto_sizes import has_auto_sizes, settle_sizes
from nnspec.expansion.auto_units import UNITS
from nnspec.expansion.expand import expand
from nnspec.expansion.items import Expanded
from nnspec.expansion.overrides import apply_overrides
from nnspec.expansion.variable_origins import origins
from nnspec.inference.counted import mark_counted
from nnspec.inference.elaborate import elaborate
from nnspec.ir.graph import Graph
from nnspec.lazy import dataclass
from nnspec.validation.validate import validate_document, validate_expanded


@dataclass(frozen=True, eq=False, kw_only=True)
class Checked:
    """A spec that passed: everything later phases read.

    Attributes:
        root: the document after expansion of variables.
        folder: the spec's folder, which paths are relative to.
        overrides: what `--set` changed.
    """

    path: Path
    text: str
    root: Mapping
    expanded: Expanded
    graph: Graph
    data: DataPlan | None
    warnings: tuple[Diagnostic, ...]
    overrides: MappingABC[str, Plain] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.path.parent

    def section(self, name: str) -> JsonObject:
        """A section as plain values; empty where the spec has none."""
        node = self.root.get(name)
        value = to_plain(node) if node is not None else None
        return value if isinstance(value, dict) else {}


def load_document(
    path: str | Path, overrides: MappingABC[str, Plain] | None = None, source: Source | None = None
) -> tuple[str, Node]:
    """The text and its tree, with overrides applied and aliases of layers replaced.

    Args:
        source: the text if it is available, as in an editor; else the file is read.
    """
    source = source or read_source(path)
    root = with_kinds(parse(source))
    if overrides:
        root = with_kinds(apply_overrides(root, {with_kinds_in_path(place): v for place, v in overrides.items()}))
    return source.text, root


@contextmanager
def _paused_gc() -> Iterator[None]:
    """Trees and graphs only grow while a spec is checked: looking for garbage in them takes more than linear time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_paused_gc()
def check(
    path: str | Path,
    overrides: MappingABC[str, Plain] | None = None,
    *,
    allow_outside: bool = False,
    without_data: bool = False,
    without_search: bool = False,
    source: Source | None = None,
) -> Checked:
    """Everything that can be known without a framework.

    Args:
        allow_outside: whether data files may be outside the spec's folder.
        without_data: leaves the data files alone, which need not be there (to show a spec, or to verify a model).
        without_search: leaves out the section `search`, of which a point is checked.
        source: what the file is taken to hold instead of what it does, such as the text of an editor.

    Raises:
        SpecError: with the diagnostics of the first phase that found errors, warnings included.
    """
    text, root = load_document(path, overrides, source)
    if without_search and isinstance(root, Mapping):
        entries = {key: node for key, node in root.entries.items() if key != "search"}
        root = Mapping(entries, root.keys, root.span, root.size)
    report = Report()
    phases = _Phases(path=Path(path), root=root)
    phases.run(report, allow_outside, without_data)
    assert isinstance(root, Mapping)
    assert phases.expanded is not None
    assert phases.graph is not None
    expanded, graph = phases.expanded, phases.graph
    return Checked(
        path=Path(path),
        text=text,
        root=expanded.root,
        expanded=expanded,
        graph=graph,
        data=phases.plan,
        warnings=tuple(report.sorted()),
        overrides=dict(overrides or {}),
    )


@dataclass(kw_only=True)
class _Phases:
    """The phases after reading, and how far they came."""

    path: Path
    root: Node
    expanded: Expanded | None = None
    graph: Graph | None = None
    plan: DataPlan | None = None
    is_valid: bool = False

    def run(self, report: Report, allow_outside: bool, without_data: bool) -> None:
        """All of them.

        Raises:
            SpecError: after the first that found errors.
        """
        validate_document(self.root, report)
        report.raise_errors()
        assert isinstance(self.root, Mapping)
        self.is_valid = True
        self.expanded = expand(self.root, report)
        report.raise_errors()
        with report.refined(origins(self.root.get("vars"), self.expanded.values)):
            self._run_expanded(self.root, self.expanded, report, allow_outside, without_data)

    def _run_expanded(
        self, root: Mapping, expanded: Expanded, report: Report, allow_outside: bool, without_data: bool
    ) -> None:
        """The phases that see what variables and expansions gave."""
        validate_expanded(root, expanded, report)
        report.raise_errors()
        if has_auto_sizes(expanded):
            self.read_plan(expanded, allow_outside or without_data)
            sizes = self.plan
            expanded = self.expanded = settle_sizes(
                expanded, lambda name, axis: _axis_size(expanded, name, axis, sizes), report
            )
            report.raise_errors()
        for argument, counts in ((IDS, _id_count), (UNITS, _class_count)):
            if argument.is_in(expanded):  # files are looked at even to show a spec: nothing else tells the number
                self.read_plan(expanded, allow_outside or without_data)
                count = partial(counts, expanded, self.plan)
                expanded = self.expanded = argument.settle(expanded, count, report)
                report.raise_errors()
        self.graph = elaborate(expanded, report, folder=None if without_data else self.path.parent)
        report.raise_errors()
        self.read_plan(expanded, allow_outside or without_data)
        self.graph = mark_counted(self.graph, self.plan)
        run_checks(
            self.graph,
            None if without_data else self.plan,
            expanded.root,
            report,
            folder=None if without_data else self.path.parent,
            allow_outside=allow_outside,
        )
        if "search" in root.entries:
            from nnspec.checks.search.section import check_search  # few specs have one

            report.extend(check_search(root, self.graph, self.plan))
        report.raise_errors()

    def read_plan(self, expanded: Expanded, allow_outside: bool) -> None:
        """What the spec says of its data, once."""
        data_node = expanded.root.get("data")
        if isinstance(data_node, Mapping) and self.plan is None:
            self.plan = read_plan(data_node, self.path.parent, allow_outside=allow_outside)

    def guess(self) -> None:
        """What the phases that did not come to run can say of a faulty document; their own faults are not spoken of."""
        if not isinstance(self.root, Mapping) or (self.is_valid and self.expanded is None):
            return  # it is too large to write out, which took its time already
        with suppress(Exception):  # the document is not what they may rely on, so anything can happen
            self.expanded = self.expanded or expand(self.root, Report())
            self.graph = self.graph or elaborate(self.expanded, Report(), is_guess=True)


def _axis_size(expanded: Expanded, name: str, axis: str, plan: DataPlan | None) -> Count:
    axes = locate(expanded.root, ("inputs", name, "axes"))
    assert isinstance(axes, Mapping)
    from nnspec.data.axis_size import axis_size  # few specs leave a size to it

    return Count(*axis_size(name, axis, list(axes.entries), plan))


def _id_count(expanded: Expanded, plan: DataPlan | None, name: str) -> Count:
    from nnspec.data.id_count import id_count  # few specs leave a table's size to it

    return Count(*id_count(name, plan))


def _class_count(expanded: Expanded, plan: DataPlan | None, name: str) -> Count:
    outputs = expanded.root.get("outputs")
    body = outputs.get(name) if isinstance(outputs, Mapping) else None
    assert isinstance(body, Mapping)
    if plan is not None and name in plan.copies:  # a reconstruction is as wide as what it is of
        axes = locate(expanded.root, ("inputs", plan.copies[name].input, "axes"))
        size = list(axes.entries.values())[-1] if isinstance(axes, Mapping) and axes.entries else None
        if isinstance(size, Scalar) and isinstance(size.value, int):
            return Count(size.value)
    from nnspec.data.class_count import class_count  # few specs leave a head's units to it

    return Count(*class_count(name, body, plan))


@_paused_gc()  # until all of the graph but the diagnostics has gone: there is little left to look through
def diagnose(
    path: str | Path,
    overrides: MappingABC[str, Plain] | None = None,
    *,
    allow_outside: bool = False,
    source: Source | None = None,
) -> list[Diagnostic]:
    """All diagnostics of a spec, errors and warnings, in source order; none where it is clean."""
    try:
        return list(check(path, overrides, allow_outside=allow_outside, source=source).warnings)
    except SpecError as error:
        return error.diagnostics


@dataclass(frozen=True, eq=False)
class Survey:
    """A text and everything that can be inferred from it, with or without errors.

    Attributes:
        root: the tree as written; None where it is no YAML.
        graph: incomplete if there are errors; None if nothing can be inferred.
        diagnostics: those of `diagnose`.
    """

    source: Source
    root: Node | None = None
    expanded: Expanded | None = None
    graph: Graph | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def survey(path: Path, source: Source, *, allow_outside: bool = False) -> Survey:
    """Checks a text in place of the file at `path`; for editors, whose text is often incomplete."""
    try:
        root = load_document(path, source=source)[1]
    except SpecError as error:
        return Survey(source, diagnostics=tuple(error.diagnostics))
    phases, report = _Phases(path=path, root=root), Report()
    try:
        phases.run(report, allow_outside, without_data=False)
        found = report.sorted()
    except SpecError as error:
        found = error.diagnostics
    phases.guess()
    return Survey(source, root, phases.expanded, phases.graph, tuple(found))
