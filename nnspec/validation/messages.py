"""Messages of schema errors, at the exact token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nnspec.data.sources.registry import why_unusable
from nnspec.diagnostics import Diagnostic, Fix, KeyRef, Span, nearest, use_instead
from nnspec.diagnostics.lists import enumerated
from nnspec.diagnostics.values import as_yaml
from nnspec.document import Mapping, Node, Scalar, format_path, locate
from nnspec.document.types import JsonSchema as Schema
from nnspec.document.types import Plain
from nnspec.ir.names import NAME_PATTERN, STRUCTURE
from nnspec.layers import refused
from nnspec.layers.aliases import ALIASES
from nnspec.layers.kit.args import AUTO_PATTERN
from nnspec.layers.kit.habits import Hint
from nnspec.layers.registry import REGISTRY
from nnspec.schema.assembly import AUTO_OR_EXPRESSION
from nnspec.validation.hints import hint_for, value_for
from nnspec.validation.key_hints import hint_at
from nnspec.validation.refusals import long_name, refused_object
from nnspec.validation.rewrites import call_as_mapping, rewrites, under_key
from nnspec.validation.type_names import kind_of, type_words

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Path = tuple[str | int, ...]
EXPRESSION_PATTERN = r"^\$"
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_NAME_RULE = "a name has letters, digits, `_` and `-`, and begins with a letter or `_`"


def describe(
    errors: Iterable[ValidationError], root: Node, base: Path = (), owner: Scalar | None = None
) -> Iterator[Diagnostic]:
    """The diagnostics of an instance's errors: `root` gives the places, `base` is its path in the document.

    `owner` is the key that an instance without a node of its own stands under (a bare layer).
    """
    flat = [inner for error in errors for inner in _without_alternatives(error)]
    typed = {
        _path_of(error): _meant_keys(error, root, base) for error in flat if error.validator == "additionalProperties"
    }
    crowded = {_path_of(error) for error in flat if error.validator == "maxProperties" and _is_item(error)}
    for error in flat:
        if error.validator == "required" and error.validator_value in typed.get(_path_of(error), ()):
            continue  # it is there, misspelt: that is said once
        if error.validator == "additionalProperties" and _path_of(error) in crowded:
            continue
        yield from _describe(error, root, base, owner)


def _schema(error: ValidationError) -> Schema:
    """The part of the schema that failed; nnspec's are all mappings."""
    return error.schema if isinstance(error.schema, dict) else {}


def _value(error: ValidationError) -> Any:
    return error.validator_value


def _count(error: ValidationError) -> int:
    instance: Any = error.instance
    return len(instance)


def _path_of(error: ValidationError) -> Path:
    return tuple(error.absolute_path)


def _without_alternatives(error: ValidationError) -> list[ValidationError]:
    """The second alternative of `anyOf` is always an expression: the first one's errors are meant."""
    if error.validator != "anyOf" or not error.context:
        return [error]
    first = [inner for inner in error.context if inner.schema_path and inner.schema_path[0] == 0]
    return [found for inner in first for found in _without_alternatives(inner)]


def _meant_keys(error: ValidationError, root: Node, base: Path) -> set[str]:
    """The known keys that the unknown ones are probably meant to be."""
    node = locate(root, _path_of(error))
    known = list(_schema(error).get("properties", {}))
    unknown = [key for key in node.entries if key not in known] if isinstance(node, Mapping) else []
    if len(unknown) > len(known):  # not slips of the keys that are missing
        return set()
    return {meant for key in unknown for meant in _guess_meant(key, (*base, *_path_of(error)), known, is_item=False)}


def _guess_meant(key: str, path: Path, known: list[str], *, is_item: bool) -> list[str]:
    hint = _hint(key, path, is_item=is_item)
    if hint is not None:
        return [hint.instead] if hint.instead in known else []
    long = long_name(key, _label(path))
    return [long] if long in known else nearest(key, known)


def _hint(key: str, path: Path, *, is_item: bool) -> Hint | None:
    known = None if is_item else hint_at(path, key)
    return known or hint_for(key, _label(path), is_item=is_item, section=str(path[0]) if path else "")


