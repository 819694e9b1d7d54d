"""Axis operations: permute, merge, split, insert, drop, rename."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Edit, Fix, lists
from nnspec.document import Mapping
from nnspec.document.types import JsonSchema
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size, divide, multiply
from nnspec.ir.graph import Args, Node
from nnspec.ir.names import keras_name
from nnspec.ir.reshape import Provenance, find_misnamed, rebracket, whole_constraint
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.axis_lists import positions, require_permutation
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.kit.habits import Hint
from nnspec.layers.kit.unknown_sizes import require_one_open_size
from nnspec.layers.shape.keras_layers import Rebracketing, permute_view
from nnspec.layers.shape.rules import merge_axes

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable

_AXIS_NAME = {"pattern": r"^[A-Za-z_][A-Za-z0-9_\-]*$"}


class AxisOperation(Rebracketing):
    """An operation on axes: it moves or regroups values, and names the axes of the result."""

    is_axis_operation = True


class MappingOperation(AxisOperation):
    """An axis operation whose body has axis names as keys: `{axis: value}` beside `name` and `from`."""

    values: JsonSchema

    def required_arguments(self) -> list[str]:
        return ["an axis"]

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        result = {k: v for k, v in schema.items() if k != "required"}
        return {
            **result,
            "type": "object",
            "minProperties": 1,
            "propertyNames": _AXIS_NAME,
            "additionalProperties": self.values,
        }

    def axis_entries(self, call: Call) -> dict[str, Any]:
        """The body's axis entries."""
        from nnspec.document import to_plain

        entries = call.body.entries if call.body else {}
        return {k: to_plain(v) for k, v in entries.items() if k not in ("name", "from", "when", "as", "over")}

    def require_axis_entries(self, call: Call) -> dict[str, Any]:
        pairs = self.axis_entries(call)
        if not pairs:
            call.fail("NN203", f"`{self.kind}` needs to name an axis")
        return pairs

    def position(self, call: Call, name: str, arg: str) -> int:
        return call.axis_index(name, arg)


class PermuteOperation(AxisOperation):
    """Reorders axes by name: `permute: [feature, time]` names every axis once; values move with their axes.

    Input axes:  `batch time feature`
    Output axes: `batch feature time`
    """

    kind = "permute"
    reorders_axes = True
    habits = dict.fromkeys(
        ("axes", "dims", "perm"), Hint("write the new order as `order: [names]`, or as just the list", "order")
    )
    short = "order"
    args = {
        "order": a.Arg(
            {"type": "array", "items": {"type": "string"}, "minItems": 1}, "Every axis once, in the new memory order."
        )
    }

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        return {**schema, "type": ["object", "array"], "items": {"type": "string"}, "minItems": 1}

    def infer(self, call: Call) -> Inferred:
        arg = "order" if "order" in call.given else ""
        order = positions(call, call.args["order"], arg)
        require_permutation(call, order, arg)
        return Inferred((tuple(call.axes[i] for i in order),), keras={"dims": [i + 1 for i in order]})

    def why(self, node: Node) -> dict[str, str]:
        return {"": say.moves_sentence(node)}

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        layer: KerasCallable = keras.layers.Permute(node.args["dims"], name=keras_name(node.name))
        return layer

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        return [permute_view(inputs[0], [d - 1 for d in node.args["dims"]])]


class Merge(MappingOperation):
    """Merges adjacent axes into one: `merge: {channel: [feature, filter]}`, the first slowest.

    Input axes:  `batch time feature filter`
    Output axes: `batch time channel`
    """

    kind = "merge"
    values = {
        "type": "array",
        "description": "The axes to merge, which must be adjacent in this order.",
        "items": {"type": "string"},
        "minItems": 1,
    }

    def infer(self, call: Call) -> Inferred:
        axes = list(call.axes)
        for name, parts in self.require_axis_entries(call).items():
            places = [call.axis_index(part, name, tuple(axes)) for part in parts]
            if places != list(range(places[0], places[0] + len(places))):
                order = _move_together(axes, parts)
                call.fail(
                    "NN321",
                    f"`merge` needs adjacent axes, but {' and '.join(f'`{p}`' for p in parts)} "
                    f"are not adjacent in this order in {ax.describe(axes)}",
                    name,
                    fixes=[call.insert_before("permute first", [call.permute_item(order)])]
                    if len(set(parts)) == len(parts)
                    else [],
                    about=[*axes],
                )
            taken = tuple(axes[i] for i in places)
            axes[places[0] : places[-1] + 1] = [merge_axes(taken, name)]
        return Inferred((require_one_open_size(call, call.require_unique(tuple(axes))),))


