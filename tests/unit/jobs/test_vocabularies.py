"""Vocabularies that come from the training rows: in the deployed model, with the weights, and where there are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from nnspec import api, pipeline, runtime
from nnspec.backends.keras.training.callbacks import Checkpoint
from nnspec.cli import main
from nnspec.data.dataset import Dataset, Split
from nnspec.diagnostics import SpecError
from nnspec.jobs import load_dataset, vocabularies
from nnspec.pipeline import diagnose
from tests.layers.preprocessing.test_adapted_lookups import most_common
from tests.support.paths import DATA

WEATHER = DATA / "jfk_weather_2013.csv"
SPEC = """
nnspec: 1
name: wind
data:
  source: {csv: rows.csv}
  order_by: time_hour
  missing: forward_fill
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs:
    direction: {columns: [wind_dir]}
    sight: {columns: [visib]}
    gust: {columns: [humid]}
  outputs:
    temp: {columns: [temp], scale: standard}
inputs:
  direction: {axes: {direction: 1}, dtype: int32}
  sight: {axes: {word: 1}, dtype: string}
  gust: {axes: {text: 1}, dtype: string}
model:
  - IntegerLookup: {from: direction, mask_token: 0, max_tokens: 30, name: winds}
  - Embedding: {input_dim: 30, output_dim: 3}
  - Flatten: {as: feature, name: vectors}
  - StringLookup: {from: sight, output_mode: one_hot, max_tokens: 9, pad_to_max_tokens: true, as: feature, name: views}
  - TextVectorization:
      {from: gust, output_mode: tf_idf, max_tokens: 6, pad_to_max_tokens: true, as: feature, name: gusts}
  - Concatenate: {from: [vectors, views, gusts], axis: feature}
  - Dense: {units: 1}
outputs: {temp: {task: regression}}
training: {epochs: 2, batch_size: 64, seed: 1}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def tables(path: Path) -> dict[str, list[Any]]:
    """The keys of every table in a model, by the name of its layer."""
    found = {}
    for node in onnx.load(path).graph.node:
        if node.op_type == "LabelEncoder":
            keys = {a.name: a for a in node.attribute}
            texts = [key.decode() for key in keys["keys_strings"].strings] if "keys_strings" in keys else None
            found[node.name.partition("/")[0]] = texts or list(keys["keys_int64s"].ints)
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocabularies")
    lines = WEATHER.read_text().splitlines()
    (folder / "rows.csv").write_text("\n".join([lines[0], *lines[1:901]]) + "\n")
    (folder / "spec.yaml").write_text(SPEC)
    result = run("build", folder / "spec.yaml", "--out", folder / "out")
    assert result.exit_code == 0, result.stderr
    return folder


