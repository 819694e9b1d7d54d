"""The consumer's side: models made with onnx.helper, so that nothing here depends on how nnspec exports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nnspec.runtime import InputError, ModelError, Predictor, load
from tests.support.paths import ROOT

WEIGHTS = np.arange(1.0, 9.0, dtype=np.float32).reshape(4, 2)  # feature unit


def save(
    path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], metadata: Any = None, **consts: Any
) -> Path:
    initializers = [onnx.numpy_helper.from_array(value, name) for name, value in consts.items()]
    graph = helper.make_graph(nodes, "small", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    if metadata is not None:
        text = metadata if isinstance(metadata, str) else json.dumps(metadata)
        helper.set_model_props(model, {"nnspec": text})
    onnx.save(model, str(path))
    return path


def value(name: str, *shape: int | str, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


DENSE = {
    "nnspec": "0.1.0",
    "name": "dense",
    "inputs": {"x": {"axes": [["batch", None], ["time", "T"], ["feature", 4]], "dtype": "float32", "columns": None}},
    "outputs": {"y": {"axes": [["batch", None], ["time", "T"], ["unit", 2]], "dtype": "float32", "task": "regression"}},
    "window": None,
    "states": {},
}


def dense(path: Path, metadata: Any = DENSE) -> Path:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return save(path, [node], [value("x", "batch", "T", 4)], [value("y", "batch", "T", 2)], metadata, w=WEIGHTS)


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    return load(dense(tmp_path / "m.onnx"), threads=1)


X = np.arange(3 * 5 * 4, dtype=np.float32).reshape(3, 5, 4)


def test_predicts(predictor: Predictor) -> None:
    np.testing.assert_allclose(predictor(x=X)["y"], X @ WEIGHTS)
    np.testing.assert_allclose(predictor(X)["y"], X @ WEIGHTS)
    np.testing.assert_allclose(predictor(X.astype(np.int16).tolist())["y"], X @ WEIGHTS)
    np.testing.assert_allclose(predictor(np.asfortranarray(X.astype(np.float64)))["y"], X @ WEIGHTS)
    assert predictor.metadata["name"] == "dense"
    assert repr(predictor) == "Predictor(x: float32 (batch, time, feature 4) -> y: float32 (batch, time, unit 2))"


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (X[0], "needs 3 axes: (batch, time, feature)"),
        (X.transpose(0, 2, 1), "axis `feature` of input `x` has size 5, but the model takes 4"),
        (X[:0], "axis `batch` of input `x` is empty"),
        (np.where(X == 7, np.nan, X), "NaN or infinite values, the first at (0, 1, 3)"),
        (X.astype(np.float64) + 1e300, "outside its range"),
        (X.astype(str), "takes float32, but has dtype <U"),
        (X.astype(complex), "takes float32, but has dtype complex"),
        ([[[1, 2, 3, 4], [1, 2]]], "differ in length"),
    ],
)
def test_refuses_arrays(array: Any, words: str, predictor: Predictor) -> None:
    with pytest.raises(InputError) as caught:
        predictor(x=array)
    assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_refuses_sizes_that_are_no_multiple(tmp_path: Path) -> None:
    model = load(dense(tmp_path / "m.onnx", {**DENSE, "multiple_of": {"T": 5}}), threads=1)
    assert model(X)["y"].shape == (3, 5, 2)
    with pytest.raises(InputError, match="axis `time` of input `x` has size 4, but must be a multiple of 5"):
        model(X[:, :4])
    load(dense(tmp_path / "m.onnx", {**DENSE, "multiple_of": [5]}), threads=1)(X[:, :4])


def test_refuses_names(predictor: Predictor) -> None:
    for call in (lambda: predictor(), lambda: predictor(X, X), lambda: predictor(X, x=X), lambda: predictor(z=X)):
        with pytest.raises(InputError, match="`x`"):
            call()


def test_records_of_a_file_come_in_batches_as_predict_writes_them(tmp_path: Path) -> None:
    """Windows of two rows in the order of their days, which the file has backwards."""
    axes = [["batch", None], ["time", 2], ["feature", 4]]
    metadata = {
        **DENSE,
        "inputs": {"x": {"axes": axes, "dtype": "float32", "columns": list("abcd")}},
        "outputs": {
            "y": {"axes": [["batch", None], ["time", 2], ["unit", 2]], "dtype": "float32", "task": "regression"}
        },
        "order_by": "day",
        "window": {"lookback": 2, "horizon": 1, "stride": 1},
    }
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    file = save(tmp_path / "m.onnx", [node], [value("x", "b", 2, 4)], [value("y", "b", 2, 2)], metadata, w=WEIGHTS)
    predictor = load(file, threads=1, batch_size=3)
    rows = np.arange(20.0).reshape(5, 4)
    lines = [f"n{i},{9 - i},{','.join(map(str, row))}" for i, row in enumerate(rows)]
    (tmp_path / "new.csv").write_text("who,day,a,b,c,d\n" + "\n".join(lines))
    found = list(predictor.records(tmp_path / "new.csv", keep=["who"]))
    assert [record["who"] for record in found] == ["n3", "n2", "n1", "n0"], "each window ends with another day"
    given = np.array([list(record.values())[-4:] for record in found], float)
    windows = np.lib.stride_tricks.sliding_window_view(rows[::-1], 2, axis=0).transpose(0, 2, 1)
    np.testing.assert_allclose(given, (windows @ WEIGHTS).reshape(4, 4))
    with pytest.raises(InputError, match="has no column `x`"):
        predictor.records(tmp_path / "new.csv", keep=["x"])
    (tmp_path / "new.csv").write_text("a,b,c,d\n1,2,3,4\n5,6,7,8\n")
    with pytest.warns(UserWarning, match="day"):
        assert len(list(predictor.records(tmp_path / "new.csv"))) == 1


def test_large_inputs_go_in_pieces(tmp_path: Path) -> None:
    x = np.arange(11 * 2 * 4, dtype=np.float32).reshape(11, 2, 4)
    predict = load(dense(tmp_path / "m.onnx"), batch_size=4)
    sizes: list[int] = []
    session = predict._session

    class Spy:
        def run(self, names: Any, feeds: Any) -> Any:
            sizes.append(len(feeds["x"]))
            return session.run(names, feeds)

    predict._session = Spy()
    np.testing.assert_allclose(predict(x)["y"], x @ WEIGHTS)
    assert sizes == [4, 4, 3]


def test_batch_need_not_come_first(tmp_path: Path) -> None:
    metadata = {
        "inputs": {"x": {"axes": [["feature", 4], ["batch", None]]}},
        "outputs": {"y": {"axes": [["unit", 2], ["batch", None]]}},
    }
    node = helper.make_node("MatMul", ["w", "x"], ["y"])
    path = save(tmp_path / "m.onnx", [node], [value("x", 4, "batch")], [value("y", 2, "batch")], metadata, w=WEIGHTS.T)
    x = np.arange(4 * 7, dtype=np.float32).reshape(4, 7)
    np.testing.assert_allclose(load(path, batch_size=3)(x)["y"], WEIGHTS.T @ x)


def two_inputs(path: Path, metadata: Any = None) -> Path:
    nodes = [
        helper.make_node("Cast", ["b"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["a", "f"], ["sum"]),
    ]
    inputs = [value("a", "batch", "T"), value("b", "batch", "T", kind=TensorProto.INT32)]
    return save(path, nodes, inputs, [value("sum", "batch", "T")], metadata)


def test_a_model_without_metadata(tmp_path: Path) -> None:
    predict = load(two_inputs(tmp_path / "m.onnx"), batch_size=2)
    a, b = np.float32([[1, 2, 3]] * 5), np.int64([[10, 20, 30]] * 5)
    np.testing.assert_array_equal(predict(a=a, b=b)["sum"], a + b)
    assert predict.metadata["inputs"]["b"] == {"axes": [["batch", None], ["T", "T"]], "dtype": "int32"}
    assert predict.metadata["states"] == {}
    for given, words in (
        ({"a": a, "b": b[:, :2]}, "axis `T` of input `b` has size 2, but input `a` has 3"),
        ({"a": a, "b": b[:4]}, "axis `batch` of input `b` has size 4, but input `a` has 5"),
        ({"a": a, "b": b + 0.5}, "input `b` takes int32, but has dtype float64"),
        ({"a": a, "b": b + 2**40}, "input `b` takes int32, but has values outside its range"),
        ({"a": a}, "input `b` is missing"),
        ({"a": a, "b": b, "c": b}, "no input `c`; it takes `a`, `b`"),
    ):
        with pytest.raises(InputError) as caught:
            predict(**given)
        assert words in str(caught.value)
    with pytest.raises(InputError, match="by name"):
        predict(a)


def test_pieces_only_along_a_batch(tmp_path: Path) -> None:
    """An axis of open size that nothing calls batch may be a time axis, and a sum along it would come out wrong."""
    node = helper.make_node("CumSum", ["x", "axis"], ["s"])
    path = save(tmp_path / "m.onnx", [node], [value("x", "n", 2)], [value("s", "n", 2)], axis=np.int64(0))
    assert load(path, batch_size=2)(np.ones((5, 2)))["s"][:, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def stateful(path: Path) -> Path:
    """total = state + x; next = total."""
    nodes = [helper.make_node("Add", ["x", "state"], ["total"]), helper.make_node("Identity", ["total"], ["next"])]
    ports = (
        [value("x", "batch", 2), value("state", "batch", 2)],
        [value("total", "batch", 2), value("next", "batch", 2)],
    )
    axes = {"axes": [["batch", None], ["unit", 2]], "dtype": "float32"}
    metadata = {"inputs": {"x": axes}, "outputs": {"total": axes}, "states": {"state": "next"}}
    return save(path, nodes, *ports, metadata)


def test_states(tmp_path: Path) -> None:
    predict = load(stateful(tmp_path / "m.onnx"))
    x = np.float32([[1, 2], [3, 5], [7, 11]])
    assert list(predict.inputs) == ["x"]
    assert predict(x)["total"].tolist() == x.tolist()
    assert list(predict(x)) == ["total"]
    found = predict(x=x, state=x)
    np.testing.assert_array_equal(found["next"], 2 * x)
    for times in (1, 2, 3):
        np.testing.assert_array_equal(predict.step(x)["total"], times * x)
    assert predict(x)["total"].tolist() == x.tolist()  # a call neither sees nor moves what steps carry
    with pytest.raises(InputError, match="3 in the previous step"):
        predict.step(x[:2])
    with pytest.raises(InputError, match="keeps state `state` itself"):
        predict.step(x=x, state=x)
    predict.reset()
    np.testing.assert_array_equal(predict.step(x[:2])["total"], x[:2])


def test_steps_need_states(predictor: Predictor) -> None:
    with pytest.raises(ModelError, match="no states"):
        predictor.step(X)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a mapping"),
        ({"inputs": {}}, "no `outputs`"),
        ({**DENSE, "inputs": {"z": DENSE["inputs"]["x"]}}, "no `z`"),
        ({**DENSE, "inputs": {"x": {"axes": [["batch", None]]}}}, "`x` has 3 axes, not 1"),
        ({**DENSE, "inputs": {"x": {"axes": ["batch"]}}}, "the axes of `x`"),
        ({**DENSE, "states": {"x": "z"}}, "state `x`"),
    ],
)
def test_damaged_metadata(metadata: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load(dense(tmp_path / "m.onnx", metadata))
    assert words in str(caught.value)


def test_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model file"):
        load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="is a folder without a model"):
        load(tmp_path)
    for name in ("model.int8.onnx", "model.onnx"):
        (tmp_path / "out" / name).parent.mkdir(exist_ok=True)
        dense(tmp_path / "out" / name)
    with pytest.raises(ModelError, match=r"`.*out` is a folder: name the file in it, `.*out/model\.onnx`"):
        load(tmp_path / "out")
    content = dense(tmp_path / "m.onnx").read_bytes()
    for damaged in (b"", b"hello", content[: len(content) // 2]):
        (tmp_path / "bad.onnx").write_bytes(damaged)
        with pytest.raises(ModelError, match=r"bad\.onnx"):
            load(tmp_path / "bad.onnx")


def test_a_model_that_fails(tmp_path: Path) -> None:
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    path = save(tmp_path / "m.onnx", [node], [value("x", "n")], [value("y", 2, 3)], shape=np.int64([2, 3]))
    assert load(path)(np.arange(6.0))["y"].shape == (2, 3)
    with pytest.raises(ModelError, match="the model failed"):
        load(path)(np.arange(7.0))


def test_text_inputs(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    kind = TensorProto.STRING
    path = save(tmp_path / "m.onnx", [node], [value("x", "batch", kind=kind)], [value("y", "batch", kind=kind)])
    assert load(path)(["a", "b"])["y"].tolist() == ["a", "b"]
    with pytest.raises(InputError, match="takes text"):
        load(path)([1, 2])


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"tensorflow", "keras", "onnx", "duckdb", "yaml", "jsonschema", "click", "rich",
                                  "sklearn", "soundfile", "tf2onnx", "matplotlib", "pandas", "scipy"}:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Block())
import numpy as np
import nnspec.runtime.reading, nnspec.runtime.writing, nnspec.runtime
predict = nnspec.runtime.load(sys.argv[1], threads=1)
inputs = nnspec.runtime.reading.read_inputs(sys.argv[2], predict.metadata)
nnspec.runtime.writing.write_predictions(predict(**inputs), predict.metadata)
"""


def test_needs_numpy_and_onnxruntime_alone(tmp_path: Path) -> None:
    dense(tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", x=X[:1, :1])
    command = [sys.executable, "-c", BLOCKED, str(tmp_path / "m.onnx"), str(tmp_path / "x.npz")]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == {"y_0_0": 34.0, "y_0_1": 40.0}
