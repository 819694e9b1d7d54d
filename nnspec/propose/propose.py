"""`nnspec init`: looks at a data file and writes the spec that it proposes."""

from __future__ import annotations

from pathlib import Path

from nnspec.propose.images import plan_images, write_image_spec
from nnspec.propose.series import plan_series
from nnspec.propose.series_text import write_series_spec
from nnspec.propose.table import plan_table, write_table_spec
from nnspec.propose.table_file import read_table


def propose_table(name: str, file: Path, shown: str, target: str) -> str:
    """The text of a spec that predicts a column of a table from the others.

    Args:
        name: of the spec.
        shown: the file's path as the spec writes it.

    Raises:
        SpecError: NN502 where the file cannot be read, NN599 where nothing can be proposed.
    """
    table = read_table(file, shown, target)
    return write_table_spec(name, table, plan_table(table, target))


def propose_series(
    name: str, file: Path, shown: str, target: str, *, time: str | None = None, by: str | None = None, horizon: int = 1
) -> str:
    """The text of a spec that forecasts a column of a table; else as `propose_table`, and as `series.plan_series`."""
    table = read_table(file, shown, target)
    return write_series_spec(name, table, plan_series(table, target, time=time, by=by, horizon=horizon))


def propose_images(name: str, folder: Path, shown: str) -> str:
    """The text of a spec that tells the labels of images, which are the names of their folders.

    Raises:
        SpecError: NN599 where there are no such images.
    """
    return write_image_spec(name, shown, plan_images(folder))