def _is_item(error: ValidationError) -> bool:
    """Whether the schema is that of a layer item."""
    known = _schema(error).get("properties", {})
    return "if" in _schema(error) and bool(known) and set(known) <= {*REGISTRY, *ALIASES, *STRUCTURE}


def _describe(error: ValidationError, root: Node, base: Path, owner: Scalar | None) -> Iterator[Diagnostic]:
    path = _path_of(error)
    node = locate(root, path)
    full = (*base, *path)
    here, place, subject, value = node.span, format_path(full), _subject(full), _value(error)
    match str(error.validator):
        case "additionalProperties" if isinstance(node, Mapping):
            known = list(_schema(error).get("properties", {}))
            for key in node.entries:
                if key not in known:
                    yield _unknown_key(key, known, node, full, error)
        case "required":
            name = str(value)
            span = owner.span if owner is not None and not path else _key_or_self(root, path, here)
            about = _schema(error).get("properties", {}).get(name, {}).get("description", "")
            notes = (f"`{name}`: {about}",) if about else ()
            yield Diagnostic(
                "NN203",
                f"{_describe_path(full)} requires `{name}`",
                span,
                path=place,
                notes=notes,
                about=(KeyRef(name),),
            )
        case "type":
            admits_expressions = _schema(error).get("pattern") in (EXPRESSION_PATTERN, AUTO_PATTERN, AUTO_OR_EXPRESSION)
            wanted = [t for t in value if t != "string"] if admits_expressions else value
            yield _wrong_type(node, wanted, subject, full, locate(root, path[:-1]))
        case "enum" | "const":
            yield _not_allowed(error, node, value if error.validator == "enum" else [value], subject, full)
        case "pattern" if value == EXPRESSION_PATTERN:
            types = [t for t in _schema(error)["type"] if t != "string"]
            yield _wrong_type(node, types, subject, full, locate(root, path[:-1]))
        case "pattern" if value in (AUTO_PATTERN, AUTO_OR_EXPRESSION):
            yield _wrong_type(node, ["integer"], subject, full, locate(root, path[:-1]))
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            name = str(error.instance)
            span = node.key_span(name) if isinstance(node, Mapping) else here
            what, fixes = f"`{name}` is not a valid name", _comma_fixes(name)
            yield Diagnostic("NN206", what, span, path=place, notes=(_NAME_RULE,) if not fixes else (), fixes=fixes)
        case "pattern":
            message = f"{subject} cannot be `{error.instance}`"
            note = _NAME_RULE if value.endswith(NAME_PATTERN) else _schema(error).get("description", "")
            yield Diagnostic("NN206", message, here, path=place, notes=(note,) if note else ())
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum" as bound:
            message = f"{subject} must be {_BOUNDS[bound]} {value}, but it is {error.instance}"
            yield Diagnostic("NN206", message, here, path=place)
        case "minItems" | "maxItems" | "minProperties" | "maxProperties" as bound:
            yield _wrong_count(error, bound, node, subject, full)
        case "uniqueItems":
            yield Diagnostic("NN206", f"{subject} lists an item twice", here, path=place)
        case _:
            yield Diagnostic("NN202", f"{subject}: {error.message[:200]}", here, path=place)


# ------------------------------------------------------------------------------------------------- places


def _key_or_self(root: Node, path: Path, here: Span) -> Span:
    if path and isinstance(path[-1], str):
        parent = locate(root, path[:-1])
        if isinstance(parent, Mapping):
            return parent.key_span(path[-1])
    return here.start if not path else here


def _label(path: Path) -> str:
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "")


_NAMED = {"inputs": "input", "outputs": "output", "blocks": "block", "layers": "shared layer", "vars": "variable"}


def _describe_path(path: Path) -> str:
    """What stands at a path, as an owner of keys: `Dense`, input `x`, the spec."""
    if not path:
        return "the spec"
    in_data = path[0] == "data"
    inner = path[1:] if in_data else path
    if len(inner) == 2 and inner[0] in _NAMED and isinstance(inner[1], str):
        return f"{_NAMED[str(inner[0])]} `{inner[1]}`{' of `data`' if in_data else ''}"
    return f"`{_label(path)}`"


