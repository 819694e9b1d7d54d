"""What reshapes may do to named axes, and what to say where they may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nnspec import axes as ax
from nnspec.axes import Axes, Axis, Size, fuse, multiply
from nnspec.diagnostics import Applicability, Edit, Fix, nearest
from nnspec.document import Mapping
from nnspec.document import Sequence as SequenceNode
from nnspec.layers.base import Call, Fault
from nnspec.layers.witness import witness
from nnspec.rebracket import (
    Kind,
    Provenance,
    Rebracketing,
    Reordering,
    SizeMismatch,
    find_reordering,
    misnamed,
    rebracket,
    solve_unknown,
)


def merged_all(call: Call, axes: Axes) -> Axes:
    """All axes as one."""
    if not axes:
        return (ax.fresh(call.axis_name or "feature", 1, call.name),)
    return (merged(call, axes, call.axis_name),)


def merged(call: Call, axes: Axes, name: str | None) -> Axis:
    """Neighbouring axes as one, which remembers its atoms."""
    atoms = fuse(atom for axis in axes for atom in axis.atoms)
    kept = [axis for axis in axes if axis.size != 1] or list(axes[:1])
    origin = kept[0].origin if len(kept) == 1 else ax.origin_of(atoms)
    joined = name or "_".join(ax.names(axes))
    return Axis(joined, multiply(axis.size for axis in axes), atoms, all(axis.is_learned for axis in kept), origin)


def require_permutation(call: Call, order: Sequence[int], arg: str) -> None:
    if sorted(order) != list(range(len(call.axes))):
        missing = [axis.name for i, axis in enumerate(call.axes) if i not in order]
        twice = sorted({call.axes[i].name for i in order if list(order).count(i) > 1})
        parts = [f"lacks {_list(missing)}"] if missing else []
        parts += [f"names {_list(twice)} twice"] if twice else []
        call.fail(
            "NN316",
            f"`{call.kind}` must name every axis of {ax.describe(call.axes)} once, but it {' and '.join(parts)}",
            arg,
        )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def reshape(call: Call, wanted: Sequence[Size | None], names: Sequence[str | None] | None, arg: str) -> Axes:
    """The output axes of a row-major reshape.

    Raises:
        Fault: NN301, NN302, NN303 or NN314.
    """
    axes = call.axes
    if sum(size is None for size in wanted) > 1:
        call.fail("NN302", "only one size of a reshape can be left open", arg)
    try:
        sizes, constraints = solve_unknown(axes, wanted)
    except SizeMismatch as mismatch:
        said = ", ".join("-1" if size is None else str(size) for size in wanted)
        message = f"reshape of {ax.describe(axes)} to ({said}): {mismatch}"
        if mismatch.is_certain:
            call.fail("NN302", message, arg)
        call.fail("NN314", message, arg, fixes=[_open_size_fix(axes)])
    call.constraints.extend(constraints)
    result = rebracket(axes, sizes)
    if result.is_scrambled:
        return _scrambled(call, sizes, names, result, arg)
    result = _with_units(axes, sizes, names, result)
    if names is not None:
        _check_names(call, sizes, names, result, arg)
    elif _is_lost_swap(axes, sizes, result):
        reorder = find_reordering(axes, sizes)
        same = " and ".join(f"`{a.name}`" for a in axes if a.size != 1)
        call.warn(
            "NN304",
            f"this reshape does nothing: {same} are equally long, and a reshape never swaps axes",
            arg,
            notes=[f"it reads {ax.describe(axes)} and gives the same"],
            fixes=[
                *(_permute_fixes(call, reorder, Applicability.MAYBE, sizes) if reorder else []),
                Fix("leave the reshape out"),
            ],
        )
    return require_one_open_size(call, call.require_unique(_named(call, sizes, names, result), arg), arg)


def _is_lost_swap(axes: Axes, sizes: Sequence[Size], result: Rebracketing) -> bool:
    """Sizes unchanged and two of them equal: if a swap was meant, it did not happen."""
    data = [axis.size for axis in axes if axis.size != 1]
    return tuple(sizes) == ax.sizes(axes) and len(set(data)) < len(data)


def _with_units(
    axes: Axes, sizes: Sequence[Size], names: Sequence[str | None] | None, result: Rebracketing
) -> Rebracketing:
    """Output axes of size 1 matched with the input's: by declared name, else in order; the rest are new."""
    spare = [axis for axis in axes if axis.size == 1]
    outputs = list(result.outputs)
    open_places = [i for i, size in enumerate(sizes) if size == 1]
    for i in open_places:
        same = next((axis for axis in spare if names is not None and names[i] == axis.name), None)
        if same is None and names is None and spare:
            same = spare[0]
        if same is not None:
            spare.remove(same)
            outputs[i] = Provenance(Kind.IDENTITY, same.atoms, same)
    return Rebracketing(tuple(outputs), result.constraints)


