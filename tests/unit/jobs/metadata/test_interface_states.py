"""What `interface.json` says of recurrent states, against the file's own ports."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import onnxruntime

from nnspec import api


def test_states_have_the_axes_of_the_file(tmp_path: Path) -> None:
    spec = tmp_path / "state.yaml"
    spec.write_text(
        "nnspec: 1\ninputs: {x: {axes: {time: 5, feature: 2}}}\nmodel:\n"
        "  - Bidirectional: {name: both, layer: {LSTM: {units: 3, stateful: true, return_sequences: true}}}\n"
        "  - GRU: {name: last, units: 7, stateful: true}\n  - Dense: {units: 1}\n"
        "outputs: {y: {task: regression}}\ntraining: {batch_size: 4}\n",
        encoding="utf-8",
    )
    folder = api.load(spec).export(tmp_path / "out", untrained=True).folder
    states = json.loads((folder / "interface.json").read_text(encoding="utf-8"))["states"]
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    ports = {port.name: port.shape for port in session.get_inputs() if port.name != "x"}
    assert set(states) == set(ports)
    assert len(states) == 5
    outputs = {port.name for port in session.get_outputs()}
    graph = onnx.load(folder / "model.onnx").graph
    docs = {port.name: port.doc_string for port in (*graph.input, *graph.output)}
    for name, said in states.items():
        assert [axis for axis, _ in said["axes"]] == ["batch", "unit"]
        assert said["axes"][1][1] == ports[name][1]
        assert said["renewed_by"] in outputs
        assert said["start"] == 0.0
        assert docs[name] == f"State: zeros at first, then what `{said['renewed_by']}` gave the call before."
        assert docs[said["renewed_by"]] == f"The state that the next call takes as `{name}`."
