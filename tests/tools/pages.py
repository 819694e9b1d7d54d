"""The page of every spec under specs/, worked in Chromium and compared with ONNX Runtime.

    python -m tests.tools.pages [--epochs 1] [--builds FOLDER] [NAME …]

Of each spec: the size of its page, and the largest difference of the sample that is filled in and of a file of samples
(the spec's own data, as `nnspec predict` reads them) from the file's answers in ONNX Runtime, relative to the answer
or, if larger, to the deviation that the target was scaled by, as verification measures; of both the largest
absolute difference too, beside the largest answer. Builds in FOLDER are used again. Ends with 1 where a relative one
is above 1e-5, or a page has a fault.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnspec import api, runtime
from nnspec.page.web_runtime import find_runtime
from nnspec.page.writing import find_sample, write_page
from nnspec.runtime.reading import read_samples
from nnspec.runtime.writing import records
from tests.conftest import ROOT
from tests.support.browser import accessibility_faults, complaints, opened, requests
from tests.support.pages import Difference, difference, predict_files, predict_sample, wait_until_loaded

MOST_SAMPLES = 40
TOLERANCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A page beside ONNX Runtime."""

    size: int
    sample: Difference
    file: Difference
    samples: int
    faults: tuple[str, ...]
    seconds: float


def compare(model: Path, data: list[Path], folder: Path) -> Compared:
    """Writes a model's page and works it.

    Args:
        data: a file of samples, and those that it names; or files that are a sample each.
    """
    predictor = runtime.load(model)
    sample = find_sample(model, predictor)
    out = folder / f"{model.parent.name}.html"
    written = write_page(model, predictor, find_runtime(), out, sample)
    started = time.perf_counter()
    with opened(out) as browser:
        wait_until_loaded(browser)
        seconds = time.perf_counter() - started
        worst = Difference()
        if sample:
            shown = predict_sample(browser)
            wanted = _answer(predictor, sample)
            assert shown, "nothing is shown"
            for name, values in shown.items():
                worst |= difference(values, wanted[name], units_of(predictor, name))
        faults = [*accessibility_faults(browser), *complaints(browser)]
        faults += [url for url in requests(browser) if url != out.as_uri() and not url.startswith("blob:")]
        columns = predict_files(browser, data)
        rows = _rows(predictor, data)
        far = Difference()
        if len(rows) > 1:
            names = [name for name in rows[0] if name != "file"]
            count = len(columns[names[0]])  # of many columns the page shows the first rows
            for name in names:
                far |= difference(columns[name], [row[name] for row in rows[:count]], units_of(predictor, name))
        faults += accessibility_faults(browser)
    return Compared(size=written.size, sample=worst, file=far, samples=len(rows), faults=tuple(faults), seconds=seconds)


def units_of(predictor: runtime.Predictor, name: str) -> np.ndarray:
    """What the values of an output, or of a column that is one of its values, are measured in.

    The deviations that it was scaled by; 1 where it was not.
    """
    outputs = predictor.metadata.get("preprocessing", {}).get("outputs", {})
    stem, _, place = name.rpartition("_")
    owner = name if name in outputs else stem
    scaling = (outputs.get(owner) or {}).get("scaling") or {}
    units = np.asarray(scaling.get("divisor", 1.0), np.float64).reshape(-1)
    return units if owner == name or len(units) == 1 or not place.isdigit() else units[int(place)]


