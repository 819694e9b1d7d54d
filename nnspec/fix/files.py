"""`nnspec fix` on files: applies machine-applicable fixes, and writes a file unless it changed in the meantime."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError
from nnspec.diagnostics.apply import fix_text, machine_fix
from nnspec.diagnostics.text import to_json, visible
from nnspec.diagnostics.unwritable import unwritable
from nnspec.document import read_source
from nnspec.lazy import dataclass
from nnspec.pipeline import diagnose

MAX_ROUNDS = 50  # a fix can bring up what only a later phase sees
_BOM = "\ufeff"


@dataclass(frozen=True, eq=False)
class FixedFile:
    """What fixes make of a spec file.

    Attributes:
        path: the file as the user named it.
        before, after: its text, byte order mark included.
        fixed: the diagnostics that fixes removed, in the order in which they were applied.
        remaining: the diagnostics of the text after them.
    """

    path: Path
    before: str
    after: str
    fixed: tuple[Diagnostic, ...]
    remaining: tuple[Diagnostic, ...]

    @property
    def patch(self) -> str:
        """A unified diff that `git apply` and `patch -p1` take in the folder where the command runs."""
        name = _patch_name(self.path)
        lines = list(difflib.unified_diff(_lines(self.before), _lines(self.after), f"a/{name}", f"b/{name}"))
        lines[:2] = [_header(line) for line in lines[:2]]
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def try_write(self) -> FixedFile:
        """Itself, once the file holds the new text; where it cannot be written, only the diagnostics that say why."""
        try:
            if self.fixed:
                self.write()
        except SpecError as error:
            return replace(self, after=self.before, fixed=(), remaining=tuple(error.diagnostics))
        return self

    def write(self) -> None:
        """Puts the new text in the file's place, which is never half written.

        Raises:
            SpecError: NN118 where the file is no longer what was read, NN606 where it cannot be written.
        """
        target = self.path.resolve()
        name = ""
        try:
            handle, name = tempfile.mkstemp(prefix=".nnspec-", dir=target.parent)
            with os.fdopen(handle, "wb") as stream:
                stream.write(self.after.encode("utf-8"))
            os.chmod(name, target.stat().st_mode & 0o7777)
            if target.read_bytes() != self.before.encode("utf-8"):
                raise self._changed()
            os.replace(name, target)
        except FileNotFoundError:
            raise self._changed() from None
        except OSError as error:
            raise unwritable(error, self.path, str(self.path)) from None
        finally:
            Path(name).unlink(missing_ok=True) if name else None

    @property
    def _here(self) -> Span:
        return Span(Source(str(self.path), ""))

    def _changed(self) -> SpecError:
        message = f"`{self.path}` changed while its fixes were being computed, so nothing was written"
        return SpecError.single("NN118", message, self._here, fixes=[Fix("run `nnspec fix` again")])


def fix_file(path: Path, *, allow_outside: bool = False) -> FixedFile:
    """Works out the machine-applicable fixes of a spec, round after round until none is left. Writes nothing.

    A file that cannot be read has nothing to fix, and diagnostics that say why.
    """
    try:
        source = read_source(path)
    except SpecError as error:
        return FixedFile(path, "", "", (), tuple(error.diagnostics))
    mark = _BOM if path.read_bytes().startswith(_BOM.encode()) else ""
    text, made = source.text, list[Diagnostic]()
    left = diagnose(path, allow_outside=allow_outside, source=source)
    for _ in range(MAX_ROUNDS):
        fixed, ended = fix_text(text, left)
        if not ended:
            break
        text, made = fixed, made + ended
        left = diagnose(path, allow_outside=allow_outside, source=Source(source.name, text))
    return FixedFile(path, mark + source.text, mark + text, tuple(made), tuple(left))


def summarize(file: FixedFile) -> list[str]:
    """What was done, a line a fix with its place, and what is left."""
    lines = []
    for diagnostic in file.fixed:
        fix = machine_fix(diagnostic)
        how = f": {fix.message}" if fix is not None else ""
        lines.append(f"{diagnostic.span}: fixed {diagnostic.code}, {diagnostic.message}{how}")
    count = len(file.fixed)
    done = f"{count} fix{'es' if count != 1 else ''} applied" if count else "nothing to fix"
    errors = sum(diagnostic.is_error for diagnostic in file.remaining)
    counts = ((errors, "error"), (len(file.remaining) - errors, "warning"))
    rest = " and ".join(f"{n} {word}{'s' if n != 1 else ''}" for n, word in counts if n)
    lines.append(f"{file.path}: {done}" + (f", {rest} left" if rest else ""))
    return [visible(line) for line in lines]


def to_plain(files: Iterable[FixedFile], *, written: bool) -> dict[str, object]:
    """What `nnspec fix --format json` prints: the files, their fixes and patches, and the diagnostics that are left."""
    listed = list(files)
    entries = [
        {
            "file": str(file.path),
            "written": written and bool(file.fixed),
            "fixed": to_json(file.fixed)["diagnostics"],
            "patch": file.patch,
        }
        for file in listed
    ]
    return {"files": entries, **to_json([diagnostic for file in listed for diagnostic in file.remaining])}


def _lines(text: str) -> list[str]:
    """Lines as patches know them: they end at a line feed alone."""
    *whole, rest = text.split("\n")
    return [line + "\n" for line in whole] + ([rest] if rest else [])


def _patch_name(path: Path) -> str:
    """Relative to the folder where the command runs; elsewhere the file's name alone."""
    absolute, folder = Path(os.path.abspath(path)), Path.cwd()
    return absolute.relative_to(folder).as_posix() if absolute.is_relative_to(folder) else absolute.name


def _header(line: str) -> str:
    """A header whose file name has blanks ends in a tab, and one with odd characters is quoted, as git writes them."""
    sign, name = line.rstrip("\n")[:4], line.rstrip("\n")[4:]
    if any(character in '"\\' or not character.isprintable() for character in name):
        escaped = "".join(_escape(byte) for byte in os.fsencode(name))
        return f'{sign}"{escaped}"\n'
    return f"{sign}{name}\t\n" if " " in name else f"{sign}{name}\n"


def _escape(byte: int) -> str:
    if chr(byte) in '"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
