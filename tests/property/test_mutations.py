"""A wrong lowering does not pass the gate: an export of every kind is broken in seeded ways, and each is caught.

For many more: `python -m tests.tools.mutations --count 200`, and `--right 40` for networks that are not broken.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nnspec.layers.registry import MODULES
from tests.support.case_files import KINDS, cases_of
from tests.support.mutants import draw, every_mutation
from tests.support.mutants.subjects import trial_of_case, trial_of_right_network

EACH = 2  # mutants of a kind; there are more than a hundred kinds
FEWEST = 6  # of a module
SEED = 0

pytestmark = [
    pytest.mark.filterwarnings("ignore:[\\s\\S]*destroy the mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:[\\s\\S]*softmax over axis:UserWarning"),
]


@pytest.mark.parametrize("module", MODULES)
def test_mutants_of_every_kind_are_caught(module: str) -> None:
    """What is not caught is equal to Keras wherever it was looked at, and more than half of all must be wrong."""
    verdicts: Counter[str] = Counter()
    kinds = [kind for kind in MODULES[module] if kind in KINDS]
    for place, kind in enumerate(kinds):
        cases = cases_of(kind)
        trial = trial_of_case(cases[(7 * place + SEED) % len(cases)])
        trial.gate.run(trial.exported)
        for mutation in draw(trial.exported.proto, max(EACH, FEWEST // len(kinds)), SEED + place):
            outcome = trial.judge(mutation)
            said = f"{trial.name}: {mutation.rule}: {mutation.what}: {outcome.detail}"
            assert outcome.verdict not in ("survivor", "crash"), said
            verdicts[outcome.verdict] += 1
    assert verdicts["caught"] >= verdicts.total() / 2


# What shows on few inputs alone: silence, a tie, a word in capitals, words run together.
HARD = {
    ("AutoContrast", "shift on the way: `x0` plus 0.01"): "caught",
    ("take_along-by-floats", "shift on the way: `x0` plus 0.01"): "caught",
    ("AutoContrast", "scale on the way: `x0` times 1.01"): "caught",
    ("AutoContrast", "cut on the way: `y` without what is negative"): "caught",
    ("Discretization-two-bins", "round on the way: `x0` whole"): "caught",
    ("TextVectorization-words-as-they-are", "LOWER as NONE"): "caught",
    ("TextVectorization-pairs-of-words-as-they-are", "`text_vectorization_1/Slice` reversed along axis 0"): "caught",
    ("TextVectorization-pairs-of-characters", "inputs 0 and 1 of Greater `text_vectorization_1/Greater`"): "caught",
    ("AutoContrast-pixels", "`auto_contrast_1/Cast` plus 0.01"): "caught",
    ("ContrastLimitedAdaptiveHistogramEqualization-pixels", "GatherElements` plus 0.01"): "caught",
    # A shift in front of a normalization changes nothing but what rounding leaves of constant rows.
    ("GroupNormalization-one-group-symbol", "shift on the way: `x0` plus 0.01"): "equivalent",
}


@pytest.mark.parametrize(("label", "what"), HARD)
def test_mutants_that_few_inputs_show(label: str, what: str) -> None:
    trial = trial_of_case(next(case for case in cases_of(label.partition("-")[0]) if case.label == label))
    found = every_mutation(trial.exported.proto, np.random.default_rng(SEED))
    mutation = next(one for one in found if what in f"{one.rule}: {one.what}")
    assert trial.judge(mutation).verdict == HARD[label, what]


@pytest.mark.parametrize("seed", range(8))
def test_right_networks_are_not_refused(seed: int) -> None:
    """Unbroken ones pass, whatever the size of their weights."""
    trial, _ = trial_of_right_network(seed)
    trial.gate.run(trial.exported)
