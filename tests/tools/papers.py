"""Published results rerun from the specs under specs/papers: `python -m tests.tools.papers [CELL…] [--seeds 3]`.

A row each: what was published, what comes out here as the mean over seeds, the difference, and the seconds of
processor time that a training took. What is trained already, below `--out`, is not trained again. A cell is reached
where the mean is within two of the published standard deviations, or within one point. It exits with 1 where more
than a tenth of the cells (or one) are not.

Numbers: H. Ismail Fawaz and others, Deep learning for time series classification: a review, Data Mining and Knowledge
Discovery 33, 2019, which trained the networks of Wang and others (2017) ten times each; Fashion-MNIST's own README; the
test loss of S. Bai and others, An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence
Modeling, 2018, table 1, as the share of the variance that is explained: 1/6 is that of a sum of two numbers between 0
and 1. Data that are too large to be committed are made where they are first needed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnspec import api
from tests.support.paths import ROOT

FOLDER = ROOT / "specs" / "papers"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A published figure.

    Attributes:
        published, deviation: in percent; the deviation is 0 where none was published.
        metric: in metrics.json; a share.
        is_quick: whether `--quick` trains it.
    """

    spec: str
    data: str
    published: float
    deviation: float = 0.0
    metric: str = "accuracy"
    settings: Mapping[str, object] = field(default_factory=dict)
    is_quick: bool = False

    @property
    def name(self) -> str:
        return f"{self.spec}-{self.data}"

    def result(self, seed: int, out: Path) -> tuple[float, float]:
        """The metric in percent on the published test split, and the seconds of processor time of the training."""
        if not (FOLDER / "data" / f"{self.data}.npz").is_file():
            subprocess.run([sys.executable, FOLDER / "make_data.py", self.data], check=True)
        folder = out / f"{self.name}-{seed}"
        seconds = folder.with_name(f"{folder.name}.seconds")
        if not (folder / "metrics.json").is_file():
            settings = {"data.source.npz": f"data/{self.data}.npz", "training.seed": seed, **self.settings}
            started = time.process_time()
            api.load(FOLDER / f"{self.spec}.yaml", settings).train(folder)
            seconds.write_text(str(time.process_time() - started), encoding="utf-8")
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        ((_, values),) = metrics["test"].items()
        return 100 * values[self.metric], float(seconds.read_text(encoding="utf-8"))

    def is_reached(self, accuracy: float) -> bool:
        return abs(accuracy - self.published) <= max(2 * self.deviation, 1.0)


GUN = {"vars.steps": 150, "training.batch_size": 5}
ARROWS = {"vars.steps": 251, "training.batch_size": 3}
LEAVES = {"vars.steps": 427, "training.batch_size": 16, "training.epochs": 100}
VOWELS = {"vars.steps": 29, "vars.channels": 12, "training.batch_size": 16, "training.epochs": 60}
CELLS = (
    Cell(spec="mlp", data="italy_power_demand", published=95.4, deviation=0.2, is_quick=True),
    Cell(spec="fcn", data="italy_power_demand", published=96.1, deviation=0.3, is_quick=True),
    Cell(
        spec="resnet",
        data="italy_power_demand",
        published=96.3,
        deviation=0.4,
        settings={"training.epochs": 60, "vars.updates": 720},
    ),
    Cell(spec="mlp", data="gun_point", published=92.7, deviation=1.1, settings=GUN, is_quick=True),
    Cell(spec="fcn", data="gun_point", published=100.0, settings={**GUN, "training.epochs": 150, "vars.updates": 1500}),
    Cell(spec="mlp", data="arrow_head", published=77.8, deviation=1.2, settings=ARROWS, is_quick=True),
    Cell(spec="mlp", data="osu_leaf", published=55.7, deviation=1.0, settings=LEAVES),
    Cell(spec="mlp", data="japanese_vowels", published=97.6, deviation=0.2, settings=VOWELS, is_quick=True),
    Cell(spec="fcn", data="japanese_vowels", published=99.3, deviation=0.2, settings={**VOWELS, "vars.updates": 1020}),
    Cell(spec="cnn", data="fashion_mnist", published=91.6),
    Cell(spec="tcn", data="adding_problem", published=100 * (1 - 5.8e-5 * 6), metric="r2"),
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.papers", description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", help="default: all")
    parser.add_argument("--quick", action="store_true", help="only those that take seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/papers"))
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    print("| network | data | published, % | here | difference | | processor time, s |\n|---|---|---|---|---|---|---|")
    chosen = [cell for cell in CELLS if cell.name in (given.cells or [each.name for each in CELLS])]
    chosen = [cell for cell in chosen if cell.is_quick or not given.quick]
    reached = 0
    for cell in chosen:
        found = [cell.result(seed, given.out) for seed in range(1, given.seeds + 1)]
        mean = sum(accuracy for accuracy, _ in found) / len(found)
        half = (max(found)[0] - min(found)[0]) / 2
        is_reached = cell.is_reached(mean)
        reached += is_reached
        print(
            f"| [`{cell.spec}`](specs/papers/{cell.spec}.yaml) | {cell.data} | "
            f"{cell.published:.5g} ± {cell.deviation} | "
            f"**{mean:.1f}** ± {half:.1f} | {mean - cell.published:+.1f} | {'' if is_reached else 'not reached'} | "
            f"{sum(seconds for _, seconds in found) / len(found):.0f} |",
            flush=True,
        )
    print(f"{reached} of {len(chosen)} reached")
    return 0 if len(chosen) - reached <= max(1, len(chosen) // 10) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
