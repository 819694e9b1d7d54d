"""A search that trains: trials that are killed, pruned and resumed, and the winner's build."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec import pipeline
from nnspec.backends.keras.training.callbacks import Checkpoint
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.jobs import run_build
from nnspec.jobs.search.searching import FUNCTION, SearchRun, run_search
from nnspec.jobs.search.trial import run_trial
from nnspec.progress import Progress
from nnspec.search.engines.local import LocalEngine
from nnspec.search.locking import lock_file
from nnspec.search.trials import Outcome, Task, Told
from tests.support.searched_specs import SEARCHED

pytestmark = pytest.mark.plots  # search.html

SPEC = (
    SEARCHED
    + """expect: {parameters: "<= 60"}
training: {optimizer: Adam, epochs: 4, batch_size: 32}
search:
  goal: {minimize: validation.y.rmse}
  trials: 2
  generation: 2
  space:
    vars.units: [3, 7, 50]
    training.optimizer.Adam.learning_rate: {from: 0.01, to: 0.1, scale: log}
"""
)


def write_spec(folder: Path, text: str = SPEC) -> Path:
    rows = "".join(f"{i % 11 / 5},{i % 7 / 3},{(i % 11) * (i % 7) / 20}\n" for i in range(200))
    (folder / "rows.csv").write_text(f"a,b,c\n{rows}", encoding="utf-8")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return folder / "spec.yaml"


@dataclass
class KillsOnce(LocalEngine):
    """Kills the process of the second trial after its second epoch."""

    killed: list[int] = field(default_factory=list)

    def run(self, tasks: Sequence[Task], may_begin: Callable[[], bool]) -> Iterator[Told | Outcome]:
        for found in super().run(tasks, may_begin):
            if isinstance(found, Told) and found.epoch == 2 and found.number == tasks[-1].number and not self.killed:
                self.killed.append(self._running[0].process.pid)
                os.kill(self.killed[0], signal.SIGKILL)
            yield found


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spec(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def found(spec: Path) -> SearchRun:
    out = spec.parent / "out"
    engine = KillsOnce(FUNCTION, 1, out / "workers.log")
    run = run_search(pipeline.check(spec), out, Progress(quiet=True), engine)
    assert engine.killed
    return run


def task_of(spec: Path, found: SearchRun, number: int, folder: Path) -> Task:
    point = found.trials[number].point
    return Task(
        number=number,
        spec=str(spec),
        overrides={path: str(value) for path, value in point.items()},
        folder=str(folder),
        goal="validation.y.rmse",
        is_maximized=False,
        monitor="val_loss",
    )


def test_a_trial_that_was_killed_gives_what_it_would_have_given(spec: Path, found: SearchRun, tmp_path: Path) -> None:
    trained = [trial.outcome for trial in found.trials if trial.outcome.state != "refused"]
    assert [outcome.state for outcome in trained] == ["complete", "complete"]
    number = trained[-1].number
    calm = run_trial(task_of(spec, found, number, tmp_path), lambda *_: None)
    assert calm == trained[-1]
    assert len(calm.epochs) == 4


def test_the_winner_is_the_build_of_its_spec(spec: Path, found: SearchRun, tmp_path: Path) -> None:
    """Byte for byte, from the spec in its folder, and from the command that is printed."""
    best = found.folder / "best"
    again = write_spec(tmp_path, (best / "spec.yaml").read_text(encoding="utf-8"))
    assert "search" not in again.read_text(encoding="utf-8")
    run_build(pipeline.check(again), tmp_path / "again", Progress(quiet=True))
    assert (tmp_path / "again" / "model.onnx").read_bytes() == (best / "model.onnx").read_bytes()
    command = found.summary(str(spec), {}).splitlines()[-1]
    settings = dict(re.findall(r"--set (\S+?)=(\S+)", command))
    assert {path: str(value) for path, value in found.winner.point.items()} == settings
    values = [trial.outcome.value for trial in found.trials if trial.outcome.value is not None]
    assert found.winner.outcome.value == min(values)
    assert found.run is not None
    assert found.run.metrics["validation"]["y"]["rmse"] == min(values)


def test_the_page_shows_every_trial(found: SearchRun) -> None:
    page = (found.folder / "search.html").read_text(encoding="utf-8")
    assert "Parallel coordinates" in page
    for trial in found.trials:
        assert f'<th scope="row">{trial.outcome.number}</th>' in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)


def test_a_finished_search_is_resumed_at_once(spec: Path, found: SearchRun) -> None:
    before = (found.folder / "best" / "model.onnx").stat().st_mtime_ns
    result = CliRunner().invoke(main, ["search", str(spec), "--out", str(found.folder), "--resume"])
    assert result.exit_code == 0, result.output
    assert "is best" in result.stdout
    assert (found.folder / "best" / "model.onnx").stat().st_mtime_ns == before


def test_a_search_that_ended_before_its_build_is_resumed(spec: Path, found: SearchRun, tmp_path: Path) -> None:
    """The winner's build begins; nothing is said of checkpoints that it cannot have."""
    shutil.copytree(found.folder, tmp_path / "out", ignore=shutil.ignore_patterns("best"))
    result = CliRunner().invoke(main, ["search", str(spec), "--out", str(tmp_path / "out"), "--resume"])
    assert result.exit_code == 0, result.output
    assert "checkpoint" not in result.output
    built = tmp_path / "out" / "best" / "model.onnx"
    assert built.read_bytes() == (found.folder / "best" / "model.onnx").read_bytes()


