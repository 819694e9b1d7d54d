"""The arguments of one use of a block, with defaults filled in."""

from __future__ import annotations

from typing import Any

from nnspec.diagnostics import Diagnostic, Fix, Related, Report, did_you_mean, nearest, use_instead
from nnspec.document import Mapping, to_plain

_OWN_KEYS = ("use", "name", "from", "when")  # of a use, whatever the block's parameters are
_IF_NO_PARAMETER = ("trainable",)


def arguments_of(
    kind: str, definition: Mapping, use: Mapping, defined: tuple[Related, ...], report: Report
) -> dict[str, Any] | None:
    """The values of a block's parameters; None where a fault (NN116) was reported.

    Args:
        kind: the block's name.
        defined: where it is defined, to point at.
    """
    node = definition.get("parameters")
    declared: dict[str, Any] = to_plain(node) if isinstance(node, Mapping) else {}
    given = {k: to_plain(v) for k, v in use.entries.items() if k not in _OWN_KEYS}
    given = {k: v for k, v in given.items() if k in declared or k not in _IF_NO_PARAMETER}
    fine = True
    meant: set[str] = set()
    for key in given:
        if key not in declared:
            close = [name for name in nearest(key, declared) if name not in given]
            meant.update(close)
            message = f"block `{kind}` has no parameter `{key}`{did_you_mean(key, declared)}"
            span = use.key_span(key)
            fixes = tuple(use_instead(key, name, span) for name in close)
            report.add(Diagnostic("NN116", message, span, related=defined, fixes=fixes))
            fine = False
    for key, default in declared.items():
        if key not in given and default is None:
            if key not in meant:
                fix = Fix(f"set it: `{{use: {kind}, {key}: …}}`, or declare a default under `blocks:`")
                place = node.key_span(key) if isinstance(node, Mapping) else use.span
                related = (Related(place, f"`{key}` has no default here"),)
                message = f"block `{kind}` requires parameter `{key}`"
                report.add(Diagnostic("NN116", message, use.span, related=related, fixes=(fix,)))
            fine = False
    return {**declared, **given} if fine else None
