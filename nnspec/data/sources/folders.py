"""Sources whose every file is a sample: those of a folder, or those that a column of a table names.

    class ImageSource(FolderSource):
        kind, thing, file_suffixes = "images", "image", (".png", ".jpg")

        def probe_members(self, plan, members): ...    # standard library only: what the files' headers say
        def open_array(self, plan, name): ...          # the values of `members(plan)`, in this order

A folder's subfolders are labels to an output that says `folder_of`; it reads them as the column `FOLDER`.
"""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import ClassVar

from nnspec.data.sources.base import (
    ArrayFacts,
    Column,
    ColumnFacts,
    DataSource,
    MisfitError,
    OutsideError,
    Reading,
    SourceFacts,
    SourcePlan,
    ToldError,
)
from nnspec.data.sources.paths import is_below
from nnspec.data.sources.pieces import Pieces
from nnspec.data.sources.split_names import split_folders
from nnspec.data.sources.wanted import FOLDER
from nnspec.diagnostics import did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.lazy import dataclass
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.folders import label_of, list_folder, stem_of
from nnspec.runtime.rules.partitions import fixed_folder

SOURCE_TABLE = "source"  # what a query calls the section's source


@dataclass(frozen=True, slots=True)
class Member:
    """A file that is a sample.

    Attributes:
        name: relative to the folder or to the table's, with `/` between its parts.
        place: how messages name it.
    """

    name: str
    path: Path
    place: str


class MemberFacts(SourceFacts):
    """The files' values as an array, and their folders as a column."""

    names = (FOLDER,)

    def __init__(self, labels: Sequence[str], array: ArrayFacts | None, faults: Sequence[MisfitError] = ()) -> None:
        self.labels, self.values, self.faults = labels, array, faults

    def array(self, name: str) -> ArrayFacts | None:
        return self.values if name == "" else None

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        if name != FOLDER:
            return None
        return ColumnFacts(rows=len(self.labels), missing=[], is_text=True, values=self.labels)


