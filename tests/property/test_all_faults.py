"""Every fault of a phase is said in one run, once, in the order of the source, and nothing follows from another."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.diagnostics import Applicability, Diagnostic
from nnspec.pipeline import diagnose

HEAD = "nnspec: 1\ninputs: {x: {axes: {time: 12, feature: 6}}}\n"

# Items that keep (time 12, feature 6), and items that cannot be on it.
CLEAN = [
    "Dropout: {rate: 0.1}",
    "ReLU",
    "Activation: {activation: tanh}",
    "LayerNormalization",
    "Dense: {units: 6, as: feature}",
    "Conv1D: {filters: 6, kernel_size: 3, padding: same, as: feature}",
    "LSTM: {units: 6, return_sequences: true, as: feature}",
    "Reshape: {to: {time: 12, feature: 6}}",
    "rename: {time: step}\n  - rename: {step: time}",
    "TimeDistributed: {over: time, layer: {Dense: {units: 6, as: feature}}}",
]
FAULTY = [
    ("NN301", "Reshape: {target_shape: [6, 12]}"),
    ("NN301", "Reshape: {to: {feature: 6, time: 12}}"),
    ("NN302", "Reshape: {target_shape: [7, -1]}"),
    ("NN303", "Reshape: {to: {time: 12, wrong: 6}}"),
    ("NN306", "permute: [feature, tme]"),
    ("NN306", "Softmax: {axis: class}"),
    ("NN307", "insert: {time: 1}"),
    ("NN309", "LSTM: {units: 3, over: feature}"),
    ("NN310", "Conv2D: {filters: 2, kernel_size: 3}"),
    ("NN312", "MaxPooling1D: {pool_size: 30}"),
    ("NN315", "split: {feature: {a: 4, b: 2}}"),
    ("NN316", "permute: [feature]"),
    ("NN317", "drop: time"),
    ("NN321", "merge: {m: [feature, time]}"),
    ("NN302", "TimeDistributed: {layer: {Reshape: {target_shape: [7, 7]}}}"),
    ("NN208", "Conv1D: {filters: 3, kernel_size: 2, strides: 2, dilation_rate: 2}"),
    ("NN302", "repeat: {times: 3, model: [{Reshape: {target_shape: [7]}}]}"),
    ("NN302", "repeat: {for: {n: [5, 7, 9]}, model: [{Reshape: {target_shape: [$n]}}]}"),
    ("NN317", "block: bad"),
]
BLOCKS = "blocks: {bad: {model: [ReLU, {drop: time}, ReLU]}}\n"


def with_faults(draw: Random) -> tuple[str, list[tuple[int, str]]]:
    """A document of several branches, some with one faulty item, and the (line, code) of each."""
    lines, expected, ends = [*HEAD.splitlines(), "model:"], list[tuple[int, str]](), list[str]()
    has_block = False
    for branch in range(draw.randint(1, 5)):
        items = [draw.choice(CLEAN) for _ in range(draw.randint(0, 3))]
        fault = draw.choice(FAULTY) if draw.random() < 0.6 else None
        lines.append(f"  - Identity: {{from: x, name: b{branch}}}")
        lines += [line for item in items for line in f"  - {item}".splitlines()]
        if fault is not None:
            code, item = fault
            lines.append(f"  - {item}")
            if item.startswith("block"):
                if not has_block:
                    expected.append((-1, code))  # in the block, which stands at the end
                has_block = True
            else:
                expected.append((len(lines), code))
            lines += [f"  - {draw.choice(CLEAN)}".splitlines()[0] for _ in range(draw.randint(0, 2))]
        lines.append(f"  - Identity: {{name: e{branch}}}")
        ends.append(f"e{branch}")
    while len(ends) > 1 and draw.random() < 0.5:  # joins of what is sound and what is not
        lines.append(f"  - Add: {{from: [{ends.pop()}, {ends.pop()}], name: j{len(lines)}}}")
        ends.append(f"j{len(lines) - 1}")
    if draw.random() < 0.3:
        lines.append("  - ReLU: {from: x, name: lonely}")
        expected.append((len(lines), "NN405"))
    lines.append("outputs:")
    lines += [f"  o{i}: {{task: regression, from: {end}}}" for i, end in enumerate(ends)]
    if draw.random() < 0.3:
        lines.append("  p: {task: classification, from: b0, class_axis: kind}")
        expected.append((len(lines), "NN306"))
    if has_block:
        lines.append(BLOCKS.strip())
        expected = [(len(lines) if line == -1 else line, code) for line, code in expected]
    return "\n".join(lines) + "\n", sorted(expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


def found(folder: Path, text: str) -> list[Diagnostic]:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return diagnose(path)


FIXED = {"derandomize": True, "database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=400, **FIXED)
@given(seed=st.integers(0, 2**32))
def test_n_faults_give_n_diagnostics_in_source_order(folder: Path, seed: int) -> None:
    text, expected = with_faults(Random(seed))
    assert [(d.span.line, d.code) for d in found(folder, text)] == expected, text


WRONG = [
    ("NN201", "Dense: {units: 3, unts: 4}"),
    ("NN202", "Dense: {units: three}"),
    ("NN203", "Conv1D: {filters: 3}"),
    ("NN204", "Dens: {units: 3}"),
    ("NN205", "Conv1D: {filters: 3, kernel_size: 2, padding: some}"),
    ("NN206", "Dense: {units: 0}"),
    ("NN207", "{Dense: {units: 3}, Flatten: {}}"),
]


@settings(max_examples=150, **FIXED)
@given(seed=st.integers(0, 2**32))
def test_n_faults_of_the_schema_too(folder: Path, seed: int) -> None:
    draw = Random(seed)
    lines, expected = [*HEAD.splitlines(), "model:"], list[tuple[int, str]]()
    for _ in range(draw.randint(1, 12)):
        if draw.random() < 0.5:
            code, item = draw.choice(WRONG)
            lines.append(f"  - {item}")
            expected.append((len(lines), code))
        else:
            lines += f"  - {draw.choice(CLEAN)}".splitlines()
    text = "\n".join([*lines, "outputs: {y: {task: regression}}"]) + "\n"
    assert [(d.span.line, d.code) for d in found(folder, text)] == expected, text


CASES = [
    # the other branch is judged as well, and the join of both keeps silent
    (
        "  - Reshape: {target_shape: [7, 7], from: x, name: a}\n"
        "  - MaxPooling1D: {pool_size: 30, from: x, name: b}\n"
        "  - Add: {from: [a, b]}\n  - Dense: {units: 2}\n",
        ["NN302", "NN312"],
    ),
    # a layer with several outputs, all of them unknown, whatever port is read
    (
        "  - LSTM: {units: 3, return_state: true, over: feature, name: l}\n"
        "  - Dense: {units: 3, from: l.cell, name: a}\n  - Dense: {units: 3, from: l.sell, name: b}\n"
        "  - Add: {from: [a, b]}\n",
        ["NN309"],
    ),
    # inside a wrapper, inside a repeat, and after both
    (
        "  - repeat: {times: 2, model: [{TimeDistributed: {layer: {Reshape: {target_shape: [7]}}}}]}\n"
        "  - Dense: {units: 2}\n  - Reshape: {target_shape: [7, 11], from: x}\n",
        ["NN302", "NN302"],
    ),
    # an output that names nothing says nothing of the layers
    ("  - Dense: {units: 2, name: a}\n  - drop: {axis: time, from: x}\n", ["NN405", "NN317"]),
]


@pytest.mark.parametrize(("model", "codes"), CASES)
def test_what_follows_keeps_silent(model: str, codes: list[str], folder: Path) -> None:
    text = f"{HEAD}model:\n{model}outputs: {{y: {{task: regression}}}}\n"
    assert [d.code for d in found(folder, text)] == codes


def test_each_place_of_a_repeat_is_said_once(folder: Path) -> None:
    item = "{Reshape: {target_shape: [$n, 5], from: x}}"
    model = f"  - repeat: {{for: {{n: [7, 8, 9]}}, model: [{item}]}}\n"
    (only,) = found(folder, f"{HEAD}model:\n{model}outputs: {{y: {{task: regression}}}}\n")
    assert "(7, 5)" in only.message
    assert [note for note in only.all_notes if "n = 8" in note and "n = 9" in note]


@pytest.mark.parametrize(
    ("sources", "is_certain"), [(["x", "x"], True), (["x"], True), (["x", "swapped"], False), (["x", "other"], False)]
)
def test_a_fix_in_a_block_is_certain_where_every_use_needs_it(
    sources: list[str], is_certain: bool, folder: Path
) -> None:
    """`swapped` is right as it is; `other` has no such axes."""
    uses = "".join(f"  - block: {{use: b, from: {source}, name: u{i}}}\n" for i, source in enumerate(sources))
    block = "blocks:\n  b:\n    inputs: [u]\n    model:\n      - Reshape: {to: {feature: 6, time: 12}}\n"
    before = "  - permute: {order: [feature, time], from: x, name: swapped}\n" if "swapped" in sources else ""
    before += "  - rename: {time: step, from: x, name: other}\n" if "other" in sources else ""
    outputs = ", ".join(f"o{i}: {{task: regression, from: u{i}}}" for i in range(len(sources)))
    diagnostics = found(folder, f"{HEAD}{block}model:\n{before}{uses}outputs: {{{outputs}}}\n")
    assert diagnostics
    certain = [fix.applicability is Applicability.MACHINE for d in diagnostics for fix in d.fixes[:1]]
    assert certain == [is_certain] * len(certain)
