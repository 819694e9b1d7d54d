"""Steps that are never used and taps that see nothing: what is warned of, what is not, and proposals that hold."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnspec.diagnostics import Diagnostic
from nnspec.pipeline import check, diagnose


def spec(folder: Path, model: list[Any], axes: dict[str, Any]) -> Path:
    document = {"nnspec": 1, "inputs": {"x": {"axes": axes}}, "model": model, "outputs": {"y": {"task": "regression"}}}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def found(folder: Path, model: list[Any], length: int = 10) -> list[Diagnostic]:
    return diagnose(spec(folder, model, {"time": length, "channel": 3}))


def causal(kernel: int, dilations: list[int], **more: Any) -> list[Any]:
    body = {"filters": 3, "kernel_size": kernel, "padding": "causal", **more}
    return [{"Conv1D": {**body, "dilation_rate": d}} for d in dilations]


def last_step(length: int = 10) -> list[Any]:
    return [{"Cropping1D": {"cropping": [length - 1, 0]}}, "Flatten", {"Dense": {"units": 1}}]


@pytest.mark.parametrize(
    ("model", "unused"),
    [
        (causal(2, [1, 1, 2]) + last_step(), 5),
        (causal(3, [1, 2]) + last_step(), 3),
        (causal(2, [1, 2, 4]) + last_step(), 2),
        ([{"BatchNormalization": {}}, *causal(3, [1]), {"Activation": {"activation": "relu"}}, *last_step()], 7),
        (causal(2, [1, 2, 4, 8]) + last_step(), 0),  # 16 steps of 10
        ([*causal(3, [1]), "Flatten", {"Dense": {"units": 1}}], 0),  # every step is read
        ([*causal(3, [1]), "GlobalAveragePooling1D", {"Dense": {"units": 1}}], 0),
        ([*causal(3, [1]), {"LSTM": {"units": 2}}], 0),
        (causal(3, [1]), 0),  # an output a step
        (last_step(), 0),  # the last step is picked and nothing slides: that is meant
        ([{"Conv1D": {"filters": 3, "kernel_size": 3, "strides": 3}}, "Flatten", {"Dense": {"units": 1}}], 0),
        ([{"Conv1D": {"filters": 3, "kernel_size": 8, "strides": 3}}, "Flatten", {"Dense": {"units": 1}}], 0),
    ],
)
def test_steps_never_used(model: list[Any], unused: int, tmp_path: Path) -> None:
    diagnostics = [d for d in found(tmp_path, model) if d.code == "NN328"]
    assert len(diagnostics) == bool(unused)
    if unused:
        assert f"never uses the first {unused} of 10 positions of `time`" in diagnostics[0].message
        assert diagnostics[0].fixes


@pytest.mark.parametrize("length", [7, 10, 16, 33])
@pytest.mark.parametrize(("kernel", "dilations"), [(2, [1, 1, 1]), (2, [1, 2]), (3, [1, 1]), (4, [1]), (3, [1])])
def test_proposals_hold(kernel: int, dilations: list[int], length: int, tmp_path: Path) -> None:
    """What is proposed sees the whole window once it is written down, and a little less does not."""
    (diagnostic, *_) = found(tmp_path, causal(kernel, dilations) + last_step(length), length)
    assert diagnostic.code == "NN328"
    tried = 0
    for fix in diagnostic.fixes[:-1]:
        rates, size = (
            re.search(r"`dilation_rate` ([\d, ]+)", fix.message),
            re.search(r"kernel_size: (\d+)", fix.message),
        )
        if rates:
            numbers = [int(n) for n in rates.group(1).split(",") if n.strip()]
            less = causal(kernel, [*numbers[:-1], numbers[-1] - 1]) if numbers[-1] > 1 else causal(kernel, numbers[:-1])
            wider = causal(kernel, numbers)
            is_smallest = len(numbers) == len(dilations)
        else:
            assert size is not None
            wider, less = causal(int(size.group(1)), dilations), causal(int(size.group(1)) - 1, dilations)
            is_smallest = True
        codes = {d.code for d in found(tmp_path, wider + last_step(length), length)}
        assert "NN328" not in codes, fix.message
        if is_smallest:
            assert "NN328" in {d.code for d in found(tmp_path, less + last_step(length), length)}, fix.message
        tried += 1
    assert tried >= 1


def test_proposals_inside_time_distributed_and_residual_branches(tmp_path: Path) -> None:
    conv = {"Conv1D": {"filters": 3, "kernel_size": 2, "padding": "causal"}}
    model: list[Any] = [
        {"TimeDistributed": {"layer": conv}},
        {"TimeDistributed": {"layer": conv, "name": "second"}},
        {"Add": {"from": ["time_distributed_1", "second"]}},
        {"Cropping2D": {"cropping": [[0, 0], [7, 0]]}},
        "Flatten",
        {"Dense": {"units": 1}},
    ]
    path = spec(tmp_path, model, {"sensor": 2, "time": 8, "channel": 3})
    model[3]["Cropping2D"]["over"] = ["sensor", "time"]
    path = spec(tmp_path, model, {"sensor": 2, "time": 8, "channel": 3})
    (diagnostic,) = diagnose(path)
    assert diagnostic.code == "NN328"
    assert "never uses the first 5 of 8" in diagnostic.message
    (kernel,) = [f.message for f in diagnostic.fixes if "kernel_size" in f.message]
    size = int(re.findall(r"kernel_size: (\d+)", kernel)[0])
    for index, layer in enumerate(model[:2]):
        layer["TimeDistributed"]["layer"] = {"Conv1D": {**conv["Conv1D"], "kernel_size": size}}
        assert index < 2
    assert diagnose(spec(tmp_path, model, {"sensor": 2, "time": 8, "channel": 3})) == []


@pytest.mark.parametrize(
    ("kernel", "dilation", "padding", "code"),
    [
        (3, 4, "causal", None),  # 8 back: all see data
        (3, 8, "causal", None),  # 16, 8: one of three is blind
        (3, 10, "causal", "NN329"),
        (5, 4, "causal", None),  # 16, 12 blind, 8, 4, 0 see
        (5, 8, "causal", "NN329"),
        (2, 16, "causal", None),  # half of them
        (3, 10, "same", "NN329"),
        (3, 9, "same", None),
        (2, 40, "same", "NN320"),
        (3, 10, "valid", "NN312"),
    ],
)
def test_taps_that_see_only_padding(kernel: int, dilation: int, padding: str, code: str | None, tmp_path: Path) -> None:
    body = {"filters": 3, "kernel_size": kernel, "padding": padding, "dilation_rate": dilation}
    assert [d.code for d in found(tmp_path, [{"Conv1D": body}])] == ([code] if code else [])


def test_the_dilation_that_is_proposed_is_the_largest(tmp_path: Path) -> None:
    for padding in ("causal", "same"):
        body: dict[str, Any] = {"filters": 3, "kernel_size": 5, "padding": padding}
        (diagnostic,) = found(tmp_path, [{"Conv1D": {**body, "dilation_rate": 16}}])
        largest = int(re.findall(r"at most (\d+)", diagnostic.fixes[0].message)[0])

        def notes(dilation: int, body: dict[str, Any] = body) -> tuple[str, ...]:
            path = spec(tmp_path, [{"Conv1D": {**body, "dilation_rate": dilation}}], {"time": 10, "channel": 3})
            return check(path).graph.nodes[0].notes

        assert not notes(largest)
        assert notes(largest + 1)


def test_a_huge_dilation_is_answered_at_once(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        (diagnostic,) = found(tmp_path, causal(3, [900_000_000]))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 10_000_000  # bytes: a bit for each step would take more than 100 million
    assert diagnostic.code == "NN329"
    assert diagnostic.fixes[0].message == "with a dilation of at most 4, all 3 taps see data"
