"""Mistakes in what a node does: another operator, other attributes, inputs in another order or left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx

from tests.support.mutants.model import Model, Mutation, node_at, set_attribute

COMMUTATIVE = {"Add", "Mul", "Max", "Min", "Sum", "Mean", "And", "Or", "Xor", "Equal"}
# What an operator is easily taken for, with the attributes that the other one then has.
NEAR: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "Abs": [("Relu", {}), ("Identity", {})],
    "Add": [("Mul", {}), ("Sub", {})],
    "And": [("Or", {}), ("Xor", {})],
    "ArgMax": [("ArgMin", {})],
    "AveragePool": [("MaxPool", {})],
    "Ceil": [("Floor", {}), ("Round", {})],
    "Celu": [("Elu", {})],
    "Cos": [("Sin", {})],
    "Div": [("Mul", {})],
    "Elu": [("Relu", {}), ("Selu", {}), ("Celu", {})],
    "Equal": [("GreaterOrEqual", {}), ("LessOrEqual", {})],
    "Erf": [("Tanh", {})],
    "Exp": [("Softplus", {}), ("Relu", {})],
    "Floor": [("Ceil", {}), ("Round", {})],
    "GlobalAveragePool": [("GlobalMaxPool", {})],
    "GlobalMaxPool": [("GlobalAveragePool", {})],
    "Greater": [("GreaterOrEqual", {}), ("Less", {})],
    "GreaterOrEqual": [("Greater", {}), ("LessOrEqual", {})],
    "HardSigmoid": [("Sigmoid", {})],
    "HardSwish": [("Relu", {}), ("Identity", {})],
    "LeakyRelu": [("Relu", {}), ("Elu", {})],
    "Less": [("LessOrEqual", {}), ("Greater", {})],
    "LessOrEqual": [("Less", {}), ("GreaterOrEqual", {})],
    "LogSoftmax": [("Softmax", {})],
    "Max": [("Min", {})],
    "MaxPool": [("AveragePool", {})],
    "Min": [("Max", {})],
    "Mish": [("Softplus", {})],
    "Mul": [("Add", {}), ("Sub", {})],
    "Neg": [("Identity", {}), ("Abs", {})],
    "Not": [("Identity", {})],
    "Or": [("And", {}), ("Xor", {})],
    "ReduceL2": [("ReduceL1", {}), ("ReduceSumSquare", {})],
    "ReduceMax": [("ReduceMean", {}), ("ReduceMin", {})],
    "ReduceMean": [("ReduceSum", {}), ("ReduceMax", {})],
    "ReduceMin": [("ReduceMax", {})],
    "ReduceProd": [("ReduceSum", {})],
    "ReduceSum": [("ReduceMean", {}), ("ReduceMax", {})],
    "Relu": [("LeakyRelu", {"alpha": 0.01}), ("Elu", {}), ("Softplus", {})],
    "Round": [("Floor", {}), ("Ceil", {})],
    "Selu": [("Elu", {})],
    "Sigmoid": [("HardSigmoid", {}), ("Tanh", {})],
    "Sin": [("Cos", {})],
    "Softmax": [("LogSoftmax", {}), ("Hardmax", {})],
    "Softplus": [("Relu", {}), ("Exp", {})],
    "Softsign": [("Tanh", {})],
    "Sqrt": [("Identity", {}), ("Abs", {})],
    "Sub": [("Add", {}), ("Mul", {})],
    "Tanh": [("Softsign", {}), ("Sigmoid", {})],
    "Xor": [("Or", {})],
}
KEPT_ATTRIBUTES = {"axis", "axes", "keepdims", "kernel_shape", "strides", "pads", "auto_pad", "ceil_mode", "alpha"}
NEAR_ACTIVATIONS = {"Tanh": "Softsign", "Sigmoid": "HardSigmoid", "Relu": "LeakyRelu", "HardSigmoid": "Sigmoid"}
# Words of attributes, each with what it is taken for.
WORDS = {
    "auto_pad": {"SAME_UPPER": "SAME_LOWER", "SAME_LOWER": "SAME_UPPER"},
    "approximate": {"none": "tanh", "tanh": "none"},
    "direction": {"forward": "reverse", "reverse": "forward"},
    "coordinate_transformation_mode": {
        "half_pixel": "asymmetric",
        "asymmetric": "half_pixel",
        "align_corners": "half_pixel",
        "pytorch_half_pixel": "align_corners",
    },
    "nearest_mode": {"floor": "ceil", "round_prefer_floor": "round_prefer_ceil", "round_prefer_ceil": "floor"},
    "mode": {
        "linear": "nearest",
        "cubic": "linear",
        "nearest": "linear",
        "reflect": "edge",
        "constant": "edge",
        "edge": "reflect",
        "DCR": "CRD",
        "CRD": "DCR",
        "bilinear": "nearest",
    },
    "padding_mode": {"zeros": "border", "border": "zeros", "reflection": "border"},
    "reduction": {"none": "add", "add": "none", "max": "add"},
    "case_change_action": {"LOWER": "NONE", "UPPER": "LOWER", "NONE": "LOWER"},
}
NOT_TOUCHED = {"kernel_shape", "hidden_size", "to", "dtype", "num_scan_inputs", "body", "sorted", "storage_order"}


def mutations(model: Model) -> Iterator[Mutation]:
    for place, node in enumerate(model.nodes):
        yield from _swapped(place, node)
        yield from _near(model, place, node)
        yield from _left_out(model, place, node)
        for name, value in model.attributes_of(node).items():
            if name not in NOT_TOUCHED:
                yield from _changed(place, node, name, value)


def _said(node: onnx.NodeProto) -> str:
    return f"{node.op_type} `{next(iter(filter(None, node.output)), node.name)}`"


def _swapped(place: int, node: onnx.NodeProto) -> Iterator[Mutation]:
    """Two neighbouring inputs of a node that does not take them alike."""
    if node.op_type in COMMUTATIVE:
        return
    for i in range(len(node.input) - 1):
        left, right = node.input[i], node.input[i + 1]
        if not left or not right or left == right:
            continue

        def swap(proto: onnx.ModelProto, i: int = i) -> None:
            inputs = node_at(proto, place).input
            inputs[i], inputs[i + 1] = inputs[i + 1], inputs[i]

        yield Mutation("swap two inputs", f"inputs {i} and {i + 1} of {_said(node)}", swap)


def _near(model: Model, place: int, node: onnx.NodeProto) -> Iterator[Mutation]:
    for op, attributes in NEAR.get(node.op_type, []):

        def change(proto: onnx.ModelProto, op: str = op, more: dict[str, Any] = attributes) -> None:
            changed = node_at(proto, place)
            changed.op_type = op
            allowed = onnx.defs.get_schema(op, model.opsets["ai.onnx"]).attributes
            for attribute in list(changed.attribute):
                if attribute.name not in allowed or attribute.name not in KEPT_ATTRIBUTES:
                    changed.attribute.remove(attribute)
            for name, value in more.items():
                set_attribute(changed, name, value)

        yield Mutation("a near operator", f"{_said(node)} as {op}", change)


def _left_out(model: Model, place: int, node: onnx.NodeProto) -> Iterator[Mutation]:
    """An input that the operator can do without: a bias, lengths, an initial state, a bound."""
    formal = model.schema_of(node).inputs
    optional = onnx.defs.OpSchema.FormalParameterOption.Optional
    for i, name in enumerate(node.input):
        if not name or i >= len(formal) or formal[i].option != optional:
            continue

        def drop(proto: onnx.ModelProto, i: int = i) -> None:
            inputs = node_at(proto, place).input
            inputs[i] = ""
            while inputs and not inputs[-1]:
                del inputs[-1]

        yield Mutation("leave an input out", f"{formal[i].name} of {_said(node)}", drop)


def _changed(place: int, node: onnx.NodeProto, name: str, value: Any) -> Iterator[Mutation]:
    """Other values of an attribute."""
    for other in _others(name, value):

        def change(proto: onnx.ModelProto, other: Any = other) -> None:
            set_attribute(node_at(proto, place), name, other)

        yield Mutation(f"change {name}", f"{name} of {_said(node)}: {value} as {other}", change)


def _others(name: str, value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if value in WORDS.get(name, {}):
            yield WORDS[name][value]
    elif isinstance(value, bool | int):
        if name in ("axis", "batch_dims", "block_size", "blocksize", "group", "min_gram_length", "max_gram_length"):
            yield value + 1
            yield value - 1
        elif value in (0, 1):
            yield 1 - value
        else:
            yield value + 1
    elif isinstance(value, float):
        yield from (value * 10, value * 1.2 if value else 0.1, 0.0 if value else 1.0)
    elif isinstance(value, list) and value and isinstance(value[0], int):
        yield from _other_numbers(value)
    elif isinstance(value, list) and value and isinstance(value[0], bytes):
        words = [word.decode() for word in value]
        for i, word in enumerate(words):
            if word in NEAR_ACTIVATIONS:
                yield [*words[:i], NEAR_ACTIVATIONS[word], *words[i + 1 :]]
        if len(set(words)) > 1:
            yield words[::-1]
    elif isinstance(value, list) and value and isinstance(value[0], float):
        for i, number in enumerate(value):
            yield [*value[:i], number * 1.2 if number else 0.1, *value[i + 1 :]]


def _other_numbers(value: list[int]) -> Iterator[list[int]]:
    """Each of the numbers one more or less, and two of them the other way round."""
    for i in range(len(value)):
        yield [*value[:i], value[i] + 1, *value[i + 1 :]]
        if value[i] > 0:
            yield [*value[:i], value[i] - 1, *value[i + 1 :]]
        for j in range(i + 1, len(value)):
            if value[i] != value[j]:
                swapped = list(value)
                swapped[i], swapped[j] = value[j], value[i]
                yield swapped
