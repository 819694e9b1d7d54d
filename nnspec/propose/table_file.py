"""Reads a table that a spec is proposed for: every value once, in the dialect that it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnspec.data.checks.markers import markers_among, markers_among_written_dates
from nnspec.data.sources.base import DataSource, Reading, SourceError, SourceFacts, SourcePlan, ToldError
from nnspec.data.sources.errors import ProposalError
from nnspec.data.sources.registry import all_kinds
from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.document.types import Plain
from nnspec.propose.profile import Profile, profile_column
from nnspec.propose.spec_text import as_spec
from nnspec.runtime.rules.markers import OPTION

LONGEST_NAME = 1000  # of a column, which a spec writes as a key


@dataclass(frozen=True, kw_only=True)
class TableFile:
    """A table.

    Attributes:
        shown: the file's path as the spec writes it.
        options: the keys beside the path that say how it is written, such as the delimiter of a CSV file.
        cells: the values of every column as text, empty where there is none; numbers as Python writes them.
        profiles: what the columns hold.
    """

    path: Path
    shown: str
    source: DataSource
    options: Mapping[str, object] = field(default_factory=dict)
    cells: Mapping[str, Sequence[str]]
    profiles: Mapping[str, Profile]

    @property
    def written(self) -> str:
        """The section `source` of a spec, in one line."""
        return as_spec({self.source.kind: self.shown, **self.options})


def read_table(path: Path, shown: str, target: str) -> TableFile:
    """Reads a file.

    Args:
        target: a column that it has, by which a wrong dialect is noticed.

    Raises:
        SpecError: NN502 where the file cannot be read as a table.
    """
    source = _source_of(path)
    span = Span(Source(str(path), ""))
    options: dict[str, Plain] = {}
    try:
        try:
            source.probe(_plan(source, path, span, options), [target], [])
        except ProposalError as error:
            options |= error.proposal.keys
        plan = _plan(source, path, span, options)
        names = list(source.probe(plan, [], []).names)
        _check_length(path, span, names)
        facts = source.probe(plan, names, names)
        marks = _marks(plan, facts, names)
        if marks:
            options |= marks
            plan = _plan(source, path, span, options)
            facts = source.probe(plan, names, names)
        marked = _find_markers(plan, facts, names)
        if marked:
            options[OPTION] = marked
            plan = _plan(source, path, span, options)
            facts = source.probe(plan, names, names)
        cells = {name: _cells(name, facts, plan) for name in names}
    except ToldError as error:
        raise SpecError([error.diagnostic(span, "")]) from None
    except SourceError as error:
        message = f"`{path.name}` cannot be used: {error}"
        raise SpecError.single("NN502", message, span, path="", fixes=error.help) from None
    is_european = options.get("delimiter") == ";" or options.get("decimal") == ","
    profiles = {name: profile_column(name, values, is_day_first=is_european) for name, values in cells.items()}
    return TableFile(path=path, shown=shown, source=source, options=options, cells=cells, profiles=profiles)


def _check_length(path: Path, span: Span, names: Sequence[str]) -> None:
    """A key of YAML has at most 1,024 characters, escapes counted.

    Raises:
        SpecError: NN599.
    """
    for place, name in enumerate(names, 1):
        if len(as_spec(name)) > LONGEST_NAME:
            message = f"the name of column {place} of `{path.name}` has {len(name):,} characters: `{name[:40]}…`"
            fixes = [Fix(f"give it a name of at most {LONGEST_NAME} characters")]
            raise SpecError.single("NN599", message, span, path="", fixes=fixes)


def _plan(source: DataSource, path: Path, span: Span, options: Mapping[str, Plain]) -> SourcePlan:
    return SourcePlan(source=source, path=path, shown=path.name, span=span, where="", options=dict(options))


def _source_of(path: Path) -> DataSource:
    if not path.is_file():
        raise SpecError.single("NN502", f"there is no file `{path}`", Span(Source(str(path), "")), path="")
    tables = [source for source in all_kinds() if source.is_table]
    name = path.name.lower()
    for source in tables:
        if name.endswith(source.suffixes) or (name.endswith(".gz") and name[:-3].endswith(source.suffixes)):
            return source
    listed = ", ".join(suffix for source in tables for suffix in source.suffixes)
    message = f"`{path.name}` is not a table that a spec can read; tables end in {listed}"
    raise SpecError.single("NN502", message, Span(Source(str(path), "")), path="")


def _marks(plan: SourcePlan, facts: SourceFacts, names: Sequence[str]) -> Mapping[str, str]:
    """The options that make numbers of columns that are text as they stand, such as `1,5`."""
    texts = [name for name in names if (column := facts.column(name)) is not None and column.is_text]
    written = [name for name in texts if plan.source.propose(plan, [name]) is not None]
    proposal = plan.source.propose(plan, written) if written else None
    return proposal.keys if proposal is not None else {}


def _find_markers(plan: SourcePlan, facts: SourceFacts, names: Sequence[str]) -> dict[str, list[str]]:
    """What stands for missing values in columns of numbers and of dates, such as `?`, by column."""
    if OPTION not in plan.source.options:
        return {}
    texts = {name: column for name in names if (column := facts.column(name, values=True)) and column.is_text}
    numbers = {name: found for name, column in texts.items() if (found := markers_among(plan, column))}
    if numbers:
        told = plan.source.probe(replace(plan, options={**plan.options, OPTION: numbers}), list(numbers), [])
        columns = {name: told.column(name) for name in numbers}
        numbers = {name: numbers[name] for name, column in columns.items() if column is not None and not column.is_text}
    dates = {name: found for name, column in texts.items() if (found := markers_among_written_dates(column))}
    marked = dates | numbers
    return {name: marked[name] for name in names if name in marked}


def _cells(name: str, facts: SourceFacts, plan: SourcePlan) -> list[str]:
    column = facts.column(name, values=True)
    if column is not None and column.values is not None:
        return ["" if value is None else str(value) for value in plan.source.order_cells(plan, column.values)]
    cells: list[str] = []
    for (part,) in plan.source.open_columns(plan, [name], Reading.LABEL):
        cells += ["" if gap else str(value) for value, gap in zip(part.values, part.missing, strict=True)]
    return cells
