"""Reshapes, flattens and verbs in whole specs: what is refused, what stays clean, and what the fixes lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.diagnostics import Applicability, Diagnostic
from nnspec.diagnostics.apply import apply_fixes, fix_text
from nnspec.ir import axes as ax
from nnspec.pipeline import check, diagnose

WINDOW = "time: 10, feature: 5"


def written(tmp_path: Path, axes: str, items: list[str], outputs: str = "y: {task: regression}") -> Path:
    model = "".join(f"  - {item}\n" for item in items)
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"nnspec: 1\ninputs: {{x: {{axes: {{{axes}}}}}}}\nmodel:\n{model}outputs: {{{outputs}}}\n", encoding="utf-8"
    )
    return path


def faults(tmp_path: Path, axes: str, *items: str) -> list[Diagnostic]:
    return diagnose(written(tmp_path, axes, list(items)))


def codes(tmp_path: Path, axes: str, *items: str) -> list[str]:
    return [d.code for d in faults(tmp_path, axes, *items)]


def result(tmp_path: Path, axes: str, *items: str) -> str:
    """The last axes of a clean spec; fails with its diagnostics where it is not."""
    checked = check(written(tmp_path, axes, list(items)))
    assert not checked.warnings, checked.warnings
    return ax.describe(checked.graph.outputs["y"].value.axes)


CLEAN = [
    # sizes
    (WINDOW, ["Reshape: {target_shape: [10, 5, 1]}"], "(time 10, feature 5, one 1)"),
    (WINDOW, ["Reshape: {to: {time: 10, channel: 1, feature: 5}}"], "(time 10, channel 1, feature 5)"),
    ("time: 10, one: 1, feature: 5", ["Reshape: {target_shape: [10, 5, 1]}"], "(time 10, feature 5, one 1)"),
    ("time: 10, one: 1, feature: 5", ["Reshape: {to: {time: 10, feature: 5}}"], "(time 10, feature 5)"),
    ("a: 28, b: 28", ["Reshape: {target_shape: [28, 28, 1]}"], "(a 28, b 28, one 1)"),
    ("a: 28, b: 28, c: 1", ["Reshape: {target_shape: [28, 28]}"], "(a 28, b 28)"),
    ("a: 2, b: 1, c: 3, d: 1", ["Reshape: {to: {d: 1, a: 2, c: 3, b: 1}}"], "(d 1, a 2, c 3, b 1)"),
    ("one: 1, also: 1", ["Reshape: {target_shape: [1]}"], "(one 1)"),
    # a made-up name is not that of an axis which stays
    ("one: 4, b: 3", ["Reshape: {target_shape: [4, 1, 3]}"], "(one 4, one_new 1, b 3)"),
    ("a: 2, b: 3, a_b: 5", ["Reshape: {target_shape: [6, 5]}"], "(a_b_new 6, a_b 5)"),
    ("a: 4, a_1: 3", ["Reshape: {target_shape: [2, 2, 3]}"], "(a_1_new 2, a_2 2, a_1 3)"),
    # symbols
    ("time: T, height: 7, channel: 64", ["Reshape: {target_shape: [-1, 448]}"], "(time T, height_channel 448)"),
    ("time: T", ["Reshape: {target_shape: [2, -1, 2]}"], "(time_1 2, time_2 T/4, time_3 2)"),
    ("time: T, f: 3", ["Reshape: {target_shape: [2, -1, 2, 3]}"], "(time_1 2, time_2 T/4, time_3 2, f 3)"),
    ("time: T, n: N", ["Reshape: {to: {time: T, n: -1}}"], "(time T, n N)"),
    ("time: T, n: N", ["Reshape: {to: {time: T, one: 1, n: -1}}"], "(time T, one 1, n N)"),
    ("time: T, n: T", ["Reshape: {to: {time: T, n: -1}}"], "(time T, n T)"),
    (
        "time: T, feature: 5",
        ["Conv1D: {filters: 32, kernel_size: 5}", "Reshape: {to: {time: -1, band: 8, part: 4}}"],
        "(time (T - 4), band 8, part 4)",
    ),
    # back again
    (WINDOW, ["Flatten", "Reshape: {to: {time: 10, feature: 5}}"], "(time 10, feature 5)"),
    (WINDOW, ["Flatten", "Reshape: {to: {step: 10, value: 5}}"], "(step 10, value 5)"),
    ("logit: 112", ["Reshape: {to: {band: 16, bin: 7}}", "Reshape: {to: {logit: 112}}"], "(logit 112)"),
    (
        "logit: 112",
        ["Reshape: {to: {band: 16, bin: 7}}", "Flatten", "split: {band_bin: {band: 16, bin: 7}}"],
        "(band 16, bin 7)",
    ),
    ("a: 10, b: 10", ["Flatten", "Reshape: {to: {a: 10, b: 10}}"], "(a 10, b 10)"),
    ("a: 10, b: 10", ["rename: {a: c}", "Flatten", "Reshape: {to: {c: 10, b: 10}}"], "(c 10, b 10)"),
    ("time: T, n: 3", ["split: {time: {pair: null, frame: 2}}", "merge: {time: [pair, frame]}"], "(time T, n 3)"),
    ("a: 2, b: 3, c: 5", ["permute: [c, a, b]", "Flatten", "Reshape: {target_shape: [5, 6]}"], "(c 5, a_b 6)"),
    # a name that an axis of size 1 had is free
    ("height: 7, width: 7, channel: 1", ["Reshape: {to: {channel: 49}}"], "(channel 49)"),
]


@pytest.mark.parametrize(("axes", "items", "expected"), CLEAN)
def test_clean(axes: str, items: list[str], expected: str, tmp_path: Path) -> None:
    assert result(tmp_path, axes, *items) == expected


REFUSED = [
    # names where sizes cannot tell, also through a merge, a rename, a cut
    ("a: 10, b: 10", ["Reshape: {to: {b: 10, a: 10}}"], "NN303"),
    ("a: 10, b: 10", ["Flatten", "Reshape: {to: {b: 10, a: 10}}"], "NN303"),
    ("a: 10, b: 10", ["Flatten", "split: {a_b: {b: 10, a: 10}}"], "NN303"),
    ("a: 10, b: 10", ["rename: {a: c}", "Flatten", "Reshape: {to: {b: 10, c: 10}}"], "NN303"),
    ("a: 10, b: 10", ["rename: {a: c}", "Flatten", "split: {c_b: {b: 10, c: 10}}"], "NN303"),
    ("logit: 100", ["Reshape: {to: {a: 10, b: 10}}", "Flatten", "Reshape: {to: {b: 10, a: 10}}"], "NN303"),
    ("a: 10, b: 10, c: 10", ["Reshape: {to: {c: 10, a: 10, b: 10}}"], "NN303"),
    # merges, parts and new axes take fresh names
    ("a: 6, b: 6, c: 2", ["Reshape: {to: {b: 2, x: 3, y: 12}}"], "NN303"),
    ("a: 2, b: 3", ["Reshape: {to: {ab: 6, a: 1}}"], "NN303"),
    ("time: 10", ["Reshape: {to: {time: 5, frame: 2}}"], "NN303"),
    ("height: 7, width: 7, channel: 3", ["Reshape: {to: {height: 49, channel: 3}}"], "NN303"),
    # scrambles: of axes that were cut out of one, through merges, of learned axes, beyond symbols
    ("logit: 50", ["Reshape: {to: {time: 10, feature: 5}}", "Reshape: {target_shape: [5, 10]}"], "NN301"),
    ("logit: 50", ["Reshape: {to: {t: 10, f: 5}}", "Flatten", "Reshape: {target_shape: [5, 10]}"], "NN301"),
    ("x: 3", ["Dense: {units: 50}", "split: {unit: {t: 10, f: 5}}", "Reshape: {target_shape: [5, 10]}"], "NN301"),
    (WINDOW, ["Flatten", "Reshape: {target_shape: [5, 10]}"], "NN301"),
    (WINDOW, ["Reshape: {target_shape: [50, 1]}", "Reshape: {target_shape: [5, 10]}"], "NN301"),
    ("a: 2, b: 3, c: 5", ["merge: {m: [a, b]}", "Reshape: {target_shape: [3, 2, 5]}"], "NN301"),
    ("a: 2, b: 3, c: 5", ["merge: {m: [b, c]}", "permute: [m, a]", "Reshape: {target_shape: [10, 3]}"], "NN301"),
    (WINDOW, ["Conv1D: {filters: 8, kernel_size: 3}", "Reshape: {target_shape: [8, 8]}", "ReLU"], "NN304"),
    (WINDOW, ["LSTM: {units: 6, return_sequences: true}", "Reshape: {target_shape: [6, 10]}"], "NN301"),
    ("time: T, feature: 5", ["Reshape: {target_shape: [5, -1]}"], "NN301"),
    ("time: T, mel: 40", ["Reshape: {target_shape: [-1, 80]}"], "NN301"),
    ("time: T, f: 5", ["Conv1D: {filters: 32, kernel_size: 5}", "Reshape: {target_shape: [32, -1]}"], "NN301"),
    ("time: T, n: N", ["Reshape: {to: {n: N, time: -1}}"], "NN301"),
    ("time: T, n: T", ["Reshape: {to: {n: T, time: -1}}"], "NN303"),
    ("g: 3, time: 10, feature: 5", ["TimeDistributed: {layer: {Reshape: {target_shape: [5, 10]}}}"], "NN301"),
    (WINDOW, ["Reshape: {target_shape: [5, 10]}", "GlobalMaxPooling1D"], "NN301"),
    # with other layers between, or beside, the Flatten
    (WINDOW, ["Reshape: {target_shape: [5, 10]}", "Dropout: {rate: 0.1}", "Flatten"], "NN301"),
    (WINDOW, ["Reshape: {target_shape: [5, 10]}", "Reshape: {target_shape: [10, 5]}"], "NN301"),
]


@pytest.mark.parametrize(("axes", "items", "code"), REFUSED)
def test_refused_once(axes: str, items: list[str], code: str, tmp_path: Path) -> None:
    assert codes(tmp_path, axes, *items) == [code]


TWICE = "y: {task: regression, from: a}, z: {task: regression, from: b}"
SCRAMBLE = "Reshape: {target_shape: [5, 10], name: r}"
HARMLESS = [
    (WINDOW, [SCRAMBLE, "Flatten"], ""),
    ("frequency: 128, time: 10", ["Reshape: {target_shape: [10, 128]}", "Flatten"], ""),
    ("g: 3, time: 10, feature: 5", ["TimeDistributed: {layer: {Reshape: {target_shape: [5, 10]}}}", "Flatten"], ""),
    (WINDOW, [SCRAMBLE, "Flatten: {name: a}", "Flatten: {from: r, name: b}"], ""),
    (WINDOW, [SCRAMBLE, "share: flat"], "layers: {flat: Flatten}"),
    (WINDOW, [SCRAMBLE, "block: flat"], "blocks: {flat: {model: [Flatten]}}"),
    (WINDOW, [SCRAMBLE, "repeat: {times: 1, model: [Flatten]}"], ""),
]


@pytest.mark.parametrize(("axes", "items", "more"), HARMLESS)
def test_only_flattens_read_it(axes: str, items: list[str], more: str, tmp_path: Path) -> None:
    path = written(tmp_path, axes, items, TWICE if "name: b" in items[-1] else "y: {task: regression}")
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    (found,) = diagnose(path)
    assert (found.code, found.is_error) == ("NN305", False)


@pytest.mark.parametrize("item", ["Dense: {units: 3, from: r, name: b}", "Dropout: {rate: 0.1, from: r, name: b}"])
def test_a_flatten_and_something_else_read_it(item: str, tmp_path: Path) -> None:
    path = written(tmp_path, WINDOW, [SCRAMBLE, "Flatten: {name: a}", item], TWICE)
    assert [d.code for d in diagnose(path)] == ["NN301"]


@pytest.mark.parametrize("output", ["r", "x_flat"])
def test_an_output_is_a_reader_too(output: str, tmp_path: Path) -> None:
    outputs = f"y: {{task: regression, from: {output}}}, z: {{task: regression, from: x_flat}}"
    found = diagnose(written(tmp_path, WINDOW, [SCRAMBLE, "Flatten: {name: x_flat}"], outputs))
    assert [d.code for d in found] == (["NN301"] if output == "r" else ["NN305"])


def test_a_harmless_scramble_is_undone_by_the_reshape_back(tmp_path: Path) -> None:
    """Flattened again the values stand as they stood: taking them apart as before gives the old axes."""
    items = ["Reshape: {target_shape: [5, 10]}", "Flatten", "Reshape: {to: {time: 10, feature: 5}}"]
    checked = check(written(tmp_path, WINDOW, items))
    assert [d.code for d in checked.warnings] == ["NN305"]
    assert checked.graph.outputs["y"].value.axes == checked.graph.inputs["x"].axes


# ------------------------------------------------------------------------------------------------- fixes


FIXED = [
    (WINDOW, "Reshape: {to: {feature: 5, time: 10, channel: 1}}", "(feature 5, time 10, channel 1)"),
    (WINDOW, "Reshape: {to: {feature: 5, time: 10, channel: 1}, name: r}", "(feature 5, time 10, channel 1)"),
    (WINDOW, "Reshape: {to: {feature: 5, time: 10, channel: 1}, from: x}", "(feature 5, time 10, channel 1)"),
    (WINDOW, "Reshape: {to: {feature: 5, time: 10, channel: 1}, name: r, from: x}", "(feature 5, time 10, channel 1)"),
    (WINDOW, "Reshape: {to: {one: 1, feature: 5, time: 10}, name: r, from: x}", "(one 1, feature 5, time 10)"),
    (WINDOW, "Reshape: {target_shape: [5, 10]}", "(feature 5, time 10)"),
    (WINDOW, "Reshape: {target_shape: [5, 10, 1, 1]}", "(feature 5, time 10, channel 1, channel_2 1)"),
    ("a: 10, b: 10", "Reshape: {to: {b: 10, a: 10}}", "(b 10, a 10)"),
    ("channel: 10, b: 7", "Reshape: {target_shape: [7, 10, 1]}", "(b 7, channel 10, channel_2 1)"),
    ("time: T, feature: 5", "Reshape: {to: {feature: 5, time: -1}}", "(feature 5, time T)"),
    ("one: 1, time: 10, feature: 5", "Reshape: {to: {feature: 5, time: 10, one: 1}}", "(feature 5, time 10, one 1)"),
    ("channel: 1024, row: 7, column: 7", "Reshape: {to: {place: 49, channel: 1024}}", "(place 49, channel 1024)"),
    (
        "g: 3, time: 10, feature: 5",
        "TimeDistributed: {layer: {Reshape: {to: {feature: 5, time: 10, c: 1}}}, over: g}",
        "(g 3, feature 5, time 10, c 1)",
    ),
    (
        "g: 3, h: 2, time: 10, feature: 5",
        "TimeDistributed: {layer: {TimeDistributed: {layer: {Reshape: {to: {feature: 5, time: 10}}}}}, name: r}",
        "(g 3, h 2, feature 5, time 10)",
    ),
    (
        "g: 3, time: 10, feature: 5",
        "TimeDistributed: {layer: {Reshape: {to: {feature: 5, one: 1, time: 10}}}, from: x}",
        "(g 3, feature 5, one 1, time 10)",
    ),
]


@pytest.mark.parametrize(("axes", "item", "expected"), FIXED)
def test_the_machine_fix_gives_the_declared_axes(axes: str, item: str, expected: str, tmp_path: Path) -> None:
    path = written(tmp_path, axes, [item])
    found = diagnose(path)
    assert [fix.applicability for fix in found[0].fixes[:1]] == [Applicability.MACHINE]
    text, made = fix_text(path.read_text(encoding="utf-8"), found)
    assert len(made) == 1
    path.write_text(text, encoding="utf-8")
    checked = check(path)
    assert not checked.warnings
    assert ax.describe(checked.graph.outputs["y"].value.axes) == expected


NOT_CERTAIN = [
    ("a: 10, b: 10, c: 3", "Reshape: {target_shape: [3, 10, 10]}"),  # either of two could come first
    ("a: 10, b: 10, c: 10", "Reshape: {target_shape: [10, 10, 10]}"),
    ("a: 4, b: 6", "Reshape: {target_shape: [6, 4]}"),  # certain, to compare
    ("a: 2, b: 3, c: 6", "Reshape: {target_shape: [3, 12]}"),  # a merge could be of either
    ("time: T, mel: 40", "Reshape: {target_shape: [-1, 80]}"),
    (WINDOW, "Reshape: {to: {x: 5, y: 10}}"),
]


@pytest.mark.parametrize(("axes", "item"), NOT_CERTAIN)
def test_what_is_not_certain_is_not_done(axes: str, item: str, tmp_path: Path) -> None:
    found = faults(tmp_path, axes, item)
    certain = [fix for d in found for fix in d.fixes if fix.applicability is Applicability.MACHINE]
    assert bool(certain) == (axes == "a: 4, b: 6")


MIXING = [
    ("time: T, mel: 40", "Reshape: {target_shape: [-1, 80]}", "(time_1 T/2, time_2_mel 80)"),
    ("time: T, mel: 40", "Reshape: {to: {stack: -1, channel: 80}}", "(stack T/2, channel 80)"),
    ("time: 10, mel: 40", "Reshape: {to: {stack: 5, channel: 80}, name: r, from: x}", "(stack 5, channel 80)"),
]


@pytest.mark.parametrize(("axes", "item", "expected"), MIXING)
def test_mixing_that_is_meant_is_written_as_verbs(axes: str, item: str, expected: str, tmp_path: Path) -> None:
    path = written(tmp_path, axes, [item])
    (found,) = diagnose(path)
    assert found.fixes[0].applicability is Applicability.MAYBE
    path.write_text(apply_fixes(path.read_text(encoding="utf-8"), found.fixes[:1]), encoding="utf-8")
    assert ax.describe(check(path).graph.outputs["y"].value.axes) == expected


STEPS = [
    ("g: 3, feature: 5, time: 10", "TimeDistributed: {layer: {LSTM: {units: 4}}}", "(g 3, unit 4)"),
    ("g: 3, feature: 5, time: 10", "TimeDistributed: {layer: {LSTM: {units: 4}}, from: x}", "(g 3, unit 4)"),
    ("feature: 5, time: 10", "LSTM: {units: 4, from: x, name: l}", "(unit 4)"),
    (
        "channel: 3, height: 9, width: 7",
        "Conv2D: {filters: 2, kernel_size: 3}",
        "(height 7, width 5, filter 2)",
    ),
]


@pytest.mark.parametrize(("axes", "item", "expected"), STEPS)
def test_the_permute_before_a_layer_that_steps(axes: str, item: str, expected: str, tmp_path: Path) -> None:
    path = written(tmp_path, axes, [item])
    (found,) = diagnose(path)
    assert found.code == "NN308"
    path.write_text(apply_fixes(path.read_text(encoding="utf-8"), found.fixes[:1]), encoding="utf-8")
    assert ax.describe(check(path).graph.outputs["y"].value.axes) == expected
