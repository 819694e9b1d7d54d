"""Fixes of a reshape: the intended permute, a rename, or `split` and `merge`."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import Applicability, Edit, Fix
from nnspec.ir.axes import Size
from nnspec.ir.axes import names as names_of
from nnspec.ir.reshape import Kind, Rebracketing, Reordering, taken_names
from nnspec.layers.kit.base import Call
from nnspec.layers.kit.edits import replace_item


def permute_fixes(
    call: Call,
    reorder: Reordering,
    applicability: Applicability,
    sizes: Sequence[Size] | None = None,
    names: Sequence[str | None] | None = None,
) -> list[Fix]:
    """The permute that was meant: in the place of the reshape where nothing else is left of it, else before it."""
    item = call.permute_item([call.axes[i].name for i in reorder.order])
    tail = _trailing_units(call, reorder, sizes, names)
    replaced = None if tail is None else _replace_item(call, [item, *tail])
    if replaced is not None:
        return [Fix("reorder first, then add the unit axis" if tail else "reorder instead", (replaced,), applicability)]
    inserted = call.insert_before("reorder first", [item], applicability)
    is_conditional = call.item_body is not None and "when" in call.item_body.entries
    return [inserted] if inserted.edits and not is_conditional else [Fix(f"reorder first: `{item}`")]


def _trailing_units(
    call: Call, reorder: Reordering, sizes: Sequence[Size] | None, names: Sequence[str | None] | None
) -> list[str] | None:
    """The `insert` items that do what is left of the reshape after the permute; None where that is more."""
    outputs = reorder.result.outputs
    data = [p for p in outputs if p.kind is not Kind.NEW]
    is_more = any(p.kind is not Kind.IDENTITY for p in data) or any(p.kind is Kind.NEW for p in outputs[: len(data)])
    if sizes is None or is_more or any(axis.size == 1 for axis in call.axes):
        return None
    count = len(outputs) - len(data)
    labels = [names[len(data) + i] if names is not None else None for i in range(count)]
    taken = {*names_of(call.axes), *(label for label in labels if label)}
    free = (name for name in ("channel", *(f"channel_{i}" for i in range(2, 99))) if name not in taken)
    return [f"insert: {{{label or next(free)}: 1}}" for label in labels]


def rename_fix(call: Call, names: Sequence[str | None], result: Rebracketing) -> Fix | None:
    """Where every axis stays what it is and only names change: a `rename` in the place of the reshape."""
    if len(names) == len(call.axes) and set(names) == set(names_of(call.axes)):
        said = ", ".join(f"{axis.name}: {axis.size}" for axis in call.axes)
        edit = Edit(call.span("to"), f"{{{said}}}")
        return Fix("name the axes in their current order", (edit,))
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
    return Fix("if only the name changes, use `rename`", (replaced,) if replaced else ())


def mixing_fix(call: Call, sizes: Sequence[Size], names: Sequence[str | None] | None, result: Rebracketing) -> Fix:
    """Where mixing is meant: the same reshape as `split` and `merge`, which say so."""
    message = "if mixing is intended, as in frame stacking, use `split` and `merge`"
    axes = {axis.name: axis for axis in call.axes}
    if any(p.atoms is None for p in result.outputs) or any(axis.size == 1 or len(axis.atoms) > 1 for axis in call.axes):
        return Fix(message)
    if 1 in sizes:
        return Fix(message)
    parts: dict[str, dict[str, str]] = {}
    rows: list[tuple[str | None, list[str]]] = []
    for i, provenance in enumerate(result.outputs):
        declared, row = names[i] if names is not None else None, list[str]()
        declared = None if declared in taken_names(call.axes) else declared
        for atom in provenance.shown:
            if atom.size == axes[atom.name].size:
                row.append(atom.name)
                continue
            cut = parts.setdefault(atom.name, {})
            label = declared if declared and len(provenance.shown) == 1 else f"{atom.name}_{len(cut) + 1}"
            cut[label] = str(atom.size) if isinstance(atom.size, int) else "null"
            row.append(label)
        rows.append((declared, row))
    items = [f"split: {{{n}: {{{', '.join(f'{k}: {v}' for k, v in cut.items())}}}}}" for n, cut in parts.items()]
    items += [f"merge: {{{name or f'{row[0]}_{row[-1]}'}: [{', '.join(row)}]}}" for name, row in rows if len(row) > 1]
    is_sayable = all(list(cut.values()).count("null") < 2 and not set(cut) & set(axes) for cut in parts.values())
    edit = _replace_item(call, items) if is_sayable else None
    return Fix(message, (edit,) if edit else ())


def _replace_item(call: Call, items: Sequence[str]) -> Edit | None:
    return replace_item(call.item_span, call.item_body, items)
