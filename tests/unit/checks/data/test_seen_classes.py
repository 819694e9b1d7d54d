"""Tables that are sorted by their labels, cut into splits in that order."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nnspec.pipeline import diagnose


def codes(tmp_path: Path, labels: str, split: dict[str, object], classes: list[str] | None = None) -> set[str]:
    rows = "\n".join(f"{i},{label}" for i, label in enumerate(labels))
    (tmp_path / "d.csv").write_text(f"a,kind\n{rows}\n", encoding="utf-8")
    document = {
        "nnspec": 1,
        "data": {
            "source": {"csv": "d.csv"},
            "split": split,
            "inputs": {"x": {"columns": ["a"]}},
            "outputs": {"y": {"columns": ["kind"]}},
        },
        "inputs": {"x": {"axes": {"feature": 1}}},
        "model": [{"Dense": {"units": 3, "activation": "softmax"}}],
        "outputs": {"y": {"task": "classification", **({"classes": classes} if classes else {})}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return {diagnostic.code for diagnostic in diagnose(path)}


ORDER = {"train": 0.6, "test": 0.4, "by": "order"}


@pytest.mark.parametrize(
    ("labels", "split", "classes", "wanted"),
    [
        ("x" * 10 + "y" * 10 + "z" * 10, ORDER, None, {"NN513"}),
        ("xyz" * 10, ORDER, None, set()),
        ("x" * 10 + "y" * 10 + "z" * 10, {"train": 0.6, "test": 0.4}, None, set()),
        ("x" * 10 + "y" * 10 + "z" * 10, ORDER, ["x", "y", "z"], set()),
        ("xyz" * 6 + "x" * 12, ORDER, None, set()),  # those of training may be missing elsewhere
    ],
)
def test_sorted(
    tmp_path: Path, labels: str, split: dict[str, object], classes: list[str] | None, wanted: set[str]
) -> None:
    assert codes(tmp_path, labels, split, classes) == wanted
