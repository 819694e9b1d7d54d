"""The effect of reshapes on named axes: which axes are kept, merged and split, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnspec.diagnostics import Applicability, Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis, Size, multiply
from nnspec.ir.reshape import (
    Kind,
    Provenance,
    Rebracketing,
    SizeMismatch,
    find_misnamed,
    find_reordering,
    keeps_order,
    rebracket,
    solve_unknown,
)
from nnspec.layers.kit.base import Call
from nnspec.layers.kit.unknown_sizes import require_one_open_size
from nnspec.layers.shape.diagnose import open_size_fix, refuse_name, refuse_scramble
from nnspec.layers.shape.fixes import permute_fixes

Names = Sequence[str | None] | None


def merge_all_axes(call: Call, axes: Axes) -> Axes:
    """All axes as one."""
    if not axes:
        return (ax.fresh(call.axis_name or "feature", 1, call.name),)
    return (merge_axes(axes, call.axis_name),)


def merge_axes(axes: Axes, name: str | None) -> Axis:
    """Neighbouring axes as one, which remembers its atoms and what their axes were called."""
    kept = [axis for axis in axes if axis.size != 1] or list(axes[:1])
    joined = name or "_".join(ax.names(axes))
    atoms = ax.named_atoms(tuple(atom for axis in axes for atom in label_atoms(axis)), joined)
    origin = kept[0].origin if len(kept) == 1 else ax.origin_of(atoms)
    learned = all(axis.is_learned for axis in kept)
    laid_out = learned and (all(axis.is_laid_out for axis in kept) or ax.names_places(joined))
    return Axis(
        name=joined,
        size=multiply(axis.size for axis in axes),
        atoms=atoms,
        is_learned=learned,
        origin=origin,
        is_laid_out=laid_out,
    )


def label_atoms(axis: Axis) -> tuple[ax.Atom, ...]:
    """The atoms of an axis that is to be merged; one that it consists of alone takes its name along."""
    return (replace(axis.atoms[0], label=axis.name),) if len(axis.atoms) == 1 else axis.atoms


def reshape(call: Call, wanted: Sequence[Size | None], names: Names, arg: str) -> Axes:
    """The output axes of a row-major reshape.

    Raises:
        Fault: NN301, NN302, NN303, NN314 or NN605.
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
            call.fail("NN302", message, arg, about=axes)
        call.fail("NN314", message, arg, fixes=[open_size_fix(axes)], about=axes)
    call.constraints.extend(constraints)
    result = rebracket(axes, sizes)
    if result.is_scrambled and not keeps_order(
        axes, sizes, names, result, is_list=len(wanted) == 2 and wanted[0] is None
    ):
        refuse_scramble(call, sizes, names, Rebracketing(result.outputs, constraints), arg)
    else:
        result = _with_units(axes, sizes, names, result)
        if names is not None:
            _check_names(call, sizes, names, result, arg)
        elif _is_lost_swap(axes, sizes):
            _warn_of_lost_swap(call, sizes, arg)
    return require_one_open_size(call, call.require_unique(_name_outputs(call, sizes, names, result), arg), arg)


def _check_names(
    call: Call, sizes: Sequence[Size], names: Sequence[str | None], result: Rebracketing, arg: str
) -> None:
    for name, provenance in zip(names, result.outputs, strict=True):
        held = find_misnamed(provenance, name, call.axes) if name is not None else None
        if name is not None and held is not None:
            refuse_name(call, sizes, names, result, (name, held, provenance), arg)


def _is_lost_swap(axes: Axes, sizes: Sequence[Size]) -> bool:
    """Sizes unchanged and two of them equal: if a swap was meant, it did not happen."""
    data = [axis.size for axis in axes if axis.size != 1]
    return tuple(sizes) == ax.sizes(axes) and len(set(data)) < len(data)


def _warn_of_lost_swap(call: Call, sizes: Sequence[Size], arg: str) -> None:
    reorder = find_reordering(call.axes, sizes)
    lengths = ax.sizes(call.axes)
    alike = [axis for axis in call.axes if axis.size != 1 and lengths.count(axis.size) > 1]
    same = " and ".join(f"`{axis.name}`" for axis in alike)
    call.warn(
        "NN304",
        f"this reshape does nothing: {same} have the same length, and a reshape never swaps axes",
        arg,
        notes=[f"it reads {ax.describe(call.axes)} and gives the same"],
        fixes=[
            *(permute_fixes(call, reorder, Applicability.MAYBE, sizes) if reorder else []),
            Fix("remove the reshape"),
        ],
        about=alike,
    )


def _with_units(axes: Axes, sizes: Sequence[Size], names: Names, result: Rebracketing) -> Rebracketing:
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


def _name_outputs(call: Call, sizes: Sequence[Size], names: Names, result: Rebracketing) -> Axes:
    """The output axes: what was kept as it was, the others under declared or made-up names."""
    taken: dict[str, int] = {}
    kept = {p.axis.name for p in result.outputs if p.axis is not None}
    made: list[Axis] = []
    for i, (size, provenance) in enumerate(zip(sizes, result.outputs, strict=True)):
        declared = names[i] if names is not None else None
        if provenance.kind is Kind.IDENTITY and provenance.axis is not None:
            axis = provenance.axis
            is_new = declared is not None and declared != axis.name  # which a learned axis may be called, without loss
            made.append(replace(axis.renamed(declared), is_laid_out=True) if is_new and declared else axis)
            continue
        stem = declared or _default_name(provenance)
        is_merged = provenance.kind is Kind.MERGE or len(provenance.sources) > 1
        if declared is None and not is_merged:
            taken[stem] = taken.get(stem, 0) + 1
            stem = stem if provenance.kind is Kind.NEW and taken[stem] == 1 else f"{stem}_{taken[stem]}"
        while declared is None and stem in kept:  # an axis that stays has that name already
            stem += "_new"
        if provenance.atoms is None:
            made.append(ax.fresh(stem, size, call.name))
            continue
        parents = [call.axes[source] for source in provenance.sources]
        learned = bool(parents) and all(axis.is_learned for axis in parents)
        atoms = provenance.atoms
        if len(provenance.sources) > 1:  # a former axis keeps its name inside
            atoms = _labelled_again(atoms, parents)
        atoms = ax.named_atoms(atoms, stem)
        made.append(
            Axis(name=stem, size=size, atoms=atoms, is_learned=learned, origin=ax.origin_of(atoms), is_laid_out=learned)
        )
    return tuple(made)


def _default_name(provenance: Provenance) -> str:
    """The name of an output that has none: what it was before it was cut or merged, or else its parts joined."""
    whole = ax.whole_of(provenance.atoms or ()) if len(provenance.atoms or ()) > 1 else None
    return whole.name if whole is not None else ("_".join(provenance.names) or "one")


def _labelled_again(atoms: tuple[ax.Atom, ...], parents: Sequence[Axis]) -> tuple[ax.Atom, ...]:
    alone = {parent.atoms[0]: parent.name for parent in parents if len(parent.atoms) == 1}
    return tuple(replace(atom, label=alone[atom]) if atom in alone else atom for atom in atoms)
