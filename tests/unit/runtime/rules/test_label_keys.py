"""Labels of a column in one spelling: that of each label alone, whatever stands beside it."""

from __future__ import annotations

import pytest

from nnspec.runtime.rules.label_keys import label_key, label_keys


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        (["3.0", "a", "3.0", "TRUE"], ["3", "a", "3", "true"]),
        ([3, 1, 3], ["3", "1", "3"]),
        ([True, 1, 1.0, False, 0], ["true", "1", "1", "false", "0"]),
        ([1, True, "1"], ["1", "true", "1"]),
        ([-0.0, 2.5, float("nan")], ["0", "2.5", "nan"]),
        ([], []),
    ],
)
def test_keys_of_a_column(labels: list[object], keys: list[str]) -> None:
    assert label_keys(iter(labels)) == keys
    assert [label_key(label) for label in labels] == keys