def columns(folder: Path, rows: int = 900 * 6 // 10) -> dict[str, list[str]]:
    """The cells of the training rows, or of as many as are asked for, gaps filled."""
    lines = (folder / "rows.csv").read_text().splitlines()
    found: dict[str, list[str]] = {name: [] for name in lines[0].split(",")}
    for line in lines[1 : 1 + rows]:
        for name, cell in zip(found, line.split(","), strict=True):
            found[name].append(cell or found[name][-1] if found[name] else cell)
    return found


def test_the_words_of_the_training_rows_are_deployed(built: Path) -> None:
    rows = columns(built)
    directions = most_common([n for n in map(int, rows["wind_dir"]) if n != 0], 28)
    views = most_common(rows["visib"], 8)
    found = tables(built / "out" / "model.onnx")
    assert found["winds"] == [0, *directions]
    assert found["views"] == views
    humid = most_common([cell.replace(".", "") for cell in rows["humid"]], 5)
    everywhere = columns(built, 900)
    assert humid != most_common([cell.replace(".", "") for cell in everywhere["humid"]], 5)
    assert directions != most_common([n for n in map(int, everywhere["wind_dir"]) if n != 0], 28)
    model = json.loads((built / "out" / "verify.json").read_text())
    assert model["outputs"]["temp"]["passed"]
    assert model["outputs"]["temp"]["held_out_samples"] > 0
    checked = pipeline.check(built / "spec.yaml")
    kept = vocabularies.from_archive(checked.graph, built / "out" / "model.keras")
    assert kept["gusts"]["vocabulary"] == humid
    idf = [np.log(1 + 540 / (1 + sum(cell.replace(".", "") == word for cell in rows["humid"]))) for word in humid]
    assert np.allclose(kept["gusts"]["idf_weights"], idf, rtol=1e-6)


def test_exported_verified_and_predicted_again(built: Path, tmp_path: Path) -> None:
    (built / "rows.csv").rename(built / "away.csv")
    try:
        (built / "rows.csv").write_text((built / "away.csv").read_text().replace(",10,", ",11,"))
        result = run("export", built / "spec.yaml", "--weights", built / "out" / "model.keras", "--out", tmp_path / "a")
        assert result.exit_code == 0, result.stderr
    finally:
        (built / "away.csv").replace(built / "rows.csv")
    assert tables(tmp_path / "a" / "model.onnx") == tables(built / "out" / "model.onnx")
    assert run("verify", tmp_path / "a" / "model.onnx").exit_code == 0
    (tmp_path / "new.csv").write_text("humid,visib,wind_dir\n,10,260\n59.37,ten,999\n59.3,10.0,0\n")
    refused = run("predict", tmp_path / "a" / "model.onnx", tmp_path / "new.csv")
    assert "no text in row 1" in refused.stderr
    for wrong in ("2.5", "3000000000"):
        (tmp_path / "new.csv").write_text(f"humid,visib,wind_dir\n59.37,10,{wrong}\n")
        refused = run("predict", tmp_path / "a" / "model.onnx", tmp_path / "new.csv")
        assert "input `direction` takes int32, but the table has" in refused.stderr
    (tmp_path / "new.csv").write_text("humid,visib,wind_dir\n59.37,10,260\n?,ten,999\n59.3,10.0,0\n")
    result = run("predict", tmp_path / "a" / "model.onnx", tmp_path / "new.csv")
    assert result.exit_code == 0, result.stderr
    values = [json.loads(line)["temp"] for line in result.stdout.splitlines()]
    predictor = runtime.load(built / "out" / "model.onnx")
    given = {
        "direction": np.asarray([[260], [999], [0]], np.int32),
        "sight": np.asarray([["10"], ["ten"], ["10.0"]], object),
        "gust": np.asarray([["59.37"], ["?"], ["59.3"]], object),
    }
    assert np.allclose(values, predictor(**given)["temp"][:, 0].tolist(), rtol=1e-5)
    assert len(set(values)) == 3


def test_weights_of_more_words_do_not_fit(built: Path, tmp_path: Path) -> None:
    result = run(
        *("export", built / "spec.yaml", "--weights", built / "out" / "model.keras", "--out", tmp_path / "a"),
        *("--set", "model.3.StringLookup.max_tokens=5"),
    )
    assert "error[NN604]: the vocabulary in `model.keras` has 8 words, but `views` has 5 indices" in result.stderr


def test_a_resumed_training_keeps_its_words(built: Path, tmp_path: Path) -> None:
    checked = pipeline.check(built / "spec.yaml")
    dataset = load_dataset(checked)
    first = vocabularies.resume_vocabularies(checked.graph, dataset, tmp_path, resume=False)
    part = dataset.splits["train"]
    other = Split(
        raw=part.raw,
        x={**part.x, "sight": np.full_like(part.x["sight"], "7")},
        y=part.y,
        target=part.target,
        last=part.last,
        size=1,
        rows=part.rows,
    )
    changed = Dataset({**dataset.splits, "train": other})
    assert vocabularies.resume_vocabularies(checked.graph, changed, tmp_path, resume=True) == first
    assert vocabularies.resume_vocabularies(checked.graph, changed, tmp_path, resume=False)["views"] == {
        "vocabulary": ["7"]
    }


def test_without_data_there_are_no_words(built: Path, tmp_path: Path) -> None:
    text = SPEC[: SPEC.index("data:")] + SPEC[SPEC.index("inputs:\n  direction: {axes") :]
    (tmp_path / "spec.yaml").write_text(text)
    assert diagnose(tmp_path / "spec.yaml") == []
    with pytest.raises(SpecError) as caught:
        api.load(tmp_path / "spec.yaml").export(tmp_path / "out", untrained=True)
    assert [d.code for d in caught.value.diagnostics] == ["NN352"] * 3
    made = api.load(built / "spec.yaml").export(tmp_path / "out", untrained=True)
    assert tables(made.onnx) == tables(built / "out" / "model.onnx")


@pytest.mark.parametrize("listed", ["", "vocabulary: [p, q], "])
def test_an_unknown_word_without_an_index(listed: str, tmp_path: Path) -> None:
    rows = ["word,y", *["p,1"] * 6, *["q,2"] * 6, "r,3", "s,3", "r,3"]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "spec.yaml").write_text(f"""
nnspec: 1
data:
  source: {{csv: rows.csv}}
  split: {{train: 0.8, validation: 0.2, by: order}}
  inputs: {{x: {{columns: [word]}}}}
  outputs: {{y: {{columns: [y]}}}}
inputs: {{x: {{axes: {{word: 1}}, dtype: string}}}}
model:
  - StringLookup: {{{listed}num_oov_indices: 0, max_tokens: 4, name: words}}
  - Embedding: {{input_dim: 4, output_dim: 2}}
  - Flatten
  - Dense: {{units: 1}}
outputs: {{y: {{task: regression}}}}
""")
    with pytest.raises(SpecError, match="NN353") as caught:
        api.load(tmp_path / "spec.yaml").train(tmp_path / "out")
    assert "split `validation` of input `x` has `r`" in str(caught.value)


