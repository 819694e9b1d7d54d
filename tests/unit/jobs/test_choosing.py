"""`training.backend: auto`: engines are measured in processes of their own, one is chosen, and the choice is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from nnspec import pipeline
from nnspec.jobs import choosing, run_training
from nnspec.jobs.choosing import Choice, candidates, choose_engine, measure_engines, with_engine
from nnspec.jobs.engine_speed import COMPILING, Enough, Stopwatch
from nnspec.jobs.resuming import find_origin
from nnspec.pipeline import Checked
from nnspec.progress import Progress

SPEC = {
    "nnspec": 1,
    "inputs": {"x": {"axes": {"feature": 3}}},
    "model": [{"Dense": {"units": 4, "activation": "relu"}}, {"Dense": {"units": 1}}],
    "outputs": {"y": {"task": "regression"}},
    "data": {
        "source": {"csv": "rows.csv"},
        "split": {"train": 0.8, "validation": 0.2},
        "inputs": {"x": {"columns": ["a", "b", "c"]}},
        "outputs": {"y": {"columns": ["d"]}},
    },
    "training": {"backend": "auto", "epochs": 2, "batch_size": 8, "callbacks": [{"EarlyStopping": {"patience": 1}}]},
}
QUIET = Progress(quiet=True)


def checked_spec(folder: Path, **changes: object) -> Checked:
    rows = np.random.default_rng(3).normal(size=(60, 4)).round(4)
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (folder / "rows.csv").write_text(f"a,b,c,d\n{lines}", encoding="utf-8")
    (folder / "spec.yaml").write_text(yaml.safe_dump({**SPEC, **changes}, sort_keys=False), encoding="utf-8")
    return pipeline.check(folder / "spec.yaml")


def test_engines_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    """Whichever engine this process has; an epoch that is shorter than a turn, and a callback that would end it."""
    seconds, failures = measure_engines(checked_spec(tmp_path), ["tensorflow", "jax"])
    assert not failures
    assert seconds.keys() == {"tensorflow", "jax"}
    assert all(0 < value < 1 for value in seconds.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv", "spec.yaml"]


def test_the_faster_is_chosen_and_the_default_is_not_left_for_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "candidates", lambda checked: (["tensorflow", "jax"], {}))
    for seconds, expected in (((1.0, 0.5), "jax"), ((0.5, 1.0), "tensorflow"), ((1.0, 0.98), "tensorflow")):
        found = dict(zip(("tensorflow", "jax"), seconds, strict=True))
        monkeypatch.setattr(choosing, "measure_engines", lambda checked, names, found=found: (found, {}))
        assert choose_engine(None).engine == expected  # type: ignore[arg-type]
    monkeypatch.setattr(choosing, "measure_engines", lambda checked, names: ({"jax": 1.0}, {"tensorflow": "it fell"}))
    choice = choose_engine(None)  # type: ignore[arg-type]
    assert choice.engine == "jax"
    assert "tensorflow is left out: it fell" in choice.say()


def test_what_an_engine_lacks_keeps_it_from_being_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {
        "inputs": {"w": {"axes": {"word": 1}, "dtype": "string"}},
        "model": [{"StringLookup": {"vocabulary": ["a"], "output_mode": "one_hot"}}, {"Dense": {"units": 1}}],
    }
    spec = {key: value for key, value in {**SPEC, **words}.items() if key != "data"}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    monkeypatch.delitem(choosing.sys.modules, "keras", raising=False)
    names, reasons = candidates(pipeline.check(tmp_path / "spec.yaml"))
    assert names == ["tensorflow"]
    assert "StringLookup" in reasons["jax"]


def test_a_build_says_what_it_saw_and_keeps_its_choice(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The resolved spec names the engine, so that the file is made again on the same; one that is resumed keeps it."""
    import keras

    checked = checked_spec(tmp_path)
    out = tmp_path / "out"
    run_training(checked, out, Progress())
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    mine = keras.backend.backend()
    assert manifest["training"]["backend"] == manifest["training"]["auto"]["engine"] == mine
    assert f"backend auto: {mine}" in capfd.readouterr().err
    assert yaml.safe_load((out / "spec.yaml").read_text(encoding="utf-8"))["training"]["backend"] == mine
    kept = tmp_path / "checkpoint"
    kept.mkdir()
    (kept / choosing.FILE).write_text(json.dumps({"engine": "jax"}), encoding="utf-8")
    resumed, said = with_engine(checked, kept, QUIET, resume=True)
    assert find_origin(resumed)["training.backend"] == said["auto"]["engine"] == "jax"
    again, _ = with_engine(checked, kept, QUIET)
    assert find_origin(again)["training.backend"] == mine
    given = replace(checked, root=resumed.root)
    assert with_engine(given, tmp_path / "none", QUIET) == (given, {})


@pytest.mark.parametrize(("steps", "seconds"), [(5, 0.001), (1000, 0.01), (3, 2.0)])
def test_a_turn_measures_whole_epochs_where_they_are_short(
    steps: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that stands for steps of one length, the first of which takes longer, and a pause between epochs."""
    now, told, turns = [0.0], list[float](), iter([True, True, False])
    monkeypatch.setattr("nnspec.jobs.engine_speed.time.perf_counter", lambda: now[0])
    bar = Stopwatch(lambda: next(turns), told.append).epochs(1, 0)

    def train() -> None:
        for epoch in range(1, 10_000):
            now[0] += seconds  # between epochs
            for step in range(1, steps + 1):
                now[0] += seconds * (100 if (epoch, step) <= (1, COMPILING) else 1)
                bar.step(epoch, step, steps, 0.5)

    with pytest.raises(Enough):
        train()
    is_short = steps * seconds < 1
    expected = seconds * (steps + 1) / steps if is_short else seconds
    np.testing.assert_allclose(told, [expected] * 2, rtol=1e-9 if is_short else 0.4)


def test_a_choice_in_words() -> None:
    choice = Choice(engine="jax", seconds={"tensorflow": 0.01, "jax": 0.004}, reasons={})
    assert choice.say() == "backend auto: jax (tensorflow 100 steps/s, jax 250 steps/s)"
    assert choice.to_json()["steps_per_second"] == {"tensorflow": 100.0, "jax": 250.0}
