"""tests/ledger.json: for environments that it names, what the builds of every spec hash to.

The bytes of a build depend on the spec, its data, the seed, the versions of packages, nnspec's own code, on the
processor, by whose instructions oneDNN chooses kernels (measured: AVX2 and AVX-512 differ for each of three specs;
NumPy's own choice changes nothing), and on how many processors there are, since sums of several threads are added in
another order (measured: convolutions). They do not depend on whether a build was killed and resumed: `ways` lists how
each was built with the same result. `weights` is the hash of the trained weights, which most changes of nnspec leave
alone; `model.onnx` that of the file, by the `code` that is named.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.support.paths import ROOT

LEDGER = ROOT / "tests" / "ledger.json"
# Kernels are chosen by these; others differ between processors that compute alike.
INSTRUCTIONS = (
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
)
PACKAGES = ("nnspec", "keras", "tensorflow", "onnx", "onnxruntime", "numpy", "scikit-learn", "duckdb", "pillow", "soxr")

Environment = dict[str, Any]
Hashes = dict[str, str]


def environment() -> Environment:
    """What the bytes of a build depend on, of this machine."""
    return {
        "versions": {name: _version(name) for name in PACKAGES},
        "system": f"{sys.platform} {platform.machine()}",
        "instructions": [name for name in INSTRUCTIONS if name in _flags()],
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    return set(next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "").split())


def entries() -> list[dict[str, Any]]:
    """An environment each, with `specs`: by spec, and by how it was built, a hash."""
    return list(json.loads(LEDGER.read_text(encoding="utf-8"))) if LEDGER.is_file() else []


def code_hash() -> str:
    """SHA-256 of nnspec's modules and their names."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "nnspec").rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def hashes_of(build: Path) -> Hashes:
    """Those of a build's weights and file."""
    return {
        "weights": weights_hash(build / "model.keras"),
        "model.onnx": hashlib.sha256((build / "model.onnx").read_bytes()).hexdigest(),
    }


def weights_hash(archive: Path) -> str:
    """SHA-256 of the arrays in a Keras archive and their names, whatever else is in it."""
    digest = hashlib.sha256()

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu":
            digest.update(f"{name} {item.dtype} {item.shape}\n".encode() + np.ascontiguousarray(item[()]).tobytes())

    with zipfile.ZipFile(archive) as files:
        stream = io.BytesIO(files.read("model.weights.h5"))
    with h5py.File(stream, "r") as weights:
        weights.visititems(add)
    return digest.hexdigest()


def said(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def recorded(spec: str, threads: int) -> dict[str, Any]:
    """What a spec hashes to in this environment; empty where the ledger does not name it."""
    here = environment()
    found = next((entry["specs"] for entry in entries() if is_of(entry, here)), {})
    return dict(found.get(spec, {}).get(said(threads), {}))


def is_of(entry: dict[str, Any], here: Environment) -> bool:
    return all(entry[key] == here[key] for key in here)


def differences() -> list[str]:
    """What is other here than in the environment of the ledger that is most alike."""
    here = environment()
    found = [list(_differences(entry, here)) for entry in entries()]
    return min(found, key=len) if found else ["the ledger is empty"]


def _differences(entry: dict[str, Any], here: Environment) -> list[str]:
    versions = [
        f"{name} {then} there, {here['versions'][name]} here"
        for name, then in entry["versions"].items()
        if here["versions"].get(name) != then
    ]
    others = [
        f"{key} {entry[key]} there, {here[key]} here" for key in here if key != "versions" and entry[key] != here[key]
    ]
    return versions + others
