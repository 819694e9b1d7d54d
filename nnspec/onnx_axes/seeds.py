"""The names of an ONNX model's axes at its inputs: given by hand, written in the file, or their positions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Fix, SpecError, did_you_mean
from nnspec.diagnostics.lists import quoted
from nnspec.ir.axes import Axis, Size, Symbolic, fresh
from nnspec.onnx_axes.reading import Dimension, OnnxFile, file_span
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor, nameless
from nnspec.runtime.ports import METADATA_KEY


def input_tensors(file: OnnxFile, given: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    """The inputs with the names of their axes.

    Args:
        given: names by input, which come before those that the file says.

    Raises:
        SpecError: NN374 where names are given of what is no input, or of another number of axes.
    """
    _refuse_misfits(file, given)
    said = _in_metadata(file)
    return {name: _tensor(file, name, given.get(name) or said.get(name)) for name in file.inputs}


def _tensor(file: OnnxFile, name: str, names: Sequence[str] | None) -> Tensor:
    dimensions = file.inputs[name]
    if dimensions is None:
        return UNKNOWN
    axes = []
    known = names if names is not None and len(names) == len(dimensions) else [None] * len(dimensions)
    square = _square_places(dimensions, known)
    seen: Counter[str] = Counter()
    for position, ((size, denotation), own) in enumerate(zip(dimensions, known, strict=True)):
        symbol = size if isinstance(size, str) else ""
        stem = own or _word(denotation) or _word(symbol) or ("batch" if position == 0 and size is None else "")
        label = stem or nameless(position)
        seen[label] += 1
        label = label if seen[label] == 1 else f"{label} {seen[label]}"
        length: Size = size if isinstance(size, int) else Symbolic.symbol(symbol or f"{name}.{label}")
        is_named = bool(own) or (bool(stem) and stem == _word(symbol))  # twice the same: both count the same things
        root = stem if is_named else nameless(len(dimensions) - 2) if position in square else label
        axes.append(_root_axis(fresh(label, length, name), f"{name}\0{root}"))
    return Tensor(axes=tuple(axes))


def _square_places(dimensions: Sequence[tuple[Dimension, str]], known: Sequence[str | None]) -> range:
    """The two axes of a square matrix that have no names: they count the same things, as links of a graph do.

    Of a map, or of features of pairs, that says nothing: rows and columns are as many in most pictures.
    """
    last = range(max(len(dimensions) - 2, 0), len(dimensions))
    is_named = any(known[place] or dimensions[place][1] or isinstance(dimensions[place][0], str) for place in last)
    sizes = {dimensions[place][0] for place in last}
    return last if len(dimensions) in (2, 3) and not is_named and len(sizes) == 1 and None not in sizes else range(0)


def _root_axis(axis: Axis, root: str) -> Axis:
    return replace(axis, origin=root, atoms=tuple(replace(atom, origin=root) for atom in axis.atoms))


def _word(text: str) -> str:
    """A name that a person may have given: exporters number what they have no name for."""
    return "" if text.startswith(("unk__", "s", "?")) and any(c.isdigit() for c in text) else text.lower()


def _in_metadata(file: OnnxFile) -> dict[str, list[str]]:
    """The axes that a file of nnspec names; nothing where it is another's, or damaged."""
    try:
        body = json.loads(file.metadata.get(METADATA_KEY, "{}"))
        return {name: [str(axis) for axis, _ in entry["axes"]] for name, entry in body.get("inputs", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _refuse_misfits(file: OnnxFile, given: Mapping[str, Sequence[str]]) -> None:
    found = []
    for name, names in given.items():
        if name not in file.inputs:
            hint = did_you_mean(name, file.inputs)
            message = f"`{name}` is not an input of the model{hint or f'; its inputs are {quoted(file.inputs)}'}"
            found.append(Diagnostic("NN374", message, file_span(file.path)))
            continue
        dimensions = file.inputs[name]
        if dimensions is not None and len(dimensions) != len(names):
            message = f"input `{name}` has {len(dimensions)} axes, but {len(names)} names are given: {', '.join(names)}"
            shape = ",".join(f"a{i}" for i in range(len(dimensions)))
            fix = Fix(f"give a name for each, as in `--axes {name}={shape}`")
            found.append(Diagnostic("NN374", message, file_span(file.path), fixes=(fix,)))
    if found:
        raise SpecError(found)
