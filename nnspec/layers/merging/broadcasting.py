"""Joins in which an input is repeated along an axis, if `broadcast` lists that axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from nnspec.diagnostics import Applicability, Edit, Fix, Reason, quoted
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Size, Symbolic
from nnspec.ir.graph import Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit.call import Call
from nnspec.layers.kit.edits import add_key

if TYPE_CHECKING:
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasTensor

Places = list[int | None]  # for each axis of the result, where an input has it; None: it does not


def broadcast_argument() -> a.Arg:
    return a.Arg(
        {"type": ["string", "array", "null"], "items": {"type": "string"}, "minItems": 1},
        "The axes along which an input with size 1, or without the axis, is repeated.",
        None,
    )


def broadcast_axes(call: Call) -> tuple[str, ...]:
    """The axes that the spec says something is repeated along."""
    value = call.args.get("broadcast")
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def expand_inputs(call: Call) -> tuple[tuple[Axes, ...], list[Places]]:
    """The inputs' axes with those of `broadcast` filled in where an input lacks them, and where each stood before.

    Raises:
        Fault: NN306 where no input has such an axis, NN323 where none is repeated along it.
    """
    repeated = broadcast_axes(call)
    model = _model(call)
    for name in repeated:
        call.axis_index(name, "broadcast", model)
    axes, places = [], []
    for value in call.inputs:
        filled, where = _fill_axes(value.axes, model, repeated)
        axes.append(filled)
        places.append(where)
    for name in repeated:
        place = ax.index_of(model, name)
        assert place is not None
        held = {made[place].size for made in axes if len(made) == len(model)}
        if 1 not in held or len(held) == 1:
            call.fail(
                "NN323",
                f"`broadcast` repeats an input of `{call.kind}` along `{name}`, but all inputs have its full length",
                "broadcast",
                notes=[", ".join(f"`{v.node}` has {ax.describe(v.axes)}" for v in call.inputs)],
                fixes=[Fix(f"remove `{name}` from `broadcast`")],
                about=[name],
            )
    return tuple(axes), places


def _model(call: Call) -> Axes:
    """Every axis of the result as the input calls it that has it in full length."""
    longest = max(len(value.axes) for value in call.inputs)
    full = [value.axes for value in call.inputs if len(value.axes) == longest]
    return tuple(next((axis for axis in place if axis.size != 1), place[0]) for place in zip(*full, strict=True))


def _fill_axes(axes: Axes, model: Axes, repeated: Sequence[str]) -> tuple[Axes, Places]:
    """An input's axes with an axis of 1 wherever `model` has one of `repeated` and the input does not."""
    rest, made, places = list(axes), list[ax.Axis](), Places()
    for axis in model:
        if axis.name in repeated and ax.index_of(axes, axis.name) is None and len(rest) + len(made) < len(model):
            made.append(ax.Axis(name=axis.name, size=1, atoms=(), is_learned=axis.is_learned))
            places.append(None)
        elif rest:
            places.append(len(axes) - len(rest))
            made.append(rest.pop(0))
    return (*made, *rest), places


def assume_written(call: Call, which: int) -> tuple[Axes, Axes] | None:
    """The axes of the first input and of another one that Keras would repeat without a word, once that is said (NN322).

    None where `broadcast` would not make the two fit. Where there is one way to write it only, inference goes on as if
    it were written.

    Raises:
        Fault: NN322 where there are several.
    """
    first, second = call.input, call.inputs[which]
    longer, shorter = (second, first) if len(second.axes) > len(first.axes) else (first, second)
    lacking = [axis.name for axis in longer.axes if ax.index_of(shorter.axes, axis.name) is None]
    lacking = lacking[: len(longer.axes) - len(shorter.axes)]
    if len(lacking) < len(longer.axes) - len(shorter.axes):
        return None
    filled, _ = _fill_axes(shorter.axes, longer.axes, lacking)
    names, ones = [], set()
    for mine, theirs in zip(longer.axes, filled, strict=True):
        if mine.size != theirs.size and 1 in (mine.size, theirs.size):
            names.append(theirs.name if mine.size == 1 else mine.name)
            ones.add(mine.size == 1)
        elif not may_be_equal(mine.size, theirs.size) or (
            mine.name != theirs.name and not (mine.is_learned or theirs.is_learned)
        ):
            return None
    if not names:
        return None
    said = f"[{', '.join(names)}]"
    edits = _broadcast_edit(call, said)
    is_certain = (
        bool(edits)
        and len(ones) == 1  # of two that are both repeated, an outer product is made
        and (not lacking or _fits_once(shorter.axes, longer.axes))
        and (not lacking or all(value.mask is None for value in call.inputs))
    )
    report = call.assume if is_certain else call.fail
    report(
        "NN322",
        f"`{call.kind}` would repeat `{shorter.node}` along {quoted(names)}, which is not written; "
        f"`{first.node}` has {ax.describe(first.axes)}, `{second.node}` has {ax.describe(second.axes)}",
        "from",
        notes=["Keras broadcasts silently; nnspec only along the axes listed in `broadcast`"],
        fixes=[
            Fix(
                f"if this is intended, write `broadcast: {said}`",
                edits,
                Applicability.MACHINE if is_certain else Applicability.MAYBE,
            )
        ],
        about=[*names, first, *first.axes, second, *second.axes],
        reason=Reason.REPEATED_SILENTLY,
    )
    return (longer.axes, filled) if longer is first else (filled, longer.axes)


def may_be_equal(mine: Size, theirs: Size) -> bool:
    """Whether two axes are equally long, or can be where the inputs leave a size open: halved and doubled again, it is
    what it was at even ones."""
    if mine == theirs:
        return True
    if all(isinstance(size, int) or is_symbol(size) for size in (mine, theirs)):
        return not (isinstance(mine, int) and isinstance(theirs, int))
    from nnspec.ir.symbols import equal_at_multiples  # few networks have axes of open size

    return equal_at_multiples(mine, theirs) is not None


def is_symbol(size: Size) -> bool:
    """A size that the inputs leave open, rather than one that follows from such."""
    return isinstance(size, Symbolic) and size.coefficient == 1 and str(size).isidentifier()


def _fits_once(shorter: Axes, longer: Axes) -> bool:
    """Whether the axes of the one lie in the other, in order, at one place only as far as sizes tell."""
    sizes = ax.sizes(shorter)
    return sum(ax.sizes(axes) == sizes for axes in combinations(longer, len(shorter))) == 1


def _broadcast_edit(call: Call, said: str) -> tuple[Edit, ...]:
    """`broadcast` behind `from`, in the style of the body."""
    return () if call.node("from") is None else add_key(call.body, "broadcast", said, behind="from")


# ----------------------------------------------------------------------------------------------------- lowering


def expand_tensors(node: Node, tensors: Sequence[KerasTensor]) -> list[KerasTensor]:
    """The inputs with an axis of 1 wherever they lack one."""
    from keras import ops

    made = []
    for tensor, places in zip(tensors, node.args["places"], strict=True):
        for i, place in enumerate(places):
            if place is None:
                tensor = ops.expand_dims(tensor, axis=i + 1)
        made.append(tensor)
    return made


def expand_views(node: Node, inputs: Sequence[View]) -> list[View]:
    """The inputs with an axis of 1 wherever they lack one."""
    return [
        replace(
            view,
            axes=(view.axes[0], *(() if place is None else view.axes[1 + place] for place in places)),
            mask=None,
        )
        for view, places in zip(inputs, node.args["places"], strict=True)
    ]
