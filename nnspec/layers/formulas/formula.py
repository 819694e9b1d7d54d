"""Formulas as layers: arithmetic over values and weights with named axes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from nnspec.diagnostics import Fix, Reason
from nnspec.document.types import JsonSchema
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Args, Node, Value, Window
from nnspec.ir.probabilities import FORMULA, PROBABILITIES, SIGMOID, SOFTMAX
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.formulas.algebra import BOUNDED, MASKS_BY_HAND, compute
from nnspec.layers.formulas.axes_of import AxesOf
from nnspec.layers.formulas.joining_fixes import joining_fixes
from nnspec.layers.formulas.matrix_product import refuse_matrix_product
from nnspec.layers.formulas.named_alike import axes_in_formula
from nnspec.layers.formulas.own_weights import PROPERTIES, OwnWeight, own_weight
from nnspec.layers.formulas.padding_value import PaddingValue
from nnspec.layers.formulas.parse import FormulaError, functions_in, names_in, numbers_in, parse
from nnspec.layers.formulas.range_of import ANY, RangeOf, range_of
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.merging.joining import common_size

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor, KerasVariable

SO_FAR = Window(None, 1, 0)  # a position reads itself and all that is before it
_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_WEIGHTS = {
    "type": ["object", "null"],
    "propertyNames": {"pattern": _NAME},
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "required": ["axes"],
        "properties": PROPERTIES,
    },
}


class Formula(Layer):
    """Computes a formula: `formula: "x * sigmoid(x)"`, optionally with declared weights.

    One value is called `x`, several `x1`, `x2`, …; `values` renames them. Axes are matched by name: a weight along
    `channel` is repeated along all others, and so is a value without an axis of another. There are `+ - * / **`,
    comparisons (1 where they hold, else 0), mean, sum, max and min over axes, and argmax, argmin (positions from 0, the
    first of equal ones) and cumsum along one:
    `x / sqrt(mean(x * x, channel) + 1.0e-6) * gamma`. Integers and flags are computed with as float32, which holds
    integers up to 2²⁴; `dtype` makes ids or flags of the result. The mask is dropped.

    Functions: `where(condition, a, b)`, `clip(x, low, high)`, `max` and `min` of several, abs, ceil, floor, round,
    sign, exp, expm1, log, log1p, sqrt, rsqrt, square, reciprocal, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh,
    asinh, acosh, atanh, erf, sigmoid, softplus, softsign, relu, silu, gelu.

    Input axes:  `batch time channel`
    Output axes: those of the values that are not reduced, then those that weights alone have
    Weights:     those under `weights`, each a table of rows along its first axis
    """

    kind = "formula"
    combines = FORMULA
    is_axis_operation = True
    short = "expression"
    arity = (1, None)
    args = {
        "expression": a.Arg({"type": "string"}, "The formula."),
        "values": a.Arg(
            {"type": ["array", "null"], "items": {"type": "string", "pattern": _NAME}, "minItems": 1},
            "Names of its inputs in the formula.",
            None,
        ),
        "weights": a.Arg(_WEIGHTS, "Weights by name, each with its axes.", None),
        "dtype": a.choice(
            "The dtype of the result: floats; integers, such as ids, with fractions cut off; or booleans, true where "
            "it is not 0, such as an attention mask.",
            ["float32", "int32", "bool"],
            "float32",
        ),
    }

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        return {**schema, "type": ["object", "string"]}

    def infer(self, call: Call) -> Inferred:
        call.require_float([value for value in call.inputs if not is_number(value)])
        names = self.value_names(call)
        refuse_matrix_product(call, names, self.formula_key(call))
        call, named = called_alike(call)
        axes = common_axes(call)
        bodies: Mapping[str, Args] = call.args["weights"] or {}
        own = {name: own_weight(call, name, body, axes, "weights") for name, body in bodies.items()}
        clash = sorted(set(own) & set(names))
        if clash:
            self.refuse(call, f"`{clash[0]}` is both a value and a weight", "weights")
        for weight in own.values():
            self.check_weight_axes(call, weight, axes)
        more = [axis.name for weight in own.values() for axis in weight.axes if axis.name not in axes]
        order = [*axes, *dict.fromkeys(more)]
        pairs = [*zip(names, (v.axes for v in call.inputs), strict=True), *((w.name, w.axes) for w in own.values())]
        algebra = AxesOf({name: {axis.name: axis for axis in listed} for name, listed in pairs}, order)
        present = self.computed(call, algebra)
        unused = [name for name in algebra.known if name not in algebra.used]
        if unused and (len(names) > 1 or unused[0] in own):
            self.refuse(call, f"the formula does not use `{unused[0]}`", self.formula_key(call))
        made = tuple(self.made_axis(present[name], axes.get(name)) for name in order if name in present)
        windows = {i: SO_FAR for i, axis in enumerate(call.axes) if axis.name in algebra.accumulated}
        windows |= {i: WHOLE for i, axis in enumerate(call.axes) if axis.name in algebra.reduced}
        return Inferred(
            (made,),
            (call.args["dtype"],),
            weights=tuple(weight.weight for weight in own.values()),
            formula=" + ".join(weight.formula for weight in own.values()),
            windows=windows,
            keras={"values": names, "order": order, "own": tuple(own.values()), "named": named},
            is_constant=not algebra.used.intersection(names),
        )

    def made_axis(self, axis: Axis, of_values: Axis | None) -> Axis:
        """An axis of the result; one that weights made along positions of the values is theirs."""
        return of_values if of_values is not None and of_values.size == axis.size else axis

    def computed(self, call: Call, algebra: AxesOf) -> Mapping[str, Axis]:
        """The axes of the formula's value.

        Raises:
            Fault: NN368 where it cannot be computed.
        """
        text = str(call.args["expression"])
        try:
            tree = parse(text)
            present = compute(tree, algebra, algebra.known)
        except FormulaError as error:
            about = f"`{text}`" if len(text) <= 60 else f"`{text[:60]} …`"
            self.refuse(call, f"the formula {about} cannot be computed: {error}", self.formula_key(call))
        late = sorted((algebra.reduced | algebra.accumulated).difference(ax.names(call.axes)))
        for name in late:
            if any(ax.index_of(value.axes, name) is not None for value in call.inputs):
                message = f"the formula uses axis `{name}`, which the first value, `{call.input.node}`, does not have"
                fix = Fix("list a value that has this axis first in `from`")
                call.fail("NN368", message, self.formula_key(call), fixes=[fix], about=[name])
        return present

    def refuse(self, call: Call, message: str, arg: str | None) -> NoReturn:
        call.fail("NN368", message, arg, fixes=[Fix("`nnspec explain formula` lists operators and functions")])

    def formula_key(self, call: Call) -> str:
        """The key of the formula's text, which is the whole body where it stands alone."""
        return "expression" if "expression" in call.given else ""

    def value_names(self, call: Call) -> list[str]:
        """What the values are called in the formula."""
        count, given = len(call.inputs), call.args["values"]
        if not given:
            return ["x"] if count == 1 else [f"x{i}" for i in range(1, count + 1)]
        names = [str(name) for name in given]
        if len(names) != count or len(set(names)) != count:
            self.refuse(call, f"`values` must give {count} different names, but it gives {names}", "values")
        return names

    def check_weight_axes(self, call: Call, weight: OwnWeight, axes: Mapping[str, Axis]) -> None:
        for axis in weight.axes:
            there = axes.get(axis.name)
            if there is None or 1 in (there.size, axis.size):
                continue
            if common_size(call, there.size, axis.size) is None:
                call.fail(
                    "NN311",
                    f"weight `{weight.name}` is {axis.size} long along `{axis.name}`, but the values are {there.size}",
                    "weights",
                    fixes=[Fix(f"take the size of the values: `{axis.name}: null`")],
                    about=[axis.name],
                )

    def numbers_within(self, node: Node) -> Collection[float]:
        return sorted(numbers_in(parse(str(node.args["expression"]))))

    def has_bounded_domain(self, node: Node) -> bool:
        return bool(functions_in(parse(str(node.args["expression"]))) & BOUNDED)

    def head_behind(self, node: Node, heads: Sequence[str]) -> str | None:
        names = [str(name) for name in node.args["values"]]
        known = [*names, *(weight.name for weight in node.weights)]
        tree = parse(str(node.args["expression"]))
        low, high = compute(tree, RangeOf(dict(zip(names, map(range_of, heads), strict=True))), known)
        used = {head for name, head in zip(names, heads, strict=True) if name in names_in(tree)}
        if low >= 0 and high <= 1:
            return SOFTMAX if SOFTMAX in used else SIGMOID
        is_open = low < 1 and high > 0 and ((low, high) != ANY or used.intersection(PROBABILITIES))
        return FORMULA if is_open else None

    def counts_padding(self, node: Node, picked: int | None, value: float | None) -> bool:
        """A mean does; whatever compares or chooses values may leave padding out by itself, and a sum of zeros does."""
        used = functions_in(parse(str(node.args["expression"])))
        return "mean" in used and not used & MASKS_BY_HAND

    def padding_behind(self, node: Node, value: float) -> float | None:
        names = frozenset(map(str, node.args["values"]))
        known = [*names, *(weight.name for weight in node.weights)]
        return compute(parse(str(node.args["expression"])), PaddingValue(names, value), known)

    def why(self, node: Node) -> dict[str, str]:
        gone = [axis.name for value in node.inputs for axis in value.axes]
        kept = ax.names(node.outputs[0].axes)
        lost = [f"`{name}`" for name in dict.fromkeys(gone) if name not in kept]
        what = f"Computes `{node.args['expression']}`"
        return {"expression": f"{what}, which leaves no {', '.join(lost)}." if lost else f"{what} at every position."}

    def to_keras(self, node: Node) -> KerasCallable:
        from nnspec.backends.keras.layers.formulas import KerasFormula

        made: KerasLayer = KerasFormula(node)  # no layer but what holds some: `call_keras` knows it
        return made  # type: ignore[no-any-return]

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        tree = parse(str(node.args["expression"]))
        return layer.compute(node, tensors, names_in(tree), partial(compute, tree))

    def keras_weights(self, layer: KerasLayer) -> list[KerasVariable]:
        return list(layer.variables)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.formulas.onnx_formula import lower

        return [lower(node, inputs, lowering)]


