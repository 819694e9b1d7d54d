"""An interrupted training goes on with what it began with, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from nnspec import pipeline
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.jobs.resuming import find_origin, refuse_other_origin, write_origin

SPEC = """nnspec: 1
data:
  source: {csv: data.csv}
  split: {train: 0.5, test: 0.5}
  inputs: {x: {columns: [a]}}
  outputs: {y: {columns: [b]}}
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
training: {epochs: 3}
"""


def begun(folder: Path) -> None:
    (folder / "data.csv").write_text("a,b\n" + "1,2\n3,4\n" * 4, encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    write_origin(find_origin(pipeline.check(folder / "spec.yaml")), folder / "checkpoint")


def goes_on(folder: Path) -> None:
    refuse_other_origin(pipeline.check(folder / "spec.yaml"), folder / "checkpoint", resume=True)


def test_same_spec_and_data_go_on_for_more_epochs_too(tmp_path: Path) -> None:
    begun(tmp_path)
    goes_on(tmp_path)
    longer = SPEC.replace("epochs: 3", "epochs: 9, checkpoint: {steps: 7}")
    (tmp_path / "spec.yaml").write_text(longer, encoding="utf-8")
    goes_on(tmp_path)


PICTURES = """nnspec: 1
data:
  split: {train: 0.5, test: 0.5}
  inputs: {x: {images: photos}}
  outputs: {y: {folder_of: x}}
inputs: {x: {axes: {height: 2, width: 2, channel: 1}}}
model: [Flatten, {Dense: {units: 1, activation: sigmoid}}]
outputs: {y: {task: binary}}
"""


def test_another_picture_is_named_where_several_are_called_alike(tmp_path: Path) -> None:
    for number, label in enumerate(("cat", "dog")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for name in ("1.png", "2.png"):
            Image.new("L", (2, 2), number).save(tmp_path / "photos" / label / name)
    (tmp_path / "spec.yaml").write_text(PICTURES, encoding="utf-8")
    write_origin(find_origin(pipeline.check(tmp_path / "spec.yaml")), tmp_path / "checkpoint")
    goes_on(tmp_path)
    Image.new("L", (2, 2), 9).save(tmp_path / "photos" / "cat" / "1.png")
    with pytest.raises(SpecError) as error:
        goes_on(tmp_path)
    assert "another `photos/cat/1.png`," in error.value.diagnostics[0].message


def test_other_data_are_named(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n" + "1,2\n3,5\n" * 4, encoding="utf-8")
    with pytest.raises(SpecError) as error:
        goes_on(tmp_path)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "NN522"
    assert "`data.csv`" in diagnostic.message


def test_restart_begins_anew_where_the_data_are_other(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "checkpoint").rename(tmp_path / "moved")
    (tmp_path / ".out.building").mkdir()
    (tmp_path / "moved").rename(tmp_path / ".out.building" / "checkpoint")
    (tmp_path / "data.csv").write_text("a,b\n" + "1,2\n3,5\n" * 4, encoding="utf-8")
    command = ["train", str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "out"), "--resume", "-q"]
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "NN522" in refused.stderr
    assert "--resume --restart" in refused.stderr
    anew = CliRunner().invoke(main, [*command, "--restart"])
    assert anew.exit_code == 0, anew.output
    assert len((tmp_path / "out" / "history.csv").read_text(encoding="utf-8").splitlines()) == 1 + 3


@pytest.mark.parametrize("verb", ["build", "train"])
def test_restart_is_completed_and_explained(verb: str) -> None:
    completed = CliRunner().invoke(
        main, prog_name="nnspec",
        env={"_NNSPEC_COMPLETE": "bash_complete", "COMP_WORDS": f"nnspec {verb} --re", "COMP_CWORD": "2"},
    )  # fmt: skip
    assert {"plain,--resume", "plain,--restart"} <= set(completed.stdout.split())
    assert "Start again although a checkpoint exists" in CliRunner().invoke(main, [verb, "--help"]).stdout


def test_other_spec_is_refused(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC.replace("units: 1", "units: 1, use_bias: false"), encoding="utf-8")
    with pytest.raises(SpecError) as error:
        goes_on(tmp_path)
    assert "another `model[0].Dense.use_bias`" in error.value.diagnostics[0].message
