"""`nnspec import`: Keras models become specs that compute the same, and what cannot is refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from keras import layers as kl

from nnspec import pipeline
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.importers.keras import importer
from nnspec.importers.keras.importer import Imported, import_model
from nnspec.importers.keras.written_spec import is_exact
from nnspec.progress import Progress
from tests.support.imported_models import compare_deployed


def randomized(model: Any, seed: int = 3) -> Any:
    """Weights that no symmetry hides."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed" in variable.path:
            continue
        values = rng.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return model


def imported(model: Any, folder: Path, **options: Any) -> tuple[Imported, dict[str, Any], pipeline.Checked]:
    made = import_model(randomized(model), folder, **options)
    assert made.error <= 1e-5
    text = made.spec.read_text(encoding="utf-8")
    checked = pipeline.check(made.spec)
    assert checked.graph.parameters == model.count_params()
    return made, yaml.safe_load(text), checked


# ------------------------------------------------------------------------------------------------- models


def chain() -> Any:
    return keras.Sequential(
        [
            keras.Input((10, 5)),
            kl.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="elu"),
            kl.Bidirectional(kl.LSTM(3, return_sequences=True, kernel_regularizer=keras.regularizers.L2(0.003))),
            kl.TimeDistributed(kl.Dense(2, kernel_initializer=keras.initializers.HeNormal(seed=5))),
            kl.Flatten(),
            kl.Dense(7, activation="softmax"),
        ],
        name="chain",
    )


def two_inputs() -> Any:
    a, b = keras.Input((6,), name="left side"), keras.Input((6,), name="right")
    shared = kl.Dense(5, activation="tanh", name="tower")
    joined = kl.Concatenate()([shared(a), shared(b)])
    return keras.Model([a, b], {"p": kl.Dense(1, activation="sigmoid")(joined), "q": kl.Dense(3)(joined)})


def nested() -> Any:
    inner_in = keras.Input((8, 6, 3))
    inner = keras.Model(inner_in, kl.MaxPooling2D()(kl.Conv2D(4, 3, padding="same", activation="relu")(inner_in)))
    head = keras.Sequential([kl.GlobalAveragePooling2D(), kl.Dense(2)], name="head")
    x = keras.Input((8, 6, 3))
    return keras.Model(x, head(inner(x)), name="nested")


def twice_nested() -> Any:
    """One model inside another, used twice: its layers are shared."""
    tower_in = keras.Input((7, 2))
    tower = keras.Model(tower_in, kl.GRU(3)(tower_in), name="tower")
    a, b = keras.Input((7, 2)), keras.Input((7, 2))
    return keras.Model([a, b], kl.Dense(1)(kl.Subtract()([tower(a), tower(b)])), name="siamese")


def operators() -> Any:
    x = keras.Input((5, 4))
    y = kl.Dense(4)(x)
    return keras.Model(x, keras.ops.relu(x + y * 0.5 - 1.0) / 4.0, name="operators")


def with_states() -> Any:
    source, target = keras.Input((None, 4), name="source"), keras.Input((None, 3), name="target")
    _, hidden, cell = kl.LSTM(5, return_state=True)(source)
    decoded = kl.LSTM(5, return_sequences=True)(target, initial_state=[hidden, cell])
    return keras.Model([source, target], kl.Dense(2, activation="softmax")(decoded), name="translator")


def tokens() -> Any:
    x = keras.Input((9,))
    y = kl.Embedding(20, 6, mask_zero=True)(x)
    return keras.Model(x, kl.Dense(1, activation="sigmoid")(kl.GRU(4)(y)), name="tokens")


def mixing_reshape() -> Any:
    x = keras.Input((10, 5))
    return keras.Model(x, kl.Conv2D(2, 3)(kl.Reshape((5, 10, 1))(x)), name="mixing")


def channels_first_names() -> Any:
    x = keras.Input((12, 7))
    y = kl.Permute((2, 1))(x)
    return keras.Model(x, kl.Conv1D(3, 2)(y), name="over_features")


def clashing_names() -> Any:
    x = keras.Input((6, 8, 3))
    y = kl.Conv2D(5, 3)(x)
    y = kl.Permute((3, 1, 2))(y)
    return keras.Model(x, kl.Dense(4)(kl.Dense(3)(y)), name="clashing")


MODELS: list[Callable[[], Any]] = [
    chain,
    two_inputs,
    nested,
    twice_nested,
    operators,
    with_states,
    tokens,
    mixing_reshape,
    channels_first_names,
    clashing_names,
]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_model(make: Callable[[], Any], tmp_path: Path) -> None:
    imported(make(), tmp_path)


