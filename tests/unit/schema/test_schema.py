"""The published JSON Schema: draft-07, closed everywhere, described everywhere, and what it accepts and rejects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from nnspec.ir.names import STRUCTURE
from nnspec.layers.aliases import ALIASES
from nnspec.layers.registry import REGISTRY
from nnspec.schema import assembly as schemas
from nnspec.schema.publish import published, published_text
from nnspec.schema.sections import AT_EACH_USE, REQUIRED
from nnspec.validation.validate import validate_document
from tests.support.paths import ROOT

COMMITTED = ROOT / "schemas" / "nnspec.schema.json"
ANNOTATIONS = {"$ref", "description", "default"}
SPEC: dict[str, Any] = {
    "nnspec": 1,
    "inputs": {"x": {"axes": {"time": 10, "feature": 5}}},
    "model": ["Flatten", {"Dense": {"units": 1}}],
    "outputs": {"y": {"task": "regression"}},
}


@cache
def validator() -> Any:
    return jsonschema.Draft7Validator(published())


def accepts(**changes: Any) -> bool:
    return bool(validator().is_valid({**SPEC, **changes}))


def accepts_item(item: Any) -> bool:
    return accepts(model=[item])


def walk(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its place."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for key in ("properties", "definitions"):
        for name, part in schema.get(key, {}).items():
            yield from walk(part, f"{path}/{key}/{name}")
    for key in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
        yield from walk(schema.get(key), f"{path}/{key}")
    for key in ("allOf", "anyOf"):
        for index, part in enumerate(schema.get(key, [])):
            yield from walk(part, f"{path}/{key}/{index}")


@pytest.mark.parametrize("schema", [published(), schemas.full_schema(is_strict=True)], ids=["published", "strict"])
def test_is_draft_07(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("schema", [published(), schemas.full_schema(is_strict=True)], ids=["published", "strict"])
def test_every_object_is_closed(schema: dict[str, Any]) -> None:
    """Only the body of a `block` is open: its further keys are the block's parameters."""
    found = []
    for path, part in walk(schema):
        is_object = "properties" in part or "object" in part.get("type", ())
        # a name or a mapping: the mapping stands under `else`, or behind a reference
        is_split = isinstance(part.get("else"), dict) or "$ref" in part.get("then", {}) or path.endswith("/if")
        is_split |= "/anyOf/" in path and set(part) <= {"type", "minProperties", "maxProperties"}  # under `allOf`
        if (
            is_object
            and not is_split
            and "additionalProperties" not in part
            and not path.startswith("#/definitions/block")
        ):
            found.append(path)
    assert not found


@pytest.mark.parametrize("schema", [published(), schemas.full_schema(is_strict=True)], ids=["published", "strict"])
def test_every_property_is_described(schema: dict[str, Any]) -> None:
    bare = []
    for path, part in walk(schema):
        for name, value in part.get("properties", {}).items():
            target = schema["definitions"][value["$ref"].rpartition("/")[2]] if "$ref" in value else value
            if len(value.get("description") or target.get("description", "")) < 5:
                bare.append(f"{path}/{name}")
    assert not bare


def test_references_lead_somewhere() -> None:
    schema = published()
    for path, part in walk(schema):
        if "$ref" in part:
            assert part["$ref"].rpartition("/")[2] in schema["definitions"], path


def test_no_one_of() -> None:
    """Errors speak of one thing: alternatives are dispatched by type or key."""
    assert not [path for path, part in walk(published()) if "oneOf" in part]


def test_every_layer_is_an_item() -> None:
    definitions = published()["definitions"]
    assert set(definitions["item"]["allOf"][0]["properties"]) == {*REGISTRY, *ALIASES, *STRUCTURE}
    assert set(definitions["layer"]["allOf"][0]["properties"]) == {*REGISTRY, *ALIASES}


def test_defaults_are_valid() -> None:
    schema = schemas.full_schema(is_strict=True)
    for path, part in walk(schema):
        if "default" in part:
            whole = {"definitions": schema["definitions"], **part}
            jsonschema.Draft7Validator(whole).validate(part["default"]), path


def test_a_spec_is_accepted() -> None:
    assert accepts()
    for key in REQUIRED:
        assert not validator().is_valid({k: v for k, v in SPEC.items() if k != key})


