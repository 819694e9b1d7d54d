"""A file's text, bounded in size and decoded."""

from __future__ import annotations

from pathlib import Path

from nnspec.diagnostics import Fix, Source, Span, SpecError

MAX_BYTES = 8 * 1024 * 1024


def read_source(path: str | Path) -> Source:
    """Reads a spec's text.

    Raises:
        SpecError: NN101 where the file cannot be read, NN102 where it is not UTF-8, NN106 where it is too large.
    """
    name = str(path)
    here = Span(Source(name, ""))
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise SpecError.single("NN101", f"cannot read `{name}`: {reason.lower()}", here) from None
    except ValueError:
        raise SpecError.single("NN101", f"cannot read {name!r}: not a file name", here) from None
    if len(data) > MAX_BYTES:
        raise SpecError.single("NN106", f"`{name}` is larger than {MAX_BYTES // 2**20} MiB", here)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        span = Source(name, data.decode("utf-8", "replace")).character(
            len(data[: error.start].decode("utf-8", "replace"))
        )
        if b"\0" in data[:4096]:
            message = f"`{name}` is not a text file: it looks binary"
            raise SpecError.single("NN102", message, here, fixes=[Fix("pass the YAML spec")]) from None
        message = f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise SpecError.single("NN102", message, span, fixes=[Fix("save the file as UTF-8")]) from None
    return Source(name, text)
