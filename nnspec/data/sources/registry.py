"""The data sources by kind: those of nnspec and of other installed packages.

A kind's module is imported when a spec names it, or where all kinds are wanted: for the published schema, for editors,
and for what is said of a faulty `data` section. Entry points are listed where a key is none that nnspec knows itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

from nnspec.catalogue.entry_points import find, find_all, origin
from nnspec.data.sources.base import DataSource
from nnspec.diagnostics.lists import joined

GROUP = "nnspec.sources"
MODULES = {
    "csv": "nnspec.data.sources.csv",
    "json": "nnspec.data.sources.json",
    "parquet": "nnspec.data.sources.parquet",
    "arrow": "nnspec.data.sources.arrow",
    "sql": "nnspec.data.sources.sql",
    "npz": "nnspec.data.sources.npz",
    "npy": "nnspec.data.sources.npy",
    "wav": "nnspec.data.sources.wav",
    "images": "nnspec.data.sources.images",
    "audio": "nnspec.data.sources.audio",
    "text": "nnspec.data.sources.text",
}


class PluginError(Exception):
    """A source of another package cannot be used (NN530); the message is the whole sentence."""


@cache
def source_of(kind: str) -> DataSource | None:
    """The kind by this key; None where there is none.

    Raises:
        PluginError: where it is another package's and cannot be loaded.
    """
    if kind in MODULES:
        source: DataSource = importlib.import_module(MODULES[kind]).SOURCE
        return source
    entries = find_all(GROUP).get(kind)
    if entries is None:
        return None
    entry = entries[0]
    what = f"source `{origin(entry)}`"
    if len(entries) > 1:
        others = joined(f"`{origin(other)}`" for other in entries[1:])
        raise PluginError(f"{what} has the same name as {others}: uninstall all but one")
    try:
        found = entry.load()
        installed = found() if isinstance(found, type) else found
    except (Exception, SystemExit) as error:  # whatever a package of somebody's own may do
        raise PluginError(f"{what} cannot be loaded: {type(error).__name__}: {error}") from None
    from nnspec.data.sources.package_sources import describe_unfit

    reason = describe_unfit(kind, installed)
    if reason:
        raise PluginError(f"{what} {reason}")
    fit: DataSource = installed
    return fit


def why_unusable(kind: str) -> str | None:
    """Why a kind that a package offers cannot be used; None where it can, or no package offers it."""
    try:
        source_of(kind)
    except PluginError as error:
        return str(error)
    return None


def own_kinds() -> tuple[DataSource, ...]:
    """nnspec's own kinds, in the order in which they are listed."""
    return tuple(source for kind in MODULES if (source := source_of(kind)) is not None)


def all_kinds() -> tuple[DataSource, ...]:
    """Every kind that can be used; packages that cannot be loaded are left out."""
    installed = []
    for kind in find(GROUP).keys() - MODULES.keys():
        try:
            source = source_of(kind)
        except PluginError:
            continue
        if source is not None:
            installed.append(source)
    return (*own_kinds(), *sorted(installed, key=lambda source: source.kind))


def named_kinds(keys: Iterable[str], known: Iterable[str] = ()) -> tuple[DataSource, ...]:
    """The kinds among the keys of a mapping, in the order in which they are listed.

    Args:
        known: keys that name no kind, for which no package is asked.

    Raises:
        PluginError: as `source_of`.
    """
    given = set(keys)
    own = [source for kind in MODULES if kind in given and (source := source_of(kind)) is not None]
    rest = given - {source.kind for source in own} - set(known)
    rest -= {option for source in own for option in source.options}
    installed = sorted(rest & find(GROUP).keys()) if rest else []
    return (*own, *(source for kind in installed if (source := source_of(kind)) is not None))


def is_own(source: DataSource) -> bool:
    return source.kind in MODULES
