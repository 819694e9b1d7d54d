"""Which nodes a target takes, by the rules of ONNX Runtime's usability checker for mobile devices.

A node is taken if its operator is in the target's table and, where the target needs that, no value that it reads is of
open size or of too many dimensions. Nodes that are taken and follow each other form a partition; the fewer there are,
the less is copied between the device and the CPU. Limits of operators (`only 2D`) are told, not checked, as there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nnspec.backends.onnx.builder import Body, GraphBuilder, OnnxNode
from nnspec.backends.onnx.targets.operands import Shape
from nnspec.backends.onnx.targets.shapes import infer_shapes
from nnspec.backends.onnx.targets.tables import load_targets
from nnspec.backends.targets import OPERATOR, RANK, SIZE, Foreseen, Target


def foresee(graph: GraphBuilder, targets: Sequence[str]) -> list[Foreseen]:
    """What each of the targets takes of a graph that is finished."""
    shapes = infer_shapes(graph)
    known = {name: tuple(array.shape) for name, array in graph.constants.items()}
    producers = {output: node for node in graph.nodes for output in node.outputs if output}
    found = []
    for name in targets:
        walk = _Walk(target=load_targets()[name], shapes=shapes, constants=known)
        walk.follow(graph.nodes, producers)
        found.append(walk.result())
    return found


@dataclass(kw_only=True)
class _Walk:
    target: Target
    shapes: Mapping[str, Shape]
    constants: Mapping[str, tuple[int, ...]]
    nodes: int = 0
    taken: int = 0
    partitions: int = 0
    refused: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)

    def result(self) -> Foreseen:
        return Foreseen(
            target=self.target,
            nodes=self.nodes,
            taken=self.taken,
            partitions=self.partitions,
            refused=self.refused,
            limits=self.limits,
        )

    def follow(self, nodes: Sequence[OnnxNode], producers: Mapping[str, OnnxNode], layer: str = "") -> None:
        """Nodes in the order in which ONNX Runtime groups them: one that is left out ends no group that it need not.

        Args:
            layer: whose body they are, if they are one.
        """
        readers: dict[int, list[OnnxNode]] = {}
        waiting: dict[int, int] = {}
        for node in nodes:
            sources = {id(producers[name]): producers[name] for name in node.reads() if name in producers}
            waiting[id(node)] = len(sources)
            for key in sources:
                readers.setdefault(key, []).append(node)
        ready = deque(node for node in nodes if not waiting[id(node)])
        later: deque[OnnxNode] = deque()
        border: set[int] = set()
        is_open = False
        while ready or later:
            if not ready:
                self.partitions += is_open
                is_open = False
                border.clear()
                ready, later = later, deque()
                continue
            node = ready.popleft()
            reasons = self.reasons(node)
            if reasons and id(node) in border:
                later.append(node)
                continue
            if reasons:
                self.refuse(layer or node.layer, node.op, reasons)
            else:
                self.taken += 1
                is_open = True
                border.discard(id(node))
                border.update(map(id, readers.get(id(node), ())))
            for reader in readers.get(id(node), ()):
                waiting[id(reader)] -= 1
                if not waiting[id(reader)]:
                    ready.append(reader)
        self.partitions += is_open
        self.nodes += len(nodes)
        for node in nodes:
            for body in _bodies(node):
                made = {output: inner for inner in body.nodes for output in inner.outputs}
                self.follow(body.nodes, made, layer or node.layer)

    def reasons(self, node: OnnxNode) -> frozenset[str]:
        """Why a node is left to the CPU; empty where it is taken."""
        found = set()
        operator = f"{node.domain or 'ai.onnx'}:{node.op}"
        if operator not in self.target.operators:
            found.add(OPERATOR)
        elif limit := self.target.operators[operator]:
            self.limits[node.op] = limit
        if self.target.needs_sizes and not all(map(self.has_sizes, node.inputs)):
            found.add(SIZE)
        ranks = [len(shape) for name in node.inputs if (shape := self.shapes.get(name)) is not None]
        if max(ranks, default=0) > self.target.max_rank:
            found.add(RANK)
        return frozenset(found)

    def has_sizes(self, name: str) -> bool:
        """Whether a value is of one size; not so an optional operand that is left out, as the checker has it."""
        if name in self.constants:
            return True
        if name not in self.shapes:
            return False
        return all(size is not None and size > 0 for size in self.shapes[name] or ())

    def refuse(self, layer: str, operator: str, reasons: frozenset[str]) -> None:
        own = self.refused.setdefault(layer, {})
        own[operator] = own.get(operator, frozenset()) | reasons


def _bodies(node: OnnxNode) -> Iterator[Body]:
    return (value for value in node.attributes.values() if isinstance(value, Body))
