"""Validates nodes against the schema, with messages about what the user wrote.

`acceptance` sees that all is well, jsonschema finds the faults where it is not, and `wording` says them: each at its
exact token, with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from nnspec.data.section.named_kinds import kinds_in
from nnspec.diagnostics import Diagnostic, Fix, Report, Severity
from nnspec.document import Mapping, Node, Scalar, Sequence, format_path, to_plain
from nnspec.document.types import JsonSchema as Schema
from nnspec.document.types import Plain
from nnspec.expansion.items import Expanded
from nnspec.ir.names import STRUCTURE
from nnspec.layers.registry import REGISTRY
from nnspec.schema import assembly as schemas
from nnspec.unused_packages import put_off
from nnspec.validation.acceptance import is_accepted

Path = tuple[str | int, ...]

if TYPE_CHECKING:
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import ValidationError


def _reference(is_strict: bool) -> Callable[..., Iterator[ValidationError]]:
    """The keyword `$ref`: makes the definition that it names only now, and of the layers only the one that is used."""

    def follow(
        validator: Draft7Validator, reference: str, instance: Plain, schema: Schema
    ) -> Iterator[ValidationError]:
        del schema
        name = reference.removeprefix("#/definitions/")
        if name == "layer" and isinstance(instance, dict) and len(instance) == 1:
            ((kind, body),) = instance.items()
            if kind in REGISTRY:
                part = schemas.definition(f"layer_{kind}", is_strict=is_strict)
                yield from validator.descend(body, part, path=kind, schema_path=f"layer_{kind}")
                return
        if name == "layer" and isinstance(instance, str) and instance in REGISTRY and schemas.is_bare(instance):
            return
        yield from validator.descend(instance, schemas.definition(name, is_strict=is_strict), schema_path=name)

    return follow


def _require(validator: Draft7Validator, keys: list[str], instance: Plain, schema: Schema) -> Iterator[ValidationError]:
    """The keyword `required`; its errors hold the one key that is missing, which jsonschema's own name in prose."""
    from jsonschema.exceptions import ValidationError

    del schema
    if isinstance(instance, dict):
        for key in keys:
            if key not in instance:
                yield ValidationError(f"{key!r} is a required property", validator_value=key)


@cache
def _dialect(is_strict: bool) -> Any:
    with put_off("rfc3987_syntax", "is_valid_syntax"):
        from jsonschema import Draft7Validator, validators

    extend: Any = validators.extend
    return extend(Draft7Validator, {"$ref": _reference(is_strict), "required": _require})


@cache
def _schema(pointer: str, is_strict: bool, kinds: tuple[str, ...] | None = None) -> Schema:
    """The schema of `#`, one definition, or a section `#/properties/…`, for these kinds of source."""
    if pointer == "#":  # items are dispatched by hand
        root = schemas.root_schema(is_strict=is_strict, kinds=kinds)
        shallow = {"model": {"type": "array"}, "blocks": _shallow_blocks(root)}
        return {**root, "properties": {**root["properties"], **shallow}}
    if pointer.startswith("#/properties/"):
        name = pointer.removeprefix("#/properties/")
        part: Schema = schemas.root_schema(is_strict=is_strict, kinds=kinds)["properties"][name]
        return part
    return schemas.definition(pointer, is_strict=is_strict)


def _errors(pointer: str, is_strict: bool, plain: Plain) -> list[ValidationError]:
    """What is wrong with a value, if anything is: that is said by the schema of all kinds of source.

    What the schema of those alone that a spec names accepts, that of all accepts too: it is closed, and less wide.
    """
    kinds = _kinds_in(pointer, plain)
    if is_accepted(_schema(pointer, is_strict, kinds), plain, partial(schemas.definition, is_strict=is_strict)):
        return []
    return list(_dialect(is_strict)(_schema(pointer, is_strict)).iter_errors(plain))


def _kinds_in(pointer: str, plain: Plain) -> tuple[str, ...] | None:
    """The kinds of source that a document or its `data` section names; of a definition there are none to be named."""
    if pointer == "#" and isinstance(plain, dict):
        return kinds_in(plain.get("data"))
    if pointer.startswith("#/properties/"):
        return kinds_in(plain) if pointer == "#/properties/data" else ()
    return None


def _shallow_blocks(root: Schema) -> Schema:
    blocks = root["properties"]["blocks"]
    inner = blocks["additionalProperties"]
    properties = {**inner["properties"], "model": {"type": "array"}}
    return {**blocks, "additionalProperties": {**inner, "properties": properties}}


def validate_document(root: Node, report: Report) -> None:
    """The document as written: every section, every layer, every block, used or not."""
    if not isinstance(root, Mapping):
        from nnspec.validation.type_names import kind_of

        kind = "empty" if isinstance(root, Scalar) and root.value is None else kind_of(root)
        report.add(
            Diagnostic(
                "NN202",
                f"a spec must be a mapping of sections, but this document is {kind}",
                root.span,
                fixes=(Fix("start with `nnspec: 1`, then `inputs:`, `model:` and `outputs:`"),),
            )
        )
        return
    plain = {key: to_plain(value) for key, value in root.entries.items() if key not in ("model", "blocks")}
    for key in ("model", "blocks"):
        if key in root.entries:
            plain[key] = _outline(root.entries[key])
    report.extend(_describe_errors(_errors("#", False, plain), root))
    _Models(report).visit(root)