def is_number(value: Value) -> bool:
    """Whether it holds integers or flags, which count as 1 and 0."""
    return value.dtype == "bool" or value.dtype.startswith(("int", "uint"))


def called_alike(call: Call) -> tuple[Call, list[list[str]]]:
    """The call with its values' axes as the formula calls them, and these names."""
    read = [value.axes for value in call.inputs]
    axes = axes_in_formula(read, str(call.args["expression"]))
    values = [replace(value, axes=own) for value, own in zip(call.inputs, axes, strict=True)]
    named = [list(ax.names(own)) for own in axes]
    return (call if list(axes) == read else replace(call, inputs=tuple(values))), named


def common_axes(call: Call) -> dict[str, Axis]:
    """The axes of all values by name, the longest of each name.

    Raises:
        Fault: NN311 where two of one name are of different length, and where no value has all axes.
    """
    axes = {axis.name: axis for axis in call.axes}
    owner = {axis.name: call.input for axis in call.axes}
    for value in call.inputs[1:]:
        for axis in value.axes:
            mine = axes.get(axis.name)
            if mine is None or (mine.size == 1 and axis.size != 1):
                axes[axis.name], owner[axis.name] = axis, value
            elif axis.size != 1 and common_size(call, mine.size, axis.size) is None:
                first = owner[axis.name]
                call.fail(
                    "NN311",
                    f"`{call.kind}` joins values whose `{axis.name}` differs: it is {mine.size} long in "
                    f"`{first.node}`, {axis.size} in `{value.node}`",
                    "from",
                    fixes=[Fix("rename one of them if they are different axes")],
                    about=[axis.name, first.node, value.node],
                )
    if not any(set(axes) <= set(ax.names(value.axes)) for value in call.inputs):
        there = ", ".join(f"`{value.node}` has {ax.describe(value.axes)}" for value in call.inputs)
        call.fail(
            "NN311",
            f"`{call.kind}` joins values that each have an axis that another one lacks: {there}",
            "from",
            notes=[
                "nnspec never broadcasts silently: one value has all axes, and the others are repeated along theirs"
            ],
            fixes=joining_fixes(call),
            about=[*axes],
            reason=Reason.AXES_CALLED_DIFFERENTLY,
        )
    return axes


LAYERS = (Formula(),)
