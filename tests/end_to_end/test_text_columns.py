"""Text through the whole job: columns of words, an archive of words, the deployed model fed with words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from nnspec import api, runtime
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose

PRICE = {"red": 3.0, "green": -2.0, "blue": 7.0, "N 1.0": 1.0}
SPEC = """
nnspec: 1
name: price
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2, seed: 3}
  inputs:
    color: {columns: [color]}
    size: {columns: [size], scale: standard}
  outputs:
    price: {columns: [price], scale: standard}
inputs:
  color: {axes: {word: 1}, dtype: string}
  size: {axes: {feature: 1}}
model:
  - StringLookup: {from: color, vocabulary: [red, green, blue, N 1.0], output_mode: one_hot, as: feature, name: known}
  - Concatenate: {from: [known, size], axis: feature}
  - Dense: {units: 1}
outputs:
  price: {task: regression}
training: {epochs: 40, batch_size: 16, optimizer: {Adam: {learning_rate: 0.05}}, seed: 1}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    rng = np.random.default_rng(2)
    rows = [(rng.choice(list(PRICE)), rng.uniform(1, 9)) for _ in range(150)]
    lines = [f"{color},{size:.3f},{PRICE[color] + 0.5 * size:.3f}" for color, size in rows]
    (folder / "rows.csv").write_text("\n".join(["color,size,price", *lines]) + "\n")
    (folder / "spec.yaml").write_text(SPEC)
    result = run("build", folder / "spec.yaml", "--out", folder / "out")
    assert result.exit_code == 0, result.stderr
    return folder


def test_words_are_learned_and_deployed(built: Path) -> None:
    metrics = json.loads((built / "out" / "metrics.json").read_text())
    assert metrics["test"]["price"]["rmse"] < 0.3 < metrics["test"]["price"]["baseline"]["rmse"]
    verified = json.loads((built / "out" / "verify.json").read_text())
    assert verified["outputs"]["price"]["held_out_samples"] == 3
    assert verified["nodes"]["LabelEncoder"] == 1
    predict = runtime.load(built / "out" / "model.onnx")
    color = np.asarray([["red"], ["blue"], ["N 1.0"], ["violet"]])
    found = predict(color=color, size=np.full((4, 1), 4.0))["price"][:, 0]
    assert np.allclose(found[:3], [5, 9, 3], atol=0.5)


def test_predict_reads_words_from_a_table(built: Path) -> None:
    (built / "new.csv").write_text("size,color\n4,red\n4,blue\n")
    result = run("predict", built / "out" / "model.onnx", built / "new.csv")
    assert result.exit_code == 0, result.stderr
    values = [json.loads(line)["price"] for line in result.stdout.splitlines()]
    assert np.allclose(values, [5, 9], atol=0.5)
    (built / "gap.csv").write_text("size,color\n4,\n")
    assert (
        "column `color` has no text in row 1" in run("predict", built / "out" / "model.onnx", built / "gap.csv").stderr
    )


def test_numbers_are_no_words_for_the_deployed_model(built: Path) -> None:
    predict = runtime.load(built / "out" / "model.onnx")
    with pytest.raises(runtime.InputError, match="input `color` takes text"):
        predict(color=np.zeros((2, 1)), size=np.zeros((2, 1)))


def test_verify_again(built: Path) -> None:
    result = run("verify", built / "out" / "model.onnx")
    assert result.exit_code == 0, result.stderr


def test_words_from_an_archive(built: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    words = rng.choice(["a", "b", "c"], size=(60, 4))
    np.savez(tmp_path / "rows.npz", words=words, count=(words == "a").sum(axis=1, keepdims=True).astype(np.float32))
    (tmp_path / "spec.yaml").write_text("""
nnspec: 1
data:
  source: {npz: rows.npz}
  split: {train: 0.8, test: 0.2, by: random}
  inputs: {words: {array: words}}
  outputs: {count: {array: count}}
inputs: {words: {axes: {word: 4}, dtype: string}}
model:
  - StringLookup: {vocabulary: [a, b, c], num_oov_indices: 0, output_mode: count}
  - Dense: {units: 1}
outputs: {count: {task: regression}}
training: {epochs: 1}
""")
    assert diagnose(tmp_path / "spec.yaml") == []
    made = api.load(tmp_path / "spec.yaml").build(tmp_path / "out")
    assert made.verification["outputs"]["count"]["passed"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            ("color: {columns: [color]}", "color: {columns: [color], scale: standard}"),
            "NN506",
            "scaled values are floats",
        ),
        (
            ("color: {columns: [color]}", "color: {columns: [color], pad_value: 0}"),
            "NN208",
            "is text, which cannot be padded",
        ),
        (("size: {columns: [size], scale: standard}", "size: {columns: [color]}"), "NN506", "contains text"),
        (("dtype: string", "dtype: float32"), "NN407", "`StringLookup` needs text"),
    ],
)
def test_faults_of_text(change: tuple[str, str], code: str, words: str, built: Path) -> None:
    path = built / "fault.yaml"
    path.write_text(SPEC.replace(*change))
    found = [d for d in diagnose(path) if d.is_error]
    assert code in {d.code for d in found}
    assert any(words in d.message for d in found)


def test_a_gap_among_words_is_missing(built: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text((built / "rows.csv").read_text() + ",1.0,2.0\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    with pytest.raises(SpecError, match="NN504"):
        api.load(tmp_path / "spec.yaml").build(tmp_path / "out")
