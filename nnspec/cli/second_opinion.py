"""The second opinion as a table: nnspec's file and tf2onnx's side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nnspec.document.types import JsonObject


def render(opinion: JsonObject, width: int = 120) -> str:
    """Text of `run_verify(..., second_opinion=True)["second_opinion"]`."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table

    ours, theirs = opinion["nnspec"], opinion["tf2onnx"]
    table = Table(box=None, pad_edge=False)
    for heading in ("", "nnspec", f"tf2onnx {opinion['version']}"):
        table.add_column(heading)

    def add(label: str, key: str, form: Callable[..., str]) -> None:
        table.add_row(label, form(ours[key]), form(theirs[key]) if theirs is not None else "-")

    add("nodes", "nodes", str)
    add("operators", "operators", _operators)
    for name in ours["max_relative_error"]:
        add(f"{name} against Keras", "max_relative_error", lambda errors, name=name: f"{errors[name]:.2g}")
    for name, error in opinion["between"].items():
        table.add_row(f"{name} between the two files", f"{error:.2g}", "")
    for batch in ours["latency"]:
        add(f"latency at batch {batch}", "latency", lambda times, batch=batch: f"{times[batch]:,.0f} µs")
    stream = StringIO()
    Console(file=stream, width=width, no_color=True).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    failure = opinion["failure"]
    if failure is not None:
        where = f" at `{failure['layer']}` ({failure['kind']})" if failure["layer"] is not None else ""
        lines.append(f"tf2onnx fails in {failure['stage']}{where}: {failure['reason']}")
    return "\n".join(lines)


def _operators(operators: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" if count > 1 else name for name, count in operators.items())
