"""Searches whose trials are formulas: the same trials on every engine, with any number of workers, after any kill."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnspec import pipeline
from nnspec.jobs.search.searching import _Search, plan_of
from nnspec.progress import Progress
from nnspec.search.engines.cluster import ClusterEngine
from nnspec.search.engines.local import MOST_ENDS, LocalEngine
from nnspec.search.trials import Engine, Finished

TOY = "tests.support.toy_trials:run_toy"
SPEC = """
nnspec: 1
name: toy
vars: {units: 4, kind: a}
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs: {x: {columns: [a], scale: standard}}
  outputs: {y: {columns: [b]}}
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: $units}}, {Dense: {units: 1, name: $kind}}]
outputs: {y: {task: regression}}
expect: {parameters: "<= 100"}
search:
  goal: {minimize: validation.y.rmse}
  trials: TRIALS
  generation: 3
  pruning: median
  warmup: 2
  space:
    vars.units: {from: 1, to: 64, scale: log}
    vars.kind: [a, b, c]
    training.optimizer.Adam.learning_rate: {from: 0.001, to: 0.1, scale: log, when: {vars.kind: [a, b]}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(50)), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC.replace("TRIALS", "8"), encoding="utf-8")
    return tmp_path / "spec.yaml"


def searched(spec: Path, out: Path, engine: Engine) -> list[Finished]:
    """Searches, or goes on with it, and builds nothing."""
    checked = pipeline.check(spec)
    search = _Search(checked, plan_of(checked), out, Progress(quiet=True), engine, allow_outside=False)
    try:
        search.run()
    finally:
        engine.close()
    return search.trials


def local(out: Path, workers: int, function: str = TOY) -> LocalEngine:
    return LocalEngine(function, workers, out / "workers.log")


def table(out: Path) -> str:
    return (out / "trials.csv").read_text(encoding="utf-8")


def test_the_number_of_workers_changes_nothing(spec: Path, tmp_path: Path) -> None:
    trials = searched(spec, tmp_path / "one", local(tmp_path / "one", 1))
    searched(spec, tmp_path / "three", local(tmp_path / "three", 3))
    assert table(tmp_path / "one") == table(tmp_path / "three")
    states = [trial.outcome.state for trial in trials]
    assert states.count("refused") + 8 == len(states)
    assert "pruned" in states, "so that pruning is compared too"
    assert "refused" in states, "networks of too many parameters cost nothing"
    assert not (tmp_path / "one" / "trials" / f"{states.index('refused'):05d}").exists()
    head, *rows = table(tmp_path / "one").splitlines()
    assert head == "number,state,vars.units,vars.kind,training.optimizer.Adam.learning_rate,goal"
    assert [row.split(",")[:2] for row in rows] == [[str(i), state] for i, state in enumerate(states)]


def test_the_hash_seed_changes_nothing(spec: Path, tmp_path: Path) -> None:
    """Optuna keeps names in sets, whose order depends on it."""
    code = f"""
from pathlib import Path
from tests.unit.search.test_engines import local, searched
import sys
searched(Path({str(spec)!r}), Path(sys.argv[1]), local(Path(sys.argv[1]), 2))
"""
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed)], check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        )
    assert table(tmp_path / "1") == table(tmp_path / "2")


