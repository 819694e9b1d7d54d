"""Large vocabularies: size of the ONNX file, seconds to export and verify it, and to run 64 texts of 50 words.

`python tests/benchmarks/text_vocabularies.py [WORDS …]`; a process each, so that memory is that of one.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = [1_000, 10_000, 50_000]
BODIES = {"int": {"output_sequence_length": 50}, "multi_hot": {"output_mode": "multi_hot"}}


def measure(count: int, mode: str) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # noqa: F401  # the time that it takes to import is not that of an export
    import numpy as np

    import nnspec
    from nnspec import api

    words = ["".join(letters) for letters in itertools.islice(itertools.product("etaoinshrd", repeat=6), count)]
    embed = [{"Embedding": {"input_dim": count + 2, "output_dim": 8}}, {"GlobalAveragePooling1D": {}}]
    after = embed if mode == "int" else []
    spec = {
        "nnspec": 1,
        "name": "texts",
        "inputs": {"text": {"axes": {"text": 1}, "dtype": "string"}},
        "model": [{"TextVectorization": {"vocabulary": words, **BODIES[mode]}}, *after, {"Dense": {"units": 1}}],
        "outputs": {"y": {"task": "regression"}},
    }
    texts = np.asarray(
        [[" ".join(f"{w}," if k % 8 else w for k, w in enumerate(words[i : i + 50]))] for i in range(64)]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(json.dumps(spec), encoding="utf-8")
        start = time.perf_counter()
        made = api.load(path).export(Path(folder) / "out", untrained=True)
        verified = time.perf_counter() - start
        predict = nnspec.runtime.load(made.onnx)
        predict(texts)
        start = time.perf_counter()
        predict(texts)
        took = time.perf_counter() - start
        size = Path(made.onnx).stat().st_size / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"| {count:,} | {mode} | {size:.2f} | {verified:.1f} | {took * 1e3:.0f} | {most:.0f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]), sys.argv[3])
    else:
        print("| words | mode | file, MB | export and verification, s | 64 texts, ms | memory, MB |")
        print("|---|---|---|---|---|---|", flush=True)
        for words in map(int, sys.argv[1:]) if sys.argv[1:] else SIZES:
            for mode in BODIES:
                subprocess.run([sys.executable, __file__, "--one", str(words), mode], check=True)
