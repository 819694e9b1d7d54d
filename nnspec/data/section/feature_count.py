"""How many features a column becomes: one rule for `nnspec check` and the loader. Standard library only."""

from __future__ import annotations

from collections.abc import Collection

from nnspec.data.section.column_plan import UNKNOWN, ColumnPlan, MissingRule
from nnspec.data.sources.label_keys import label_key


def category_words(column: ColumnPlan, distinct: Collection[str] | None, rule: MissingRule) -> list[str] | None:
    """The categories that a column has places for, without those of unknown words and gaps.

    They are the spec's, else all distinct values of the column, whatever splits its rows: so the number follows from
    the file alone. Which of them are known is for the training rows to say.

    Args:
        distinct: the column's values; None where they are not known.
    """
    if column.categories is not None:
        return list(column.categories)
    if distinct is None:
        return None
    found = sorted(set(distinct))
    filled = label_key(rule.value) if rule.policy == "constant" and rule.value is not None else None
    if filled is not None and filled not in found:
        found.append(filled)
    return found


def has_gap_place(column: ColumnPlan, rule: MissingRule) -> bool:
    """Whether gaps of a column of words are a category of their own."""
    return column.is_text and rule.has_category


def has_indicator(column: ColumnPlan, rule: MissingRule) -> bool:
    """Whether a column of numbers has a further feature that says where it is missing."""
    return not column.is_text and rule.policy == "indicator"


def feature_count(column: ColumnPlan, distinct: Collection[str] | None, rule: MissingRule) -> int:
    """How many features a column becomes; of a one_hot the values must be known, by the spec or as `distinct`."""
    if column.kind != "one_hot":
        return 1 + has_indicator(column, rule)
    words = category_words(column, distinct, rule)
    assert words is not None, "the distinct values are known wherever features are counted"
    return len(words) + 1 + has_gap_place(column, rule)


def feature_names(column: ColumnPlan, distinct: Collection[str] | None, rule: MissingRule) -> list[str]:
    """What `nnspec show` calls the features of a column, in their order."""
    words = category_words(column, distinct, rule) if column.kind == "one_hot" else None
    if words is None:
        return [column.name, *([f"{column.name}=(missing)"] if has_indicator(column, rule) else [])]
    last = ["(missing)"] if has_gap_place(column, rule) else []
    return [f"{column.name}={word}" for word in [*words, UNKNOWN, *last]]
