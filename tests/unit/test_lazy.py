"""Records of `nnspec.lazy` against those of the standard library, form by form."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from nnspec import lazy

OPTIONS = [
    dict(zip(("eq", "frozen", "slots", "kw_only", "repr"), values, strict=True))
    for values in itertools.product((True, False), repeat=5)
]


def outcome(action: Callable[[], Any]) -> Any:
    """What it returns, or the kind of error that it raises."""
    try:
        return action()
    except Exception as error:
        return type(error)


def record(decorate: Callable[..., Any], options: dict[str, bool]) -> Any:
    @decorate(**options)
    class Record:
        """Fields of every sort."""

        shared: ClassVar[int] = 5
        first: int
        second: tuple[int, ...] = (1, 2)
        third: list[int] = dataclasses.field(default_factory=list, compare=False, repr=False)
        _: dataclasses.KW_ONLY
        fourth: str = dataclasses.field(default="x", hash=False)
        fifth: int = dataclasses.field(init=False, default=7)
        sixth: dict[str, int] = dataclasses.field(init=False, default_factory=dict, compare=False)

        def __post_init__(self) -> None:
            self.third.append(self.first)

    return Record


def behaviour(cls: Any) -> Iterator[Any]:
    made = [cls(first=first, fourth=fourth) for first, fourth in [(1, "x"), (1, "y"), (2, "x")]]
    yield [[a == b for a in made] for b in made]
    yield made[0] == 1
    for value in made:
        yield dataclasses.asdict(value)
        yield repr(value) if "Record(" in repr(value) else "as an object"
        yield outcome(lambda v=value: len({v, copy.copy(v)}))
        yield dataclasses.asdict(copy.deepcopy(value))
        yield dataclasses.asdict(dataclasses.replace(value, first=8, second=()))
        yield outcome(lambda v=value: setattr(v, "first", 3)), value.first
        yield outcome(lambda v=value: delattr(v, "fourth")), hasattr(value, "fourth")
    yield hash(made[0]) == hash(made[1]) if cls.__hash__ and cls.__hash__ is not object.__hash__ else None
    yield [outcome(lambda a=a: dataclasses.asdict(cls(*a))) for a in [(), (1,), (1, 2), (1, 2, []), (1, 2, [], "")]]
    yield outcome(lambda: cls(first=1, wrong=2))
    yield cls.__match_args__, [(f.name, f.init, f.kw_only) for f in dataclasses.fields(cls)]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: " ".join(k for k, v in o.items() if v) or "plain")
def test_as_the_standard_library(options: dict[str, bool]) -> None:
    expected = list(behaviour(record(dataclasses.dataclass, options)))
    assert list(behaviour(record(lazy.dataclass, options))) == expected
    many = record(lazy.dataclass, options)
    init = many.__init__
    for _ in range(40):  # as many as a compiled method is worth it for
        many(first=1)
    assert many.__init__ is not init
    assert list(behaviour(many)) == expected


def test_what_a_class_defines_itself_is_kept() -> None:
    def methods(decorate: Callable[..., Any]) -> list[Any]:
        @decorate(frozen=True)
        class Named:
            """Equal by name alone."""

            name: str
            weight: int = 0

            def __eq__(self, other: object) -> bool:
                return isinstance(other, Named) and self.name == other.name

            def __hash__(self) -> int:
                return 11

            def __repr__(self) -> str:
                return f"<{self.name}>"

        return [Named("a") == Named("a", 3), hash(Named("a")), repr(Named("a"))]

    assert methods(lazy.dataclass) == methods(dataclasses.dataclass) == [True, 11, "<a>"]


def test_inheritance() -> None:
    def values(decorate: Callable[..., Any]) -> list[Any]:
        @decorate(frozen=True)
        class Base:
            """A record."""

            first: int
            second: int = 2

        class Plain(Base):
            """A class of it that is none itself."""

        @decorate(frozen=True, kw_only=True)
        class More(Base):
            """With another field."""

            third: int

        before = [repr(Plain(1)).rpartition(".")[2], repr(More(1, third=3)).rpartition(".")[2]]
        return [*before, Plain(1) == Base(1), More(1, third=3) == More(1, 2, third=3), Base(4, 5).second]

    assert values(lazy.dataclass) == values(dataclasses.dataclass)


@lazy.dataclass(frozen=True, slots=True)
class Pickled:
    """Found by its name."""

    first: int
    second: str = "b"


def test_records_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Pickled(3, second="c"))) == Pickled(3, "c")


def test_a_wrong_argument_is_named() -> None:
    with pytest.raises(TypeError, match=r"Pickled\.__init__\(\) got an unexpected keyword argument 'third'"):
        Pickled(1, third=2)  # type: ignore[call-arg]


def test_what_was_put_in_the_place_of_init_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the records become so many that the method of before is compiled."""

    @lazy.dataclass
    class Counted:
        number: int

    made, seen = Counted.__init__, []

    def init(self: Counted, number: int) -> None:
        made(self, number)
        seen.append(number)

    monkeypatch.setattr(Counted, "__init__", init)
    assert [Counted(number).number for number in range(100)] == seen == list(range(100))
