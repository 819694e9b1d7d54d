"""What a check keeps of a column: every text as it stands, in few bytes."""

from __future__ import annotations

import tracemalloc
from array import array
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nnspec.data.checks.facts import PlanFacts, labels_of
from nnspec.data.checks.files import probe
from nnspec.data.checks.row_layout import find_row_layout
from nnspec.data.sources.base import ColumnFacts
from nnspec.runtime.rows import kept
from nnspec.runtime.rows.kept import Coded, IsoTimes, Texts, concatenate_values, keep_texts
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

TIMES = [f"2024-02-{1 + i % 28:02} {i % 24:02}:{i % 60:02}" for i in range(300)]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["a", "b", "a", ""] * 5, Coded),
        ([f"w{i}" for i in range(300)], Texts),
        (["zero\0byte", *[f"w{i}" for i in range(300)]], Texts),
        (TIMES, IsoTimes),
        ([text[:10] if i % 7 else "NA" for i, text in enumerate(TIMES[:140])], Coded),
        ([text if i % 7 else "NA" for i, text in enumerate(TIMES)], IsoTimes),
        ([*TIMES, "2024-02-01"], Texts),
        (["NA", "", *TIMES], Texts),
        ([text + ":01.25Z" for text in TIMES], Texts),
        ([text + ":01.250Z" for text in TIMES], IsoTimes),
    ],
)
def test_texts(texts: list[str], kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_WORDS", 30)
    monkeypatch.setattr(kept, "_PART", 7)
    found = keep_texts(texts)
    assert isinstance(found, kind)
    assert list(found) == texts
    assert [found[row] for row in range(len(texts))] == texts
    assert (found[-1], list(found[3:9]), len(found)) == (texts[-1], texts[3:9], len(texts))
    both = concatenate_values(found, keep_texts([*texts[:40], "2024-02-01 10:00"]))
    assert list(both) == [*texts, *texts[:40], "2024-02-01 10:00"]


def test_numbers_of_words_are_as_narrow_as_they_may() -> None:
    for count, code in ((200, "B"), (300, "H")):
        found = keep_texts([str(i % count) for i in range(3 * count)])
        assert isinstance(found, Coded)
        assert found.codes.typecode == code
        assert list(found) == [str(i % count) for i in range(3 * count)]


def test_labels_of_words() -> None:
    """Gaps are no labels, and `3.0` is `3`."""
    column = ColumnFacts(rows=5, values=Coded(["NA", "3.0", "b", ""], array("B", [1, 0, 2, 3, 1])))
    assert list(labels_of(column) or ()) == ["3", "b", "3"]


@pytest.mark.parametrize("is_sorted", [True, False])
def test_times_as_text_take_eight_bytes_a_row(is_sorted: bool, tmp_path: Path) -> None:
    """70,000 texts of 19 characters, which were lists of texts and of moments: 76 and 56 bytes a row."""
    count = kept._MOST_WORDS + 4464
    first = datetime(2024, 1, 1)
    times = [str(first + timedelta(seconds=61 * i)) for i in range(count)]
    if not is_sorted:
        times[0], times[-1] = times[-1], times[0]
    (tmp_path / "a.csv").write_text("t,a\n" + "\n".join(f"{time},1" for time in times) + "\n")
    text = (
        "source: {csv: a.csv}\norder_by: t\nsplit: {train: 0.5, test: 0.5}\ninputs: {x: {columns: [a]}}\n"
        "outputs: {y: {columns: [a], scale: standard}}\n"
    )
    plan = plan_of(text, tmp_path)
    assert plan.source is not None
    assert not [fault for fault in probe(plan, {"x": slot("x", ("feature", 1))}, {"y": Y}) if fault.is_error]
    files = PlanFacts(plan)
    values = plan.source.source.probe(plan.source, ["t"], ["t"]).column("t")
    assert values is not None
    assert isinstance(values.values, IsoTimes)
    layout = find_row_layout(plan, files, count)
    assert layout is not None
    wanted = list(range(count)) if is_sorted else [count - 1, *range(1, count - 1), 0]
    assert list(layout.rows) == wanted
    (tmp_path / "a.csv").touch()
    tracemalloc.start()
    column = plan.source.source.probe(plan.source, ["t"], ["t"]).column("t")
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert column is not None
    assert held < 16 * count + (1 << 20)
