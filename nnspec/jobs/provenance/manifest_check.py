"""Whether a model and the manifest beside it are of one build, as both were written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.jobs.provenance.made_of import hash_of

MANIFEST = "manifest.json"
_SPEC = "spec.yaml"  # the resolved spec, which the model carries; `spec_sha256` of the manifest is of the one given


def require_one_build(model: Path, described: Mapping[str, object]) -> None:
    """Refuses a model whose manifest lies beside it and says something else of it; one alone says nothing.

    Args:
        described: the model's metadata.

    Raises:
        SpecError: NN633, with what does not agree.
    """
    manifest = model.parent / MANIFEST
    if not manifest.is_file():
        return
    found = list(_differences(model, manifest, described))
    if found:
        message = f"`{model.name}` and `{MANIFEST}` beside it are not as the build wrote them"
        fixes = [Fix("give the build as it was written, or a copy of the model alone")]
        raise SpecError.single("NN633", message, Span(Source(str(model), "")), notes=found, fixes=fixes)


def _differences(model: Path, manifest: Path, described: Mapping[str, object]) -> Iterator[str]:
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    if not isinstance(said, dict):
        yield f"`{MANIFEST}` is damaged"
        return
    listed = _mapping(said.get("files"))
    if model.name in listed and listed[model.name] != hash_of(model):
        yield f"`{model.name}` has another content than the one that `{MANIFEST}` lists"
    if _SPEC in listed and listed[_SPEC] != described.get("spec_sha256"):
        yield "the spec differs"
    if "versions" in said and "versions" in described and said["versions"] != described["versions"]:
        yield "`versions` differs"
    data, made_of = _mapping(said.get("data")), _mapping(described.get("made_of"))
    for key, what in (("files", "the content of `{}` differs"), ("rows", "the prepared rows of split `{}` differ")):
        ours, theirs = _mapping(data.get(key)), _mapping(made_of.get(key))
        for name in sorted(theirs.keys() & ours.keys()):  # the model names few files; of many it has one hash
            if ours[name] != theirs[name]:
                yield what.format(name)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
