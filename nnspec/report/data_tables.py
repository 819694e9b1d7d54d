"""What a report says of the data: the tables of `data.json`, and what its splits share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnspec.data.overview import BY_CHANCE
from nnspec.document.types import JsonObject
from nnspec.report.tables import Exact, Table, format_number

_MOST_COLUMNS = 40
_MOST_CLASSES = 60
_KEYS = ("mean", "std", "min", "max")


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """What the splits share, in words.

    Attributes:
        warnings: code and message of each.
        facts: what was looked for, and what was found.
    """

    warnings: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


def data_tables(body: JsonObject) -> list[Table]:
    """Samples of the splits, statistics of the columns, and how often each class occurs."""
    if not body:
        return []
    splits = list(body["splits"])
    tables = [_splits(body["splits"])]
    lacks = [
        (split, column, f"{count:,}")
        for split, found in body["splits"].items()
        for column, count in found.get("missing", {}).items()
    ]
    if lacks:
        head = ("split", "column", "rows without a value")
        tables.append(Table(caption="Why samples are left out", head=head, rows=tuple(lacks)))
    for role in ("inputs", "outputs"):
        for name, slot in body[role].items():
            tables += _slot(role[:-1], name, slot, splits)
    return tables


def _splits(splits: Mapping[str, JsonObject]) -> Table:
    keys = [key for key in next(iter(splits.values())) if key not in ("missing", "weights")]
    rows, exact = [], Exact()
    for number, (name, found) in enumerate(splits.items()):
        for column, key in enumerate(keys, start=1):
            if isinstance(found.get(key), int):
                exact[number, column] = float(found[key])
        rows.append((name, *(format_number(found.get(key, "")) for key in keys)))
    head = ("split", *(key.replace("_", " ") for key in keys))
    return Table(caption="Rows and samples of each split", head=head, rows=tuple(rows), exact=exact)


def _slot(role: str, name: str, slot: JsonObject, splits: Sequence[str]) -> Iterator[Table]:
    shape = " × ".join(map(str, slot["shape"])) or "one value"
    if "classes" in slot:
        yield _classes(f"Classes of {role} {name} ({shape})", slot["classes"], splits)
        return
    columns = slot["columns"] if isinstance(slot["columns"], dict) else {", ".join(slot["columns"]) or name: slot}
    numbers = {c: found for c, found in columns.items() if "most" not in found["splits"][splits[0]]}
    words = {c: found for c, found in columns.items() if "most" in found["splits"][splits[0]]}
    if numbers:
        caption = f"Values of {role} {name} ({shape}), as they are in the data, missing ones left out"
        yield _numbers(caption, numbers, splits)
    if words:
        yield _words(f"Words of {role} {name}", words, splits)


def _classes(caption: str, counts: Mapping[str, Mapping[str, int]], splits: Sequence[str]) -> Table:
    labels = list(counts[splits[0]])
    rows, exact = [], Exact()
    for number, label in enumerate(labels[:_MOST_CLASSES]):
        cells = [label]
        for split in splits:
            total = sum(counts[split].values()) or 1
            exact[number, len(cells)] = float(counts[split][label])
            cells.append(f"{counts[split][label]:,} ({counts[split][label] / total:.1%})")
        rows.append(tuple(cells))
    return Table(caption=caption + _of(rows, labels), head=("class", *splits), rows=tuple(rows), exact=exact)


def _numbers(caption: str, columns: Mapping[str, JsonObject], splits: Sequence[str]) -> Table:
    rows, exact = list[tuple[str, ...]](), Exact()
    shown = dict(list(columns.items())[:_MOST_COLUMNS])
    for column, found in shown.items():
        for split in splits:
            each = found["splits"][split]
            for place, key in enumerate(("missing", *_KEYS), start=2):
                if each.get(key) is not None:
                    exact[len(rows), place] = float(each[key])
            rows.append((column, split, *(format_number(each.get(k, "")) for k in ("missing", *_KEYS))))
    head = ("column", "split", "missing", "mean", "deviation", "least", "greatest")
    return Table(caption=caption + _of(shown, columns), head=head, rows=tuple(rows), exact=exact)


def _words(caption: str, columns: Mapping[str, JsonObject], splits: Sequence[str]) -> Table:
    shown = dict(list(columns.items())[:_MOST_COLUMNS])
    rows = []
    for column, found in shown.items():
        for split in splits:
            each = found["splits"][split]
            most = ", ".join(f"{_short(word)} ({count:,})" for word, count in each["most"])
            rows.append((column, split, f"{each['missing']:,}", f"{each['distinct']:,}", most))
    head = ("column", "split", "missing", "distinct", "most frequent")
    return Table(caption=caption + _of(shown, columns), head=head, rows=tuple(rows))


def _of(shown: object, known: object) -> str:
    few, many = len(shown), len(known)  # type: ignore[arg-type]
    return f"; {few} of {many}" if few < many else ""


def _short(word: object) -> str:
    text = str(word) or "no text"
    return text if len(text) <= 40 else f"{text[:39]}…"


def leakage_of(body: JsonObject) -> Leakage:
    """What was looked for between splits, and what was found."""
    report = body.get("leakage", {}) if body else {}
    facts = []
    if "duplicates" in report:
        found = [
            f"{one['samples']:,} of {one['splits'][1]} are in {one['splits'][0]} too (rows "
            + ", ".join(f"{then} as {first}" for first, then in one["rows"])
            + (", …" if one["samples"] > len(one["rows"]) else "")
            + ")"
            + (f", {one['other_targets']:,} of them with another target" if one["other_targets"] else "")
            for one in report["duplicates"]
        ]
        if any(one.get("by_chance") for one in report["duplicates"]):
            found.append(BY_CHANCE)
        facts.append(("samples with equal inputs", "; ".join(found) or "none"))
    for key, what in (("rows", "rows in two splits"), ("groups", "groups in two splits")):
        if key in report:
            shared = [f"{count:,} in {' and '.join(pair.split(' '))}" for pair, count in report[key].items() if count]
            facts.append((what, ", ".join(shared) or "none"))
    if "telltales" in report:
        told = [f"`{one['column']}` of {one['input']} {one['how']} {one['output']}" for one in report["telltales"]]
        facts.append(("columns that give a target away", "; ".join(told) or "none"))
    if "window" in report:
        window = report["window"]
        facts.append(("windows", f"{window['reach']} rows each, all in one split; {window['gap']} rows between splits"))
    warnings = tuple((one["code"], one["message"]) for one in report.get("warnings", []))
    return Leakage(warnings=warnings, facts=tuple(facts))
