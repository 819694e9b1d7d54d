"""The errors of a deployed model and its inputs."""

from __future__ import annotations


class InputError(ValueError):
    """What was given to a model is not what it takes; the message names the input and the axis."""


class ModelError(RuntimeError):
    """The model file is missing, damaged, or fails to run."""


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]
