"""An evaluation as text: a table of metrics for each output, and one for its classes, steps, columns and groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nnspec.training.metrics.outcome import MetricValues
from nnspec.training.metrics.yes import describe_yes

MOST_CLASSES = 12  # whose confusion is printed


def render(name: str, found: MetricValues) -> str:
    """The metrics, each beside its baseline."""
    lines = [f"{name}: {found['samples']} samples"]
    if found["left_out"]:
        lines[0] += f", {found['left_out']} of them left out because their target is missing"
    lines += [f"note: {note}" for note in found["notes"]]
    for output, metrics in found["outputs"].items():
        said = describe_yes(output, metrics)
        lines += ["", f"{output}", *([said] if said is not None else []), *_output(metrics)]
    return "\n".join(lines)


def _output(metrics: MetricValues) -> Iterator[str]:
    naive = metrics["baseline"] or {}
    beside = f"baseline ({naive['name']})" if naive else ""
    rows: list[Sequence[object]] = [("metric", "model", beside)]
    for key, value in metrics.items():
        if key not in ("samples", "confusion", "baseline", "rows") and not isinstance(value, Mapping):
            rows.append((key, value, naive.get(key, "")))
    yield from _align_columns(rows)
    for key, value in metrics.items():
        if isinstance(value, Mapping) and key not in ("baseline", "recursive") and value:
            yield ""
            yield from _align_columns(_table(key, value))
    names = list(metrics.get("by_class", ()))
    if "confusion" in metrics and len(names) <= MOST_CLASSES:
        yield ""
        head: Sequence[object] = ("true \\ predicted", *names)
        yield from _align_columns([head, *((n, *row) for n, row in zip(names, metrics["confusion"], strict=True))])
    if fed_back := metrics.get("recursive"):  # metrics of their own kind: of the rows that forecasts are fed back to
        yield ""
        yield f"fed back to {fed_back['rows']} rows: {fed_back['samples']} samples"
        yield from _output(fed_back)


def _table(key: str, value: Mapping[str, object]) -> list[Sequence[object]]:
    """A row for each class, step or group; of a metric by share, such as coverage, one for each share."""
    called = key.removeprefix("by_").replace("_", " ")
    inner = [body for body in value.values() if isinstance(body, Mapping)]
    if not inner:
        return [(called, "value"), *value.items()]
    columns = list(dict.fromkeys(name for body in inner for name in body if name != "baseline"))
    plain = [name for name in columns if not any(isinstance(body.get(name), Mapping) for body in inner)]
    rows: list[Sequence[object]] = [(called, *plain)]
    headline = next((n for n in ("accuracy", "pinball", "rmse") if n in plain), None)
    has_naive = headline is not None and any(body.get("baseline") for body in inner)
    if has_naive:
        rows[0] = (*rows[0], f"baseline {headline}")
    for name, body in value.items():
        assert isinstance(body, Mapping)
        cells = [body.get(column, "") for column in plain]
        naive = body.get("baseline") or {}
        rows.append((name, *cells, *([naive.get(headline, "")] if has_naive else [])))
    return rows


def _align_columns(rows: Sequence[Sequence[object]]) -> Iterator[str]:
    written = [[_format_value(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in written) for i in range(len(written[0]))]
    for row in written:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _format_value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_format_value(part) for part in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
