"""The fields of a page: what a person fills in for each input, by the file's metadata, with a sample filled in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from nnspec.runtime.ports import BATCH
from nnspec.runtime.rules.images import ShapeError, form_of

Body = Mapping[str, object]  # what the metadata say of an input
_MOST_CHOICES = 300
_MOST_RANGES = 6  # of the columns of a table
_GAP_DATE = -(2**63)
_OTHER = "(another)"  # a word that no training row had


@dataclass(frozen=True, kw_only=True)
class Field:
    """A control of the form.

    Attributes:
        kind: `number`, `choice`, `choices`, `date`, `word`, `text`, `picture`, `clip`, `values` or `table`.
        input: the model's input; empty for the table of all.
        column: of a table, which it takes the place of.
        value: what is filled in.
        choices: what there is to choose from, each a value and its text.
        may_lack: whether it may be left empty.
        size: of an image, height and width in pixels.
        unit: what the number is measured in.
    """

    kind: str
    input: str
    label: str
    column: str = ""
    value: str = ""
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    may_lack: bool = False
    separator: str = ""
    size: tuple[int, int] = (0, 0)
    unit: str = ""


def build_fields(metadata: Body, sample: Mapping[str, np.ndarray]) -> list[Field]:
    """The fields of a model.

    Args:
        sample: of each input one sample, batch left out; empty where there is none.
    """
    states = _mapping(metadata["states"])
    inputs = {name: _mapping(body) for name, body in _mapping(metadata["inputs"]).items() if name not in states}
    if metadata.get("window") and all(body.get("columns") for body in inputs.values()):
        return [_table_field(metadata, inputs, sample)]
    fields: list[Field] = []
    for name, body in inputs.items():
        fields += _fields_of(name, body, metadata, sample.get(name))
    return fields


def picture_form(body: Body) -> dict[str, object] | None:
    """How an image becomes an input: that of its files, or of an array with the axes of an image."""
    said = _mapping(body.get("files") or {})
    if said:
        return {**said, "white": 255} if said["kind"] == "images" else None
    axes = [(str(name), size) for name, size in _axes(body) if name != BATCH]
    if body.get("columns") or body.get("dtype") == "string":
        return None
    try:
        form = form_of(axes)
    except ShapeError:
        return None
    names = {name.lower() for name, _ in axes}
    is_named = bool(names & {"height", "row", "y"}) and bool(names & {"width", "column", "x"})
    return form.to_json([name for name, _ in axes]) if is_named and min(form.height, form.width) > 1 else None


def _fields_of(name: str, body: Body, metadata: Body, sample: np.ndarray | None) -> list[Field]:
    picture = picture_form(body)
    if picture is not None:
        height, width = _sequence(picture["size"])
        hint = f"PNG, JPEG or WebP; it becomes {height} × {width} pixels"
        return [Field(kind="picture", input=name, label=name, hint=hint, size=(int(str(height)), int(str(width))))]
    said = _mapping(body.get("files") or {})
    if said.get("kind") == "audio":
        rate = f", {said['rate']} Hz" if said.get("rate") else ""
        filled = "the sample of the file" if sample is not None else ""
        return [Field(kind="clip", input=name, label=name, hint=f"WAV, FLAC or Ogg Vorbis{rate}", value=filled)]
    if said.get("kind") == "text":
        return [Field(kind="text", input=name, label=name, value=_first(sample))]
    if body.get("encoding"):
        return [_raw_column(name, body, metadata, sample)]
    columns = [str(column) for column in _sequence(body.get("columns") or ())]
    sizes = [size for axis, size in _axes(body) if axis != BATCH]
    count = int(np.prod([size if isinstance(size, int) else 1 for size in sizes]))
    if body.get("dtype") == "string" and count == 1:
        return [
            Field(kind="text", input=name, label=columns[0] if columns else name, column=name, value=_first(sample))
        ]
    if columns and len(columns) == count:
        return _numbers(name, body, metadata, columns, sample)
    value = json.dumps(_lists(_zeros(body) if sample is None else sample), ensure_ascii=False)
    axes = " × ".join(
        f"{axis} {size}" if isinstance(size, int) else str(axis) for axis, size in _axes(body) if axis != BATCH
    )
    hint = "; ".join(
        filter(None, (f"nested lists as JSON, axes {axes}" if axes else "a number", _describe_seen(body, "")))
    )
    return [Field(kind="values", input=name, label=name, value=value, hint=hint, unit=_unit(body, ""))]


def _numbers(name: str, body: Body, metadata: Body, columns: Sequence[str], sample: np.ndarray | None) -> list[Field]:
    """A field for each of the columns of a plain input."""
    scaling = _mapping(_mapping(_mapping(metadata.get("preprocessing") or {}).get("inputs") or {}).get(name) or {}).get(
        "scaling"
    )
    values = _offsets(_mapping(scaling or {}), len(columns)) if sample is None else sample.reshape(-1)
    gaps = [str(column) for column in _sequence(body.get("gaps") or ())]
    return [
        Field(
            kind="number", input=name, column=column, label=column, may_lack=column in gaps, value=_text(values[i]),
            unit=_unit(body, column), hint=_describe_seen(body, column),
        )
        for i, column in enumerate(columns)
    ]  # fmt: skip


def _offsets(scaling: Body, count: int) -> np.ndarray:
    """What is subtracted from each column, a value in the midst of it or its least; zeros where it is not told."""
    values = np.asarray(scaling.get("offset", 0.0), np.float64).reshape(-1)
    return values if len(values) == count else np.full(count, values[0] if len(values) == 1 else 0.0)


def _describe_seen(body: Body, column: str) -> str:
    """Which values training had: the smallest and the largest, as the data have them.

    How they are scaled says no more: offset and divisor are a mean and a deviation, or two others, and count what was
    filled in.
    """
    found = _mapping(body.get("ranges") or {}).get(column) if column else body.get("range")
    if not found:
        return ""
    least, most = map(_text, _sequence(found))
    return f"in training {least} to {most}"


def _unit(body: Body, column: str) -> str:
    """What a column, or all values of an input without columns, is measured in."""
    return str(body.get("unit") or _mapping(body.get("units") or {}).get(column) or "")


def _raw_column(name: str, body: Body, metadata: Body, sample: np.ndarray | None) -> Field:
    """The field of a column that the file encodes itself."""
    kind = str(body["encoding"])
    column = str(_sequence(body.get("columns") or (name,))[0])
    field = Field(kind="word", input=name, column=column, label=column, may_lack=bool(body.get("gaps")))
    told = _port(metadata, str(body.get("input")), name)
    value = _first(sample)
    if kind == "number":
        offset, fill = float(str(told.get("offset") or 0)), told.get("fill")
        filled = "" if fill is None or not field.may_lack else f"left empty it counts as {_text(fill)}"
        hint = ", ".join(filter(None, (_describe_seen(body, column), filled)))
        unit = _unit(body, column)
        return replace(field, kind="number", value=_text(offset) if sample is None else value, hint=hint, unit=unit)
    if kind == "date":
        form = body.get("format")
        hint = f"as {form}" if form else "ISO 8601: 2024-05-31 or 2024-05-31T14:00"
        return replace(field, kind="date", value="" if sample is None else _date(sample, form), hint=hint)
    if kind == "boolean":
        given = [str(word) for word in _sequence(body.get("truths") or ("0", "1"))]
        texts = given if body.get("truths") else ["no", "yes"]
        return _choice_field(field, tuple(zip(given, texts, strict=True)), value)
    words = [str(word) for word in _sequence(told.get("words") or ())]
    choices = tuple((word, word) for word in words)
    if not choices or len(choices) > _MOST_CHOICES:
        return replace(field, value=value, choices=choices[:_MOST_CHOICES])
    if kind == "multi_hot":
        separator = str(body.get("separator") or ",")
        return replace(field, kind="choices", value=value, choices=choices, separator=separator, hint="any of them")
    return _choice_field(field, choices if _OTHER in words else (*choices, (_OTHER, _OTHER)), value)


def _choice_field(field: Field, choices: tuple[tuple[str, str], ...], value: str) -> Field:
    """A field with one of several choices, the first where the sample has none of them."""
    every = (("", "(missing)"), *choices) if field.may_lack else choices
    known = [each for each, _ in every]
    chosen = value if value in known else _OTHER if value and _OTHER in known else known[0]
    return replace(field, kind="choice", choices=every, value=chosen)


def _port(metadata: Body, network_input: str, name: str) -> Body:
    """What the file does with a raw column."""
    encoded = _mapping(_mapping(metadata.get("preprocessing") or {}).get("columns") or {}).get(network_input)
    ports = _sequence(_mapping(encoded or {}).get("ports") or ())
    return next((_mapping(port) for port in ports if _mapping(port).get("port") == name), {})


def _table_field(metadata: Body, inputs: Mapping[str, Body], sample: Mapping[str, np.ndarray]) -> Field:
    """Rows of a table, enough for one window: those of the sample, or lines to be filled in."""
    lookback = int(str(_mapping(metadata["window"])["lookback"]))
    spans = {name: _rows(body, lookback) for name, body in inputs.items()}
    first, last = min(1 - lookback, *(a for a, _ in spans.values())), max(b for _, b in spans.values())
    columns = list(dict.fromkeys(str(c) for body in inputs.values() for c in _sequence(body["columns"])))
    cells = {row: dict.fromkeys(columns, "") for row in range(first, last + 1)}
    for name, body in inputs.items():
        names = [str(column) for column in _sequence(body["columns"])]
        begin, end = spans[name]
        values = _by_row(body, sample.get(name), end - begin + 1, len(names))
        for i, row in enumerate(range(begin, end + 1)):
            for k, column in enumerate(names):
                is_date = body.get("encoding") == "date"
                cells[row][column] = _date(values[i, k], body.get("format")) if is_date else _text(values[i, k])
                if body.get("step", "") is None:  # the same in all rows
                    for other in cells.values():
                        other[column] = other[column] or cells[row][column]
    options = _mapping(next((body["options"] for body in inputs.values() if body.get("options")), {}))
    stream = io.StringIO()
    plain = str(options.get("quote", '"')) == "none"
    writer = csv.writer(
        stream, delimiter=str(options.get("delimiter", ",")), lineterminator="\n",
        quoting=csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL, escapechar="\\" if plain else None,
    )  # fmt: skip
    decimal = str(options.get("decimal", "."))
    writer.writerow(columns)
    writer.writerows([[cell.replace(".", decimal) for cell in row.values()] for row in cells.values()])
    hint = f"CSV with a head line; {last - first + 1} rows are a window, each further row is one more"
    seen = {
        column: f"{_describe_seen(body, column).removeprefix('in training ')} {_unit(body, column)}".strip()
        for body in inputs.values()
        for column in map(str, _sequence(body["columns"]))
    }
    ranges = [f"`{column}` {text}" for column, text in seen.items() if text]
    if ranges:
        hint += f"; in training {', '.join(ranges[:_MOST_RANGES])}{', …' if len(ranges) > _MOST_RANGES else ''}"
    return Field(kind="table", input="", label="rows", value=stream.getvalue(), hint=hint)


def _rows(body: Body, lookback: int) -> tuple[int, int]:
    if "step" in body and body["step"] is None:
        return 0, 0
    first, last = _sequence(body.get("rows") or (1 - lookback, 0))
    return int(str(first)), int(str(last))


def _by_row(body: Body, sample: np.ndarray | None, rows: int, columns: int) -> np.ndarray:
    """A window's values, axes `row column`."""
    if sample is None:
        return np.full((rows, columns), "" if body.get("dtype") == "string" else 0, dtype=object)
    names = [str(axis) for axis, _ in _axes(body) if axis != BATCH]
    step = body.get("step")
    ordered = np.moveaxis(sample, names.index(str(step)), 0) if step in names else sample
    return ordered.reshape(rows, columns)


