"""Shapes of what operators compute: of every element, along axes, products and windows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nnspec.backends.onnx.targets.operands import Dim, Operands, Rule, Shape


def _keep_shape(given: Operands) -> Sequence[Shape]:
    return [given.shape()]


def _broadcast(given: Operands) -> Sequence[Shape]:
    return [broadcast(given.shapes)]


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """What shapes are together: an open size beside 1 or another open one stays open."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    rank = max(map(len, known), default=0)
    columns = zip(*(((1,) * (rank - len(shape)) + shape) for shape in known), strict=True)
    return tuple(_broadcast_dim(column) for column in columns)


def _broadcast_dim(sizes: Sequence[Dim]) -> Dim:
    wide = [size for size in sizes if size != 1]
    sized = [size for size in wide if size is not None]
    return sized[0] if sized else (None if wide else 1)


def _matmul(given: Operands) -> Sequence[Shape]:
    left, right = given.shape(0), given.shape(1)
    if left is None or right is None:
        return [None]
    first = (1, *left) if len(left) == 1 else left
    second = (*right, 1) if len(right) == 1 else right
    outer = broadcast([first[:-2], second[:-2]])
    inner = (first[-2],) * (len(left) > 1) + (second[-1],) * (len(right) > 1)
    return [None if outer is None else outer + inner]


def _gemm(given: Operands) -> Sequence[Shape]:
    left, right = given.shape(0), given.shape(1)
    if left is None or right is None:
        return [None]
    return [(left[1 if given.number("transA") else 0], right[0 if given.number("transB") else 1])]


def _windows(given: Operands) -> Sequence[Shape]:
    """Of Conv and pools: axes `batch channel *space`."""
    shape, kernel = given.shape(0), given.integers("kernel_shape")
    weights = given.shape(1) if given.node.op == "Conv" else None
    if shape is None or (kernel is None and weights is None):
        return [None]
    sizes: list[Dim] = list(kernel or (weights or ())[2:])
    rank = len(sizes)
    strides = given.integers("strides") or [1] * rank
    dilations = given.integers("dilations") or [1] * rank
    pads = given.integers("pads") or [0] * (2 * rank)
    is_same = given.word("auto_pad").startswith("SAME")
    space: list[Dim] = []
    for i, (size, taps) in enumerate(zip(shape[2:], sizes, strict=True)):
        if size is None or taps is None:
            space.append(None)
        elif is_same:
            space.append(-(-size // strides[i]))
        else:
            free = size + pads[i] + pads[rank + i] - (taps - 1) * dilations[i] - 1
            space.append(1 + (-(-free // strides[i]) if given.number("ceil_mode") else free // strides[i]))
    channels = weights[0] if weights is not None else shape[1]
    return [(shape[0], channels, *space)]


def _conv_transpose(given: Operands) -> Sequence[Shape]:
    shape, weights = given.shape(0), given.shape(1)
    if shape is None or weights is None:
        return [None]
    rank = len(shape) - 2
    strides = given.integers("strides") or [1] * rank
    dilations = given.integers("dilations") or [1] * rank
    pads = given.integers("pads") or [0] * (2 * rank)
    extra = given.integers("output_padding") or [0] * rank
    channels = None if weights[1] is None else weights[1] * given.number("group", 1)
    space = [
        None if size is None or kernel is None
        else strides[i] * (size - 1) + extra[i] + (kernel - 1) * dilations[i] + 1 - pads[i] - pads[rank + i]
        for i, (size, kernel) in enumerate(zip(shape[2:], weights[2:], strict=True))
    ]  # fmt: skip
    return [(shape[0], channels, *space)]


def _global_pool(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    return [None if shape is None else (*shape[:2], *(1,) * (len(shape) - 2))]


def _reduce(given: Operands) -> Sequence[Shape]:
    """Over the axes of an attribute or a further operand; all of them where there is neither."""
    shape = given.shape()
    axes = given.integers("axes")
    if axes is None and given.has(1):
        axes = given.numbers(1)
        if axes is None:
            return [None]
    return [_reduce_shape(shape, axes, keeps=bool(given.number("keepdims", 1)))]


def _arg(given: Operands) -> Sequence[Shape]:
    return [_reduce_shape(given.shape(), [given.number("axis", 0)], keeps=bool(given.number("keepdims", 1)))]


def _reduce_shape(shape: Shape, axes: Sequence[int] | None, *, keeps: bool) -> Shape:
    if shape is None:
        return None
    gone = {axis % len(shape) for axis in axes} if axes else set(range(len(shape)))
    kept = [1 if place in gone else size for place, size in enumerate(shape) if keeps or place not in gone]
    return tuple(kept)


def _resize(given: Operands) -> Sequence[Shape]:
    shape = given.shape()
    if shape is None:
        return [None]
    if (sizes := given.numbers(3)) is not None:
        return [tuple(sizes)]
    scales = given.constants.get(given.node.inputs[2]) if given.has(2) else None
    if scales is None:
        return [(None,) * len(shape)]
    factors = [float(scale) for scale in scales]
    return [tuple(None if size is None else math.floor(size * f) for size, f in zip(shape, factors, strict=True))]


def _recurrent(given: Operands) -> Sequence[Shape]:
    shape, weights = given.shape(0), given.shape(2)
    directions = 2 if given.word("direction") == "bidirectional" else 1
    units = given.number("hidden_size") or (None if weights is None else weights[-1])
    if shape is None:
        return [None] * 3
    last = (directions, shape[1], units)
    return [(shape[0], directions, shape[1], units), last, last]


def _attention(given: Operands) -> Sequence[Shape]:
    """Axes `batch head step feature`, or `batch step feature` with the heads one behind the other."""
    query, value = given.shape(0), given.shape(2)
    if query is None or value is None:
        return [None]
    if len(query) == 4:
        return [(*query[:3], value[3])]
    heads, others = given.number("q_num_heads"), given.number("kv_num_heads")
    return [(*query[:2], None if value[2] is None else value[2] // others * heads)]


SAME = (
    "Abs Acos Acosh Asin Asinh Atan Atanh BatchNormalization Cast Ceil Celu Clip Cos Cosh CumSum Dropout Elu Erf Exp "
    "Floor Gelu HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LabelEncoder "
    "LayerNormalization LeakyRelu Log LogSoftmax LpNormalization LRN Mish Neg Not PRelu RMSNormalization Reciprocal "
    "RegexFullMatch Relu Round ScatterElements ScatterND Selu Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt "
    "Swish Tan Tanh ThresholdedRelu Trilu"
)
WIDENING = (
    "Add And BitwiseAnd BitwiseOr BitwiseXor BitShift Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min "
    "Mod Mul Or Pow StringConcat Sub Sum Where Xor"
)
REDUCING = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"
COMPUTING: Mapping[str, Rule] = {
    **dict.fromkeys(SAME.split(), _keep_shape),
    **dict.fromkeys(WIDENING.split(), _broadcast),
    **dict.fromkeys((f"Reduce{what}" for what in REDUCING.split()), _reduce),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg),
    **dict.fromkeys(("Conv", "MaxPool", "AveragePool", "LpPool"), _windows),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    "Attention": _attention,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Resize": _resize,
}
