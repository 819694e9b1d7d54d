"""The base class of data sources: options, facts about a file, and its values in chunks.

    class JsonRows(TableSource):
        kind, noun, suffixes = "jsonrows", "rows of JSON", (".jsonrows",)
        description = "A row a line, as a JSON object; the path is relative to the spec's folder."

        def probe(self, plan, wanted, kept): ...          # `nnspec check`: standard library only
        def open_columns(self, plan, names, reading): ... # training and `nnspec predict`: chunks of columns

A module of a kind imports numpy and what else it needs to load values within its methods, since `nnspec check` runs
`probe` alone. Packages of others add kinds by the entry point `nnspec.sources`, see `registry`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nnspec.data.sources.errors import MisfitError as MisfitError
from nnspec.data.sources.errors import OutsideError as OutsideError
from nnspec.data.sources.errors import ProposalError as ProposalError
from nnspec.data.sources.errors import SourceError as SourceError
from nnspec.data.sources.errors import ToldError as ToldError
from nnspec.data.sources.file_facts import ArrayFacts as ArrayFacts
from nnspec.data.sources.file_facts import ColumnFacts as ColumnFacts
from nnspec.data.sources.file_facts import SourceFacts as SourceFacts
from nnspec.data.sources.file_facts import TableFacts as TableFacts
from nnspec.data.sources.paths import is_below
from nnspec.data.sources.wanted import Reading as Reading
from nnspec.data.sources.wanted import Wanted
from nnspec.diagnostics import Span
from nnspec.document.types import JsonSchema, Plain
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.runtime.ports import Metadata
    from nnspec.runtime.rules.csv_sniff import Proposal

Schema = JsonSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """Where a spec says that data come from: a file, or a pattern of files, and the options that stand beside it.

    Attributes:
        shown: the path as the spec writes it.
        where: the place of the path in the document, such as `data.source.csv`.
        root: what files that a pattern or a table names must stay below (no server is asked then); None: anywhere.
        options: the kind's own keys, by name, as the spec gives them.
        spans: the places of their values; of the mapping that they stand in, `""`, and of the path's key, `KIND key`.
        table: where `shown` is a column of paths, the table that has it.
        beside: the source whose files these go with, matched by name.
        wanted: what takes the values, where that decides how they are made.
        parts: of a query, its tables by name.
        has_split_folders: whether the subfolders are splits, and those within them labels.
    """

    source: DataSource
    path: Path
    shown: str
    span: Span
    where: str
    root: Path | None = None
    options: Mapping[str, Plain] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    table: SourcePlan | None = None
    beside: SourcePlan | None = None
    wanted: Wanted | None = None
    parts: Mapping[str, SourcePlan] = field(default_factory=dict)
    has_split_folders: bool = False

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def identity(self) -> tuple[str, Path, str]:
        """Equal for two mentions of the same data."""
        more = (self.table and (self.shown, self.table.identity), self.beside and self.beside.identity, self.wanted)
        tables = [(name, part.identity) for name, part in self.parts.items()]
        return self.kind, self.path, repr((sorted(self.options.items()), *more, tables))

    def integer(self, option: str) -> int | None:
        """An option that is a whole number; None where it is not given."""
        value = self.options.get(option)
        return int(value) if isinstance(value, int | float) else None

    def text(self, option: str) -> str | None:
        """An option that is a text; None where it is not given."""
        value = self.options.get(option)
        return value if isinstance(value, str) else None

    def files(self) -> list[Path]:
        """The files that exist, in the order of their samples."""
        if self.parts:
            return [path for part in self.parts.values() for path in part.files()]
        return self.source.list_files(self.path) if self.table is None else self.source.list_named_files(self)

    def check_below(self, path: Path) -> None:
        """Raises OutsideError where a matched file leads outside the spec's folder."""
        if self.root is not None and not is_below(path, self.root):
            raise OutsideError(f"`{path.name}`, which `{self.shown}` matches, is outside the spec's folder")


@dataclass(frozen=True, eq=False)
class Column:
    """A stretch of a column's values, one a row, and where there is none (the value there means nothing)."""

    values: np.ndarray
    missing: NDArray[np.bool_]


