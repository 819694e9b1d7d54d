"""ONNX Runtime for browsers: two files of npm's package `onnxruntime-web`, of one version whose hashes are known.

They come from the user's cache, from a folder or tarball that is given, or from npm's registry, once.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import os
import tarfile
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.30.0"
ADDRESS = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
INTEGRITY = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # npm's SHA-512
SCRIPT, BINARY = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
# Of npm's four builds the smallest, and the only one without code for WebGPU; it has all operators of the CPU.
HASHES = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_SECONDS = 60


class RuntimeUnavailable(Exception):
    """The runtime cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class WebRuntime:
    """The runtime's two files."""

    script: str
    binary: bytes


def cache_folder() -> Path:
    """Where the files are kept: XDG_CACHE_HOME, or .cache in the home folder."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "nnspec" / f"onnxruntime-web-{VERSION}"


def find_runtime(given: Path | None = None) -> WebRuntime:
    """The runtime's files.

    Args:
        given: npm's tarball, or a folder with its files; None: the cache, else npm's registry.

    Raises:
        RuntimeUnavailable: where they cannot be had, or are not those of the version.
    """
    if given is not None:
        return _check_hashes(_of_folder(given) if given.is_dir() else _of_tarball(_read(given), str(given)), str(given))
    cached = cache_folder()
    if all((cached / name).is_file() for name in HASHES):
        try:
            return _check_hashes({name: _read(cached / name) for name in HASHES}, str(cached))
        except RuntimeUnavailable:
            pass  # damaged: fetched again
    files = _of_tarball(_fetch(), ADDRESS)
    found = _check_hashes(files, ADDRESS)
    _keep(cached, files)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RuntimeUnavailable(f"`{path}` cannot be read: {error.strerror}") from None


def _of_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder, or of one that npm unpacked."""
    for inner in (folder, folder / "dist", folder / "package" / "dist", folder / "onnxruntime-web" / "dist"):
        if all((inner / name).is_file() for name in HASHES):
            return {name: _read(inner / name) for name in HASHES}
    raise RuntimeUnavailable(f"`{folder}` has no {' and '.join(HASHES)}, nor has its `dist`")


def _of_tarball(data: bytes, origin: str) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            members = {Path(member.name).name: member for member in archive if member.isfile()}
            found = {}
            for name in HASHES:
                stream = archive.extractfile(members[name]) if name in members else None
                if stream is None:
                    raise RuntimeUnavailable(f"`{origin}` has no `{name}`: it is not onnxruntime-web {VERSION}")
                found[name] = stream.read()
            return found
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        raise RuntimeUnavailable(f"`{origin}` is not a tarball, or is damaged") from None


def _fetch() -> bytes:
    try:
        with urllib.request.urlopen(ADDRESS, timeout=_SECONDS) as answer:
            data: bytes = answer.read()
    except (OSError, http.client.HTTPException) as error:  # an address that answers with an error, no network, cut off
        reason = getattr(error, "reason", None) or error
        raise RuntimeUnavailable(
            f"onnxruntime-web {VERSION} cannot be fetched from {ADDRESS}: {reason}; fetch it where there is a network "
            f"(`npm pack onnxruntime-web@{VERSION}`), and give the tarball by `--runtime`"
        ) from None
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != INTEGRITY:
        raise RuntimeUnavailable(f"what {ADDRESS} gave is not what npm published: its SHA-512 differs; nothing is used")
    return data


def _check_hashes(files: dict[str, bytes], origin: str) -> WebRuntime:
    for name, wanted in HASHES.items():
        if hashlib.sha256(files[name]).hexdigest() != wanted:
            raise RuntimeUnavailable(f"`{name}` of {origin} is not that of onnxruntime-web {VERSION}: its hash differs")
    return WebRuntime(files[SCRIPT].decode("utf-8"), files[BINARY])


def _keep(folder: Path, files: dict[str, bytes]) -> None:
    """Writes the files into the cache; without a place for them, the next page fetches them again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            beside = folder / f".{name}.{os.getpid()}.tmp"
            beside.write_bytes(data)
            beside.replace(folder / name)
    except OSError:
        return
