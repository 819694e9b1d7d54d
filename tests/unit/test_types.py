"""`Any` stands where no type does: how often is counted, and may only fall.

What Keras hands about has names in `nnspec.backends.types`, a layer's arguments are `Args`, what YAML says is `Plain`,
a JSON Schema `JsonSchema`, an array `np.ndarray`.
"""

from __future__ import annotations

import io
import tokenize

import pytest

from tests.support.paths import PACKAGE

# Lines of the package that say `Any`, imports left out. Lower it with every line that goes.
CEILING = 80


def lines_with_any(text: str) -> set[int]:
    """The lines of code, rather than of strings and comments, that say `Any`; imports do not count."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.start[0] for t in tokens if t.type == tokenize.NAME and t.string == "Any" and "import" not in t.line}


def test_any_grows_rarer() -> None:
    found = {p: lines_with_any(p.read_text(encoding="utf-8")) for p in sorted(PACKAGE.rglob("*.py"))}
    count = sum(map(len, found.values()))
    most = sorted(found, key=lambda path: -len(found[path]))[:5]
    assert count <= CEILING, f"{count} lines say `Any`, most of them in {[p.relative_to(PACKAGE) for p in most]}"
    assert count > CEILING // 2, "the walk finds what there is"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("from typing import Any\nx: Any = 1\ny: dict[str, Any]  # Any\n", {2, 3}),
        ('"""Any dtype."""\nx = "Any"\n', set()),
    ],
)
def test_only_code_counts(text: str, lines: set[int]) -> None:
    assert lines_with_any(text) == lines
