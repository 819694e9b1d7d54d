"""Data paths of a spec: relative to its folder, and never outside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from nnspec.diagnostics import Diagnostic, Fix, Span, SpecError, nearest
from nnspec.runtime.rules.partitions import WILDCARDS, fixed_folder


def has_wildcard(text: str) -> bool:
    return bool(WILDCARDS & set(text))


def resolve(
    text: str, root: Path, span: Span, path: str, *, allow_outside: bool = False, is_pattern: bool = False
) -> Path:
    """The file (or pattern) that `text` names below `root`. Nothing is opened and nothing need exist.

    Raises:
        SpecError: NN510 where it leaves the folder by `..`, as an absolute path or through a symbolic link.
    """
    if "\0" in text:
        raise SpecError([Diagnostic("NN501", f"{text!r} is not a file name", span, path=path)])
    if not allow_outside and (PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive):
        raise _leaves(text, root, span, path, "it is an absolute path")
    try:
        joined = root / Path(text).expanduser() if allow_outside else root / text
    except RuntimeError:  # `~nobody`
        raise SpecError([Diagnostic("NN501", f"{text!r} is not a file name", span, path=path)]) from None
    if not allow_outside:
        fixed = root / fixed_folder(Path(text)) if is_pattern and has_wildcard(text) else joined
        if ".." in Path(joined.name).parts or not is_below(fixed, root):
            raise _leaves(text, root, span, path, "`..` or a symbolic link leads out of it")
    return joined


def is_below(path: Path, root: Path) -> bool:
    """Whether `path` stays below `root` once every symbolic link and `..` is followed."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def expand(pattern: Path) -> list[Path]:
    """The files that a path, or a pattern in its last part, names, in file-name order."""
    if not has_wildcard(pattern.name):
        return [pattern] if pattern.is_file() else []
    try:
        return sorted((p for p in pattern.parent.glob(pattern.name) if p.is_file()), key=lambda p: p.name)
    except (OSError, ValueError):
        return []


def missing_file(
    shown: str, path: Path, span: Span, where: str, noun: str = "", *, is_folder: bool = False
) -> Diagnostic:
    """NN501, with a file nearby that may have been meant.

    Args:
        noun: what messages call the files that a folder may hold, where it may be one.
        is_folder: whether it must be one.
    """
    folder = fixed_folder(path)
    if path.is_dir() and noun:
        return Diagnostic("NN501", f"folder `{shown}` has no {noun}", span, path=where)
    if path.is_dir():
        return Diagnostic("NN501", f"`{shown}` is a folder, not a file", span, path=where)
    if path.is_symlink() and not path.exists():
        target = f"`{shown}` is a symbolic link to `{path.readlink()}`, which does not exist"
        return Diagnostic("NN501", target, span, path=where)
    if not has_wildcard(path.name) and path.exists() and not path.is_file():
        return Diagnostic("NN501", f"`{shown}` is neither a file nor a folder", span, path=where)
    fixes: tuple[Fix, ...] = ()
    notes: tuple[str, ...] = ()
    if not folder.is_dir():
        notes = (f"there is no folder `{folder}`",)
        close = (
            nearest(folder.name, [p.name for p in folder.parent.iterdir() if p.is_dir()])
            if (folder.parent.is_dir())
            else []
        )
        fixes = tuple(Fix(f"did you mean the folder `{name}`?") for name in close)
    else:
        close = nearest(path.name, [p.name for p in sorted(folder.iterdir()) if p.is_dir() is is_folder])
        fixes = tuple(Fix(f"did you mean `{Path(shown).with_name(name).as_posix()}`?") for name in close)
        notes = () if close else (f"paths are relative to the spec's folder; looked in `{folder}`",)
    if "://" in shown:
        notes, fixes = (
            (),
            (Fix("files are read from the spec's folder: download it first; `sql` reads PostgreSQL servers"),),
        )
    what = "no file matches" if has_wildcard(path.name) else "there is no file"
    what = "there is no folder" if is_folder else what
    what = "there is a file, but no folder" if is_folder and path.is_file() else what
    return Diagnostic("NN501", f"{what} `{shown}`", span, path=where, notes=notes, fixes=fixes)


def _leaves(text: str, root: Path, span: Span, path: str, why: str) -> SpecError:
    message = f"`{text}` is outside the spec's folder: {why}"
    fix = Fix("keep data files in the spec's folder and write their paths relative to it")
    return SpecError([Diagnostic("NN510", message, span, path=path, notes=(f"the folder is `{root}`",), fixes=(fix,))])
