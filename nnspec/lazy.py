"""What `nnspec check` should not pay for at import: NumPy, and the methods of records.

A check lowers nothing, so `np` is imported on first use. `dataclass` is that of the standard library, which compiles up
to six methods a class as text, half the time of a check: here all records share them but for `__init__`, which is
compiled when the first record of a class is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass

    import numpy as np
else:
    import dataclasses
    from operator import attrgetter

    class _Lazy:
        def __getattr__(self, name: str) -> object:
            return getattr(importlib.import_module("numpy"), name)

    np = _Lazy()

    def dataclass(
        cls: type | None = None, *, eq: bool = True, repr: bool = True, frozen: bool = False, **options: bool
    ) -> Callable[..., object] | type:
        """As `dataclasses.dataclass`, which collects the fields; `__init__` is compiled on first use."""

        def decorate(cls: type) -> type:
            if not cls.__doc__:  # Python would write one with the signature, which takes longer than all the rest
                cls.__doc__ = cls.__name__
            made = dataclasses.dataclass(init=False, eq=False, repr=False, **options)(cls)
            own = vars(cls)
            if "__init__" not in own:
                made.__init__ = _first_init(made, frozen)
            if repr and "__repr__" not in own:
                made.__repr__ = _repr
            if eq:
                _compare_by_fields(made, own, frozen)
            if frozen:
                made.__setattr__, made.__delattr__ = _refuse_setattr, _refuse_delattr
                if options.get("slots"):  # the default of Python sets attributes one by one
                    made.__getstate__, made.__setstate__ = _get_state, _set_state
            return made

        return decorate if cls is None else decorate(cls)

    def _first_init(cls: type, frozen: bool) -> Callable[..., object]:
        """Replaces itself by the compiled method when it is called."""

        def __init__(self: object, *args: object, **values: object) -> None:
            cls.__init__ = _compiled_init(cls, frozen)
            cls.__init__(self, *args, **values)

        return __init__

    def _compiled_init(cls: type, frozen: bool) -> Callable[..., object]:
        known: dict[str, object] = {"MISSING": dataclasses.MISSING, "set_field": object.__setattr__}
        by_position, by_name, body = ["self"], ["*"], []
        for field in dataclasses.fields(cls):
            name, value, default = field.name, field.name, field.default
            if field.default_factory is not dataclasses.MISSING:
                known[f"make_{name}"] = field.default_factory
                value = f"make_{name}() if {name} is MISSING else {name}" if field.init else f"make_{name}()"
            elif default is dataclasses.MISSING and not field.init:
                continue  # `__post_init__` sets it
            elif not field.init:
                value = f"default_{name}"
            has_default = default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            if has_default:
                known[f"default_{name}"] = default
            if field.init:
                argument = f"{name}=default_{name}" if has_default else name
                (by_name if field.kw_only else by_position).append(argument)
            body.append(f"set_field(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        arguments = by_position + (by_name if len(by_name) > 1 else [])
        exec("\n ".join([f"def __init__({', '.join(arguments)}):", *body, "pass"]), known)
        method = known["__init__"]
        method.__qualname__ = f"{cls.__qualname__}.__init__"
        return method

    def _compare_by_fields(cls: type, own: Mapping[str, object], frozen: bool) -> None:
        fields = dataclasses.fields(cls)
        if "__eq__" not in own:
            compared = _values_of(field.name for field in fields if field.compare)

            def __eq__(self: object, other: object) -> bool:
                return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

            cls.__eq__ = __eq__
        if own.get("__hash__") is not None:
            return  # a class that has its own
        if not frozen:
            cls.__hash__ = None
            return
        hashed = _values_of(f.name for f in fields if (f.compare if f.hash is None else f.hash))
        cls.__hash__ = lambda self: hash(hashed(self))

    def _values_of(names: Iterable[str]) -> Callable[..., object]:
        """A function from a record to the tuple of its values."""
        names = tuple(names)
        if len(names) > 1:
            return attrgetter(*names)
        return lambda record: tuple(getattr(record, name) for name in names)

    def _repr(self: object) -> str:
        values = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
        return f"{type(self).__qualname__}({', '.join(values)})"

    def _refuse_setattr(self: object, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_delattr(self: object, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def _get_state(self: object) -> list[object]:
        return [getattr(self, field.name) for field in dataclasses.fields(self)]

    def _set_state(self: object, state: list[object]) -> None:
        for field, value in zip(dataclasses.fields(self), state, strict=True):
            object.__setattr__(self, field.name, value)


__all__ = ["dataclass", "np"]
