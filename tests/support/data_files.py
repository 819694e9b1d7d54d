"""Data files that tests write and load, and the plans for them."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.data.dataset import Dataset, load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import SpecError
from tests.unit.data.section.test_plan import plan_of, slot


def run(text: str, root: Path, inputs: list[Slot], outputs: list[Slot], *, allow_outside: bool = False) -> Dataset:
    return load(
        plan_of(text, root, allow_outside=allow_outside), {s.name: s for s in inputs}, {s.name: s for s in outputs}
    )


def fault(text: str, root: Path, inputs: list[Slot], outputs: list[Slot]) -> tuple[str, str]:
    with pytest.raises(SpecError) as caught:
        run(text, root, inputs, outputs)
    first = caught.value.diagnostics[0]
    return first.code, first.message


def write_table(path: Path, rows: int = 60, shuffle: bool = False) -> None:
    """Columns t, a = t, b = 1000 + 2 t, c = t squared; every value tells its row."""
    order = np.random.default_rng(3).permutation(rows) if shuffle else np.arange(rows)
    lines = [f"2020-01-01T{t // 60:02d}:{t % 60:02d}:00,{t},{1000 + 2 * t},{t * t}" for t in order]
    path.write_text("t,a,b,c\n" + "\n".join(lines) + "\n")


WINDOWS = """
source: {csv: a.csv}
order_by: t
split: {train: 0.5, validation: 0.25, test: 0.25}
window: {lookback: 4, horizon: 3}
inputs: {w: {columns: [a, b]}}
outputs: {y: {columns: [c]}}
"""
W = slot("w", ("time", 4), ("feature", 2))
Y = slot("y", ("unit", 1), task="regression")
ARRAYS = """
source: {npz: a.npz}
split: SPLIT
inputs: {x: {array: x}}
outputs: {y: {array: label}}
"""
X = slot("x", ("feature", 2))


def labelled(path: Path, labels: Any, **more: Any) -> None:
    count = len(labels)
    np.savez(path, x=np.arange(2.0 * count).reshape(count, 2), label=np.array(labels), **more)


def head_of(size: int, **more: Any) -> Slot:
    return slot("y", ("class", size), task="classification", class_axis="class", **more)


def write_wav(path: Path, samples: Any, rate: int = 8000, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes(np.asarray(samples, "<i2").tobytes())
