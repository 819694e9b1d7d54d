"""The schema that editors read accepts exactly what the validating schema accepts, whatever its shape."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Source, SpecError
from nnspec.document import parse, to_plain
from nnspec.ir.names import STRUCTURE
from nnspec.layers.registry import REGISTRY
from nnspec.schema import assembly as schemas
from nnspec.schema.publish import published, reshaped
from tests.support.paths import ERRORS, ROOT

SPECS = sorted((ROOT / "specs").glob("*.yaml"))
FAULTY = sorted(ERRORS.glob("NN*.yaml"))
# Values of every type, names and words among them, that may stand where they should not.
VALUES: list[Any] = [None, True, 0, 3, -1, 2.5, "", "relu", "Flatten", "Dense", "$n", "$(2 * n)", "causal", "a b"]
VALUES += [[], [1, 2], ["a", "$b"], {}, {"Adam": {}}, {"Dense": {"units": 3}}, {"L2": None}, {"name": "x"}]
KEYS = ["name", "units", "Adam", "Dense", "layer", "model", "kernel_size", "activation", "nonsense", "by", "use"]


@cache
def validators() -> tuple[Any, Any]:
    return jsonschema.Draft7Validator(schemas.full_schema(is_strict=False)), jsonschema.Draft7Validator(published())


def read(path: Path) -> Any:
    try:
        return to_plain(parse(Source(path.name, path.read_text(encoding="utf-8", errors="replace"))))
    except SpecError:
        return None


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with a key or index of it."""
    entries = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, child in entries:
        yield value, key
        if isinstance(child, dict | list):
            yield from places(child)


def mutated(document: Any, rng: random.Random) -> Any:
    result = copy.deepcopy(document)
    container, key = rng.choice(list(places(result)))
    match rng.randrange(3):
        case 0:
            container[key] = copy.deepcopy(rng.choice(VALUES))
        case 1:
            del container[key]
        case _ if isinstance(container, dict):
            container[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
        case _:
            container.append(copy.deepcopy(rng.choice(VALUES)))
    return result


def assert_agree(document: Any) -> bool:
    validating, for_editors = validators()
    wanted = validating.is_valid(document)
    assert for_editors.is_valid(document) == wanted, document
    return bool(wanted)


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_agrees_on_specs_and_what_is_wrong_with_them(path: Path) -> None:
    document = read(path)
    assert assert_agree(document)
    rng = random.Random(path.stem)
    verdicts = {assert_agree(mutated(document, rng)) for _ in range(25)}
    assert verdicts == {True, False}


def test_agrees_on_faulty_specs() -> None:
    documents = [document for path in FAULTY if (document := read(path)) is not None]
    assert len(documents) > 50
    for document in documents:
        assert_agree(document)


@pytest.mark.parametrize("kind", REGISTRY)
def test_agrees_on_every_argument(kind: str) -> None:
    """Each argument with a value of every type: the definitions alone, which is quick."""
    mine = schemas.definition(f"layer_{kind}", is_strict=False)
    definitions = validators()[0].schema["definitions"], validators()[1].schema["definitions"]
    required = dict.fromkeys(mine.get("required", ()), "$x")
    for name in mine["properties"]:
        pair = [
            jsonschema.Draft7Validator({"definitions": d, "properties": {name: s["properties"][name]}})
            for d, s in zip(definitions, (mine, parts_of(definitions[1][f"layer_{kind}"])), strict=True)
        ]
        for value in VALUES:
            body = {**required, name: value}
            assert pair[0].is_valid(body) == pair[1].is_valid(body), (kind, body)


def parts_of(definition: dict[str, Any]) -> dict[str, Any]:
    """Where a definition has its properties: at the top, or beside its alternatives."""
    return next((part for part in [definition, *definition.get("allOf", [])] if "properties" in part), definition)


@pytest.mark.parametrize("family", keras_objects.FAMILIES)
def test_agrees_on_every_object(family: str) -> None:
    name = next(singular for singular, plural in schemas.FAMILIES.items() if plural == family)
    mine, theirs = (
        jsonschema.Draft7Validator({"definitions": v.schema["definitions"], "$ref": f"#/definitions/{name}"})
        for v in validators()
    )
    tried = [
        *VALUES,
        *keras_objects.names(family),
        *keras_objects.aliases(family),
        *keras_objects.words(family),
        "Nonsense",
    ]
    tried += [{found: value} for found in keras_objects.names(family) for value in (None, {}, 3, {"nonsense": 1})]
    tried += [
        {found: {argument: value}}
        for found in keras_objects.names(family)
        if family != "activations"
        for argument in keras_objects.argument_names(family, found)
        for value in VALUES[:16]
    ]
    for value in tried:
        assert mine.is_valid(value) == theirs.is_valid(value), value


@pytest.mark.parametrize("name", STRUCTURE)
def test_agrees_on_structure(name: str) -> None:
    mine, theirs = (
        jsonschema.Draft7Validator({"definitions": v.schema["definitions"], "$ref": "#/definitions/item"})
        for v in validators()
    )
    known = [*schemas.definition(name, is_strict=False)["properties"], "nonsense"]
    bodies = [*VALUES, *({key: value} for key in known for value in VALUES)]
    bodies += [{"use": "a", "model": ["Flatten"], key: value} for key in known for value in VALUES]
    bodies += [{"use": "a", key: value} for key in known for value in VALUES]
    for body in bodies:
        assert mine.is_valid({name: body}) == theirs.is_valid({name: body}), (name, body)


def test_conditions_are_gone() -> None:
    """A server that completes has no value yet to decide a condition by."""

    def keywords(schema: Any) -> Iterator[str]:
        for key, value in schema.items():
            yield key
            if key in ("properties", "definitions"):
                for part in value.values():
                    yield from keywords(part)
            elif isinstance(value, dict) and key not in ("default",):
                yield from keywords(value)
            elif key in ("anyOf", "allOf"):
                for part in value:
                    yield from keywords(part)

    assert not {"if", "then", "else", "oneOf"} & set(keywords(published()))


def test_a_list_beside_a_number_shows_no_items() -> None:
    """`items` at the top makes a server begin a list where a number is usual."""
    sizes = {"type": ["integer", "array"], "minimum": 1, "items": {"type": "integer"}, "minItems": 2, "default": 3}
    shape = reshaped(sizes)
    assert shape == {
        "default": 3,
        "anyOf": [
            {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            {"type": "integer", "minimum": 1},
        ],
    }
