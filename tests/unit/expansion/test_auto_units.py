"""`units: auto`: the last Dense is as wide as its output has classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec import pipeline
from nnspec.diagnostics import SpecError
from nnspec.expansion.resolved import to_plain_spec

HEAD = {"Dense": {"units": "auto", "activation": "softmax"}}
DATA = {
    "source": {"csv": "rows.csv"},
    "split": {"train": 0.6, "test": 0.4, "by": "random"},
    "inputs": {"x": {"columns": ["a", "b"]}},
    "outputs": {"y": {"columns": ["kind"]}},
}
ARRAYS = {"inputs": {"x": {"array": "x"}}, "outputs": {"y": {"array": "label"}}}
KINDS = ["cat", "dog", "bird", "cat", "fish", "dog", "bird", "cat", "fish", "dog"]


def written(folder: Path, output: object, model: list[object] | None = None, **sections: object) -> Path:
    rows = "".join(f"{i},{i * i % 7},{kind},{i % 2},1\n" for i, kind in enumerate(KINDS))
    (folder / "rows.csv").write_text("a,b,kind,wet,cold\n" + rows, encoding="utf-8")
    np.savez(folder / "rows.npz", x=np.zeros((18, 2), np.float32), label=np.array([0, 4, 2, 2, 1, 4] * 3))
    spec = {
        "nnspec": 1,
        **sections,
        "inputs": {"x": {"axes": {"feature": 2}}},
        "model": model or [{"Dense": 5}, HEAD],
        "outputs": {"y": output},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def width(made: pipeline.Checked) -> object:
    return made.graph.outputs["y"].value.axes[-1].size


CLASSES = {"task": "classification"}
KNOWN = [
    ({**CLASSES, "classes": ["a", "b", "c"]}, {}, 3),
    ({**CLASSES, "classes": 7}, {}, 7),
    (CLASSES, {"data": DATA}, len(set(KINDS))),
    (
        CLASSES,
        {
            "data": {
                **DATA,
                "inputs": {"x": {"columns": ["a", "wet"]}},
                "outputs": {"y": {"columns": ["b"], "classes": {"quantiles": 3}}},
            }
        },
        3,
    ),
    (CLASSES, {"data": {**DATA, "source": {"npz": "rows.npz"}, **ARRAYS}}, 4),
]


@pytest.mark.parametrize(("output", "sections", "count"), KNOWN)
def test_as_many_as_there_are_classes(output: object, sections: dict[str, object], count: int, tmp_path: Path) -> None:
    made = pipeline.check(written(tmp_path, output, **sections))
    assert width(made) == count
    assert to_plain_spec(made.root)["model"][1]["Dense"]["units"] == count, "the resolved spec has the number"


def test_of_yes_or_no_one_and_of_labels_their_columns(tmp_path: Path) -> None:
    head = {"Dense": {"units": "auto", "activation": "sigmoid"}}
    assert width(pipeline.check(written(tmp_path, {"task": "binary"}, [head]))) == 1
    data = {**DATA, "outputs": {"y": {"columns": ["wet", "cold"]}}}
    assert width(pipeline.check(written(tmp_path, {"task": "multilabel"}, [head], data=data))) == 2


def test_of_a_regression_its_values(tmp_path: Path) -> None:
    data = {**DATA, "outputs": {"y": {"columns": ["wet", "cold"]}}}
    assert width(pipeline.check(written(tmp_path, {"task": "regression"}, [{"Dense": "auto"}], data=data))) == 2
    windows = {"window": {"lookback": 1, "horizon": [1, 2, 3]}, "split": {"train": 1.0, "by": "order"}}
    inputs = {"inputs": {"x": {"columns": ["a", "b"]}}}
    model: list[object] = ["Flatten", {"Dense": "auto"}, {"split": {"unit": {"step": 3, "value": 2}}}]
    path = written(tmp_path, {"task": "regression"}, model, data={**data, **windows, **inputs})
    path.write_text(path.read_text("utf-8").replace("      feature: 2", "      time: 1\n      feature: 2"), "utf-8")
    made = pipeline.check(path)
    assert [axis.size for axis in made.graph.outputs["y"].value.axes] == [3, 2], "of two columns, three rows ahead"


HEADS: list[list[object]] = [
    [{"Dense": "auto"}, {"Softmax": {"axis": -1}}],
    [{"Dense": "$n"}, {"Activation": "softmax"}],
    [{"block": {"use": "head"}}],
    [{"Dense": {"units": "auto", "name": "scores"}}, {"Dropout": 0.1}, {"Activation": "softmax"}],
]


@pytest.mark.parametrize("model", HEADS)
def test_however_the_head_is_written(model: list[object], tmp_path: Path) -> None:
    more = {"vars": {"n": "auto"}, "blocks": {"head": {"model": [HEAD]}}}
    made = pipeline.check(written(tmp_path, {**CLASSES, "classes": 4}, model, **more))
    assert width(made) == 4
    assert made.graph.parameters == 2 * 4 + 4


UNKNOWN = [
    (CLASSES, {}, None, "the spec has no data to count them in"),
    (CLASSES, {"data": {**DATA, "outputs": {"z": {"columns": ["kind"]}}}}, None, "`data` has no entry for it"),
    ({"task": "regression"}, {}, [{"Dense": "auto"}], "does not say how many values"),
    ({**CLASSES, "classes": 3}, {}, [{"Dense": "auto"}, HEAD], "is not the head of one output"),
    (
        {**CLASSES, "classes": 3},
        {"layers": {"d": {"Dense": "auto"}}},
        [{"share": "d"}, {"Activation": "softmax"}],
        "is a shared layer",
    ),
]


@pytest.mark.parametrize(("output", "sections", "model", "why"), UNKNOWN)
def test_what_is_missing_is_said(
    output: object, sections: dict[str, object], model: list[object] | None, why: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        pipeline.check(written(tmp_path, output, model, **sections))
    found = [d for d in caught.value.diagnostics if d.code == "NN355"]
    assert len(found) == 1
    assert why in found[0].message
    assert found[0].fixes


def test_a_wrapped_layer_is_no_head(tmp_path: Path) -> None:
    model: list[object] = [{"RepeatVector": 3}, {"TimeDistributed": {"layer": {"Dense": "auto"}}}, "Flatten", HEAD]
    with pytest.raises(SpecError) as caught:
        pipeline.check(written(tmp_path, {**CLASSES, "classes": 3}, model))
    assert "NN355" in {d.code for d in caught.value.diagnostics}


def test_data_that_cannot_be_read_say_so_themselves(tmp_path: Path) -> None:
    """With the place and the way out of their own error, not that of the number of classes."""
    path = written(tmp_path, CLASSES, data=DATA)
    (tmp_path / "rows.csv").write_text("a,b,kind\n1,2\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        pipeline.check(path)
    assert [fault.code for fault in caught.value.diagnostics] == ["NN502"]
    assert caught.value.diagnostics[0].span.text == "rows.csv"
