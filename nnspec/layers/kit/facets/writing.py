"""How a layer is written in a spec: its arguments, short forms and common keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nnspec.document.types import JsonSchema
from nnspec.layers.kit.args import REQUIRED, Arg
from nnspec.layers.kit.habits import Hint


class Writing:
    """How a spec writes a kind.

    Attributes:
        arity: how many inputs it reads, at least and at most (None: any number).
        arity_note: what to say where it is given another number of inputs.
        references: those of `args` that name a value: it is read, after what `from` names.
        makes: the default name of the axis that it makes; `as` is accepted where this is set.
        makes_several: whether it may make several axes; `as` then takes a list of names too.
        short: the argument that a body which is not a mapping stands for (`permute: [a, b]`), where that is not the
            only one that it needs; `from` of layers that read several.
        is_axis_operation: an axis operation of nnspec rather than a Keras layer.
        axis_parts: what is said of an axis under its name, `slice: {time: {start: 2}}`, where others have arguments.
        habits: what other frameworks, or people, call arguments of it, and what to say of that.
    """

    args: ClassVar[Mapping[str, Arg]]
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    arity_note: ClassVar[str] = ""
    references: ClassVar[tuple[str, ...]] = ()
    makes: ClassVar[str | None] = None
    makes_several: ClassVar[bool] = False
    short: ClassVar[str | None] = None
    is_axis_operation: ClassVar[bool] = False
    axis_parts: ClassVar[tuple[str, ...]] = ()
    habits: ClassVar[Mapping[str, Hint]] = {}

    def required_arguments(self) -> list[str]:
        """Arguments without a default; a layer that has none may be written as a bare word."""
        return [name for name, arg in self.args.items() if arg.default is REQUIRED]

    @property
    def main_argument(self) -> str | None:
        """What a body that is no mapping stands for: `Dense: 10` for `Dense: {units: 10}`; None where it means nothing.

        `from` for layers that read several inputs: `Add: [a, b]`.
        """
        required = self.required_arguments()
        main = self.short or (required[0] if len(required) == 1 else None)
        if main is None or main == "from":
            return main
        return main if main in self.args and self.args[main].schema.keys() & {"type", "allOf"} else None

    def normalize(self, name: str, value: Any) -> Any:
        """An argument's value as the layer works with it: `16.0` is a whole number where one is wanted."""
        arg = self.args.get(name)
        if (
            isinstance(value, float)
            and arg is not None
            and value.is_integer()
            and "integer" in arg.schema.get("type", ())
        ):
            return int(value)
        return value

    def adapt_schema(self, schema: JsonSchema) -> JsonSchema:
        """The body's schema where it is not simply the arguments (short forms of the verbs)."""
        return schema
