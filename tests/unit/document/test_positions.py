"""Places within scalars, in every style in which YAML writes them: each word of the value is found where it stands."""

from __future__ import annotations

import pytest

from nnspec.diagnostics import Source, Span
from nnspec.document import Mapping, Scalar, parse
from nnspec.document.positions import place_in_scalar

STYLES = [
    "key: SELECT é FROM x1 WHERE y2 > 'it''s'\n",
    "key: SELECT é\n  FROM x1\n\n  WHERE y2 > 'it''s'  # a comment\nother: 1\n",
    "key: \"SELECT é FROM x1\\nWHERE y2 > 'it''s'\"\n",
    "key: \"SELECT \\u00e9 FROM\n  x1 WHERE \\\n  y2\\t> 'it''s'\"\n",
    "key: 'SELECT é FROM\n  x1 WHERE y2 > ''it''''s'''\n",
    "key: |\n  SELECT é\n    FROM x1\n\n  WHERE y2 > 'it''s'\nother: 1\n",
    "key: |-  # a comment\n  SELECT é\n  FROM x1 WHERE\n  y2 > 'it''s'\n",
    "key: >\n  SELECT é\n  FROM x1\n\n  WHERE y2 > 'it''s'\n",
    "key: >2-\n  SELECT é FROM x1\n  WHERE y2 > 'it''s'\n",
    "{key: \"SELECT é FROM x1 WHERE y2 > 'it''s'\"}\n",
]


def scalar_of(text: str) -> Scalar:
    node = parse(Source("spec.yaml", text))
    assert isinstance(node, Mapping)
    found = node.get("key")
    assert isinstance(found, Scalar)
    return found


@pytest.mark.parametrize("text", STYLES)
def test_each_word(text: str) -> None:
    found = scalar_of(text)
    assert str(found.value).split() == ["SELECT", "é", "FROM", "x1", "WHERE", "y2", ">", "'it''s'"]
    for word in str(found.value).split():
        start = str(found.value).index(word)
        span = place_in_scalar(found.span, str(found.value), start, len(word))
        assert span.text in (word, "\\u00e9", "''it''''s''")
        line = text.splitlines()[span.line - 1]
        assert line[span.column - 1 : span.end_column - 1] == span.text


def test_the_end_and_blanks() -> None:
    found = scalar_of("key: |\n  SELECT a FROM\nother: 1\n")
    value = str(found.value)
    assert place_in_scalar(found.span, value, len(value), 1).text == "M", "what is missing at the end"
    assert place_in_scalar(found.span, value, value.index(" a"), 2).text == "a"
    assert place_in_scalar(found.span, value, 0, len(value)).text == "SELECT a FROM"


def test_a_value_that_stands_elsewhere() -> None:
    found = scalar_of("key: $query\n")
    assert place_in_scalar(found.span, "SELECT a", 7, 1) == found.span
    nowhere = Span(Source("spec.yaml", ""))
    assert place_in_scalar(nowhere, "SELECT a", 7, 1) == nowhere
