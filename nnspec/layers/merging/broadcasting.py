"""Joins in which an input is repeated along an axis: only where `broadcast` says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Edit, Fix, quoted
from nnspec.document import Mapping
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.call import Call

if TYPE_CHECKING:
    from nnspec.backends.onnx.view import View

Places = list[int | None]  # for each axis of the result, where an input has it; None: it does not


def argument() -> a.Arg:
    return a.Arg(
        {"type": ["string", "array", "null"], "items": {"type": "string"}, "minItems": 1},
        "The axes along which an input that has one position there, or no such axis, is repeated; else none is.",
        None,
    )


def wanted(call: Call) -> tuple[str, ...]:
    """The axes that the spec says something is repeated along."""
    value = call.args.get("broadcast")
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def expanded(call: Call) -> tuple[tuple[Axes, ...], list[Places]]:
    """The inputs' axes with those of `broadcast` filled in where an input lacks them, and where each stood before.

    Raises:
        Fault: NN306 where no input has such an axis, NN323 where none is repeated along it.
    """
    repeated = wanted(call)
    model = max((value.axes for value in call.inputs), key=len)
    for name in repeated:
        call.axis_index(name, "broadcast", model)
    axes, places = [], []
    for value in call.inputs:
        filled, where = _filled(value.axes, model, repeated)
        axes.append(filled)
        places.append(where)
    for name in repeated:
        place = ax.index_of(model, name)
        assert place is not None
        held = {made[place].size for made in axes if len(made) == len(model)}
        if 1 not in held or len(held) == 1:
            call.fail(
                "NN323",
                f"`{call.kind}` is to repeat an input along `{name}`, but all of them have it in full length",
                "broadcast",
                notes=[", ".join(f"`{v.node}` has {ax.describe(v.axes)}" for v in call.inputs)],
                fixes=[Fix(f"leave `{name}` out of `broadcast`")],
            )
    return tuple(axes), places


def _filled(axes: Axes, model: Axes, repeated: Sequence[str]) -> tuple[Axes, Places]:
    """An input's axes with an axis of 1 wherever `model` has one of `repeated` and the input does not."""
    rest, made, places = list(axes), list[ax.Axis](), Places()
    for axis in model:
        if axis.name in repeated and ax.index_of(axes, axis.name) is None and len(rest) + len(made) < len(model):
            made.append(ax.Axis(axis.name, 1, (), axis.is_learned))
            places.append(None)
        elif rest:
            places.append(len(axes) - len(rest))
            made.append(rest.pop(0))
    return (*made, *rest), places


def refuse_silent(call: Call, which: int) -> None:
    """What Keras would repeat without a word, with the way to say it.

    Raises:
        Fault: NN322 where writing `broadcast` would make the two inputs fit.
    """
    first, second = call.input, call.inputs[which]
    longer, shorter = (second, first) if len(second.axes) > len(first.axes) else (first, second)
    lacking = [axis.name for axis in longer.axes if ax.index_of(shorter.axes, axis.name) is None]
    lacking = lacking[: len(longer.axes) - len(shorter.axes)]
    if len(lacking) < len(longer.axes) - len(shorter.axes):
        return
    filled, _ = _filled(shorter.axes, longer.axes, lacking)
    names = []
    for mine, theirs in zip(longer.axes, filled, strict=True):
        if mine.size != theirs.size and 1 in (mine.size, theirs.size):
            names.append(mine.name)
        elif mine.size != theirs.size or (mine.name != theirs.name and not (mine.is_learned or theirs.is_learned)):
            return
    if not names:
        return
    said = f"[{', '.join(names)}]"
    call.fail(
        "NN322",
        f"`{call.kind}` would repeat `{shorter.node}` along {quoted(names)}, which is not written; "
        f"`{first.node}` has {ax.describe(first.axes)}, `{second.node}` has {ax.describe(second.axes)}",
        "from",
        notes=["Keras repeats values to fill an axis without a word; nnspec repeats only what is said"],
        fixes=[Fix(f"where it is meant, say so: `broadcast: {said}`", _written(call, said))],
    )


def _written(call: Call, said: str) -> tuple[Edit, ...]:
    """`broadcast` behind `from`, in the style of the body."""
    source = call.node("from")
    if not isinstance(call.body, Mapping) or source is None or source.span.line != source.span.end_line:
        return ()
    key = call.body.key_span("from")
    is_flow = call.body.span.text.startswith("{")
    between = ", " if is_flow else "\n" + " " * (key.column - 1)
    end = replace(source.span, line=source.span.end_line, column=source.span.end_column)
    return (Edit(end, f"{between}broadcast: {said}"),)


# ----------------------------------------------------------------------------------------------------- lowering


def keras_tensors(node: Node, tensors: Sequence[Any]) -> list[Any]:
    """The inputs with an axis of 1 wherever they lack one."""
    from keras import ops

    made = []
    for tensor, places in zip(tensors, node.args["places"], strict=True):
        for i, place in enumerate(places):
            if place is None:
                tensor = ops.expand_dims(tensor, axis=i + 1)
        made.append(tensor)
    return made


def with_all_axes(node: Node, inputs: Sequence[View]) -> list[View]:
    """The inputs with an axis of 1 wherever they lack one."""
    return [
        replace(
            view,
            axes=(view.axes[0], *(() if place is None else view.axes[1 + place] for place in places)),
            mask=None,
        )
        for view, places in zip(inputs, node.args["places"], strict=True)
    ]
