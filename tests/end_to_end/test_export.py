"""Export of trained weights, the gate that a wrong lowering cannot pass, and the fallback for a single layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner

from nnspec import api, jobs
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.layers.kit.base import Layer
from nnspec.layers.registry import REGISTRY
from nnspec.progress import Progress


def codes(error: pytest.ExceptionInfo[SpecError]) -> list[str]:
    return [d.code for d in error.value.diagnostics]


@pytest.fixture
def built(quick: Path) -> jobs.Run:
    return api.load(quick).build(quick.parent / "built")


def test_export_from_weights_equals_the_build(quick: Path, built: jobs.Run) -> None:
    again = api.load(quick).export(quick.parent / "again", weights=built.keras)
    x = np.linspace(20, 70, 3 * 10, dtype=np.float32).reshape(3, 5, 2)
    one, two = (onnxruntime.InferenceSession(r.onnx).run(None, {"window": x})[0] for r in (built, again))
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_export_without_weights_says_what_to_do(quick: Path) -> None:
    with pytest.raises(SpecError) as error:
        api.load(quick).export(quick.parent / "out")
    assert codes(error) == ["NN604"]


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 damaged"], ids=["missing", "empty", "damaged"])
def test_bad_weights_are_a_diagnostic(quick: Path, content: bytes | None) -> None:
    path = quick.parent / "weights.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError) as error:
        api.load(quick).export(quick.parent / "out", weights=path)
    assert codes(error) == ["NN604"]
    assert not (quick.parent / "out").exists()


def test_weights_of_another_spec_do_not_fit(quick: Path, built: jobs.Run) -> None:
    with pytest.raises(SpecError) as error:
        api.load(quick, {"model[0].Conv1D.filters": 4}).export(quick.parent / "out", weights=built.keras)
    assert codes(error) == ["NN604"]


def test_metadata_describes_the_model(built: jobs.Run) -> None:
    model = onnx.load(built.onnx)
    metadata = json.loads({p.key: p.value for p in model.metadata_props}["nnspec"])
    assert metadata["inputs"]["window"]["axes"] == [["batch", None], ["time", 5], ["feature", 2]]
    assert metadata["inputs"]["window"]["columns"] == ["level", "phase"]
    assert metadata["outputs"]["forecast"]["task"] == "regression"
    assert metadata["window"] == {"lookback": 5, "horizon": [1], "stride": 1}
    assert metadata["verification"]["outputs"]["forecast"]["passed"] is True
    assert "Conv1D" in metadata["spec"]


def test_untrained_export_needs_no_data_files_and_still_names_columns(quick: Path) -> None:
    (quick.parent / "series.csv").unlink()
    result = CliRunner().invoke(main, ["export", str(quick), "--untrained", "--out", str(quick.parent / "out"), "-q"])
    assert result.exit_code == 0, result.stderr
    model = onnx.load(quick.parent / "out" / "model.onnx")
    metadata = json.loads({p.key: p.value for p in model.metadata_props}["nnspec"])
    assert metadata["inputs"]["window"]["columns"] == ["level", "phase"]


def test_layout_turns_the_deployed_graph(quick: Path) -> None:
    layout = {"window": ["feature", "time", "batch"], "forecast": ["target", "batch"]}
    turned = api.load(quick, {"export": {"layout": layout}}).build(quick.parent / "turned")
    plain = api.load(quick).build(quick.parent / "plain")
    x = np.arange(40, 40 + 3 * 10, dtype=np.float32).reshape(3, 5, 2)
    one = onnxruntime.InferenceSession(plain.onnx).run(None, {"window": x})[0]
    two = onnxruntime.InferenceSession(turned.onnx).run(None, {"window": x.transpose(2, 1, 0)})[0]
    assert two.shape == (1, 3)
    np.testing.assert_allclose(one, two.T, rtol=1e-6)


def test_wrong_lowering_fails_the_gate_and_names_the_layer(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dense = type(REGISTRY["Conv1D"])
    right: Callable[..., Any] = dense.to_onnx

    def wrong(self: Any, node: Any, inputs: Any, lowering: Any) -> Any:
        lowering.weights = {**lowering.weights, "kernel": lowering.weights["kernel"] * np.float32(1.01)}
        return right(self, node, inputs, lowering)

    monkeypatch.setattr(dense, "to_onnx", wrong)
    with pytest.raises(SpecError) as error:
        api.load(quick).build(quick.parent / "out")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN701"
    assert "`look` (Conv1D)" in diagnostic.notes[0]
    assert diagnostic.span.line == 14
    assert not (quick.parent / "out").exists()


def test_layer_without_lowering_falls_back_to_tf2onnx(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(REGISTRY["Conv1D"]), "to_onnx", Layer.to_onnx)
    result = api.load(quick).build(quick.parent / "out")
    assert result.verification["lowered_by"] == {"look": "tf2onnx", "flatten_1": "nnspec", "dense_1": "nnspec"}
    assert result.verification["lowered"] == {"tf2onnx": 1, "nnspec": 2}
    assert result.verification["outputs"]["forecast"]["passed"]


def test_fallback_that_would_loop_is_refused(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(REGISTRY["LSTM"]), "to_onnx", Layer.to_onnx)
    model = [{"LSTM": {"units": 3, "activation": "silu"}}, {"Dense": {"units": 1, "as": "target"}}]
    with pytest.raises(SpecError) as error:
        api.load(quick, {"model": model}).export(quick.parent / "out", untrained=True)
    assert codes(error) == ["NN601"]
    assert not (quick.parent / "out").exists()


def test_unsupported_opset_is_a_diagnostic(quick: Path) -> None:
    with pytest.raises(SpecError) as error:
        api.load(quick, {"export.opset": 99}).export(quick.parent / "out", untrained=True)
    assert codes(error) == ["NN603"]


@pytest.mark.parametrize("opset", [17, 18, 20, 22])
def test_every_opset_passes_the_gate(quick: Path, opset: int) -> None:
    made = api.load(quick, {"export.opset": opset}).export(quick.parent / "out", untrained=True)
    assert onnx.load(made.onnx).opset_import[0].version == opset


def test_bad_layout_is_found_by_check(quick: Path) -> None:
    found = api.load(quick, {"export.layout": {"window": ["time", "batch"]}}).check()
    assert [d.code for d in found] == ["NN602"]


class TestVerify:
    def test_passes_on_its_own(self, built: jobs.Run) -> None:
        result = jobs.run_verify(built.onnx, None, Progress(quiet=True))
        assert result["outputs"]["forecast"]["passed"]

    def test_changed_weight_fails(self, built: jobs.Run) -> None:
        model = onnx.load(built.onnx)
        target = next(i for i in model.graph.initializer if i.name.endswith("kernel"))
        array = onnx.numpy_helper.to_array(target).copy()
        array *= 1.5
        target.CopyFrom(onnx.numpy_helper.from_array(array, target.name))
        built.onnx.write_bytes(model.SerializeToString())
        with pytest.raises(SpecError) as error:
            jobs.run_verify(built.onnx, None, Progress(quiet=True))
        assert codes(error) == ["NN701"]

    def test_renamed_output_fails(self, built: jobs.Run) -> None:
        model = onnx.load(built.onnx)
        for node in model.graph.node:
            for i, name in enumerate(node.output):
                if name == "forecast":
                    node.output[i] = "Identity:0"
        model.graph.output[0].name = "Identity:0"
        built.onnx.write_bytes(model.SerializeToString())
        with pytest.raises(SpecError) as error:
            jobs.run_verify(built.onnx, None, Progress(quiet=True))
        assert codes(error) == ["NN703"]

    @pytest.mark.parametrize("content", [None, b"", b"no model"], ids=["missing", "empty", "damaged"])
    def test_damaged_model_is_a_diagnostic(self, built: jobs.Run, content: bytes | None) -> None:
        built.onnx.unlink()
        if content is not None:
            built.onnx.write_bytes(content)
        with pytest.raises(SpecError) as error:
            jobs.run_verify(built.onnx, None, Progress(quiet=True))
        assert codes(error) == ["NN705"]

    def test_model_that_is_not_well_formed_fails(self, built: jobs.Run) -> None:
        model = onnx.load(built.onnx)
        model.graph.node[0].input[0] = "nowhere"
        built.onnx.write_bytes(model.SerializeToString())
        with pytest.raises(SpecError) as error:
            jobs.run_verify(built.onnx, None, Progress(quiet=True))
        assert codes(error) == ["NN702"]
