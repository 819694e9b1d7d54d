"""Every kind in combinations of arguments that nobody chose.

CI takes few uses of each kind. For many: `NNSPEC_EXAMPLES=50 NNSPEC_SEED=3 pytest tests/layers/test_generated.py`.
"""

from __future__ import annotations

import pytest

from nnspec.layers.registry import REGISTRY
from tests.support.case_files import FORMS, NOT_DRAWN, NOT_EXPORTED
from tests.support.strategies.generated import EXAMPLES, drawn, verify_each

# What Keras says at every build, nnspec says once, as NN319 and NN507.
pytestmark = [
    pytest.mark.filterwarnings("ignore:[\\s\\S]*destroy the mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:[\\s\\S]*softmax over axis:UserWarning"),
]


@pytest.mark.parametrize("kind", sorted(FORMS))
def test_generated_uses(kind: str) -> None:
    branches = drawn(kind, EXAMPLES)
    assert branches, "nothing that was drawn is legal"
    for group in ([use for use in branches if not use.is_stateful], [use for use in branches if use.is_stateful]):
        for start in range(0, len(group), 12):
            verify_each(group[start : start + 12])


def test_every_kind_is_generated() -> None:
    """A kind without a form is an oversight, unless it cannot be exported."""
    assert {*FORMS, *NOT_DRAWN, *NOT_EXPORTED} == set(REGISTRY)
