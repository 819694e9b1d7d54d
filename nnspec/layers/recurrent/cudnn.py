"""`use_cudnn: true`: refused if cuDNN does not support the layer's arguments, or without a GPU."""

from __future__ import annotations

from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Fix, SpecError
from nnspec.diagnostics.values import as_yaml
from nnspec.ir.graph import Node
from nnspec.layers.kit.base import Call

# What cuDNN computes; the docstrings of keras.layers.LSTM and GRU list it.
COMPUTED = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "recurrent_dropout": 0,
    "reset_after": True,
    "unroll": False,
}
INSTEAD = "use `use_cudnn: auto`: cuDNN where possible, and Keras' own loop elsewhere"


def check_cudnn(call: Call) -> None:
    """Only what cuDNN computes may ask for it.

    Raises:
        Fault: NN208.
    """
    if call.args.get("use_cudnn") is not True:
        return
    for name, wanted in COMPUTED.items():
        if name in call.args and _value(name, call.args[name]) != wanted:
            call.fail(
                "NN208",
                f"cuDNN computes `{call.kind}` only with `{name}: {as_yaml(wanted)}`, but it is "
                f"{as_yaml(call.args[name])}, so `use_cudnn: true` cannot be satisfied",
                "use_cudnn",
                fixes=[Fix(INSTEAD)],
            )


def _value(name: str, value: Any) -> Any:
    return keras_objects.canonical("activations", value or "linear")[0] if name.endswith("activation") else value


def require_gpu(node: Node) -> None:
    """cuDNN needs a GPU of this machine.

    Raises:
        SpecError: NN208 where Keras finds none.
    """
    from keras import distribution

    if node.args.get("use_cudnn") is True and not distribution.list_devices("gpu"):
        raise SpecError.single(
            "NN208",
            f"`{node.kind}` has `use_cudnn: true`, but Keras finds no GPU on this machine",
            node.span,
            fixes=[Fix(INSTEAD)],
        )
