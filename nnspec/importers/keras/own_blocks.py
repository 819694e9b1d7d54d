"""Blocks for classes of one's own: what a class computes, said as layers of a spec, and where its weights are stored.

A file names classes as they were registered, `my_package>PatchEncoder`, or by the class alone. No code is run.

    my_package>PatchEncoder:
      parameters: {width: projection/config/units}   # by a path in its configuration
      model:
        - Dense: {name: projection, units: $width}
        - formula: {expression: "x + table", weights: {table: {axes: {$first: null, $last: null}}}}
      weights: {formula_1.table: position_embedding/vars/0}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Fix, Report, Source, Span, SpecError, did_you_mean
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node, Scalar, parse, read_source, to_plain
from nnspec.document import Sequence as SequenceNode
from nnspec.document.types import Plain
from nnspec.importers.keras.network import Call, Config

KEYS = ("parameters", "inputs", "layers", "blocks", "model", "outputs", "weights")
_SHIPPED = "keras.src.applications"  # classes that Keras itself defines beside its layers


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnBlock:
    """What stands for a class.

    Attributes:
        body: its mapping in the file.
        span: the place of the class' name.
        is_shipped: whether the class is one of Keras' own, so that Keras can load it.
    """

    class_name: str
    body: MappingNode
    span: Span
    is_shipped: bool = False

    @property
    def inputs(self) -> list[str]:
        """What the values that it reads are called."""
        return [str(name) for name in to_plain(self.body.entries["inputs"])] if "inputs" in self.body.entries else []

    @property
    def outputs(self) -> list[Scalar]:
        """The items that it gives, where it says so; else the last one."""
        node = self.body.get("outputs")
        items = node.items if isinstance(node, SequenceNode) else [node]
        return [item for item in items if isinstance(item, Scalar)]

    @property
    def weights(self) -> dict[str, Scalar]:
        """Item, or item and weight, to a path below the layer in the archive."""
        node = self.body.get("weights")
        entries = node.entries if isinstance(node, MappingNode) else {}
        return {key: place for key, place in entries.items() if isinstance(place, Scalar)}

    def variables(self, config: Config) -> dict[str, Plain]:
        """The class' configuration by its own keys, and the parameters that lie deeper in it.

        Raises:
            SpecError: NN380 where there is no such path.
        """
        result = {key: value for key, value in config.items() if key.isidentifier() and _is_simple(value)}
        node = self.body.get("parameters")
        for name, place in (node.entries if isinstance(node, MappingNode) else {}).items():
            value = to_plain(place)
            result[name] = self.found(value, config, place.span) if isinstance(value, str) else value
        return result

    def found(self, path: str, config: Config, span: Span) -> Plain:
        at: Plain = config
        for step in path.split("/"):
            known = list(at) if isinstance(at, Mapping) else []
            if isinstance(at, list) and step.isdecimal() and int(step) < len(at):
                at = at[int(step)]
                continue
            if not isinstance(at, Mapping) or step not in at:
                there = ", ".join(f"`{key}`" for key in known) or "nothing"
                message = f"the configuration of `{self.class_name}` has no `{path}`{did_you_mean(step, known)}"
                notes = [f"available at `{step}`: {there}" if known else f"`{step}` does not exist"]
                raise SpecError.single("NN380", message, span, notes=notes)
            at = at[step]
        if not _is_simple(at):
            message = f"`{path}` of `{self.class_name}` is not a number, a string or a list of them"
            raise SpecError.single("NN380", message, span, fixes=[Fix("write a longer path: `layer/config/units`")])
        return at


def _is_simple(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_simple(item) and not isinstance(item, list | tuple) for item in value)
    return value is None or isinstance(value, int | float | str | bool)


@dataclass(frozen=True, eq=False)
class OwnBlocks:
    """The blocks that an import knows, by the classes that they stand for."""

    given: Mapping[str, OwnBlock]
    shipped: Mapping[str, OwnBlock]

    def find(self, call: Call) -> OwnBlock | None:
        """The block for a call's class: the user's, or one for a class that Keras ships beside its layers."""
        for name in (call.registered, call.kind):
            if name in self.given and call.is_own:
                return self.given[name]
        return self.shipped.get(call.kind) if call.module.startswith(_SHIPPED) else None


def read_blocks(path: Path | None) -> OwnBlocks:
    """The blocks of a file, and those for Keras' own classes.

    Raises:
        SpecError: NN1xx where it is no YAML, NN380 where it is not what it should be.
    """
    return OwnBlocks(_blocks(read_source(path)) if path is not None else {}, _shipped())


def _shipped() -> dict[str, OwnBlock]:
    text = resources.files("nnspec.importers.keras").joinpath("shipped_blocks.yaml").read_text(encoding="utf-8")
    return _blocks(Source("shipped_blocks.yaml", text), is_shipped=True)


def _blocks(source: Source, *, is_shipped: bool = False) -> dict[str, OwnBlock]:
    root = parse(source)
    report = Report()
    if not isinstance(root, MappingNode):
        raise SpecError.single("NN380", "the file must map names of classes to blocks", root.span)
    result = {}
    for name, body in root.entries.items():
        found = list(_faults(name, body, root.key_span(name)))
        report.extend(found)
        if not found and isinstance(body, MappingNode):
            result[name] = OwnBlock(class_name=name, body=body, span=root.key_span(name), is_shipped=is_shipped)
    report.raise_errors()
    return result


def _faults(name: str, body: Node, span: Span) -> Iterator[Diagnostic]:
    if not isinstance(body, MappingNode):
        yield Diagnostic("NN380", f"`{name}` must be a mapping with a `model`", span)
        return
    for key in body.entries:
        if key not in KEYS:
            message = f"the block of `{name}` has no `{key}`{did_you_mean(key, KEYS)}"
            yield Diagnostic("NN380", message, body.key_span(key), notes=(f"it has {', '.join(KEYS)}",))
    if not isinstance(body.get("model"), SequenceNode):
        yield Diagnostic("NN380", f"the block of `{name}` needs `model`, a list of layers", span)
    for key in ("parameters", "weights"):
        if key in body.entries and not isinstance(body.get(key), MappingNode):
            yield Diagnostic("NN380", f"`{key}` of `{name}` must be a mapping", body.entries[key].span)
    weights = body.get("weights")
    for key, place in (weights.entries if isinstance(weights, MappingNode) else {}).items():
        if not isinstance(place, Scalar) or not isinstance(place.value, str):
            yield Diagnostic("NN380", f"`{key}` must be a path in the archive, such as `dense/vars/0`", place.span)
