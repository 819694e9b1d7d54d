"""The leakage report: what the splits share, and the warnings about it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks
from nnspec.data.dataset import Dataset
from nnspec.data.overview.duplicates import Duplicates, find_duplicates, is_expected
from nnspec.data.overview.telltales import Telltale, find_telltales
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.document.types import JsonObject


@dataclass(frozen=True, slots=True)
class Leakage:
    """What the splits share.

    Attributes:
        report: as JSON.
        warnings: NN570 and NN572.
    """

    report: JsonObject
    warnings: tuple[Diagnostic, ...]


def find_leakage(plan: DataPlan, data: Dataset) -> Leakage:
    """Compares the splits, and the inputs with the targets."""
    duplicates, telltales = find_duplicates(data), list(find_telltales(plan, data))
    warnings = [_telltale(told) for told in telltales]
    by_chance = bool(duplicates) and is_expected(data)
    if not by_chance:
        warnings = [_duplicates(plan, data, one) for one in duplicates] + warnings
    origins, pairs = data.origins, list(combinations(data.splits, 2))
    report: JsonObject = {
        "duplicates": [
            {
                "splits": [one.first, one.then],
                "samples": one.count,
                "other_targets": one.different,
                "by_chance": by_chance,
                "rows": [list(pair) for pair in one.rows],
            }
            for one in duplicates
        ],
        "telltales": [
            {"input": one.input.name, "column": one.column, "output": one.output.name, "how": one.how}
            for one in telltales
        ],
        "rows": {f"{a} {b}": _count_shared_rows(origins.parts[a], origins.parts[b]) for a, b in pairs},
    }
    if origins.groups is not None:
        members = {name: np.unique(origins.groups[rows]) for name, rows in origins.parts.items()}
        report["groups"] = {f"{a} {b}": len(np.intersect1d(members[a], members[b])) for a, b in pairs}
    if plan.window is not None:
        report["window"] = {"reach": plan.window.reach, "gap": plan.gap}
    report["warnings"] = [{"code": found.code, "message": found.message} for found in warnings]
    return Leakage(report, tuple(warnings))


def _count_shared_rows(first: np.ndarray, then: np.ndarray) -> int:
    """How many rows two splits share."""
    if not (mapped.is_long(first) or mapped.is_long(then)):
        return len(np.intersect1d(first, then))
    count = 1 + max(int(first.max()), int(then.max()))
    flags = mapped.zeros((count,), np.bool_)
    flags[first] = True
    return sum(int(np.count_nonzero(flags[part])) for part in chunks(then))


def _telltale(told: Telltale) -> Diagnostic:
    slot = told.input
    key = slot.item_key("columns", slot.columns.index(told.column))
    return Diagnostic(
        "NN572",
        f"column `{told.column}` of input `{slot.name}` {told.how} output `{told.output.name}`",
        slot.span_of(key),
        path=slot.where("columns"),
        fixes=(Fix(f"leave `{told.column}` out unless it is known when the model is used"),),
        severity=Severity.WARNING,
    )


def _duplicates(plan: DataPlan, data: Dataset, one: Duplicates) -> Diagnostic:
    size = data.splits[one.then].size
    listed = ", ".join(f"{then} (as {first})" for first, then in one.rows)
    is_one = one.count == 1
    message = (
        f"{one.count} of {size} samples of `{one.then}` {'has' if is_one else 'have'} the inputs of a sample of "
        f"`{one.first}`: row{'' if is_one else 's'} {listed}{', …' if one.count > len(one.rows) else ''}"
    )
    notes = (
        (f"{one.different} of them {'has' if one.different == 1 else 'have'} another target",) if one.different else ()
    )
    fixes = (
        Fix("remove the duplicates from the file, or keep them together: `group: COLUMN` or `by: {hash: COLUMN}`"),
    )
    part = next(part for part in plan.split.parts if part.name == one.then)
    where = f"data.split.{one.then}" if part.start is None else "data.split.by"
    return Diagnostic("NN570", message, part.span, path=where, notes=notes, fixes=fixes, severity=Severity.WARNING)
