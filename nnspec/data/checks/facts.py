"""Facts about the files of a plan, without loading them: names, shapes, missing values, labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnspec.data.checks.dialect import propose_keys
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import (
    ArrayFacts,
    ColumnFacts,
    OutsideError,
    ProposalError,
    SourceError,
    SourceFacts,
    SourcePlan,
    ToldError,
)
from nnspec.data.sources.label_keys import label_key
from nnspec.data.sources.paths import missing_file
from nnspec.data.sources.registry import is_own
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.runtime.rows.kept import Coded, keep_texts
from nnspec.runtime.rules.csv import is_missing


class PlanFacts:
    """Probes each source of a plan once and keeps what it said. Faults are reported at its first mention.

    Attributes:
        keys: the label keys of columns of the plan's source, as far as a check has asked for them.
    """

    def __init__(self, plan: DataPlan) -> None:
        self.plan = plan
        self.diagnostics: list[Diagnostic] = []
        self.keys: dict[str, Sequence[str] | None] = {}
        self._facts: dict[tuple[str, Path, str], SourceFacts | None] = {}
        sources = [plan.source] if plan.source else []
        for source in [*sources, *(slot.source for slot in plan.slots())]:
            if source.identity not in self._facts:
                self._facts[source.identity] = self._probe(source)

    def facts(self, source: SourcePlan) -> SourceFacts | None:
        """What a source holds; None where it cannot be used, which has been reported."""
        return self._facts.get(source.identity)

    def column(self, source: SourcePlan, name: str, *, values: bool = False) -> ColumnFacts | None:
        """A column of a table or a one-dimensional array of an archive; None where there is none of that name.

        Raises:
            SourceError: where it cannot be used.
        """
        facts = self.facts(source)
        return None if facts is None else facts.column(name, values=values)

    def with_values(self, source: SourcePlan, name: str) -> ColumnFacts | None:
        """A column with its values, which are read now where they were not kept; None as `column`.

        Raises:
            SourceError: where it cannot be used.
        """
        column = self.column(source, name, values=True)
        if column is None or column.values is not None or not is_own(source.source):
            return column
        return source.source.probe(source, [name], [name]).column(name, values=True)

    def array(self, source: SourcePlan, name: str) -> ArrayFacts | None:
        """An array; None where there is none of that name.

        Raises:
            SourceError: where it cannot be used.
        """
        facts = self.facts(source)
        return None if facts is None else facts.array(name)

    def numbers(self, source: SourcePlan, name: str) -> Sequence[float] | None:
        """The first numbers of an array, each finite; None where they are not read without loading.

        Raises:
            SourceError: where it cannot be used.
        """
        facts = self.facts(source)
        return None if facts is None else facts.numbers(name)

    def _probe(self, source: SourcePlan) -> SourceFacts | None:
        if source.table is not None and self.facts(source.table) is None:
            return None  # which has been reported
        if source.parts:
            absent = [part for part in source.parts.values() if not self._is_there(part)]
            return None if absent else self._look(source)
        return self._look(source) if self._is_there(source) else None

    def _is_there(self, source: SourcePlan) -> bool:
        """Whether a source has a file; that it has none is reported."""
        is_folder = source.source.is_per_file and source.table is None
        if source.source.is_address(source.shown) or (is_folder and source.path.is_dir()):
            return True
        if not source.files():
            noun = source.source.noun if source.source.is_folder else ""
            place = source.shown, source.path, source.span, source.where
            self.diagnostics.append(missing_file(*place, noun, is_folder=is_folder))
            return False
        return True

    def _look(self, source: SourcePlan) -> SourceFacts | None:
        fixes: tuple[Fix, ...] = ()
        notes: tuple[str, ...] = ()
        try:
            if is_own(source.source):
                return source.source.probe(source, *_columns_of(self.plan, source))
            from nnspec.data.sources.package_sources import probe

            return probe(source, *_columns_of(self.plan, source))
        except ToldError as error:
            self.diagnostics.append(error.diagnostic(source.span, source.where))
            return None
        except OutsideError as error:
            code, message = "NN510", str(error)
        except ProposalError as error:
            self.diagnostics.append(propose_keys(source.parts.get(error.table, source), error.shown, error.proposal))
            return None
        except SourceError as error:
            code, message, fixes = "NN502", f"`{source.shown}` cannot be used: {error}", error.help
            from nnspec.data.sources.foreign import find_foreign

            foreign = find_foreign([] if source.parts else source.files(), source.source.suffixes)
            notes, fixes = (notes, fixes) if foreign is None else ((foreign[0],), (Fix(foreign[1]),))
        except (Exception, SystemExit) as error:  # whatever a package of somebody's own may do
            if is_own(source.source):
                raise
            code = "NN530"
            message = f"source `{source.kind}` fails on `{source.shown}`: {type(error).__name__}: {error}"
        self.diagnostics.append(Diagnostic(code, message, source.span, path=source.where, notes=notes, fixes=fixes))
        return None


def _columns_of(plan: DataPlan, source: SourcePlan) -> tuple[list[str], list[str]]:
    """The columns of a source that the plan uses, and those whose values are needed: labels, groups and orders."""
    wanted: list[str] = []
    kept: list[str] = []
    for slot in plan.slots():
        if slot.source.path != source.path or slot.source.kind != source.kind:
            continue
        wanted += slot.columns
        kept += slot.columns if slot.is_static else ()
        told = source.source.tells_times  # whether values of a column without a form are dates
        kept += [c.name for c in slot.encodings if not (c.is_number or (told and c.is_date and c.form is None))]
        if slot.role == "outputs" and not (slot.classes and slot.classes.kind in ("quantiles", "edges")):
            kept += slot.columns if slot.scale is None and not slot.is_relative else ()
    if plan.source is not None and plan.source.path == source.path:
        wanted += [name for name, _, _ in plan.row_keys()]
        wanted += [plan.weight] if plan.weight is not None else []
        kept += [name for name, _, _ in plan.row_keys()]
    return wanted, kept


def labels_of(column: ColumnFacts) -> Sequence[str] | None:
    """A column's values as label keys, those that are missing left out."""
    if column.values is None:
        return None
    if isinstance(column.values, Coded):
        return column.values.without(_is_gap).spelt(label_key)
    return keep_texts(label_key(value) for value in column.values if not _is_gap(value))


def _is_gap(value: object) -> bool:
    return isinstance(value, str) and is_missing(value)
