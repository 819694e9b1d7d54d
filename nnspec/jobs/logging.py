"""Logs a training where `training.log` says: parameters, tags, each epoch, and what was built."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.backends.versions import versions
from nnspec.document import to_plain
from nnspec.jobs.artifact import sha256
from nnspec.jobs.provenance.made_of import NAMED, file_hashes
from nnspec.jobs.settings import settings_of
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.training.logs.about import About
from nnspec.training.logs.place import log_places
from nnspec.training.logs.run_log import RunLog, log_of

_FILES = (
    "report.html", "MODEL_CARD.md", "metrics.json", "data.json", "verify.json", "interface.json", "manifest.json",
    "history.csv", "spec.yaml",
)  # fmt: skip


@contextmanager
def logging_run(
    checked: Checked,
    folder: Path,
    name: str,
    progress: Progress,
    engine: TrainingBackend,
    exporter: ExportBackend,
    *,
    resume: bool,
    is_logged: bool = True,
) -> Iterator[RunLog]:
    """A log that ends with what the folder then holds, or says that the training was interrupted.

    Args:
        folder: where the build is written.
        name: the build's.

    Raises:
        SpecError: NN627 where a place cannot be reached.
    """
    section = checked.section("training")
    places = log_places(section.get("log")) if is_logged else []
    node = checked.root.get("training")
    span = node.span if node is not None else checked.root.span
    log = log_of(places, checked.folder, progress, span)
    log.begin(describe_run(checked, name, engine, exporter), folder, resume=resume)
    try:
        yield log
    except BaseException:
        log.fail()
        raise
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    files = [*sorted(folder.glob(f"model*{exporter.suffix}")), *(folder / each for each in _FILES)]
    log.end(metrics, [path for path in files if path.is_file()])


def describe_run(checked: Checked, name: str, engine: TrainingBackend, exporter: ExportBackend) -> About:
    """What a run is of."""
    described, variables = checked.root.get("description"), checked.root.get("vars")
    settings = {key: value for key, value in settings_of(checked).values.items() if key != "log"}
    parameters = flat_texts({"training": settings, "vars": {} if variables is None else to_plain(variables)})
    hashes = file_hashes(checked)
    tags = {
        "seed": str(settings["seed"]),
        "spec_sha256": sha256(checked.text.encode()),
        "parameters": str(checked.graph.parameters),
        **{f"version {package}": version for package, version in versions(engine, exporter).items()},
        **({f"data {path}": digest for path, digest in hashes.items()} if len(hashes) <= NAMED else {}),
    }
    text = "" if described is None else str(to_plain(described))
    return About(checked.graph.name, name, text, parameters, tags)


def flat_texts(values: object, prefix: str = "") -> dict[str, str]:
    """Values within mappings as text, by their path: `training.optimizer.Adam.learning_rate`."""
    if isinstance(values, dict) and values:
        found: dict[str, str] = {}
        for name, value in values.items():
            found |= flat_texts(value, f"{prefix}{name}.")
        return found
    if values is None or values == {}:
        return {}
    plain = values if isinstance(values, str) else json.dumps(values, ensure_ascii=False, default=str)
    return {prefix.removesuffix("."): plain}
