"""What the tests of CONTRIBUTING add to a copy of the repository: a layer, a check, a source."""

from __future__ import annotations

LAYER = '''"""A verb that does nothing, for the test of CONTRIBUTING."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnspec.ir.graph import Node
from nnspec.layers.kit.base import Call, Inferred, Layer


class Keep(Layer):
    """Gives what it reads."""

    kind = "keep"
    is_axis_operation = True

    def infer(self, call: Call) -> Inferred:
        return Inferred((call.axes,), mask=call.input.mask)

    def to_keras(self, node: Node) -> Callable[..., Any]:
        return lambda x: x

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> list[Any]:
        return inputs


LAYERS = (Keep(),)
'''
CASES = '''"""Cases of keep."""

from __future__ import annotations

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, Form

X = {"time": 3, "feature": 5}
CASES = [Case("keep", None, [X], X, lambda weights, inputs: inputs[0], ["Identity"])]
FORMS = {"keep": Form(ANY)}
'''
CHECK = '''"""No network is called nobody."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic


def check_nobody(context: Context) -> Iterator[Diagnostic]:
    if context.graph.name == "nobody":
        yield Diagnostic("NN299", "a network needs a name", context.span("name"))
'''
SPEC = """nnspec: 1
name: nobody
inputs: {x: {axes: {feature: 5}}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
"""
PAGE = f"""# NN299: nobody

## What it does

Reports a network that is called nobody.

## Why it is bad

Nobody knows it.

## Example

```yaml
{SPEC}```

## Use instead

```yaml
{SPEC.replace("nobody", "somebody")}```
"""
SOURCE = '''"""A line a row, each a JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import nnspec.runtime.rules.jsonrows as rules
from nnspec.data.sources.base import Column, ColumnFacts, Reading, SourceError, SourceFacts, SourcePlan
from nnspec.data.sources.base import TableFacts, TableSource


class JsonLinesSource(TableSource):
    kind = "jsonrows"
    noun = "rows of JSON"
    description = "A row a line, as a JSON object; the path is relative to the spec's folder."
    suffixes = (".jsonrows",)
    options = {"comment": {"type": "string", "minLength": 1, "description": "What lines that are no rows begin with."}}

    def rows(self, plan: SourcePlan) -> list[dict[str, object]]:
        try:
            return rules.read_rows(plan.path, plan.options.get("comment"))
        except ValueError as error:
            raise SourceError(f"it holds no JSON lines ({error})") from None

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        rows = self.rows(plan)
        facts = {}
        for name in rows[0]:
            values = [row.get(name) for row in rows]
            missing = [i for i, value in enumerate(values, 1) if value is None]
            text = next((i for i, value in enumerate(values, 1) if isinstance(value, str)), 0)
            words = [str(value) for value in values] if name in kept else None
            facts[name] = ColumnFacts(rows=len(rows), missing=missing, is_text=text > 0, text_row=text, values=words)
        return TableFacts(facts, list(rows[0]))

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        import numpy as np

        kind = float if reading is Reading.NUMBER else str
        columns = []
        for name in names:
            values = [row.get(name) for row in self.rows(plan)]
            missing = np.array([value is None for value in values])
            columns.append(Column(np.array([kind(0 if value is None else value) for value in values]), missing))
        yield columns


SOURCE = JsonLinesSource()
'''
SOURCE_RULES = '''"""JSON lines: what a row is, and the inputs of a deployed model from such a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_rows(file: Path, comment: str | None = None) -> list[dict[str, object]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if not (comment and line.startswith(comment))]


def read_jsonrows(file: Path, wanted: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    from nnspec.runtime.tables.matching import inputs_from_columns, table_columns

    comment = next((body["options"]["comment"] for body in wanted.values() if body.get("options")), None)
    rows = read_rows(file, comment)
    columns = {key: np.array([row[key[0]] for row in rows]) for key in table_columns(file, wanted)}
    return inputs_from_columns(file, columns, wanted, metadata)
'''
SOURCE_SPEC = """nnspec: 1
data:
  source: {jsonrows: rows.jsonrows, comment: "#"}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  inputs: {x: {columns: [a, b], scale: standard}}
  outputs: {y: {columns: [c]}}
inputs: {x: {axes: {feature: 2}}}
model: [{Dense: {units: 3, activation: tanh}}, {Dense: {units: 1, as: target}}]
outputs: {y: {task: regression}}
training: {epochs: 2, batch_size: 16, seed: 3}
"""
SOURCE_TEST = '''"""JSON lines as data."""

from __future__ import annotations

from pathlib import Path

from nnspec.runtime.rules.jsonrows import read_rows


def test_comments_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonrows").write_text('# rows\\n{"a": 1}\\n', encoding="utf-8")
    assert read_rows(tmp_path / "a.jsonrows", "#") == [{"a": 1}]
'''
BACKEND_SPEC = """nnspec: 1
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  inputs: {x: {columns: [a, b], scale: standard}}
  outputs: {y: {columns: [c]}}
inputs: {x: {axes: {feature: 2}}}
model: [{Dense: {units: 3, activation: tanh}}, {Dense: {units: 1, as: target}}]
outputs: {y: {task: regression}}
training: {backend: eager, epochs: 2, batch_size: 16, seed: 3}
export: {format: numpy}
"""
BACKEND_TEST = '''"""A backend is found by its name."""

from __future__ import annotations

from nnspec.backends.registry import EXPORT, TRAINING, export_backend, training_backend


def test_it_is_found() -> None:
    find = training_backend if "NAME" in TRAINING else export_backend
    assert "NAME" in {*TRAINING, *EXPORT}
    assert find("NAME").name == "NAME"
'''