def _move_together(axes: Sequence[Axis], parts: Sequence[str]) -> list[str]:
    """All axis names with `parts` side by side, moved as little as can be, and rather to the end."""
    names = list(ax.names(axes))
    others = [name for name in names if name not in parts]
    orders = [[*others[:at], *parts, *others[at:]] for at in range(len(others), -1, -1)]

    def inversions(order: list[str]) -> int:
        places = [names.index(name) for name in order]
        return sum(a > b for i, a in enumerate(places) for b in places[i + 1 :])

    return min(orders, key=inversions)


class Split(MappingOperation):
    """Splits an axis: `split: {unit: {output: 16, class: 7}}`, the first part slowest. One size can be null.

    Input axes:  `batch unit` of 112
    Output axes: `batch output class` of 16 × 7
    """

    kind = "split"
    values = {
        "type": "object",
        "description": "The parts in memory order, with their sizes; one may be null.",
        "propertyNames": _AXIS_NAME,
        "additionalProperties": {"type": ["integer", "null"], "minimum": -1},
        "minProperties": 1,
    }

    def infer(self, call: Call) -> Inferred:
        axes = list(call.axes)
        for name, parts in self.require_axis_entries(call).items():
            place = call.axis_index(name, name, tuple(axes))
            axes[place : place + 1] = self.parts(call, axes[place], parts)
        return Inferred((require_one_open_size(call, call.require_unique(tuple(axes))),))

    def parts(self, call: Call, axis: Axis, parts: Args) -> list[Axis]:
        sizes: list[Size | None] = [None if v in (None, -1) else int(v) for v in parts.values()]
        known = multiply(size for size in sizes if size is not None)
        open_count = sizes.count(None)
        quotient = divide(axis.size, known)
        if open_count > 1 or quotient is None or (not open_count and quotient != 1):
            said = " · ".join("?" if s is None else str(s) for s in sizes)
            product = multiply(size for size in sizes if size is not None)
            notes = [] if open_count else [f"{said} = {product}"]
            if open_count > 1:
                notes = ["only one size can be left open"]
            fixes = self.size_fixes(call, axis, parts)
            call.fail(
                "NN315",
                f"`{axis.name}` of {axis.size} cannot be split into {said}",
                axis.name,
                notes=notes,
                fixes=fixes,
                about=[axis.name],
            )
        call.constraints += whole_constraint(quotient)
        solved = [quotient if size is None else size for size in sizes]
        outputs = rebracket((axis,), solved).outputs
        made = []
        for label, size, provenance in zip(parts, solved, outputs, strict=True):
            self.check_name(call, axis, label, provenance)
            if provenance.atoms is None:
                learned = axis.is_learned
                made.append(ax.fresh(label, size, call.name, is_learned=learned, is_laid_out=learned))
            else:
                atoms = ax.named_atoms(provenance.atoms, label)
                made.append(
                    Axis(
                        name=label,
                        size=size,
                        atoms=atoms,
                        is_learned=axis.is_learned,
                        origin=ax.origin_of(atoms),
                        is_laid_out=axis.is_learned,
                    )
                )
        return made

    def check_name(self, call: Call, axis: Axis, label: str, provenance: Provenance) -> None:
        """A part that takes the name of an axis which was merged must hold just that axis."""
        held = find_misnamed(provenance, label, (axis,)) if len(axis.atoms) > 1 and label != axis.name else None
        if held is None:
            return
        inside = ", ".join(f"{atom.label or atom.name}: {atom.size}" for atom in axis.atoms)
        call.fail(
            "NN303",
            f"`split` names a part of `{axis.name}` `{label}`, but it contains {held}",
            axis.name,
            notes=[f"`{axis.name}` was merged from ({inside.replace(':', '')}), slow to fast"],
            fixes=[Fix(f"split it as it was merged: `{{{inside}}}`", self.part_edits(call, axis, inside))],
            about=[axis.name, label],
        )

    def part_edits(self, call: Call, axis: Axis, inside: str) -> tuple[Edit, ...]:
        node = call.node(axis.name)
        return (Edit(node.span, f"{{{inside}}}"),) if node is not None and node.span.line == node.span.end_line else ()

    def size_fixes(self, call: Call, axis: Axis, parts: Args) -> list[Fix]:
        """For each part the size that would fit, the others staying as they are."""
        body = call.node(axis.name)
        fixes = []
        for label, node in body.entries.items() if isinstance(body, Mapping) else ():
            others = [size for name, size in parts.items() if name != label]
            fitting = divide(axis.size, multiply(others)) if all(isinstance(o, int) and o > 0 for o in others) else None
            if isinstance(fitting, int):
                fixes.append(Fix(f"make `{label}` {fitting} long", (Edit(node.span, str(fitting)),)))
        return fixes


