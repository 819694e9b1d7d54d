"""Packages that a library imports only because they are installed, and that nnspec does not use there.

Keras and TensorFlow look for scikit-learn, SciPy, pandas, Matplotlib and JAX, for users who hand them such objects: two
fifths of what importing them costs. jsonschema imports `rfc3987_syntax`, which compiles 38 grammars, for a format that
no schema of nnspec has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

_is_own_process = False


def claim_process() -> None:
    """Says that nnspec alone has started this process: no caller hands Keras a data frame, or wraps its models."""
    global _is_own_process
    _is_own_process = True


def owns_process() -> bool:
    """Whether that has been said, so that unused packages are left out."""
    return _is_own_process


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """What is imported inside finds these packages not installed, in a process that nnspec alone has started.

    Behind it they can be imported. Those that are loaded already stay.
    """
    hidden = [name for name in packages if name not in sys.modules] if _is_own_process else []
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            if modules.get(name, ...) is None:
                del modules[name]


@contextmanager
def put_off(package: str, function: str) -> Iterator[None]:
    """What is imported inside finds a function of the package that imports it when it is called."""
    if package in sys.modules or find_spec(package) is None:
        yield
        return

    def call(*arguments: object) -> object:
        wanted: Callable[..., object] = getattr(import_module(package), function)
        return wanted(*arguments)

    stand_in = ModuleType(package)
    setattr(stand_in, function, call)
    sys.modules[package] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(package) is stand_in:
            del sys.modules[package]