def _named(call: Call, sizes: Sequence[Size], names: Sequence[str | None] | None, result: Rebracketing) -> Axes:
    taken: dict[str, int] = {}
    made: list[Axis] = []
    for i, (size, provenance) in enumerate(zip(sizes, result.outputs, strict=True)):
        declared = names[i] if names is not None else None
        if provenance.kind is Kind.IDENTITY and provenance.axis is not None:
            made.append(provenance.axis)
            continue
        atoms = provenance.atoms or ()
        stem = declared or ("_".join(dict.fromkeys(atom.name for atom in atoms)) or "one")
        if declared is None and provenance.kind is not Kind.MERGE:
            taken[stem] = taken.get(stem, 0) + 1
            stem = stem if provenance.kind is Kind.NEW and taken[stem] == 1 else f"{stem}_{taken[stem]}"
        if provenance.kind is Kind.MIXED:
            made.append(ax.fresh(stem, size, call.name))
            continue
        keys = {atom.key for atom in atoms}
        parents = [axis for axis in call.axes if any(atom.key in keys for atom in axis.atoms)]
        learned = bool(parents) and all(axis.is_learned for axis in parents)
        made.append(Axis(stem, size, atoms, learned, ax.origin_of(atoms)))
    return tuple(made)


def _check_names(
    call: Call, sizes: Sequence[Size], names: Sequence[str | None], result: Rebracketing, arg: str
) -> None:
    for name, provenance in zip(names, result.outputs, strict=True):
        held = misnamed(provenance, name) if name is not None else None
        if held is None:
            continue
        reorder = find_reordering(call.axes, sizes, names)
        fixes = _permute_fixes(call, reorder, Applicability.MACHINE, sizes, names) if reorder else []
        if not reorder and provenance.axis is not None:
            rename = Fix(f"rename it: `rename: {{{provenance.axis.name}: {name}}}`")
            fixes = [_rename_fix(call, names, result) or rename]
        call.fail(
            "NN303",
            f"the reshape calls an axis `{name}`, but it holds {held if ' ' in held else f'`{held}`'}",
            arg,
            notes=[
                f"it reads {ax.describe(call.axes)}; a reshape moves brackets, never values",
                *(witness(call.axes, sizes, reorder) if reorder else []),
            ],
            fixes=fixes,
        )


def _rename_fix(call: Call, names: Sequence[str | None], result: Rebracketing) -> Fix | None:
    """Where every axis stays what it is and only names change: a `rename` in the place of the reshape."""
    if len(names) == len(call.axes) and set(names) == set(ax.names(call.axes)):
        said = ", ".join(f"{axis.name}: {axis.size}" for axis in call.axes)
        edit = Edit(call.span("to"), f"{{{said}}}")
        return Fix("name the axes in the order in which they stand", (edit,))
    renamed: dict[str, str] = {}
    for name, provenance in zip(names, result.outputs, strict=True):
        if provenance.kind is not Kind.IDENTITY or provenance.axis is None or name is None:
            return None
        if provenance.axis.name != name:
            renamed[provenance.axis.name] = name
    if len(result.outputs) != len(call.axes):
        return None
    item = f"rename: {{{', '.join(f'{old}: {new}' for old, new in renamed.items())}}}"
    replaced = _replace_item(call, [item])
    return Fix("if only the name changes, say so", (replaced,) if replaced else ())


def _open_size_fix(axes: Axes) -> Fix:
    unknown = next((axis for axis in axes if not isinstance(axis.size, int)), None)
    if unknown is None:  # the symbol stands in the reshape alone
        return Fix("say the size as a number, or leave it open with -1")
    return Fix(f"leave one size open with -1, or give `{unknown.name}` a number under `inputs:`")


# ------------------------------------------------------------------------------------------ scrambles


