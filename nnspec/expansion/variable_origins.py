"""Where the variables of a faulty expression are set, as related spans."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Related, shortened
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node
from nnspec.expansion.expressions import BROKEN, FUNCTIONS

_USED = r"[A-Za-z_]\w*"


def origins(section: Node | None, values: Mapping[str, object]) -> Callable[[Diagnostic], Diagnostic]:
    """What adds the places of variables (`section` is `vars:`) to a diagnostic whose tokens are an expression.

    Variables of repeats and blocks are said by the trail.
    """
    if not isinstance(section, MappingNode) or not section.entries:
        return lambda diagnostic: diagnostic
    variables = section

    def refine(diagnostic: Diagnostic) -> Diagnostic:
        span = diagnostic.span
        text = span.text if span.line == span.end_line else ""
        if "$" not in text:
            return diagnostic
        local = {name for step in span.trail for name in step.values}
        used = [name for name in dict.fromkeys(re.findall(_USED, text)) if name in variables.entries]
        related = [
            Related(variables.key_span(name), shortened(values[name]), name)
            for name in used
            if name not in local and name not in FUNCTIONS and values.get(name, BROKEN) is not BROKEN
        ]
        return replace(diagnostic, related=(*diagnostic.related, *related)) if related else diagnostic

    return refine
