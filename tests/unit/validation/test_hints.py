"""Slips and habits from Keras, PyTorch and plain typing: each is met with the word that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Applicability, Diagnostic
from nnspec.diagnostics.suggest import did_you_mean, is_same_word, nearest
from nnspec.layers.registry import REGISTRY
from nnspec.pipeline import diagnose
from nnspec.schema.sections import DTYPES, TASKS, sections
from nnspec.validation import hints

BASE = {
    "inputs": "{x: {axes: {time: 10, feature: 5}}}",
    "model": "[Flatten, {Dense: {units: 1}}]",
    "outputs": "{y: {task: regression}}",
}
IN_LAYERS = {  # a layer as written -> the word that is offered, `!` where that is certain
    "{Conv1d: {filters: 3, kernel_size: 3}}": "Conv1D!",
    "{Conv1D: {filters: 3, kernal_size: 3}}": "kernel_size",
    "{Conv1D: {filters: 3, kernel: 3}}": "kernel_size",
    "{Conv1D: {units: 3, kernel_size: 3}}": "filters",
    "{Conv1D: {out_channels: 3, kernel_size: 3}}": "filters",
    "{Conv1D: {filters: 3, kernel_size: 3, stride: 2}}": "strides",
    "{Conv1D: {filters: 3, kernel-size: 3}}": "kernel_size!",
    "{Conv1D: {filters: 3, kernel_size: 3, padding: 'same '}}": "same!",
    "{Conv1D: {filters: 3, kernel_size: 3, padding: casual}}": "causal",
    "{Conv1D: {filters: 3, kernel_size: 3, activation: ReLU}}": "relu!",
    "{Conv1D: {filters: 3, kernel_size: 3, data_format: NCHW}}": "channels_first",
    "{ConvTranspose1d: {filters: 3, kernel_size: 3}}": "Conv1DTranspose",
    "{LSTM: {hidden_size: 3}}": "units",
    "{LSTM: {n_units: 3}}": "units",
    "{LSTM: {units: 3, return_sequence: true}}": "return_sequences",
    "{LSTM: {units: 3, return_seq: true}}": "return_sequences",
    "{Bidirectional: {layer: {LTSM: {units: 3}}}}": "LSTM",
    "{Bidirectional: {layer: {LSTM: {units: 3}}, merge_mode: concatenate}}": "concat",
    "{TimeDistributed: {layer: {Dense: {unit: 3}}}}": "units",
    "{Maxpool1D: {pool_size: 2}}": "MaxPooling1D",
    "{MaxPooling1D: {kernel_size: 2}}": "pool_size",
    "{Batchnorm: {}}": "BatchNormalization",
    "LayerNorm": "LayerNormalization",
    "{Dropout: {p: 0.3}}": "rate",
    "{Linear: {out_features: 5}}": "Dense",
    "{Dense: {units: 3, act: relu}}": "activation",
    "{Dense: {units: 3, bias: false}}": "use_bias",
    "{Dense: {Units: 3}}": "units!",
    "{Dense: {units: 3, kernel_initializer: xavier}}": "glorot_uniform",
    "{Dense: {units: 3, kernel_initializer: he_normel}}": "he_normal",
    "{Dense: {units: 3, kernel_initializer: {HeNormal: {sed: 3}}}}": "seed",
    "{Dense: {units: 3, kernel_initializer: {HeNormall: {seed: 3}}}}": "HeNormal",
    "{Dense: {units: 3, kernel_regularizer: {L2: {l: 0.1}}}}": "l2",
    "{Embedding: {num_embeddings: 3, output_dim: 3}}": "input_dim",
    "{premute: [feature, time]}": "permute",
    "{permute: {axes: [feature, time]}}": "order",
    "{permute: [featur, time]}": "feature",
    "{drop: tim}": "time",
    "{Reshape: {shape: [5, 10]}}": "target_shape",
    "{unsqueeze: 1}": "insert",
    "{Softmax: {dim: 1}}": "axis",
    "{LeakyReLU: {alpha: 0.1}}": "negative_slope",
    "{Softmax: {axis: tim}}": "time",
    "{Concat: {from: [x, x]}}": "Concatenate",
    "{repeet: {times: 2, model: []}}": "repeat",
    "{repeat: {time: 2, model: [Flatten]}}": "times",
    "relu": "ReLU!",
}
IN_SECTIONS = {
    ("training", "{optimiser: Adam}"): "optimizer",
    ("training", "{optimizer: adm}"): "adam",
    ("training", "{optimizer: {Adam: {lr: 0.1}}}"): "learning_rate",
    ("training", "{optimizer: {SGD: {momentun: 0.9}}}"): "momentum",
    ("training", "{optimizer: {Adam: {learning_rate: {CosinDecay: {}}}}}"): "CosineDecay",
    ("training", "{batchsize: 3}"): "batch_size!",
    ("training", "{callbacks: [EarlyStoping]}"): "EarlyStopping",
    ("training", "{callbacks: [{EarlyStopping: {patiance: 3}}]}"): "patience",
    ("training", "{random_state: 3}"): "seed",
    ("outputs", "{y: {task: regresion}}"): "regression",
    ("outputs", "{y: {task: Regression}}"): "regression!",
    ("outputs", "{y: {task: multiclass}}"): "classification",
    ("outputs", "{y: {type: regression}}"): "task",
    ("outputs", "{y: {task: regression, loss: mean_squared_eror}}"): "mean_squared_error",
    ("outputs", "{y: {task: regression, metrics: [rmse]}}"): "RootMeanSquaredError",
    ("outputs", "{y: {task: regression, from: dens_1}}"): "dense_1",
    ("inputs", "{x: {axis: {time: 10, feature: 5}}}"): "axes",
    ("inputs", "{x: {axes: {time: 10, feature: 5}, dtype: int}}"): "int32",
    ("inputs", "{x: {axes: {time: 10, feature: 5}, dtype: Float32}}"): "float32!",
    ("export", "{opset_version: 18}"): "opset",
    ("export", "{layout: {xx: [batch]}}"): "x",
    ("train", "{epochs: 3}"): "training",
    ("blocks", "{a: {parameters: {n: 3}, layers: [Flatten]}}"): "model",
    ("data", "{source: {cvs: a.csv}}"): "csv",
    ("outputs", "{y: {task: segmentation}}"): "classification",
    ("outputs", "{y: {task: forecasting}}"): "regression",
    ("inputs", "{x: {axes: {time: 3}, dtype: text}}"): "string",
    ("data", "{split: {val: 0.2}}"): "validation",
    ("data", "{split: {cv: 5}}"): "folds",
    ("data", "{split: {train: 0.5, stratified: kind}}"): "stratify",
    ("data", "{split: {train: 0.5, test_size: 0.2}}"): "test",
    ("data", "{split: {train: 0.5, random_state: 3}}"): "seed",
    ("data", "{split: {train: 0.5, shuffle: true}}"): "by",
    ("data", "{stratify: kind}"): "split",
    ("data", "{filename: a.csv}"): "source",
    ("data", "{features: [a]}"): "inputs",
    ("data", "{label: kind}"): "outputs",
    ("data", "{source: {csv: a.csv, sep: ';'}}"): "delimiter",
    ("data", "{window: {look_back: 3}}"): "lookback!",
    ("data", "{inputs: {x: {standardize: true}}}"): "scale",
    ("data", "{outputs: {y: {target: price}}}"): "columns",
    ("training", "{n_epochs: 5}"): "epochs",
    ("training", "{class_weights: balanced}"): "class_weight",
    ("data", "{split: {train: 0.2, by: tiem}}"): "time",
    ("data", "{inputs: {x: {scale: zscore}}}"): "standard",
}
ONLY_SAID = {  # words that have no one-word equivalent -> what is said instead
    "{LSTM: {units: 3, num_layers: 2}}": "write one after another",
    "{LSTM: {units: 3, batch_input_shape: [1, 2]}}": "for a fixed batch size, set `batch:` of the input",
    "{LSTM: {units: 3, input_shape: [1, 2]}}": "shapes are declared under `inputs:`",
    "{Dense: {units: 3, weight_decay: 0.1}}": "`kernel_regularizer:",
    "{TimeDistributed: {Dense: {units: 3}}}": "goes under `layer:`",
    "gelu": "`Activation: gelu`",
    "{LSTM: {units: 3, initial_state: [h, c]}}": "`from: [x, hidden, cell]`",
    "{GRU: {units: 3, initial_state: h}}": "`from: [x, state]`",
    "{MultiHeadAttention: {num_heads: 2, key_dim: 3, value: x}}": "`from: [query, value]`",
    "{Dense: {units: 3, dropout: 0.5}}": "`Dropout: 0.5`",
    "{BatchNormalization: {activation: relu}}": "`Activation: relu`",
    "{transpose: [1, 0]}": "`permute: [names]`",
    "{LayerNormalization: {rms_scaling: true}}": "`RMSNormalization`",
    "{Embedding: {input_dim: 3, output_dim: 2, input_length: 5}}": "remove it",
}
ONLY_SAID_ELSEWHERE = {  # the same in sections: no word there comes near what was meant
    ("inputs", "{x: {axes: {time: 3}, images: photos}}"): ["under `data.inputs`"],
    ("training", "{stratify: kind, lr: 0.1}"): ["under `data.split`", "it belongs to the optimizer"],
    ("data", "{shuffle: true}"): ["`split: {by: random}`"],
    ("data", "{source: {csv: a.csv, index_col: 0}}"): ["is `order_by`"],
    ("data", "{inputs: {x: {images: path, size: [8, 8]}}}"): ["those of the model's input"],
    ("data", "{inputs: {x: {columns: {a: {indicator: true}}}}}"): ["`data: {missing: {COLUMN: indicator}}`"],
    ("data", "{inputs: {x: {columns: {a: {sep: ';'}}}}}"): ["{multi_hot: {separator: ';'}}"],
}
REWRITTEN = {  # a value of the wrong form -> the text that is offered in its place
    ("outputs", "{y: regression}"): "{task: regression}",
    ("outputs", "{y: {task: regression, metrics: mae}}"): "[mae]",
    ("training", "{optimizer: Adam(lr=0.001)}"): "{Adam: {learning_rate: 0.001}}",
    ("training", '{optimizer: "SGD(lr=0.1, nesterov=True)"}'): "{SGD: {learning_rate: 0.1, nesterov: true}}",
    ("training", "{optimizer: Adam()}"): "Adam",
}


def found(folder: Path, **sections: str) -> list[Diagnostic]:
    path = folder / "spec.yaml"
    path.write_text("nnspec: 1\n" + "".join(f"{k}: {v}\n" for k, v in (BASE | sections).items()), encoding="utf-8")
    return diagnose(path)


def offered(diagnostics: list[Diagnostic]) -> list[str]:
    """The words that fixes write, with `!` where they are certain."""
    return [
        edit.text + ("!" if fix.applicability is Applicability.MACHINE else "")
        for diagnostic in diagnostics
        for fix in diagnostic.fixes
        for edit in fix.edits
    ]


@pytest.mark.parametrize(("layer", "meant"), IN_LAYERS.items())
def test_layers(layer: str, meant: str, tmp_path: Path) -> None:
    diagnostics = found(tmp_path, model=f"[{layer}, Flatten, {{Dense: {{units: 1}}}}]")
    assert meant in offered(diagnostics)
    assert "NN203" not in {d.code for d in diagnostics}, "what is misspelt is not missing too"


@pytest.mark.parametrize(("section", "meant"), IN_SECTIONS.items())
def test_sections(section: tuple[str, str], meant: str, tmp_path: Path) -> None:
    assert meant in offered(found(tmp_path, **dict([section])))


@pytest.mark.parametrize(("layer", "said"), ONLY_SAID.items())
def test_said(layer: str, said: str, tmp_path: Path) -> None:
    diagnostics = found(tmp_path, model=f"[{layer}, Flatten, {{Dense: {{units: 1}}}}]")
    assert any(said in note for d in diagnostics for note in d.notes)


@pytest.mark.parametrize(("section", "notes"), ONLY_SAID_ELSEWHERE.items())
def test_said_in_sections(section: tuple[str, str], notes: list[str], tmp_path: Path) -> None:
    diagnostics = found(tmp_path, **dict([section]))
    assert all(any(note in said for d in diagnostics for said in d.notes) for note in notes)
    assert not offered([d for d in diagnostics if d.code == "NN201"])


@pytest.mark.parametrize(("section", "text"), REWRITTEN.items())
def test_rewritten(section: tuple[str, str], text: str, tmp_path: Path) -> None:
    assert offered(found(tmp_path, **dict([section]))) == [text]


def test_words_of_certain_fixes_are_the_text_itself(tmp_path: Path) -> None:
    """An anchor, a variable or a word that stands for two leaves a guess."""
    assert offered(found(tmp_path, model="[{Dense: {units: 1, activation: &a ReLU}}]")) == ["relu"]
    assert offered(found(tmp_path, vars="{a: ReLU}", model="[{Dense: {units: 1, activation: $a}}]")) == ["relu"]
    assert is_same_word("Kernel-Size", "kernel_size", ["kernel_size", "strides"])
    assert not is_same_word("adam", "Adam", ["Adam", "ADAM"])


def test_nearest() -> None:
    assert nearest("PERMUTE", ["Permute", "permute"]) == ["Permute"]
    assert nearest("premute", ["Permute", "permute"]) == ["permute"]
    assert nearest("x" * 10_000, ["x" * 9_999]) == []
    assert nearest("return_seq", ["return_state", "return_sequences"]) == ["return_sequences"]
    assert nearest("Adma", ["Adamax", "Adam", "AdamW"]) == ["Adam"]
    assert did_you_mean("maxx", ["min", "max"]) == "; did you mean `max`?"


def test_hints_lead_to_words_that_exist() -> None:
    """Every word that a hint puts in place of another is an argument, a kind or an object that can be said there."""
    for kind, layer in REGISTRY.items():
        assert not layer.habits.keys() & layer.args.keys(), kind
        assert {hint.instead for hint in layer.habits.values()} - {None} <= layer.args.keys(), kind
    for (habit, prefix), hint in hints._KEYS_OF.items():
        owners = [
            set(keras_objects.argument_names(family, name))
            for family in keras_objects.FAMILIES
            for name in keras_objects.names(family)
            if name.startswith(prefix)
        ]
        known = any(hint.instead in owner and habit not in owner for owner in owners)
        assert hint.instead is None or known or prefix == "block", (habit, prefix)
    assert {h.instead for h in hints._LAYERS.values()} - {None} <= {*REGISTRY, "repeat"}
    assert {h.instead for h in hints._SECTIONS.values()} - {None} <= set(sections({}, {}))
    words = {*keras_objects.aliases("initializers"), *keras_objects.names("losses"), *keras_objects.aliases("losses")}
    words |= {*keras_objects.names("metrics"), *keras_objects.aliases("metrics"), *DTYPES, *TASKS}
    words |= {"channels_first", "channels_last", "standard", "minmax", "forward_fill", "drop", "random", "time", "same"}
    words |= {"valid", "sum", "ave", "mul"}
    assert {word for values in hints._VALUES.values() for word in values.values()} <= words
    assert hints.value_for("relu", "kernel_initializer") is None
