"""Doc strings of the inputs and outputs of a file: what a person gives and gets, by the file's metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.document.types import JsonObject
from nnspec.runtime.rules.class_labels import spell_out

LONGEST = 500  # characters of a doc string
_DESCRIPTION = 240  # of that, of the spec's own words
_LISTED = 8  # columns, classes and their like that are named
_SIDES = {
    "any": "may be anywhere along `{axis}`",
    "end": "belongs at the end of `{axis}`: on another side it changes the answer",
    "as in training": "belongs where it was in training along `{axis}`: on another side it changes the answer",
}
_ENCODED = {"category": "a word", "words": "words", "date": "a date", "number": "a number", "boolean": "yes or no"}


def port_docs(metadata: JsonObject) -> dict[str, str]:
    """By name the doc string of each input and output.

    forecast: "Passengers of the next month. batch, target 1: `passengers` in thousands."
    """
    prepared = metadata.get("preprocessing") or {}
    docs: dict[str, str] = {}
    for given, renewed in (metadata.get("states") or {}).items():
        docs[given] = f"State: zeros at first, then what `{renewed}` gave the call before."
        docs[renewed] = f"The state that the next call takes as `{given}`."
    for name, said in (metadata.get("inputs") or {}).items():
        docs[name] = _join(_input_sentences(name, said, (prepared.get("inputs") or {}).get(name) or {}, metadata))
    for name, said in (metadata.get("outputs") or {}).items():
        docs[name] = _join(_output_sentences(said, (prepared.get("outputs") or {}).get(name) or {}, metadata))
    return docs


def padding_rule(name: str, padding: JsonObject) -> str:
    """Where padding may stand, as a sentence."""
    where = _SIDES[padding["side"]].format(axis=padding["axis"])
    return f"Padding of `{name}` ({padding['value']!r}) {where}."


def shorten(text: str, most: int) -> str:
    """At most so many characters, the last of them `…` where some are left out."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _input_sentences(name: str, said: JsonObject, prepared: JsonObject, metadata: JsonObject) -> Iterator[str]:
    yield _sentence_of(said)
    columns, ranges, units = said.get("columns") or [], said.get("ranges") or {}, said.get("units") or {}
    whole = [*_in_unit(said.get("unit")), *_in_range(said.get("range"))]
    facts = {column: [*_in_unit(units.get(column)), *_in_range(ranges.get(column))] for column in columns}
    named = _first_of([_with_facts(f"`{column}`", facts[column]) for column in columns[: _LISTED + 1]], len(columns))
    if said.get("encoding"):
        named = f"{named}, {_ENCODED.get(str(said['encoding']), 'a value')}"
    yield _about(said, ", ".join(part for part in (named, *whole) if part), metadata)
    if prepared.get("scaling"):
        yield "As in the data: the file scales it."
    if said.get("gaps"):
        yield "May have gaps, which the file fills in."
    if said.get("padding") is not None:
        yield padding_rule(name, said["padding"])


def _output_sentences(said: JsonObject, prepared: JsonObject, metadata: JsonObject) -> Iterator[str]:
    yield _sentence_of(said)
    yield _about(said, _task(said), metadata)
    if prepared.get("scaling"):
        yield "As in the data: the file scales it back."


def _task(said: JsonObject) -> str:
    """What the values of an output say."""
    task, threshold, labels = said["task"], said.get("threshold"), spell_out(said.get("classes")) or []
    names = ", ".join(f"`{label}`" for label in labels[:_LISTED]) + (", …" if len(labels) > _LISTED else "")
    is_counted = isinstance(said.get("classes"), int)
    classes = f"{len(labels)} classes{', numbered from 0' if is_counted else f': {names}'}"
    above = "" if threshold is None else f" above {threshold:g}"
    if task == "label":
        return f"which of {classes}" if labels else "whether it is so"
    if task == "classification":
        return f"a score for each of {classes}" if labels else "a score for each class"
    if task == "binary":
        yes = f"`{labels[1]}` rather than `{labels[0]}`" if len(labels) == 2 else "yes"
        return f"a score, {yes}{above}"
    if task == "multilabel":
        return f"a score for each label, true{above}"
    if task == "anomaly":
        return "how unusual a sample is" + (f", unusual{above}" if above else "")
    return ", ".join(part for part in _numbers(said) if part)


def _numbers(said: JsonObject) -> Iterator[str]:
    columns, units, elements = said.get("columns") or [], said.get("units") or {}, said.get("elements") or []
    named = [_with_facts(f"`{column}`", _in_unit(units.get(column))) for column in columns[: _LISTED + 1]]
    yield _first_of(named, len(columns))
    yield from _in_unit(said.get("unit"))
    if said.get("levels"):
        yield f"quantiles {', '.join(f'{level:g}' for level in said['levels'])}"
    if elements:
        yield f"in the order {_first_of([str(name) for name in elements[: _LISTED + 1]], len(elements))}"


def _sentence_of(said: JsonObject) -> str:
    text = shorten(" ".join(str(said.get("description") or "").split()), _DESCRIPTION)
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _about(said: JsonObject, what: str, metadata: JsonObject) -> str:
    """`batch, time 12, feature 1: …`: axes with their sizes, and what runs along them."""
    batch = metadata.get("batch")
    sizes = [(axis, batch if axis == "batch" else size) for axis, size in said["axes"]]
    axes = ", ".join(axis if size is None or size == axis else f"{axis} {size}" for axis, size in sizes)
    return f"{axes}: {what}." if what else f"{axes}."


def _first_of(names: Sequence[str], count: int) -> str:
    """The first few of so many names."""
    return ", ".join(names) if count <= _LISTED else f"{', '.join(names[:_LISTED])}, … ({count})"


def _with_facts(name: str, facts: Sequence[str]) -> str:
    return f"{name} ({', '.join(facts)})" if facts else name


def _in_unit(unit: object) -> list[str]:
    return [f"in {unit}"] if unit else []


def _in_range(found: Sequence[float] | None) -> list[str]:
    return [f"{found[0]:.6g} to {found[1]:.6g} in training"] if found else []


def _join(sentences: Iterator[str]) -> str:
    return shorten(" ".join(sentence for sentence in sentences if sentence), LONGEST)
