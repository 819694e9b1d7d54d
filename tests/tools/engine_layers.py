"""Every layer on JAX against TensorFlow: `python -m tests.tools.engine_layers [PATTERN …] [--first] [--at-once 40]
[--between 760 858] [--results FILE] [--arguments]`.

The losses of 20 steps of each case of tests/layers (`--arguments`: of tests/support/argument_cases.py), without dropout
and changes of pictures; some cases a process, one engine after the other. Printed are the cases that differ by more
than 1e-4, of losses above 1 by more than that share of them (a float32 near 25,000 has steps of 2e-3), and those that
JAX cannot train, each with the code of the diagnostic that refuses it; and a last line with how many there are of each.
What `--results` holds already is not run again, so that a run that was cut short goes on. Exits with 1 where a case
differs, or fails without being refused by name.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path

import numpy as np

from nnspec.pipeline import diagnose
from tests.support.argument_cases import argument_cases
from tests.support.case_files import CASES
from tests.support.layer_cases import Case, spec_of
from tests.tools.engine_losses import found_by

MOST = 1e-4
Found = dict[str, np.ndarray]


def chosen_cases(patterns: list[str], *, is_first: bool, of_arguments: bool) -> list[Case]:
    """The cases whose labels fit.

    Args:
        is_first: whether the first case of each kind is enough.
        of_arguments: whether they are those of each argument's values instead.
    """
    known = argument_cases() if of_arguments else CASES
    found = [case for case in known if any(fnmatchcase(case.label, pattern) for pattern in patterns)]
    if not is_first:
        return found
    return list({case.kind: case for case in reversed(found)}.values())[::-1]


def refusal(case: Case) -> str:
    """The code of the error that a check of the case gives for JAX; empty where it gives none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.yaml"
        path.write_text(json.dumps({**spec_of(case), "training": {"backend": "jax"}}), encoding="utf-8")
        return next((each.code for each in diagnose(path) if each.is_error), "")


def compared(case: Case, jax: Found, tensorflow: Found) -> tuple[str, str]:
    """What a case is (`equal`, `differs`, `refused`, `no loss`, `fails`), and what is to be said of it."""
    name = case.label
    failures = {
        e: str(f[f"{name}/failure"]).splitlines()[0] for e, f in _both(jax, tensorflow) if f"{name}/failure" in f
    }
    code = refusal(case)
    if code:
        return "refused", f"{code}: {failures.get('jax', 'though JAX trains it')}"
    if set(failures) == {"jax", "tensorflow"}:  # texts, and whole numbers that no weight reaches
        return "no loss", failures["tensorflow"]
    if failures:
        return "fails", "; ".join(f"{engine}: {text}" for engine, text in failures.items())
    one, two = jax[f"{name}/losses"], tensorflow[f"{name}/losses"]
    if one.shape != two.shape or not np.array_equal(np.isfinite(one), np.isfinite(two)):
        return "differs", f"losses {one} and {two}"
    with np.errstate(invalid="ignore"):
        away = (np.abs(one - two) / np.maximum(1.0, np.abs(two)))[np.isfinite(one)]
    worst = float(away.max(initial=0.0))
    if worst < MOST:
        return "equal", f"{worst:.0e}"
    weights = float(np.abs(jax[f"{name}/weights"] - tensorflow[f"{name}/weights"]).max(initial=0.0))
    return "differs", f"by {worst:.1e} (first step {away[0]:.1e}, initial weights {weights:.0e})"


def _both(jax: Found, tensorflow: Found) -> tuple[tuple[str, Found], ...]:
    return ("jax", jax), ("tensorflow", tensorflow)


def read_results(path: Path | None) -> dict[str, tuple[str, str]]:
    """By label what a case is, and what is to be said of it; nothing where there is no file yet."""
    if path is None or not path.is_file():
        return {}
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {label: (verdict, text) for label, verdict, text in rows}


def tell(case: Case, verdict: str, text: str, counts: Counter[str]) -> None:
    """Counts a case, and prints what is not equal."""
    counts[verdict] += 1
    if verdict != "equal":
        print(f"{verdict:<8} {case.label}: {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("patterns", nargs="*", default=["*"], help="Of labels, such as `LSTM*`.")
    parser.add_argument("--first", action="store_true", help="The first case of each kind only.")
    parser.add_argument("--arguments", action="store_true", help="Values of arguments that no case of the tests has.")
    parser.add_argument("--at-once", type=int, default=40, help="Cases a process.")
    parser.add_argument("--between", type=int, nargs=2, metavar=("FROM", "TO"), help="Of these, by number from 0.")
    parser.add_argument("--results", type=Path, help="A line of JSON a case: read first, then written to.")
    asked = parser.parse_args()
    cases = chosen_cases(asked.patterns, is_first=asked.first, of_arguments=asked.arguments)
    cases = cases[slice(*(asked.between or (None,)))]
    known = read_results(asked.results)
    counts: Counter[str] = Counter()
    for case in cases:
        if case.label in known:
            tell(case, *known[case.label], counts)
    cases = [case for case in cases if case.label not in known]
    for start in range(0, len(cases), asked.at_once):
        part = cases[start : start + asked.at_once]
        jax, tensorflow = (
            found_by(engine, [f"case:{escape(c.label)}" for c in part]) for engine in ("jax", "tensorflow")
        )
        for case in part:
            verdict, text = compared(case, jax, tensorflow)
            tell(case, verdict, text, counts)
            if asked.results:
                with asked.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([case.label, verdict, text]) + "\n")
        print(f"{min(start + asked.at_once, len(cases))} of {len(cases)} cases", file=sys.stderr, flush=True)
    print(f"{counts.total()} cases: {', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))}")
    sys.exit(1 if counts["differs"] or counts["fails"] else 0)


if __name__ == "__main__":
    main()
