"""Checks that a training is resumed only with the spec and the data that it started with."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from nnspec.diagnostics import Fix, SpecError
from nnspec.expansion import resolved
from nnspec.jobs.artifact import file_sha256, sha256
from nnspec.pipeline import Checked

FILE = "made_of.json"
AGAIN = "start again with `--resume --restart`, or restore what was changed"


def refuse_other_origin(checked: Checked, folder: Path, *, resume: bool) -> None:
    """Compares what a training is made of with what an interrupted one was, where one is resumed.

    The number of epochs may be another: a training may be made longer.

    Args:
        folder: the checkpoint's.

    Raises:
        SpecError: NN522 where the spec or a data file is another.
    """
    path, made_of = folder / FILE, origin(checked)
    if resume and path.is_file():
        before = dict(json.loads(path.read_text(encoding="utf-8")))
        changed = [name for name in sorted({*before, *made_of}) if before.get(name) != made_of.get(name)]
        if changed:
            shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
            message = f"the interrupted training had another {shown}, so it cannot be resumed with this one"
            raise SpecError.single("NN522", message, checked.root.span, fixes=[Fix(AGAIN)])


def write_origin(checked: Checked, folder: Path) -> None:
    """Writes down what a training is made of, for `refuse_other_origin`."""
    path, made_of = folder / FILE, origin(checked)
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{FILE}.part"
    beside.write_text(json.dumps(made_of), encoding="utf-8")
    os.replace(beside, path)


def origin(checked: Checked) -> dict[str, str]:
    """Hashes by what they are of: `spec`, and each data file by its path from the spec's folder."""
    text = re.sub(r"^\s*epochs:.*$", "", resolved.to_yaml(checked.root), flags=re.MULTILINE)
    files = checked.data.files() if checked.data is not None else []
    root = checked.path.parent
    named = {os.path.relpath(path, root): path for path in files}  # names alone may be those of several
    return {"spec": sha256(text.encode()), **{f"`{name}`": file_sha256(path) for name, path in named.items()}}