class Insert(MappingOperation):
    """Adds an axis of size 1 after the others: `insert: {channel: 1}`.

    Input axes:  `batch time feature`
    Output axes: `batch time feature channel`
    """

    kind = "insert"
    values = {"enum": [1], "description": "The size, which is 1."}

    def infer(self, call: Call) -> Inferred:
        made = [ax.fresh(name, 1, call.name) for name in self.require_axis_entries(call)]
        return Inferred((call.require_unique((*call.axes, *made)),))


class Drop(AxisOperation):
    """Removes an axis of size 1: `drop: channel`, or a list of axes.

    Input axes:  `batch time channel`
    Output axes: `batch time`
    """

    kind = "drop"
    short = "axis"
    args = {
        "axis": a.Arg(
            {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1}, "The axis or axes to remove."
        )
    }

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        return {**schema, "type": ["object", "string", "array"], "items": {"type": "string"}}

    def infer(self, call: Call) -> Inferred:
        names = call.args["axis"]
        arg = "axis" if "axis" in call.given else ""
        dropped = set([call.axis_index(names, arg)] if isinstance(names, str) else positions(call, names, arg))
        for place in sorted(dropped):
            axis = call.axes[place]
            if axis.size != 1:
                call.fail(
                    "NN317",
                    f"`drop` removes axes of size 1, but `{axis.name}` has size {axis.size}",
                    arg,
                    notes=["to remove an axis, pool over it or merge it with another"],
                    about=[axis.name],
                )
        return Inferred((tuple(axis for i, axis in enumerate(call.axes) if i not in dropped),))


class Rename(MappingOperation):
    """Renames axes: `rename: {unit: hidden}`. Values do not change.

    Input axes:  `batch unit`
    Output axes: `batch hidden`
    """

    kind = "rename"
    values = {"type": "string", "description": "The new name.", **_AXIS_NAME}

    def infer(self, call: Call) -> Inferred:
        axes = list(call.axes)
        for old, new in self.require_axis_entries(call).items():
            place = call.axis_index(old, old)
            axes[place] = axes[place].renamed(new)
        return Inferred((call.require_unique(tuple(axes)),), mask=_renamed_mask(call, axes))

    def why(self, node: Node) -> dict[str, str]:
        pairs = zip(node.inputs[0].axes, node.outputs[0].axes, strict=True)
        names = [f"`{old.name}` becomes `{new.name}`" for old, new in pairs if old.name != new.name]
        return {"": f"Values do not change: {lists.joined(names)}." if names else "Nothing changes."}


def _renamed_mask(call: Call, axes: list[Axis]) -> str | None:
    place = ax.index_of(call.axes, call.input.mask) if call.input.mask else None
    return None if place is None else axes[place].name


LAYERS = (PermuteOperation(), Merge(), Split(), Insert(), Drop(), Rename())
