"""tests/ledger.json against builds: what is compared, what is not, and what is found. `tests.tools.ledger` builds."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.support import ledger
from tests.tools.ledger import compare, write


def archive(path: Path, kernel: np.ndarray, config: str) -> Path:
    """A Keras archive with one layer's weights."""
    weights = path.with_suffix(".h5")
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = kernel
    with zipfile.ZipFile(path, "w") as files:
        files.write(weights, "model.weights.h5")
        files.writestr("config.json", config)
    return path


def test_the_hash_of_weights_is_theirs_alone(tmp_path: Path) -> None:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    first = ledger.weights_hash(archive(tmp_path / "a.keras", kernel, "one"))
    assert ledger.weights_hash(archive(tmp_path / "b.keras", kernel, "another")) == first
    assert ledger.weights_hash(archive(tmp_path / "c.keras", kernel.reshape(3, 2), "one")) != first
    assert ledger.weights_hash(archive(tmp_path / "d.keras", np.nextafter(kernel, 9), "one")) != first


def test_what_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("tests.support.ledger.LEDGER", "tests.tools.ledger.LEDGER"):
        monkeypatch.setattr(module, tmp_path / "ledger.json")
    hashes = {"weights": "1" * 64, "model.onnx": "2" * 64}
    assert not compare("wave", 1, hashes)
    assert "not compared: the ledger is empty" in capsys.readouterr().out
    write("wave", 1, hashes, ["undisturbed", "killed"])
    assert not compare("wave", 1, hashes)
    assert capsys.readouterr().out.count("as in the ledger") == 2
    assert compare("wave", 1, {**hashes, "weights": "3" * 64})
    assert "weights 3333333333333333 on 1 thread, FAULT: the ledger has 1111" in capsys.readouterr().out
    assert compare("wave", 1, {**hashes, "model.onnx": "3" * 64})
    assert not compare("wave", 2, {**hashes, "weights": "3" * 64})
    assert "the ledger does not have it on 2 threads" in capsys.readouterr().out


def test_another_version_or_code_is_told_and_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ledger.json"
    for module in ("tests.support.ledger.LEDGER", "tests.tools.ledger.LEDGER"):
        monkeypatch.setattr(module, path)
    hashes = {"weights": "1" * 64, "model.onnx": "2" * 64}
    write("wave", 1, hashes, ["undisturbed"])
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[0]["specs"]["wave"]["1 thread"]["code"] = "another"
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert not compare("wave", 1, {**hashes, "model.onnx": "3" * 64})
    assert "nnspec was changed since" in capsys.readouterr().out
    assert compare("wave", 1, {**hashes, "weights": "3" * 64})  # which changes of nnspec leave alone
    entries[0]["versions"]["keras"] = "2.0"
    path.write_text(json.dumps(entries), encoding="utf-8")
    capsys.readouterr()
    assert not compare("wave", 1, {**hashes, "weights": "3" * 64})
    assert "not compared: keras 2.0 there, " in capsys.readouterr().out
