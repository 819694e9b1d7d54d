"""Prints README's table of the specs, each built and trained with several seeds:

    python -m tests.tools.spec_table --seeds 3 --out out

`out/NAME` is the build with the spec's own seed, `out/seeds/NAME-SEED` the training with another; what is there already
is not made again. A metric is the mean over the seeds, with half of their range.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnspec import api
from tests.support.paths import ROOT

HEADLINE = {"mase": "MASE", "rmse": "RMSE", "accuracy": "accuracy", "roc_auc": "AUC"}
SPREAD = 0.03  # of the mean: the seeds of a spec lie within


def metrics_of(folder: Path) -> dict[str, Any]:
    """The metrics on the test split of a build's or training's only output, or of its scores of anomalies."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return dict(measured(metrics["test"])[1])


def measured(outputs: Mapping[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The output that a spec is measured by: its only one, or that whose baseline is chance."""
    scores = [(name, each) for name, each in outputs.items() if (each["baseline"] or {}).get("name") == "chance"]
    ((name, scored),) = scores or outputs.items()
    return name, scored


def made(spec: Path, out: Path, count: int) -> list[Path]:
    """The folders of a spec's build and of its trainings with other seeds, made where they are not there."""
    folders = [out / spec.stem]
    if not (folders[0] / "verify.json").is_file():
        api.load(spec).build(folders[0])
    own = json.loads((folders[0] / "manifest.json").read_text(encoding="utf-8"))["seed"]
    for seed in [seed for seed in range(1, count + 1) if seed != own][: count - 1]:
        folder = out / "seeds" / f"{spec.stem}-{seed}"
        if not (folder / "metrics.json").is_file():
            folder.parent.mkdir(parents=True, exist_ok=True)
            api.load(spec, {"training.seed": seed}).train(folder)
        folders.append(folder)
    return folders


def with_spread(values: Sequence[float]) -> str:
    """`**4.252** ± 0.014 (0.7 %)`: the mean, half of the range, and the range as a share of the mean."""
    mean, half = sum(values) / len(values), (max(values) - min(values)) / 2
    return f"**{mean:.4g}** ± {half:.2g} ({spread(values):.1%})".replace("%", " %")


def spread(values: Sequence[float]) -> float:
    """How far apart values lie, as a share of their mean."""
    return (max(values) - min(values)) * len(values) / sum(values)


def row(folders: Sequence[Path]) -> str:
    scored = [metrics_of(folder) for folder in folders]
    verified = json.loads((folders[0] / "verify.json").read_text(encoding="utf-8"))
    error = max(checked["max_relative_error"] for checked in verified["outputs"].values())
    key = headline(scored[0])
    naive, name = scored[0]["baseline"], folders[0].name
    nodes = sum(verified["nodes"].values())
    return (
        f"| [`{name}`](specs/{name}.yaml) | {HEADLINE[key]} | {with_spread([each[key] for each in scored])} | "
        f"{naive[key]:.4g} ({naive['name']}) | {nodes} | {error:.1g} |"
    )


def headline(scored: Mapping[str, Any]) -> str:
    """The metric that the table has."""
    if (scored["baseline"] or {}).get("name") == "chance":
        return "roc_auc"
    return "mase" if "coverage" in scored else "rmse" if "rmse" in scored else "accuracy"


def table(specs: Sequence[Path], out: Path, count: int) -> str:
    head = "| spec | metric on test | model | naive baseline | ONNX nodes | ONNX Runtime against Keras (relative) |"
    return "\n".join([head, "|---|---|---|---|---|---|", *(row(made(spec, out, count)) for spec in specs)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Prints README's table of the specs.")
    parser.add_argument("specs", nargs="*", type=Path, help="default: all under specs/")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, the spec's own among them")
    parser.add_argument("--out", type=Path, default=Path("out"))
    given = parser.parse_args(arguments)
    print(table(given.specs or sorted((ROOT / "specs").glob("*.yaml")), given.out, given.seeds))


if __name__ == "__main__":
    main()
