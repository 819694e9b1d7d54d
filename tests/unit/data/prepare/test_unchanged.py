"""A file that changes between its check and the end of reading it is told (NN568), whatever else that leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.data.sources.base import Reading
from nnspec.data.sources.csv import CsvSource
from nnspec.diagnostics import SpecError
from tests.support.data_files import WINDOWS as TEXT
from tests.support.data_files import W, Y, run, write_table


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
