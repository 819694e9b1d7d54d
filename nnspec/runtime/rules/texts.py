"""Text files as a model takes them: one text each. The same for checking, training and predicting.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".txt",)
# What people take for texts and what cannot be read: to leave these out in silence would be a surprise.
OTHER_SUFFIXES = frozenset((".doc", ".docx", ".pdf", ".odt", ".rtf", ".html", ".htm", ".md", ".rst", ".eml"))


class TextError(ValueError):
    """The file is no text that can be read; the message completes `FILE cannot be used: …`."""


def read_text(file: Path, encoding: str) -> str:
    """A file's text, without a byte order mark, lines ended by LF.

    Raises:
        TextError: where it is not text of that encoding, or empty.
        OSError: where it cannot be read.
    """
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        text = file.read_bytes().decode(codec)
    except UnicodeDecodeError as error:
        raise TextError(
            f"it is not {encoding.upper()} text: byte {error.start + 1} is {error.object[error.start]:#04x}"
        ) from None
    except UnicodeError as error:
        raise TextError(f"it is not {encoding.upper()} text: {error}") from None
    if not text.strip():
        raise TextError("it is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")
