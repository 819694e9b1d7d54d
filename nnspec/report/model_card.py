"""`MODEL_CARD.md`: what a model is for, what it takes and gives, how good it is and where it may fail, in plain text.

The sections follow M. Mitchell et al.: Model Cards for Model Reporting, 2019. Everything comes from the
files of a build.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from nnspec.document.types import JsonObject
from nnspec.report.data_tables import data_tables, leakage_of
from nnspec.report.page import Results
from nnspec.report.rendering import render
from nnspec.report.tables import Table, format_number, metric_tables
from nnspec.runtime.rules.class_labels import spell_out
from nnspec.training.metrics.outcome import MetricValues
from nnspec.training.metrics.score import HEADLINE, IN_UNITS

_MOST = 24  # classes that are listed
_NUMERIC = (None, "regression", "quantiles")  # an input has no task
_ENCODED = {"category": "a word", "words": "words", "date": "a date", "number": "a number", "boolean": "yes or no"}


def write_card(results: Results, interface: JsonObject, made_of: JsonObject, how_split: str, file: str) -> str:
    """The text of the card.

    Args:
        interface: as in interface.json.
        made_of: hashes of the data files, and of the prepared rows of each split.
        how_split: how rows were divided, in words.
        file: the deployed model's.
    """
    body, graph = results.overview, results.graph
    leakage = leakage_of(body)
    return render(
        "model_card.md.j2",
        name=graph.name,
        description=results.description,
        graph=graph,
        split=results.split,
        uses=list(_uses(interface)),
        inputs=_ports("input", interface["inputs"]),
        outputs=_ports("output", interface["outputs"]),
        reading=list(_reading(interface)),
        sources=[*(f"`{name}` (SHA-256 {digest})" for name, digest in made_of["files"].items()), how_split],
        samples=data_tables(body)[0],
        leaks=[*(f"{code}: {text}" for code, text in leakage.warnings), *(f"{a}: {b}" for a, b in leakage.facts)],
        metrics=list(metric_tables(results.metrics, results.units).values()),
        limits=list(_limits(results, interface)),
        program=_program(interface, file),
        verified=list(_describe_verification(results)),
        origin=_origin(results, made_of),
        file=file,
        rows=_new_rows(interface, made_of),
        table=table_to_markdown,
        rounded=format_number,
    )


def table_to_markdown(table: Table) -> str:
    """A table as text, numbers to the right."""
    columns = list(zip(*table.rows, strict=True)) or [() for _ in table.head]
    rules = [
        "---:" if i and all(cell[:1] in "0123456789-" for cell in column) else "---" for i, column in enumerate(columns)
    ]
    lines = [table.head, rules, *table.rows]
    rows = "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)
    return f"{table.caption}:\n\n{rows}\n"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _uses(interface: JsonObject) -> Iterator[str]:
    """What each output says, from which inputs."""
    given = ", ".join(f"`{name}`" for name in interface["inputs"])
    for name, found in interface["outputs"].items():
        if found["task"] != "label":
            yield f"`{name}`: {_task(found)}, from {given}."


def _task(found: JsonObject) -> str:
    classes = found.get("classes")
    if found["task"] == "classification" and isinstance(classes, int):
        return f"which of {classes} classes, numbered from 0"
    classes = spell_out(classes)
    if found["task"] == "classification" and isinstance(classes, list):
        more = ", …" if len(classes) > _MOST else ""
        return f"which of {len(classes)} classes ({', '.join(map(str, classes[:_MOST]))}{more})"
    if found["task"] == "binary":
        labels = f"whether it is {classes[1]} rather than {classes[0]}" if classes else "yes or no"
        return f"{labels}, by a probability; yes is above {format_number(found.get('threshold', 0.5))}"
    if found["task"] == "quantiles":
        return f"the quantiles {', '.join(map(str, found['levels']))}"
    return {
        "regression": "a number, or several",
        "multilabel": "which labels are true, each by a probability",
        "anomaly": "how unusual a sample is",
    }.get(found["task"], "values of the network, without targets")


def _ports(role: str, ports: Mapping[str, JsonObject]) -> Table:
    rows = []
    for name, found in ports.items():
        axes = ", ".join(f"{axis} {size if isinstance(size, int) else 'any'}" for axis, size in found["axes"])
        what = _ENCODED.get(str(found.get("encoding")), str(found.get("task") or ""))
        rows.append((f"`{name}`", axes, str(found["dtype"]), _list_names(found.get("columns")), _units(found), what))
    return Table(
        caption=f"{role.capitalize()}s of the deployed model",
        head=(role, "axes", "type", "columns", "units", "what it is"),
        rows=tuple(rows),
    )


def _list_names(columns: object) -> str:
    if not isinstance(columns, list):
        return ""
    return ", ".join(map(str, columns[:_MOST])) + (", …" if len(columns) > _MOST else "")


def _units(found: JsonObject) -> str:
    units = found.get("units") or found.get("unit")
    if isinstance(units, Mapping):
        return ", ".join(f"{name}: {unit}" for name, unit in units.items())
    is_number = found["dtype"] != "string" and found.get("encoding", "number") == "number"
    return str(units) if units else "as in the data" if is_number and found.get("task") in _NUMERIC else ""


def _reading(interface: JsonObject) -> Iterator[str]:
    """How rows become samples."""
    window = interface.get("window")
    if window:
        order = f", in the order of `{interface['order_by']}`" if interface.get("order_by") else ""
        series = f", of one `{interface['series']}`" if interface.get("series") else ""
        ahead = f"targets are {window['horizon']} rows ahead"
        yield f"A sample is a window of {window['lookback']} rows in a row{order}{series}; {ahead}."
    for name, state in interface["states"].items():
        yield f"State `{name}` is an input of every call, and its new value is `{state['renewed_by']}`."


def _limits(results: Results, interface: JsonObject) -> Iterator[str]:
    body, graph = results.overview, results.graph
    for name, slot in body["inputs"].items():
        ranges = [
            f"`{column}` {format_number(train['min'])} to {format_number(train['max'])}"
            for column, train in [(key, each["splits"]["train"]) for key, each in slot["columns"].items()][:_MOST]
            if train.get("min") is not None
        ]
        if ranges:
            more = ", …" if len(slot["columns"]) > _MOST else ""
            yield (
                f"Training rows of `{name}` have {', '.join(ranges)}{more}. Outside these ranges, predictions are "
                "not reliable."
            )
    words = [name for name, found in interface["inputs"].items() if found.get("encoding") in ("category", "words")]
    if words:
        named = ", ".join(f"`{name}`" for name in words)
        yield f"A word of {named} that no training row has is read like every other unknown one."
    gaps = sorted({column for found in interface["inputs"].values() for column in found.get("gaps") or []})
    if gaps:
        named = ", ".join(f"`{column}`" for column in gaps)
        yield f"{named} may be missing; the graph then fills it as in training. No other column may be missing."
    elif any(found["dtype"].startswith("float") for found in interface["inputs"].values()):
        yield "No value may be missing: NaN goes through to the outputs."
    masked = sorted({v.mask for node in graph.nodes for v in (*node.inputs, *node.outputs) if v.mask is not None})
    if masked:
        named = ", ".join(f"`{axis}`" for axis in masked)
        yield f"Sequences are padded at the end along {named}; padded steps do not count."
    for name, metrics in results.metrics.get(results.split, {}).items():
        yield from _beside_baseline(name, graph.outputs[name].task, metrics, results.split)
    for code, message in leakage_of(body).warnings:
        yield f"The metrics may be too good ({code}): {message}."


def _beside_baseline(name: str, task: str, metrics: MetricValues, split: str) -> Iterator[str]:
    key, baseline = HEADLINE[task], metrics.get("baseline") or {}
    if metrics.get(key) is None or baseline.get(key) is None:
        return
    mine, naive = float(metrics[key]), float(baseline[key])
    if (mine >= naive) if key in IN_UNITS else (mine <= naive):
        yield (
            f"`{name}` is no better than {baseline['name']} on the {split} rows: {key} {format_number(mine)} against "
            f"{format_number(naive)}."
        )


def _new_rows(interface: JsonObject, made_of: JsonObject) -> str:
    """What new rows may be called: a folder where each sample is a file, else a file of the same kind."""
    if all("files" in found for found in interface["inputs"].values()):
        return "FOLDER"
    first = next(iter(made_of["files"]), "rows.csv")
    return "new" + "".join(
        PurePosixPath(first).suffixes[-2:] if first.endswith(".gz") else [PurePosixPath(first).suffix]
    )


def _program(interface: JsonObject, file: str) -> str:
    """A program that runs the file on the sample of interface.json; nothing where there is none."""
    sample = interface.get("sample")
    if not sample or len(json.dumps(sample["inputs"])) > 1500:
        return ""
    lines = ["import nnspec  # nnspec.runtime needs only numpy and onnxruntime", ""]
    lines += [f"predict = nnspec.runtime.load({file!r})", "sample = {"]
    lines += [f"    {name!r}: {value!r}," for name, value in sample["inputs"].items()]
    return "\n".join(
        [*lines, "}", "for name, values in predict(**sample).items():", "    print(name, values.tolist())"]
    )


def _describe_verification(results: Results) -> Iterator[str]:
    for name, found in results.verification.get("outputs", {}).items():
        yield (
            f"`{name}`: ONNX Runtime and Keras differ by {found['max_relative_error']:.2g} at most, relatively; "
            f"{found['tolerance']:g} is allowed."
        )
    for name, found in results.verification.get("variants", {}).items():
        if "losses" not in found:  # it could not be made
            yield f"variant {name}: {found['reason']}"
            continue
        what = f"`{found['file']}`, {format_number(found['file_size'])} bytes" if found["file"] else "refused"
        what += "" if found["is_smaller"] else ", not smaller than float32"
        yield f"variant {name}: {what}; {'; '.join(found['losses']) or 'metrics as those of float32'}"


def _origin(results: Results, made_of: JsonObject) -> Table:
    rows = [*results.versions.items(), *results.hashes.items()]
    rows += [(f"SHA-256 of the prepared {split} rows", digest) for split, digest in made_of["rows"].items()]
    return Table(caption="What it was made with, and of", head=("what", "version or hash"), rows=tuple(rows))
