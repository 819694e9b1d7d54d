"""What a file is that cannot be read as the spec says, by its first bytes: a workbook, an archive, a web page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nnspec.lazy import dataclass

_HEAD = 512
_MOST_FILES = 1000


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of files.

    Attributes:
        head: a pattern of what such a file begins with, blanks left out.
        what: what messages call it.
        remedy: what to do; `FILE` is its name.
        suffixes: of a source that reads it, whose files are not foreign to it.
    """

    head: bytes
    what: str
    remedy: str
    suffixes: tuple[str, ...] = ()


_FORMS = (
    _Form(
        rb"PK\x03\x04",
        "a zip archive",
        "of an Excel workbook (.xlsx), save the sheet as CSV; else unpack it",
        (".npz",),
    ),
    _Form(rb"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save the sheet as CSV"),
    _Form(rb"\x1f\x8b", "compressed by gzip", "rename it to `FILE.gz`, or decompress it", (".gz",)),
    _Form(rb"BZh|\xfd7zXZ|\x28\xb5\x2f\xfd", "compressed", "decompress it"),
    _Form(rb"PAR1", "a Parquet file", "write `parquet:` for its kind", (".parquet",)),
    _Form(rb"ARROW1", "an Arrow file", "write `arrow:` for its kind", (".arrow", ".feather")),
    _Form(rb"SQLite format 3\x00", "a SQLite database", "write `sql:` for its kind, and `table:` beside it"),
    _Form(rb"\x93NUMPY", "a NumPy array (.npy)", "write `npy:` for its kind", (".npy",)),
    _Form(rb"%PDF", "a PDF", "export its table as CSV"),
    _Form(
        rb"(?i:<(!|\?xml|html|head|body))",
        "an HTML or XML page",
        "download the file again: servers answer with a page where there is an error",
    ),
    _Form(rb"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: `git lfs pull`"),
    _Form(rb"\{\s*\"|\[\s*[{\[]", "JSON", "write `json:` for its kind", (".json",)),
)


def find_foreign(files: Iterable[Path], suffixes: Iterable[str]) -> tuple[str, str] | None:
    """What the first file that is of no kind with these suffixes is, and what to do; None where that is not known."""
    own = set(suffixes)
    if not own:
        return None
    for file, _ in zip(files, range(_MOST_FILES), strict=False):
        try:
            with file.open("rb") as stream:
                head = stream.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
        except OSError:
            continue
        form = next((form for form in _FORMS if re.match(form.head, head)), None)
        if form is not None and not own.intersection(form.suffixes) and file.suffix not in form.suffixes:
            return f"`{file.name}` is {form.what}", form.remedy.replace("FILE", file.name)
    return None