def _answer(predictor: runtime.Predictor, sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The file's own answer to the sample, each output's values in the order in which the page numbers them."""
    feeds = {}
    for name, values in sample.items():
        port = predictor.inputs[name]
        feeds[name] = np.expand_dims(values, port.batch or 0)
        if port.dtype not in ("str", "int64"):
            feeds[name] = feeds[name].astype(port.dtype)
    found = predictor(**feeds)
    return {name: np.moveaxis(array, predictor.outputs[name].batch or 0, 0)[0] for name, array in found.items()}


def _rows(predictor: runtime.Predictor, given: list[Path]) -> list[dict[str, object]]:
    path = given[0] if len(given) == 1 or given[0].suffix in (".csv", ".npz") else given[0].parent
    samples = read_samples(path, predictor.metadata)
    return [row for outputs, keys in predictor.over(samples) for row in records(outputs, predictor.metadata, keys)]


def data_of(spec: Path, predictor: runtime.Predictor, folder: Path) -> list[Path]:
    """Some of the spec's own samples as files that `nnspec predict` reads."""
    checked = api.load(spec).checked
    plan = checked.data
    assert plan is not None
    folder.mkdir(parents=True, exist_ok=True)
    per_file = [slot for slot in plan.inputs.values() if slot.source.source.is_per_file]
    if plan.source is not None and plan.source.kind == "csv":
        path = plan.source.path
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
        lookback = plan.window.lookback if plan.window is not None else 0
        lines = text.splitlines(keepends=True)
        table = folder / path.name.removesuffix(".gz")
        table.write_text("".join(lines[: 1 + lookback + MOST_SAMPLES]), encoding="utf-8")
        named = []
        for slot in per_file:
            place = lines[0].strip().split(",").index(slot.source.shown)
            for line in lines[1 : 1 + MOST_SAMPLES]:
                cell = line.split(",")[place].strip()
                (folder / cell).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path.parent / cell, folder / cell)
                named.append(folder / cell)
        return [table, *named]
    if per_file:
        files = list(per_file[0].source.files())
        chosen = [files[int(i)] for i in np.linspace(0, len(files) - 1, MOST_SAMPLES // 2)]
        return [Path(shutil.copy(file, folder / f"{i:03}{file.suffix}")) for i, file in enumerate(chosen)]
    return [_arrays(spec, predictor, folder)]


def _arrays(spec: Path, predictor: runtime.Predictor, folder: Path) -> Path:
    from nnspec.jobs.dataset import load_dataset

    split = list(load_dataset(api.load(spec).checked).splits.values())[-1]
    found = {}
    for name, port in predictor.inputs.items():
        found[name] = np.moveaxis(np.asarray(split.raw[name][:MOST_SAMPLES]), 0, port.batch or 0)
    np.savez(folder / "samples.npz", **found)
    return folder / "samples.npz"


def each_spec(names: list[str], builds: Path, epochs: int) -> Iterator[tuple[str, Path, Path]]:
    """Each spec's name, its model (built where it is not yet), and the spec."""
    for spec in sorted((ROOT / "specs").glob("*.yaml")):
        if names and spec.stem not in names:
            continue
        model = builds / spec.stem / "model.onnx"
        if not model.is_file():
            api.load(spec, {"training.epochs": epochs}).build(builds / spec.stem)
        yield spec.stem, model, spec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--builds", type=Path)
    given = parser.parse_args()
    heads = ("MiB", "sample", "file", "absolute", "of", "samples", "opens in s")
    print(f"{'spec':<26}{''.join(f'{head:>11}' for head in heads)}  faults")
    count, wrong, largest = 0, 0, Difference()
    with tempfile.TemporaryDirectory() as scratch:
        for name, model, spec in each_spec(given.names, given.builds or Path(scratch) / "builds", given.epochs):
            folder = Path(scratch) / name
            data = data_of(spec, runtime.load(model), folder)
            found = compare(model, data, Path(scratch))
            both = found.sample | found.file
            figures = (
                f"{found.size / 2**20:.1f}",
                *(f"{one:.1e}" for one in (found.sample.relative, found.file.relative, both.absolute)),
                f"{both.scale:.4g}",
                str(found.samples),
                f"{found.seconds:.1f}",
            )
            print(f"{name:<26}{''.join(f'{figure:>11}' for figure in figures)}  {'; '.join(found.faults) or 'none'}")
            sys.stdout.flush()
            count, largest = count + 1, largest | both
            wrong += both.relative > TOLERANCE or bool(found.faults)
    print(f"{count} pages, {largest.relative:.1e} at most, {wrong} above {TOLERANCE:g} or with a fault")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
