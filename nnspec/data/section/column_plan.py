"""What the spec says of single columns: how a column's values become features, and what is done where one is missing.

Standard library only, as all of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import Diagnostic, Fix, Span
from nnspec.diagnostics.values import as_yaml
from nnspec.lazy import dataclass

TRANSFORMS = ("log", "log1p", "sqrt", "asinh")
SCALES = ("standard", "minmax", "robust")
WORDS = ("number", *SCALES, *TRANSFORMS, "boolean", "one_hot", "multi_hot", "index")
"""The encodings that a word alone names."""

DOMAINS: dict[str, tuple[float, bool]] = {"log": (0, True), "log1p": (-1, True), "sqrt": (0, False)}
"""The functions that are not defined for all numbers: where they begin to be, and whether only beyond that."""

STATISTICS = ("mean", "median", "most_frequent", "constant", "category", "indicator")
"""What a gap is filled with inside the deployed graph."""

INTERPOLATE = "interpolate"
"""The policy that fills gaps between known values of a series, within windows."""

CARRIED = ("forward_fill", INTERPOLATE)
"""The policies that need a value before a gap."""

PARTS: dict[str, int | None] = {
    "year": None,
    "quarter": 4,
    "month": 12,
    "week": 53,
    "day": 31,
    "weekday": 7,
    "day_of_year": 366,
    "hour": 24,
    "minute": 60,
    "second": 60,
    "days": None,
}
"""What a date has, each with after how many it begins again; None of what never does."""

SEPARATOR = "|"
"""What separates the words of a cell where the spec does not say."""

UNKNOWN = "?"  # the feature of values that no training row has


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """How one column becomes features.

    Attributes:
        kind: number, boolean, one_hot, multi_hot, index or date.
        transform: of a number, before it is scaled.
        scale: of a number; its statistics are those of the training rows.
        categories: as the spec gives them, in one spelling (`label_key`); None for those of the training rows.
        separator: of multi_hot, what stands between the words of a cell.
        parts: of a date, what becomes features: names of PARTS.
        is_cyclic: of a date, whether the parts that begin again become a sine and a cosine.
        form: of a date, how it is written; None for ISO 8601.
        truths: of a boolean, the words of 0 and of 1 as the spec gives them; None for those of `rules.truth`.
    """

    name: str
    kind: str
    span: Span
    transform: str | None = None
    scale: str | None = None
    categories: tuple[str, ...] | None = None
    separator: str = SEPARATOR
    parts: tuple[str, ...] = ()
    is_cyclic: bool = False
    form: str | None = None
    truths: tuple[str, str] | None = None

    @property
    def is_text(self) -> bool:
        """Whether values are words (numbers among them, in one spelling) rather than numbers."""
        return self.kind in ("one_hot", "multi_hot", "index")

    @property
    def has_places(self) -> bool:
        """Whether a column has a feature for each word, so that their number follows from the data."""
        return self.kind in ("one_hot", "multi_hot")

    @property
    def is_number(self) -> bool:
        """Whether values are read as numbers, whatever they are."""
        return self.kind == "number"

    @property
    def is_date(self) -> bool:
        return self.kind == "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRule:
    """What is done where a column has no value.

    Attributes:
        policy: error, forward_fill, drop, or one of STATISTICS, which are filled in by the deployed graph.
        value: of a constant; None for 0, or for a category of its own.
        fill: beside an indicator, the policy whose value stands in for the gap.
    """

    policy: str
    span: Span
    value: float | str | None = None
    fill: str = "median"

    @property
    def has_category(self) -> bool:
        """Whether gaps of words are a category of their own."""
        return self.policy == "category" or (self.policy == "constant" and self.value is None)

    @property
    def fills_words(self) -> bool:
        """Whether words and texts can be filled in so, rather than numbers alone."""
        return self.policy in ("most_frequent", "constant", "category")

    @property
    def is_in_graph(self) -> bool:
        return self.policy in STATISTICS


def is_outside(transform: str | None, value: float) -> bool:
    """Whether a function is not defined for a number."""
    if transform not in DOMAINS:
        return False
    limit, is_open = DOMAINS[transform]
    return value <= limit if is_open else value < limit


def no_truth(encoding: ColumnPlan, cell: str, place: str, where: str) -> Diagnostic:
    """NN550: a word of a boolean column that is neither yes nor no."""
    no, yes = encoding.truths or ("no", "yes")
    called = f"`{no}` nor `{yes}`" if encoding.truths else "yes nor no, nor 0, 1, true, false or their like"
    message = f"column `{encoding.name}` has `{cell}` in {place}, which is neither {called}"
    fixes = (Fix(f"`{encoding.name}: one_hot`"), Fix("name the two words: `{boolean: [unpaid, paid]}`"))
    return Diagnostic("NN550", message, encoding.span, path=where, fixes=fixes)


def unreadable_date(encoding: ColumnPlan, cell: str, place: str, cells: Sequence[str], where: str) -> Diagnostic:
    """NN554: a cell that is no date, with the formats that fit all cells."""
    from nnspec.runtime.rules.dates import propose_formats

    called = "ISO 8601, such as `2024-12-31 13:00`" if encoding.form is None else f"of the format `{encoding.form}`"
    message = f"column `{encoding.name}` has `{cell}` in {place}, which is not {called}"
    fixes = [
        Fix(f"write `{{date: {{parts: [{', '.join(encoding.parts)}], format: {as_yaml(form)}}}}}`")
        for form in propose_formats(cells)[:2]
    ]
    fixes += [] if fixes else [Fix("write the dates as ISO 8601, or their `format` as in strptime, such as `%d.%m.%Y`")]
    return Diagnostic("NN554", message, encoding.span, path=where, fixes=tuple(fixes))


def outside_domain(encoding: ColumnPlan, rows: list[int], where: str) -> Diagnostic:
    """NN551 for rows, from 1."""
    assert encoding.transform is not None
    limit, is_open = DOMAINS[encoding.transform]
    shown = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    bound = "at or below" if is_open else "below"
    count = "1 value" if len(rows) == 1 else f"{len(rows)} values"
    message = (
        f"column `{encoding.name}` has {count} {bound} {limit:g}, where {encoding.transform} is not defined: "
        f"row{'s' * (len(rows) > 1)} {shown}"
    )
    fixes = [Fix("`asinh` is defined for all numbers, and logarithmic far from 0")]
    if encoding.transform == "log":
        fixes.insert(0, Fix("`log1p` takes 0 too"))
    return Diagnostic("NN551", message, encoding.span, path=where, fixes=tuple(fixes))
