"""What two builds differ in, and what it did to their metrics."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnspec.evaluation.runs import Build, read_build

_ROWS = "prepared rows of "
Pair = tuple[str | None, str | None]  # what the first build has, and the second


@dataclass(frozen=True, kw_only=True)
class Differences:
    """From a first build to a second.

    Attributes:
        spec: changed lines of the resolved spec, with `-` or `+` in front.
        origins: hashes of data files and prepared rows, versions and the seed that differ, by what they are of.
        metrics: every metric of both, as [first, second].
    """

    spec: list[str] = field(default_factory=list)
    origins: dict[str, Pair] = field(default_factory=dict)
    metrics: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)


def compare_builds(first: Path, second: Path) -> Differences:
    """Compares two build directories.

    Raises:
        ValueError: where one is none.
    """
    builds, texts, origins = [], [], []
    for folder in (first, second):
        build = read_build(folder / "manifest.json", folder.parent)
        if build is None:
            raise ValueError(f"`{folder}` is not a build directory: it has no manifest of nnspec")
        builds.append(build)
        spec = folder / "spec.yaml"
        texts.append(spec.read_text(encoding="utf-8").splitlines() if spec.is_file() else [])
        origins.append(_origins(build, json.loads((folder / "manifest.json").read_text(encoding="utf-8"))))
    lines = [line for line in difflib.ndiff(texts[0], texts[1]) if line[:1] in "+-"]
    names = dict.fromkeys([*origins[0], *origins[1]])
    pairs = {name: (origins[0].get(name), origins[1].get(name)) for name in names}
    metrics = dict.fromkeys([*builds[0].metrics, *builds[1].metrics])
    return Differences(
        spec=lines,
        origins={name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
        metrics={name: (builds[0].metrics.get(name), builds[1].metrics.get(name)) for name in metrics},
    )


def render(found: Differences) -> str:
    """The differences as text: the spec, then what it was built from, then the metrics that changed."""
    lines = ["spec:", *(f"  {line}" for line in found.spec)] if found.spec else ["spec: the same"]
    lines += ["built from:"] if found.origins else ["built from: the same data, versions and seed"]
    for name, (before, after) in found.origins.items():
        lines.append(f"  {name}: {_short(before)} -> {_short(after)}")
    others = [name.removeprefix(_ROWS) for name in found.origins if name.startswith(_ROWS)]
    caution = f" (of other rows, or of rows prepared otherwise: {', '.join(others)})" if others else ""
    lines.append(f"metrics{caution}:")
    changed = {metric: pair for metric, pair in found.metrics.items() if pair[0] != pair[1]}
    for metric, (old, new) in changed.items():
        change = f"  ({new - old:+.4g})" if old is not None and new is not None else ""
        lines.append(f"  {metric}: {_number(old)} -> {_number(new)}{change}")
    if unchanged := len(found.metrics) - len(changed):
        rest = f"{unchanged} more {'is' if unchanged == 1 else 'are'}" if changed else "all"
        lines.append(f"  {rest} the same")
    return "\n".join(lines)


def _origins(build: Build, manifest: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    data = manifest.get("data", {})
    found = {f"data file {name}": digest for name, digest in data.get("files", {}).items()}
    found |= {f"{_ROWS}{name}": digest for name, digest in data.get("rows", {}).items()}
    found |= {f"version of {name}": str(version) for name, version in manifest.get("versions", {}).items()}
    return {**found, "seed": str(build.seed)}


def _short(value: str | None) -> str:
    """A value, of a hash the first digits."""
    return "none" if value is None else value[:8] if len(value) == 64 else value


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