class FolderSource(DataSource):
    """A kind whose files are a sample each.

    Attributes:
        thing: what messages call the content of a file.
        file_suffixes: of the files that are samples, in lower case.
        refused_suffixes: of files that people would take for samples: an error rather than left out.
    """

    is_per_file = True
    thing: ClassVar[str]
    file_suffixes: ClassVar[tuple[str, ...]]
    refused_suffixes: ClassVar[Collection[str]] = ()

    def list_files(self, path: Path) -> list[Path]:
        try:
            return [path / name for name in list_folder(path, self.file_suffixes).files]
        except OSError:
            return []

    def list_named_files(self, plan: SourcePlan) -> list[Path]:
        assert plan.table is not None
        files = plan.table.files()
        if not files:
            return []
        cells = self._cells(plan) or []
        base = _folder_of(plan.table)
        named = [base / cell for cell in cells if "\0" not in cell]
        return list(dict.fromkeys([*files, *(path for path in named if path.is_file())]))

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        members = self.members(plan)
        if FOLDER in wanted:
            self._check_labels(plan, members)
        array, faults = self.probe_members(plan, members)
        return MemberFacts([label_of(member.name) for member in members], array, faults)

    @abstractmethod
    def probe_members(
        self, plan: SourcePlan, members: Sequence[Member]
    ) -> tuple[ArrayFacts | None, Sequence[MisfitError]]:
        """The array that the files become, and why it is not what its input takes.

        Raises:
            ToldError: where files cannot be used; `unreadable` makes it.
        """

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        import numpy as np

        labels = np.array([label_of(member.name) for member in self.members(plan)])
        yield [Column(labels, np.zeros(len(labels), bool)) for _ in names]

    def labels(self, plan: SourcePlan) -> list[str | int]:
        """The names of the files' folders, each once, sorted: numbers if all of them are.

        Raises:
            ToldError: NN557 where they cannot be labels, and as `members`.
            OutsideError: as `members`.
        """
        members = self.members(plan)
        self._check_labels(plan, members)
        found = {label_of(member.name) for member in members}
        if all(label.isdecimal() and label.isascii() and str(int(label)) == label for label in found):
            return sorted(map(int, found))
        return sorted(found)

    def digests(self, plan: SourcePlan) -> list[str]:
        """A key for each sample that is equal for two files of the same bytes. Errors as `members`.

        Raises:
            OSError: where a file cannot be read.
        """
        return [hashlib.sha256(member.path.read_bytes()).hexdigest() for member in self.members(plan)]

    def open_pieces(self, plan: SourcePlan) -> Pieces | None:
        """What training takes random pieces of; None where it takes samples as all others do. Errors as `members`."""
        return None

    def unreadable(self, plan: SourcePlan, faults: Sequence[tuple[Member, str]], count: int) -> ToldError:
        """NN555 for files that cannot be read, each with its reason."""
        first, reason = faults[0]
        many = f"{len(faults)} of {count} {self.thing}s cannot be read: the first is " if len(faults) > 1 else ""
        notes = [f"{member.place}: {reason}" for member, reason in faults[1:6]]
        fix = f"replace or remove {'these files' if many else 'the file'}"
        if plan.table is not None:
            fix += ", and their rows" if many else ", and its row"
        fix = self.other_reading(plan, [member for member, _ in faults]) or fix
        return ToldError("NN555", f"{many}{first.place}: {reason}", fix, notes=notes)

    def other_reading(self, plan: SourcePlan, faulty: Sequence[Member]) -> str | None:
        """What to write in the spec so that files can be read that cannot be as it is; None where nothing would."""
        return None

    # --------------------------------------------------------------------------------------------------- members

    def members(self, plan: SourcePlan) -> list[Member]:
        """The files that are samples, in their order.

        Raises:
            ToldError: NN555, NN557 and NN558.
            OutsideError: where one is outside the spec's folder.
        """
        if plan.table is not None:
            return list(self._named(plan))
        found = self._inside(plan)
        return found if plan.beside is None else self._matched(plan, found)

    def _inside(self, plan: SourcePlan) -> list[Member]:
        try:
            listing = list_folder(plan.path, self.file_suffixes)
        except OSError as error:
            raise ToldError("NN555", f"folder `{plan.shown}` cannot be read: {error.strerror}") from None
        for name in listing.links:
            plan.check_below(plan.path / name)
        kinds = ", ".join(suffix.lstrip(".") for suffix in self.file_suffixes)
        strange = [name for name in listing.others if os.path.splitext(name)[1].lower() in self.refused_suffixes]
        if strange:
            shown = enumerated(strange[:3]) + (", …" if len(strange) > 3 else "")
            message = f"folder `{plan.shown}` has {self.thing}s of a kind that is not supported: {shown}"
            raise ToldError("NN555", message, f"convert them ({kinds}), or move them to another folder")
        if not listing.files:
            note = [f"it has: {enumerated(listing.others[:5])}"] if listing.others else []
            raise ToldError("NN557", f"folder `{plan.shown}` has no {self.thing}s ({kinds})", notes=note)
        for name in listing.files:
            try:
                name.encode()
            except UnicodeEncodeError:
                raise ToldError("NN555", f"the file name {name!r} is not UTF-8", "rename the file") from None
        return [Member(name, plan.path / name, f"`{plan.shown.rstrip('/')}/{name}`") for name in listing.files]

    def _matched(self, plan: SourcePlan, found: Sequence[Member]) -> list[Member]:
        """The files in the order of those that they go with, matched by name without suffix."""
        assert plan.beside is not None
        first, by_stem = self.members(plan.beside), dict[str, Member]()
        for member in found:
            same = by_stem.setdefault(stem_of(member.name), member)
            if same is not member:
                message = f"{same.place} and {member.place} have the same name without suffix"
                raise ToldError("NN558", message, "keep one of them")
        stems = [stem_of(member.name) for member in first]
        lacking = [member for member, stem in zip(first, stems, strict=True) if stem not in by_stem]
        rule = "files of the two folders are matched by their names without suffix"
        if lacking:
            more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
            message = f"folder `{plan.shown}` has no file for {lacking[0].place}{more}"
            raise ToldError("NN558", message, notes=[rule])
        strange = [member for stem, member in by_stem.items() if stem not in set(stems)]
        if strange:
            more = f" (and {len(strange) - 1} more)" if len(strange) > 1 else ""
            raise ToldError("NN558", f"`{plan.beside.shown}` has no file for {strange[0].place}{more}", notes=[rule])
        return [by_stem[stem] for stem in stems]

    def _cells(self, plan: SourcePlan) -> list[str] | None:
        """The column of paths; None where there is none, or it cannot be read."""
        table = plan.table
        assert table is not None
        column = table.source.probe(table, [plan.shown], [plan.shown]).column(plan.shown, values=True)
        if column is None:
            return None
        if column.values is not None:
            return ["" if value is None else str(value) for value in column.values]
        read = [chunk[0] for chunk in table.source.open_columns(table, [plan.shown], Reading.WORD)]
        return [str(v) if not m else "" for chunk in read for v, m in zip(chunk.values, chunk.missing, strict=True)]

    def _named(self, plan: SourcePlan) -> Iterator[Member]:
        table = plan.table
        assert table is not None
        cells = self._cells(plan)
        if cells is None:
            message = f"`{table.shown}` has no column `{plan.shown}`"
            note = f"with `source`, `{plan.kind}` names a column of paths; without, a folder"
            names = table.source.probe(table, [], []).names
            has = f"it has: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}"
            raise ToldError("NN503", message + did_you_mean(plan.shown, names), notes=[has, note])
        base, below = _folder_of(table), dict[Path, bool]()
        empty = [row for row, cell in enumerate(cells, 1) if is_missing(cell)]
        if empty:
            message = f"column `{plan.shown}` of `{table.shown}` names no file in row {_rows(empty)}"
            raise ToldError("NN555", message, "remove these rows" if len(empty) > 1 else "remove the row")
        lacking: list[tuple[int, str]] = []
        members = []
        for row, cell in enumerate(cells, 1):
            path, place = base / cell, f"`{cell}` (row {row} of `{table.shown}`)"
            if "\0" in cell:
                raise ToldError("NN555", f"row {row} of `{table.shown}` has {cell!r}, which is not a file name")
            if plan.root is not None:
                if PurePosixPath(cell).is_absolute() or PureWindowsPath(cell).drive:
                    raise OutsideError(f"{place} is outside the spec's folder: it is an absolute path")
                if path.parent not in below:
                    below[path.parent] = is_below(path.parent, plan.root)
                if not below[path.parent] or (path.is_symlink() and not is_below(path, plan.root)):
                    raise OutsideError(f"{place} is outside the spec's folder: `..` or a symbolic link leads out of it")
            if not path.is_file():
                lacking.append((row, cell))
            members.append(Member(PurePosixPath(cell).as_posix(), path, place))
        if lacking:
            row, cell = lacking[0]
            many = f"{len(lacking)} files of column `{plan.shown}` do not exist: the first is" if lacking[1:] else ""
            message = f"{many} `{cell}` (row {row} of `{table.shown}`)" if many else ""
            message = message or f"there is no file `{cell}` (row {row} of `{table.shown}`)"
            notes = [f"row {row}: `{cell}`" for row, cell in lacking[1:6]]
            is_windows = "\\" in cell and (base / cell.replace("\\", "/")).is_file()
            fixes = ("write the paths with `/`, as in `" + cell.replace("\\", "/") + "`",) if is_windows else ()
            raise ToldError(
                "NN555", message, *fixes, notes=[*notes, f"paths are relative to the table's folder, `{base}`"]
            )
        yield from members

    def _check_labels(self, plan: SourcePlan, members: Sequence[Member]) -> None:
        """Raises NN557 where the subfolders cannot be labels."""
        where = f"column `{plan.shown}`" if plan.table is not None else f"folder `{plan.shown}`"
        depth = 2 if plan.has_split_folders else 1
        if plan.has_split_folders:
            bare = [member for member in members if member.name.count("/") < depth]
            if bare:
                message = f"{where} has the folders of the splits, and {bare[0].place} is in no subfolder of one"
                raise ToldError("NN557", message, "put it into a folder that bears its label, as in `train/LABEL/`")
        loose = [member for member in members if "/" not in member.name]
        if loose:
            what = "no subfolders" if len(loose) == len(members) else f"{self.thing}s beside its subfolders"
            message = f"{where} has {what}, so {loose[0].place} has no label"
            raise ToldError(
                "NN557", message, f"put the {self.thing}s of each label into a subfolder that bears its name"
            )
        deep = [member for member in members if member.name.count("/") > depth] if plan.table is None else []
        if deep:
            message = f"the subfolders of `{plan.shown}` have subfolders ({deep[0].place}), so labels are not clear"
            fix = (
                "name the folder whose subfolders are the labels, or list the files in a table: a column of paths, one "
            )
            fixes = [f"{fix}of labels, and one of splits"]
            if not plan.has_split_folders and all(member.name.count("/") == 2 for member in members):
                found = split_folders({member.name.split("/")[0] for member in members})
                if found:
                    shares = ", ".join(f"{split}: {top}/*" for split, top in found.items())
                    fixes.insert(0, f"take the splits from these folders: `split: {{{shares}, by: files}}`")
            raise ToldError("NN557", message, *fixes)
        labels = sorted({label_of(member.name) for member in members})
        lower: dict[str, str] = {}
        for label in labels:
            same = lower.setdefault(label.casefold(), label)
            if same != label:
                message = f"labels `{same}` and `{label}` of {where} differ only in case"
                raise ToldError("NN557", message, "rename one of the folders")
        if len(labels) < 2:
            message = f"all {self.thing}s of {where} have the same label, `{labels[0]}`"
            raise ToldError("NN557", message, "put each label's files into a separate subfolder")


def _folder_of(table: SourcePlan) -> Path:
    """The folder that paths in a table are relative to: that of its file; of a query's rows, that of its `source`."""
    while table.parts:
        table = table.parts.get(SOURCE_TABLE) or next(iter(table.parts.values()))
    return fixed_folder(table.path)


def _rows(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
