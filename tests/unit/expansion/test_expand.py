"""`repeat`, `block`, `share` and `when` written out, and what every item reads."""

from __future__ import annotations

from typing import Any

import pytest

from nnspec.diagnostics import Report, Source, SpecError
from nnspec.document import Mapping, parse, to_plain
from nnspec.expansion.expand import expand
from nnspec.expansion.items import Expanded
from nnspec.expansion.naming import snake_case


def expanded(model: str, *, head: str = "inputs: {x: {axes: {feature: 5}}}\n") -> Expanded:
    report = Report()
    root = parse(Source("spec.yaml", f"{head}model:\n{model}outputs: {{y: {{task: regression}}}}\n"))
    assert isinstance(root, Mapping)
    result = expand(root, report)
    report.raise_errors()
    return result


def rows(result: Expanded) -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, kind and what it reads."""
    return [(i.name, i.kind, tuple(r.key if r else "?" for r in i.reads)) for i in result.items]


def codes(model: str, **more: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        expanded(model, **more)
    return [d.code for d in caught.value.diagnostics]


def units(result: Expanded) -> list[Any]:
    return [to_plain(i.body.entries["units"]) for i in result.items if i.body and i.kind == "Dense"]


def test_each_item_reads_the_one_before() -> None:
    result = expanded("  - Flatten\n  - Dense: {units: 3, name: hidden}\n  - Dense: {units: 1}\n")
    assert rows(result) == [
        ("flatten_1", "Flatten", ("x",)),
        ("hidden", "Dense", ("flatten_1",)),
        ("dense_1", "Dense", ("hidden",)),
    ]
    assert result.final is not None
    assert result.final.key == "dense_1"


def test_from_names_inputs_layers_and_ports() -> None:
    result = expanded(
        "  - Dense: {units: 3, name: a}\n  - Dense: {units: 3, from: x}\n  - Add: {from: [a, dense_1.output]}\n"
    )
    assert rows(result)[2] == ("add_1", "Add", ("a", "dense_1"))
    assert [r.port for r in result.items[2].reads if r] == [None, "output"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Dense", "dense"),
        ("Conv1D", "conv1d"),
        ("MaxPooling1D", "max_pooling1d"),
        ("LSTM", "lstm"),
        ("ReLU", "re_lu"),
        ("Conv2DTranspose", "conv2d_transpose"),
    ],
)
def test_snake_case(kind: str, name: str) -> None:
    assert snake_case(kind) == name


# ------------------------------------------------------------------------------------------------- repeat


def test_repeat_runs_lists_in_step() -> None:
    model = "  - repeat: {for: {n: [3, 4], a: [relu, elu]}, model: [{Dense: {units: $n, activation: $a, name: d}}]}\n"
    result = expanded(model)
    assert rows(result) == [("d_1", "Dense", ("x",)), ("d_2", "Dense", ("d_1",))]
    assert units(result) == [3, 4]
    assert [to_plain(i.body.entries["activation"]) for i in result.items if i.body] == ["relu", "elu"]
    assert list(map(str, result.items[1].span.trail)) == ["in repeat: n = 4, a = elu (round 2 of 2)"]


def test_repeats_nest_and_number() -> None:
    model = "  - repeat: {times: 2, model: [{repeat: {for: {n: [1, 2]}, model: [{Dense: {units: $n, name: d}}]}}]}\n"
    assert [i.name for i in expanded(model).items] == ["d_1_1", "d_1_2", "d_2_1", "d_2_2"]


def test_a_name_in_a_repeat_is_that_of_its_round() -> None:
    model = (
        "  - repeat:\n      times: 2\n      model:\n"
        "        - Dense: {units: 5, name: d}\n        - Add: {from: [x, d]}\n"
        "  - Dense: {units: 1, from: d_1}\n  - Dense: {units: 1, from: d}\n"
    )
    result = rows(expanded(model))
    assert [reads for _, kind, reads in result if kind == "Add"] == [("x", "d_1"), ("x", "d_2")]
    assert [reads for _, _, reads in result][-2:] == [("d_1",), ("d_2",)]


@pytest.mark.parametrize("times", ["0", "$(1 - 1)"])
def test_no_rounds(times: str) -> None:
    model = f"  - Dense: {{units: 3}}\n  - repeat: {{times: {times}, model: [Flatten]}}\n  - Dense: {{units: 1}}\n"
    assert [reads for _, _, reads in rows(expanded(model))] == [("x",), ("dense_1",)]


@pytest.mark.parametrize(
    "body",
    [
        "{model: [Flatten]}",
        "{times: 2, for: {n: [1]}, model: [Flatten]}",
        "{times: -1, model: [Flatten]}",
        "{times: 1.5, model: [Flatten]}",
        "{times: $(10 ** 9), model: [Flatten]}",
        "{for: {n: [1, 2], m: [1]}, model: [Flatten]}",
        "{for: {n: $(3)}, model: [Flatten]}",
    ],
)
def test_bad_repeats(body: str) -> None:
    assert codes(f"  - repeat: {body}\n") == ["NN113"]


def test_a_fault_in_a_count_is_said_once() -> None:
    assert codes("  - repeat: {times: $n, model: [Flatten]}\n") == ["NN110"]
    assert codes("  - repeat: {for: {n: $m}, model: [Flatten]}\n") == ["NN110"]


def test_too_many_items() -> None:
    deep = "{repeat: {times: 400, model: [{repeat: {times: 400, model: [Flatten]}}]}}"
    assert codes(f"  - {deep}\n") == ["NN117"]


# ------------------------------------------------------------------------------------------------- when


@pytest.mark.parametrize(("condition", "count"), [("$(n > 1)", 1), ("$(n > 2)", 0), ("true", 1), ("false", 0)])
def test_when(condition: str, count: int) -> None:
    head = "vars: {n: 2}\ninputs: {x: {axes: {feature: 5}}}\n"
    model = f"  - Dense: {{units: 3, when: {condition}}}\n  - Flatten\n"
    result = expanded(model, head=head)
    assert len(result.items) == count + 1
    assert rows(result)[-1][2] == (("dense_1",) if count else ("x",))


def test_when_leaves_out_repeats_and_blocks() -> None:
    head = "inputs: {x: {axes: {feature: 5}}}\nblocks: {b: {model: [Flatten]}}\n"
    model = "  - repeat: {times: 3, when: false, model: [Flatten]}\n  - block: {use: b, when: $(1 > 2)}\n  - Flatten\n"
    assert rows(expanded(model, head=head)) == [("flatten_1", "Flatten", ("x",))]


# ------------------------------------------------------------------------------------------------- blocks

BLOCKS = """inputs: {x: {axes: {feature: 5}}, z: {axes: {feature: 5}}}
blocks:
  pair:
    parameters: {n: null, activation: relu}
    model:
      - Dense: {units: $n, name: first}
      - Dense: {units: $(2 * n), activation: $activation}
      - Add: {from: [input, first]}
  join:
    inputs: [left, right]
    model: [{Add: {from: [left, right]}}]
  tower:
    model: [{block: {use: pair, n: 3}}, Flatten]