def test_what_a_spec_says(tmp_path: Path) -> None:
    _, spec, _ = imported(chain(), tmp_path)
    assert list(spec["inputs"].values()) == [{"axes": {"time": 10, "feature": 5}}]
    kinds = [next(iter(item)) if isinstance(item, dict) else item for item in spec["model"]]
    assert kinds == ["Conv1D", "Bidirectional", "TimeDistributed", "Flatten", "Dense"]
    assert spec["model"][0]["Conv1D"] == {
        "filters": 4,
        "kernel_size": 3,
        "padding": "causal",
        "dilation_rate": 2,
        "activation": "elu",
    }
    inner = spec["model"][1]["Bidirectional"]["layer"]["LSTM"]
    assert inner == {"units": 3, "kernel_regularizer": {"L2": {"l2": 0.003}}, "return_sequences": True}
    assert list(spec["outputs"].values()) == [{"task": "classification"}]


def test_tasks_and_names(tmp_path: Path) -> None:
    _, spec, _ = imported(two_inputs(), tmp_path)
    assert {name: body["task"] for name, body in spec["outputs"].items()} == {"p": "binary", "q": "regression"}
    assert list(spec["layers"]) == ["tower"]


def test_shared_layers_keep_one_set_of_weights(tmp_path: Path) -> None:
    model = twice_nested()
    _, spec, checked = imported(model, tmp_path)
    assert len(spec["layers"]) == 1
    assert sum(node.shared is not None for node in checked.graph.nodes) == 2


def test_lengths_stay_open(tmp_path: Path) -> None:
    _, _, checked = imported(with_states(), tmp_path)
    sizes = {name: str(value.axes[0].size) for name, value in checked.graph.inputs.items()}
    assert sizes == {"source": "T_source", "target": "T_target"}


def test_pictures_of_any_size_that_are_halved_and_doubled(tmp_path: Path) -> None:
    """The sizes of a U-Net are open, and multiples of what its strides make of one position."""
    x = keras.Input((None, None, 2))
    wide = kl.Conv2D(3, 3, padding="same")(x)
    narrow = kl.Conv2D(3, 3, padding="same", strides=2)(wide)
    y = kl.MaxPooling2D(3)(narrow)
    y = kl.Conv2DTranspose(3, 3, strides=3)(y)
    y = kl.Concatenate()([kl.UpSampling2D(2)(kl.Add()([narrow, y])), wide])
    model = keras.Model(x, kl.Conv2D(1, 1)(y))
    made, _, checked = imported(model, tmp_path)
    assert checked.graph.constraints == ("H % 6 == 0", "W % 6 == 0")
    compare_deployed(model, made, [[np.random.default_rng(0).normal(size=(2, 12, 18, 2)).astype(np.float32)]])


def test_a_gate_over_pictures_of_any_size(tmp_path: Path) -> None:
    """What is halved and doubled again fits a picture of even size, and has one channel for all of the picture's."""
    x = keras.Input((None, None, 2))
    y = kl.Conv2D(4, 3, padding="same")(x)
    gate = kl.UpSampling2D()(kl.Conv2D(1, 1, activation="sigmoid")(kl.MaxPooling2D(padding="same")(y)))
    model = keras.Model(x, kl.Conv2D(3, 1)(kl.Multiply()([y, gate])))
    made, _, checked = imported(model, tmp_path)
    assert checked.graph.constraints == ("H % 2 == 0", "W % 2 == 0")
    compare_deployed(model, made, [[np.random.default_rng(0).normal(size=(2, 4, 6, 2)).astype(np.float32)]])


def test_layers_of_images_run_along_two_axes(tmp_path: Path) -> None:
    """Also where a channel was added by a reshape: the axes of grey images are called as those of others."""
    model = keras.Sequential([kl.Input((6, 5)), kl.Reshape((6, 5, 1)), kl.RandomFlip("horizontal"), kl.Flatten()])
    _, spec, _ = imported(model, tmp_path)
    assert list(next(iter(spec["inputs"].values()))["axes"]) == ["height", "width"]
    assert spec["model"][-2:] == [{"RandomFlip": {"mode": "horizontal"}}, "Flatten"]
    _, spec, _ = imported(keras.Sequential([kl.Input((6, 5, 3)), kl.RandomFlip(), kl.Flatten()]), tmp_path)
    assert list(next(iter(spec["inputs"].values()))["axes"]) == ["height", "width", "channel"]


def test_ids_are_integers(tmp_path: Path) -> None:
    _, _, checked = imported(tokens(), tmp_path)
    assert [value.dtype for value in checked.graph.inputs.values()] == ["int32"]


def test_a_mixing_reshape_is_said(tmp_path: Path) -> None:
    """What the checker would refuse is what the model does, so it is written out: merge and split."""
    _, spec, _ = imported(mixing_reshape(), tmp_path)
    kinds = [next(iter(item)) for item in spec["model"]]
    assert kinds[:2] == ["merge", "split"]


