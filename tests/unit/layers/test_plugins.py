"""Layers of a package installed beside nnspec are as good as nnspec's own; what is wrong with one is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.loaded_python import run_loaded
from tests.support.plugins.install import FAULTY, MODULE, environment, install

SPEC = """
nnspec: 1
inputs: {x: {axes: {time: 7, feature: 3}}}
model:
  - ScaleShift: {factor: 2}
  - TimeDistributed: {layer: ScaleShift}
  - Flatten
  - Dense: {units: 2}
outputs: {y: {task: regression}}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nnspec.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True)


def checked(folder: Path, spec: str, layers: dict[str, str]) -> subprocess.CompletedProcess[str]:
    install(folder, layers)
    (folder / "spec.yaml").write_text(spec, encoding="utf-8")
    return run(folder, "check", "spec.yaml")


def test_it_is_checked_described_and_in_the_schema(tmp_path: Path) -> None:
    done = checked(tmp_path, SPEC, {"ScaleShift": f"{MODULE}:ScaleShift"})
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = SPEC.replace("factor: 2", "factor: -2").replace("layer: ScaleShift", "layer: {ScaleShift: {facto: 1}}")
    (tmp_path / "wrong.yaml").write_text(wrong, encoding="utf-8")
    said = run(tmp_path, "check", "wrong.yaml").stdout
    assert "`factor` of `ScaleShift` must be more than 0" in said
    assert "`facto`; did you mean `factor`?" in said
    (tmp_path / "slip.yaml").write_text(SPEC.replace("- ScaleShift:", "- ScaleShfit:"), encoding="utf-8")
    assert "did you mean `ScaleShift`?" in run(tmp_path, "check", "slip.yaml").stdout

    page = run(tmp_path, "explain", "ScaleShift").stdout
    assert page.startswith("# ScaleShift\n\nMultiplies each feature")
    assert "- `factor` (default 1.0)" in page
    why = run(tmp_path, "show", "spec.yaml", "--why", "scale_shift_1").stdout
    assert "Every one of 3 of `feature` has a scale and a shift of its own." in why
    assert "parameters: 3 + 3 = 6" in why

    assert run(tmp_path, "schema", "--out", "schema.json").returncode == 0
    schema = json.loads((tmp_path / "schema.json").read_text(encoding="utf-8"))
    assert "factor" in json.dumps(schema["definitions"]["layer_ScaleShift"])
    assert "ScaleShift" in json.dumps(schema["definitions"]["item"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no.such.module:ScaleShift", "cannot be loaded from `no.such.module:ScaleShift`: ModuleNotFoundError"),
        (f"{MODULE}:Scaleshift", "AttributeError"),
        (f"{MODULE}:MODULE", "AttributeError"),
        (f"{MODULE}:Call", "cannot be created"),
        (f"{MODULE}:keras_name", "is not a layer"),
        (f"{MODULE}:Backwards", "has kind `Backwards`"),
    ],
)
def test_what_cannot_be_used_is_said(value: str, said: str, tmp_path: Path) -> None:
    done = checked(tmp_path, SPEC, {"ScaleShift": value})
    assert done.returncode == 1
    assert "NN216" in done.stdout
    assert "`ScaleShift` of the package `scaleshift` 1.0 " in done.stdout
    assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_unfinished_layer_is_said(tmp_path: Path) -> None:
    done = checked(
        tmp_path, SPEC.replace("ScaleShift: {factor: 2}", "Unfinished"), {"Unfinished": f"{MODULE}:Unfinished"}
    )
    assert "NN216" in done.stdout
    assert "has no `infer`" in done.stdout
    said = run(tmp_path, "explain", "Unfinished")
    assert said.returncode == 2
    assert "has no `infer`" in said.stderr


@pytest.mark.parametrize(("old", "new"), [("passes_at_inference", "is_training_only"), ("undo", "invert_scaling")])
def test_a_name_of_an_earlier_version_is_said(old: str, new: str, tmp_path: Path) -> None:
    """Nothing would read it, and the layer would be taken for one that lacks the property."""
    install(tmp_path, {"ScaleShift": "older_scaleshift:Older"})
    lines = [f"from {MODULE} import ScaleShift", "class Older(ScaleShift):", "    'An older one.'", f"    {old} = True"]
    (tmp_path / "older_scaleshift.py").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    done = run(tmp_path, "check", "spec.yaml")
    assert done.returncode == 1
    assert "NN216" in done.stdout
    assert f"defines `{old}`, which is called `{new}` now" in done.stdout


