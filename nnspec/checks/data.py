"""Checks that the data fit the network: files, columns, sizes, windows, splits."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.checks.context import Context, input_slots, output_slots
from nnspec.diagnostics import Diagnostic


def check_data(context: Context) -> Iterable[Diagnostic]:
    if context.plan is None:
        return []
    from nnspec.data.checks.files import probe  # a spec without data needs none of it

    return probe(context.plan, input_slots(context.graph), output_slots(context.graph))
