"""`nnspec rebuild`: the bytes of a deployed model made again from what it says of itself, or what differs."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nnspec import pipeline
from nnspec.backends.registry import export_backend_of_file
from nnspec.backends.versions import versions
from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.jobs.artifact import count_processors, sha256
from nnspec.jobs.building import run_build
from nnspec.jobs.provenance.made_of import file_hashes, hash_of, hash_of_all
from nnspec.jobs.provenance.manifest_check import require_one_build
from nnspec.jobs.settings import engine_of
from nnspec.jobs.verifying import read_model
from nnspec.progress import Progress

Described = Mapping[str, object]  # a model's metadata


def run_rebuild(
    model: Path, data: Path, progress: Progress, *, out: Path | None = None, allow_outside: bool = False
) -> dict[str, object]:
    """Builds a deployed model again and compares the bytes of its file.

    Args:
        data: the folder that the paths in its spec are relative to.
        out: where the build is kept; nowhere by default.

    Returns:
        `sha256` and `bytes` of both files, and `versions` of the packages that differ, each as [then, now].

    Raises:
        SpecError: NN705 where the model is damaged, NN633 where it is not the one of the manifest beside it, NN538
            where it cannot be made again, with what differs.
    """
    exporter = export_backend_of_file(model)
    _, metadata = read_model(model, exporter)
    made_of = metadata.get("made_of")
    if not isinstance(made_of, dict):
        what = "it was exported from weights, or built by a version of nnspec that did not record it"
        raise _differs(model, f"`{model.name}` does not record which data it was built from: {what}", [])
    require_one_build(model, metadata)
    named = _named_files(model, made_of)
    if different := [said for name, digest in named.items() if (said := _compare(data / name, name, digest))]:
        raise _differs(model, f"`{model.name}` was built from other data", different)
    text = str(metadata["spec"])
    checked = pipeline.check(data / "spec.yaml", allow_outside=allow_outside, source=Source(model.name, text))
    found = file_hashes(checked)
    if found != named and hash_of_all(found) not in made_of["files"].values():
        more = [f"`{name}` is new" for name in sorted(found.keys() - named.keys())] if named else []
        raise _differs(model, f"`{model.name}` was built from other data", more or ["its files differ"])
    before = metadata.get("versions")
    now = versions(engine_of(checked), exporter)
    changed = {
        name: [str(version), now.get(name, "none")]
        for name, version in (before if isinstance(before, dict) else {}).items()
        if now.get(name) != version
    }
    for name, (then, current) in changed.items():
        progress.say(f"note: {name} was {then}, now it is {current}")
    built_on, here = _built_on(model), count_processors()
    with tempfile.TemporaryDirectory() as folder:
        with as_many_processors(built_on):
            place = out or Path(folder) / "build"
            run = run_build(checked, place, progress, exporter=exporter, is_logged=False, is_kept=out is not None)
        content, again = model.read_bytes(), run.model.read_bytes()
        if content != again:
            _, rebuilt = read_model(run.model, exporter)
            notes = [f"{name} was {then}, now it is {current}" for name, (then, current) in changed.items()]
            if built_on is None:
                notes.append(
                    f"no manifest next to it records the number of processors that it was built on; here it was {here}"
                )
            elif built_on > here:
                notes.append(f"it was built on {built_on} processors, here on {here}, and sums depend on their number")
            raise _differs(model, f"`{model.name}` was built again, but differs", _parts(metadata, rebuilt) + notes)
    return {"sha256": sha256(content), "bytes": len(content), "versions": changed}


def _built_on(model: Path) -> int | None:
    """How many processors the build had, by the manifest beside the model."""
    try:
        return int(json.loads((model.parent / "manifest.json").read_text(encoding="utf-8"))["processors"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def as_many_processors(count: int | None) -> Iterator[None]:
    """Restricts this process to so many processors, where it has more: convolutions add up in an order by threads."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
    if count is None or not 0 < count < len(before):
        yield
        return
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _named_files(model: Path, made_of: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The hash of each data file by name, of many from the manifest beside the model; empty where nothing has them."""
    files = dict(made_of["files"])
    manifest = model.parent / "manifest.json"
    if len(files) != 1 or not next(iter(files)).removesuffix(" files").isdigit():
        return files
    total = next(iter(files.values()))
    try:
        listed = dict(json.loads(manifest.read_text(encoding="utf-8"))["data"]["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return listed if hash_of_all(listed) == total else {}


def _compare(path: Path, name: str, digest: str) -> str | None:
    """What is to be said of a data file; None where it is the one of the build."""
    if not path.is_file():
        return f"`{name}` is missing"
    return None if hash_of(path) == digest else f"`{name}` has different content"


def _parts(before: Described, after: Described) -> list[str]:
    """Which parts of the metadata differ."""
    found = []
    rows = [part["rows"] for part in (before["made_of"], after["made_of"]) if isinstance(part, dict)]
    found += [f"the prepared rows of split `{name}` differ" for name in rows[0] if rows[0][name] != rows[1].get(name)]
    names = [name for name in before if name not in ("made_of", "versions") and before[name] != after.get(name)]
    found += [f"`{name}` of its metadata differs" for name in names]
    return found or ["its weights differ"]


def _differs(model: Path, message: str, notes: list[str]) -> SpecError:
    shown = [*notes[:10], *([f"and {len(notes) - 10} more"] if len(notes) > 10 else [])]
    fixes = [Fix("use the data and the package versions that it was built with")]
    return SpecError.single("NN538", message, Span(Source(str(model), "")), notes=shown, fixes=fixes)