def test_two_packages_of_one_kind_are_said(tmp_path: Path) -> None:
    install(tmp_path, {"ScaleShift": f"{MODULE}:ScaleShift"}, package="another", version="2.1")
    done = checked(tmp_path, SPEC, {"ScaleShift": f"{MODULE}:ScaleShift"})
    assert "NN216" in done.stdout
    assert "`another` 2.1" in done.stdout
    assert "`scaleshift` 1.0" in done.stdout


def test_a_failing_layer_is_its_packages_fault(tmp_path: Path) -> None:
    spec = SPEC.replace("layer: ScaleShift", "layer: Backwards").replace("  - ScaleShift: {factor: 2}\n", "")
    done = checked(tmp_path, spec, {"Backwards": f"{MODULE}:Backwards"})
    assert "NN217" in done.stdout
    assert "`Backwards` of the package `scaleshift` 1.0 fails to infer" in done.stdout
    assert "ValueError: who knows" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "name", "code", "said"),
    [
        ("InfersNone", "InfersNone", "NN217", "`infer` returns NoneType, but must return an `Inferred`"),
        ("InfersFlat", "InfersFlat", "NN217", "a tuple of `Axis` for each output, such as `(call.axes,)`"),
        ("Exits", "Exits", "NN217", "fails to infer `exits_1`: SystemExit: 3"),
        ("ListedArguments", "ListedArguments", "NN216", "has `args` of type list"),
        ("repeat", "Repeat", "NN216", "has a name that no layer can have"),
    ],
)
def test_a_mistake_that_a_check_meets_is_its_packages_fault(
    kind: str, name: str, code: str, said: str, tmp_path: Path
) -> None:
    spec = SPEC.replace("layer: ScaleShift", "layer: Softmax").replace("ScaleShift: {factor: 2}", kind)
    done = checked(tmp_path, spec, {kind: f"{FAULTY}:{name}"})
    if kind == "repeat":  # no spec can name that
        assert said in run(tmp_path, "explain").stderr
    else:
        assert f"error[{code}]: `{kind}` of the package `scaleshift` 1.0 " in done.stdout
        assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_layer_that_cannot_describe_itself_is_its_packages_fault(tmp_path: Path) -> None:
    spec = SPEC.replace("layer: ScaleShift", "layer: Softmax").replace("ScaleShift: {factor: 2}", "Undescribed")
    assert checked(tmp_path, spec, {"Undescribed": f"{FAULTY}:Undescribed"}).returncode == 0
    done = run(tmp_path, "show", "spec.yaml", "--why", "undescribed_1")
    assert done.returncode == 1
    said = "`Undescribed` of the package `scaleshift` 1.0 fails to describe `undescribed_1`"
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_kind_of_nnspec_stays_its_own(tmp_path: Path) -> None:
    spec = SPEC.replace("ScaleShift: {factor: 2}", "Dense: {units: 3}").replace("layer: ScaleShift", "layer: Softmax")
    done = checked(tmp_path, spec, {"Dense": f"{MODULE}:Dense"})
    assert done.returncode == 0
    assert done.stdout.count("warning[NN218]") == 1
    assert "`Dense` of the package `scaleshift` 1.0 is never used" in done.stdout
    assert "is never used" in run(tmp_path, "explain", "Dense").stderr


