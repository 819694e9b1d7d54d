"""A server that a spec names is asked only where the user allows it: a socket that listens hears nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnspec.lsp.session import Document
from nnspec.pipeline import diagnose

SPEC = """
nnspec: 1
name: servers
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: 1, as: target}}]
outputs: {y: {task: regression}}
"""
DATA = """
data:
  source: {sql: "postgresql://reader@ADDRESS/shop", table: sales, secret: SHOP_PASSWORD}
  split: {train: 0.5, test: 0.5, by: order}
  inputs: {x: {columns: [price]}}
  outputs: {y: {columns: [sold]}}
"""
TABLES = DATA.replace("source:", "query: SELECT * FROM shop\n  tables: {shop:").replace(
    "SHOP_PASSWORD}", "SHOP_PASSWORD}}"
)
LOG = """
training: {log: {mlflow: "http://ADDRESS"}}
"""
RAY = """
training: {backend: jax, distribute: {workers: 2, ray: RAY}}
"""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setenv("SHOP_PASSWORD", "word")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen()
        found.setblocking(False)
        yield found


def check(more: str, folder: Path, listener: socket.socket, *, allow_outside: bool) -> list[tuple[str, str]]:
    path = folder / "spec.yaml"
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    path.write_text(SPEC + more.replace("ADDRESS", address).replace("RAY", f'"{address}"'), encoding="utf-8")
    return [(found.code, found.path) for found in diagnose(path, allow_outside=allow_outside)]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        (DATA, "data.source.sql"),
        (TABLES, "data.tables.shop.sql"),
        (LOG, "training.log.mlflow"),
        (RAY, "training.distribute.ray"),
    ],
    ids=["table", "tables of a query", "log", "cluster"],
)
def test_no_server_is_asked(more: str, path: str, listener: socket.socket, tmp_path: Path) -> None:
    assert ("NN636", path) in check(more, tmp_path, listener, allow_outside=False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_an_editor_asks_none(listener: socket.socket, tmp_path: Path) -> None:
    check(DATA, tmp_path, listener, allow_outside=False)
    path = tmp_path / "spec.yaml"
    document = Document(
        uri=path.as_uri(), path=path, text=path.read_text(encoding="utf-8"), version=1, encoding="utf-16"
    )
    assert [found.code for found in document.survey().diagnostics] == ["NN636"]
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("more", [LOG, RAY, RAY.replace("RAY", "auto"), RAY.replace("RAY", "true")])
def test_what_is_allowed_or_here_is_no_fault(more: str, listener: socket.socket, tmp_path: Path) -> None:
    is_here = "RAY" not in more and "ADDRESS" not in more
    codes = [code for code, _ in check(more, tmp_path, listener, allow_outside=not is_here)]
    assert "NN636" not in codes


def test_what_the_user_names_is_asked(tmp_path: Path, listener: socket.socket) -> None:
    """An override is the user's own word."""
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC + "training: {epochs: 1}\n", encoding="utf-8")
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert not diagnose(path, {"training.log.mlflow": address})
    path.write_text(SPEC + f"training: {{log: {{mlflow: '{address}'}}}}\n", encoding="utf-8")
    assert [found.code for found in diagnose(path)] == ["NN636"]
