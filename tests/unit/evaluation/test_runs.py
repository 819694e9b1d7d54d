"""Builds below a folder, listed and sorted; two of them compared; other programs' manifests left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nnspec.cli import main


def write(folder: Path, created: str, rmse: float | None, **more: object) -> None:
    folder.mkdir(parents=True)
    manifest = {"name": "net", "seed": 3, "created": created, "spec_sha256": "ab12cd34ef" * 6, **more}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    if rmse is not None:
        values = {"samples": 9, "rmse": rmse, "baseline": {"name": "mean", "rmse": 2.0}}
        metrics = {"train": {"y": {"rmse": 0.1}}, "test": {"y": values}}
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "a", "2025-01-02T00:00:00Z", 0.5)
    write(tmp_path / "deep" / "b", "2025-01-01T00:00:00Z", 0.25, seed=7)
    write(tmp_path / "exported", "2025-01-03T00:00:00Z", None)
    write(tmp_path / ".c.building", "2025-01-04T00:00:00Z", 0.125)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text('{"name": "page"}', encoding="utf-8")
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "manifest.json").write_text("[1", encoding="utf-8")
    return tmp_path


def run(*arguments: object, verb: str = "runs") -> Result:
    return CliRunner().invoke(main, [verb, *map(str, arguments)])


def test_a_line_for_each_build_oldest_first(folder: Path) -> None:
    told = run(folder)
    assert told.exit_code == 0, told.output
    assert [line.split() for line in told.stdout.splitlines()] == [
        ["folder", "name", "spec", "seed", "created", "metrics"],
        ["deep/b", "net", "ab12cd34", "7", "2025-01-01T00:00:00Z", "test.y.rmse", "0.25"],
        ["a", "net", "ab12cd34", "3", "2025-01-02T00:00:00Z", "test.y.rmse", "0.5"],
        ["exported", "net", "ab12cd34", "3", "2025-01-03T00:00:00Z", "-"],
    ]


def test_sorted_by_a_metric_and_as_json(folder: Path) -> None:
    write(folder / "z", "2024-01-01T00:00:00Z", 0.375)
    found = json.loads(run(folder, "--sort", "test.y.rmse", "--format", "json").stdout)
    assert [build["folder"] for build in found] == ["deep/b", "z", "a", "exported"]
    assert found[0]["metrics"] == {"train.y.rmse": 0.1, "test.y.rmse": 0.25}
    assert found[0]["seed"] == 7


def test_a_metric_that_no_build_has(folder: Path) -> None:
    told = run(folder, "--sort", "test.y.mae")
    assert told.exit_code == 2
    assert "no build has `test.y.mae`; they have test.y.rmse, train.y.rmse" in told.stderr


def test_what_differs_and_what_it_did(tmp_path: Path) -> None:
    for name, rmse, units, digest, keras in (("a", 0.5, 3, "1" * 64, "3.1"), ("b", 0.25, 4, "2" * 64, "3.2")):
        data = {"files": {"rows.csv": digest, "same.csv": "7" * 64}, "rows": {"train": digest}}
        write(
            tmp_path / name,
            "2025-01-02T00:00:00Z",
            rmse,
            data=data,
            versions={"keras": keras, "numpy": "2"},
            seed=units,
        )
        (tmp_path / name / "spec.yaml").write_text(f"nnspec: 1\nunits: {units}\n", encoding="utf-8")
    told = run(tmp_path / "a", tmp_path / "b", verb="diff")
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "spec:",
        "  - units: 3",
        "  + units: 4",
        "built from:",
        "  data file rows.csv: 11111111 -> 22222222",
        "  prepared rows of train: 11111111 -> 22222222",
        "  version of keras: 3.1 -> 3.2",
        "  seed: 3 -> 4",
        "metrics (of other rows, or of rows prepared otherwise: train):",
        "  test.y.rmse: 0.5 -> 0.25  (-0.25)",
        "  1 more is the same",
    ]
    found = json.loads(run(tmp_path / "a", tmp_path / "b", "--format", "json", verb="diff").stdout)
    assert found["origins"]["seed"] == ["3", "4"]
    assert found["metrics"] == {"train.y.rmse": [0.1, 0.1], "test.y.rmse": [0.5, 0.25]}
    same = run(tmp_path / "a", tmp_path / "a", verb="diff").stdout
    assert same.startswith("spec: the same\nbuilt from: the same data, versions and seed\nmetrics:\n  all the same")


def test_what_is_no_build_is_not_compared(folder: Path) -> None:
    for other in ("web", "list", "nowhere"):
        told = run(folder / "a", folder / other, verb="diff")
        assert told.exit_code == 1
        assert "is not a build directory" in told.stderr
