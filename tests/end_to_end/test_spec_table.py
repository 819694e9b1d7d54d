"""README's table of the specs: metrics with their spread over seeds, by a command that makes what is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnspec.runtime import load
from tests.support.paths import ROOT
from tests.tools.spec_table import SPREAD, main, metrics_of, with_spread

SPEC = """nnspec: 1
data:
  source: {csv: a.csv}
  split: {train: 0.6, test: 0.4, by: order}
  inputs: {x: {columns: [a]}}
  outputs: {y: {columns: [b]}}
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: 1, as: target}}]
outputs: {y: {task: regression}}
training: {epochs: 1, seed: 2}
"""


def test_spread_is_half_of_the_range() -> None:
    assert with_spread([4.0, 4.1, 4.2]) == "**4.1** ± 0.1 (4.9 %)"


def test_table_of_three_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f"{i},{3 * i}\n" for i in range(30)), encoding="utf-8")
    (tmp_path / "small.yaml").write_text(SPEC, encoding="utf-8")
    out = tmp_path / "out"
    main([str(tmp_path / "small.yaml"), "--seeds", "3", "--out", str(out)])
    *_, row = capsys.readouterr().out.splitlines()
    folders = [out / "small", out / "seeds" / "small-1", out / "seeds" / "small-3"]
    rmse = [metrics_of(folder)["rmse"] for folder in folders]
    assert len(set(rmse)) == 3
    assert f"**{sum(rmse) / 3:.4g}** ± {(max(rmse) - min(rmse)) / 2:.2g}" in row
    assert load(out / "small" / "model.onnx").inputs
    (out / "seeds" / "small-1" / "made.txt").write_text("once")
    main([str(tmp_path / "small.yaml"), "--seeds", "3", "--out", str(out)])
    assert (out / "seeds" / "small-1" / "made.txt").is_file()


def test_seeds_in_the_readme_lie_close_together() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"\[`(\w+)`\]\(specs/\1\.yaml\) \| \w+ \| \*\*[\d.]+\*\* ± \S+ \(([\d.]+) %\)", text)
    assert len(found) >= 11
    assert all(float(share) <= 100 * SPREAD for _, share in found)