@pytest.mark.parametrize(
    "item",
    [
        {"Dense": {"units": "$units", "activation": "$activation", "use_bias": "$(bias)"}},
        {"Dense": {"units": "$(2 * units)", "kernel_initializer": {"RandomNormal": {"stddev": 0.1}}}},
        {"Conv2D": {"filters": 8, "kernel_size": "$kernel", "strides": [1, "$stride"]}},
        {"permute": ["feature", "time"]},
        {"permute": {"order": ["feature", "time"], "from": "x"}},
        {"merge": {"channel": ["time", "feature"]}},
        {"split": {"time": {"a": "$(n // 2)", "b": None}}},
        {"insert": {"channel": 1}},
        {"drop": "channel"},
        {"Reshape": {"target_shape": [5, -1]}},
        {
            "repeat": {
                "for": {"d": "$(range(3))"},
                "model": [{"Conv1D": {"filters": 3, "kernel_size": 3, "dilation_rate": "$d"}}],
            }
        },
        {"repeat": {"times": "$n", "when": "$(n > 1)", "model": ["Flatten"]}},
        {"block": {"use": "residual", "filters": 64}},
        {"block": "residual"},
        {"share": "encoder"},
        {"share": {"use": "encoder", "from": "x", "name": "a"}},
        {"Dense": {"units": 3, "name": "dense_$i", "when": "$(i > 0)"}},
    ],
)
def test_items_accepted(item: Any) -> None:
    assert accepts_item(item)


@pytest.mark.parametrize(
    "item",
    [
        "Dense",
        "Unknown",
        {},
        {"Dense": {"units": 3}, "Flatten": {}},
        {"Dense": {"units": 3, "activaton": "relu"}},
        {"Dense": {"units": 0}},
        {"Dense": {"units": "three"}},
        {"Dense": {"units": 3, "activation": "rellu"}},
        {"Conv1D": {"filters": 3}},
        {"Conv1D": {"filters": 3, "kernel_size": 3, "padding": "full"}},
        {"permute": []},
        {"insert": {"channel": 2}},
        {"rename": {}},
        {"repeat": {"times": 3}},
        {"repeat": {"times": -1, "model": []}},
        {"share": {"use": "a", "filters": 3}},
        ["Flatten"],
        3,
        None,
    ],
)
def test_items_rejected(item: Any) -> None:
    assert not accepts_item(item)


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("inputs", {}),
        ("inputs", {"x": {"axes": {"time": 0}}}),
        ("inputs", {"x": {"axes": {"time": 1.5}}}),
        ("inputs", {"x": {"axes": {"a b": 3}}}),
        ("inputs", {"x": {"axes": {"time": 3}, "dtype": "float"}}),
        ("outputs", {}),
        ("outputs", {"y": {}}),
        ("outputs", {"y": {"task": "regresion"}}),
        ("outputs", {"y": {"task": "regression", "weight": -1}}),
        ("training", {"epochs": 0}),
        ("training", {"optimizer": "Adamm"}),
        ("training", {"callbacks": [{"EarlyStopping": {"patiense": 3}}]}),
        ("export", {"opset": 3}),
        ("export", {"tolerance": 0}),
        ("vars", {"1a": 3}),
        ("blocks", {"b": {}}),
        ("data", {}),
        ("extra", 1),
        ("nnspec", 2),
    ],
)
def test_sections_rejected(section: str, value: Any) -> None:
    assert not accepts(**{section: value})


def test_committed_schema_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == published_text(), "run `nnspec schema`"


def test_validator_is_the_schema() -> None:
    """Every definition that the validator dispatches to exists in both forms."""
    assert validate_document
    names = {f"layer_{kind}" for kind in REGISTRY}
    assert names <= schemas.full_schema(is_strict=True)["definitions"].keys()
    assert names <= published()["definitions"].keys()


def test_uses_of_shared_layers_take_the_arguments_of_calls() -> None:
    """The schema of `share` lists them by hand, so that it need not load every layer."""
    told = {name: layer.args[name].schema for layer in REGISTRY.values() for name in layer.call_arguments}
    listed = {name: {"type": schema["type"]} for name, schema in AT_EACH_USE.items() if name != "as"}
    assert listed == told


def test_a_variable_stands_wherever_a_number_does() -> None:
    """Also where a mapping may stand instead, as a schedule does at `learning_rate`."""

    def refusing(part: Any, path: str) -> Iterator[str]:
        if isinstance(part, dict):
            types = [part["type"]] if isinstance(part.get("type"), str) else part.get("type", [])
            if isinstance(types, list) and {"number", "integer", "boolean"} & set(types) and "string" not in types:
                yield path
            for key, value in part.items():
                if key not in ("if", "default", "search"):  # a search changes variables, and holds none
                    yield from refusing(value, f"{path}/{key}")
        elif isinstance(part, list):
            for index, value in enumerate(part):
                yield from refusing(value, f"{path}/{index}")

    assert list(refusing(schemas.full_schema(is_strict=False), "")) == []
