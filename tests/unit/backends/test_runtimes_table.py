"""The table of runtimes in short: three of them over files of different kinds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import ROOT
from tests.tools import runtimes
from tests.tools.runtime_adapters.cases import decode, encode

HERE = "ort,reference,openvino"
FILES = ("causal_cnn", "spectrogram_lstm", "airline_lstm_stateful", "mnist_cnn")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, str]]]:
    out = tmp_path_factory.mktemp("runtimes")
    sources = [str(ROOT / "specs" / f"{name}.yaml") for name in FILES]
    return out, runtimes.main([*sources, "--out", str(out), "--only", HERE])


def test_three_runtimes_agree(shown: tuple[Path, dict[str, dict[str, str]]]) -> None:
    _, found = shown
    assert found == {name: dict.fromkeys(FILES, "=") for name in HERE.split(",")}


def test_table_counts_what_is_equal(shown: tuple[Path, dict[str, dict[str, str]]]) -> None:
    _, found = shown
    broken = {**found, "openvino": {**found["openvino"], FILES[0]: "differs by 2.0e-01", FILES[1]: "no such operator"}}
    *_, first, second, third, _, last = runtimes.table(broken, FILES, markdown=True).splitlines()
    assert first == "| causal_cnn | = | = | ≠ |"
    assert second == "| spectrogram_lstm | = | = | – |"
    assert third == "| airline_lstm_stateful | = | = | = |"
    assert last == "| equal, of 4 | 4 | 4 | 2 |"


def test_other_numbers_are_told(shown: tuple[Path, dict[str, dict[str, str]]]) -> None:
    folder = shown[0] / "cases" / FILES[0]
    answer = json.loads((folder / "case.json").read_text(encoding="utf-8"))["outputs"]
    found = {name: decode(body) for name, body in answer.items()}
    assert runtimes.compare(folder, found) == "="
    assert runtimes.compare(folder, {name: value + 0.1 for name, value in found.items()}).startswith(
        "differs by 1.0e-01"
    )
    assert runtimes.compare(folder, {name: value * np.nan for name, value in found.items()}) == "differs by inf"
    assert "is missing" in runtimes.compare(folder, {})


@pytest.mark.parametrize("array", [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([["a", "é"]], object)])
def test_arrays_are_kept(array: np.ndarray) -> None:
    assert np.array_equal(decode(json.loads(json.dumps(encode(array)))), array)
