"""Converts a float32 model; each function leaves its argument as it is."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from nnspec.backends.onnx.precision.kernels import EVERY, PRODUCTS

Feed = Mapping[str, np.ndarray]
INT8_RANGE = 127
NIBBLE_BLOCK = 32  # weights that share a scale


def to_float16(model: onnx.ModelProto, kept: Collection[str]) -> onnx.ModelProto:
    """Weights and values in float16; inputs, outputs and the nodes of these names stay float32."""
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    # These count or compare, and need more digits than values do.
    blocked = [*DEFAULT_OP_BLOCK_LIST, "CumSum", "RandomNormalLike", "RandomUniformLike"]
    with _quiet():
        made: onnx.ModelProto = convert_float_to_float16(
            copy_of(model), keep_io_types=True, op_block_list=blocked, node_block_list=list(kept)
        )
    return _without_detours(made)


def _without_detours(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without casts to float16 and straight back, which would cut off values beyond 65504 where float32 is kept."""
    casts = {
        node.output[0]: (node.input[0], node.attribute[0].i)
        for node in model.graph.node
        if node.op_type == "Cast" and len(node.attribute) == 1
    }
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    direct = {
        name: casts[source][0]
        for name, (source, to) in casts.items()
        if to == single and source in casts and casts[source][1] == half
    }
    for node in model.graph.node:
        node.input[:] = [direct.get(name, name) for name in node.input]
        if node.op_type == "Cast" and node.output[0] in direct:  # one that an output of the graph is called after
            node.op_type = "Identity"
            node.input[:] = [direct[node.output[0]]]
            del node.attribute[:]
    read = {name for node in model.graph.node for name in node.input} | {port.name for port in model.graph.output}
    kept = [node for node in model.graph.node if node.op_type not in ("Cast", "Identity") or node.output[0] in read]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    del model.graph.value_info[:]
    return model


def to_int8(model: onnx.ModelProto, nodes: Mapping[str, str], samples: Sequence[Feed]) -> onnx.ModelProto:
    """Kernels in int8, and the values that products read and give, by their range on samples.

    What runtimes have no good products of integers for (tables, recurrences, convolutions of groups of channels) has
    its weights in int8 alone, which makes the file smaller and not the model faster.

    Args:
        nodes: which to convert.
        samples: raw inputs of training rows, in batches.
    """
    found = [node for node in model.graph.node if node.name in nodes]
    products = [node.name for node in found if node.op_type in PRODUCTS and not _has_groups(node)]
    others = [node.name for node in found if node.op_type in EVERY and node.name not in products]
    made = _static(model, products, samples) if products else copy_of(model)
    return with_stored_int8(made, others)


def _has_groups(node: onnx.NodeProto) -> bool:
    """Whether a convolution keeps channels apart: ONNX Runtime takes up to fifty times as long for one of integers."""
    return any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)


