"""Compares a plan with the model and the files: standard library only, but for typed tables, which DuckDB reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from nnspec.data.checks.columns import check_encoding, check_missing_rules, check_target, features_of
from nnspec.data.checks.dialect import propose_keys
from nnspec.data.checks.drawn import check_strata
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.leaks import check_leaks
from nnspec.data.checks.markers import check_markers
from nnspec.data.checks.misfit_fixes import order_fixes, target_fixes
from nnspec.data.checks.named import find_array, find_column
from nnspec.data.checks.not_finite import check_finite
from nnspec.data.checks.numbers import INFINITE_FIXES, unfit_number
from nnspec.data.checks.row_order import check_row_order
from nnspec.data.checks.spellings import check_constant_targets, check_spellings
from nnspec.data.checks.splits import check_classes, check_further, check_splits
from nnspec.data.checks.weights import check_weights
from nnspec.data.prepare.fit import FitError, file_axes, misfit_diagnostic, slot_layout
from nnspec.data.prepare.missing import fills_in_graph, missing_in_slot, missing_key
from nnspec.data.prepare.ragged import find_padded_axes, find_sequence_axis, lies_end_to_end
from nnspec.data.prepare.time_order import check_time_order
from nnspec.data.section.agree import check, settle
from nnspec.data.section.bind import bind
from nnspec.data.section.column_plan import INTERPOLATE
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import ColumnFacts, SourceFacts
from nnspec.diagnostics import Diagnostic, Fix, Related, Report

Further = Callable[[PlanFacts], Iterable[Diagnostic]]
_Gaps = set[tuple[str, str]]  # the columns, by file and name, whose missing values have been reported


def probe(
    plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot], further: Further | None = None
) -> list[Diagnostic]:
    """Every fault of the data that can be seen without loading them: NN208, NN501 to NN516, and `further` ones."""
    inputs, outputs = settle(plan, inputs, outputs)
    plan = bind(plan, inputs, outputs)
    report = Report()
    report.extend(check(plan, inputs, outputs))
    files = PlanFacts(plan)
    report.extend(files.diagnostics)
    report.extend(check_missing_rules(plan, files, inputs))
    report.extend(check_markers(plan, files))
    report.extend(check_weights(plan, files))
    gaps: _Gaps = set()
    counts: dict[str, tuple[int, SlotPlan]] = {}
    for slot in plan.slots():
        model = (inputs if slot.role == "inputs" else outputs).get(slot.name)
        facts = files.facts(slot.source)
        if model is None or facts is None:
            continue
        rows = _SlotProbe(plan, files, slot, model, facts, report, gaps).rows()
        if rows is not None:
            counts[slot.where()] = (rows, slot)
    report.extend(_check_keys(plan, files))
    report.extend(_check_counts(plan, files, counts))
    if not report.has_errors:
        rows = next(iter(counts.values()))[0] if counts else None
        report.extend(check_strata(plan, outputs, files))
        report.extend(check_splits(plan, files, rows))
        if _draws_rows(plan) and not report.has_errors:
            from nnspec.data.checks.strata import check_strata_sizes

            report.extend(check_strata_sizes(plan, outputs, files, rows))
        report.extend(() if report.has_errors else check_further(plan, files, rows))
        report.extend(check_leaks(plan, files, rows))
        report.extend(() if rows is None else check_row_order(plan, files, rows))
        for name, slot in plan.outputs.items():
            report.extend(check_classes(plan, files, slot, outputs[name]))
        report.extend(check_spellings(plan, files, outputs))
        report.extend(check_constant_targets(plan, files, outputs))
        report.extend(further(files) if further is not None else ())
    return report.sorted()


def _draws_rows(plan: DataPlan) -> bool:
    """Whether rows are drawn one by one, so that splits may have their share of each class."""
    return plan.split.by in ("random", "label") and plan.group_column is None and plan.window is None


class _SlotProbe:
    """One input or output against its file."""

    def __init__(
        self,
        plan: DataPlan,
        files: PlanFacts,
        slot: SlotPlan,
        model: Slot,
        facts: SourceFacts,
        report: Report,
        gaps: _Gaps,
    ) -> None:
        self.plan, self.files, self.slot, self.model, self.facts, self.report = plan, files, slot, model, facts, report
        self.gaps = gaps

    def fault(self, code: str, message: str, key: str, *notes: str, fixes: tuple[Fix, ...] = ()) -> None:
        span, path = self.slot.span_of(key), self.slot.where(key.partition("[")[0])
        related: tuple[Related, ...] = ()
        if code in ("NN506", "NN556"):
            related = (Related(self.model.span, f"{self.slot.kind} `{self.slot.name}` of the model"),)
        self.report.add(Diagnostic(code, message, span, path=path, notes=notes, related=related, fixes=fixes))

    def rows(self) -> int | None:
        """The number of rows (samples, before any window), once the slot's sizes were checked."""
        if self.slot.columns:
            return self.check_columns()
        for fault in self.facts.faults:
            about = "" if fault.code == "NN506" else f"{self.slot.kind} `{self.slot.name}` "
            self.fault(fault.code, f"{about}{fault}", fault.key)
        if self.slot.source.source.is_per_file and (self.facts.faults or self.slot.is_windowed):
            return None
        return self.check_array()

    def check_columns(self) -> int | None:
        rows: int | None = None
        known = True
        for index, name in enumerate(self.slot.columns):
            key = self.slot.item_key("columns", index)
            column = find_column(self.files, self.slot.source, name, self.slot.span_of(key), self.slot.where("columns"))
            if isinstance(column, Diagnostic):
                self.report.add(column)
                known = False
                continue
            self.check_column(name, column, key)
            rows = column.rows if rows is None else rows
            if column.rows != rows:
                message = f"column `{name}` has {column.rows} rows, but `{self.slot.columns[0]}` has {rows}"
                self.fault("NN506", message, key)
        if not known:
            return None
        if self.slot.encodings:
            self.check_features()
            return rows
        listed = ", ".join(self.slot.columns)
        self.check_fit(f"columns ({listed})" if len(listed) < 60 else "its columns", 2, (rows or 0,))
        return rows

    def check_features(self) -> None:
        """Compares the features that the columns become with the model's axes."""
        slot = self.slot
        features = features_of(self.plan, self.files, slot)
        if features is None:
            return
        count = sum(number for _, number in features)
        try:
            slot_layout(self.plan, slot, self.model, file_axes(slot, 2).names, (count,))
        except FitError as error:
            parts = ", ".join(f"{column.name} {number}" for column, number in features)
            fault = misfit_diagnostic(slot, f"its columns, which become {count} features ({parts})", error)
            axis = next((name for name, size in self.model.axes if isinstance(size, int)), "feature")
            fix = Fix(f"write the number under `inputs`, or `{axis}: auto`, which counts them")
            related = (Related(self.model.span, f"input `{slot.name}` of the model"),)
            self.report.add(replace(fault, related=related, fixes=(fix,)))

    def check_column(self, name: str, column: ColumnFacts, key: str) -> None:
        gap = (str(self.slot.source.path), name)
        if column.missing and self.refuses_gaps(name) and gap not in self.gaps:
            self.gaps.add(gap)
            self.report.add(missing_in_slot(self.plan, self.slot, self.model, name, column, key))
        if self.slot.encodings:
            self.report.extend(check_encoding(self.plan, self.files, self.slot, self.slot.columns.index(name), column))
            return
        if self.slot.role == "inputs" and self.model.is_text:
            return
        is_input = self.slot.role == "inputs"
        if column.is_text and (is_input or self.slot.needs_numbers(self.model.task)):
            source = self.slot.source
            if (str(source.path), "") in self.gaps:
                return  # how the file is written has been said
            if column.text_row and source.source.propose(source, [name]) is not None:
                proposal = source.source.propose(source, self.slot.columns)
                assert proposal is not None
                self.gaps.add((str(source.path), ""))
                self.report.add(propose_keys(source, f"column `{name}` of `{source.shown}`", proposal))
                return
            from nnspec.data.checks.text_in_numbers import find_text

            found = find_text(source, name, column)
            shown = f" (`{found.text}` in {source.source.locate(source, found.row)})" if found.row else ""
            others = () if found.is_certain else _words_to_numbers() if is_input else _words_to_classes()
            self.fault(
                "NN506",
                f"column `{name}` contains text{shown}, but {self.slot.kind} `{self.slot.name}` takes numbers",
                key,
                fixes=(*found.fixes, *others),
            )
        elif is_input or self.slot.needs_numbers(self.model.task):
            self.report.extend(check_target(self.plan, self.files, self.slot, self.slot.columns.index(name)))
            unfit = unfit_number(column, self.model.dtype if is_input else "float32", self.slot.source)
            if unfit is not None:
                code, reason = unfit
                fixes = INFINITE_FIXES if code == "NN504" else ()
                self.fault(code, f"column `{name}` of {self.slot.kind} `{self.slot.name}` {reason}", key, fixes=fixes)

    def refuses_gaps(self, name: str) -> bool:
        rule = self.plan.missing_rule(name)
        is_input = self.slot.role == "inputs"
        if rule.policy == INTERPOLATE and is_input and not self.model.is_float and not self.model.is_text:
            return True  # what is between whole numbers is none
        return rule.policy == "error" or (rule.is_in_graph and is_input and not fills_in_graph(self.slot, self.model))

    def check_array(self) -> int | None:
        slot = self.slot
        name = slot.array or ""
        header = find_array(self.files, slot.source, name, slot.span_of(slot.data_key), slot.where(slot.data_key))
        if isinstance(header, Diagnostic):
            self.report.add(header)
            return None
        what = header.what or (f"array `{name}`" if name else f"`{slot.source.shown}`")
        if self.model.is_text and slot.role == "inputs":
            if header.kind not in "US":
                self.fault(
                    "NN506", f"{what} has dtype {header.descr}, but input `{slot.name}` takes text", slot.data_key
                )
                return None
            return self.check_fit(what, len(header.shape), header.shape)
        needs = slot.role == "inputs" or slot.needs_numbers(self.model.task)
        if needs and not header.is_number:
            self.fault(
                "NN506", f"{what} has dtype {header.descr}, but {slot.kind} `{slot.name}` takes numbers", slot.data_key
            )
            return None
        if not header.shape:
            self.fault("NN506", f"{what} is a single value: it has no sample axis", slot.data_key)
            return None
        if header.kind == "f":
            self.report.extend(check_finite(self.plan, slot, self.model, self.facts, header, what))
        if header.kind == "f" and not self.model.is_float and slot.role == "inputs":
            message = f"{what} has dtype {header.descr}, but input `{slot.name}` takes {self.model.dtype}"
            self.fault("NN506", message, slot.data_key)
        return self.check_fit(what, len(header.shape), header.shape)

    def check_fit(self, what: str, rank: int, shape: tuple[int, ...]) -> int | None:
        """Compares the data's axes with the model's; the number of rows."""
        slot = self.slot
        row: tuple[int, ...] | None = () if slot.lengths else None  # None: not known what a row is
        try:
            if slot.lengths:
                return self.check_ragged(shape)
            layout = file_axes(slot, rank)
            assert layout.sample is not None
            row = (len(slot.columns),) if slot.columns else shape[: layout.sample] + shape[layout.sample + 1 :]
            slot_layout(self.plan, slot, self.model, layout.names, row)
        except FitError as error:
            fixes = order_fixes(slot, self.model, shape)
            if not fixes and row is not None and slot.role == "outputs":
                fixes = target_fixes(self.model, row)
            self.report.add(misfit_diagnostic(slot, what, error, fixes))
            return None
        return shape[0 if slot.columns else layout.sample]

    def check_ragged(self, shape: tuple[int, ...]) -> int | None:
        slot = self.slot
        levels: list[list[int]] = []
        for name in slot.lengths:
            lengths = self.lengths_in(name)
            if lengths is None:
                return None
            levels.append(lengths)
        if slot.role == "outputs" and not lies_end_to_end(slot.axes, shape, levels):
            return self.check_filled(shape, levels)
        layout = file_axes(slot, len(shape))
        found = find_sequence_axis(self.model.data_axes, layout.names, shape, levels, slot.lengths)
        slot_layout(self.plan, slot, self.model, layout.names, found.padded(shape))
        return len(levels[0])

    def lengths_in(self, name: str) -> list[int] | None:
        """What an array of lengths holds; None where it does not hold any, which is reported."""
        slot = self.slot
        header = find_array(self.files, slot.source, name, slot.span_of("lengths"), slot.where("lengths"))
        if isinstance(header, Diagnostic):
            self.report.add(header)
            return None
        if header.kind not in "iu" or len(header.shape) != 1:
            message = (
                f"`{name}` must be a one-dimensional array of integers, but it has dtype {header.descr} and shape "
                f"{header.shape}"
            )
            self.fault("NN506", message, "lengths")
            return None
        column = self.files.column(slot.source, name, values=True)
        return [int(length) for length in (column.values if column is not None else None) or [] if length is not None]

    def check_filled(self, shape: tuple[int, ...], levels: list[list[int]]) -> int:
        """Targets that have an axis of samples beside their lengths."""
        slot, model = self.slot, self.model
        layout = file_axes(slot, len(shape), is_end_to_end=False)
        assert layout.sample is not None
        row = shape[: layout.sample] + shape[layout.sample + 1 :]
        slot_layout(self.plan, slot, model, layout.names, row)
        find_padded_axes(model.data_axes, layout.names, row, levels, slot.lengths, [axis for axis, _ in model.follows])
        if len(levels[0]) != shape[layout.sample]:
            raise FitError(f"there are {len(levels[0])} lengths for {shape[layout.sample]} samples")
        return shape[layout.sample]


