"""`nnspec explain`: the page of a code, a layer, a part of the language or a Keras object."""

from __future__ import annotations

import textwrap

from nnspec.catalogue import keras_objects
from nnspec.diagnostics.codes import CODES
from nnspec.diagnostics.pages import code_page
from nnspec.diagnostics.suggest import nearest
from nnspec.explain import language
from nnspec.explain.consumers import NAME, consumers_page
from nnspec.explain.keys import key_names, key_page, key_paths
from nnspec.layers import refused
from nnspec.layers.aliases import ALIASES
from nnspec.layers.kit.documentation import layer_page, refusal_page
from nnspec.layers.registry import REGISTRY


def page(what: str) -> str | None:
    """The documentation of what has this name (case ignored where it leaves no doubt); None where nothing has."""
    if what.lower() == NAME:
        return consumers_page()
    code = what.upper()
    if code in CODES:
        return code_page(code)
    names = {name.lower(): kind for name, kind in [*ALIASES.items(), *((kind, kind) for kind in REGISTRY)]}
    layer = REGISTRY.get(what) or language_page(what) or REGISTRY.get(names.get(what.lower(), ""))
    if layer is not None:
        text = layer if isinstance(layer, str) else layer_page(layer)
        as_key = key_page(what) if what in REGISTRY else None  # `weight` is both
        return text if as_key is None else f"{text}\n{as_key}"
    refused_kind = refused.find(what)
    if refused_kind is not None:
        return refusal_page(*refused_kind)
    by_name = next((c for c, name in CODES.items() if name == what), None)
    return code_page(by_name) if by_name is not None else _object_page(what) or key_page(what)


def language_page(what: str) -> str | None:
    return language.page(what) or language.page(what.lower())


def _object_page(what: str) -> str | None:
    """Every catalogue object of a name: `Hinge` is a loss and a metric."""
    pages = []
    for family in keras_objects.FAMILIES:
        known = (*keras_objects.names(family), *keras_objects.aliases(family), *keras_objects.words(family))
        found = what if what in known else next((n for n in known if n.lower() == what.lower()), None)
        if found is not None:
            pages.append(keras_objects.explain(family, found).rstrip("\n") + "\n")
        refusal = keras_objects.refusal(family, what)
        if refusal is not None:
            name, reason, instead = refusal
            about = keras_objects.FAMILIES[family].singular
            pages.append(f"{name} ({about})\n\nNot for a spec: `{name}` {reason}.\n\nInstead: {instead}.\n")
    return "\n".join(pages) or None


def topics() -> dict[str, list[str]]:
    """Everything that has a page, by group."""
    verbs = [kind for kind, layer in REGISTRY.items() if layer.is_axis_operation]
    return {
        "Codes": list(CODES),
        "Deployed models": [NAME],
        **language.page_names(),
        "Axis operations": verbs,
        "Layers": [kind for kind in REGISTRY if kind not in verbs],
        "Keys": key_names(),
        **{family.capitalize(): list(keras_objects.names(family)) for family in keras_objects.FAMILIES},
    }


def contents() -> str:
    """The list of topics, for a reader who does not know what to ask for."""
    blocks = []
    for group, names in topics().items():
        text = textwrap.fill(", ".join(names), 100, initial_indent="  ", subsequent_indent="  ")
        blocks.append(f"{group}\n{text}\n")
    return "\n".join(blocks)


def suggestions(what: str) -> list[str]:
    """What was probably asked for."""
    where, _, key = what.rpartition(".")
    if where and (near := [path for path in key_paths(nearest(key, key_names(), 3)) if path.startswith(f"{where}.")]):
        return near
    return nearest(what, [*ALIASES, *(name for names in topics().values() for name in names), *CODES.values()], 3)
