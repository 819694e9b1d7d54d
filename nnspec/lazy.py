"""What `nnspec check` should not pay for at import: NumPy, and the methods of records.

A check lowers nothing, so `np` is imported on first use. `dataclass` is that of the standard library, which compiles up
to six methods a class as text, half the time of a check: here all records share them but for `__init__`, which is
compiled for a class that many records are made of.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass

    import numpy as np
else:
    import dataclasses
    import inspect
    from itertools import count
    from operator import attrgetter
    from types import MemberDescriptorType

    _MANY = 30  # records of a class after which it has cost less to compile its `__init__`

    class _Lazy:
        def __getattr__(self, name: str) -> object:
            return getattr(importlib.import_module("numpy"), name)

    np = _Lazy()

    def dataclass(
        cls: type | None = None,
        *,
        eq: bool = True,
        repr: bool = True,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
    ) -> Callable[..., object] | type:
        """As `dataclasses.dataclass`, whose `fields`, `replace` and `asdict` take these records."""

        def decorate(cls: type) -> type:
            fields = _fields_of(cls, kw_only)
            if slots:
                cls = _with_slots(cls, fields)
            own = vars(cls)
            cls.__dataclass_fields__ = {f.name: f for f in _inherited(cls)} | {f.name: f for f in fields}
            fields = tuple(cls.__dataclass_fields__.values())
            if "__match_args__" not in own:
                cls.__match_args__ = _positional(fields)
            if "__init__" not in own:
                cls.__init__ = _first_init(cls, fields, frozen)
            if repr and "__repr__" not in own:
                cls.__repr__ = _repr
            if eq:
                _compare_by_fields(cls, fields, frozen)
            if frozen:
                cls.__setattr__, cls.__delattr__ = _refuse_setattr, _refuse_delattr
                if slots:  # the default of Python sets attributes one by one
                    cls.__getstate__, cls.__setstate__ = _get_state, _set_state
            return cls

        return decorate if cls is None else decorate(cls)

    def _fields_of(cls: type, kw_only: bool) -> list[dataclasses.Field]:
        """The fields that a class itself names, whose defaults become its attributes."""
        found = []
        for name, annotation in inspect.get_annotations(cls).items():
            text = annotation if isinstance(annotation, str) else getattr(annotation, "__qualname__", str(annotation))
            if text.removeprefix("dataclasses.") == "KW_ONLY":
                kw_only = True
                continue
            if text.removeprefix("typing.").startswith("ClassVar"):
                continue
            default = vars(cls).get(name, dataclasses.MISSING)
            if isinstance(default, MemberDescriptorType):  # a slot of the class
                default = dataclasses.MISSING
            field = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)
            if field is default and field.default is not dataclasses.MISSING:
                setattr(cls, name, field.default)
            elif field is default:
                delattr(cls, name)
            field.name, field.type, field._field_type = name, annotation, dataclasses._FIELD
            if field.kw_only is dataclasses.MISSING:
                field.kw_only = kw_only
            found.append(field)
        return found

    def _inherited(cls: type) -> Iterator[dataclasses.Field]:
        for base in cls.__mro__[-1:0:-1]:
            yield from vars(base).get("__dataclass_fields__", {}).values()

    def _with_slots(cls: type, fields: Iterable[dataclasses.Field]) -> type:
        """The class anew, since what has slots is made with them; its bases keep theirs."""
        names = [field.name for field in fields]
        inherited = {name for base in cls.__mro__[1:] for name in vars(base).get("__slots__", ())}
        left = {"__dict__", "__weakref__", *names}
        body = {name: value for name, value in vars(cls).items() if name not in left}
        body["__slots__"] = tuple(name for name in names if name not in inherited)
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made.__qualname__ = cls.__qualname__
        return made

    def _positional(fields: Iterable[dataclasses.Field]) -> tuple[str, ...]:
        return tuple(field.name for field in fields if field.init and not field.kw_only)

    def _first_init(cls: type, fields: Sequence[dataclasses.Field], frozen: bool) -> Callable[..., object]:
        """A slow one, of which most records are few; it is replaced by the compiled method where they are many.

        So it is by a call that it cannot serve, which the compiled method refuses as Python does.
        """
        positional, calls = _positional(fields), count(1)
        compiled: list[Callable[..., None]] = []
        has_more = hasattr(cls, "__post_init__")
        set_field = object.__setattr__ if frozen else setattr

        def __init__(self: object, *args: object, **values: object) -> None:
            given = dict(zip(positional, args))  # noqa: B905 - the compiled method says which are too many
            known = len(args) <= len(positional) and given.keys().isdisjoint(values) and next(calls) < _MANY
            given.update(values)
            for field in fields if known else ():
                if field.init and field.name in given:
                    value = given.pop(field.name)
                elif field.default_factory is not dataclasses.MISSING:
                    value = field.default_factory()
                elif field.default is not dataclasses.MISSING:
                    value = field.default
                elif field.init:
                    known = False
                    break
                else:
                    continue  # `__post_init__` sets it
                set_field(self, field.name, value)
            if known and not given:
                if has_more:
                    self.__post_init__()
                return
            compiled.extend([] if compiled else [_compiled_init(cls, frozen)])
            if vars(cls).get("__init__") is __init__:  # not where somebody has put another in its place
                cls.__init__ = compiled[0]
            compiled[0](self, *args, **values)

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

    def _compare_by_fields(cls: type, fields: Iterable[dataclasses.Field], frozen: bool) -> None:
        own = vars(cls)
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