"""


def test_a_block_has_names_of_its_own() -> None:
    result = expanded("  - block: {use: pair, n: 3, from: x}\n  - block: {use: pair, n: 4}\n", head=BLOCKS)
    assert rows(result) == [
        ("pair_1/first", "Dense", ("x",)),
        ("pair_1/dense_1", "Dense", ("pair_1/first",)),
        ("pair_1/add_1", "Add", ("x", "pair_1/first")),
        ("pair_2/first", "Dense", ("pair_1/add_1",)),
        ("pair_2/dense_1", "Dense", ("pair_2/first",)),
        ("pair_2/add_1", "Add", ("pair_1/add_1", "pair_2/first")),
    ]
    assert units(result)[:2] == [3, 6]
    (step,) = result.items[0].span.trail
    assert str(step) == "in block pair (n = 3, activation = relu), used on line 15"
    assert step.used is not None
    assert step.used.text == "{use: pair, n: 3, from: x}"
    assert result.items[0].path == ("blocks", "pair", "model", 0)


def test_a_named_block_is_read_by_its_name() -> None:
    model = "  - block: {use: join, from: [x, z], name: both}\n  - Flatten: {from: x}\n  - Add: {from: [both, x]}\n"
    result = rows(expanded(model, head=BLOCKS))
    assert result[0] == ("both/add_1", "Add", ("x", "z"))
    assert result[2] == ("add_1", "Add", ("both/add_1", "x"))


def test_blocks_nest() -> None:
    result = rows(expanded("  - block: {use: tower, from: x}\n", head=BLOCKS))
    assert [name for name, _, _ in result] == [
        "tower_1/pair_1/first",
        "tower_1/pair_1/dense_1",
        "tower_1/pair_1/add_1",
        "tower_1/flatten_1",
    ]
    assert result[-1][2] == ("tower_1/pair_1/add_1",)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("  - block: nothing\n", "NN114"),
        ("  - share: nothing\n", "NN114"),
        ("  - block: {use: pair, from: x}\n", "NN116"),
        ("  - block: {use: pair, n: 3, units: 3, from: x}\n", "NN116"),
        ("  - block: {use: join, from: x}\n", "NN404"),
        ("  - block: {use: pair, n: 3, from: [x, z]}\n", "NN404"),
        ("  - Dense: {units: 1, from: x}\n  - Dense: {units: 1, from: first}\n", "NN401"),
        ("  - block: {use: pair, n: 3, from: x, name: z}\n", "NN402"),
        ("  - block: {use: pair, n: 3, from: b, name: b}\n", "NN403"),
    ],
)
def test_bad_uses(model: str, code: str) -> None:
    assert codes(model, head=BLOCKS) == [code]


def test_rings_of_blocks() -> None:
    head = "inputs: {x: {axes: {feature: 5}}}\nblocks: {a: {model: [{block: b}]}, b: {model: [{block: a}]}}\n"
    assert codes("  - block: a\n", head=head) == ["NN115"]
    blocks = ", ".join(f"b{i}: {{model: [{{block: b{i + 1}}}]}}" for i in range(20))
    head = f"inputs: {{x: {{axes: {{feature: 5}}}}}}\nblocks: {{{blocks}, b20: {{model: [Flatten]}}}}\n"
    assert codes("  - block: b0\n", head=head) == ["NN115"]
    assert len(expanded("  - block: b10\n", head=head).items) == 1


# ------------------------------------------------------------------------------------------------- share


def test_shared_layers() -> None:
    head = "inputs: {a: {axes: {feature: 5}}, b: {axes: {feature: 5}}}\n"
    head += "layers: {encoder: {Dense: {units: 3}}, flat: Flatten}\n"
    model = "  - share: {use: encoder, from: a, name: left}\n  - share: {use: encoder, from: b}\n  - share: flat\n"
    result = expanded(model, head=head)
    assert rows(result) == [
        ("left", "Dense", ("a",)),
        ("encoder_1", "Dense", ("b",)),
        ("flat_1", "Flatten", ("encoder_1",)),
    ]
    assert [i.shared for i in result.items] == ["encoder", "encoder", "flat"]


# ------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("  - Dense: {units: 1, from: nothing}\n", "NN401"),
        ("  - Dense: {units: 1, name: a}\n  - Dense: {units: 1, name: a}\n", "NN402"),
        ("  - Dense: {units: 1, name: x}\n", "NN402"),
        ("  - Dense: {units: 1, from: a, name: a}\n", "NN403"),
        ("  - Dense: {units: 1, from: b}\n  - Dense: {units: 1, name: b}\n", "NN403"),
        ("  - repeat: {times: 1, model: [{Dense: {units: 1, from: b}}, {Dense: {units: 1, name: b}}]}\n", "NN403"),
        ("  - Add: {from: [x, b]}\n  - repeat: {times: 1, model: [{Dense: {units: 1, name: b}}]}\n", "NN403"),
    ],
)
def test_bad_names(model: str, code: str) -> None:
    assert codes(model) == [code]


def test_numbers_keep_clear_of_chosen_names() -> None:
    result = rows(expanded("  - Dense: {units: 3}\n  - Dense: {units: 3, name: dense_1}\n  - Dense: {units: 1}\n"))
    assert [name for name, _, _ in result] == ["dense_2", "dense_1", "dense_3"]
    model = "  - Dense: {units: 3}\n  - repeat: {times: 2, model: [{Dense: {units: 3, name: dense}}]}\n"
    assert [name for name, _, _ in rows(expanded(model))] == ["dense_layer_1", "dense_1", "dense_2"]


def test_several_inputs_must_be_chosen() -> None:
    assert codes("  - Dense: {units: 1}\n", head=BLOCKS) == ["NN404"]


def test_sections_are_substituted() -> None:
    head = "vars: {n: 5, t: $(n * 2)}\ninputs: {x: {axes: {time: $t, feature: $n}}}\n"
    result = expanded("  - Flatten\n", head=head)
    assert result.values == {"n": 5, "t": 10}
    assert to_plain(result.root)["inputs"] == {"x": {"axes": {"time": 10, "feature": 5}}}
