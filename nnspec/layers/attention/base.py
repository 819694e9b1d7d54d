"""The base of attention with heads: arguments, axes and weights, and both lowerings."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.layers.attention.masks import check_masks
from nnspec.layers.attention.roles import Roles, attended_steps, check_fit, check_steps, roles_of, windows_of
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.kit.contracts import require_sequence
from nnspec.layers.kit.habits import ATTENTION_INPUTS

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasConfig, KerasTensor

CAUSAL = a.boolean("Whether each position only attends to itself and earlier ones.", False)
SCORES = a.boolean("Whether the attention scores are a second output, `scores`.", False)
_SEED = a.integer("Random seed.", None, minimum=0)
WINDOW = a.integer("How many positions it attends to on each side, itself included; default: all.", None)
FLASH = a.boolean("Not used: TensorFlow has no flash attention kernel.", None)
_MASK = a.Arg(
    {"type": "string"},
    "The name of a boolean value over (query step, value step): true where attention is allowed. A heads axis "
    "may come first.",
    None,
)


def dropout() -> a.Arg:
    return a.number("Fraction of the attention weights that training drops.", 0.0, minimum=0, below=1)


class HeadedAttention(Layer):
    """Base of attention layers with heads."""

    habits = ATTENTION_INPUTS
    arity = (1, 3)
    makes = "unit"
    steps = True
    uses_mask = True
    pairs_positions = False
    softmax_ports = ("scores",)
    call_arguments = ("use_causal_mask", "return_attention_scores", "attention_mask")
    references = ("attention_mask",)

    @abstractmethod
    def heads(self, call: Call) -> tuple[int, int]:
        """How many heads there are, and how many keys and values they share."""

    @abstractmethod
    def sizes(self, call: Call) -> tuple[int, int]:
        """The size of a head's key, and of its value."""

    def output_sizes(self, call: Call) -> tuple[int, ...]:
        """The sizes of the axes that it makes."""
        return (call.require_size(call.axes[-1], "it projects back to the same number of features"),)

    def attended(self, call: Call) -> list[int]:
        """The positions of the axes that are attended."""
        return [0]

    def infer(self, call: Call) -> Inferred:
        roles = roles_of(call)
        call.require_float([value for _, value in roles.named()])
        self.check_rank(call)
        self.check_flash(call)
        places = self.attended(call)
        check_steps(call, roles, places)
        check_fit(call, roles, places)
        count, shared = self.heads(call)
        is_causal, band = call.args["use_causal_mask"], call.args["sliding_window"]
        check_masks(call, roles, places, count, is_banded=is_causal or band is not None)
        weights, formula = self.weights_rule(call, roles, count, shared)
        made = self.made_axes(call)
        output = call.require_unique((*call.axes[:-1], *made))
        with_scores = call.args["return_attention_scores"]
        return Inferred(
            (output, self.scores(call, roles, places, count)) if with_scores else (output,),
            ports=("output", "scores"),
            weights=weights,
            formula=formula,
            mask=roles.query.mask,
            keras=self.as_keras(places),
            windows=windows_of(roles, places, is_causal=is_causal, band=band),
        )

    def check_rank(self, call: Call) -> None:
        if len(call.axes) < 2:
            require_sequence(call)

    def check_flash(self, call: Call) -> None:
        if call.args["flash_attention"]:
            call.fail(
                "NN208",
                f"TensorFlow has no flash attention for `{call.kind}`",
                "flash_attention",
                fixes=[Fix("remove it: results are the same")],
            )

    def as_keras(self, places: list[int]) -> KerasConfig:
        return {}

    def made_axes(self, call: Call) -> Axes:
        sizes = self.output_sizes(call)
        names = call.made_names("unit", len(sizes))
        return tuple(ax.fresh(name, size, call.name, is_learned=True) for name, size in zip(names, sizes, strict=True))

    def scores(self, call: Call, roles: Roles, places: list[int], count: int) -> Axes:
        """The axes of the weights: heads, then the query's steps, then the value's."""
        lead = [axis for i, axis in enumerate(call.axes[:-1]) if i not in places]
        mine = [call.axes[i] for i in places]
        head = ax.fresh("head", count, call.name, is_learned=True)
        before = (*lead, head, *mine)
        return call.require_unique((*before, *attended_steps(roles, places, before)), "return_attention_scores")

    def weights_rule(self, call: Call, roles: Roles, count: int, shared: int) -> tuple[tuple[Weight, ...], str]:
        """The projections in Keras' order, each (feature, head, size); the last one back from (head, size)."""
        key_size, value_size = self.sizes(call)
        why = "its kernel has one row per position"
        query, value, key = (call.require_size(v.axes[-1], why) for v in (roles.query, roles.value, roles.key))
        rows = [("query", query, count, key_size), ("key", key, shared, key_size)]
        if call.args["use_gate"]:
            rows.append(("gate", query, count, value_size))
        rows.append(("value", value, shared, value_size))
        weights, parts = [], []
        for name, features, heads, size in rows:
            weights.append(Weight(f"{name}_kernel", (features, heads, size)))
            parts.append(f"{features}·{heads}·{size}")
            if call.args["use_bias"]:
                weights.append(Weight(f"{name}_bias", (heads, size)))
                parts[-1] += f" + {heads}·{size}"
        made = self.output_sizes(call)
        weights.append(Weight("output_kernel", (count, value_size, *made)))
        parts.append("·".join(str(n) for n in (count, value_size, *made)))
        if call.args["use_bias"]:
            weights.append(Weight("output_bias", made))
            parts[-1] += f" + {'·'.join(str(n) for n in made)}"
        return tuple(weights), _sum_of_parts(parts)

    # -------------------------------------------------------------------------------------------- Keras

    def to_keras(self, node: Node) -> KerasCallable:
        # A bias of (head 3, size 1) is taken for one along three steps, see `PlacedEinsumDense`.
        misleads = any(weight.name.endswith("bias") and 1 in weight.shape[1:] for weight in node.weights)
        is_masked = any(value.mask for value in node.inputs)
        is_many = len(node.inputs[0].axes) > 3  # scores have an axis more, see `DeepSoftmax`
        from nnspec.backends.keras.layers import attention

        is_uneven = node.args.get("value_dim") not in (None, node.args.get("key_dim")) and attention.needs_even_widths()
        is_plain = not is_masked and not misleads and not is_many and not is_uneven
        if is_plain and not node.args["return_attention_scores"]:
            return super().to_keras(node)
        made: KerasCallable = getattr(attention, f"Careful{self.kind}")
        return made(name=keras_name(node.name), **self.keras_arguments(node))  # type: ignore[no-any-return]

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        read = list(tensors)
        more: dict[str, KerasTensor] = {name: True for name in self.call_arguments[:2] if node.args[name]}
        if node.args["attention_mask"]:
            from keras import ops

            mask = read.pop()
            more["attention_mask"] = mask if node.inputs[-1].dtype == "bool" else ops.not_equal(mask, 0)
        return layer(*(read * 2 if len(read) == 1 else read), **more)

    # -------------------------------------------------------------------------------------------- ONNX

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.attention.onnx_attention import lower

        return lower(node, inputs, lowering, places=[i + 1 for i in self.places(node)])

    def places(self, node: Node) -> list[int]:
        return [0]


def _sum_of_parts(parts: list[str]) -> str:
    """Summands, those that are the same written once: `3·(16·4·8 + 4·8) + …`."""
    counts: dict[str, int] = {}
    for part in parts:
        counts[part] = counts.get(part, 0) + 1
    return " + ".join(f"{n}·({part})" if n > 1 else part for part, n in counts.items())


def projection_arguments() -> dict[str, a.Arg]:
    return {
        **a.weight_arguments("kernel", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "bias"),
        "use_gate": a.boolean("Whether a sigmoid gate of the query scales the output of each head.", False),
        "seed": _SEED,
        "use_causal_mask": CAUSAL,
        "return_attention_scores": SCORES,
        "attention_mask": _MASK,
    }
