"""Prints README's table of the specs from their build directories: `python tests/tools/spec_table.py out`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HEADLINE = {"rmse": "RMSE", "accuracy": "accuracy"}


def row(folder: Path) -> str:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    verified = json.loads((folder / "verify.json").read_text(encoding="utf-8"))
    ((output, figures),) = metrics["test"].items()
    key = "rmse" if "rmse" in figures else "accuracy"
    naive = figures["baseline"]
    error = verified["outputs"][output]["max_relative_error"]
    nodes = sum(verified["nodes"].values())
    extra = f" (R² {figures['r2']:.3f})" if "r2" in figures else ""
    return (
        f"| [`{folder.name}`](specs/{folder.name}.yaml) | {HEADLINE[key]} | **{figures[key]:.4g}**{extra} | "
        f"{naive[key]:.4g} ({naive['name']}) | {nodes} | {error:.1g} |"
    )


def table(root: Path) -> str:
    folders = sorted(p.parent for p in root.glob("*/metrics.json"))
    head = "| spec | metric on test | model | naive baseline | ONNX nodes | ONNX Runtime against Keras (relative) |"
    return "\n".join([head, "|---|---|---|---|---|---|", *map(row, folders)])


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