def _subject(path: Path) -> str:
    """What stands at a path, as a value: `units` of `Dense`, `axes` of input `x`."""
    if not path:
        return "the spec"
    if isinstance(path[-1], int):
        return f"an item of `{_label(path)}`"
    whole = _describe_path(path)
    is_kind = path[-1] in REGISTRY and path[0] in ("model", "layers", "blocks")
    if len(path) == 1 or whole != f"`{path[-1]}`" or is_kind or isinstance(path[-2], int):
        return whole
    return f"{whole} of {_describe_path(path[:-1])}"


# ------------------------------------------------------------------------------------------------- faults


def _unknown_key(key: str, known: list[str], node: Mapping, path: Path, error: ValidationError) -> Diagnostic:
    span, place = node.key_span(key), format_path((*path, key))
    if _is_item(error):
        return unknown_layer(key, known, span, place)
    if (found := refused_object(key, _label(path), span, place)) is not None:
        return found
    if path[:1] == ("data",) and (reason := why_unusable(key)) is not None:
        fix = Fix("fix or uninstall the package that provides it")
        return Diagnostic("NN530", reason, span, path=place, fixes=(fix,))
    hint = _hint(key, path, is_item=False)
    meant = _guess_meant(key, path, known, is_item=False)
    guess = f"; did you mean `{meant[0]}`?" if meant else ""
    notes = (hint.text,) if hint else ()
    commas = _comma_fixes(key)
    if not notes and not meant and known and not commas:
        notes = (f"valid keys: {enumerated(known)}",)
    message = f"{_describe_path(path)} has no `{key}`{guess}" if path else f"a spec has no section `{key}`{guess}"
    if hint is not None and hint.instead == "layer" and key in REGISTRY:
        under = under_key(node, key, "layer")
        return Diagnostic("NN201", f"{_describe_path(path)} has no `{key}`", span, path=place, notes=notes, fixes=under)
    fixes = commas or tuple(use_instead(key, m, span, known) for m in meant if m not in node.entries)
    return Diagnostic("NN201", message, span, path=place, notes=notes, fixes=fixes)


def _comma_fixes(key: str) -> tuple[Fix, ...]:
    """A key that ends in a bracket is the rest of an expression that YAML cut at a comma."""
    if not key.endswith(")"):
        return ()
    return (Fix('inside braces a comma ends a value: quote the expression, as in `"$(max(a, b))"`'),)


def unknown_layer(kind: str, known: Iterable[str], span: Span, place: str) -> Diagnostic:
    """NN204, with the layer that was probably meant; NN209 where Keras has it but a spec cannot hold it; NN216."""
    if (problem := REGISTRY.problem(kind)) is not None:
        return Diagnostic("NN216", str(problem), span, path=place)
    if (found := refused.find(kind)) is not None:
        name, refusal = found
        return Diagnostic("NN209", f"`{name}` {refusal.reason}", span, path=place, fixes=(Fix(refusal.instead),))
    known = list(known)
    hint = _hint(kind, (), is_item=True)
    meant = _guess_meant(kind, (), known, is_item=True)
    guess = f"; did you mean `{meant[0]}`?" if meant else ""
    fixes = tuple(use_instead(kind, m, span, known) for m in meant)
    notes = (hint.text,) if hint else ()
    if kind.startswith("$"):
        notes = ("a variable holds a value, not a layer; to make a layer optional, set `when:` on it",)
    return Diagnostic("NN204", f"unknown layer `{kind}`{guess}", span, path=place, notes=notes, fixes=fixes)


