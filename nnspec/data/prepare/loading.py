"""Loads the values of sources; errors name the span in the spec that names the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.large_tables import concatenate_columns, large_matrix
from nnspec.data.sources.base import Column, MisfitError, OutsideError, Reading, SourceError, SourcePlan, ToldError
from nnspec.data.sources.package_sources import open_columns
from nnspec.data.sources.registry import is_own
from nnspec.diagnostics import Fix, SpecError

Array = np.ndarray
_ColumnKey = tuple[tuple[str, Path, str], str, Reading]


class ColumnCache:
    """Reads each source's columns when they are first asked for, several in one go, and keeps them."""

    def __init__(self) -> None:
        self._columns: dict[_ColumnKey, Column] = {}

    def columns(self, plan: SourcePlan, names: Iterable[str], reading: Reading) -> list[Column]:
        """The columns by these names.

        Raises:
            SpecError: NN502 where the source cannot be read, NN506 where a column is not what is wanted.
        """
        wanted = list(dict.fromkeys(names))
        absent = [name for name in wanted if (plan.identity, name, reading) not in self._columns]
        if absent:
            with reporting_faults(plan):
                found = concatenate_columns(_open_columns(plan, absent, reading), len(absent))
                for name, column in zip(absent, found, strict=True):
                    self._columns[plan.identity, name, reading] = column
        return [self._columns[plan.identity, name, reading] for name in names]

    def stream(self, plan: SourcePlan, name: str, reading: Reading) -> Iterator[Column]:
        """A column in chunks of rows, which are not kept.

        Raises:
            SpecError: as `columns`.
        """
        if (plan.identity, name, reading) in self._columns:
            yield self._columns[plan.identity, name, reading]
            return
        with reporting_faults(plan):
            for chunk in _open_columns(plan, [name], reading):
                yield chunk[0]

    def matrix(self, plan: SourcePlan, names: Sequence[str]) -> tuple[Array, NDArray[np.bool_]] | None:
        """Columns of numbers side by side, axes `row column`, mapped from the cache; None of small tables, and of text.

        Raises:
            SpecError: as `columns`; NN591 where the cache cannot be written.
        """
        wanted = list(dict.fromkeys(names))
        if len(wanted) < len(names) or any((plan.identity, name, Reading.NUMBER) in self._columns for name in wanted):
            return None
        with reporting_faults(plan):
            return large_matrix(plan, wanted)


def _open_columns(plan: SourcePlan, names: list[str], reading: Reading) -> Iterator[list[Column]]:
    open_them = plan.source.open_columns if is_own(plan.source) else open_columns
    return open_them(plan, names, reading)


def load_array(plan: SourcePlan, name: str | None) -> Array:
    """A source's only array, or the one called `name`.

    Raises:
        SpecError: NN502 where it cannot be read, NN506 where it is not what is wanted.
    """
    with reporting_faults(plan, f"array `{name}` of `{plan.shown}`" if name else ""):
        chunks = list(plan.source.open_array(plan, name))
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


@contextmanager
def reporting_faults(plan: SourcePlan, what: str = "") -> Iterator[None]:
    """Turns a source's faults into diagnostics at the place that names it."""
    code, message = "NN502", ""
    fixes: tuple[Fix, ...] = ()
    try:
        yield
        return
    except ToldError as error:
        raise SpecError([error.diagnostic(plan.span, plan.where)]) from None
    except OutsideError as error:
        code, message = "NN510", str(error)
    except MisfitError as error:
        code, message = error.code, str(error)
    except SourceError as error:
        message = f"{what or f'`{plan.shown}`'} cannot be used: {error}"
        fixes = error.help
    except SpecError:
        raise
    except (Exception, SystemExit) as error:  # whatever a package of somebody's own may do
        if is_own(plan.source):
            raise
        code, message = "NN530", f"source `{plan.kind}` fails on `{plan.shown}`: {type(error).__name__}: {error}"
    raise SpecError.single(code, message, plan.span, path=plan.where, fixes=fixes)
