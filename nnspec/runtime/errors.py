"""The errors of a deployed model and its inputs."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """What was given to a model is not what it takes; the message names the input and the axis."""


class ModelError(RuntimeError):
    """The model file is missing, damaged, or fails to run."""


def quote_names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]


def no_model_at(path: Path) -> str:
    """What to say of a path that is no file; of a folder, which model in it may be meant."""
    if not path.is_dir():
        return f"there is no model file `{path}`"
    inside = sorted(path.glob("*.onnx"), key=lambda file: (len(file.name), file.name))
    return (
        f"`{path}` is a folder: name the file in it, `{inside[0]}`"
        if inside
        else f"`{path}` is a folder without a model"
    )
