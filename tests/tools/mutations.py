"""Whether a wrong lowering passes the gate: `python -m tests.tools.mutations --count 200 --seed 0`, a row each kind.

Exports of every layer kind (their cases under tests/layers), of the specs and, by name, of the larger networks are
broken in as many seeded ways, and each mutant is put to the gate. One that the gate lets pass is compared with Keras on
inputs of another making: it is equal wherever it is looked at (equivalent), further off than rounding but less than the
tolerance that the gate is asked to find, or a survivor, which is told with its mutation. Ends with 1 where there is
one, or where the gate crashed or refused an unbroken export.

    python -m tests.tools.mutations --kind LSTM --kind GRU --count 500
    python -m tests.tools.mutations --right 40    # networks that are right and unbroken: none may be refused
    python -m tests.tools.mutations --spec specs/mnist_cnn.yaml --spec specs/networks/tcn.yaml
"""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras

from nnspec.diagnostics import SpecError
from nnspec.layers.registry import REGISTRY
from tests.support.case_files import KINDS, NOT_EXPORTED, cases_of
from tests.support.layer_cases import Case
from tests.support.mutants import draw
from tests.support.mutants.subjects import trial_of_case, trial_of_right_network, trial_of_spec
from tests.support.mutants.trial import Outcome, Trial

VERDICTS = ("caught", "equivalent", "within tolerance", "survivor", "crash")
MOST_CASES = 24  # of a kind, spread over all of them
Make = Callable[[], Trial]


@dataclass
class Row:
    """What became of the mutants of one kind or spec."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.counts["survivor"] and not self.counts["crash"] and not self.counts["refused"]

    def add(self, trial: Trial, outcome: Outcome) -> None:
        self.counts[outcome.verdict] += 1
        if outcome.verdict in ("survivor", "crash"):
            detail = outcome.detail if outcome.verdict == "survivor" else f"\n{outcome.detail}"
            mutation = outcome.mutation
            self.lines.append(f"  {outcome.verdict}: {trial.name}: {mutation.rule}: {mutation.what}: {detail}")

    def __str__(self) -> str:
        cells = [self.name, sum(self.counts[verdict] for verdict in VERDICTS), *(self.counts[v] for v in VERDICTS)]
        return "| " + " | ".join(map(str, cells)) + " |"


def try_out(name: str, makers: Sequence[Make], count: int, seed: int) -> Row:
    """Breaks the exports in `count` ways altogether; what one cannot take, since it is small, others do."""
    row = Row(name)
    left = count
    for place, make in enumerate(makers):
        trial = make()
        try:
            trial.gate.run(trial.exported)
        except SpecError as error:
            row.counts["refused"] += 1
            row.lines.append(f"  the unbroken export of {trial.name} is refused: {error.diagnostics[0].message}")
            continue
        except Exception:
            row.counts["crash"] += 1
            row.lines.append(f"  crash on the unbroken export of {trial.name}:\n{traceback.format_exc()}")
            continue
        share = -(-left // (len(makers) - place))
        drawn = draw(trial.exported.proto, share, seed)
        for mutation in drawn:
            row.add(trial, trial.judge(mutation))
        left -= len(drawn)
        if left <= 0:
            break
    keras.backend.clear_session()
    gc.collect()
    return row


def spread(cases: Sequence[Case], most: int, seed: int) -> list[Case]:
    """At most so many of the cases, evenly over all of them; others with another seed."""
    if len(cases) <= most:
        return list(cases)
    return [cases[(i * len(cases) // most + seed) % len(cases)] for i in range(most)]


def subjects(arguments: argparse.Namespace) -> Iterator[tuple[str, list[Make]]]:
    for kind in arguments.kind or ([] if arguments.spec else KINDS):
        cases = spread(cases_of(kind), arguments.cases, arguments.seed)
        yield kind, [lambda case=case: trial_of_case(case) for case in cases]  # type: ignore[misc]
    for path in arguments.spec:
        yield path.stem, [lambda path=path: trial_of_spec(path)]  # type: ignore[misc]


def try_right(count: int, seed: int) -> int:
    """A table of random networks that are right, unbroken, each put to the gate; how many it refused."""
    refused = 0
    print("| seed | gain of weights | layers | verdict |\n" + "|---" * 4 + "|")
    for place in range(seed, seed + count):
        trial, gain = trial_of_right_network(place)
        try:
            trial.gate.run(trial.exported)
            verdict = "passed"
        except SpecError as error:
            verdict, refused = f"refused: {error.diagnostics[0].message}", refused + 1
        print(f"| {place} | {gain:g} | {len(trial.gate.graph.nodes)} | {verdict} |", flush=True)
        keras.backend.clear_session()
    print(f"{refused} of {count} right networks refused")
    return refused


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="mutants of each kind or spec (default: 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", default=[], help="a layer kind; may be said several times")
    parser.add_argument("--spec", action="append", type=Path, default=[], help="a spec to break; its data are loaded")
    parser.add_argument("--cases", type=int, default=MOST_CASES, help="of a kind at most (default: %(default)s)")
    parser.add_argument("--right", type=int, metavar="COUNT", help="put so many right networks to the gate instead")
    arguments = parser.parse_args()
    unknown = [kind for kind in arguments.kind if kind not in KINDS]
    if unknown:
        parser.error(f"there are no cases of {', '.join(unknown)}")
    warnings.simplefilter("ignore")
    if arguments.right:
        return 1 if try_right(arguments.right, arguments.seed) else 0
    total = Row("**all**")
    print("| kind | mutants | caught | equivalent | within tolerance | survivors | crashes |\n" + "|---" * 7 + "|")
    for name, makers in subjects(arguments):
        row = try_out(name, makers, arguments.count, arguments.seed)
        print(row, *row.lines, sep="\n", flush=True)
        total.counts += row.counts
    print(total)
    if not arguments.kind and not arguments.spec:
        silent = sorted(set(REGISTRY) - set(KINDS) - set(NOT_EXPORTED))
        print(f"without a case: {', '.join(silent) or 'none'}; not exported: {', '.join(sorted(NOT_EXPORTED))}")
    return 0 if total.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
