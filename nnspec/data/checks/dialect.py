"""The diagnostic of a file that is written in another way than the spec says, NN560, and the keys that mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnspec.data.sources.base import SourcePlan
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix
from nnspec.diagnostics.values import as_yaml

if TYPE_CHECKING:
    from nnspec.runtime.rules.csv_sniff import Proposal


def propose_keys(source: SourcePlan, shown: str, proposal: Proposal) -> Diagnostic:
    """NN560, with the keys to write next to the path.

    Args:
        shown: what the message calls the file or column.
    """
    message = f"{shown} is not written as `{source.where.rpartition('.')[0]}` says: {proposal.reason}"
    return Diagnostic("NN560", message, source.span, path=source.where, fixes=(_fix(source, proposal),))


def _fix(source: SourcePlan, proposal: Proposal) -> Fix:
    """Replaces the keys that are given, and writes the others behind the path, in the style of the section."""
    return fix_of_keys(source, proposal.keys, "", is_certain=proposal.is_certain)


def fix_of_keys(source: SourcePlan, keys: Mapping[str, object], about: str, *, is_certain: bool) -> Fix:
    """Writes keys beside a source's path.

    Args:
        about: what its text begins with.
    """
    lines = {key: f"{key}: {_quote_mark(value)}" for key, value in keys.items()}
    edits = [Edit(source.spans[key], _quote_mark(keys[key])) for key in lines if key in source.spans]
    added = [line for key, line in lines.items() if key not in source.spans]
    if added and source.spans:
        end = source.span.moved(line=source.span.end_line, column=source.span.end_column)
        if source.spans[""].text.startswith("{"):
            edits.append(Edit(end, "".join(f", {line}" for line in added)))
        else:  # whatever stands behind the path, such as a comment, stays there
            column = len(end.source.line(end.line)) + 1
            indent = " " * (source.spans[f"{source.kind} key"].column - 1)
            text = "".join(f"\n{indent}{line}" for line in added)
            edits.append(Edit(end.moved(column=column, end_column=column), text))
    how = Applicability.MACHINE if is_certain and edits else Applicability.MAYBE
    return Fix(f"{about}write `{', '.join(lines.values())}` next to the path", tuple(edits), how)


def _quote_mark(value: object) -> str:
    """Marks stand in quotes, though YAML would read some without: `";"` is found more easily than `;`."""
    return f'"{value}"' if isinstance(value, str) and len(value) == 1 and value not in '"\\\t' else as_yaml(value)