TWICE = """
nnspec: 1
data:
  source: {csv: rows.csv}
  split: {train: 0.8, test: 0.2, by: order}
  inputs: {word: {columns: [code]}, number: {columns: [code]}}
  outputs: {y: {columns: [y]}}
inputs: {word: {axes: {word: 1}, dtype: string}, number: {axes: {feature: 1}, dtype: int32}}
model:
  - StringLookup: {from: word, output_mode: one_hot, max_tokens: 4, pad_to_max_tokens: true, name: words, as: feature}
  - IntegerLookup:
      {from: number, output_mode: one_hot, max_tokens: 3, pad_to_max_tokens: true, name: codes, as: feature}
  - Concatenate: {from: [words, codes], axis: feature}
  - Dense: {units: 1}
outputs: {y: {task: regression}}
training: {epochs: 3}
"""


def test_an_interrupted_build_goes_on_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["code,y", *["07,1"] * 6, *["8,2"] * 3, "9,3", "9,3", "7,1"]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "spec.yaml").write_text(TWICE)
    finish = Checkpoint.on_epoch_end

    def interrupt(self: Checkpoint, epoch: int, logs: Any = None) -> None:
        finish(self, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            api.load(tmp_path / "spec.yaml").build(tmp_path / "out")
    (tmp_path / "rows.csv").write_text("\n".join(rows).replace("07,1", "5,1") + "\n")
    with pytest.raises(SpecError, match="NN522"):
        api.load(tmp_path / "spec.yaml").build(tmp_path / "out", resume=True)
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    with monkeypatch.context() as patch:
        patch.delattr("nnspec.jobs.vocabularies.learn")  # the words are those of the checkpoint
        made = api.load(tmp_path / "spec.yaml").build(tmp_path / "out", resume=True)
    assert len(made.history) == 3
    assert tables(made.onnx) == {"words": ["07", "8"], "codes": [7, 8]}
    (tmp_path / "new.csv").write_text("code\n07\n7\n8\n")
    result = run("predict", made.onnx, tmp_path / "new.csv")
    assert result.exit_code == 0, result.stderr
    values = [json.loads(line)["y"] for line in result.stdout.splitlines()]
    assert len({str(value) for value in values}) == 3
