"""Writes the spec as text: sections in their usual order, one item per line, names only if they are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nnspec.expansion.naming import snake_case
from nnspec.expansion.resolved import flow
from nnspec.importers.keras.build_spec import Draft, identifier
from nnspec.importers.keras.fold_repeats import fold_blocks
from nnspec.importers.keras.repeats import fold_repeats
from nnspec.importers.keras.units import Block, Entry, Repeat, Unit, last_of, units_in, units_of
from nnspec.ir import axes as ax


def write_spec(draft: Draft, *, fold: bool = True) -> str:
    """The draft as YAML, repeated structure folded where `fold` says so."""
    units, made = units_of(draft.items)
    end_of = {name: made[id(read.item)] for name, (read, _) in draft.outputs.items() if read.item is not None}
    ends = list(end_of.values())
    blocks: list[Block] = []
    if fold:
        units, blocks, ends = fold_blocks(units, ends)
        end_of = dict(zip(end_of, ends, strict=True))
    lines = ["nnspec: 1", f"name: {flow(draft.name)}", "", "inputs:"]
    for name, value in draft.inputs.items():
        axes = {axis.name: ax.size_to_json(axis.size) for axis in value.axes}
        more: dict[str, object] = {} if value.dtype == "float32" else {"dtype": value.dtype}
        if name in draft.graph.batches:
            more["batch"] = draft.graph.batches[name]
        lines.append(f"  {name}: {flow({'axes': axes, **more})}")
    if draft.shared:
        lines += ["", "layers:"]
        lines += [
            f"  {name}: {flow({kind: dict(body)} if body else kind)}" for name, (kind, body) in draft.shared.items()
        ]
    writer = _Writer({block.name: block for block in blocks}, fold)
    if blocks:
        lines += ["", "blocks:"]
        for block in blocks:
            lines += writer.block(block)
    lines += ["", "model:"]
    first = next(iter(draft.inputs)) if len(draft.inputs) == 1 else None
    names = _Names([*draft.inputs, *draft.outputs, *draft.shared])
    lines += writer.model(units, ends, first, names, "  ")
    lines += ["", "outputs:"]
    for name, (read, task) in draft.outputs.items():
        body: dict[str, object] = {"task": task}
        unit = end_of.get(name)
        if unit is None:
            body = {"from": read.value.node, **body}
        elif unit is not units[-1] or read.value.port != unit.ports[0]:
            port = "" if read.value.port == unit.ports[0] else f".{read.value.port}"
            body = {"from": names.given[id(unit)] + port, **body}
        lines.append(f"  {name}: {flow(body)}")
    return "\n".join(lines) + "\n"


class _Names:
    """Names for the units of one list that are read by name."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.given: dict[int, str] = {}

    def name(self, unit: Unit, stem: str, rounds: int = 0) -> str:
        """`stem`, or that with a number; in a repeat of `rounds` the names of the rounds are free too."""
        number, name = 1, stem
        while self.taken.intersection(claimed := [name, *(f"{name}_{r}" for r in range(1, rounds + 1))]):
            number, name = number + 1, f"{stem}_{number + 1}"
        self.taken.update(claimed)
        self.given[id(unit)] = name
        return name


class _Writer:
    def __init__(self, blocks: Mapping[str, Block], fold: bool) -> None:
        self.blocks = blocks
        self.fold = fold

    def block(self, block: Block) -> list[str]:
        lines = [f"  {block.name}:"]
        if block.parameters:
            lines.append(f"    parameters: {flow(block.parameters)}")
        if len(block.inputs) > 1:
            lines.append(f"    inputs: {flow(list(block.inputs))}")
        lines.append("    model:")
        first = block.inputs[0] if len(block.inputs) == 1 else None
        return lines + self.model(block.units, [block.units[-1]], first, _Names(block.inputs), "      ")

    def model(
        self, units: list[Unit], ends: Sequence[Unit], first: str | None, names: _Names, indent: str
    ) -> list[str]:
        """The lines of a list; units that are read from afar, and ends that are not last, get names."""
        entries: list[Entry] = fold_repeats(units, set(map(id, ends)), first) if self.fold else list(units)
        wanted = self.read_by_name(entries, first)
        wanted |= {id(unit) for unit in ends if unit is not last_of(entries[-1]) or len(unit.ports) > 1}
        is_top = indent == "  "
        for entry in entries:
            rounds = entry.rounds if isinstance(entry, Repeat) else 0
            *inner, end = units_in(entry)
            for unit in inner:
                if id(unit) in wanted:
                    names.name(unit, self.stem(unit, is_top=is_top), rounds)
            if wanted & {id(end), id(last_of(entry))}:  # the name is that of the last iteration
                names.given[id(last_of(entry))] = names.name(end, self.stem(end, is_top=is_top), rounds)
        lines: list[str] = []
        before: Unit | str | None = first
        for entry in entries:
            if isinstance(entry, Repeat):
                head = {"for": dict(entry.columns)} if entry.columns else {"times": entry.rounds}
                lines += [f"{indent}- repeat:", f"{indent}    {flow(head)[1:-1]}", f"{indent}    model:"]
                for unit in entry.units:
                    lines.append(f"{indent}      - {self.item(unit, before, names)}")
                    before = unit
                before = entry.last
                continue
            lines.append(f"{indent}- {self.item(entry, before, names)}")
            before = entry
        return lines

    def read_by_name(self, entries: Sequence[Entry], first: str | None) -> set[int]:
        wanted: set[int] = set()
        before: Unit | str | None = first
        for entry in entries:
            for unit in units_in(entry):
                if not _reads_before(unit, before):
                    wanted |= {id(source) for source, _ in unit.reads if isinstance(source, Unit)}
                before = unit
            before = last_of(entry)
        return wanted

    def stem(self, unit: Unit, *, is_top: bool) -> str:
        """What a unit is called: a layer as in Keras, but inside a block, which stands for several."""
        if unit.verb == "block" or not is_top or not unit.label:
            return snake_case(unit.kind)
        return identifier(unit.label)

    def item(self, unit: Unit, before: Unit | str | None, names: _Names) -> str:
        body: dict[str, object] = {}
        said = {**unit.values, **unit.rest}
        if unit.verb:
            body["use"] = unit.kind
        if id(unit) in names.given:
            body["name"] = names.given[id(unit)]
        if not _reads_before(unit, before):
            sources = [self.reference(source, port, names) for source, port in unit.reads]
            said |= {key: sources.pop() for key in reversed(unit.references)}  # an attention mask is read last
            body["from"] = sources[0] if len(sources) == 1 else sources
        defaults = self.blocks[unit.kind].parameters if unit.verb == "block" else {}
        body |= {k: v for k, v in said.items() if not (k in defaults and repr(defaults[k]) == repr(v))}
        if unit.verb:
            return flow({unit.verb: unit.kind if list(body) == ["use"] else body})[1:-1]
        return flow({unit.kind: body})[1:-1] if body else flow(unit.kind)

    def reference(self, source: Unit | str, port: int, names: _Names) -> str:
        if isinstance(source, str):
            return source
        return names.given[id(source)] + (f".{source.ports[port]}" if port else "")


def _reads_before(unit: Unit, before: Unit | str | None) -> bool:
    if len(unit.reads) != 1 or before is None:
        return False
    source, port = unit.reads[0]
    return port == 0 and (source is before or (isinstance(source, str) and source == before))
