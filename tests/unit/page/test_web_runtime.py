"""ONNX Runtime for browsers: what is not the pinned version is refused, with what to do."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.page import web_runtime
from nnspec.page.web_runtime import HASHES, RuntimeUnavailable, find_runtime

MODEL = Path(__file__).parents[2] / "end_to_end" / "saved" / "model.onnx"


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(web_runtime, "ADDRESS", "http://127.0.0.1:9/onnxruntime-web.tgz")  # no service answers there
    done = CliRunner().invoke(main, ["page", str(MODEL), "--out", str(tmp_path / "page.html")])
    assert done.exit_code == 1
    assert "error[NN624]" in done.stderr
    assert "npm pack onnxruntime-web@" in done.stderr
    assert "--runtime" in done.stderr
    assert not (tmp_path / "page.html").exists()


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    for name in HASHES:
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(RuntimeUnavailable, match="its hash differs"):
        find_runtime(tmp_path)


def test_a_folder_and_a_tarball_without_the_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match="has no"):
        find_runtime(tmp_path)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/README.md"), io.BytesIO())
    (tmp_path / "other.tgz").write_bytes(stream.getvalue())
    with pytest.raises(RuntimeUnavailable, match="is not onnxruntime-web"):
        find_runtime(tmp_path / "other.tgz")
    (tmp_path / "cut.tgz").write_bytes(stream.getvalue()[:20])
    with pytest.raises(RuntimeUnavailable, match=r"cut\.tgz` is not a tarball, or is damaged"):
        find_runtime(tmp_path / "cut.tgz")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        content = b"".join(index.to_bytes(3, "big") for index in range(40_000))
        for name in HASHES:
            header = tarfile.TarInfo(f"package/dist/{name}")
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    data = bytearray(stream.getvalue())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(byte ^ 0x5A for byte in data[middle : middle + 400])
    (tmp_path / "bad.tgz").write_bytes(data)  # zlib finds what the members hold damaged
    with pytest.raises(RuntimeUnavailable, match=r"bad\.tgz"):
        find_runtime(tmp_path / "bad.tgz")


def test_a_registry_that_stops_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(web_runtime, "ADDRESS", f"http://127.0.0.1:{server.getsockname()[1]}/web.tgz")

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(RuntimeUnavailable, match=r"cannot be fetched.*npm pack"):
            find_runtime()
        thread.join()


def test_what_a_registry_gives_is_compared_with_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.tgz").write_bytes(b"not what was published")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(web_runtime, "ADDRESS", (tmp_path / "other.tgz").as_uri())
    with pytest.raises(RuntimeUnavailable, match="SHA-512 differs"):
        find_runtime()
    assert not (tmp_path / "cache").exists()
