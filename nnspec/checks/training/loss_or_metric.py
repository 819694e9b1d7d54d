"""The use of a loss or metric by an output, with the spans of its arguments; shared by both checks."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.catalogue.losses import ALONG_CLASSES
from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.document import format_path, locate
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, describe
from nnspec.ir.graph import Args, Output
from nnspec.lazy import dataclass


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """A loss or metric of an output.

    Attributes:
        code: of what is wrong with it.
        path: where it stands in the document.
        kind: Keras' class.
    """

    context: Context
    output: Output
    code: str
    path: tuple[str | int, ...]
    kind: str
    arguments: Args

    @property
    def class_axis(self) -> Axis | None:
        """The axis of the classes or labels; None where the output has none."""
        position = ax.index_of(self.output.value.axes, self.output.class_axis or "")
        return None if position is None else self.output.value.axes[position]

    @property
    def class_size(self) -> int | None:
        """How many classes or labels there are, where that is known."""
        axis = self.class_axis
        return axis.size if axis is not None and isinstance(axis.size, int) else None

    def axis_at(self, index: int) -> Axis | None:
        """The output's axis at Keras' index, which counts the batch as 0; None of the batch.

        Raises:
            IndexError: where there is none.
        """
        axes = (None, *self.output.value.axes)
        if not -len(axes) <= index < len(axes):
            raise IndexError(index)
        return axes[index]

    def fault(self, argument: str, what: str, *fixes: Fix, severity: Severity = Severity.ERROR) -> Diagnostic:
        """`k` of `TopKCategoricalAccuracy` `what`, at the argument, or at the object where it is not written."""
        place = (*self.path, next(iter(self.written), self.kind), argument)
        node = locate(self.context.root, place if argument in self.arguments else self.path)
        subject = f"`{argument}` of `{self.kind}`"
        return Diagnostic(
            self.code, f"{subject} {what}", node.span, path=format_path(place), fixes=fixes, severity=severity
        )

    @property
    def written(self) -> tuple[str, ...]:
        """The key that the spec writes the object under; none where it is a bare word."""
        from nnspec.document import Mapping as MappingNode

        node = locate(self.context.root, self.path)
        return tuple(node.entries) if isinstance(node, MappingNode) else ()


def check_axes(reading: Reading) -> Iterator[Diagnostic]:
    """`axis` names axes that there are, and the classes' where that is its meaning."""
    value = reading.arguments.get("axis")
    if value is None:
        return
    axes = describe(reading.output.value.axes)
    for index in value if isinstance(value, list) else [value]:
        try:
            found = reading.axis_at(index)
        except IndexError:
            yield reading.fault(
                "axis", (f"is {index}, but output `{reading.output.name}` has axes {axes} after the batch")
            )
            return
        wanted = reading.class_axis
        if reading.kind in ALONG_CLASSES and reading.output.task == "classification" and found is not wanted:
            here = "the batch axis" if found is None else f"`{found.name}`"
            classes = f"`{wanted.name}`" if wanted is not None else "another axis"
            yield reading.fault(
                "axis",
                f"is {index} ({here}), but the classes of output `{reading.output.name}` are along {classes}",
                Fix("remove `axis`: nnspec knows the class axis"),
            )
