"""An axis by another name: `channel` where a convolution made `filter`, and the other way round."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec import pipeline

SPEC = """
nnspec: 1
inputs: {{x: {{axes: {{height: 8, width: 9, channel: 4}}}}}}
model:
{before}  - {item}
outputs: {{y: {{task: regression}}}}
"""
CONV = "  - Conv2D: {filters: 6, kernel_size: 3}\n"


@pytest.mark.parametrize(
    ("before", "item", "wanted"),
    [
        (CONV, "split: {channel: {group: 2, channel: null}}", ["use `filter`"]),
        ("", "split: {filter: {group: 2, part: null}}", ["use `channel`"]),
        ("", "LayerNormalization: {axis: [height, features]}", ["use `channel`"]),
        ("", "split: {chanel: {group: 2, part: null}}", ["use `channel`"]),
        ("", "split: {head: {group: 2, part: null}}", []),
        ("  - rename: {width: unit}\n", "split: {filter: {group: 2, part: null}}", []),
    ],
    ids=["conv", "input", "in a list", "spelling", "no axis of features", "two"],
)
def test_the_one_axis_of_features_is_proposed(tmp_path: Path, before: str, item: str, wanted: list[str]) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.format(before=before, item=item), encoding="utf-8")
    (found,) = [one for one in pipeline.diagnose(spec) if one.code == "NN306"]
    assert [fix.message for fix in found.fixes] == wanted
