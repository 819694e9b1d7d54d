"""Operators that keep the axes of a value, and those on elements that meet when shapes are broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from nnspec.ir.axes import Axis, Size, Symbolic, derived, divide, multiply
from nnspec.onnx_axes.call import Call, Rule
from nnspec.onnx_axes.faults import Confusion, Meeting
from nnspec.onnx_axes.tensors import Number, Tensor, join, scalar


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of one operand; where they have more, the first is what is worked on, and further outputs are not followed.
ELEMENTWISE = _names(
    """
    Abs Acos Acosh Asin Asinh Atan Atanh Bernoulli BitwiseNot Cast CastLike Ceil Celu Clip Cos Cosh DequantizeLinear
    Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not QuantizeLinear
    RandomNormalLike RandomUniformLike Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt
    Swish Tan Tanh ThresholdedRelu com.microsoft.FastGelu com.microsoft.Gelu com.microsoft.QuickGelu
    """
)
# The same axes, but what becomes of an element depends on its place along some, or on others there.
ALONG_AXES = _names(
    """
    BatchNormalization CumProd CumSum EyeLike GroupNormalization Hardmax InstanceNormalization LRN LayerNormalization
    LogSoftmax LpNormalization MeanVarianceNormalization PRelu RMSNormalization ReverseSequence RotaryEmbedding Scatter
    ScatterElements ScatterND SimplifiedLayerNormalization Softmax Trilu com.microsoft.BiasGelu
    com.microsoft.RotaryEmbedding com.microsoft.SkipLayerNormalization com.microsoft.SkipSimplifiedLayerNormalization
    """
)
BROADCAST = _names(
    """
    Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod
    Mul Or Pow Sub Sum Where Xor
    """
)


def keep(call: Call) -> Sequence[Tensor]:
    first = call[0]
    numbers = first.numbers if call.node.op in ("Cast", "Identity", "CastLike") else None
    constant = first.is_constant and not call.node.op.startswith("Random")
    return [Tensor(axes=first.axes, numbers=numbers, is_constant=constant)]


def quantize(call: Call) -> Sequence[Tensor]:
    """`DynamicQuantizeLinear`: the values, and one scale and one zero point for all of them."""
    number = scalar(None, is_constant=call.is_constant)
    return [call.tensor(call[0].axes), number, number]


def broadcast(call: Call) -> Sequence[Tensor]:
    operands = [operand for i, operand in enumerate(call.operands) if call.has(i)]
    axes = broadcast_axes(call, operands)
    return [call.tensor(axes, _arithmetic(call.node.op, operands))]


def broadcast_axes(call: Call, operands: Sequence[Tensor]) -> list[Axis] | None:
    """The axes of values that are combined element by element, aligned from the last."""
    if any(operand.axes is None for operand in operands):
        return None
    rank = max(len(operand.axes or ()) for operand in operands)
    result: list[Axis] = []
    for position in range(rank):
        meeting = [
            (operand.axes[position - rank + len(operand.axes)], operand.is_constant)
            for operand in operands
            if operand.axes is not None and position - rank + len(operand.axes) >= 0
        ]
        axis, different = join(meeting)
        if different is not None:
            call.report(Confusion(how=Meeting.ELEMENTWISE, first=different[0], second=different[1]))
        result.append(axis)
    return result


def _arithmetic(op: str, operands: Sequence[Tensor]) -> tuple[Number, ...] | None:
    """The numbers that come of numbers, such as a size that is computed from sizes."""
    lists = [operand.numbers for operand in operands]
    if any(numbers is None for numbers in lists):
        return None
    known = [numbers for numbers in lists if numbers is not None]
    length = max(len(numbers) for numbers in known)
    if any(len(numbers) not in (1, length) for numbers in known):
        return None
    rows = [[numbers[i if len(numbers) > 1 else 0] for numbers in known] for i in range(length)]
    return tuple(_combine(op, row) for row in rows)


def _combine(op: str, row: Sequence[Number]) -> Number:
    if op == "Where":
        condition, yes, no = row
        return yes if condition == 1 else no if condition == 0 else yes if yes == no else None
    if any(number is None for number in row):
        return None
    given = [number for number in row if number is not None]
    if op == "Mul":
        return _product(given)
    if op == "Div" and len(given) == 2:
        if all(isinstance(number, int) for number in given):
            return None if given[1] == 0 else int(Fraction(str(given[0])) // Fraction(str(given[1])))
        exact = None if given[1] == 0 else divide(given[0], given[1])
        is_size = isinstance(exact, int) or (isinstance(exact, Symbolic) and exact.is_polynomial)
        return exact if is_size else derived(f"({given[0]})//({given[1]})")
    if op == "Mod" and len(given) == 2:
        first, second = given
        return first % second if isinstance(first, int) and isinstance(second, int) and second > 0 else None
    if op in ("Add", "Sub") and len(given) == 2:
        return _sum(op, given[0], given[1])
    if op in ("Max", "Min") and all(isinstance(number, int) for number in given):
        return (max if op == "Max" else min)(number for number in given if isinstance(number, int))
    if op == "Equal" and len(given) == 2:
        return _equal(given[0], given[1])
    return None


def _equal(first: Size, second: Size) -> Number:
    """An open size is none of the negative numbers that stand for a size to be computed."""
    numbers = [size for size in (first, second) if isinstance(size, int)]
    if first == second or len(numbers) == 2 or any(number < 0 for number in numbers):
        return int(first == second)
    return None


def _product(given: Sequence[Size]) -> Number:
    return 0 if 0 in given else multiply(given)


def _sum(op: str, first: Size, second: Size) -> Number:
    if isinstance(first, int) and isinstance(second, int):
        return first + second if op == "Add" else first - second
    if second == 0:
        return first
    if first == 0 and op == "Add":
        return second
    if op == "Sub" and first == second:
        return 0
    return derived(f"({first} {'+' if op == 'Add' else '-'} {second})")


RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE | ALONG_AXES, keep),
    **dict.fromkeys(BROADCAST, broadcast),
    "DynamicQuantizeLinear": quantize,
}
