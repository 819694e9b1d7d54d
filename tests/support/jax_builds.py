"""Every verb on JAX in an environment without TensorFlow: `python -m tests.support.jax_builds SPEC FOLDER`.

Builds into FOLDER/whole; is interrupted in FOLDER/resumed and goes on; verifies, exports, evaluates and predicts by
what was built. Prints what each verb printed, as JSON.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import yaml
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.unused_packages import claim_process
from tests.support.small_forecast import CONVOLUTION, HEAD, small_forecast

STEPS = 8
ABSENT = ("tensorflow", "tf2onnx", "tensorboard", "tf_keras")


def example(folder: Path) -> Path:
    """A small forecast, beside its rows."""
    rows = np.cumsum(np.random.default_rng(3).normal(size=(60, 2)), axis=0).round(4)
    (folder / "rows.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows), encoding="utf-8")
    spec = small_forecast(
        model=[{"Dropout": 0.2}, CONVOLUTION, *HEAD],
        training={"backend": "jax", "epochs": 3, "batch_size": 7, "seed": 5, "checkpoint": {"steps": 3}},
        expect={"layers": {"conv": {"causal": "time"}}},
    )
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


def said(*command: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, list(command))
    assert result.exit_code == code, result.output
    return result.output


def run(spec: str, folder: Path) -> dict[str, str]:
    whole, resumed, rows = str(folder / "whole"), str(folder / "resumed"), str(Path(spec).parent / "rows.csv")
    found = {"check": said("check", spec), "build": said("build", spec, "--out", whole)}
    interrupted_build(spec, resumed, steps=STEPS)
    found["resume"] = said("build", spec, "--out", resumed, "--resume")
    found["verify"] = said("verify", f"{whole}/model.onnx")
    found["export"] = said("export", spec, "--weights", f"{whole}/model.keras", "--out", str(folder / "exported"))
    found["evaluate"] = said("evaluate", f"{whole}/model.onnx", rows)
    found["predict"] = said("predict", f"{whole}/model.onnx", rows, "--out", str(folder / "forecasts.csv"))
    return found


def interrupted_build(spec: str, out: str, steps: int) -> None:
    """A build that is stopped after so many steps, the last checkpoint in the middle of an epoch."""
    from nnspec.backends.keras.training.checkpoint import Checkpoint

    plain, done = Checkpoint.on_train_batch_end, 0

    def on_train_batch_end(self: Checkpoint, batch: int, logs: dict[str, float] | None = None) -> None:
        nonlocal done
        plain(self, batch, logs)
        done += 1
        if done == steps:
            raise KeyboardInterrupt

    Checkpoint.on_train_batch_end = on_train_batch_end
    try:
        said("build", spec, "--out", out, code=130)
    finally:
        Checkpoint.on_train_batch_end = plain


if __name__ == "__main__":
    claim_process()  # as the command does
    assert not [name for name in ABSENT if find_spec(name) is not None]
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
