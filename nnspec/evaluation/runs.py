"""The builds below a folder, read from their manifests and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("test", "validation", "train")  # whose metrics a table shows: the first that a build has


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a build directory says of itself.

    Attributes:
        folder: its path below the folder that was searched.
        created: when, in UTC, as in `2025-01-31T12:00:00Z`.
        metrics: numbers by `split.output.metric`.
    """

    folder: str
    name: str
    spec_sha256: str
    seed: int
    created: str
    metrics: Mapping[str, float]

    def shown(self) -> dict[str, float]:
        """The metrics of the split that a table shows."""
        for split in SPLITS:
            found = {name: value for name, value in self.metrics.items() if name.startswith(f"{split}.")}
            if found:
                return found
        return {}


def find_builds(folder: Path) -> list[Build]:
    """The builds below a folder, oldest first. What is no manifest of a build is left out, and what is being built."""
    found = [build for path in folder.rglob("manifest.json") if (build := read_build(path, folder)) is not None]
    return sorted(found, key=lambda build: (build.created, build.folder))


def sorted_by(builds: Sequence[Build], metric: str) -> list[Build]:
    """Builds in ascending order of a metric; those that lack it come last.

    Raises:
        KeyError: where none has it.
    """
    if not any(metric in build.metrics for build in builds):
        raise KeyError(metric)
    return sorted(builds, key=lambda build: (metric not in build.metrics, build.metrics.get(metric, 0.0)))


def render(builds: Sequence[Build], metric: str | None = None) -> str:
    """A table with a line for each build; the metrics of its test split, or the one that it is sorted by."""
    lines = [("folder", "name", "spec", "seed", "created", "metrics")]
    for build in builds:
        shown = build.shown() if metric is None else {metric: build.metrics[metric]} if metric in build.metrics else {}
        values = "  ".join(f"{name} {value:.4g}" for name, value in shown.items()) or "-"
        lines.append((build.folder, build.name, build.spec_sha256[:8], str(build.seed), build.created, values))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]) - 1)]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[-1]]) for line in lines
    )


def read_build(path: Path, folder: Path) -> Build | None:
    """The build of a manifest; None where it is another program's, or not done.

    Args:
        folder: what its path is relative to.
    """
    place = path.parent.relative_to(folder)
    if any(part.startswith(".") for part in place.parts):
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        metrics = path.with_name("metrics.json")
        values = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else {}
        return Build(
            folder=place.as_posix(),
            name=str(manifest["name"]),
            spec_sha256=str(manifest["spec_sha256"]),
            seed=int(manifest["seed"]),
            created=str(manifest["created"]),
            metrics=dict(_numbers(values)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _numbers(values: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Iterator[tuple[str, float]]:
    for split, outputs in values.items():
        for output, metrics in outputs.items():
            for name, value in metrics.items():
                if isinstance(value, int | float) and not isinstance(value, bool) and name != "samples":
                    yield f"{split}.{output}.{name}", float(value)