def _not_allowed(error: ValidationError, node: Node, options: list[Plain], subject: str, path: Path) -> Diagnostic:
    value, place = error.instance, format_path(path)
    words = [str(o) for o in options if isinstance(o, str)]
    if isinstance(value, str) and words and set(words) <= {*REGISTRY, *ALIASES}:  # a bare layer
        if value not in REGISTRY:
            return unknown_layer(value, REGISTRY, node.span, place)
        needs = " and ".join(f"`{a}`" for a in REGISTRY[value].required_arguments())
        fixes = (Fix(f"write `{value}: {{…}}`, with {needs}"),)
        return Diagnostic("NN203", f"`{value}` requires {needs}", node.span, path=place, fixes=fixes)
    if (refusal := refused_object(value, _label(path), node.span, place)) is not None:
        return refusal
    meant = _meant_word(value, words, _label(path)) if isinstance(value, str) else []
    is_function = str(value).lower() in words or not _label(path).endswith("activation")
    layer = None if is_function else _layer_for(value)
    if layer is not None:
        message = f"{subject} cannot be `{value}`, which is a layer, `{layer}`"
        fix = Fix(f"leave it out here, and write `- {layer}` after this layer")
        return Diagnostic("NN205", message, node.span, path=place, fixes=(fix,))
    guess = f"; did you mean `{meant[0]}`?" if meant else ""
    notes = (f"allowed: {enumerated([as_yaml(o) for o in options])}",) if not meant or len(options) <= 8 else ()
    message = f"{subject} cannot be `{as_yaml(value)}`{guess}"
    found = call_as_mapping(node, {"lr": "learning_rate"}) or tuple(
        use_instead(str(value), m, node.span, words) for m in meant
    )
    return Diagnostic("NN205", message, node.span, path=place, notes=notes, fixes=found)


def _layer_for(value: object) -> str | None:
    """The layer of the same name, in another spelling: `prelu` is `PReLU`."""
    word = str(value).replace("_", "").lower()
    return next((kind for kind in REGISTRY if kind.lower() == word), None)


def _meant_word(value: str, words: list[str], argument: str) -> list[str]:
    known = value_for(value, argument)
    return [known] if known in words else nearest(value, words)


def _wrong_type(node: Node, wanted: str | list[str], subject: str, path: Path, owner: Node) -> Diagnostic:
    types = [wanted] if isinstance(wanted, str) else list(wanted)
    message = f"{subject} must be {type_words(types)}, but it is {kind_of(node)}"
    return Diagnostic("NN202", message, node.span, path=format_path(path), fixes=rewrites(node, types, path, owner))


def _wrong_count(error: ValidationError, bound: str, node: Node, subject: str, path: Path) -> Diagnostic:
    place, limit, count = format_path(path), error.validator_value, _count(error)
    if _is_item(error) and isinstance(node, Mapping):
        return _not_one_layer(node, place)
    if path == ("outputs",):
        return Diagnostic(
            "NN408",
            "the spec has no outputs",
            node.span,
            path=place,
            fixes=(Fix("declare at least one with its task: `outputs: {y: {task: regression}}`"),),
        )
    least, most = (_schema(error).get(f"{word}{bound[3:]}") for word in ("min", "max"))
    what = ("item" if bound.endswith("Items") else "entry", "items" if bound.endswith("Items") else "entries")
    need = f"exactly {limit}" if least == most else f"{'at least' if bound.startswith('min') else 'at most'} {limit}"
    message = f"{subject} must have {need} {what[limit != 1]}, but it has {count or 'none'}"
    return Diagnostic("NN206", message, node.span, path=place)


def _not_one_layer(node: Mapping, place: str) -> Diagnostic:
    if not node.entries:
        fixes: tuple[Fix, ...] = (Fix("write a layer, such as `Flatten`, or remove the item"),)
        return Diagnostic(
            "NN207", ("a model item must be one layer, but this one is empty"), node.span, path=place, fixes=fixes
        )
    first, *others = node.entries
    arguments = {*REGISTRY[first].args, "name", "from", "as", "over", "when"} if first in REGISTRY else set()
    stray = [key for key in others if key in arguments]
    if stray:
        message = f"`{stray[0]}` is at the same level as `{first}`, not inside it"
        fixes = (Fix(f"indent it below the key: `{first}: {{{stray[0]}: …}}`"),)
        return Diagnostic("NN207", message, node.key_span(stray[0]), path=place, fixes=fixes)
    keys = ", ".join(f"`{key}`" for key in node.entries)
    message = f"a model item has one key, the layer, but this one has {len(node.entries)}: {keys}"
    fixes = (Fix(f"start a new item with `- ` before `{others[0]}`"),)
    return Diagnostic("NN207", message, node.key_span(others[0]), path=place, fixes=fixes)
