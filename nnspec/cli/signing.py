"""The verb `sign`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nnspec.cli.reporting import report_errors


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--key", type=click.Path(path_type=Path), required=True, help="A private key on an elliptic curve, in PEM."
)
@click.option("--secret", metavar="VARIABLE", help="The environment variable with the password of an encrypted key.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="The signature [default: model.sig in a directory, FILE.sig beside a file].",
)
@report_errors
def sign(target: Path, key: Path, secret: str | None, out: Path | None) -> None:
    """Sign a build directory, or one file.

    \b
    openssl ecparam -name prime256v1 -genkey -noout -out key.pem
    openssl ec -in key.pem -pubout -out key.pub
    nnspec sign out/causal_cnn --key key.pem
    nnspec verify out/causal_cnn/model.onnx --signed-by key.pub

    Writes a signature in the format of OpenSSF model signing, which its own tool verifies too. That of a directory
    covers every file in it. Needs `pip install 'nnspec[sign]'`, and no network.

    Exit codes: 0 when signed, 1 when the key or TARGET cannot be used (NN631) or the signature cannot be written, 2 on
    a wrong command line.
    """
    from nnspec.jobs.provenance.signing import sign as sign_target

    if secret is not None and secret not in os.environ:
        raise click.UsageError(f"there is no environment variable `{secret}`")
    password = os.environ[secret] if secret is not None else None
    click.echo(f"wrote {sign_target(target, key, password=password, signature=out)}")
