"""`expect`: bounds, what they are held against, and where the faults are said to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nnspec.checks.bounds import parse_bound
from nnspec.diagnostics import Diagnostic
from nnspec.pipeline import diagnose

CAUSAL = "{filters: 4, kernel_size: 3, padding: causal"


@pytest.mark.parametrize(
    ("written", "admitted", "refused"),
    [
        (16, [16], [15, 17]),
        ("16", [16], [15, 17]),
        (16.0, [16], [15, 17]),
        ("== 16", [16], [15, 17]),
        (">= 10", [10, 1000], [9]),
        (">10", [11], [10]),
        ("<= 34_657", [0, 34657], [34658]),
        ("< 3", [0, 2], [3]),
        (" 10 .. 20 ", [10, 20], [9, 21]),
        ("7..7", [7], [6, 8]),
    ],
)
def test_bounds(written: Any, admitted: list[int], refused: list[int]) -> None:
    bound = parse_bound(written)
    assert bound is not None
    assert all(bound.admits(value) for value in admitted)
    assert not any(bound.admits(value) for value in refused)
    for value in refused:
        again = parse_bound(bound.around(value).strip('"'))
        assert again is not None
        assert again.admits(value)


@pytest.mark.parametrize("written", ["=> 3", "20..10", "10...20", "at least 3", "", "-3", -3, 2.5, None, True, ">= x"])
def test_what_is_no_bound(written: Any) -> None:
    assert parse_bound(written) is None


def found(folder: Path, model: str, expect: str, axes: str = "{time: 10, feature: 5}", **sets: str) -> list[Diagnostic]:
    path = folder / "spec.yaml"
    path.write_text(
        f"nnspec: 1\nvars: {{n: 3}}\ninputs: {{x: {{axes: {axes}}}}}\nmodel: [{model}]\n"
        f"outputs: {{y: {{task: regression}}}}\nexpect: {expect}\n",
        encoding="utf-8",
    )
    return diagnose(path, sets)


def codes(*arguments: Any, **sets: str) -> list[str]:
    return [d.code for d in found(*arguments, **sets)]


@pytest.mark.parametrize(
    "expect",
    [
        "{parameters: 64, trainable_parameters: 64}",
        '{parameters: "$(n * 20)..64"}',
        "{outputs: {y: {axes: {time: 10, filter: 4}}}}",
        "{outputs: {y: {axes: {time: null, filter: null}, causal: time}}}",
        "{outputs: {y: {receptive_field: {time: $n, feature: all}}}}",
        '{outputs: {y: {receptive_field: {time: ">= $n"}}}}',
        "{layers: {conv1d_1: {parameters: 64, axes: {time: 10, filter: 4}, receptive_field: {time: 3}}}}",
        "{layers: {conv1d_1: {causal: [time]}}}",
        "{outputs: {}}",
    ],
)
def test_what_holds(expect: str, tmp_path: Path) -> None:
    assert found(tmp_path, f"{{Conv1D: {CAUSAL}}}}}", expect) == []


@pytest.mark.parametrize(
    ("expect", "code", "place"),
    [
        ("{parameters: 65}", "NN331", "65"),
        ("{outputs: {y: {axes: {filter: 4, time: 10}}}}", "NN331", "{filter: 4, time: 10}"),
        ("{outputs: {y: {axes: {time: 10}}}}", "NN331", "{time: 10}"),
        ("{outputs: {y: {axes: {time: T, filter: 4}}}}", "NN331", "{time: T, filter: 4}"),
        ('{outputs: {y: {receptive_field: {time: "> $n"}}}}', "NN331", '"> $n"'),
        ("{outputs: {y: {receptive_field: {time: all}}}}", "NN331", "all"),
        ("{outputs: {y: {receptive_field: {filter: 4}}}}", "NN306", "filter"),
        ("{outputs: {y: {causal: filter}}}", "NN306", "filter"),
        ("{outputs: {why: {causal: time}}}", "NN401", "why"),
        ("{layers: {conv1d: {parameters: 3}}}", "NN401", "conv1d"),
        ("{parameters: some}", "NN332", "some"),
        ("{parameter: 3}", "NN201", "parameter"),
        ("{outputs: {y: {parameters: 3}}}", "NN201", "parameters"),
        ("{outputs: {y: {causal: 3}}}", "NN202", "3"),
        ("[64]", "NN202", "[64]"),
        ("{parameters: -1}", "NN206", "-1"),
        ("{parameters: $m}", "NN110", "$m"),
    ],
)
def test_what_does_not_hold(expect: str, code: str, place: str, tmp_path: Path) -> None:
    (diagnostic,) = found(tmp_path, f"{{Conv1D: {CAUSAL}}}}}", expect)
    assert diagnostic.code == code
    line = diagnostic.span.source.line(diagnostic.span.line)
    assert line[diagnostic.span.column - 1 : diagnostic.span.end_column - 1] == place
    assert diagnostic.path.startswith("expect") or diagnostic.code == "NN110"


@pytest.mark.parametrize(
    ("model", "is_causal"),
    [
        ('{formula: "x / (cumsum(x, time) + 1)"}', True),
        ('{formula: "cumsum(x, time) - mean(x, time)"}', False),
        ("{LSTM: {units: 4, return_sequences: true}}", True),
        ("{LSTM: {units: 4, return_sequences: true, go_backwards: true}}", False),
        ("{Bidirectional: {layer: {GRU: {units: 4, return_sequences: true}}}}", False),
        ("{Conv1D: {filters: 4, kernel_size: 3, padding: same}}", False),
        ("{Conv1D: {filters: 4, kernel_size: 3}}", False),
        ("{ZeroPadding1D: {padding: [2, 0]}}, {Conv1D: {filters: 4, kernel_size: 3}}", True),
        (f"{{Conv1D: {CAUSAL}}}}}, {{MaxPooling1D: {{pool_size: 2}}}}, {{Conv1D: {CAUSAL}}}}}", True),
        (f"{{Conv1D: {CAUSAL}}}}}, {{MaxPooling1D: {{pool_size: 3, strides: 2}}}}", False),
        ("{LayerNormalization: {}}", True),
        ("{LayerNormalization: {axis: time}}", False),
        (f"{{Conv1D: {CAUSAL}}}}}, {{LSTM: {{units: 4}}}}, {{Dense: {{units: 1}}}}", True),
        ("{Conv1D: {filters: 4, kernel_size: 3, padding: same}}, {LSTM: {units: 4}}, {Dense: {units: 1}}", False),
        ("{Bidirectional: {layer: {GRU: {units: 4}}}}", True),
        ("Flatten, {Dense: {units: 1}}", True),
        ("{permute: [feature, time]}, {Dense: {units: 10}}", True),
    ],
)
@pytest.mark.parametrize("length", ["10", "T"])
def test_causality(model: str, is_causal: bool, length: str, tmp_path: Path) -> None:
    """Along a known length and an open one. A value without the axis is as causal as what it is made of."""
    if length == "T" and ("Flatten" in model or "permute" in model or "axis: time" in model):
        length = "7"  # kernels and scales need to know it
    axes = f"{{time: {length}, feature: 5}}"
    assert codes(tmp_path, model, "{outputs: {y: {causal: time}}}", axes) == ([] if is_causal else ["NN333"])


def test_the_first_layer_that_looks_ahead_is_named(tmp_path: Path) -> None:
    model = (
        f"{{Conv1D: {CAUSAL}}}}}, {{Conv1D: {{filters: 4, kernel_size: 5, padding: same, name: guilty}}}}, "
        f"{{Conv1D: {CAUSAL}}}}}, {{Conv1D: {{filters: 4, kernel_size: 5, padding: same}}}}"
    )
    (diagnostic,) = found(tmp_path, model, "{outputs: {y: {causal: time}}}")
    assert diagnostic.notes == ("`guilty` (Conv1D) is the first layer that looks ahead",)
    assert "sees 4 positions ahead" in diagnostic.message


def test_an_open_length_is_all_there_is(tmp_path: Path) -> None:
    axes = "{time: T, feature: 5}"
    expect = '{outputs: {y: {axes: {unit: 2}, receptive_field: {time: "%s"}}}}'
    for bound, expected in [("all", []), (">= 1000", []), ("<= 9", ["NN331"]), ("5", ["NN331"])]:
        assert codes(tmp_path, "{LSTM: {units: 2}}", expect % bound, axes) == expected


def test_names_inside_blocks_and_repeats(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        """
nnspec: 1
inputs: {x: {axes: {time: 10, feature: 4}}}
blocks:
  pair:
    parameters: {rate: 1}
    model: [{Conv1D: {filters: 4, kernel_size: 2, padding: causal, dilation_rate: $rate}}]
model:
  - repeat: {for: {rate: [1, 2, 4]}, model: [{block: {use: pair, rate: $rate}}]}
outputs: {y: {task: regression}}
expect:
  layers:
    pair_1/conv1d_1: {receptive_field: {time: 2}, parameters: 36}
    pair_2/conv1d_1: {receptive_field: {time: 4}}
    pair_3/conv1d_1: {receptive_field: {time: 9}}
""",
        encoding="utf-8",
    )
    (diagnostic,) = diagnose(path)
    assert "layer `pair_3/conv1d_1` sees 8 positions of `time`, but `expect` asks for 9" in diagnostic.message
    assert diagnostic.fixes[0].edits[0].text == "8"


def test_overrides(tmp_path: Path) -> None:
    model, expect = "{Conv1D: {filters: 4, kernel_size: $n}}", '{outputs: {y: {receptive_field: {time: ">= 3"}}}}'
    assert codes(tmp_path, model, expect) == []
    assert codes(tmp_path, model, expect, **{"vars.n": "2"}) == ["NN331"]