# ------------------------------------------------------------------------------------------------- folding


def residual_network(filters: list[int], repeats: int = 1) -> Any:
    x = keras.Input((16, 16, 3))
    y = kl.Conv2D(filters[0], 3, padding="same")(x)
    for width in filters:
        for _ in range(repeats):
            skip = kl.Conv2D(width, 1)(y)
            z = kl.Conv2D(width, 3, padding="same", use_bias=False)(y)
            z = kl.BatchNormalization()(z)
            z = kl.Activation("relu")(z)
            z = kl.Conv2D(width, 3, padding="same", use_bias=False)(z)
            z = kl.BatchNormalization()(z)
            y = kl.Activation("relu")(kl.Add()([skip, z]))
    return keras.Model(x, kl.Dense(2)(kl.GlobalAveragePooling2D()(y)), name="residual_network")


def test_blocks_with_parameters(tmp_path: Path) -> None:
    made, spec, checked = imported(residual_network([4, 6, 5]), tmp_path)
    flat, _, written_out = imported(residual_network([4, 6, 5]), tmp_path / "flat", fold=False)
    assert made.lines < flat.lines
    assert [n.kind for n in checked.graph.nodes] == [n.kind for n in written_out.graph.nodes]
    assert [n.weights for n in checked.graph.nodes] == [n.weights for n in written_out.graph.nodes]
    assert any("filters" in block.get("parameters", {}) for block in spec["blocks"].values())


def test_a_chain_of_equals_is_a_repeat(tmp_path: Path) -> None:
    x = keras.Input((20, 4))
    y = x
    for dilation in (1, 2, 4, 8, 16):
        y = kl.Conv1D(6, 2, padding="causal", dilation_rate=dilation, activation="relu")(y)
    _, spec, checked = imported(keras.Model(x, y, name="stack"), tmp_path)
    (repeat,) = [item["repeat"] for item in spec["model"] if "repeat" in item]
    assert repeat["for"] == {"dilation_rate": [1, 2, 4, 8, 16]}
    assert len(checked.graph.nodes) == 5


