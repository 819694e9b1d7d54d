"""What a spec's `training` section asks of a model that is built."""

from __future__ import annotations

from nnspec.pipeline import Checked
from nnspec.training.settings import Settings, fixed_batches


def settings_of(checked: Checked) -> Settings:
    node = checked.root.get("training")
    return Settings.from_section(checked.section("training"), node.span if node is not None else checked.root.span)


def fixed_batch(checked: Checked) -> int | None:
    """The only batch size that the built model takes; None where it takes any."""
    return next((batch for batch in fixed_batches(checked.graph, settings_of(checked)).values() if batch), None)
