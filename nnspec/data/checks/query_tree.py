"""The parsed text of a query as DuckDB gives it: how its nodes are walked, and what their names are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

Node = Mapping[str, object]
_AGGREGATES = frozenset(
    {
        "avg", "mean", "sum", "min", "max", "count", "count_star", "median", "mode", "stddev",
        "stddev_samp", "stddev_pop", "var_samp", "var_pop", "variance", "quantile", "quantile_cont",
        "quantile_disc", "first", "last", "any_value", "arg_min", "arg_max", "bool_and", "bool_or", "mad",
        "product", "corr",
    }
)  # fmt: skip


def parse_query(sql: str) -> object:
    from nnspec.runtime.engine.types import connect

    connection = connect()
    try:
        (text,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone() or ("",)
    finally:
        connection.close()
    return json.loads(text)


def items_of(select: Node) -> list[Node]:
    return listed(select.get("select_list"))


def listed(value: object) -> list[Node]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def is_aggregate(node: Node) -> bool:
    return node.get("class") == "FUNCTION" and str(node.get("function_name")).casefold() in _AGGREGATES


def names_of(node: Node) -> list[str]:
    """The parts of a column's name: of a table, if it is told, and of the column."""
    names = node.get("column_names")
    return list(map(str, names)) if isinstance(names, list) else []


def name_of(node: Node) -> str:
    return "".join(names_of(node)[-1:])


def select_of(node: object) -> Node | None:
    """A SELECT itself; None where several are combined."""
    return node if isinstance(node, dict) and node.get("type") == "SELECT_NODE" else None


def columns_of(expression: Node) -> list[str]:
    return [name_of(node) for node in own_nodes_of(expression) if node.get("class") == "COLUMN_REF"]


def nodes_of(root: object, *, is_own: bool = False) -> Iterator[Node]:
    waiting: list[object] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if is_own and node.get("type") == "SELECT_NODE":
                continue
            yield node
            waiting += reversed(node.values())
        elif isinstance(node, list):
            waiting += reversed(node)


def own_nodes_of(root: object) -> Iterator[Node]:
    """All mappings of a tree, those of SELECTs within it left out."""
    return nodes_of(root, is_own=True)
