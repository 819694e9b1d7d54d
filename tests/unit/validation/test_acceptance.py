"""The quick answer is never yes where jsonschema says no, and is yes where a spec is right."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nnspec.catalogue import keras_objects
from nnspec.layers.registry import REGISTRY
from nnspec.schema import assembly as schemas
from nnspec.validation.acceptance import _ANNOTATIONS, _RULES, is_accepted
from tests.unit.schema.test_publish import FAULTY, SPECS, VALUES, mutated, read

MODES = [True, False]


@cache
def validator(is_strict: bool) -> Any:
    return jsonschema.Draft7Validator(schemas.full_schema(is_strict=is_strict))


def named(name: str, is_strict: bool) -> Any:
    definitions = validator(is_strict).schema["definitions"]
    return jsonschema.Draft7Validator({"definitions": definitions, "$ref": f"#/definitions/{name}"})


def accepts(schema: dict[str, Any], value: Any, is_strict: bool) -> bool:
    return is_accepted(schema, value, partial(schemas.definition, is_strict=is_strict))


def without_model(document: Any) -> Any:
    """Items are dispatched by hand, so the schema of items is not asked."""
    return {**document, "model": []} if isinstance(document, dict) and "model" in document else document


def assert_agree(document: Any) -> bool:
    document = without_model(document)
    found = accepts(schemas.root_schema(is_strict=False), document, False)
    assert found == validator(False).is_valid(document), document
    return found


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_agrees_on_specs_and_what_is_wrong_with_them(path: Path) -> None:
    document = read(path)
    assert assert_agree(document)
    rng = random.Random(path.stem)
    assert {assert_agree(mutated(document, rng)) for _ in range(30)} == {True, False}


def test_agrees_on_faulty_specs() -> None:
    documents = [document for path in FAULTY if (document := read(path)) is not None]
    for document in documents:
        if not isinstance(document, dict) or "blocks" not in document:  # whose models are dispatched by hand too
            assert_agree(document)


@pytest.mark.parametrize("is_strict", MODES, ids=["strict", "lenient"])
@pytest.mark.parametrize("kind", REGISTRY)
def test_agrees_on_every_argument(kind: str, is_strict: bool) -> None:
    schema, wanted = schemas.definition(f"layer_{kind}", is_strict=is_strict), named(f"layer_{kind}", is_strict)
    required = dict.fromkeys(schema.get("required", ()), 2)
    for value in [*VALUES, *({**required, name: value} for name in schema["properties"] for value in VALUES)]:
        assert accepts(schema, value, is_strict) == wanted.is_valid(value), value


@pytest.mark.parametrize("name", [*schemas.FAMILIES, "nullable_initializer", "nullable_activation"])
def test_agrees_on_every_object(name: str) -> None:
    family = schemas.FAMILIES[name.removeprefix("nullable_")]
    tried = [*VALUES, *keras_objects.names(family), *keras_objects.aliases(family), *keras_objects.words(family)]
    tried += [
        {found: {argument: value}}
        for found in keras_objects.names(family)
        if family != "activations"
        for argument in (*keras_objects.argument_names(family, found), "nonsense")
        for value in (None, True, 0, 0.5, 3, -1, "relu", "$n", [], [1, 2], {}, {"Adam": {}})
    ]
    wanted = named(name, True)
    for value in tried:
        assert accepts(schemas.definition(name, is_strict=True), value, True) == wanted.is_valid(value), value


LAYERS = [
    "Flatten",
    "Dense",
    "Nonsense",
    {"Dense": {"units": 3}},
    {"Dense": {}},
    {"Dense": {"units": 3}, "Flatten": {}},
]


@pytest.mark.parametrize("value", [*LAYERS, {}, {"Flatten": None}, {"repeat": {}}, {"Nonsense": {}}, 3, None, []])
def test_agrees_on_layers(value: Any) -> None:
    assert accepts({"$ref": "#/definitions/layer"}, value, True) == named("layer", True).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": [1]}, True),
        ({"enum": [True]}, 1),
        ({"enum": [1]}, 1.0),
        ({"type": "integer"}, 1.0),
        ({"type": "integer"}, True),
        ({"type": "integer"}, float("inf")),
        ({"type": "number"}, False),
        ({"minimum": 1}, True),
        ({"minimum": 1}, float("nan")),
        ({"exclusiveMinimum": 0}, 0),
        ({"uniqueItems": True}, ["a", "a"]),
        ({"pattern": "b"}, "abc"),
        ({"required": ["a"]}, []),
        ({"additionalProperties": {"type": "string"}, "properties": {"a": {}}}, {"a": 1, "b": 2}),
        ({"if": {"type": "string"}, "then": {"enum": ["a"]}, "else": {"minimum": 3}}, 2),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 2),
    ],
)
def test_agrees_on_keywords(schema: dict[str, Any], value: Any) -> None:
    assert accepts(schema, value, True) == jsonschema.Draft7Validator(schema).is_valid(value)


@pytest.mark.parametrize("schema", [{"not": {"type": "string"}}, {"oneOf": [{}]}, {"if": {"minimum": 3}, "then": {}}])
def test_what_is_unknown_is_not_accepted(schema: dict[str, Any]) -> None:
    assert not accepts(schema, 3, True)


def test_every_keyword_of_the_schema_is_known() -> None:
    """Else jsonschema would be imported for specs that are right."""

    def keywords(schema: Any) -> Iterator[str]:
        for key, value in schema.items():
            yield key
            if key in ("properties", "definitions"):
                inner = list(value.values())
            elif key in ("allOf", "anyOf"):
                inner = value
            else:
                inner = [value] if key in ("items", "additionalProperties", "propertyNames", "then", "else") else []
            for part in inner:
                if isinstance(part, dict):
                    yield from keywords(part)
            assert key != "if" or set(value) == {"type"}

    assert set(keywords(schemas.full_schema(is_strict=False))) <= {*_RULES, *_ANNOTATIONS, "$ref"}
