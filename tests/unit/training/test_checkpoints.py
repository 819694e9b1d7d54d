"""Checkpoints: whole or absent, the last two kept, damage noticed, states of layers in the middle of an epoch too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnspec import api
from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.backends.keras.training import checkpoint as own
from nnspec.diagnostics import SpecError

BATCH = 4
STATEFUL = {
    "nnspec": 1,
    "data": {
        "source": {"csv": "data.csv"},
        "split": {"train": 0.7, "validation": 0.3, "by": "order", "gap": 0},
        "window": {"lookback": 2, "horizon": 1, "stride": 2},
        "inputs": {"x": {"columns": ["v"]}},
        "outputs": {"y": {"columns": ["v"]}},
    },
    "inputs": {"x": {"axes": {"time": 2, "feature": 1}, "batch": BATCH}},
    "model": [
        {"LSTM": {"units": 3, "stateful": True, "over": "time"}},
        {"Dense": {"units": 1, "as": "target"}},
    ],
    "outputs": {"y": {"task": "regression", "metrics": ["mae", {"RootMeanSquaredError": {}}]}},
    "training": {"epochs": 2, "batch_size": BATCH, "shuffle": False, "seed": 1, "checkpoint": {"steps": 2}},
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stateful model, trained as `whole` and, up to a step of the second epoch, as `half`."""
    folder = tmp_path_factory.mktemp("stateful")
    values = np.sin(np.arange(160) / 3) + np.arange(160) / 40
    (folder / "data.csv").write_text("v\n" + "\n".join(f"{v:.5f}" for v in values), encoding="utf-8")
    (folder / "spec.yaml").write_text(json.dumps(STATEFUL), encoding="utf-8")
    api.load(folder / "spec.yaml").train(folder / "whole")
    plain = own.Checkpoint.on_train_batch_end

    def on_train_batch_end(self: own.Checkpoint, batch: int, logs: own.Logs = None) -> None:
        plain(self, batch, logs)
        if len(self.history) == 1 and batch + 1 == 8:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own.Checkpoint, "on_train_batch_end", on_train_batch_end)
        with pytest.raises(KeyboardInterrupt):
            api.load(folder / "spec.yaml").train(folder / "half")
    return folder


def test_states_of_layers_go_on_where_they_were(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = sorted(path.name for path in (stopped / ".half.building" / "checkpoint").glob("0*"))
    assert kept == [f"000001-00000000{step}.{suffix}" for step in (5, 7) for suffix in ("json", "npz")]
    api.load(stopped / "spec.yaml").train(stopped / "half", resume=True, quiet=False)
    assert "continuing from checkpoint `000001-000000007`: epoch 2, step 7" in capsys.readouterr().err
    for name in ("history.csv", "metrics.json", "preprocessing.json"):
        assert (stopped / "whole" / name).read_bytes() == (stopped / "half" / name).read_bytes(), name


# ---------------------------------------------------------------------------------------------------------- files


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.fixture
def files(tmp_path: Path) -> CheckpointFiles:
    """Three checkpoints were written, of which two are left."""
    files = CheckpointFiles(tmp_path / "checkpoint")
    for number in range(3):
        files.write(f"00000{number}-0", {"step": number, "loss": float("nan")}, {"w.0": np.full((50, 3), number)})
    return files


def test_the_last_two_are_kept(files: CheckpointFiles) -> None:
    assert {path.name for path in files.folder.iterdir()} == {
        f"00000{number}-0.{suffix}" for number in (1, 2) for suffix in ("json", "npz")
    }
    found = files.newest()
    assert found is not None
    assert (found.name, found.state["step"], files.damaged) == ("000002-0", 2, [])
    np.testing.assert_array_equal(found.arrays["w.0"], np.full((50, 3), 2))


@pytest.mark.parametrize("suffix", ["json", "npz"])
@pytest.mark.parametrize("damage", [cut, flip, empty, Path.unlink])
def test_damage_is_noticed_and_the_one_before_used(
    damage: Callable[[Path], None], suffix: str, files: CheckpointFiles
) -> None:
    damage(files.folder / f"000002-0.{suffix}")
    found = files.newest()
    assert found is not None
    assert (found.name, found.state["step"]) == ("000001-0", 1)
    was_written = damage is not Path.unlink or suffix == "npz"  # one without a state is one that was never completed
    assert files.damaged == (["000002-0"] if was_written else [])


def test_one_that_cannot_be_written_leaves_those_before(files: CheckpointFiles) -> None:
    before = {path: path.read_bytes() for path in files.folder.iterdir()}
    for suffix in ("npz", "json"):
        (files.folder / f"000003-0.{suffix}.part").symlink_to("/dev/full")  # where every write finds a full disk
        with pytest.raises(OSError, match="No space left"):
            files.write("000003-0", {"step": 3}, {"w.0": np.zeros(100_000)})
        found = files.newest()
        assert found is not None
        assert found.name == "000002-0"
    assert before.items() <= {path: path.read_bytes() for path in files.folder.iterdir()}.items()
    assert not list(files.folder.glob("*.part"))


def test_where_all_are_damaged_nothing_is_trained(stopped: Path) -> None:
    folder = stopped / ".gone.building" / "checkpoint"
    files = CheckpointFiles(folder)
    files.write("000001-0", {}, {})
    flip(folder / "000001-0.json")
    with pytest.raises(SpecError) as error:
        api.load(stopped / "spec.yaml").train(stopped / "gone", resume=True)
    (told,) = error.value.diagnostics
    assert told.code == "NN537"
    assert "`000001-0` is damaged" in told.message