def test_another_search_is_not_resumed(spec: Path, found: SearchRun) -> None:
    arguments = ["search", str(spec), "--out", str(found.folder), "--resume"]
    result = CliRunner().invoke(main, [*arguments, "--set", "search.seed=5"])
    assert result.exit_code == 1
    assert "NN522" in result.output
    assert "search settings" in result.output


def test_a_folder_has_one_search(spec: Path, tmp_path: Path) -> None:
    with lock_file(tmp_path / ".search.lock", waits=False):
        result = CliRunner().invoke(main, ["search", str(spec), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "NN606" in result.output
    assert "another search runs" in result.output


def test_nothing_to_train(tmp_path: Path) -> None:
    """NN590: every point has errors; none of them costs anything."""
    spec = write_spec(tmp_path, SPEC.replace("[3, 7, 50]", "[50, 60]"))
    result = CliRunner().invoke(main, ["search", str(spec), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "NN590" in result.output
    assert "NN331" in result.output
    assert not (tmp_path / "out" / "trials").exists()


@pytest.mark.parametrize(("cut", "said"), [("search:", "no section `search`"), ("data:", "needs a section `data`")])
def test_what_a_search_needs(cut: str, said: str, tmp_path: Path) -> None:
    lines = SPEC.splitlines()
    at = lines.index(cut)
    end = next((i for i, line in enumerate(lines) if i > at and not line.startswith(" ")), len(lines))
    spec = write_spec(tmp_path, "\n".join(lines[:at] + lines[end:]))
    result = CliRunner().invoke(main, ["search", str(spec), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert said in result.output


class Interrupted(Exception):
    """As if the process had been killed."""


@pytest.mark.parametrize("lost", [False, True])
def test_pruning_decides_as_it_would_have(
    lost: bool, spec: Path, found: SearchRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the epoch that a trial is pruned after and that decision, the metrics of epochs lost or not."""
    monkeypatch.setattr(Checkpoint, "interval", 0.0, raising=False)
    number = next(trial.outcome.number for trial in found.trials if trial.outcome.state == "complete")
    whole = found.trials[number].outcome.epochs
    task = replace(task_of(spec, found, number, tmp_path), limits={2: min(whole[:2]) * 0.99})

    def tell(epoch: int, total: int, value: float | None) -> None:
        if epoch == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        run_trial(task, tell)
    if lost:
        (tmp_path / "epochs.jsonl").unlink()
    outcome = run_trial(task, lambda *_: None)
    assert (outcome.state, outcome.epochs) == ("pruned", whole[:2])
    assert run_trial(task, lambda *_: None) == outcome, "read, not run"
    assert not (tmp_path / ".run.building").exists()


def test_a_point_that_fails_in_training_is_a_trial_that_failed(spec: Path, found: SearchRun, tmp_path: Path) -> None:
    task = task_of(spec, found, 0, tmp_path)
    overrides = {"vars.units": "3", "training.optimizer": "{SGD: {learning_rate: 1.0e+30}}"}
    outcome = run_trial(replace(task, overrides=overrides), lambda *_: None)
    assert outcome.state == "failed"
    assert "NN515" in outcome.reason


def test_a_damaged_journal_is_told(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "journal.log").write_text("{}\n{}\n", encoding="utf-8")
    with pytest.raises(SpecError, match="NN590"):
        run_search(
            pipeline.check(spec),
            tmp_path,
            Progress(quiet=True),
            LocalEngine(FUNCTION, 1, tmp_path / "log"),
            resume=True,
        )
