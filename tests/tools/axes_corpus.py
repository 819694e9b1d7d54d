"""How many swapped axes `nnspec check model.onnx` finds: `python -m tests.tools.axes_corpus [NAME…]`.

Graphs of specs, of specs/networks and specs/papers and of keras.applications, each by nnspec and by Keras' own
exporter, are checked as they are, which must raise no alarm, and with one swap at every Reshape and Transpose, which
must raise one: a reshape in place of a transpose, or the sizes of a reshape the wrong way round. Prints a row a graph;
ends with 1 where recall is below 0.99, a graph that nobody changed raises an alarm or takes more than a second, or
nnspec could not make one. Models that Keras' exporter refuses, or has no memory for, are told.

Graphs, without their weights, and rows are kept in --out, so that a run that was cut goes on; a row is measured again
where the rules have changed. `--made` measures those that are there.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.graph_corpus import Row, Subject, make, measure, read_row, subjects, write_row

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
RECALL = 0.99
MOST_SECONDS = 1.0  # of a check
MOST_MEMORY = 1536 * 2**10  # KiB that a process may have taken when it begins another graph
LIMIT = 10 * 2**30  # bytes that making one may take, so that others on the machine are not harmed


def rows(chosen: Sequence[Subject], out: Path) -> Iterator[tuple[Subject, Row | str]]:
    """Each graph's row, or why there is none."""
    for subject in chosen:
        path = out / f"{subject.title}.onnx"
        if not path.is_file():
            yield from ((subject, reason) for reason in make_some(subject, chosen, out))
        if path.is_file():
            row = read_row(path)
            if row is None:
                row = measure(path, subject.title)
                write_row(path, row)
            yield subject, row


def make_some(subject: Subject, chosen: Sequence[Subject], out: Path) -> list[str]:
    """Makes a graph, and those behind it as long as the process stays small; says why the first could not be made."""
    behind = [other.title for other in chosen[chosen.index(subject) :] if not (out / f"{other.title}.onnx").is_file()]
    command = [sys.executable, "-m", "tests.tools.axes_corpus", "--out", str(out), "--make", *behind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if (out / f"{subject.title}.onnx").is_file():
        return []
    return [" ".join(done.stderr.strip().splitlines()[-1:]) or f"ended with {done.returncode}"]


def make_listed(titles: Sequence[str], out: Path) -> None:
    """Ends with the traceback of the first that cannot be made."""
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    import keras

    by_title = {subject.title: subject for subject in subjects()}
    for title in titles:
        make(by_title[title], out / f"{title}.onnx")
        keras.backend.clear_session()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MOST_MEMORY:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description="How many swapped axes are found in graphs of ONNX.")
    parser.add_argument("names", nargs="*", help="of graphs, as the table calls them [default: all]")
    parser.add_argument("--out", type=Path, default=Path("out/axes_corpus"))
    parser.add_argument("--exporter", help="only graphs of this one: nnspec or keras")
    parser.add_argument("--made", action="store_true", help="only graphs that --out has")
    parser.add_argument("--make", nargs="+", metavar="NAME", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.make:
        make_listed(given.make, given.out)
        return
    chosen = [
        subject
        for subject in subjects()
        if (not given.names or subject.title in given.names)
        and given.exporter in (None, subject.exporter)
        and (not given.made or (given.out / f"{subject.title}.onnx").is_file())
    ]
    found = list[Row]()
    unmade = list[Subject]()
    print("| graph | nodes | alarms as it is | swapped | found | seconds |\n|---|---|---|---|---|---|")
    for subject, row in rows(chosen, given.out):
        if isinstance(row, str):
            print(f"| {subject.title} | not exported: {row} |", flush=True)
            unmade.append(subject)
            continue
        found.append(row)
        figures = (row.nodes, len(row.alarms), row.swapped, row.found, f"{row.seconds:.2f}")
        print(f"| {row.name} | {' | '.join(map(str, figures))} |", flush=True)
        for told in row.alarms:
            print(f"alarm in {row.name}: {told}", flush=True)
        for missed in row.missed:
            print(f"missed in {row.name}: {missed}", flush=True)
    swapped, hits = sum(row.swapped for row in found), sum(row.found for row in found)
    alarms = sum(len(row.alarms) for row in found)
    recall = hits / swapped if swapped else 1.0
    slowest = max(found, key=lambda row: row.seconds, default=None)
    took = f", {slowest.seconds:.2f} s at most ({slowest.name})" if slowest else ""
    left = f", not exported: {', '.join(subject.title for subject in unmade)}" if unmade else ""
    print(f"recall {recall:.4f} ({hits} of {swapped}), {alarms} alarms on {len(found)} graphs{took}{left}")
    is_slow = slowest is not None and slowest.seconds > MOST_SECONDS
    sys.exit(recall < RECALL or alarms > 0 or is_slow or any(subject.exporter == "nnspec" for subject in unmade))


if __name__ == "__main__":
    main()
