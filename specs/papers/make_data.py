"""Makes the data of the published results from the packages that carry them:

    pip install numpy && pip install --no-deps aeon==1.6.0
    apt-get install dataset-fashion-mnist          # only for `fashion_mnist`, which is not committed for its size
    python specs/papers/make_data.py [NAME…]

The series are what the archives publish, with their own split into `train` and `test`. Those of `japanese_vowels` have
12 channels and 7 to 29 steps, which are drawn out to 29 by straight lines, as in the paper. `adding_problem` is drawn,
and not committed for its size either.
"""

from __future__ import annotations

import gzip
import importlib.util
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent / "data"
UNIVARIATE = {"italy_power_demand": "ItalyPowerDemand", "gun_point": "GunPoint"}
UNIVARIATE |= {"arrow_head": "ArrowHead", "osu_leaf": "OSULeaf"}
STEPS = 29
FASHION = Path("/usr/share/datasets/fashion-mnist")


def series_of(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Series (sample, time, channel), labels and splits of a data set in aeon."""
    spec = importlib.util.find_spec("aeon")
    if spec is None or spec.origin is None:
        raise SystemExit("install the package: pip install --no-deps aeon==1.6.0")
    folder = Path(spec.origin).parent / "datasets" / "data" / name
    samples, labels, splits = [], [], []
    for split in ("train", "test"):
        text = (folder / f"{name}_{split.upper()}.ts").read_text(encoding="utf-8")
        for line in text[text.lower().index("@data") + 5 :].split():
            *channels, label = line.split(":")
            samples.append(np.array([[float(value) for value in channel.split(",")] for channel in channels]).T)
            labels.append(label)
            splits.append(split)
    steps = max(len(sample) for sample in samples)
    drawn = np.stack([drawn_out(sample, steps) for sample in samples])
    return drawn.astype(np.float32), np.array(labels), np.array(splits)


def drawn_out(sample: np.ndarray, steps: int) -> np.ndarray:
    if len(sample) == steps:
        return sample
    places = np.linspace(0, len(sample) - 1, steps)
    return np.stack([np.interp(places, range(len(sample)), channel) for channel in sample.T], axis=1)


def fashion_mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not FASHION.is_dir():
        raise SystemExit("install Debian's package: apt-get install dataset-fashion-mnist")
    images, labels, splits = [], [], []
    for split, name in (("train", "train"), ("test", "t10k")):
        pixels = gzip.decompress((FASHION / f"{name}-images-idx3-ubyte.gz").read_bytes())
        images.append(np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28))
        kinds = gzip.decompress((FASHION / f"{name}-labels-idx1-ubyte.gz").read_bytes())
        labels.append(np.frombuffer(kinds, np.uint8, offset=8))
        splits += [split] * len(labels[-1])
    return np.concatenate(images), np.concatenate(labels), np.array(splits)


def adding_problem(samples: int = 51_000, steps: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers (sample, time, channel) between 0 and 1, the second channel marking two of them, and the sum of these.

    As S. Bai and others draw them, after S. Hochreiter and J. Schmidhuber: Long Short-Term Memory, 1997. The last
    thousand are the test split.
    """
    drawn = np.random.default_rng(0)
    numbers = drawn.random((samples, steps), dtype=np.float32)
    marks = np.zeros_like(numbers)
    for row in marks:
        row[drawn.choice(steps, size=2, replace=False)] = 1
    sums = (numbers * marks).sum(axis=1, dtype=np.float64).astype(np.float32)[:, None]
    split = np.array(["train"] * (samples - 1000) + ["test"] * 1000)
    return np.stack([numbers, marks], axis=-1), sums, split


DRAWN = {"fashion_mnist": fashion_mnist, "adding_problem": adding_problem}  # too large to be committed


def main(names: list[str]) -> None:
    HERE.mkdir(exist_ok=True)
    for name in names or [*UNIVARIATE, "japanese_vowels"]:
        if name in DRAWN:
            x, y, split = DRAWN[name]()
        else:
            x, y, split = series_of("JapaneseVowels" if name == "japanese_vowels" else UNIVARIATE[name])
        np.savez_compressed(HERE / f"{name}.npz", x=x, y=y, split=split)
        print(name, x.shape, f"{len(np.unique(y))} values of y", (HERE / f"{name}.npz").stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1:])
