"""What a proposal calls inputs, outputs and itself."""

from __future__ import annotations

import re

import pytest

from nnspec.ir.names import NAME_PATTERN
from nnspec.propose.spec_text import identifier


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("price", "price"),
        ("TMAX", "TMAX"),  # what may be a name stays as it is
        ("auto-mpg", "auto-mpg"),
        ("gekündigt", "gekundigt"),
        ("Größe in m²", "grosse_in_m2"),
        ("Señal/año", "senal_ano"),
        ("Łódź", "lodz"),
        ("sepal length (cm)", "sepal_length_cm"),
        ("e\u0301tat", "etat"),  # the accent is a character of its own
        ("2nd", "column_2nd"),
        ("true", "column_true"),
        ("价格", "column"),
    ],
)
def test_the_nearest_name(name: str, wanted: str) -> None:
    assert identifier(name) == wanted
    assert re.match(NAME_PATTERN, wanted)