class DataSource(ABC):
    """A kind of file that data come from.

    Attributes:
        kind: the key that names it in a spec.
        noun: what messages call such files.
        description: of the path that the key takes.
        suffixes: of the files that `read_inputs` takes.
        selectors: how an input picks its part of it: `columns`, `array`; none where the file is one input's data.
        is_table: whether it is rows with named columns, which a query can read.
        tells_times: whether its columns have types, one of which is of dates.
        is_pattern: whether the path may have wildcards.
        is_folder: whether the path may be a folder.
        is_per_file: whether the path is a folder, each of whose files is a sample; where the section has a `source`,
            the key names its column of paths instead.
        fills_up: whether samples along an open axis are filled up to the longest of them, in training and after it.
        is_raster: whether a file is an image, whose axes are height and width.
        options: schemas of the keys beside the path, by name, each with a description.
        required: the options that must be given, each with what messages add about it.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    description: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    selectors: ClassVar[tuple[str, ...]] = ()
    is_table: ClassVar[bool] = False
    tells_times: ClassVar[bool] = False
    is_pattern: ClassVar[bool] = False
    is_folder: ClassVar[bool] = False
    is_per_file: ClassVar[bool] = False
    is_raster: ClassVar[bool] = False
    fills_up: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Schema]] = {}
    required: ClassVar[Mapping[str, str]] = {}

    def check_options(self, options: Mapping[str, Plain]) -> Iterator[tuple[str, str]]:
        """What a schema cannot say of the options: a key and why its value cannot be used (NN208)."""
        yield from ()

    def is_uneven(self, plan: SourcePlan) -> bool:
        """Of a kind that fills samples up along an open axis, whether the files are of unequal length."""
        return False

    def sequence_names(self, array: str, levels: int) -> tuple[str, tuple[str, ...]] | None:
        """What `lengths: auto` stands for: the array of all steps, end to end, and those of each level's lengths.

        None where the file does not say how long sequences are.
        """
        return None

    def is_address(self, shown: str) -> bool:
        """Whether a spec names a server by its address rather than a file by its path."""
        return False

    def list_files(self, path: Path) -> list[Path]:
        """The files that a path names and that exist, in file-name order."""
        return [path] if path.is_file() else []

    def list_named_files(self, plan: SourcePlan) -> list[Path]:
        """The files that a column of paths names and that exist, each once; none of a kind whose path is no folder."""
        return []

    @abstractmethod
    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        """What the files hold. Standard library only.

        Args:
            wanted: the columns that are used.
            kept: those of them whose values are wanted, for labels, groups and orders.

        Raises:
            SourceError: where they cannot be used.
        """

    def propose(self, plan: SourcePlan, columns: Sequence[str]) -> Proposal | None:
        """The options that make numbers of columns that hold text as they stand; None where none do."""
        return None

    def locate(self, plan: SourcePlan, row: int) -> str:
        """How messages name a row, from 1: with its file where there are several."""
        return f"row {row}"

    def order_cells(self, plan: SourcePlan, cells: Sequence[object]) -> Sequence[object]:
        """The values of a column that rows are sorted by, numbers as Python writes them."""
        return cells

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        """The columns by these names in chunks of rows, in file order.

        Raises:
            SourceError: where they cannot be read, or the kind has no columns.
        """
        raise SourceError(f"{self.noun} have no columns")

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        """An array in chunks along its first axis, in file order; `name` None where there is but one.

        Raises:
            SourceError: where it cannot be read, or the kind has no arrays.
        """
        raise SourceError(f"{self.noun} have no arrays")

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        """What a deployed model says, in JSON, of how its input is read from such a file; `read_inputs` gets it."""
        return {"options": dict(plan.options)} if plan.options else {}

    @abstractmethod
    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        """A deployed model's inputs from a file, read by the rules of training.

        Args:
            wanted: the metadata of each input, by name.
            metadata: of the whole model.

        Raises:
            nnspec.runtime.InputError: where the file lacks what an input needs.
        """


class TableSource(DataSource):
    """A kind of table: a source whose columns an input picks by name."""

    selectors: ClassVar[tuple[str, ...]] = ("columns",)
    is_table = True

    @abstractmethod
    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        """As of any source that has columns."""

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        import numpy as np

        from nnspec.diagnostics import Source
        from nnspec.runtime import InputError
        from nnspec.runtime.rows.row_order import key_columns
        from nnspec.runtime.tables.matching import samples_of_table, table_columns

        keys = table_columns(file, wanted)
        options: Mapping[str, Plain] = next((body["options"] for body in wanted.values() if body.get("options")), {})
        place = Span(Source(str(file), ""))
        plan = SourcePlan(source=self, path=file, shown=file.name, span=place, where="", options=options)
        columns = {}
        try:
            for key in keys:
                name, is_text = key
                chunks = list(self.open_columns(plan, [name], Reading.WORD if is_text else Reading.NUMBER))
                values = np.concatenate([chunk[0].values for chunk in chunks] or [np.empty(0)])
                missing = np.concatenate([chunk[0].missing for chunk in chunks] or [np.empty(0, bool)])
                if is_text:
                    columns[key] = np.where(missing, "", values.astype(object))
                elif values.dtype.kind not in "biuf":
                    raise InputError(f"`{file.name}`: column `{name}` contains text, but the model takes numbers")
                else:
                    columns[key] = np.where(missing, np.nan, values) if missing.any() else values
        except MisfitError as error:
            raise InputError(f"`{file.name}`: {error}") from None
        except SourceError as error:
            raise InputError(f"`{file.name}` cannot be read: {error}") from None
        cells = {}
        for name in key_columns(metadata):
            try:
                chunks = list(self.open_columns(plan, [name], Reading.WORD))
            except (SourceError, KeyError, ValueError):
                continue  # the file lacks it
            cells[name] = [str(word) for chunk in chunks for word in np.where(chunk[0].missing, "", chunk[0].values)]
        return samples_of_table(file, columns, wanted, metadata, cells).inputs
