"""Infers the axes of a formula's value, and checks that its parts fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from nnspec.diagnostics import did_you_mean
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.layers.formulas.parse import FormulaError
from nnspec.lazy import dataclass

Named = Mapping[str, Axis]


@dataclass
class AxesOf:
    """Axes meet by name: a value that lacks an axis of the other, or has it with size 1, is repeated along it.

    Attributes:
        known: the axes of each value and weight, by name.
        order: the axes of the formula, in the order of its result.
        used: the names that were met.
        reduced: the axes each of whose positions reads all of them.
        accumulated: those each of whose positions reads itself and what is before it.
    """

    known: Mapping[str, Named]
    order: Sequence[str]
    used: set[str] = field(default_factory=set)
    reduced: set[str] = field(default_factory=set)
    accumulated: set[str] = field(default_factory=set)

    def number(self, value: float) -> Named:
        return {}

    def name(self, name: str) -> Named:
        if name not in self.known:
            there = ", ".join(f"`{known}`" for known in self.known)
            raise FormulaError(f"there is no value `{name}`; there are {there}{did_you_mean(name, self.known)}")
        self.used.add(name)
        return self.known[name]

    def unary(self, function: str, value: Named) -> Named:
        return value

    def binary(self, function: str, left: Named, right: Named) -> Named:
        result: dict[str, Axis] = {}
        for name in self.order:
            found = [axes[name] for axes in (left, right) if name in axes]
            if found:
                result[name] = next((axis for axis in found if axis.size != 1), found[0])
        return result

    def compare(self, function: str, left: Named, right: Named) -> Named:
        return self.binary(function, left, right)

    def where(self, flag: Named, value: Named, other: Named) -> Named:
        return self.binary("where", flag, self.binary("where", value, other))

    def accumulate(self, value: Named, axis: str) -> Named:
        self.check_axis("cumsum", "adds along", value, axis)
        self.accumulated.add(axis)
        return value

    def reduce(self, function: str, value: Named, axes: Sequence[str]) -> Named:
        for axis in axes:
            self.check_axis(function, "reduces", value, axis)
        self.reduced.update(axes)
        return {name: axis for name, axis in value.items() if name not in axes}

    def check_axis(self, function: str, does: str, value: Named, axis: str) -> None:
        if axis not in value:
            has = ax.describe(tuple(value.values())) if value else "none"
            raise FormulaError(f"`{function}` {does} axis `{axis}`, but its argument has axes {has}")
