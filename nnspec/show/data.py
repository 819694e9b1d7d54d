"""Data as tables that fit 80 columns: splits, columns, classes, samples, and what the splits share."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence

from nnspec.data.overview import BY_CHANCE
from nnspec.document.types import JsonObject

WIDTH = 80
_MOST = 40  # rows of a table
_WHOLE = 12  # characters: a cell of so many is never cut


def to_text(body: JsonObject, *, width: int = WIDTH) -> str:
    """The overview of `nnspec.data.overview.describe` as text."""
    splits = list(body["splits"])
    parts = [_splits(body["splits"], width)]
    for role in ("inputs", "outputs"):
        for name, slot in body[role].items():
            parts.append(_slot(role[:-1], name, slot, splits, width))
    parts += [_samples(body["samples"], width), _leakage(body["leakage"], width)]
    parts += [textwrap.fill(f"note: {note}", width, subsequent_indent="  ") + "\n" for note in body["notes"]]
    return "\n".join(part for part in parts if part)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]], width: int) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=Text(title), title_justify="left", pad_edge=False, padding=(0, 1))
    listed = list(rows)
    shown = [[_written(cell) for cell in row] for row in listed[:_MOST]]
    for index, name in enumerate(head):
        longest = max([len(name), *(len(row[index]) for row in shown)])
        is_left = not shown or any(cell[:1].isalpha() for cell in (row[index] for row in shown))
        table.add_column(
            Text(name),
            justify="left" if is_left else "right",
            overflow="ellipsis",
            no_wrap=True,
            min_width=longest if longest <= _WHOLE else None,
        )
    for row in shown:
        table.add_row(*map(Text, row))
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(table)
    more = f"… {len(listed) - _MOST} more\n" if len(listed) > _MOST else ""
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).rstrip() + "\n" + more


def _written(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)


def _splits(splits: JsonObject, width: int) -> str:
    keys = [key for key in next(iter(splits.values())) if key != "left_out" or any(s[key] for s in splits.values())]
    keys = [key for key in keys if key not in ("missing", "weights")]
    rows = ([name, *(body[key] for key in keys)] for name, body in splits.items())
    table = _table("splits", ["split", *(key.replace("_", " ") for key in keys)], rows, width)
    lacks = [(name, column, count) for name, s in splits.items() for column, count in s.get("missing", {}).items()]
    if not lacks:
        return table
    head = ["split", "column", "rows without a value"]
    return table + "\n" + _table("why samples are left out", head, lacks, width)


def _slot(role: str, name: str, slot: JsonObject, splits: list[str], width: int) -> str:
    title = f"{role} {name}: shape {' × '.join(map(str, slot['shape'])) or 'one value'}"
    if slot.get("task"):
        title += f", {slot['task']}"
    if "classes" in slot:
        counts = slot["classes"]
        labels = list(counts[splits[0]])
        if slot.get("task") == "binary" and len(labels) == 2:
            title += f": yes is `{labels[1]}`"
        totals = {split: sum(counts[split].values()) or 1 for split in splits}
        rows: list[Sequence[object]] = [
            [label, *(f"{counts[s][label]:,} ({counts[s][label] / totals[s]:.1%})" for s in splits)]
            for label in counts[splits[0]]
        ]
        return _table(title, ["class", *splits], rows, width)
    columns = slot["columns"] if isinstance(slot["columns"], dict) else {", ".join(slot["columns"]) or name: slot}
    numbers, words = [], []
    for column, body in columns.items():
        for number, split in enumerate(splits):
            found = body["splits"][split]
            first = (f"{column} ({body['type']})" if "type" in body else column) if number == 0 else ""
            if "most" in found:
                most = ", ".join(f"{word} {count}" for word, count in found["most"])
                words.append([first, split, found["missing"], found["distinct"], most])
            else:
                more = [found.get(key) for key in ("mean", "std", "min", "max")]
                numbers.append([first, split, found["missing"], *more])
    tables = []
    if numbers:
        tables.append(_table(title, ["column", "split", "missing", "mean", "std", "min", "max"], numbers, width))
    if words:
        tables.append(_table(title, ["column", "split", "missing", "distinct", "most frequent"], words, width))
    return "\n".join(tables)


def _samples(samples: list[JsonObject], width: int) -> str:
    rows = [
        [f"{sample['row']}", name, ", ".join(map(_written, values))]
        for sample in samples
        for name, values in (*sample["inputs"].items(), *sample["targets"].items())
    ]
    return _table("first samples of train", ["row", "name", "values"], rows, width)


def _leakage(leakage: JsonObject, width: int) -> str:
    lines = ["what the splits share"]
    for one in leakage["duplicates"]:
        first, then = one["splits"]
        other = f" ({one['other_targets']:,} with another target)" if one["other_targets"] else ""
        lines.append(f"  equal inputs: {one['samples']:,} of {then} are in {first} too{other}")
    if any(one["by_chance"] for one in leakage["duplicates"]):
        lines.append(f"    {BY_CHANCE}")
    if not leakage["duplicates"]:
        lines.append("  equal inputs: none")
    for key, what in (("groups", "groups"), ("rows", "rows")):
        shared = {pair: count for pair, count in leakage.get(key, {}).items() if count}
        if key in leakage:
            told = ", ".join(f"{count:,} in {pair.replace(' ', ' and ')}" for pair, count in shared.items())
            lines.append(f"  {what}: {told or 'none'}")
    if "window" in leakage:
        window = leakage["window"]
        lines.append(f"  windows: {window['reach']} rows each, all in one split; {window['gap']} rows between splits")
    return "\n".join(lines) + "\n"
