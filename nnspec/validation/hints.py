"""What people write out of habit from Keras, PyTorch or ONNX, and what a spec says instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """What to say about a word that does not exist, and the word that takes its place, if one does."""

    text: str
    instead: str | None = None


def _word(instead: str) -> Hint:
    return Hint(f"Keras' word is `{instead}`", instead)


def _activation(function: str) -> Hint:
    return Hint(f"a function alone is `Activation: {function}`; most layers also take `activation`")


_SHAPES = Hint("a spec says shapes under `inputs:`, with a name for every axis; layers infer theirs")
_BATCH = Hint("a spec says shapes under `inputs:`; a fixed batch is `batch:` of the input")
_REORDER = Hint("axes are reordered by `permute: [names]` or Keras' `Permute`")
_INPUTS = Hint("inputs are declared under `inputs:`")
_INFERRED = Hint("it is inferred from the input; leave it out")
_RATE = Hint("it belongs to the optimizer: `optimizer: {Adam: {learning_rate: 0.001}}`")
_READS = Hint("inside a layer, what it reads is `from:`", "from")
_OF_OUTPUT = Hint("it belongs to an output: `outputs: {y: {task: regression, loss: …, metrics: […]}}`")
_WRAPPED = Hint("the layer inside stands under `layer:`, as in `layer: {Dense: {units: 8}}`")

# A key of any owner.
_KEYS: Mapping[str, Hint] = {
    "input_shape": _SHAPES,
    "input_dim": _SHAPES,
    "batch_input_shape": _BATCH,
    "batch_shape": _BATCH,
    "dtype": Hint("the dtype is said under `inputs:`"),
    "inputs": _READS,
    "input": _READS,
    "out_channels": _word("filters"),
    "in_channels": _INFERRED,
    "out_features": _word("units"),
    "in_features": _INFERRED,
    "input_size": _INFERRED,
    "hidden_size": _word("units"),
    "hidden_dim": _word("units"),
    "stride": _word("strides"),
    "dilation": _word("dilation_rate"),
    "bias": _word("use_bias"),
    "kernel": _word("kernel_size"),
    "act": _word("activation"),
    "nonlinearity": _word("activation"),
    "learning_rate": _RATE,
    "lr": _RATE,
    "axes": Hint("axes are named under `inputs:`"),
    "weight_decay": Hint("a penalty on weights is `kernel_regularizer: {L2: {l2: 0.01}}`, or `AdamW` as the optimizer"),
}
# A key of an owner whose name begins so.
_KEYS_OF: Mapping[tuple[str, str], Hint] = {
    ("units", "Conv"): Hint("a convolution's outputs are `filters`", "filters"),
    ("filters", "Dense"): Hint("a Dense layer's outputs are `units`", "units"),
    ("filters", "LSTM"): Hint("a recurrent layer's outputs are `units`", "units"),
    ("filters", "GRU"): Hint("a recurrent layer's outputs are `units`", "units"),
    **{
        (habit, kind): hint
        for kind in ("LSTM", "GRU", "SimpleRNN")
        for habit, hint in {
            "num_layers": Hint(
                "recurrent layers are stacked one after another, the lower with `return_sequences: true`"
            ),
            "bidirectional": Hint("both directions are `Bidirectional: {layer: {LSTM: {units: 8}}}`"),
            "batch_first": Hint("the batch always comes first, and is implicit"),
            "initial_state": Hint(
                "states are read beside the sequence: `from: [x, hidden, cell]`, or those of a layer with "
                "`return_state: true`, `from: [x, encoder.hidden, encoder.cell]`"
                if kind == "LSTM"
                else "a state is read beside the sequence: `from: [x, state]`"
            ),
            "nonlinearity": _word("activation"),
        }.items()
    },
    **{("p", kind): _word("rate") for kind in ("Dropout", "SpatialDropout", "AlphaDropout", "GaussianDropout")},
    **{("prob", kind): _word("rate") for kind in ("Dropout", "SpatialDropout", "AlphaDropout", "GaussianDropout")},
    ("keep_prob", "Dropout"): Hint("`rate` is the share that is dropped, 1 less what is kept"),
    ("num_embeddings", "Embedding"): _word("input_dim"),
    ("embedding_dim", "Embedding"): _word("output_dim"),
    ("input_length", "Embedding"): _INFERRED,
    ("alpha", "LeakyReLU"): _word("negative_slope"),
    ("rms_scaling", "LayerNormalization"): Hint("the layer that divides by the root mean square is `RMSNormalization`"),
    ("dim", "Softmax"): _word("axis"),
    ("dim", "Concatenate"): _word("axis"),
    ("shape", "Reshape"): _word("target_shape"),
    ("perm", "Permute"): _word("dims"),
    ("axes", "Permute"): _word("dims"),
    ("axes", "permute"): Hint("the new order is `order: [names]`, or the list alone", "order"),
    ("dims", "permute"): Hint("the new order is `order: [names]`, or the list alone", "order"),
    ("perm", "permute"): Hint("the new order is `order: [names]`, or the list alone", "order"),
    ("lr", "Adam"): _word("learning_rate"),
    **{
        ("lr", kind): _word("learning_rate")
        for kind in ("SGD", "RMSprop", "Ada", "Nadam", "Ftrl", "Lion", "Lamb", "Muon", "ScheduleFree")
    },
    **{
        (habit, kind): Hint(f"it is a layer of its own, behind this one: `{layer}`")
        for kind in ("Dense", "Conv", "Embedding")
        for habit, layer in {
            "dropout": "Dropout: 0.5",
            "dropout_rate": "Dropout: 0.5",
            "batch_norm": "BatchNormalization",
            "batch_normalization": "BatchNormalization",
            "layer_norm": "LayerNormalization",
            "pool_size": "MaxPooling2D: 2",
        }.items()
    },
    **{
        ("activation", kind): Hint("it is a layer of its own, behind this one: `Activation: relu`")
        for kind in ("BatchNormalization", "LayerNormalization", "Add", "Concatenate", "MaxPooling", "Flatten")
    },
    **{
        (habit, kind): Hint("what it reads is listed: `from: [query, value]`, or `from: [query, value, key]`")
        for kind in ("MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention")
        for habit in ("query", "value", "key", "q", "k", "v")
    },
    ("embed_dim", "MultiHeadAttention"): Hint("what each head has is `key_dim`: the whole divided by `num_heads`"),
    ("d_model", "MultiHeadAttention"): Hint("what each head has is `key_dim`: the whole divided by `num_heads`"),
    **{("kernel_size", f"{kind}Pooling"): _word("pool_size") for kind in ("Max", "Average")},
    ("embed_dim", "Embedding"): _word("output_dim"),
    ("vocab_size", "Embedding"): _word("input_dim"),
    ("vocab_size", "StringLookup"): _word("max_tokens"),
    ("vocab_size", "TextVectorization"): _word("max_tokens"),
    ("layers", "block"): Hint("the layers of a block stand under `model:`", "model"),
}
_SECTIONS: Mapping[str, Hint] = {
    "input": Hint("the section is `inputs`, each with a name of its own", "inputs"),
    "output": Hint("the section is `outputs`, each with a name of its own", "outputs"),
    "network": Hint("the layers stand under `model:`", "model"),
    "version": Hint("the version of the language is `nnspec: 1`", "nnspec"),
    "variables": Hint("variables stand under `vars:`", "vars"),
    "params": Hint("variables stand under `vars:`", "vars"),
    "parameters": Hint("variables stand under `vars:`; the parameters of a block under the block", "vars"),
    "optimizer": Hint("it belongs to `training:`"),
    "epochs": Hint("it belongs to `training:`"),
    "loss": _OF_OUTPUT,
    "metrics": _OF_OUTPUT,
    "onnx": Hint("how the ONNX file is written is said under `export:`", "export"),
}
# By section or owner, where neither is a layer.
_ELSEWHERE: Mapping[tuple[str, str], Hint] = {
    ("training", "loss"): _OF_OUTPUT,
    ("training", "metrics"): _OF_OUTPUT,
    ("training", "early_stopping"): Hint("it is a callback: `callbacks: [{EarlyStopping: {patience: 3}}]`"),
    ("training", "patience"): Hint("it belongs to a callback: `callbacks: [{EarlyStopping: {patience: 3}}]`"),
    ("training", "validation_split"): Hint("shares of the data are said under `data.split`"),
    ("training", "random_state"): Hint("what fixes chance is `seed`", "seed"),
    ("training", "verbose"): Hint("how much is printed is up to the command: `nnspec train -q` prints results only"),
    ("training", "lr_scheduler"): Hint("a schedule stands where the learning rate does, in the optimizer"),
    ("split", "val"): Hint("the split is called `validation`", "validation"),
    ("split", "dev"): Hint("the split is called `validation`", "validation"),
    ("data", "file"): Hint("the file is named under `source:`, as in `source: {csv: data.csv}`", "source"),
    ("data", "path"): Hint("the file is named under `source:`, as in `source: {csv: data.csv}`", "source"),
    ("export", "opset_version"): Hint("the operator set is `opset`", "opset"),
}
_INPUT: Mapping[str, Hint] = {
    "shape": Hint("an input says `axes: {time: 10, feature: 5}`, a name and a size for every axis", "axes"),
    "size": Hint("an input says `axes: {time: 10, feature: 5}`, a name and a size for every axis", "axes"),
    "type": Hint("the type of the elements is `dtype`", "dtype"),
}
_PIXELS = Hint(
    "files of images are put into an array first, with rows (height, width, channel): `source: {npz: images.npz}` and "
    "`array: images`"
)
_DATA_INPUT: Mapping[str, Hint] = {
    **dict.fromkeys(("images", "image", "image_path", "folder", "directory"), _PIXELS),
    **dict.fromkeys(
        ("size", "shape", "image_size", "target_size"),
        Hint("sizes are those of the model's input: `inputs: {x: {axes: {height: 8, width: 8, channel: 3}}}`"),
    ),
    "column": Hint("the columns are a list: `columns: [temperature]`", "columns"),
    "features": Hint("the columns are a list: `columns: [temperature]`", "columns"),
    "normalize": Hint("values are scaled by `scale: standard` or `scale: minmax`", "scale"),
}
_OUTPUT: Mapping[str, Hint] = {
    "type": Hint("what the values mean is `task`", "task"),
    "layer": Hint("the node that it comes from is `from`", "from"),
    "labels": Hint("the labels of the classes are `classes`", "classes"),
    "activation": Hint("the activation belongs to the last layer"),
}
_LAYERS: Mapping[str, Hint] = {
    "input": _INPUTS,
    "linear": _word("Dense"),
    "fullyconnected": _word("Dense"),
    "fully_connected": _word("Dense"),
    "fc": _word("Dense"),
    "conv1": _word("Conv1D"),
    "conv": Hint("Keras' words are `Conv1D`, `Conv2D` and `Conv3D`, by the number of axes that they slide along"),
    "maxpool": Hint("Keras' words are `MaxPooling1D`, `MaxPooling2D` and `MaxPooling3D`"),
    "avgpool": Hint("Keras' words are `AveragePooling1D`, `AveragePooling2D` and `AveragePooling3D`"),
    "upsample": Hint("Keras' words are `UpSampling1D`, `UpSampling2D` and `UpSampling3D`"),
    **{f"convtranspose{n}d": _word(f"Conv{n}DTranspose") for n in (1, 2, 3)},
    **{f"batchnorm{n}": _word("BatchNormalization") for n in ("", "1d", "2d", "3d")},
    "layernorm": _word("LayerNormalization"),
    "rmsnorm": _word("RMSNormalization"),
    "groupnorm": _word("GroupNormalization"),
    **{f"maxpool{n}d": _word(f"MaxPooling{n}D") for n in (1, 2, 3)},
    **{f"avgpool{n}d": _word(f"AveragePooling{n}D") for n in (1, 2, 3)},
    **{f: _activation(f) for f in ("sigmoid", "tanh", "gelu", "silu", "swish", "selu", "softplus", "mish", "relu6")},
    "transpose": _REORDER,
    "swapaxes": _REORDER,
    "unsqueeze": Hint("an axis of size 1 is added by `insert: {name: 1}`", "insert"),
    "expand_dims": Hint("an axis of size 1 is added by `insert: {name: 1}`", "insert"),
    "squeeze": Hint("an axis of size 1 is left out by `drop: name`", "drop"),
    "view": Hint("memory is never reinterpreted silently: `split`, `merge` and `permute` say what is meant"),
    "sum": _word("Add"),
    "cat": _word("Concatenate"),
    "concat": _word("Concatenate"),
    "loop": Hint("layers are written several times by `repeat`", "repeat"),
    "sequential": Hint("a model is a list of layers already; what is used several times is a block"),
}
_VALUES: Mapping[str, Mapping[str, str]] = {
    "initializer": {
        "xavier": "glorot_uniform",
        "xavier_uniform": "glorot_uniform",
        "xavier_normal": "glorot_normal",
        "kaiming": "he_normal",
        "kaiming_uniform": "he_uniform",
        "kaiming_normal": "he_normal",
    },
    "loss": {
        "l1": "mae",
        "l2": "mse",
        "rmse": "mse",
        "nll": "sparse_categorical_crossentropy",
        "cross_entropy": "sparse_categorical_crossentropy",
        "bce": "binary_crossentropy",
        "smooth_l1": "huber",
    },
    "metrics": {"rmse": "RootMeanSquaredError", "r2": "R2Score", "auc": "AUC", "f1": "F1Score"},
    "task": {
        **dict.fromkeys(("multiclass", "categorical", "multi", "multiclass_classification"), "classification"),
        **dict.fromkeys(("segmentation", "semantic_segmentation", "language_model", "tagging"), "classification"),
        **dict.fromkeys(("forecast", "forecasting", "time_series", "reconstruction", "autoencoder"), "regression"),
        **dict.fromkeys(("binary_classification", "logistic"), "binary"),
        **dict.fromkeys(("multi_label", "multilabel_classification"), "multilabel"),
    },
    "dtype": {"float64": "float32", "double": "float32", "float": "float32", "fp32": "float32", "int": "int32"}
    | {"integer": "int32", "long": "int64", "boolean": "bool", "text": "string", "str": "string"},
    "data_format": {"nchw": "channels_first", "nhwc": "channels_last", "ncw": "channels_first", "nwc": "channels_last"},
    "scale": {"zscore": "standard", "z-score": "standard", "standardize": "standard", "min_max": "minmax"},
    "missing": {"ffill": "forward_fill", "fill": "forward_fill", "ignore": "drop"},
    "by": {"shuffle": "random", "chronological": "time", "date": "time"},
    "padding": {"zero": "same", "full": "same", "none": "valid"},
    "merge_mode": {"add": "sum", "average": "ave", "mean": "ave", "multiply": "mul"},
}


def hint_for(key: str, owner: str, *, is_item: bool, section: str = "") -> Hint | None:
    """What to say about a key that does not exist, if it is a known habit.

    Args:
        owner: what the key stands in: a layer's kind, the name of an input, nothing at the top.
        is_item: whether the key stands where a layer's kind does.
        section: the section of the spec that it stands in.
    """
    if is_item:
        return _LAYERS.get(key.lower())
    if not section:
        return _SECTIONS.get(key)
    for (habit, prefix), hint in _KEYS_OF.items():
        if key == habit and owner.startswith(prefix):
            return hint
    if (owner, key) in _ELSEWHERE:
        return _ELSEWHERE[owner, key]
    if owner in ("TimeDistributed", "Bidirectional") and key[:1].isupper():
        return _WRAPPED
    if section == "blocks" and key == "layers":
        return _KEYS_OF["layers", "block"]
    if section == "data" and key in _DATA_INPUT:
        return _DATA_INPUT[key]
    named = {"inputs": _INPUT, "outputs": _OUTPUT}.get(section, {})
    return named.get(key) or _KEYS.get(key)


def value_for(value: str, argument: str) -> str | None:
    """The word that another library's word for an argument's value means, such as `glorot_uniform` for `xavier`."""
    kind = next((kind for kind in _VALUES if argument == kind or argument.endswith(f"_{kind}")), "")
    return _VALUES.get(kind, {}).get(value.lower())
