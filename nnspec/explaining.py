"""`nnspec explain`: the page of a code, a layer or a Keras object."""

from __future__ import annotations

from nnspec import catalogue
from nnspec.aliases import ALIASES
from nnspec.codes import CODES
from nnspec.documentation import code_page, layer_page, refusal_page
from nnspec.layers import REGISTRY, refused


def page(what: str) -> str | None:
    """The documentation of a code (case ignored), a layer or a catalogue class; None where there is none."""
    code = what.upper()
    if code in CODES:
        return code_page(code)
    names = {name.lower(): kind for name, kind in [*ALIASES.items(), *((kind, kind) for kind in REGISTRY)]}
    layer = REGISTRY.get(what) or REGISTRY.get(names.get(what.lower(), ""))
    if layer is not None:
        return layer_page(layer)
    refused_kind = refused.find(what)
    if refused_kind is not None:
        return refusal_page(*refused_kind)
    by_name = next((c for c, name in CODES.items() if name == what), None)
    if by_name is not None:
        return code_page(by_name)
    for family in catalogue.FAMILIES:
        found = next((n for n in catalogue.names(family) if n.lower() == what.lower()), None)
        if found is not None:
            return catalogue.explain(family, found).rstrip("\n") + "\n"
    return None