def _zeros(body: Body) -> np.ndarray:
    sizes = [size if isinstance(size, int) else 1 for axis, size in _axes(body) if axis != BATCH]
    return np.full(sizes, "", dtype=object) if body.get("dtype") == "string" else np.zeros(sizes, np.float32)


def _text(value: object) -> str:
    """A value as it is typed: the shortest number that is read as the same; nothing for NaN."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    number = float(str(value))
    if np.isnan(number):
        return ""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    short = np.float32(number)
    return str(short) if short == number else repr(number)


def _first(sample: np.ndarray | None) -> str:
    return "" if sample is None or not sample.size else _text(sample.reshape(-1)[0])


def _date(value: object, form: object) -> str:
    """Seconds since 1970 as the column writes dates."""
    seconds = int(np.asarray(value).reshape(-1)[0] or 0)
    if seconds == _GAP_DATE:
        return ""
    if form in ("unix", "unix_ms"):
        return str(seconds * (1000 if form == "unix_ms" else 1))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    if form:
        return moment.strftime(str(form))
    return moment.date().isoformat() if seconds % 86400 == 0 else moment.replace(tzinfo=None).isoformat()


def _lists(array: np.ndarray) -> object:
    if array.dtype.kind == "f":
        shortest = [None if np.isnan(v) else float(str(np.float32(v))) for v in array.reshape(-1)]
        return _nested(shortest, array.shape)
    return array.tolist()


def _nested(values: Sequence[object], shape: Sequence[int]) -> object:
    if not shape:
        return values[0]
    step = int(np.prod(shape[1:]))
    return [_nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _axes(body: Body) -> list[tuple[str, int | str | None]]:
    return [(str(name), size) for name, size in (_sequence(pair) for pair in _sequence(body["axes"]))]  # type: ignore[misc]


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)
    return value


def _sequence(value: object) -> Sequence[object]:
    assert isinstance(value, Sequence)
    return value