@pytest.mark.parametrize("seed", range(12))
def test_folding_is_exact(seed: int, tmp_path: Path) -> None:
    """Random networks with repeated parts, residuals and branches, written folded and flat, are the same graph."""
    from nnspec.importers.keras.build_spec import build_draft
    from nnspec.importers.keras.source import read_network
    from nnspec.importers.keras.writing import write_spec

    rng = np.random.default_rng(seed)
    x = keras.Input((8, 8, 4))
    y, seen = x, [x]
    pattern = [str(rng.choice(["conv", "norm", "act", "residual", "join"])) for _ in range(int(rng.integers(2, 6)))]
    for _ in range(int(rng.integers(2, 6))):
        for step in pattern if rng.random() < 0.85 else pattern[::-1]:
            before = y
            if step == "conv":
                y = kl.Conv2D(4, int(rng.choice([1, 3])), padding="same")(y)
            elif step == "norm":
                y = kl.BatchNormalization()(y)
            elif step == "act":
                y = kl.Activation("relu")(y)
            elif step == "residual":
                y = kl.Add()([before, kl.Conv2D(4, 3, padding="same")(y)])
            else:
                y = kl.Add()([y, seen[int(rng.integers(len(seen)))]])
            seen.append(y)
    model = keras.Model(x, [y, seen[len(seen) // 2]], name="random")
    draft = build_draft(read_network(model.get_config(), "Functional"))
    graphs = []
    for fold in (True, False):
        path = tmp_path / f"{fold}.yaml"
        path.write_text(write_spec(draft, fold=fold), encoding="utf-8")
        graphs.append(pipeline.check(path).graph)
        assert is_exact(draft, graphs[-1]), path.read_text(encoding="utf-8")
    assert [n.parameters for n in graphs[0].nodes] == [n.parameters for n in graphs[1].nodes]


# ------------------------------------------------------------------------------------------------- refusals


@keras.saving.register_keras_serializable("tests")
class Twice(kl.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return 2 * x


class Subclassed(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.dense = kl.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def _model_of(function: Callable[[Any], Any], shape: tuple[int | None, ...] = (6, 4)) -> Any:
    x = keras.Input(shape)
    return keras.Model(x, function(x), name="refused")


REFUSED = [
    (lambda: _model_of(lambda x: Twice(name="double")(x)), "`double` is a `tests>Twice`"),
    (lambda: _model_of(lambda x: kl.Lambda(lambda v: v * 2, name="code")(x)), "`code` is a `Lambda`"),
    (lambda: _model_of(lambda x: kl.Dropout(0.5, name="always")(x, training=True)), "`training=True`"),
    (lambda: _model_of(lambda x: x), "no layers"),
    (lambda: _model_of(lambda x: kl.Dense(3, dtype="float16", name="half")(x)), "`float16`"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(make: Callable[[], Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        import_model(make(), tmp_path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "NN607"
    assert said in diagnostic.message
    assert not list(tmp_path.iterdir())


def test_a_difference_is_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With weights that were not carried over, the comparison must fail."""
    monkeypatch.setattr(importer, "carry_weights", lambda *_: None)
    with pytest.raises(SpecError) as caught:
        import_model(randomized(chain()), tmp_path)
    assert [d.code for d in caught.value.diagnostics] == ["NN708"]
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_command(tmp_path: Path) -> None:
    """import, show, export: the deployed model computes what the Keras model did."""
    model = randomized(chain())
    model.save(tmp_path / "weather.keras")
    result = run("import", tmp_path / "weather.keras", "--out", tmp_path, "--format", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["parameters"] == model.count_params()
    assert told["max_relative_error"] <= 1e-5
    assert run("show", tmp_path / "weather.yaml").exit_code == 0
    weights = tmp_path / "weather.weights.h5"
    result = run("export", tmp_path / "weather.yaml", "--weights", weights, "--out", tmp_path / "out", "-q")
    assert result.exit_code == 0, result.output
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).normal(size=(4, 10, 5)).astype(np.float32)
    (port,) = session.get_inputs()
    np.testing.assert_allclose(session.run(None, {port.name: x})[0], model.predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_damaged_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    result = run("import", path)
    assert result.exit_code == 1
    assert "NN607" in result.output
    assert "Traceback" not in result.output


def test_files_of_other_kinds(tmp_path: Path) -> None:
    assert "there is no file" in run("import", tmp_path / "none.keras").output
    (tmp_path / "m.h5").write_bytes(b"x")
    assert "a Keras 2 file" in run("import", tmp_path / "m.h5").output


def test_a_subclassed_archive_is_refused_before_keras_is_loaded(tmp_path: Path) -> None:
    model = Subclassed()
    model(np.zeros((1, 3), np.float32))
    model.save(tmp_path / "m.keras")
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom nnspec.cli import main\n"
        f"result = CliRunner().invoke(main, ['import', {str(tmp_path / 'm.keras')!r}])\n"
        "assert result.exit_code == 1 and 'subclassed' in result.output, result.output\n"
        "assert 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_words_that_keras_learned(tmp_path: Path) -> None:
    layers = keras.layers
    color, code = keras.Input((1,), dtype="string", name="color"), keras.Input((2,), dtype="int64", name="code")
    words = layers.StringLookup(max_tokens=5, mask_token="")
    words.adapt(np.asarray([["a"], ["b"], ["a"], ["é"]], object))
    given = layers.IntegerLookup(vocabulary=[7, 3], output_mode="count")
    vectors = layers.Flatten()(layers.Embedding(5, 2)(words(color)))
    model = keras.Model([color, code], layers.Dense(1)(layers.Concatenate()([vectors, given(code)])))
    model.save(tmp_path / "model.keras")
    made = importer.import_file(tmp_path / "model.keras", tmp_path / "a", Progress(quiet=True))
    assert "vocabulary: [a, é, b]" in made.spec.read_text(encoding="utf-8")
    weighing = layers.IntegerLookup(output_mode="tf_idf", max_tokens=6, pad_to_max_tokens=True)
    weighing.adapt(np.asarray([[1, 2], [2, 3]]))
    model = keras.Model([color, code], layers.Concatenate()([layers.Flatten()(vectors), weighing(code)]))
    made = import_model(model, tmp_path / "b", name="weighing")
    assert made.graph.nodes[-2].args["vocabulary"] == [2, 3, 1]
    model = keras.Model(color, layers.StringLookup(name="new")(color))
    with pytest.raises(SpecError, match=r"layer `new` \(StringLookup\) has no vocabulary"):
        import_model(model, tmp_path / "c", name="new")


@pytest.mark.parametrize("is_sequential", [True, False])
def test_outputs_that_are_calls_of_one_model(is_sequential: bool, tmp_path: Path) -> None:
    """Keras counts the call that made a Functional, in outputs alone."""
    steps = keras.Input((3,))
    inner = keras.Sequential([kl.Dense(2)]) if is_sequential else keras.Model(steps, kl.Dense(2)(steps))
    one, other = keras.Input((3,), name="one"), keras.Input((3,), name="other")
    model = keras.Model([one, other], [inner(other), inner(one)])
    made = import_model(model, tmp_path)
    assert [value.node for node in made.graph.nodes for value in node.inputs] == ["other", "one"]
