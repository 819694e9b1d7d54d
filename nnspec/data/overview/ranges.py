"""The ranges that a network was trained on."""

from __future__ import annotations

from dataclasses import replace

from nnspec.data.dataset import Dataset
from nnspec.data.overview.describe import describe_input
from nnspec.data.section.plan import DataPlan
from nnspec.data.section.ports import port_names

Range = list[float]


def training_ranges(plan: DataPlan, data: Dataset) -> dict[str, dict[str, Range]]:
    """The smallest and the largest training value of each column of numbers by input, padding and gaps left out.

    What has no columns has one range, under its array's name or that of its kind of file.
    """
    train, ports = replace(data, splits={"train": data.splits["train"]}), port_names(plan, plan.outputs)
    found: dict[str, dict[str, Range]] = {}
    for name, slot in plan.inputs.items():
        columns = describe_input(slot, train, ports.get(name))["columns"]
        figures = {column: told["splits"]["train"] for column, told in columns.items()}
        found[name] = {
            column: [told["min"], told["max"]]
            for column, told in figures.items()
            if told.get("min") is not None and told.get("max") is not None
        }
    return found