def test_a_worker_that_is_killed_is_replaced(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched(spec, tmp_path / "calm", local(tmp_path / "calm", 2))
    monkeypatch.setenv("TOY_SECONDS", "0.05")
    engine = local(tmp_path / "out", 2)
    started, killed = engine._start, []

    def start_and_kill_the_first() -> object:
        worker = started()
        if len(killed) < 3:
            killed.append(worker.process.pid)
            threading_kill(worker.process.pid, 0.6)
        return worker

    monkeypatch.setattr(engine, "_start", start_and_kill_the_first)
    searched(spec, tmp_path / "out", engine)
    assert len(killed) == 3
    assert table(tmp_path / "out") == table(tmp_path / "calm")


def threading_kill(process: int, seconds: float) -> None:
    import threading

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    threading.Timer(seconds, kill).start()


def test_a_search_that_is_killed_goes_on(spec: Path, tmp_path: Path) -> None:
    """SIGKILL at any time, and a torn last line in the journal, end in the same trials."""
    calm = searched(spec, tmp_path / "calm", local(tmp_path / "calm", 2))
    out = tmp_path / "out"
    code = f"""
from pathlib import Path
from tests.unit.search.test_engines import local, searched
searched(Path({str(spec)!r}), Path({str(out)!r}), local(Path({str(out)!r}), 2))
"""
    environment = {**os.environ, "TOY_SECONDS": "0.04"}
    for least in (1, 4):
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        while process.poll() is None and (not (out / "trials.csv").is_file() or table(out).count("\n") <= least):
            time.sleep(0.01)
        process.kill()
        process.wait()
        with (out / "journal.log").open("ab") as journal:
            journal.write(b'{"op_code":4,"worker_id":"')
    before = table(out)
    trials = searched(spec, out, local(out, 2))
    assert [(trial.outcome, [*trial.point.items()]) for trial in trials] == [
        (trial.outcome, [*trial.point.items()]) for trial in calm
    ], "in this order they are put into the spec"
    assert before != table(out) == table(tmp_path / "calm")
    wait_for_the_end_of(int(line) for path in out.glob("trials/*/processes") for line in path.read_text().split())


def wait_for_the_end_of(processes: Iterator[int]) -> None:
    """No worker outlives its search."""
    for process in processes:
        for _ in range(500):
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                break
            if f"{Path(f'/proc/{process}/stat').read_text().split()[2:3]}" == "['Z']":
                break
            time.sleep(0.01)
        else:
            pytest.fail(f"process {process} is still there")


def test_more_trials_are_those_of_a_longer_search(spec: Path, tmp_path: Path) -> None:
    """Also where the shorter one ended within a generation."""
    out = tmp_path / "out"
    searched(spec, out, local(out, 2))
    spec.write_text(SPEC.replace("TRIALS", "13"), encoding="utf-8")
    searched(spec, out, local(out, 2))
    searched(spec, tmp_path / "long", local(tmp_path / "long", 2))
    assert table(out) == table(tmp_path / "long")


def test_a_trial_whose_processes_end_fails(spec: Path, tmp_path: Path) -> None:
    spec.write_text(SPEC.replace("TRIALS", "1"), encoding="utf-8")
    trials = searched(spec, tmp_path / "out", local(tmp_path / "out", 1, "tests.support.toy_trials:die"))
    (outcome,) = [trial.outcome for trial in trials if trial.outcome.state != "refused"]
    assert outcome.state == "failed"
    assert "signal 9" in outcome.reason
    assert str(MOST_ENDS) in outcome.reason


def test_a_finite_space_is_tried_once(spec: Path, tmp_path: Path) -> None:
    text = SPEC.replace("TRIALS", "50").replace("{from: 1, to: 64, scale: log}", "[2, 9, 50]")
    spec.write_text(text[: text.index("    training.optimizer.Adam")], encoding="utf-8")
    trials = searched(spec, tmp_path / "out", local(tmp_path / "out", 2))
    points = sorted(tuple(trial.point.values()) for trial in trials)
    assert points == sorted((units, kind) for units in (2, 9, 50) for kind in "abc")
    assert {trial.point["vars.units"] for trial in trials if trial.outcome.state == "refused"} == {50}


def test_the_journal_is_one_of_optuna(spec: Path, tmp_path: Path) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    trials = searched(spec, tmp_path / "out", local(tmp_path / "out", 2))
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "out" / "journal.log")))
    (summary,) = optuna.get_all_study_summaries(storage)
    study = optuna.load_study(study_name=summary.study_name, storage=storage)
    assert [trial.params for trial in study.trials] == [trial.point for trial in trials]
    complete = [trial.outcome for trial in trials if trial.outcome.state == "complete"]
    assert study.best_value == min(outcome.value or 0.0 for outcome in complete)


def test_a_ray_cluster_of_two_nodes_runs_the_same_trials(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(spec, tmp_path / "local", local(tmp_path / "local", 2))
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_AUTO_CONNECT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("TOY_SECONDS", "0.2")  # a trial that is over at once leaves the other node nothing to do
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        assert len(cluster.list_all_nodes()) == 2
        searched(spec, tmp_path / "ray", ClusterEngine(TOY, cluster.address))
    finally:
        cluster.shutdown()
    assert table(tmp_path / "ray") == table(tmp_path / "local")
    processes = {path.read_text() for path in (tmp_path / "ray").glob("trials/*/processes")}
    assert len(processes) > 1, "a node runs one trial at a time, so both were used"
