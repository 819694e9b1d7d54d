"""Parses the nodes of a validated `data` section into a `DataPlan`.

What a schema without alternatives cannot say is checked here: keys that exclude each other or need one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnspec.data.section.augment import read_augment
from nnspec.data.section.copies import read_copy
from nnspec.data.section.copy_plan import CopyPlan
from nnspec.data.section.json_schema import SLOT_KEYS
from nnspec.data.section.plan import ClassPlan, DataPlan, SlotPlan, WindowPlan
from nnspec.data.section.read_columns import read_encodings, read_missing, read_target_encoding
from nnspec.data.section.read_query import read_query
from nnspec.data.section.read_sources import SourceReader, spans_of
from nnspec.data.section.read_split import SplitReader, time_column
from nnspec.data.section.read_values import read_classes, read_scale
from nnspec.data.sources.base import SourcePlan
from nnspec.data.sources.registry import all_kinds
from nnspec.data.sources.wanted import FOLDER
from nnspec.diagnostics import CompilerBug, Span
from nnspec.document import Mapping, Node, to_plain
from nnspec.runtime.rules.series_keys import join_names


def read_plan(node: object, root: Path, *, allow_outside: bool = False) -> DataPlan:
    """Reads the section; paths are relative to `root` and must stay below it unless `allow_outside`.

    Raises:
        SpecError: NN208, NN510, NN512, NN514 and NN516, all of them at once.
    """
    if not isinstance(node, Mapping):
        raise CompilerBug("the `data` section was not validated before it was read")
    return _Reader(node, root, allow_outside).read()


_AUTO = "auto"  # of lengths that the file says by itself


def _all_levels(lengths: str | list[str] | None) -> tuple[str, ...]:
    return (lengths,) if isinstance(lengths, str) else tuple(lengths or ())


def _body(node: Node | None) -> dict[str, Any]:
    return to_plain(node) if isinstance(node, Mapping) else {}


class _Reader(SourceReader):
    def __init__(self, node: Mapping, root: Path, allow_outside: bool) -> None:
        super().__init__(root, allow_outside)
        self.node = node
        self.window: WindowPlan | None = None
        self.series: str | None = None
        self.series_parts: tuple[str, ...] = ()

    def read(self) -> DataPlan:
        spans = spans_of(self.node)
        if "order_by" in self.node.entries:
            spans["order_by key"] = self.node.key_span("order_by")
        plain = _body(self.node)
        source = self.node.get("source")
        if isinstance(source, Mapping):
            self.source = self.read_source(source, "data.source")
        self.source = read_query(self, self.node)
        self.window = self.read_window(plain.get("window"), spans)
        series = self.node.get("series")
        if isinstance(series, Mapping):
            given = plain["series"].get("by")
            named = [given] if isinstance(given, str) else list(given or ())
            self.series = (join_names(named) if len(named) > 1 else named[0]) if named else None
            self.series_parts = tuple(named) if len(named) > 1 else ()
            spans |= {f"series.{key}": value.span for key, value in series.entries.items()}
            self.read_time(plain, series, spans)
        split_node = self.node.get("split")
        place = self.node.key_span("split") if isinstance(split_node, Mapping) else self.node.span
        split = SplitReader(self.fault, self.window, self.series, plain.get("order_by")).read(split_node, place)
        self.has_split_folders = split.names_folders
        if "by" in split.spans:
            spans.setdefault("order_by", split.spans["by"])
        slots: dict[str, dict[str, SlotPlan]] = {"inputs": {}, "outputs": {}}
        copies: dict[str, CopyPlan] = {}
        for role, found in slots.items():
            section = self.node.get(role)
            for name, body in section.entries.items() if isinstance(section, Mapping) else ():
                if role == "outputs" and isinstance(body, Mapping) and "of" in body.entries:
                    copy = read_copy(name, body, self.fault)
                    copies |= {name: copy} if copy is not None else {}
                    continue
                slot = self.read_slot(role, name, body) if isinstance(body, Mapping) else None
                if slot is not None:
                    found[name] = slot
                    self.found[role, name] = slot.source
        plan = DataPlan(
            root=self.root,
            source=self.source,
            order_by=plain.get("order_by") or time_column(plain.get("split")),
            series=self.series,
            series_parts=self.series_parts,
            every=str(plain["series"]["every"]) if isinstance(series, Mapping) and "every" in plain["series"] else None,
            weight=plain.get("weight"),
            missing_rules=read_missing(self.node.get("missing")),
            units=plain.get("units") or {},
            split=split,
            window=self.window,
            inputs=slots["inputs"],
            outputs=slots["outputs"],
            augment=read_augment(plain.get("augment"), spans),
            copies=copies,
            span=self.node.span,
            spans=spans,
        )
        has_table = self.source is not None or source is not None or "query" in plain
        keys = [*plan.row_keys(), *([(plan.weight, spans["weight"], "data.weight")] if plan.weight is not None else [])]
        for key, span, where in () if has_table else keys:
            self.fault("NN503", f"`{key}` is read from `source`, but section `data` has no `source`", span, where)
        self.report.raise_errors()
        return plan

    def read_time(self, plain: dict[str, Any], series: Mapping, spans: dict[str, Span]) -> None:
        """`series: {time: …}` is another word for `order_by`; `every` needs one of them."""
        body = plain["series"]
        span = series.entries["time"].span if "time" in body else series.span
        if "time" in body and plain.setdefault("order_by", body["time"]) != body["time"]:
            message = f"rows are sorted by `{plain['order_by']}`, but the times of the series are in `{body['time']}`"
            self.fault("NN208", message, span, "data.series.time", "leave out `order_by`")
        spans.setdefault("order_by", span)
        if "every" in body and "order_by" not in plain:
            message = "`every` needs the column of times"
            fix = "name it with `time`, as in `series: {time: date, every: 1d}`"
            self.fault("NN574", message, series.entries["every"].span, "data.series.every", fix)

    def read_window(self, body: dict[str, Any] | None, spans: dict[str, Span]) -> WindowPlan | None:
        if body is None:
            return None
        node = self.node.get("window")
        spans |= {f"window.{key}": span for key, span in spans_of(node).items()} if isinstance(node, Mapping) else {}
        horizon = body.get("horizon", 1)
        has_steps = isinstance(horizon, list)
        steps = tuple(horizon) if has_steps else (horizon,)
        return WindowPlan(
            lookback=body["lookback"],
            horizon=steps,
            has_steps=has_steps,
            stride=body.get("stride", 1),
            span=spans["window"],
            season=body.get("season", 1),
            has_context=body.get("context", False),
            recursive=body.get("recursive", 0),
        )

    # ------------------------------------------------------------------------------------------------ slots

    def read_slot(self, role: str, name: str, node: Mapping) -> SlotPlan | None:
        body, where, spans = _body(node), f"data.{role}.{name}", spans_of(node)
        # the key's own span where the body is the fault, the value's span where the value is
        section = self.node.entries[role]
        span = section.key_span(name) if isinstance(section, Mapping) else node.span
        source = self.read_source(node, where) or self.folders_of(node, where) or self.source
        if not self.check_slot(body, node, where, role[:-1], name, span, source):
            return None
        if source is None:
            return None
        scale = read_scale(body.get("scale"), spans)
        classes = read_classes(body.get("classes"), spans, where, self.fault)
        if classes is not None and scale is not None and scale.method != "none":
            self.fault("NN208", f"output `{name}` has `classes`, which cannot be scaled", scale.span, f"{where}.scale")
        is_relative = "relative_to" in body
        if is_relative and classes is not None:
            message = f"output `{name}` has `classes`: there is no last value to add back to a class"
            self.fault("NN516", message, spans["relative_to"], f"{where}.relative_to")
        encodings = read_encodings(node.get("columns"), f"{where}.columns", self.fault)
        for key in ("scale", "axes", "pad_value") if encodings else ():
            if key in body:
                message = (
                    f"`{key}` cannot be combined with a mapping of columns, which sets the encoding of each column"
                )
                self.fault("NN208", message, node.key_span(key), f"{where}.{key}", f"remove `{key}`")
        function = None
        if encodings and role == "outputs":
            function, scale = read_target_encoding(name, encodings, f"{where}.columns", self.fault)
            truths = encodings[0].truths
            if truths is not None and classes is None:
                classes = ClassPlan(kind="list", span=encodings[0].span, labels=truths)
            encodings = ()
        axes, array, lengths = body.get("axes"), body.get("array"), _all_levels(body.get("lengths"))
        if lengths and set(lengths) == {_AUTO}:
            array, lengths = source.source.sequence_names(str(array), len(lengths)) or (array, lengths)
        pad = body.get("pad_value", 0.0 if "lengths" in body and role == "inputs" else None)
        return SlotPlan(
            name=name,
            role=role,
            source=source,
            columns=(FOLDER,) if "folder_of" in body else tuple(body.get("columns", ())),
            array=array,
            axes=None if axes is None else tuple(axes),
            span=span,
            spans=spans,
            lengths=lengths,
            pad_value=None if pad is None else float(pad),
            scale=scale,
            is_windowed=self.window is not None and body.get("window", True) and not body.get("static", False),
            ahead={False: "no", True: "also"}.get(body.get("ahead", False), "only"),
            is_static=body.get("static", False),
            is_relative=is_relative,
            is_window_scaled=body.get("relative_to") == "window",
            classes=classes,
            padded_like=body.get("padded_like"),
            ignore=body.get("ignore"),
            folder_of=body.get("folder_of"),
            encodings=encodings,
            function=function,
            is_normal_only=body.get("train_on") == "normal",
        )

    def check_slot(
        self,
        body: dict[str, Any],
        node: Mapping,
        where: str,
        kind: str,
        name: str,
        span: Span,
        source: SourcePlan | None,
    ) -> bool:
        """Whether the keys agree: exactly one of `columns`, `array` and a file of its own, and what goes with it."""
        before = len(self.report.items)
        own = [found.kind for found in self.kinds_of(node, where) if not found.selectors]
        selectors = [key for key in ("columns", "array", "folder_of", *own) if key in body]
        for second in selectors[1:]:
            message = f"`{selectors[0]}` and `{second}` both name the data of {kind} `{name}`; keep one of them"
            self.fault("NN208", message, node.key_span(second), where)
        if not selectors:
            alone = " or ".join(f"`{found.kind}`" for found in all_kinds() if not found.selectors)
            fix = f"write `columns` of the table, an `array` of the .npz, or a separate file: {alone}"
            self.fault("NN512", f"{kind} `{name}` does not say where its data comes from", span, where, fix)
            return False
        what = selectors[0]
        if what in ("columns", "array") and source is None:
            message = f"{kind} `{name}` takes `{what}`, but there is no file to take them from"
            fix = "name it with `source: {csv: …}`"
            self.fault("NN512", message, node.key_span(what), f"{where}.{what}", fix)
            return False
        if what == "array" and source is not None and "array" not in source.source.selectors:
            message = f"`array` is read from .npz, JSON and Parquet files, not from `{source.shown}`"
            self.fault("NN208", message, node.key_span(what), f"{where}.{what}", "use `columns` for a table")
        for key, needed in self.strange_keys(body, node, where, source):
            if what != needed:
                self.fault("NN208", f"`{key}` applies to `{needed}`, not to `{what}`", node.key_span(key), where)
        said = [key for key in ("lengths", "padded_like", "ignore") if key in body] if kind == "output" else []
        for second in said[1:]:
            message = f"`{said[0]}` and `{second}` both say which targets of output `{name}` count; give one of them"
            self.fault("NN208", message, node.key_span(second), where)
        if "lengths" in body and kind == "input" and "sample" in body.get("axes", ()):
            message = "with `lengths` the samples follow one another along the sequence axis: there is no axis `sample`"
            self.fault("NN208", message, node.entries["axes"].span, f"{where}.axes")
        if "lengths" in body and self.window is not None and body.get("window", True):
            message = f"{kind} `{name}` has `lengths`: its rows are whole sequences and cannot be cut into windows"
            self.fault(
                "NN208", message, node.key_span("lengths"), where, "leave `window` out, or write `window: false`"
            )
        if kind == "output" and "relative_to" in body and (self.window is None or what != "columns"):
            reason = "the section has no `window`" if self.window is None else f"its data is `{what}`, not `columns`"
            message = (
                f"`relative_to: {body['relative_to']}` of output `{name}` needs a window's last value, but {reason}"
            )
            self.fault("NN516", message, node.entries["relative_to"].span, f"{where}.relative_to")
        return len(self.report.items) == before

    def strange_keys(
        self, body: dict[str, Any], node: Mapping, where: str, source: SourcePlan | None
    ) -> Iterator[tuple[str, str]]:
        """The keys that go with another kind of source than an input or output has, and what they go with."""
        options = source.source.options.keys() if source is not None else set()
        if "lengths" in body and "lengths" not in options:
            yield "lengths", "array"
        own = {found.kind for found in self.kinds_of(node, where)}
        if source is not None and source.kind not in own:  # the section's, whose options stand beside its path
            for key in (body.keys() & options) - SLOT_KEYS:
                message = f"`{key}` says how `{source.shown}` is written: write it next to that path, in `source`"
                self.fault("NN208", message, node.key_span(key), where)
        strange = body.keys() - {*SLOT_KEYS, *options, *own}
        if strange:
            yield from ((key, found.kind) for found in all_kinds() for key in found.options if key in strange)
