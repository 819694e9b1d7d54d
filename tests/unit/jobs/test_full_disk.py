"""A full disk ends a training with a message, and a checkpoint from which it goes on."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics.unwritable import is_full

SPEC = """nnspec: 1
data:
  source: {csv: data.csv}
  split: {train: 0.5, test: 0.5}
  inputs: {x: {columns: [a]}}
  outputs: {y: {columns: [b]}}
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
training: {epochs: 3, batch_size: 2, checkpoint: {steps: 1}, callbacks: [{CSVLogger: {filename: log.csv}}]}
"""


def test_a_full_disk_is_told_and_the_training_goes_on_when_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n" + "1,2\n3,4\n" * 4, encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    full = tmp_path / ".out.building" / "log.csv"
    full.parent.mkdir()
    full.symlink_to("/dev/full")  # every write to it finds a full disk
    command = ["train", str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "out"), "--resume"]
    ended = CliRunner().invoke(main, command)
    assert ended.exit_code == 1, ended.stderr
    assert "error[NN536]: the disk has no room for `out`: " in ended.stderr
    assert "`000000-000000001` is complete: training continues from epoch 1, step 1" in ended.stderr
    assert "--resume" in ended.stderr
    full.unlink()
    goes_on = CliRunner().invoke(main, command)
    assert goes_on.exit_code == 0, goes_on.stderr
    assert "continuing from checkpoint `000000-000000001`: epoch 1, step 1" in goes_on.stderr
    for name in ("history.csv", "log.csv"):
        assert len((tmp_path / "out" / name).read_text(encoding="utf-8").splitlines()) == 1 + 3
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", "spec.yaml", "out"}
    assert not (tmp_path / "out" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (RuntimeError("[Errno 28] write failed: error message = 'No space left on device'"), True),  # as h5py says it
        (OSError(errno.EACCES, "x"), False),
        (ValueError("there is room"), False),
    ],
)
def test_what_is_a_full_disk(error: Exception, is_one: bool) -> None:
    assert is_full(error) is is_one
    with pytest.raises(KeyError) as later:
        raise KeyError("what came of it") from error
    assert is_full(later.value) is is_one