def test_packages_are_not_imported_for_kinds_of_nnspec(tmp_path: Path) -> None:
    install(tmp_path, {"ScaleShift": f"{MODULE}:ScaleShift"})
    spec = SPEC.replace("ScaleShift: {factor: 2}", "ReLU").replace("layer: ScaleShift", "layer: Softmax")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    code = (
        "import sys; from nnspec.pipeline import diagnose; assert diagnose('spec.yaml') == []\n"
        f"assert {MODULE!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(tmp_path), check=True)


# Verbs in one process, which imports Keras once: what each printed, and how it ended.
VERBS = """
import json, sys
from click.testing import CliRunner
from nnspec.cli import main
done = {}
for name, arguments in json.loads(sys.argv[1]).items():
    result = CliRunner().invoke(main, arguments)
    done[name] = [result.exit_code, result.stdout, result.stderr]
print(json.dumps(done))
"""
COMMANDS = {
    "export": ["export", "spec.yaml", "--untrained", "--out", "out"],
    "mislabelled": ["export", "mislabelled.yaml", "--untrained", "--out", "mislabelled"],
    "import": ["import", "scaled.keras"],
    "imported": ["export", "scaled.yaml", "--weights", "scaled.weights.h5", "--out", "imported"],
}


# What a mistake of the author's is called when the layer is lowered.
MISTAKES = {
    "ReadsView": "`Add` reads a `View` where the name of a tensor is expected: pass its `tensor`",
    "ReturnsNone": "`to_onnx` returns NoneType, not a list with a view for each output",
    "UnknownOperator": "No Op registered for Squarish",
    "UnknownTensor": "`Add` reads tensor `nowhere`",
    "FewAxes": "`to_onnx` must return a view with axes (batch time feature), but returns one with 1",
    "TwoTensors": "it must return a tensor for each output, 1, but returns 2",
}


def save_model(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """A Keras model with the package's class, alone and in a wrapper; inputs, and its outputs for them."""
    import keras

    from tests.support.plugins.scaleshift.keras_layer import KerasScaleShift

    x = keras.Input((7, 3))
    y = keras.layers.TimeDistributed(KerasScaleShift(name="steps"))(KerasScaleShift(by=2.0, name="own")(x))
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(y)), name="scaled")
    for variable in model.weights:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    model.save(folder / "scaled.keras")
    arrays = np.random.default_rng(2).normal(size=(4, 7, 3)).astype("float32")
    return arrays, model.predict(arrays, verbose=0)


@dataclass(frozen=True)
class Worked:
    """What was done in a folder with the package: by command its exit code, what it printed, and what went wrong."""

    folder: Path
    done: Mapping[str, tuple[int, str, str]]
    arrays: tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Worked:
    folder = tmp_path_factory.mktemp("worked")
    arrays = save_model(folder)
    own = {kind: f"{MODULE}:{kind}" for kind in ("ScaleShift", "Mislabelled")}
    install(folder, {**own, **{kind: f"{FAULTY}:{kind}" for kind in MISTAKES}})
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    wrong = SPEC.replace("ScaleShift: {factor: 2}", "Mislabelled").replace("layer: ScaleShift", "layer: Softmax")
    (folder / "mislabelled.yaml").write_text(wrong, encoding="utf-8")
    commands = dict(COMMANDS)
    for kind in MISTAKES:
        (folder / f"{kind}.yaml").write_text(wrong.replace("Mislabelled", kind), encoding="utf-8")
        commands[kind] = ["export", f"{kind}.yaml", "--untrained", "--out", kind]
    ran = run_loaded("-c", VERBS, json.dumps(commands), cwd=folder, env=environment(folder), check=True)
    return Worked(folder, json.loads(ran.stdout.splitlines()[-1]), arrays)


def test_it_is_exported_behind_the_gate(worked: Worked) -> None:
    code, *said = worked.done["export"]
    assert code == 0, said
    assert (worked.folder / "out" / "model.onnx").is_file()


def test_weights_that_keras_has_not_are_its_packages_fault(worked: Worked) -> None:
    code, _, said = worked.done["mislabelled"]
    assert code == 1
    assert "NN217" in said
    assert "`Mislabelled` of the package `scaleshift` 1.0 infers" in said


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_in_a_lowering_is_its_packages_fault(kind: str, worked: Worked) -> None:
    code, printed, said = worked.done[kind]
    assert code == 1, printed + said
    assert f"error[NN217]: `{kind}` of the package `scaleshift` 1.0 " in printed + said
    assert MISTAKES[kind] in printed + said


def test_a_keras_model_with_the_packages_class_is_imported(worked: Worked, tmp_path: Path) -> None:
    """As the package's kind, with arguments as the kind calls them; without the package it is a custom class."""
    import onnxruntime

    shutil.copy(worked.folder / "scaled.keras", tmp_path)
    refused = run(tmp_path, "import", "scaled.keras")
    assert refused.returncode == 1
    assert refused.stderr.count("a custom class") == 2
    assert "`own` is a `scaleshift>KerasScaleShift`" in refused.stderr
    for name in ("import", "imported"):
        code, *said = worked.done[name]
        assert code == 0, said
    text = (worked.folder / "scaled.yaml").read_text(encoding="utf-8")
    assert "- ScaleShift: {factor: 2.0}" in text
    assert "- TimeDistributed: {layer: ScaleShift}" in text
    file = str(worked.folder / "imported" / "model.onnx")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    x, y = worked.arrays
    np.testing.assert_allclose(session.run(None, {session.get_inputs()[0].name: x})[0], y, atol=1e-5)