def _static(model: onnx.ModelProto, nodes: Sequence[str], samples: Sequence[Feed]) -> onnx.ModelProto:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rest = iter(samples)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(({**feed} for feed in self.rest), None)

    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_static(
            copy_of(model),  # which the tool takes apart
            str(path),
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(PRODUCTS),
            nodes_to_quantize=list(nodes),
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        return onnx.load(str(path))


def with_stored_int8(model: onnx.ModelProto, nodes: Collection[str]) -> onnx.ModelProto:
    """Weights of these nodes in int8 with a scale for each row, multiplied out as the model is loaded.

    A cast and a product of constants are folded by ONNX Runtime; a `DequantizeLinear` is not, and would run each time.
    """
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    wanted = {name for node in model.graph.node if node.name in nodes for name in node.input if name in arrays}
    filters = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    large = [name for name in wanted if len(arrays[name].dims) > 1 and np.prod(arrays[name].dims) >= 256]
    before = []
    for name in sorted(large):
        weights = numpy_helper.to_array(arrays[name])
        if weights.dtype != np.float32:
            continue
        # the filters of a convolution; the rows of a table or of a matrix, the gates of a recurrence
        axis = 0 if name in filters else weights.ndim - 2
        rest = tuple(i for i in range(weights.ndim) if i != axis)
        scale = (np.maximum(np.abs(weights).max(axis=rest), 1e-12) / INT8_RANGE).astype(np.float32)
        shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
        whole = np.clip(np.rint(weights / scale.reshape(shape)), -INT8_RANGE, INT8_RANGE).astype(np.int8)
        model.graph.initializer.remove(arrays[name])
        model.graph.initializer.append(numpy_helper.from_array(whole, f"{name}/int8"))
        model.graph.initializer.append(numpy_helper.from_array(scale.reshape(shape), f"{name}/scale"))
        before += [
            helper.make_node(
                "Cast", [f"{name}/int8"], [f"{name}/whole"], name=f"{name}/Cast", to=onnx.TensorProto.FLOAT
            ),
            helper.make_node("Mul", [f"{name}/whole", f"{name}/scale"], [name], name=f"{name}/Mul"),
        ]
    rest_of_it = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*before, *rest_of_it])
    return model


def to_int4(model: onnx.ModelProto, nodes: Mapping[str, str]) -> onnx.ModelProto:
    """Matrices of products in 4 bits, a scale for each 32 weights; what they meet stays float32."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    split = _without_gemm(copy_of(model), nodes)
    names = [node.name for node in split.graph.node if node.op_type == "MatMul" and _stem(node.name) in nodes]
    with _quiet():
        quantizer = MatMulNBitsQuantizer(
            split, bits=4, block_size=NIBBLE_BLOCK, is_symmetric=True, nodes_to_include=names
        )
        quantizer.process()
    made = quantizer.model.model
    return made if isinstance(made, onnx.ModelProto) else onnx.load_model_from_string(made.SerializeToString())


def _stem(name: str) -> str:
    return name.removesuffix("/product")


def _without_gemm(model: onnx.ModelProto, nodes: Collection[str]) -> onnx.ModelProto:
    """`Gemm` of these nodes as a product and a sum, which is what the quantizer knows."""
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    result = []
    for node in model.graph.node:
        options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        is_plain = options.get("alpha", 1.0) == 1.0 and options.get("beta", 1.0) == 1.0 and not options.get("transA")
        if node.op_type != "Gemm" or node.name not in nodes or not is_plain or node.input[1] not in arrays:
            result.append(node)
            continue
        matrix = node.input[1]
        if options.get("transB"):
            turned = np.ascontiguousarray(numpy_helper.to_array(arrays[matrix]).T)
            matrix = f"{matrix}/turned"
            model.graph.initializer.append(numpy_helper.from_array(turned, matrix))
        is_last = len(node.input) < 3
        product = node.output[0] if is_last else f"{node.output[0]}/product"
        result.append(helper.make_node("MatMul", [node.input[0], matrix], [product], name=f"{node.name}/product"))
        if not is_last:
            result.append(helper.make_node("Add", [product, node.input[2]], [node.output[0]], name=f"{node.name}/bias"))
    del model.graph.node[:]
    model.graph.node.extend(result)
    read = {name for node in result for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in read]:
        model.graph.initializer.remove(tensor)
    return model


def keep_docs(source: onnx.ModelProto, made: onnx.ModelProto) -> None:
    """Gives the nodes of a converted model the doc strings of those that they stand for: the tools drop some.

    What takes the place of a node, or stands before or behind it, has its name with more at the end.
    """
    docs = {node.name: node.doc_string for node in source.graph.node}
    for node in made.graph.node:
        name = node.name
        while name and name not in docs:
            name = name[: max(name.rfind("/"), name.rfind("_"), 0)]
        if not node.doc_string:
            node.doc_string = docs.get(name, "")


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


@contextmanager
def _quiet() -> Iterator[None]:
    """The tools write advice to the root logger, which is no concern of a build."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
