"""Checks that a training is resumed only with the spec and the data that it started with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from nnspec.diagnostics import Fix, SpecError
from nnspec.expansion import resolved
from nnspec.jobs.provenance.made_of import file_hashes
from nnspec.pipeline import Checked

FILE = "made_of.json"
AGAIN = "start again with `--resume --restart`, or restore what was changed"
# How long it trains, how often that is written down, and how many workers do it.
MAY_CHANGE = ("training.epochs", "training.checkpoint", "training.distribute")
Origin = dict[str, object]  # as JSON, by what it is of


def refuse_other_origin(checked: Checked, folder: Path, *, resume: bool) -> Origin:
    """Compares what a training is made of with what an interrupted one was, where one is resumed.

    The number of epochs may be another: a training may be made longer.

    Args:
        folder: the checkpoint's.

    Returns:
        What it is made of, for `write_origin`.

    Raises:
        SpecError: NN522 where the spec or a data file is another.
    """
    path, made_of = folder / FILE, find_origin(checked)
    if resume and path.is_file():
        before = dict(json.loads(path.read_text(encoding="utf-8")))
        changed = [name for name in dict.fromkeys([*before, *made_of]) if before.get(name) != made_of.get(name)]
        if changed:
            shown = ", ".join(f"`{name}`" for name in changed[:5])
            shown += f" and {len(changed) - 5} more" if len(changed) > 5 else ""
            message = f"the interrupted training had another {shown}, so it cannot be resumed with this one"
            raise SpecError.single("NN522", message, checked.root.span, fixes=[Fix(AGAIN)])
    return made_of


def write_origin(made_of: Origin, folder: Path) -> None:
    """Writes down what a training is made of, for `refuse_other_origin`."""
    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{FILE}.part"
    beside.write_text(json.dumps(made_of), encoding="utf-8")
    os.replace(beside, path)


def find_origin(checked: Checked) -> Origin:
    """The values of the resolved spec by their paths, and the hash of each data file by its path from its folder."""
    return {**dict(_leaves(resolved.to_plain_spec(checked.root), "")), **file_hashes(checked)}


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Every value of a document with its path, as in `model[2].Dense.units`."""
    if path in MAY_CHANGE:
        return
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
