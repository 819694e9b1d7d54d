"""Diagnostics of a reshape that scrambles axes or gives them wrong names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from nnspec.diagnostics import Applicability, Fix, Reason, quoted
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Size, multiply
from nnspec.ir.reshape import Kind, Provenance, Rebracketing, Reordering, find_reordering
from nnspec.layers.kit.base import Call
from nnspec.layers.shape.fixes import mixing_fix, permute_fixes, rename_fix
from nnspec.layers.shape.index_example import index_example


def refuse_name(
    call: Call,
    sizes: Sequence[Size],
    names: Sequence[str | None],
    result: Rebracketing,
    wrong: tuple[str, str, Provenance],
    arg: str,
) -> NoReturn:
    """A declared name that does not say what the axis holds. `wrong` is the name, what it holds, and its provenance.

    Raises:
        Fault: NN303.
    """
    name, held, provenance = wrong
    reorder = find_reordering(call.axes, sizes, names)
    fixes = permute_fixes(call, reorder, Applicability.MACHINE, sizes, names) if reorder else []
    if not reorder and provenance.axis is not None:
        rename = Fix(f"rename it: `rename: {{{provenance.axis.name}: {name}}}`")
        fixes = [rename_fix(call, names, result) or rename]
    elif not reorder:
        is_merge = bool(_merged_from(call.axes))
        fixes = [Fix("list them in the order of the merge, then `permute`" if is_merge else "give it a new name")]
    call.fail(
        "NN303",
        f"the reshape names an axis `{name}`, but it contains {held if ' ' in held else f'`{held}`'}",
        arg,
        notes=[
            f"its input is {ax.describe(call.axes)}; a reshape regroups values, but never moves them",
            *_merged_from(call.axes),
            *(index_example(call.axes, sizes, reorder) if reorder else []),
        ],
        fixes=fixes,
        about=[name, held],
        reason=Reason.VALUES_MIX,
    )


def open_size_fix(axes: Axes) -> Fix:
    """What to do about sizes that agree for some lengths only."""
    unknown = next((axis for axis in axes if not isinstance(axis.size, int)), None)
    if unknown is None:  # the symbol occurs only in the reshape
        return Fix("write the size as a number, or leave it open with -1")
    return Fix(f"leave one size open with -1, or give `{unknown.name}` a fixed size under `inputs:`")


def refuse_scramble(
    call: Call, sizes: Sequence[Size], names: Sequence[str | None] | None, result: Rebracketing, arg: str
) -> None:
    """The reshape mixes axes; where only a Flatten reads it, that does no harm and is a warning.

    Raises:
        Fault: NN301.
    """
    mixed = _mixed_axes(call.axes, result)
    message = f"reshape scrambles axes {quoted(mixed)}"
    holds = _contents(result)
    reorder = find_reordering(call.axes, sizes, names)
    seen = index_example(call.axes, sizes, reorder)
    if call.reader_kinds and all(kind == "Flatten" for kind in call.reader_kinds):
        call.warn(
            "NN305",
            f"{message}; only a Flatten reads it, so the network can still learn, but the reshape has no purpose",
            arg,
            label=holds,
            notes=seen,
            fixes=[Fix("remove the reshape")],
            about=mixed,
        )
        return
    total = multiply(axis.size for axis in call.axes)
    notes = [f"sizes agree ({total} = {multiply(sizes)}), so Keras accepts this silently"]
    if result.constraints:
        notes[0] = f"sizes agree where {' and '.join(result.constraints)}, so Keras accepts this silently"
    notes += seen
    if reorder is not None:
        is_certain = reorder.is_unique and (names is not None or _is_evident(sizes, reorder))
        fixes = permute_fixes(call, reorder, Applicability.MACHINE if is_certain else Applicability.MAYBE, sizes, names)
    elif inside := _merged_from(call.axes):
        notes += inside
        fixes = [Fix("permute before the axes are merged, or split them in the order of the merge")]
    else:
        fixes = [mixing_fix(call, sizes, names, result)]
    call.fail("NN301", message, arg, label=holds, notes=notes, fixes=fixes, about=mixed, reason=Reason.VALUES_MIX)


def _merged_from(axes: Axes) -> list[str]:
    """Of the first axis that was merged, from what."""
    axis = next((axis for axis in axes if len(axis.atoms) > 1), None)
    if axis is None:
        return []
    inside = ", ".join(f"{atom.label or atom} {atom.size}" for atom in axis.atoms)
    return [f"`{axis.name}` was merged from ({inside}), slow to fast"]


def _contents(result: Rebracketing) -> str:
    """`axis 0 would contain time // 2, axis 1 (time % 2, feature)`."""
    changed = [(i, p) for i, p in enumerate(result.outputs) if p.kind not in (Kind.IDENTITY, Kind.NEW)]
    if all(p.atoms is None for _, p in changed):
        listed = [str(i) for i, _ in changed]
        return f"axes {', '.join(listed[:-1])} and {listed[-1]} would contain irregular mixtures"
    return ", ".join(f"axis {i} {'would contain ' if not n else ''}{p}" for n, (i, p) in enumerate(changed))


def _is_evident(sizes: Sequence[Size], reorder: Reordering) -> bool:
    """Without declared names: every output is exactly one input axis, and no two are equally long."""
    data = [size for size in sizes if size != 1]
    kinds = {p.kind for p in reorder.result.outputs}
    return kinds <= {Kind.IDENTITY, Kind.NEW} and len(set(data)) == len(data)


def _mixed_axes(axes: Axes, result: Rebracketing) -> list[str]:
    """The input's axes, or parts of them, that would be mixed."""
    mixed = [p for p in result.outputs if p.kind is Kind.MIXED]
    if any(p.atoms is None for p in mixed):
        whole = {p.axis.name for p in result.outputs if p.kind is Kind.IDENTITY and p.axis}
        return [axis.name for axis in axes if axis.size != 1 and axis.name not in whole]
    held = [(source, name) for p in mixed for source in p.sources for name in p.names]
    return list(dict.fromkeys(name for _, name in sorted(held, key=lambda pair: pair[0])))
