"""Builds specs in several ways and compares the bytes of `model.onnx`: `python -m tests.tools.ledger [SPEC…]`.

Each spec is built on one processor and on two, undisturbed and killed once (at the end of a random epoch) and resumed:
four builds. How many processors there are changes the bytes of some specs, since sums of several threads are added in
another order; a kill must change none. With `--write` their hashes go into tests/ledger.json, under the versions
of packages and the processor that they depend on; without, they are compared with those in it: the weights always, the
file where nnspec's code is the recorded one. What is recorded already is not built again, unless specs are named.

    python -m tests.tools.ledger --check out/causal_cnn     # a build that is there, against the ledger
    python -m tests.tools.ledger --ways rebuilt --write     # `nnspec rebuild` of each spec instead

It exits with 1 if bytes differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TextIO

from tests.support.forked import forked
from tests.support.ledger import (
    LEDGER,
    Hashes,
    code_hash,
    differences,
    entries,
    environment,
    hashes_of,
    is_of,
    recorded,
    said,
)
from tests.support.paths import ROOT

THREADS = (1, 2)
WAYS = ("undisturbed", "killed", "rebuilt")


def in_process(log: Path, threads: int, spec: Path, out: Path, *, rebuild: bool) -> int:
    """Starts a build in a process of its own, on so many processors; the process."""

    def work(stream: TextIO) -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        from nnspec import jobs, pipeline
        from nnspec.jobs.rebuilding import run_rebuild
        from nnspec.progress import Progress

        if rebuild:
            run_rebuild(out / "model.onnx", spec.parent, Progress(stream=stream))
        else:
            jobs.run_build(pipeline.check(spec), out, Progress(stream=stream), resume=True)

    return forked(log, work, mode="a")


def ended(child: int, log: Path) -> None:
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SystemExit(f"a build failed:\n{log.read_text(encoding='utf-8')}")


def epochs_of(log: Path) -> int:
    """How many epochs a build has said are done."""
    return log.read_text(encoding="utf-8").count("\nepoch ") if log.exists() else 0


def built(spec: Path, folder: Path, threads: int, after: int | None) -> Hashes:
    """What a build hashes to.

    Args:
        after: the epochs after which it is killed, and then resumed; None where it is not.
    """
    log, out = folder / "log", folder / "out"
    log.write_text("", encoding="utf-8")
    if after is not None:
        child = in_process(log, threads, spec, out, rebuild=False)
        while epochs_of(log) < after and not out.exists():
            time.sleep(0.02)
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                raise SystemExit(f"{spec.stem} was not killed:\n{log.read_text(encoding='utf-8')}")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    ended(in_process(log, threads, spec, out, rebuild=False), log)
    return hashes_of(out)


def ways_of(spec: Path, moments: random.Random, threads: int, ways: Collection[str]) -> Iterator[tuple[str, Hashes]]:
    """How a spec was built, and what it hashes to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield "undisturbed", built(spec, folder, threads, None)
        epochs = epochs_of(folder / "log")
        if "rebuilt" in ways:  # on all processors; it ends with an error where the bytes are others
            every = len(os.sched_getaffinity(0))
            ended(in_process(folder / "log", every, spec, folder / "out", rebuild=True), folder / "log")
            yield "rebuilt", hashes_of(folder / "out")
    if "killed" in ways:
        with tempfile.TemporaryDirectory() as name:
            yield "killed", built(spec, Path(name), threads, moments.randint(1, max(1, epochs - 1)))


def write(spec: str, threads: int, hashes: Hashes, ways: list[str]) -> None:
    """Puts hashes into the ledger, in the entry of this environment."""
    found, here = entries(), environment()
    entry = next((entry for entry in found if is_of(entry, here)), None)
    if entry is None:
        entry = {**here, "specs": {}}
        found.append(entry)
    found_here = {**hashes, "code": code_hash(), "ways": ways}
    of_spec = {**entry["specs"].get(spec, {}), said(threads): found_here}
    entry["specs"] = dict(sorted({**entry["specs"], spec: of_spec}.items()))
    LEDGER.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def check(folder: Path) -> int:
    """Compares a build that is there with the ledger, where that names this environment."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return 1 if compare(manifest["name"], manifest["processors"], hashes_of(folder)) else 0


def compare(spec: str, threads: int, found: Hashes) -> bool:
    """Whether hashes differ from those in the ledger; says what was compared, and what was not."""
    known = recorded(spec, threads)
    if not known:
        reason = "; ".join(differences()) or f"the ledger does not have it on {said(threads)}"
        print(f"{spec}: not compared: {reason}", flush=True)
        return False
    is_differing = False
    for part, digest in found.items():
        if part == "model.onnx" and known["code"] != code_hash():
            print(f"{spec}: {part} {digest[:16]}, not compared: nnspec was changed since", flush=True)
            continue
        is_same = known[part] == digest
        is_differing |= not is_same
        verdict = "as in the ledger" if is_same else f"FAULT: the ledger has {known[part][:16]}"
        print(f"{spec}: {part} {digest[:16]} on {said(threads)}, {verdict}", flush=True)
    return is_differing


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.ledger", description=__doc__.splitlines()[0])
    parser.add_argument("specs", nargs="*", type=Path, help="default: those under specs/ that the ledger lacks")
    parser.add_argument("--write", action="store_true", help="put the hashes into tests/ledger.json")
    parser.add_argument("--check", type=Path, metavar="BUILD", help="only compare this build with the ledger")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["undisturbed", "killed"], help="how each is built")
    parser.add_argument("--threads", nargs="+", type=int, default=THREADS, help="on how many processors")
    given = parser.parse_args(arguments)
    if given.check is not None:
        return check(given.check)
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from nnspec.backends.keras.startup_output import hold_standard_error

    with hold_standard_error():
        import keras  # noqa: F401 - before the forks; nothing is computed here, which would start threads

        from nnspec import jobs  # noqa: F401
    every = sorted((ROOT / "specs").glob("*.yaml"))
    moments, faults = random.Random(0), 0
    todo = [(spec, threads) for threads in given.threads for spec in given.specs or every]
    for spec, threads in [(s, n) for s, n in todo if given.specs or not recorded(s.stem, n)]:
        found: dict[str, Hashes] = {}
        for way, hashes in ways_of(spec.absolute(), moments, threads, given.ways):
            found[way] = hashes
            print(f"{spec.stem}: model.onnx {hashes['model.onnx'][:16]} on {said(threads)}, {way}", flush=True)
        first = next(iter(found.values()))
        if any(hashes != first for hashes in found.values()):
            print(f"FAULT: {spec.stem} was built differently", flush=True)
            faults += 1
        elif given.write:
            write(spec.stem, threads, first, list(found))
        else:
            faults += compare(spec.stem, threads, first)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
