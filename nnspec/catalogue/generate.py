"""Writes catalogue.json: Keras' initializers, optimizers, losses and the like, read off the installed Keras.

    python -m nnspec.catalogue.generate            # writes
    python -m nnspec.catalogue.generate --check    # compares; exit status 1 and a diff where they differ

Names, arguments, defaults and descriptions are Keras'. What introspection cannot see (ranges, choices, the type behind
a default of None) stands in `argument_rules`; an argument whose type nothing tells stops the generator.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType as Function
from types import ModuleType
from typing import TypeVar

from nnspec.catalogue.argument_rules import (
    ASKED,
    DESCRIPTIONS,
    EXCLUDED,
    HIGHER_IS_BETTER,
    NAMED,
    NESTED,
    OMITTED_ARGUMENTS,
    SCHEMAS,
    WORDS,
    Schema,
)

TARGET = Path(__file__).with_name("catalogue.json")
LIMIT = 300
V = TypeVar("V")
# Argument docstrings begin with a type, which the schema says better.
KIND = "bool(ean)?|float(ing point)?|int(eger)?|string|scalar|number"
MORE = " value| or an? [\\w ]+| or `?None`?"


@cache
def modules() -> dict[str, ModuleType]:
    """Where Keras has the objects of each family."""
    import keras

    return {
        "activations": keras.activations,
        "callbacks": keras.callbacks,
        "constraints": keras.constraints,
        "initializers": keras.initializers,
        "losses": keras.losses,
        "metrics": keras.metrics,
        "optimizers": keras.optimizers,
        "regularizers": keras.regularizers,
        "schedules": keras.optimizers.schedules,
    }


@cache
def lookups() -> dict[str, dict[str, type | Function]]:
    """Where each `get` looks a string up; Keras does not export these tables."""
    from keras.src import activations, constraints, initializers, losses, metrics, optimizers, regularizers

    return {
        "activations": activations.ALL_OBJECTS_DICT,
        "constraints": constraints.ALL_OBJECTS_DICT,
        "initializers": initializers.ALL_OBJECTS_DICT,
        "losses": losses.ALL_OBJECTS_DICT,
        "metrics": metrics.ALL_OBJECTS_DICT,
        "optimizers": optimizers.ALL_OBJECTS_DICT,
        "regularizers": regularizers.ALL_OBJECTS_DICT,
    }


def plain(text: str) -> str:
    """Docstring text as one line, without links and without what the catalogue says elsewhere."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\[([^\]]+)\]\s*\(\s*https?:[^)]*\)", r"\1", text)
    text = re.sub(r",? ?\bdefaults to (`[^`]*`|-?[\w.-]*\w)", "", text, flags=re.IGNORECASE)
    text = re.sub(r"^\(?optional\)?[.:]? *", "", text, flags=re.IGNORECASE)
    text = re.sub(rf"^(an? )?(python )?({KIND})({MORE})*[.,:;] +(?!or |representing )", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\s+([.,])", r"\1", re.sub(r"\.( ?\.)+", ".", text)).strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")


def sentences(text: str, limit: int, count: int | None = None) -> str:
    """As many whole sentences as fit, at least one; a word's end and an ellipsis where the first is too long."""
    parts = re.split(r"(?<=[^.][.!?])(?<!e\.g\.)(?<!i\.e\.) (?=[A-Z`\"(])", text)[:count]
    result = parts[0]
    for part in parts[1:]:
        if len(result) + 1 + len(part) > limit:
            break
        result += f" {part}"
    return result if len(result) <= limit else result[: result.rindex(" ", 0, limit)].rstrip(",;:") + " …"


def summary(obj: type | Function) -> str:
    first = inspect.cleandoc(obj.__doc__ or "").split("\n\n")[0]
    return sentences(plain(first), LIMIT, 2)


def documented_arguments(obj: type | Function) -> dict[str, str]:
    """The `Args:` section: name -> text."""
    match = re.search(r"^Args:\n((?:(?: .*)?\n?)*)", inspect.cleandoc(obj.__doc__ or ""), re.MULTILINE)
    result: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in (match.group(1) if match else "").splitlines():
        if entry := re.match(r" {4}(\w+): *(.*)", line):
            lines = result.setdefault(entry.group(1), [])
            lines.append(entry.group(2))
        elif "{{" in line:  # a template that Keras forgot to fill in
            lines = None
        elif lines is not None:
            lines.append(line)
    return {name: " ".join(parts) for name, parts in result.items()}


def lookup(table: Mapping[str, V], family: str, class_name: str, argument: str) -> V | None:
    for key in (f"{class_name}.{argument}", f"{family}.{argument}", argument):
        if key in table:
            return table[key]
    return None


def inferred(default: object) -> Schema | None:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": kinds[type(default)]} if type(default) in kinds else None


