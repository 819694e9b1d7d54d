"""Public tables against what `nnspec init` proposes for them:

    pip install bokeh_sampledata
    python -m tests.tools.proposals --out out/proposals

Writes each table as a CSV file, proposes a spec, builds it, and prints the model's metric on the test split
beside the baseline's. Ends with 1 where a proposal does not build, or a model is below its baseline.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.resources
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from nnspec import api
from nnspec.cli import main as command_line

Rows = Iterable[Sequence[object]]


@dataclass(frozen=True)
class PublicSet:
    """A table that a package carries.

    Attributes:
        rows: makes the rows, the header first.
        options: of `nnspec init`, besides the target.
    """

    name: str
    target: str
    rows: Callable[[str], Rows]
    options: tuple[str, ...] = ()


def from_scikit_learn(name: str) -> Rows:
    """A bundle of features and a target, classes by their names."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    names = getattr(bunch, "target_names", None)
    yield [*map(str, bunch.feature_names), "target"]
    for row, target in zip(bunch.data, bunch.target, strict=True):
        yield [*map(float, row), target if names is None else str(names[target])]


def from_bokeh(name: str) -> Rows:
    """A CSV file, packed or not."""
    folder = importlib.resources.files("bokeh_sampledata") / "_data"
    packed = folder / f"{name}.csv.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / f"{name}.csv").read_bytes()
    return csv.reader(content.decode("utf-8-sig").splitlines())


SETS = (
    PublicSet("iris", "target", from_scikit_learn),
    PublicSet("wine", "target", from_scikit_learn),
    PublicSet("breast_cancer", "target", from_scikit_learn),
    PublicSet("diabetes", "target", from_scikit_learn),
    PublicSet("digits", "target", from_scikit_learn),
    PublicSet("penguins", "species", from_bokeh),
    PublicSet("titanic_all", "survived", from_bokeh),
    PublicSet("auto-mpg", "mpg", from_bokeh),
    PublicSet("forensic_glass", "type", from_bokeh),
    PublicSet("lincoln_weather", "TMAX", from_bokeh, ("--series", "--horizon", "3")),
)


def build(public: PublicSet, folder: Path) -> tuple[str, float, float]:
    """The metric on the test split, its value, and the baseline's."""
    file = folder / f"{public.name}.csv"
    with file.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows(public.rows(public.name))
    spec = folder / f"{public.name}.yaml"
    arguments = ["init", str(file), "--target", public.target, *public.options, "--out", str(spec), "--force"]
    proposed = CliRunner().invoke(command_line, arguments, catch_exceptions=False)
    if proposed.exit_code:
        raise SystemExit(proposed.output)
    api.load(spec).build(folder / public.name, quiet=True)
    metrics = json.loads((folder / public.name / "metrics.json").read_text(encoding="utf-8"))
    ((_, values),) = metrics["test"].items()
    metric = "accuracy" if "accuracy" in values else "rmse"
    return metric, float(values[metric]), float(values["baseline"][metric])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/proposals"), help="the folder of files and builds")
    parser.add_argument("names", nargs="*", help="sets by name [default: all]")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    below = 0
    print(f"{'set':<26}{'metric':<10}{'model':>8}{'baseline':>10}{'seconds':>9}")
    for public in [each for each in SETS if not chosen.names or each.name in chosen.names]:
        start = time.perf_counter()
        metric, model, baseline = build(public, chosen.out)
        is_below = model < baseline if metric == "accuracy" else model > baseline
        below += is_below
        took = time.perf_counter() - start
        print(f"{public.name:<26}{metric:<10}{model:>8.4g}{baseline:>10.4g}{took:>9.1f}{'  below' if is_below else ''}")
    print(f"{below} below the baseline")
    return 1 if below else 0


if __name__ == "__main__":
    raise SystemExit(main())
