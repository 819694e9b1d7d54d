"""Parses `data.split`: how rows are divided, and whether that goes with windows, series and groups."""

from __future__ import annotations

from collections.abc import Callable

from nnspec.data.section.plan import WindowPlan
from nnspec.data.section.read_sources import spans_of
from nnspec.data.section.split_plan import Part, SplitPlan
from nnspec.diagnostics import Span
from nnspec.diagnostics.lists import quoted
from nnspec.diagnostics.values import as_yaml
from nnspec.document import Mapping, Node, to_plain
from nnspec.document.types import JsonObject

SPLITS = ("train", "validation", "test")
Fault = Callable[..., None]  # a code, a message, its place, the path in the document, and fixes


def time_column(split: object) -> str | None:
    """The column by whose times a `split` section divides rows, where it names one."""
    by = split.get("by") if isinstance(split, dict) else None
    return by.get("time") if isinstance(by, dict) else None


class SplitReader:
    """Reads the section.

    Args:
        order_by: the column that rows are sorted by, where the section `data` names one.
    """

    def __init__(self, fault: Fault, window: WindowPlan | None, series: str | None, order_by: str | None) -> None:
        self.fault = fault
        self.window, self.series, self.order_by = window, series, order_by

    def read(self, node: Node | None, key: Span) -> SplitPlan:
        body = to_plain(node) if isinstance(node, Mapping) else {}
        spans = spans_of(node) if isinstance(node, Mapping) else {}
        by_node = node.get("by") if isinstance(node, Mapping) else None
        if isinstance(by_node, Mapping):
            spans |= {f"by.{name}": value.span for name, value in by_node.entries.items()}
        default = "time" if self.order_by is not None else "order" if self.window else "random"
        by = body.get("by", default)
        kind, columns = self.read_by(by, spans.get("by", key))
        starts = {name: by[name] for name in SPLITS[1:] if name in by} if kind == "time" and columns else {}
        if "folds" in body:
            parts = self.read_folds(body, kind, is_word=not columns, spans=spans)
        elif starts:
            parts = self.read_starts(body, starts, spans)
        else:
            parts = tuple(self.read_part(name, body[name], kind, spans[name]) for name in SPLITS if name in body)
            if "train" not in body and not (kind == "time" and columns):
                self.fault("NN203", "`split` requires `train`", key, "data.split")
        if "final" in body and "folds" not in body:
            message = "`final` says what the model after the folds is trained on, but there is no `folds`"
            self.fault("NN514", message, spans["final"], "data.split.final", "add `folds: 5`, or leave out `final`")
        gap = body.get("gap", "auto")
        stratify = body.get("stratify")
        plan = SplitPlan(
            parts=parts,
            by="random" if kind == "stratified" else kind,
            label_column=columns.get("column") or columns.get("array"),
            hash_column=columns.get("hash"),
            has_starts=bool(starts),
            stratum=stratify if isinstance(stratify, str) else None,
            is_stratified=True if kind == "stratified" and stratify is None else stratify and True,
            group=body.get("group"),
            gap=None if gap == "auto" else gap,
            seed=body.get("seed", 0),
            folds=body.get("folds"),
            final=body.get("final", "all"),
            held_out=parts[1].fraction or 0.0 if "folds" in body and len(parts) > 1 else 0.0,
            span=key,
            spans=spans,
        )
        self.check(plan, is_by_word=not isinstance(by, dict))
        return plan

    def read_folds(self, body: JsonObject, kind: str, *, is_word: bool, spans: dict[str, Span]) -> tuple[Part, ...]:
        """The splits of the final model: all rows but the share for validation."""
        for name in ("train", "test"):
            if name in body:
                message = (
                    f"`{name}` cannot be combined with `folds`: each fold is the test split once, and trained "
                    f"on otherwise"
                )
                self.fault("NN514", message, spans[name], f"data.split.{name}", f"leave out `{name}`")
        if kind not in ("random", "stratified", "time", "order") or not is_word:
            message = "`folds` divides rows at random or in sequence, not by labels, keys, files or dates"
            fix = "write `by: random`, `stratified`, `time` or `order`; `group: COLUMN` keeps groups together"
            self.fault("NN514", message, spans.get("by", spans["folds"]), "data.split.by", fix)
        share = body.get("validation", 0.0)
        if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share < 1:
            message = "with `folds`, `validation` is a share of the rows that a fold trains on: above 0 and below 1"
            self.fault("NN514", message, spans["validation"], "data.split.validation", "write `validation: 0.1`")
            share = 0.0
        train = Part("train", 1.0 - share, None, spans["folds"])
        return (train, Part("validation", float(share), None, spans["validation"])) if share else (train,)

    def read_by(self, by: object, span: Span) -> tuple[str, dict[str, str]]:
        """What rows are divided by, and the columns that it takes, by the key that names each."""
        if not isinstance(by, dict):
            return str(by), {}
        named = [key for key in ("column", "array", "hash", "time") if key in by]
        others = [key for key in SPLITS if key in by]
        if len(named) != 1:
            message = f"{quoted(named)} are two ways to divide rows; keep one of them" if named else ""
            message = message or "`by` names no column: write `column`, `array`, `hash` or `time`"
            self.fault("NN208", message, span, "data.split.by")
            return "label", {}
        kind = {"hash": "hash", "time": "time"}.get(named[0], "label")
        if others and kind != "time":
            message = f"`{others[0]}` in `by` is the time at which a split begins: it needs `time`"
            self.fault("NN208", message, span, "data.split.by", f"write `{others[0]}` beside `by`")
        if not others and kind == "time":
            message = "`by: {time: …}` does not say at which time a split begins"
            fix = (
                f"write `by: {{time: {by['time']}, test: …}}`, or `order_by: {by['time']}` and `by: time` for fractions"
            )
            self.fault("NN514", message, span, "data.split.by", fix)
        if kind == "time" and self.order_by not in (None, by["time"]):
            message = f"rows are sorted by `{self.order_by}`, but divided by the times of `{by['time']}`"
            self.fault("NN514", message, span, "data.split.by", "leave out `order_by`")
        return kind, {named[0]: by[named[0]]}

    def read_starts(self, body: JsonObject, starts: JsonObject, spans: dict[str, Span]) -> tuple[Part, ...]:
        for name in SPLITS:
            if name in body:
                message = f"`{name}: {as_yaml(body[name])}` is a share, but `by` says at which times the splits begin"
                self.fault("NN514", message, spans[name], f"data.split.{name}", f"leave out `{name}` beside `by`")
        named = [name for name in SPLITS[1:] if name in starts]
        begun = (Part(name, None, None, spans[f"by.{name}"], starts[name]) for name in named)
        return (Part("train", None, None, spans["by"]), *begun)

    def read_part(self, name: str, value: bool | float | str | dict[str, int], kind: str, span: Span) -> Part:
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if kind == "files" and isinstance(value, str):
            return Part(name, None, value, span)
        if isinstance(value, dict):
            if kind not in ("time", "order"):
                message = f"`{name}: {as_yaml(value)}` counts the last rows in order, but `by` is not `time` or `order`"
                self.fault("NN514", message, span, f"data.split.{name}")
            return Part(name, int(value["rows"]), None, span)
        if kind != "label":
            if number is None or not 0 < number <= 1:
                message = f"`{name}: {as_yaml(value)}` is not a fraction: it must be above 0 and at most 1"
                fix = "to split by labels in the data, write `by: {column: NAME}`"
                self.fault("NN514", message, span, f"data.split.{name}", *([fix] if number is None else []))
                number = 0.0
            return Part(name, float(number), None, span)
        if isinstance(value, float) and 0 < value < 1:
            if name != "validation":
                message = (
                    f"`{name}: {value}` is a fraction, but `by` names a column: write the label of the rows to take"
                )
                self.fault("NN514", message, span, f"data.split.{name}")
            return Part(name, value, None, span)
        return Part(name, None, value if isinstance(value, str) else as_yaml(value), span)

    # ------------------------------------------------------------------------------------------------ checks

    def check(self, split: SplitPlan, *, is_by_word: bool) -> None:
        span_of = split.spans.get
        by_span = span_of("by", split.span)
        self.check_shares(split)
        if split.by == "time" and is_by_word and self.order_by is None:
            message = "`by: time` needs `order_by`, the column that rows are sorted by"
            fix = "name the column with `order_by`, or write `by: order` if the file is in order already"
            self.fault("NN514", message, by_span, "data.split.by", fix)
        if split.group is not None and split.is_chronological:
            message = f"`group` keeps whole groups together, which `by: {split.by}` cannot do"
            fixes = [f"write `by: random` to test on other values of `{split.group}` than those of training"]
            if self.window is not None:
                fixes.insert(0, f"write `series: {{by: {split.group}}}` beside `split` to cut each series in time")
            self.fault("NN514", message, span_of("group", split.span), "data.split.group", *fixes)
        if split.group is not None and split.by in ("hash", "files"):
            message = f"`group` and `by: {split.by}` both say which rows stay together; keep one of them"
            self.fault("NN514", message, span_of("group", split.span), "data.split.group")
        if split.gap and not split.is_chronological:
            message = "`gap` leaves out rows between consecutive splits, but these splits are not consecutive"
            self.fault(
                "NN514", message, span_of("gap", split.span), "data.split.gap", "write `by: time` or `by: order`"
            )
        self.check_strata(split)
        if self.window is not None:
            self.check_windows(split, by_span)

    def check_shares(self, split: SplitPlan) -> None:
        total = sum(part.fraction or 0.0 for part in split.parts if part.count is None)
        if not split.drawn_from_train and total > 1 + 1e-9:
            message = f"the fractions of `split` sum to {total:.6g}, which is more than 1"
            self.fault("NN514", message, split.span, "data.split")
        what = "label" if split.by == "label" else "pattern"
        seen: dict[str, str] = {}
        for part in split.parts:
            if part.label is not None and seen.setdefault(part.label, part.name) != part.name:
                message = f"`{part.name}` and `{seen[part.label]}` both have {what} `{part.label}`"
                self.fault("NN514", message, part.span, f"data.split.{part.name}")
        if split.by == "files" and any(part.name != "validation" for part in split.drawn_from_train):
            message = "some splits take a fraction of the files, others a pattern of their names: keep to one of them"
            fix = "`validation` alone can be a fraction beside patterns: it is taken from the training rows"
            self.fault("NN514", message, split.span, "data.split", fix)

    def check_strata(self, split: SplitPlan) -> None:
        """Classes are kept in proportion where rows are drawn one by one."""
        if not split.is_stratified and split.stratum is None:
            return
        key = "stratify" if "stratify" in split.spans else "by"
        span, where = split.spans.get(key, split.span), f"data.split.{key}"
        whole = f"`group: {split.group}`" if split.group else f"`series: {{by: {self.series}}}`" if self.series else ""
        has_share = bool(split.drawn_from_train)
        if split.by != "random" and not has_share:
            message = f"classes are kept in proportion where rows are drawn at random, not with `by: {split.by}`"
            self.fault("NN514", message, span, where, f"leave out `{key}`, or write `by: stratified`")
        elif whole:
            message = f"{whole} keeps rows together, so that they cannot be drawn in proportion to their classes"
            self.fault("NN514", message, span, where, f"leave out {whole} or `{key}`")

    def check_windows(self, split: SplitPlan, by_span: Span) -> None:
        """A window needs consecutive rows of one split."""
        keeper = split.group or self.series
        if split.by == "hash" and keeper not in (None, split.hash_column):
            message = f"`hash: {split.hash_column}` would divide the rows of a series, `{keeper}`, among the splits"
            self.fault("NN514", message, by_span, "data.split.by", f"write `hash: {keeper}`")
        if keeper is not None:
            return
        whole = "of several series, whole ones can be drawn: `series: {by: COLUMN}`"
        leak = "and windows that overlap would share rows between training and test"
        if split.by == "random":
            fix = f"write `by: time` or `by: order`; {whole}"
            message = f"a window needs consecutive rows, which `by: random` separates, {leak}"
            self.fault("NN514", message, by_span, "data.split.by", fix)
        for part in split.drawn_from_train:
            own = "label" if split.by == "label" else "pattern"
            fix = f"use a separate {own} for validation; {whole}"
            message = f"a window needs consecutive rows, which a random fraction separates, {leak}"
            self.fault("NN514", message, part.span, f"data.split.{part.name}", fix)
