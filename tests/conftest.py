"""Shared fixtures: the repository's root, and a quick spec on real-looking data of its own."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if "PYTEST_XDIST_WORKER" in os.environ:  # as many workers as processors: threads of one would wait for those of others
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
# Tests start some hundred processes of Python: where bytecode may not be written, each compiles the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from tests.support.blank_plots import blank_plots

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import WorkStealingScheduling

sys.dont_write_bytecode = False

ROOT = Path(__file__).parent.parent

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay to the end: the garbage collector need not visit them, as they come or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        import hypothesis.core  # noqa: F401 - as it is imported, it asks the collector for what is not frozen

        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WorkStealingScheduling | None:
    """Each worker begins with its part of the tests, in their order, and takes over the last ones of others.

    So what the tests of a module share is built once, and none waits for the other at the end. By default tests come
    in ever smaller pieces, now to one and now to the other, and both build it.
    """
    if config.option.dist != "load":
        return None  # another one is asked for
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Pictures are left empty but for tests that are marked `plots`, which look at them."""
    if item.get_closest_marker("plots"):
        return (yield)
    with blank_plots():
        return (yield)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


QUICK = """\
nnspec: 1
name: quick
data:
  source: {csv: series.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2, by: order}
  window: {lookback: 5, horizon: 1}
  inputs:
    window: {columns: [level, phase], scale: standard}
  outputs:
    forecast: {columns: [level], relative_to: last, scale: standard}
inputs:
  window: {axes: {time: 5, feature: 2}}
model:
  - Conv1D: {filters: 3, kernel_size: 2, padding: causal, activation: relu, name: look}
  - Flatten
  - Dense: {units: 1, as: target}
outputs:
  forecast: {task: regression}
training: {epochs: 3, batch_size: 16, seed: 11, optimizer: {Adam: {learning_rate: 0.01}}}
"""


def write_quick(folder: Path) -> Path:
    """A spec that trains in a second on a noisy wave, with its data beside it."""
    rng = np.random.default_rng(5)
    steps = np.arange(240)
    level = 50 + 10 * np.sin(steps / 7) + rng.normal(0, 0.3, 240)
    rows = [f"{a:.4f},{b:.4f}" for a, b in zip(level, np.cos(steps / 7), strict=True)]
    (folder / "series.csv").write_text("level,phase\n" + "\n".join(rows) + "\n", encoding="utf-8")
    path = folder / "quick.yaml"
    path.write_text(QUICK, encoding="utf-8")
    return path


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    return write_quick(tmp_path)