def _outline(node: Node) -> Plain:
    """A model or the blocks, with the models themselves cut off: they are validated item by item."""
    if isinstance(node, Sequence):
        return []
    if isinstance(node, Mapping):
        return {
            name: _without_model(block) if isinstance(block, Mapping) else to_plain(block)
            for name, block in node.entries.items()
        }
    plain: Plain = to_plain(node)
    return plain


def _without_model(node: Mapping) -> dict[str, Plain]:
    """The mapping, with the list under `model` emptied."""
    return {
        key: [] if key == "model" and isinstance(value, Sequence) else to_plain(value)
        for key, value in node.entries.items()
    }


class _Models:
    """Walks models as written and validates their items."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.seen: set[str] = set()
        self.named: dict[str, str] = {}  # what the spec itself declares, and the item that uses it

    def visit(self, root: Mapping) -> None:
        for section, user in (("layers", "share"), ("blocks", "block")):
            declared = root.get(section)
            if isinstance(declared, Mapping):
                self.named |= dict.fromkeys(map(str, declared.entries), user)
        self.model(root.get("model"), ("model",))
        blocks = root.get("blocks")
        if isinstance(blocks, Mapping):
            for name, block in blocks.entries.items():
                if isinstance(block, Mapping):
                    self.model(block.get("model"), ("blocks", name, "model"))

    def model(self, model: Node | None, path: Path) -> None:
        if isinstance(model, Sequence):
            for index, item in enumerate(model.items):
                self.item(item, (*path, index))

    def item(self, item: Node, path: Path) -> None:
        if isinstance(item, Mapping) and len(item.entries) == 1:
            kind, body = next(iter(item.entries.items()))
            if kind in STRUCTURE:
                shallow = _without_model(body) if isinstance(body, Mapping) else to_plain(body)
                validate_part(kind, shallow, body, (*path, kind), self.report, is_strict=False, owner=item.keys[kind])
                if kind == "repeat" and isinstance(body, Mapping):
                    self.model(body.get("model"), (*path, kind, "model"))
                return
            if kind in REGISTRY:
                self.warn_of_shadowed(kind, item.keys[kind], path)
                owner, here = item.keys[kind], (*path, kind)
                validate_part(f"layer_{kind}", to_plain(body), body, here, self.report, is_strict=False, owner=owner)
                return
        if isinstance(item, Scalar) and item.value in REGISTRY and schemas.is_bare(str(item.value)):
            self.warn_of_shadowed(str(item.value), item, path)
            return
        key = next(iter(item.keys.values()), None) if isinstance(item, Mapping) else item
        if isinstance(key, Scalar) and str(key.value) in self.named and len(getattr(item, "entries", "1")) == 1:
            from nnspec.validation.rewrites import own_name_as_layer

            self.report.add(own_name_as_layer(key, item, self.named[str(key.value)], path))
            return
        validate_part("item", to_plain(item), item, path, self.report, is_strict=False)

    def warn_of_shadowed(self, kind: str, key: Scalar, path: Path) -> None:
        """A package offers a layer of a name that nnspec has: said once a kind."""
        problem = REGISTRY.shadowed(kind) if kind not in self.seen else None
        self.seen.add(kind)
        if problem is not None:
            self.report.add(
                Diagnostic("NN218", str(problem), key.span, path=format_path((*path, kind)), severity=Severity.WARNING)
            )


def validate_part(
    definition: str,
    plain: Plain,
    node: Node,
    path: Path,
    report: Report,
    *,
    is_strict: bool,
    owner: Scalar | None = None,
) -> None:
    """One definition's instance: `node` gives the places, `plain` the values. The same values are validated once."""
    text = repr(plain)
    if (definition, is_strict, text) in _valid or ("$" not in text and (definition, False, text) in _valid):
        return
    errors = _errors(definition, is_strict, plain)
    if errors:
        report.extend(_describe_errors(errors, node, path, owner))
    elif len(_valid) < MAX_REMEMBERED and len(text) < MAX_TEXT:
        _valid.add((definition, is_strict, text))


def _describe_errors(
    errors: list[ValidationError], node: Node, path: Path = (), owner: Scalar | None = None
) -> Iterable[Diagnostic]:
    """The faults in words, whose module is loaded only where there are some."""
    if not errors:
        return ()
    from nnspec.validation.messages import describe

    return describe(errors, node, path, owner)


MAX_REMEMBERED = 20_000
MAX_TEXT = 4_000
_valid: set[tuple[str, bool, str]] = set()  # specs have many layers, and an editor validates after each keystroke


def validate_section(name: str, node: Node, report: Report) -> None:
    """A section after expansion."""
    report.extend(_describe_errors(_errors(f"#/properties/{name}", True, to_plain(node)), node, (name,)))


def validate_expanded(root: Mapping, expanded: Expanded, report: Report) -> None:
    """The values that variables and expressions gave: sections and layer bodies once more, without expressions."""
    for name in ("data", "inputs", "outputs", "expect", "training", "export"):
        before, after = root.get(name), expanded.root.get(name)
        if after is None or before is None:
            continue
        plain = to_plain(after)
        if "$" in repr(plain) or to_plain(before) != plain:  # `$(` is no expression, so it stayed as it was
            validate_section(name, after, report)
    for item in expanded.items:
        if item.body is None or item.kind not in REGISTRY:
            continue
        plain = to_plain(item.body)
        node: Node = item.body
        if list(plain) == [""]:
            plain, node = plain[""], item.body.entries[""]
        elif "when" in plain:
            plain = {k: v for k, v in plain.items() if k != "when"}
        owner = Scalar(item.kind, item.kind_span)
        validate_part(f"layer_{item.kind}", plain, node, (*item.path, item.kind), report, is_strict=True, owner=owner)
