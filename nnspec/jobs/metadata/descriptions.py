"""Says in a deployed model what the spec's author says of its inputs and outputs."""

from __future__ import annotations

from nnspec.document import Mapping, to_plain
from nnspec.document.types import JsonObject


def add_descriptions(metadata: JsonObject, root: Mapping) -> None:
    """Adds to each input and output the `description` of the spec; the columns of an input have that of the input."""
    for role in ("inputs", "outputs"):
        section = root.get(role)
        if not isinstance(section, Mapping):
            continue
        for name, said in metadata[role].items():
            body = section.entries.get(str(said.get("input", name)))
            text = body.entries.get("description") if isinstance(body, Mapping) else None
            if text is not None:
                said["description"] = str(to_plain(text))