def _scrambled(
    call: Call, sizes: Sequence[Size], names: Sequence[str | None] | None, result: Rebracketing, arg: str
) -> Axes:
    mixed = _mixed_axes(call.axes, result)
    holds = _held(result)
    total = multiply(axis.size for axis in call.axes)
    notes = [f"sizes agree ({total} = {multiply(sizes)}), so Keras accepts this silently"]
    reorder = find_reordering(call.axes, sizes, names)
    notes += witness(call.axes, sizes, reorder)
    message = f"reshape scrambles axes {_and(mixed)}"
    if call.reader_kinds and all(kind == "Flatten" for kind in call.reader_kinds):
        call.warn(
            "NN305",
            f"{message}; only a Flatten reads it, so the network can still learn, but the reshape has no purpose",
            arg,
            label=holds,
            notes=notes[1:],
            fixes=[Fix("leave the reshape out")],
        )
        return call.require_unique(_named(call, sizes, names, result), arg)
    fixes: list[Fix] = []
    if reorder is not None:
        certain = reorder.is_unique and (names is not None or _is_evident(sizes, reorder))
        fixes = _permute_fixes(call, reorder, Applicability.MACHINE if certain else Applicability.MAYBE, sizes, names)
    else:
        merged_axis = next((axis for axis in call.axes if len(axis.atoms) > 1), None)
        if merged_axis is not None:
            inside = ", ".join(f"{atom.name} {atom.size}" for atom in merged_axis.atoms)
            notes.append(f"`{merged_axis.name}` was merged from ({inside}), slow to fast")
            fixes = [Fix("permute before the axes are merged, or take them apart in the order of the merge")]
        else:
            fixes = [_mixing_fix(call, sizes, result)]
    raise Fault(call.diagnostic("NN301", message, arg, label=holds, notes=notes, fixes=fixes))


def _held(result: Rebracketing) -> str:
    """`axis 0 would hold time // 2, axis 1 (time % 2, feature)`."""
    changed = [(i, p) for i, p in enumerate(result.outputs) if p.kind not in (Kind.IDENTITY, Kind.NEW)]
    if all(p.atoms is None for _, p in changed):
        listed = [str(i) for i, _ in changed]
        return f"axes {', '.join(listed[:-1])} and {listed[-1]} would hold irregular mixtures"
    return ", ".join(f"axis {i} {'would hold ' if not n else ''}{p}" for n, (i, p) in enumerate(changed))


def symbolic_recipe(before: Sequence[Size], after: Sequence[Size]) -> list[Any]:
    """For each output axis a number, or the input axis whose unknown size it takes over (and over what), or -1."""
    recipe: list[Any] = []
    for size in after:
        if isinstance(size, int):
            recipe.append(size)
            continue
        source = next((i for i, old in enumerate(before) if old == size), None)
        recipe.append(-1 if source is None else {"axis": source + 1})
    if recipe.count(-1) > 1:
        recipe = [r if r != -1 else _ratio(size, before) for r, size in zip(recipe, after, strict=True)]
    return recipe


def _ratio(size: Size, before: Sequence[Size]) -> Any:
    for i, old in enumerate(before):
        quotient = ax.divide(old, size) if isinstance(old, ax.Symbolic) else None
        if isinstance(quotient, int):
            return {"axis": i + 1, "over": quotient}
    return -1


def require_one_open_size(call: Call, axes: Axes, arg: str | None = None) -> Axes:
    """A reshape works out one unknown size; the others must be sizes that are there.

    Raises:
        Fault: NN605.
    """
    recipe = symbolic_recipe(ax.sizes(call.axes), ax.sizes(axes))
    if recipe.count(-1) > 1:
        unknown = [axis.name for axis, rule in zip(axes, recipe, strict=True) if rule == -1]
        call.fail(
            "NN605",
            f"`{call.kind}` would make {_and(unknown)} of unknown length at once, {ax.describe(axes)}",
            arg,
            notes=["a reshape works out one unknown size; the others must be sizes that it reads"],
            fixes=[Fix("make one of them in an item of its own, then the other")],
        )
    return axes


