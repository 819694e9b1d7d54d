"""ONNX Runtime's headers for C++, from a package of npm that carries them, fetched once into the cache."""

from __future__ import annotations

import hashlib
import tarfile
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path

from nnspec.page.web_runtime import cache_folder

ADDRESS = "https://registry.npmjs.org/com.github.asus4.onnxruntime/-/com.github.asus4.onnxruntime-0.4.9.tgz"
FOLDER = "ios-arm64_x86_64-simulator/onnxruntime.framework/Headers/"
HASH = "ac13a446714f64c865f76bb4b4da6a1a3b8b8c1d628e565098010dd76403b133"


def find_headers() -> Path:
    """The folder of the headers, of ONNX Runtime 1.29.

    Raises:
        OSError: they cannot be fetched, or are not those that are known.
    """
    folder = cache_folder().parent / "onnxruntime-headers-1.29.0"
    if not folder.is_dir() or _hash_of(folder) != HASH:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(folder)
        except (HTTPException, tarfile.TarError, EOFError, zlib.error) as error:
            raise OSError(f"{ADDRESS} did not come whole: {error}") from None
        if _hash_of(folder) != HASH:
            raise OSError(f"the headers of {ADDRESS} are not those that are known: their hash differs")
    return folder


def _fetch(folder: Path) -> None:
    """Reads the tarball up to the last header only: the libraries after them are large."""
    found = False
    with urllib.request.urlopen(ADDRESS, timeout=60) as answer, tarfile.open(fileobj=answer, mode="r|gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if FOLDER in member.name and member.name.endswith(".h") else None
            if stream is not None:
                found = True
                (folder / Path(member.name).name).write_bytes(stream.read())
            elif found and FOLDER not in member.name:
                return


def _hash_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.h")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
