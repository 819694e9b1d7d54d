"""Finds the kinds of source that a spec names, before its `data` section is validated."""

from __future__ import annotations

from nnspec.data.section.json_schema import SLOT_KEYS
from nnspec.data.sources.registry import PluginError, named_kinds


def kinds_in(section: object) -> tuple[str, ...]:
    """The kinds of source that a section names anywhere, as plain values; none where one of them cannot be used.

    What checks a spec imports their modules alone.
    """
    if not isinstance(section, dict):
        return ()
    mappings = [section.get("source")]
    for role in ("tables", "inputs", "outputs"):
        slots = section.get(role)
        mappings += slots.values() if isinstance(slots, dict) else ()
    keys = {key for mapping in mappings if isinstance(mapping, dict) for key in mapping}
    try:
        return tuple(source.kind for source in named_kinds(keys, SLOT_KEYS))
    except PluginError:
        return ()
