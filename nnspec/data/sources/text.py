"""Text files, by the rules of `nnspec.runtime.rules.texts`: of a folder, or of a column of paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import ArrayFacts, MisfitError, SourcePlan
from nnspec.data.sources.csv_options import OPTIONS
from nnspec.data.sources.folders import FolderSource, Member
from nnspec.runtime.rules.texts import OTHER_SUFFIXES, SUFFIXES, TextError, read_text

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata


class TextSource(FolderSource):
    kind = "text"
    noun = "text files"
    thing = "text"
    description = (
        "Text files (.txt), a sample each, for an input with `dtype: string` and one text per sample: a "
        "folder, with one subfolder for each label or none; if the section has a `source`, its column of "
        "paths, relative to the table."
    )
    suffixes = SUFFIXES
    file_suffixes = SUFFIXES
    refused_suffixes = OTHER_SUFFIXES
    options = {"encoding": OPTIONS["encoding"]}

    def probe_members(
        self, plan: SourcePlan, members: Sequence[Member]
    ) -> tuple[ArrayFacts | None, Sequence[MisfitError]]:
        if plan.wanted is None:  # labels are all that is read
            return None, ()
        faults = []
        for member in members:
            try:
                read_text(member.path, _encoding(plan))
            except (TextError, OSError) as error:
                faults.append((member, _reason(error)))
        if faults:
            raise self.unreadable(plan, faults, len(members))
        if any(size != 1 for _, size in plan.wanted.axes):
            shown = ", ".join(f"{name} {'?' if size is None else size}" for name, size in plan.wanted.axes)
            reason = f"has axes ({shown}), but a file is one text: `axes: {{text: 1}}`"
            return None, [MisfitError(reason, self.kind, "NN562")]
        shape = (len(members), *(1 for _ in plan.wanted.axes))
        return ArrayFacts(shape, "<U1", f"the texts of `{plan.shown}`"), ()

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        """The texts: axes `text *model axes`, each of size 1."""
        import numpy as np

        members = self.members(plan)
        texts = np.empty(len(members), dtype=object)
        for position, member in enumerate(members):
            try:
                texts[position] = read_text(member.path, _encoding(plan))
            except (TextError, OSError) as error:
                raise self.unreadable(plan, [(member, _reason(error))], len(members)) from None
        axes = plan.wanted.axes if plan.wanted is not None else ()
        yield texts.reshape(len(members), *(1 for _ in axes))

    def other_reading(self, plan: SourcePlan, faulty: Sequence[Member]) -> str | None:
        """An encoding by which all files can be read; texts that are UTF-8 as it is would become others by it."""
        from nnspec.runtime.rules.csv_sniff import seen_encoding

        given, bad = _encoding(plan), {member.path for member in faulty}
        found = {seen_encoding(path, given) for path in bad}
        encodings = [name for name, _ in found]
        encoding = "cp1252" if "cp1252" in encodings else encodings[0]
        if encoding == given or not all(_can_be_read(path, encoding) for path in bad):
            return None
        others = [member.path for member in self.members(plan) if member.path not in bad]
        if any(not path.read_bytes().isascii() for path in others):
            return f"convert these files to {given.upper()}, which the others are: they seem to be {encoding.upper()}"
        return f"write `encoding: {encoding}` beside `text:`, if that is what these files are"

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        column = {"column": plan.shown} if plan.table is not None else {"folder": plan.path.name}
        return {"files": {"kind": self.kind, **column, "encoding": _encoding(plan)}}

    def read_inputs(self, file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.reading import read_inputs

        return read_inputs(file, metadata)


def _encoding(plan: SourcePlan) -> str:
    return str(plan.options.get("encoding", "utf-8"))


def _can_be_read(path: Path, encoding: str) -> bool:
    try:
        read_text(path, encoding)
    except (TextError, OSError):
        return False
    return True


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


SOURCE = TextSource()