def argument_entry(family: str, cls: type, parameter: inspect.Parameter) -> Schema:
    from keras.optimizers import SGD

    name = parameter.name
    schema = lookup(SCHEMAS, family, cls.__name__, name) or inferred(parameter.default)
    text = lookup(DESCRIPTIONS, family, cls.__name__, name)
    if text is None:
        # Muon leaves the arguments of the base class undocumented; SGD says the same of them.
        found = documented_arguments(cls).get(name) or documented_arguments(SGD).get(name, "")
        text = sentences(plain(found), LIMIT) if found else ""
    if schema is None or not text:
        raise SystemExit(f"{family}: {cls.__name__}.{name} needs {'a description' if schema else 'a schema'}")
    entry: Schema = {"schema": schema, "description": text}
    if name == "name":
        entry["default"] = None  # by its class, or the word that the spec says
    elif parameter.default is not parameter.empty:
        entry["default"] = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
    if name in NESTED:
        entry["family"] = NESTED[name]
    return entry


def is_taken(family: str, cls: type, argument: str) -> bool:
    """Whether a spec may say the argument."""
    if argument == "name":
        return family in NAMED
    return not {argument, f"{cls.__name__}.{argument}"} & OMITTED_ARGUMENTS


def class_entry(family: str, cls: type) -> Schema:
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    arguments = {
        p.name: argument_entry(family, cls, p)
        for p in parameters
        if p.kind is p.POSITIONAL_OR_KEYWORD and is_taken(family, cls, p.name)
    }
    entry = {"description": summary(cls), "arguments": arguments}
    return entry | (describe_metric(cls) if family == "metrics" else {})


def describe_metric(metric: type) -> Schema:
    """The name that Keras gives a metric by default, and whether more is better; null where its arguments decide."""
    required = {k: v for k, v in ASKED.items() if k in inspect.signature(metric).parameters}
    built = metric(**required)
    directions = {"up": True, "down": False}
    is_higher_better = HIGHER_IS_BETTER.get(metric.__name__, directions.get(getattr(built, "_direction", "")))
    return {"name": re.sub(r"_\d+$", "", built.name), "higher_is_better": is_higher_better}


def public_objects(family: str) -> dict[str, type | Function]:
    """The family's classes (functions: activations) by their own name, without excluded ones."""
    wanted: Callable[[object], bool] = inspect.isfunction if family == "activations" else inspect.isclass
    found = {obj.__name__: obj for obj in vars(modules()[family]).values() if wanted(obj)}
    hidden = {*EXCLUDED[family], "deserialize", "get", "serialize"}
    return {name: found[name] for name in sorted(found) if name not in hidden}


def aliases(family: str, objects: dict[str, type | Function]) -> dict[str, str]:
    """Other strings that Keras takes for these objects."""
    names = {obj: name for name, obj in objects.items()}
    if family == "losses":
        names |= {cls().fn: name for name, cls in objects.items()}
    strings = {**vars(modules()[family]), **lookups().get(family, {})}
    if family == "optimizers":  # Keras folds case here, but forgot to list Lamb.
        strings |= {name.lower(): obj for name, obj in objects.items()}
    hidden = {*objects, *WORDS.get(family, {})}
    pairs = {alias: obj for alias, obj in strings.items() if inspect.isclass(obj) or inspect.isfunction(obj)}
    return {a: names[pairs[a]] for a in sorted(pairs) if a not in hidden and pairs[a] in names}


def family_entry(family: str) -> Schema:
    objects = public_objects(family)
    if family == "activations":
        classes = {name: {"description": summary(obj), "arguments": {}} for name, obj in objects.items()}
    else:
        classes = {name: class_entry(family, obj) for name, obj in objects.items() if isinstance(obj, type)}
    refused = {name: {"reason": why, "instead": instead} for name, (why, instead) in EXCLUDED[family].items()}
    return {
        "aliases": aliases(family, objects),
        "words": WORDS.get(family, {}),
        "refused": refused,
        "classes": classes,
    }


def generate() -> str:
    """The text of catalogue.json. Arguments keep Keras' order; all else is sorted."""
    import keras

    catalogue = {"keras": keras.__version__, "families": {family: family_entry(family) for family in modules()}}
    return json.dumps(catalogue, indent=1, ensure_ascii=False) + "\n"


def difference() -> str:
    """A unified diff from the file to what Keras says now; empty where they agree."""
    import keras

    old = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    sides = (old.splitlines(keepends=True), generate().splitlines(keepends=True))
    return "".join(difflib.unified_diff(*sides, "nnspec/catalogue/catalogue.json", f"keras {keras.__version__}"))


def main() -> int:
    parser = argparse.ArgumentParser(description="Write nnspec/catalogue/catalogue.json from the installed Keras.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    if not parser.parse_args().check:
        TARGET.write_text(generate(), encoding="utf-8")
        return 0
    diff = difference()
    sys.stdout.write(diff)
    return 1 if diff else 0


if __name__ == "__main__":
    raise SystemExit(main())
