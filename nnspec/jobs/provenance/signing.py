"""Signatures of builds and of deployed models, in the format of OpenSSF model signing (a Sigstore bundle).

`model-signing` signs and verifies; the extra `sign` installs it. A signature of a build directory covers every file in
it, so that what is changed, missing or new is found by name. A signature of one file covers its bytes, wherever it is.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.diagnostics.lists import enumerated
from nnspec.diagnostics.unwritable import telling_unwritable
from nnspec.runtime.whole_files import whole_file

if TYPE_CHECKING:
    from model_signing import hashing

FOLDER_SIGNATURE = "model.sig"
_PRIVATE = "make a key with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`"
_PUBLIC = "take the public key from the private one with `openssl ec -in key.pem -pubout -out key.pub`"


def signature_of(target: Path) -> Path:
    """Where a signature is by default: `model.sig` in a directory, `model.onnx.sig` beside `model.onnx`."""
    return target / FOLDER_SIGNATURE if target.is_dir() else target.with_name(f"{target.name}.sig")


def sign(target: Path, key: Path, *, password: str | None = None, signature: Path | None = None) -> Path:
    """Signs a build directory or one file; returns where the signature is.

    Args:
        key: a private key on an elliptic curve (P-256, P-384, P-521) in PEM.
        password: that of an encrypted key.
        signature: the file to write; default `signature_of(target)`.

    Raises:
        SpecError: NN612 without the package, NN631 where the key or the target cannot be used, NN606 and NN536 where
            the signature cannot be written.
    """
    _require(target)
    from model_signing import signing

    found = signature or signature_of(target)
    if not target.exists():
        raise _report_unusable(target, f"there is no `{target}`", None)
    try:
        signer = signing.Config().use_elliptic_key_signer(
            private_key=key, password=password.encode() if password is not None else None
        )
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise _report_unusable(key, f"`{key.name}` cannot be used as a key: {_describe_error(error)}") from error
    with tempfile.TemporaryDirectory() as folder:  # elsewhere: what is signed has no file more while it is read
        made = Path(folder) / found.name
        try:
            signer.set_hashing_config(_hash_files(target, [found])).sign(target, made)
        except (ValueError, OSError) as error:
            raise _report_unusable(
                target, f"`{target.name}` cannot be signed: {_describe_error(error)}", None
            ) from error
        with telling_unwritable(found), whole_file(found) as beside:
            shutil.copyfile(made, beside)
    return found


def check_signature(model: Path, key: Path, signature: Path | None = None) -> tuple[Path, int]:
    """What a signature covers, and of how many files.

    Args:
        model: the deployed model, or a directory.
        key: the signer's public key, in PEM.
        signature: default: that of the model itself where there is one, else that of its directory.

    Raises:
        SpecError: NN612 without the package; NN630 where the signature is missing, another's, or of other bytes.
    """
    _require(model)
    from model_signing import verifying

    folder = model if model.is_dir() else model.parent
    places = [signature] if signature else list(dict.fromkeys([signature_of(model), folder / FOLDER_SIGNATURE]))
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise _unfit(model, f"`{model.name}` has no signature", [f"there is no `{path.name}`" for path in places])
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key)
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise _report_unusable(
            key, f"`{key.name}` cannot be used as a public key: {_describe_error(error)}", _PUBLIC
        ) from error
    try:
        signed = _signed_files(found)
    except (ValueError, KeyError, TypeError, OSError):
        raise _unfit(found, f"`{found.name}` is not a signature of a model", []) from None
    target = model if signed.keys() == {"."} else folder
    if target != model and model.name not in signed:
        raise _unfit(found, f"`{found.name}` does not cover `{model.name}`", [])
    try:
        verifier.set_hashing_config(_hash_files(target, [found])).verify(target, found)
    except Exception as error:  # of many classes, whatever was done to the file
        if differing := _differing(target, found, signed):
            raise _unfit(found, f"`{Path(os.path.abspath(target)).name}` is not what was signed", differing) from None
        raise _unfit(found, f"`{found.name}` is not a signature by this key", [_describe_error(error)]) from None
    return target, len(signed)


def _signed_files(signature: Path) -> dict[str, str]:
    """SHA-256 of the files that a signature claims to be of; `.` is the one file that a signature is of alone."""
    bundle = json.loads(signature.read_text(encoding="utf-8"))
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    return {entry["name"]: entry["digest"] for entry in payload["predicate"]["resources"]}


def _differing(target: Path, signature: Path, signed: dict[str, str]) -> list[str]:
    """Files that are not what a signature claims."""
    there = _hash_files(target, [signature]).hash(target).resource_descriptors()
    found = {entry.identifier: entry.digest.digest_hex for entry in there}
    changed = [name for name in signed if name in found and found[name] != signed[name]]
    kinds = {"changed": changed, "missing": signed.keys() - found.keys(), "new": found.keys() - signed.keys()}
    return [
        f"{kind}: {enumerated([target.name if name == '.' else name for name in sorted(names)])}"
        for kind, names in kinds.items()
        if names
    ]


def _hash_files(target: Path, ignored: list[Path]) -> hashing.Config:
    from model_signing import hashing

    folder = Path(os.path.abspath(target))
    there = [Path(os.path.abspath(path)) for path in ignored]
    # relative to the directory: model-signing leaves absolute paths out where the directory's own path is relative
    inside = [path.relative_to(folder) for path in there if path.is_relative_to(folder)]
    return hashing.Config().set_ignored_paths(paths=inside if target.is_dir() else [], ignore_git_paths=False)


def _require(target: Path) -> None:
    if not is_installed("sign"):
        raise SpecError.single(
            "NN612",
            "signatures need model-signing",
            Span(Source(str(target), "")),
            fixes=[Fix(install_command("sign"))],
        )


def _describe_error(error: Exception) -> str:
    if isinstance(error, AttributeError):  # model-signing asks every key for its curve
        return "it is not on an elliptic curve"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(". ")


def _report_unusable(path: Path, message: str, help_text: str | None = _PRIVATE) -> SpecError:
    fixes = [Fix(help_text)] if help_text is not None else []
    return SpecError.single("NN631", message, Span(Source(str(path), "")), fixes=fixes)


def _unfit(path: Path, message: str, notes: list[str]) -> SpecError:
    return SpecError.single("NN630", message, Span(Source(str(path), "")), notes=notes)
