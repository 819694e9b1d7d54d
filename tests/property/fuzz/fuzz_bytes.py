"""Byte-level fuzzing of `nnspec check` by atheris: libFuzzer over instrumented Python.

    python -m tests.property.fuzz.fuzz_bytes SECONDS [libFuzzer options]

Starts from every spec under specs/ and tests/golden/errors/. Exit code 0 where nothing was found; otherwise the input
that broke nnspec lies in the file that the last lines name, and
 `python -m tests.property.fuzz.fuzz_bytes 0 FILE` runs it again.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nnspec"]):
    from nnspec.catalogue import keras_objects
    from nnspec.expansion import expand
    from nnspec.layers.registry import REGISTRY
    from nnspec.schema.sections import REQUIRED
    from tests.property.fuzz.target import ERRORS, MEGABYTES, SECONDS, folder_with_data, run_on

    expand.MAX_ITEMS, expand.MAX_ROUNDS = 1000, 5000  # instrumented code is many times slower
    LAYERS = list(REGISTRY.values())  # imports their modules

SPECS = ERRORS.parent.parent / "specs"
MAX_BYTES = 4096


def write_corpus(folder: Path) -> None:
    """What mutations start from: the specs that are right, and those that show each error."""
    for path in (*SPECS.glob("*.yaml"), *ERRORS.glob("*.yaml")):
        (folder / path.name).write_bytes(path.read_bytes()[:MAX_BYTES])


def write_dictionary(path: Path) -> None:
    """Words of the language, which bytes alone would hardly find."""
    words = {*REGISTRY, *REQUIRED, "repeat", "block", "share", "for", "times", "vars", "data", "training", "export"}
    words |= {argument for layer in LAYERS for argument in layer.args}
    words |= {name for family in keras_objects.FAMILIES for name in keras_objects.names(family)}
    words |= {
        "$(",
        "$x",
        "<<: *a",
        "&a",
        "*a",
        "!!python",
        "\\xef\\xbb\\xbf",
        "\\xe2\\x80\\xa8",
        "\\x00",
        "1e400",
        "---",
    }
    path.write_text("".join(f'"{word}"\n' for word in sorted(words)), encoding="utf-8")


def main(seconds: str, *options: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="nnspec-fuzz-"))
    corpus, found = folder / "corpus", Path(os.environ.get("NNSPEC_FUZZ_FOUND", folder))
    corpus.mkdir()
    write_corpus(corpus)
    write_dictionary(folder / "words.dict")
    spec = folder_with_data(folder)
    flags = [
        f"-max_total_time={seconds}",
        f"-timeout={SECONDS}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-max_len={MAX_BYTES}",
        f"-dict={folder / 'words.dict'}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
    ]
    has_input = any(not option.startswith("-") for option in options)
    inputs = options if has_input else (*options, str(corpus))
    atheris.Setup([sys.argv[0], *flags, *inputs], lambda data: run_on(spec, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["60"]))
