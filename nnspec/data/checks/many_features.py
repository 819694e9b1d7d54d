"""Whether a column of words becomes a feature for nearly every row, or more features than memory holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.data.section.column_plan import ColumnPlan
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics import Diagnostic, Fix, Severity

MOST = 10_000  # features of one column
_FEWEST = 50  # values of a column that could name its rows
_GB = 1e9


def check_many_features(slot: SlotPlan, features: Sequence[tuple[ColumnPlan, int]], rows: int) -> Iterator[Diagnostic]:
    """NN593: a feature for each value of a column in which most rows have a value of their own, or of very many.

    Args:
        features: each column and how many features it becomes.
    """
    for index, (column, count) in enumerate(features):
        if not column.has_places or column.categories is not None or count <= _FEWEST:
            continue
        if count <= (min(MOST, rows // 2) if column.kind == "one_hot" else MOST):
            continue
        size = 4 * count * rows / _GB
        more = f", which take {size:,.0f} GB" if size >= 1 else ""
        yield Diagnostic(
            "NN593",
            f"column `{column.name}` becomes {count:,} features for {rows:,} rows{more}: "
            "most values occur in few rows, so the network learns nothing of new ones",
            slot.span_of(slot.item_key("columns", index)),
            path=slot.where("columns"),
            fixes=(
                Fix(f"leave `{column.name}` out if it names the rows, or list its frequent values: `one_hot: [a, b]`"),
                Fix(f"give it an input of its own with `{column.name}: index`, read by an `Embedding`"),
            ),
            severity=Severity.WARNING,
        )
