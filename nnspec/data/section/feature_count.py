"""How many features a column becomes: one rule for `nnspec check` and the loader. Standard library only."""

from __future__ import annotations

from collections.abc import Collection

from nnspec.data.section.column_plan import PARTS, UNKNOWN, ColumnPlan, MissingRule
from nnspec.data.sources.label_keys import label_key
from nnspec.runtime.rules.delimited import split_words


def words_in(column: ColumnPlan, cells: Collection[str]) -> list[str]:
    """The words of cells: of multi_hot several a cell, else the cells themselves."""
    if column.kind != "multi_hot":
        return list(cells)
    return [word for cell in dict.fromkeys(cells) for word in split_words(cell, column.separator)]


def fill_words(column: ColumnPlan, rule: MissingRule) -> list[str] | None:
    """The words that a constant fills gaps with; None where the rule is another."""
    if rule.policy != "constant" or rule.value is None:
        return None
    return words_in(column, [label_key(rule.value)])


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
    return found + [word for word in fill_words(column, rule) or () if word not in found]


def has_gap_place(column: ColumnPlan, rule: MissingRule) -> bool:
    """Whether gaps of a column of words are a category of their own."""
    return column.is_text and rule.has_category


def has_indicator(column: ColumnPlan, rule: MissingRule) -> bool:
    """Whether a column of numbers has a further feature that says where it is missing."""
    return not column.is_text and rule.policy == "indicator"


def feature_count(column: ColumnPlan, distinct: Collection[str] | None, rule: MissingRule) -> int:
    """How many features a column becomes; of words with a place each they must be known, by the spec or `distinct`."""
    if not column.has_places:
        own = len(date_features(column)) if column.is_date else 1
        return own + has_indicator(column, rule)
    words = category_words(column, distinct, rule)
    assert words is not None, "the distinct values are known wherever features are counted"
    return len(words) + 1 + has_gap_place(column, rule)


def feature_names(column: ColumnPlan, distinct: Collection[str] | None, rule: MissingRule) -> list[str]:
    """What `nnspec show` calls the features of a column, in their order."""
    words = category_words(column, distinct, rule) if column.has_places else None
    if words is None:
        own = date_features(column) if column.is_date else [column.name]
        return [*own, *([f"{column.name}=(missing)"] if has_indicator(column, rule) else [])]
    last = ["(missing)"] if has_gap_place(column, rule) else []
    return [f"{column.name}={word}" for word in [*words, UNKNOWN, *last]]


def date_features(column: ColumnPlan) -> list[str]:
    """What the parts of a date are called as features, in their order."""
    found = []
    for part in column.parts:
        name = f"{column.name}.{part}"
        found += [f"sin({name})", f"cos({name})"] if column.is_cyclic and PARTS[part] is not None else [name]
    return found
