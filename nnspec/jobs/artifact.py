"""Writes build directories: in a temporary folder that is renamed, so that a build is complete or absent."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.backends.versions import versions
from nnspec.diagnostics.unwritable import is_full, unwritable
from nnspec.jobs.full_disk import full_disk
from nnspec.jobs.settings import settings_of
from nnspec.jobs.start import named_file
from nnspec.pipeline import Checked

CHECKPOINT = "checkpoint"  # the folder in a build directory that is there until it is done


@contextmanager
def staged_directory(target: Path, *, resume: bool = False, keep_on_failure: bool = False) -> Iterator[Path]:
    """A directory beside `target` that takes its place when all went well.

    Args:
        resume: goes on in the directory that an interrupted run left.
        keep_on_failure: whether what was written stays there after an interruption, to go on with it.

    Raises:
        SpecError: NN606 where it cannot be written, NN536 where the disk is full.
    """
    target = target.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(20, "it is a file")
        beside = target.parent / f".{target.name}.building"
        _tidy(beside, target, resume=resume)
        beside.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(error, target) from None
    try:
        yield beside
    except BaseException as error:
        if not keep_on_failure or not any(beside.iterdir()):
            shutil.rmtree(beside, ignore_errors=True)
        if is_full(error):
            raise full_disk(error, target, beside / CHECKPOINT) from error
        raise
    _take_place(beside, target)


def _tidy(beside: Path, target: Path, *, resume: bool) -> None:
    """Goes on with what an interrupted run left, or removes it.

    A run may also be killed while its directory takes the place of the one before: that is then put back, or removed.
    """
    apart = _apart(target)
    if not resume and beside.exists():
        shutil.rmtree(beside)
    if apart.exists() and beside.exists() and not (beside / CHECKPOINT).exists():
        os.replace(apart, beside / CHECKPOINT)
    shutil.rmtree(apart, ignore_errors=True)
    for aside in target.parent.glob(f".{glob.escape(target.name)}.old.*"):
        if "." in aside.name.removeprefix(f".{target.name}.old."):  # what stands beside a build called so
            continue
        if not target.exists() and (aside / "old").is_dir():
            os.replace(aside / "old", target)
        shutil.rmtree(aside, ignore_errors=True)


def _apart(target: Path) -> Path:
    """Where the checkpoint is while all else takes its place: a run that is killed then still need not train again."""
    return target.parent / f".{target.name}.checkpoint"


def _take_place(beside: Path, target: Path) -> None:
    """Renames a directory that is complete, without its checkpoint."""
    apart = _apart(target)
    if (beside / CHECKPOINT).exists():
        shutil.rmtree(apart, ignore_errors=True)
        os.replace(beside / CHECKPOINT, apart)
    _rename(beside, target)
    shutil.rmtree(apart, ignore_errors=True)


def _rename(beside: Path, target: Path) -> None:
    """Where an old directory stands in the way it is moved aside first and removed last."""
    if not target.exists():
        os.replace(beside, target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    os.replace(target, aside / "old")
    try:
        os.replace(beside, target)
    except OSError:
        os.replace(aside / "old", target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """That of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a build directory; its checkpoint is removed with the end of the build."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    named = {str(path.relative_to(folder)): path for path in files}
    return {name: sha256(path.read_bytes()) for name, path in named.items() if not name.startswith(f"{CHECKPOINT}/")}


def constant_files(checked: Checked) -> dict[str, dict[str, str]]:
    """SHA-256 of the files that the network's constants were read from, under `constants`; empty without such."""
    files = {w.file for node in checked.graph.nodes for w in node.args.get("own", ()) if w.file is not None}
    found = {str(file.relative_to(checked.folder)): sha256(file.read_bytes()) for file in sorted(files)}
    return {"constants": found} if found else {}


def start_files(checked: Checked) -> dict[str, dict[str, str]]:
    """SHA-256 of the file that the training started from, under `weights`; empty without one."""
    found = {name: sha256(path.read_bytes()) for name, path in named_file(checked).items()}
    return {"weights": found} if found else {}


def count_processors() -> int:
    """How many this process may use: sums of several threads are rounded in another order."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def write_manifest(
    checked: Checked,
    folder: Path,
    engine: TrainingBackend,
    exporter: ExportBackend,
    more: Mapping[str, object],
    trained: Mapping[str, object] | None = None,
) -> None:
    """What was built, of what and by what, with the hashes of all other files: written last.

    Args:
        trained: what is said of the training besides its engine and devices.
    """
    settings = settings_of(checked)
    distributed = {"distribute": settings["distribute"]} if settings["distribute"] else {}
    manifest = {
        "name": checked.graph.name,
        "seed": settings["seed"],
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "overrides": {key: str(value) for key, value in checked.overrides.items()},
        "spec_sha256": sha256(checked.text.encode()),
        "parameters": checked.graph.parameters,
        "trainable_parameters": checked.graph.trainable_parameters,
        "versions": versions(engine, exporter),
        "processors": count_processors(),
        "training": {"backend": engine.name, "devices": list(engine.devices()), **(trained or {}), **distributed},
        **constant_files(checked),
        **start_files(checked),
        **more,
        "files": file_hashes(folder),
    }
    write_json(folder / "manifest.json", manifest)
