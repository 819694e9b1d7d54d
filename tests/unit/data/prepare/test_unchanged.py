"""A file that changes between its check and the end of reading it is told (NN568), whatever else that leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.data.sources.base import Reading
from nnspec.data.sources.csv import CsvSource
from nnspec.diagnostics import SpecError
from tests.support.data_files import WINDOWS as TEXT
from tests.support.data_files import W, Y, run, write_table
from tests.unit.data.section.test_plan import slot

ENCODED = """
source: {csv: t.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: {a: number, b: one_hot}}}
outputs: {y: {columns: [y]}}
"""


@pytest.mark.parametrize(
    ("more", "said"), [("2020-01-01T09:00:00,1,2,3\n", "bytes"), ("2020-01-01T09:0", "bytes"), ("", "was removed")]
)
def test_a_file_that_grows_while_it_is_read(
    more: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program appends to the file, or takes it away, after some columns of it were read."""
    write_table(tmp_path / "a.csv")
    read = CsvSource.open_columns

    def interrupted(self: CsvSource, plan, names, reading: Reading):  # type: ignore[no-untyped-def]
        yield from read(self, plan, names, reading)
        if more:
            with (tmp_path / "a.csv").open("a") as file:
                file.write(more)
        else:
            (tmp_path / "a.csv").unlink(missing_ok=True)

    monkeypatch.setattr(CsvSource, "open_columns", interrupted)
    with pytest.raises(SpecError) as caught:
        run(TEXT, tmp_path, [W], [Y])
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.path) == ("NN568", "data.source.csv")
    assert fault.message.startswith("`a.csv` ")
    assert said in fault.message


def test_a_file_that_stays_as_it_is(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv")
    assert run(TEXT, tmp_path, [W], [Y]).splits["train"].size


@pytest.mark.parametrize("is_removed", [False, True])
def test_columns_of_unlike_lengths(is_removed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and words of one input are read one after the other, so they do not fit together then."""
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + "".join(f"{i},{'uv'[i % 2]},{i}\n" for i in range(20)), encoding="utf-8")
    read = CsvSource.open_columns

    def interrupted(self: CsvSource, plan, names, reading: Reading):  # type: ignore[no-untyped-def]
        yield from read(self, plan, names, reading)
        if path.exists():
            with path.open("a", encoding="utf-8") as file:
                file.write("1,u,2\n")
            if is_removed:
                path.unlink()

    monkeypatch.setattr(CsvSource, "open_columns", interrupted)
    with pytest.raises(SpecError) as caught:
        run(ENCODED, tmp_path, [slot("x", ("feature", 4))], [slot("y", ("target", 1), task="regression")])
    assert [fault.code for fault in caught.value.diagnostics] == ["NN568"]