def _words_to_classes() -> tuple[Fix, ...]:
    return (Fix("if its words are classes: `task: classification`, with a softmax that has a unit for each"),)


def _words_to_numbers() -> tuple[Fix, ...]:
    """Where words become numbers: in the model, so that the deployed graph takes them too."""
    return (
        Fix(
            "the model maps strings to numbers: declare a separate input with `dtype: string`, read by a "
            "`StringLookup` (categories) or a `TextVectorization` (sentences)"
        ),
        Fix("follow it with an `Embedding`, which maps its indices to vectors; `output_mode: one_hot` needs none"),
    )


def _check_keys(plan: DataPlan, files: PlanFacts) -> Iterator[Diagnostic]:
    """The columns that order, label and group rows: there, and complete."""
    if plan.source is None or files.facts(plan.source) is None:
        return
    for name, span, where in plan.row_keys():
        column = find_column(files, plan.source, name, span, where)
        if isinstance(column, Diagnostic):
            yield column
        elif column.missing:
            yield missing_key(plan.source, name, list(column.missing), span, where)
        elif where == plan.order_path and name == plan.order_by and column.is_text and not column.is_time:
            fault = None if column.values is None else check_time_order(plan, column.values)
            if fault is not None:
                yield fault


def _check_counts(plan: DataPlan, files: PlanFacts, counts: Mapping[str, tuple[int, SlotPlan]]) -> Iterator[Diagnostic]:
    """Rows of all inputs and outputs, and of what orders and splits them, go together one by one."""
    if not counts:
        return
    rows, first = next(iter(counts.values()))
    for other_rows, slot in counts.values():
        if other_rows != rows:
            message = f"{slot.kind} `{slot.name}` has {other_rows} samples, but {first.kind} `{first.name}` has {rows}"
            yield Diagnostic("NN506", message, slot.span_of(slot.data_key), path=slot.where(slot.data_key))
    for name, span, where in plan.row_keys() if plan.source else ():
        assert plan.source is not None
        column = find_column(files, plan.source, name, span, where)
        if isinstance(column, ColumnFacts) and column.rows != rows:
            message = f"`{name}` has {column.rows} rows, but {first.kind} `{first.name}` has {rows} samples"
            yield Diagnostic("NN506", message, span, path=where)
