"""`nnspec show --why` of every case of every layer: all of it is told, in sentences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nnspec.ir.graph import Node
from nnspec.layers.kit.args import REQUIRED
from nnspec.show.why import Page, explain_node
from tests.support.case_files import KINDS, cases_of
from tests.support.layer_cases import checked


def value_of(formula: str) -> int:
    assert re.fullmatch(r"[\d ·+()*/-]+", formula), formula
    return int(eval(formula.replace("·", "*")))


def sentences(told: Page) -> list[str]:
    inside = [text for part in told.inner for text in sentences(part)]
    return [told.summary, *([told.text] if told.text else []), *(a.text for a in told.arguments), *told.sees, *inside]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page(kind: str, tmp_path: Path) -> None:
    """For every case of every layer: all of it is told, the count is what the formula comes to, nothing is garbled."""
    for case in cases_of(kind):
        graph = checked(case, tmp_path).graph
        node = next(n for n in reversed(graph.nodes) if n.kind == case.kind)
        told = explain_node(graph, node)
        json.dumps(told.to_json())
        assert len(told.reads) == len(node.inputs)
        assert len(told.makes) == len(node.outputs)
        for text in sentences(told):
            assert text[0].isupper() or text[0] in "`0123456789" or text in {told.summary, *described(node)}, (
                case.label,
                text,
            )
            assert text.endswith("."), (case.label, text)
            assert not re.search(
                r"\bNone\b|[{}<>]|  |Fraction\(|\(\)|(?<!×)\b1 (position|step|number|kernel|row|column)s\b",
                _quoteless(text),
            ), (
                case.label,
                text,
            )
        assert not unsaid(node, told), case.label
        assert [w.name for w in told.weights] == [w.name for w in node.weights]
        if node.formula and node.weights:
            assert told.parameters.startswith(f"{node.formula} = {node.parameters:,}")
            assert value_of(node.formula) == node.parameters, case.label
        text = told.to_text()
        assert text.startswith(f"{node.name}: {node.kind}, line {node.span.line}\n")
        assert "None" not in text


def described(node: Node) -> set[str]:
    """Descriptions, which may begin with a value: `valid: only whole windows`."""
    parts = [part for part in (node.inner, node.backward, *node.cells) if part is not None]
    return {arg.description for arg in node.layer.args.values()}.union(*map(described, parts))


def _quoteless(text: str) -> str:
    """Without what stands between back quotes: names and pieces of specs."""
    return re.sub(r"`[^`]*`", "`x`", text)


def unsaid(node: Node, told: Page) -> set[str]:
    """Arguments that the spec sets and the page leaves out."""
    given = {
        name
        for name, arg in node.layer.args.items()
        if node.args.get(name) is not None and (arg.default is REQUIRED or node.args[name] != arg.default)
    }
    return given - {argument.name for argument in told.arguments}
