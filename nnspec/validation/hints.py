"""What people write out of habit from Keras, PyTorch or ONNX, and what a spec says instead."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.kit.habits import INFERRED, Hint, keras_word
from nnspec.layers.registry import REGISTRY


def _activation(function: str) -> Hint:
    return Hint(f"a function alone is `Activation: {function}`; most layers also take `activation`")


_SHAPES = Hint("shapes are declared under `inputs:`, with a name for every axis; layers infer theirs")
_BATCH = Hint("shapes are declared under `inputs:`; for a fixed batch size, set `batch:` of the input")
_REORDER = Hint("to reorder axes, use `permute: [names]` or Keras' `Permute`")
_INPUTS = Hint("inputs are declared under `inputs:`")
_RATE = Hint("it belongs to the optimizer: `optimizer: {Adam: {learning_rate: 0.001}}`")
_READS = Hint("a layer names its inputs with `from:`", "from")
_OF_OUTPUT = Hint("it belongs to an output: `outputs: {y: {task: regression, loss: …, metrics: […]}}`")
_WRAPPED = Hint("the wrapped layer goes under `layer:`, as in `layer: {Dense: {units: 8}}`", "layer")

# A key of any owner.
_KEYS: Mapping[str, Hint] = {
    "input_shape": _SHAPES,
    "input_dim": _SHAPES,
    "batch_input_shape": _BATCH,
    "batch_shape": _BATCH,
    "dtype": Hint("dtypes are declared under `inputs:`"),
    "inputs": _READS,
    "input": _READS,
    "out_channels": keras_word("filters"),
    "in_channels": INFERRED,
    "out_features": keras_word("units"),
    "in_features": INFERRED,
    "input_size": INFERRED,
    "hidden_size": keras_word("units"),
    "hidden_dim": keras_word("units"),
    "stride": keras_word("strides"),
    "dilation": keras_word("dilation_rate"),
    "bias": keras_word("use_bias"),
    "kernel": keras_word("kernel_size"),
    "act": keras_word("activation"),
    "nonlinearity": keras_word("activation"),
    "learning_rate": _RATE,
    "lr": _RATE,
    "axes": Hint("axes are declared under `inputs:`; a layer along some of them takes `axis`", "axis"),
    "weight_decay": Hint("for weight decay, use `kernel_regularizer: {L2: {l2: 0.01}}`, or `AdamW` as the optimizer"),
}
# A key of an optimizer whose name begins so. Those of a layer its class says (`habits`).
_KEYS_OF: Mapping[tuple[str, str], Hint] = {
    **{
        ("lr", kind): keras_word("learning_rate")
        for kind in ("Ada", "SGD", "RMSprop", "Nadam", "Ftrl", "Lion", "Lamb", "Muon", "ScheduleFree")
    },
    ("layers", "block"): Hint("the layers of a block go under `model:`", "model"),
}
_SECTIONS: Mapping[str, Hint] = {
    "input": Hint("the section is `inputs`, with a name for each input", "inputs"),
    "output": Hint("the section is `outputs`, with a name for each output", "outputs"),
    "network": Hint("layers go under `model:`", "model"),
    "version": Hint("the language version is written `nnspec: 1`", "nnspec"),
    "variables": Hint("variables go under `vars:`", "vars"),
    "params": Hint("variables go under `vars:`", "vars"),
    "parameters": Hint("variables go under `vars:`, the parameters of a block under the block", "vars"),
    "optimizer": Hint("it belongs under `training:`"),
    "epochs": Hint("it belongs under `training:`"),
    "loss": _OF_OUTPUT,
    "metrics": _OF_OUTPUT,
    "onnx": Hint("ONNX export settings go under `export:`", "export"),
}
# By section or owner, where neither is a layer.
_ELSEWHERE: Mapping[tuple[str, str], Hint] = {
    ("training", "loss"): _OF_OUTPUT,
    ("training", "metrics"): _OF_OUTPUT,
    ("training", "weighted_metrics"): _OF_OUTPUT,
    ("training", "early_stopping"): Hint("it is a callback: `callbacks: [{EarlyStopping: {patience: 3}}]`"),
    ("training", "patience"): Hint("it belongs to a callback: `callbacks: [{EarlyStopping: {patience: 3}}]`"),
    ("training", "validation_split"): Hint("data is split under `data.split`"),
    ("training", "random_state"): Hint("the random seed is `seed`", "seed"),
    ("training", "verbose"): Hint("verbosity is a command line option: `nnspec train -q` prints results only"),
    ("training", "lr_scheduler"): Hint("write the schedule as the optimizer's `learning_rate`"),
    ("source", "images"): Hint("images are named by the input that takes them: `inputs: {photo: {images: flowers}}`"),
    ("export", "opset_version"): Hint("the operator set version is `opset`", "opset"),
}
_INPUT: Mapping[str, Hint] = {
    "shape": Hint("an input declares `axes: {time: 10, feature: 5}`, a name and a size for every axis", "axes"),
    "size": Hint("an input declares `axes: {time: 10, feature: 5}`, a name and a size for every axis", "axes"),
    "type": Hint("the type of the elements is `dtype`", "dtype"),
}
_PIXELS = Hint("the key for images is `images`: a folder, or the column of their paths", "images")
_DATA_INPUT: Mapping[str, Hint] = {
    **dict.fromkeys(("image", "image_path", "image_folder", "picture", "photo", "folder", "directory"), _PIXELS),
    **dict.fromkeys(
        ("label_of", "labels_of", "label_from", "labels_from", "from_folder", "subfolders"),
        Hint("the label of an image is its subfolder: `folder_of: INPUT`", "folder_of"),
    ),
    **dict.fromkeys(
        ("resize", "resize_mode", "crop", "crop_to_aspect_ratio", "keep_aspect_ratio", "pad_to_aspect_ratio"),
        Hint("`fit` says how images of other proportions are made to fit: `stretch`, `crop` or `pad`"),
    ),
    **dict.fromkeys(
        ("color_mode", "colour_mode", "grayscale", "greyscale", "mode"),
        Hint("images are grey, RGB or RGBA as the input's axis `channel` has size 1, 3 or 4"),
    ),
    **dict.fromkeys(
        ("size", "shape", "image_size", "target_size"),
        Hint("sizes are those of the model's input: `inputs: {x: {axes: {height: 8, width: 8, channel: 3}}}`"),
    ),
    **dict.fromkeys(
        ("horizon", "future", "known_ahead", "known_future", "future_covariates", "lead", "known"),
        Hint("what is known of the rows to forecast is read with `ahead: true`, or `ahead: only` for those rows alone"),
    ),
    "column": Hint("the columns are a list: `columns: [temperature]`", "columns"),
    "features": Hint("the columns are a list: `columns: [temperature]`", "columns"),
    "normalize": Hint("values are scaled by `scale: standard` or `scale: minmax`", "scale"),
}
_OUTPUT: Mapping[str, Hint] = {
    "type": Hint("the type of an output is its `task`", "task"),
    "layer": Hint("an output names its layer with `from`", "from"),
    "labels": Hint("class labels go under `classes`", "classes"),
    "activation": Hint("the activation belongs to the last layer"),
}
_LAYERS: Mapping[str, Hint] = {
    "input": _INPUTS,
    "linear": keras_word("Dense"),
    "fullyconnected": keras_word("Dense"),
    "fully_connected": keras_word("Dense"),
    "fc": keras_word("Dense"),
    "conv1": keras_word("Conv1D"),
    "conv": Hint("Keras' layers are `Conv1D`, `Conv2D` and `Conv3D`, by the number of axes that they slide along"),
    "maxpool": Hint("Keras' layers are `MaxPooling1D`, `MaxPooling2D` and `MaxPooling3D`"),
    "avgpool": Hint("Keras' layers are `AveragePooling1D`, `AveragePooling2D` and `AveragePooling3D`"),
    "upsample": Hint("Keras' layers are `UpSampling1D`, `UpSampling2D` and `UpSampling3D`"),
    **{f"convtranspose{n}d": keras_word(f"Conv{n}DTranspose") for n in (1, 2, 3)},
    **{f"batchnorm{n}": keras_word("BatchNormalization") for n in ("", "1d", "2d", "3d")},
    "layernorm": keras_word("LayerNormalization"),
    "rmsnorm": keras_word("RMSNormalization"),
    "groupnorm": keras_word("GroupNormalization"),
    **{f"maxpool{n}d": keras_word(f"MaxPooling{n}D") for n in (1, 2, 3)},
    **{f"avgpool{n}d": keras_word(f"AveragePooling{n}D") for n in (1, 2, 3)},
    **{f: _activation(f) for f in ("sigmoid", "tanh", "gelu", "silu", "swish", "selu", "softplus", "mish", "relu6")},
    "transpose": _REORDER,
    "swapaxes": _REORDER,
    "unsqueeze": Hint("to add an axis of size 1, use `insert: {name: 1}`", "insert"),
    "expand_dims": Hint("to add an axis of size 1, use `insert: {name: 1}`", "insert"),
    "squeeze": Hint("to remove an axis of size 1, use `drop: name`", "drop"),
    "view": Hint("memory is never reinterpreted silently: use `split`, `merge` and `permute`"),
    "sum": keras_word("Add"),
    "cat": keras_word("Concatenate"),
    "concat": keras_word("Concatenate"),
    "loop": Hint("to write layers several times, use `repeat`", "repeat"),
    "sequential": Hint("`model:` is already a list of layers; to reuse a part, make it a block"),
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
        **dict.fromkeys(("quantile", "quantile_regression", "probabilistic", "interval", "intervals"), "quantiles"),
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
    layer = REGISTRY.get(owner)
    if layer is not None and key in layer.habits:
        return layer.habits[key]
    for (habit, prefix), hint in _KEYS_OF.items():
        if key == habit and owner.startswith(prefix):
            return hint
    if (owner, key) in _ELSEWHERE:
        return _ELSEWHERE[owner, key]
    if layer is not None and "layer" in layer.args and key[:1].isupper():
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
