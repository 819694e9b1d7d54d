"""Packages that only one verb or option needs: the extra of nnspec that installs each."""

from __future__ import annotations

from importlib.util import find_spec

# By extra: the module that it installs. The versions are in pyproject.toml.
EXTRAS = {
    "audio": "soundfile",
    "arrow": "nanoarrow",
    "images": "PIL",
    "int4": "onnx_ir",
    "jax": "jax",
    "lsp": "pygls",
    "mlflow": "mlflow",
    "plots": "matplotlib",
    "postgres": "psycopg",
    "ray": "ray",
    "search": "optuna",
    "sign": "model_signing",
    "tensorboard": "tensorboard",
}


def is_installed(extra: str) -> bool:
    """Whether what an extra brings can be imported; nothing is imported to find out."""
    return find_spec(EXTRAS[extra]) is not None


def install_command(extra: str) -> str:
    """How to get an extra: `pip install 'nnspec[plots]'`."""
    return f"pip install 'nnspec[{extra}]'"
