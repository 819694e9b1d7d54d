"""Signatures of builds and files: by whom, of what, and what is found when something was changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nnspec.cli import main


def write_keys(
    folder: Path, name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: str = ""
) -> None:
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pem").write_bytes(key.private_bytes(pem, form, locked))
    (folder / f"{name}.pub").write_bytes(public)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name, curve in (("own", ec.SECP256R1()), ("other", ec.SECP384R1())):
        write_keys(folder, name, ec.generate_private_key(curve))
    write_keys(folder, "locked", ec.generate_private_key(ec.SECP521R1()), "open sesame")
    write_keys(folder, "rsa", rsa.generate_private_key(65537, 2048))
    return folder


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    (folder / "kept").mkdir(parents=True)
    for name in ("model.onnx", "metrics.json", "kept/1.h5"):
        (folder / name).write_text(f"what {name} holds", encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def verify(model: Path, key: Path, *more: object) -> Result:
    return run("verify", model, "--signed-by", key, "--signature-only", *more)


def test_a_signed_directory_verifies_wherever_it_is(build: Path, keys: Path) -> None:
    assert run("sign", build, "--key", keys / "own.pem").stdout == f"wrote {build / 'model.sig'}\n"
    moved = build.rename(build.parent / "moved")
    found = verify(moved / "model.onnx", keys / "own.pub")
    assert (found.exit_code, found.stdout) == (0, "moved, 3 files: signed by own.pub\n")
    assert run("sign", moved, "--key", keys / "own.pem").exit_code == 0  # again: a signature does not cover itself
    assert verify(moved / "model.onnx", keys / "own.pub").exit_code == 0


@pytest.mark.parametrize("at", [".", "..", "build"])
def test_a_directory_is_signed_and_verified_by_a_relative_path(
    build: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """model-signing leaves out no absolute path of a relative directory: the signature would be a new file in it."""
    monkeypatch.chdir({".": build, "..": build / "kept", "build": build.parent}[at])
    for _ in range(2):  # again: a signature does not cover itself
        assert run("sign", at, "--key", keys / "own.pem").exit_code == 0
        for target in (Path(at) / "model.onnx", at):
            assert verify(Path(target), keys / "own.pub").stdout == "build, 3 files: signed by own.pub\n"
    (build / "metrics.json").write_text("better", encoding="utf-8")
    assert "  = note: changed: `metrics.json`\n  = see" in verify(Path(at) / "model.onnx", keys / "own.pub").stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "metrics.json").write_text("better", encoding="utf-8"), "changed: `metrics.json`"),
        (lambda folder: (folder / "kept" / "1.h5").unlink(), "missing: `kept/1.h5`"),
        (lambda folder: (folder / ".gitignore").write_text("", encoding="utf-8"), "new: `.gitignore`"),
    ],
)
def test_what_was_done_to_a_directory_is_named(build: Path, keys: Path, change: object, said: str) -> None:
    run("sign", build, "--key", keys / "own.pem")
    assert callable(change)
    change(build)
    found = verify(build / "model.onnx", keys / "own.pub")
    assert found.exit_code == 1
    assert "error[NN630]: `build` is not what was signed" in found.stderr
    assert said in found.stderr


def test_a_file_is_signed_alone_and_may_be_called_otherwise(build: Path, keys: Path) -> None:
    run("sign", build / "model.onnx", "--key", keys / "own.pem")
    renamed = (build / "model.onnx").rename(build.parent / "forecast.onnx")
    signature = build / "model.onnx.sig"
    assert verify(renamed, keys / "own.pub", "--signature", signature).stdout == "forecast.onnx: signed by own.pub\n"
    renamed.write_bytes(renamed.read_bytes()[::-1])
    assert "changed: `forecast.onnx`" in verify(renamed, keys / "own.pub", "--signature", signature).stderr


def test_a_signature_by_another_key_or_none_does_not_fit(build: Path, keys: Path) -> None:
    assert "`model.onnx` has no signature" in verify(build / "model.onnx", keys / "own.pub").stderr
    run("sign", build, "--key", keys / "other.pem")
    assert "`model.sig` is not a signature by this key" in verify(build / "model.onnx", keys / "own.pub").stderr
    (build / "model.sig").write_text('{"dsseEnvelope": 1}', encoding="utf-8")
    assert "`model.sig` is not a signature of a model" in verify(build / "model.onnx", keys / "other.pub").stderr


def test_a_signature_of_other_content_is_not_accepted(build: Path, keys: Path) -> None:
    """What a signature claims is altered together with the file: the claim is what is signed."""
    import base64
    import hashlib
    import json

    run("sign", build / "model.onnx", "--key", keys / "own.pem")
    path = build / "model.onnx.sig"
    bundle = json.loads(path.read_text(encoding="utf-8"))
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).decode()
    before = hashlib.sha256((build / "model.onnx").read_bytes()).hexdigest()
    (build / "model.onnx").write_bytes(b"evil")
    forged = payload.replace(before, hashlib.sha256(b"evil").hexdigest())
    assert forged != payload
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(forged.encode()).decode()
    path.write_text(json.dumps(bundle), encoding="utf-8")
    found = verify(build / "model.onnx", keys / "own.pub")
    assert "`model.onnx.sig` is not a signature by this key" in found.stderr


def test_keys_that_cannot_sign(build: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rsa.pem", "own.pub", "none.pem", "locked.pem"):
        found = run("sign", build, "--key", keys / name)
        assert found.exit_code == 1
        assert f"error[NN631]: `{name}` cannot be used as a key" in found.stderr
    assert not list(build.glob("*.sig"))
    monkeypatch.setenv("SESAME", "open sesame")
    assert run("sign", build, "--key", keys / "locked.pem", "--secret", "SESAME").exit_code == 0
    assert verify(build / "model.onnx", keys / "locked.pub").exit_code == 0
    assert (
        "error[NN631]: `own.pem` cannot be used as a public key"
        in verify(build / "model.onnx", keys / "own.pem").stderr
    )
    assert "openssl ec -in key.pem -pubout" in verify(build / "model.onnx", keys / "own.pem").stderr
    assert "error[NN631]: there is no" in run("sign", build / "none", "--key", keys / "own.pem").stderr
    assert "openssl" not in run("sign", build / "none", "--key", keys / "own.pem").stderr


def test_a_signature_that_cannot_be_written_is_told_and_the_old_one_stays(build: Path, keys: Path) -> None:
    run("sign", build, "--key", keys / "own.pem")
    before = (build / "model.sig").read_bytes()
    done = run("sign", build, "--key", keys / "other.pem", "--out", build / "none" / "model.sig")
    assert done.exit_code == 1
    assert f"error[NN606]: cannot write `{build / 'none' / 'model.sig'}`: no such file or directory" in done.stderr
    assert (build / "model.sig").read_bytes() == before
    assert sorted(path.name for path in build.iterdir() if path.name.startswith(".")) == []


def test_the_tool_of_model_signing_verifies_it(build: Path, keys: Path) -> None:
    run("sign", build, "--key", keys / "own.pem")
    command = [sys.executable, "-m", "model_signing", "verify", "key", str(build), "--signature"]
    command += [str(build / "model.sig"), "--public_key"]
    assert subprocess.run([*command, str(keys / "own.pub")], check=False, capture_output=True).returncode == 0
    assert subprocess.run([*command, str(keys / "other.pub")], check=False, capture_output=True).returncode != 0
