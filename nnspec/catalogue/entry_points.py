"""Entry points of other installed packages, by group and name.

Only their metadata is read here. `EntryPoint.load` imports a package, which nnspec does when something of it is used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_METADATA = (".dist-info", ".egg-info")


def find(group: str) -> Mapping[str, EntryPoint]:
    """The entry points of a group; of several with one name the first. Packages are asked once a process."""
    return {name: points[0] for name, points in find_all(group).items()}


@cache
def find_all(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """The entry points of a group by name, also those of which two packages make one name."""
    if not _is_declared(group):
        return {}
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=group):
        found[point.name] = (*found.get(point.name, ()), point)
    return found


def origin(point: EntryPoint) -> str:
    """An entry point as messages name it: `jsonl = my_package:JsonLines (my-package 1.0)`."""
    package = f" ({point.dist.name} {point.dist.version})" if point.dist is not None else ""
    return f"{point.name} = {point.value}{package}"


def _is_declared(group: str) -> bool:
    """Whether any package may have entry points of the group: `importlib.metadata` takes longer to import than to ask.

    An entry of the path that is no folder, such as a zip file, is left to `importlib.metadata`.
    """
    wanted = f"[{group}]".encode()
    for entry in sys.path:
        try:
            packages = [item.path for item in os.scandir(entry or ".") if item.name.endswith(_METADATA)]
        except NotADirectoryError:
            return True
        except OSError:
            continue
        if any(wanted in _content(os.path.join(package, "entry_points.txt")) for package in packages):
            return True
    return False


def _content(path: str) -> bytes:
    """What a file holds, nothing where there is none: a hundred of them are read before any spec is checked."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        return os.read(file, os.fstat(file).st_size)
    except OSError:
        return b""
    finally:
        os.close(file)