def positions(call: Call, values: Sequence[int | str], arg: str) -> list[int]:
    """The positions of several axes; a fault points at the one that does not exist.

    Raises:
        Fault: NN306.
    """
    node = call.node(arg)
    result = []
    for i, value in enumerate(values):
        try:
            result.append(call.axis_index(value, arg))
        except Fault as fault:
            item = node.items[i] if isinstance(node, SequenceNode) and i < len(node.items) else None
            if item is None:
                raise
            close = nearest(str(value), ax.names(call.axes)) if isinstance(value, str) else []
            fixes = tuple(Fix(f"use `{c}`", (Edit(item.span, c),)) for c in close)
            raise Fault(replace(fault.diagnostic, span=item.span, fixes=fixes)) from None
    return result


def _mixing_fix(call: Call, sizes: Sequence[Size], result: Rebracketing) -> Fix:
    """Where mixing is meant: the same reshape as `split` and `merge`, which say so."""
    message = "where mixing is meant, as in frame stacking, write it as `split` and `merge`"
    axes = {axis.name: axis for axis in call.axes}
    if any(p.atoms is None for p in result.outputs) or any(axis.size == 1 or len(axis.atoms) > 1 for axis in call.axes):
        return Fix(message)
    parts: dict[str, dict[str, str]] = {}
    labels: list[list[str]] = []
    for provenance in result.outputs:
        row = []
        for atom in provenance.atoms or ():
            if atom.size == axes[atom.name].size:
                row.append(atom.name)
                continue
            cut = parts.setdefault(atom.name, {})
            label = f"{atom.name}_{len(cut) + 1}"
            cut[label] = str(atom.size) if isinstance(atom.size, int) else "null"
            row.append(label)
        labels.append(row)
    items = [f"split: {{{n}: {{{', '.join(f'{k}: {v}' for k, v in cut.items())}}}}}" for n, cut in parts.items()]
    items += [f"merge: {{{row[0]}_{row[-1]}: [{', '.join(row)}]}}" for row in labels if len(row) > 1]
    edit = _replace_item(call, items) if len(result.outputs) == sum(size != 1 for size in sizes) else None
    return Fix(message, (edit,) if edit else ())


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
    keys = {atom.key for p in mixed for atom in p.atoms or ()}
    return list(dict.fromkeys(atom.name for axis in axes for atom in axis.atoms if atom.key in keys))


def _and(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _permute_fixes(
    call: Call,
    reorder: Reordering,
    applicability: Applicability,
    sizes: Sequence[Size] | None = None,
    names: Sequence[str | None] | None = None,
) -> list[Fix]:
    order = ", ".join(call.axes[i].name for i in reorder.order)
    if call.body is not None and any(key in call.body.entries for key in ("from", "name", "when")):
        return [Fix(f"reorder first: `permute: [{order}]`")]
    items = [f"permute: [{order}]"]
    tail = _trailing_units(reorder, sizes, names)
    if tail is not None:
        replaced = _replace_item(call, items + tail)
        if replaced is not None:
            message = "reorder first, then add the unit axis" if tail else "reorder instead"
            return [Fix(message, (replaced,), applicability)]
    return [call.insert_before("reorder first", items, applicability)]


def _trailing_units(
    reorder: Reordering, sizes: Sequence[Size] | None, names: Sequence[str | None] | None
) -> list[str] | None:
    """The `insert` items that do what is left of the reshape after the permute; None where that is more."""
    outputs = reorder.result.outputs
    data = [p for p in outputs if p.kind is not Kind.NEW]
    if (
        sizes is None
        or any(p.kind is not Kind.IDENTITY for p in data)
        or any(p.kind is Kind.NEW for p in outputs[: len(data)])
    ):
        return None
    if any(i.size == 1 for p in data if (i := p.axis) is not None):
        return None
    count = len(outputs) - len(data)
    labels = [names[len(data) + i] if names is not None else None for i in range(count)]
    defaults = ["channel", *(f"channel_{i}" for i in range(2, count + 1))]
    return [f"insert: {{{label or default}: 1}}" for label, default in zip(labels, defaults, strict=False)]


def _replace_item(call: Call, items: Sequence[str]) -> Edit | None:
    """An edit that puts `items` in the place of this one, where it is one item of a block list."""
    span, body = call.item_span, call.body
    before = span.source.line(span.line)[: span.column - 1]
    end = body.span if isinstance(body, Mapping) else None
    if before.strip() != "-" or end is None or any(axis.size == 1 for axis in call.axes):
        return None
    whole = replace(span, end_line=end.end_line, end_column=end.end_column)
    return Edit(whole, f"\n{before}".join(items))
