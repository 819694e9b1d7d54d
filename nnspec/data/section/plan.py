"""The parsed `data` section: what to read, how to split it, and the data of each input and output.

Standard library only. Every value keeps the span it came from, so that whatever goes wrong later can point at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from pathlib import Path

from nnspec.data.section.column_plan import ColumnPlan, MissingRule
from nnspec.data.section.copy_plan import CopyPlan
from nnspec.data.section.split_plan import SplitPlan
from nnspec.data.sources.base import SourcePlan
from nnspec.diagnostics import Span
from nnspec.ir.graph import ANOMALY, NO_TASK, NUMERIC_TASKS
from nnspec.ir.levels import LEVEL
from nnspec.lazy import dataclass

Argument = float | str | list[float]
AxisList = tuple[tuple[str, int | str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The model's side of one input or output.

    Attributes:
        axes: names and sizes without batch, in the model's order; a str is a symbol, None unknown. An output's are
            those of its head: a classification's class axis is among them.
        task: of an output: regression, quantiles, classification, binary or multilabel.
        classes: the class names that the spec gives an output.
        class_axis: the name of the axis that runs over classes.
        follows: those of an output's axes that follow an axis of an input, position by position, each with that axis.
        levels: of quantiles, the share of the targets below each position of the axis `level`.
        is_calibrated: whether calibration on the validation split moves them.
        is_anomaly: whether its targets, if it has any, are labels of anomalies, which only measure it.
        constraints: what must hold of the network's open sizes.
    """

    name: str
    axes: AxisList
    dtype: str
    span: Span
    task: str | None = None
    classes: tuple[str | int, ...] | None = None
    class_axis: str | None = None
    follows: tuple[tuple[str, str], ...] = ()
    levels: tuple[float, ...] = ()
    is_calibrated: bool = False
    is_anomaly: bool = False
    constraints: tuple[str, ...] = ()

    @property
    def data_axes(self) -> AxisList:
        """The axes that the slot's data have: of a classification's targets, which are indices, without classes; of
        quantiles without levels."""
        left_out = self.class_axis if self.task == "classification" else LEVEL if self.levels else None
        return tuple(axis for axis in self.axes if axis[0] != left_out)

    @property
    def has_target(self) -> bool:
        """Whether an input or output has data."""
        return self.task not in (NO_TASK, ANOMALY)

    @property
    def gives_values(self) -> bool:
        """Whether an output gives numbers in the units of its targets."""
        return self.task in NUMERIC_TASKS

    @property
    def class_size(self) -> int | None:
        """The size of the class axis, where there is one and it is known."""
        size = dict(self.axes).get(self.class_axis) if self.class_axis else None
        return size if isinstance(size, int) else None

    @property
    def is_text(self) -> bool:
        return self.dtype == "string"

    @property
    def is_float(self) -> bool:
        return self.dtype.startswith(("float", "bfloat"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """Windows of `lookback` rows whose targets stand `horizon` rows after the last one.

    Attributes:
        has_context: whether windows of later splits may begin in the rows of those before, so that only their targets
            are within the split.
        season: after how many rows the targets repeat, to naive forecasts and the scale of errors.
        recursive: how many rows ahead are forecast by feeding outputs back; 0: none but the horizon.
    """

    lookback: int
    horizon: tuple[int, ...]
    has_steps: bool  # the horizon was a list: targets have a step axis
    stride: int
    span: Span
    season: int = 1
    has_context: bool = False
    recursive: int = 0

    @property
    def reach(self) -> int:
        """Rows from a window's first to its last target, both included."""
        return self.lookback + max(self.horizon)

    @property
    def furthest(self) -> WindowPlan:
        """The windows of forecasts that feed on themselves: each row up to the furthest one is a target."""
        return replace(self, horizon=tuple(range(1, self.recursive + 1)), has_steps=True, recursive=0)

    def rows_of(self, slot: SlotPlan) -> range:
        """The rows that a windowed input reads, relative to the window's last row."""
        first = 1 if slot.ahead == "only" else 1 - self.lookback
        return range(first, 1 if slot.ahead == "no" else max(self.horizon) + 1)

    def count(self, rows: int) -> int:
        """How many windows that many consecutive rows give."""
        return 0 if rows < self.reach else (rows - self.reach) // self.stride + 1


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """`along` None: the default for the kind of data; else the axes whose entries keep statistics of their own."""

    method: str  # none, standard or minmax
    along: tuple[str, ...] | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPlan:
    """How values become classes. `kind` is labels (from the training rows), list, quantiles or edges."""

    kind: str
    span: Span
    labels: tuple[str | int, ...] = ()
    quantiles: int = 0
    edges: tuple[float, ...] = ()
    along: tuple[str, ...] | None = None

    @property
    def count(self) -> int | None:
        """The number of classes, where the spec alone says it."""
        return {"list": len(self.labels), "quantiles": self.quantiles, "edges": len(self.edges) + 1}.get(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlan:
    """Where one input's or output's data come from. `source` is its own file or the section's.

    Attributes:
        is_relative: whether an output is learned as the change from the window's last value.
        is_window_scaled: whether that change is in units of the window's mean magnitude.
        lengths: the arrays of the sequences' lengths, the outermost first: sentences a sample, words a sentence.
        padded_like: of an output, the input whose padding tells which targets count.
        ignore: of an output, the label or number of targets that do not count.
        ahead: of an input, whether its rows go on to the furthest horizon: `no`; `also`; or `only` those.
        is_static: whether the values of an input are the same in all rows of a series.
        folder_of: of an output, the input whose files' folders are its labels.
        function: of an output, what its numbers go through before they are scaled; undone in what the file gives.
        is_normal_only: of labels of anomalies, whether rows that are some are left out of training.
        encodings: where `columns` is a mapping, how each of them becomes features; empty where it is a list.
    """

    name: str
    role: str  # inputs or outputs
    source: SourcePlan
    columns: tuple[str, ...]
    array: str | None
    axes: tuple[str, ...] | None
    span: Span
    spans: dict[str, Span]
    lengths: tuple[str, ...] = ()
    pad_value: float | None = None
    scale: ScalePlan | None = None
    is_windowed: bool = False
    is_relative: bool = False
    is_window_scaled: bool = False
    classes: ClassPlan | None = None
    padded_like: str | None = None
    ignore: float | str | bool | None = None
    ahead: str = "no"
    is_static: bool = False
    folder_of: str | None = None
    encodings: tuple[ColumnPlan, ...] = ()
    function: str | None = None
    is_normal_only: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """Where a missing value keeps a sample from being one: `inputs` of the window, `ahead` of it, `outputs`."""
        return {"also": ("inputs", "ahead"), "only": ("ahead",)}.get(self.ahead, (self.role,))

    @property
    def counts_in_part(self) -> bool:
        """Whether an output says which of its targets count."""
        said = (self.lengths or None, self.padded_like, self.ignore)
        return self.role == "outputs" and any(value is not None for value in said)

    def needs_numbers(self, task: str | None) -> bool:
        """Whether an output's values must be numbers: all but labels."""
        return task in (None, *NUMERIC_TASKS) or (
            self.classes is not None and self.classes.kind in ("quantiles", "edges")
        )

    @property
    def kind(self) -> str:
        """`input` or `output`, for messages."""
        return self.role[:-1]

    def span_of(self, key: str) -> Span:
        return self.spans.get(key, self.span)

    def item_key(self, key: str, index: int) -> str:
        """`columns[1]` where that item has a place of its own, else `columns`."""
        item = f"{key}[{index}]"
        return item if item in self.spans else key

    def where(self, key: str = "") -> str:
        return f"data.{self.role}.{self.name}" + (f".{key}" if key else "")

    @property
    def data_key(self) -> str:
        """The key that names the data: columns, array, or the kind of a source that is one input's data."""
        if self.folder_of is not None:
            return "folder_of"
        return "columns" if self.columns else "array" if self.array else self.source.kind


@dataclass(frozen=True, slots=True)
class AugmentStep:
    """A random change of images in training, with its arguments as Keras' layer of that kind has them."""

    kind: str
    arguments: dict[str, Argument]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlan:
    """The whole `data` section.

    Attributes:
        outputs: those whose targets are read from a source.
        copies: those that reconstruct an input.
    """

    root: Path
    source: SourcePlan | None
    order_by: str | None
    series: str | None  # the column that says which series a row belongs to; several: their names joined
    series_parts: tuple[str, ...] = ()  # the columns that do so together, where they are several
    every: str | None = None  # the time from row to row
    weight: str | None = None  # the column with the weight of each sample
    missing_rules: dict[str, MissingRule]  # by column; under `*` for all that it does not name
    units: dict[str, str] = field(default_factory=dict)  # by column or array, what its numbers are measured in
    split: SplitPlan
    window: WindowPlan | None
    inputs: dict[str, SlotPlan]
    outputs: dict[str, SlotPlan]
    augment: tuple[AugmentStep, ...] = ()
    copies: dict[str, CopyPlan] = field(default_factory=dict)
    span: Span
    spans: dict[str, Span] = field(default_factory=dict)

    def slots(self) -> Iterator[SlotPlan]:
        yield from self.inputs.values()
        yield from self.outputs.values()

    def missing_rule(self, column: str = "*") -> MissingRule:
        """What is done where a column has no value."""
        found = self.missing_rules.get(column) or self.missing_rules.get("*")
        return found or MissingRule(policy="error", span=self.span)

    @property
    def missing(self) -> str:
        """What is done about gaps of all columns that are not named: the policy of their rule."""
        return self.missing_rule().policy

    def columns_of(self, output: str) -> tuple[str, ...]:
        """The columns that an output's targets are, or that it reconstructs."""
        slot = self.outputs.get(output)
        if slot is None and output in self.copies:
            slot = self.inputs.get(self.copies[output].input)
            return () if slot is None or slot.encodings else slot.columns  # what they become has other names
        return () if slot is None else slot.columns

    @property
    def gap(self) -> int:
        """Rows left out between two splits."""
        if not self.split.is_chronological:
            return 0
        if self.split.gap is not None:
            return self.split.gap
        return self.window.reach if self.window and not self.window.has_context else 0

    @property
    def order_path(self) -> str:
        """Where the document names `order_by`: beside the split, or in it."""
        return "data.split.by" if self.split.has_starts and "order_by key" not in self.spans else "data.order_by"

    def parts_of(self, name: str) -> tuple[str, ...]:
        """The columns that a key is made of: of several that tell series apart each, else itself."""
        return self.series_parts if self.series_parts and name == self.series else (name,)

    def row_keys(self) -> Iterator[tuple[str, Span, str]]:
        """The columns of `source` that order, label and group rows: name, span and place in the document."""
        if self.order_by is not None:
            yield self.order_by, self.spans.get("order_by", self.span), self.order_path
        for name in () if self.series is None else self.parts_of(self.series):
            yield name, self.spans.get("series.by", self.span), "data.series.by"
        if self.split.label_column is not None:
            yield self.split.label_column, self.split.spans.get("by", self.split.span), "data.split.by"
        if self.split.hash_column is not None:
            yield self.split.hash_column, self.split.spans.get("by", self.split.span), "data.split.by"
        if self.split.stratum is not None:
            yield self.split.stratum, self.split.spans.get("stratify", self.split.span), "data.split.stratify"
        if self.split.group is not None:
            yield self.split.group, self.split.spans.get("group", self.split.span), "data.split.group"

    @property
    def series_column(self) -> str | None:
        """The column whose values no window joins, and no gap is filled across."""
        return self.series or self.split.group or (self.split.hash_column if self.window is not None else None)

    @property
    def joins_files(self) -> bool:
        """Whether rows of two files may stand in one window, and a gap at a file's start be filled from another."""
        return self.split.by != "files" or self.source is None

    @property
    def group_column(self) -> str | None:
        """The column whose values go to one split as a whole; series that are cut in time do not."""
        if self.split.is_chronological or self.split.by == "files":
            return self.split.group
        return self.split.group or self.series

    def files(self) -> list[Path]:
        """Every file that the section reads and that exists, each once."""
        sources = [self.source] if self.source else []
        found = [path for source in [*sources, *(slot.source for slot in self.slots())] for path in source.files()]
        return list(dict.fromkeys(found))
