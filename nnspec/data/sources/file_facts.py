"""What is known of a source's columns and arrays without loading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.data.sources.errors import MisfitError
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    from nnspec.runtime.rows.kept import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column, as far as it is known without loading. Fields are None (or 0) where the format does not tell.

    Attributes:
        missing: the rows, from 1, that hold nothing.
        is_time: whether it is of a type of dates, so that every value of it is one.
        text_row: the first row that holds neither a number nor nothing, and `text` what it holds.
        infinite: the rows that hold an infinite number.
        lowest, highest: the range of its finite numbers, each with its row.
        fraction: the first row whose number is no whole one, and that number.
        values: as they stand, a row each, where they were asked for.
    """

    rows: int
    missing: Sequence[int] | None = None
    is_text: bool = False
    is_time: bool = False
    text_row: int = 0
    text: str = ""
    infinite: tuple[int, ...] = ()
    lowest: tuple[float, int] | None = None
    highest: tuple[float, int] | None = None
    fraction: tuple[float, int] | None = None
    values: Sequence[Value] | None = None


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """An array, as far as it is known without loading.

    Attributes:
        shape: sizes as they lie in the file.
        descr: NumPy's type string, such as `<f4`.
        what: how messages name it, where not by its own name.
    """

    shape: tuple[int, ...]
    descr: str
    what: str = ""

    @property
    def kind(self) -> str:
        """`b` bool, `i` and `u` integers, `f` floats, `U` and `S` text, `M` dates, …"""
        return "b" if self.descr[1] == "?" else self.descr[1]

    @property
    def is_number(self) -> bool:
        return self.kind in "biuf"


class SourceFacts:
    """What a source holds: columns, arrays or both, by name. A source of one array gives it the name ``""``.

    Attributes:
        names: what `columns`, or `array`, may name.
        faults: why it does not fit, whatever reads it (NN506).
        notes: what may have gone wrong where a name is not there.
    """

    names: Sequence[str] = ()
    faults: Sequence[MisfitError] = ()
    notes: Sequence[str] = ()

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        """A column; None where there is none of that name.

        Args:
            values: whether its values are wanted, where they can be read without loading.

        Raises:
            SourceError: where it cannot be used.
        """
        return None

    def array(self, name: str) -> ArrayFacts | None:
        """An array; None where there is none of that name.

        Raises:
            SourceError: where it cannot be used.
        """
        return None

    def numbers(self, name: str) -> Sequence[float] | None:
        """The first finite numbers of an array, in its order; None where they are not read without loading.

        Raises:
            SourceError: where it cannot be used.
        """
        return None

    def not_finite(self, name: str) -> tuple[Sequence[int], Sequence[int]]:
        """Of an array's numbers that are looked at, in its order, the places of NaN, and of those that are infinite.

        Raises:
            SourceError: where it cannot be used.
        """
        return (), ()

    def extremes(self, name: str) -> tuple[int, int] | None:
        """The least and the largest of an array's integers; None where they are not known without loading.

        Raises:
            SourceError: where the array cannot be used.
        """
        return None


@dataclass(frozen=True)
class TableFacts(SourceFacts):
    """A table whose columns are known."""

    columns: Mapping[str, ColumnFacts]
    names: Sequence[str] = ()
    notes: Sequence[str] = ()

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        return self.columns.get(name)
