"""A network as a Mermaid flowchart for a ```mermaid block: the edges are labelled with axes."""

from __future__ import annotations

import re

from nnspec.ir.graph import Graph, Node, Value


def to_mermaid(graph: Graph) -> str:
    """The diagram's text. Nodes of one use of a block stand together in a box."""
    ids: dict[str, str] = {}
    for index, name in enumerate([*graph.inputs, *(node.name for node in graph.nodes)]):
        ids[name] = f"n{index}"
    lines = ["flowchart TD"]
    lines += [f'    {ids[name]}(["{_escape(name)}"])' for name in graph.inputs]
    lines += _boxes(graph, ids)
    for node in graph.nodes:
        lines += [f"    {ids[value.node]} {_edge(value)} {ids[node.name]}" for value in node.inputs]
    for index, (name, output) in enumerate(graph.outputs.items()):
        lines.append(f'    o{index}(["{_escape(name)}<br/>{output.task}"])')
        lines.append(f"    {ids[output.value.node]} {_edge(output.value)} o{index}")
    return "\n".join(lines) + "\n"


def _boxes(graph: Graph, ids: dict[str, str]) -> list[str]:
    """Every node once, in boxes by the blocks that its name tells of (`stage_2/conv_3`)."""
    lines: list[str] = []
    current: tuple[str, ...] = ()
    boxes = 0
    for node in graph.nodes:
        *path, _ = node.name.split("/")
        common = 0
        while common < min(len(path), len(current)) and path[common] == current[common]:
            common += 1
        for depth in range(len(current), common, -1):
            lines.append("    " * depth + "end")
        for depth in range(common, len(path)):
            lines.append("    " * (depth + 1) + f'subgraph b{boxes} ["{_escape(path[depth])}"]')
            boxes += 1
        current = tuple(path)
        lines.append("    " * (len(path) + 1) + f'{ids[node.name]}["{_label(node)}"]')
    lines += ["    " * depth + "end" for depth in range(len(current), 0, -1)]
    return lines


def _label(node: Node) -> str:
    """Name, kind, and the parameters where there are any."""
    name = node.name.rpartition("/")[2]
    kind = f"{node.kind}({node.inner.kind})" if node.inner is not None else node.kind
    parts = [_escape(name), _escape(kind)]
    if node.parameters:
        shared = f", shared: {node.shared}" if node.shared is not None else ""
        parts.append(_escape(f"{node.parameters:,} parameters{shared}"))
    return "<br/>".join(parts)


def _edge(value: Value) -> str:
    port = "" if value.port == "output" else f"{value.port}: "
    return f'-->|"{_escape(port + ", ".join(map(str, value.axes)) or "scalar")}"|'


def _escape(text: str) -> str:
    """Characters that Mermaid reads as its own become entities."""
    return re.sub(r"[^\w .,:()·/+*=-]", lambda match: f"#{ord(match.group())};", text)
