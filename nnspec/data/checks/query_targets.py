"""Columns that a query computes from the target, or the target from them, in the same row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.data.checks.query_tree import (
    Node,
    is_aggregate,
    items_of,
    listed,
    names_of,
    nodes_of,
    parse_query,
    select_of,
)
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.diagnostics.lists import quoted

# What a value is computed from: columns of tables, and results that are no function of one row, by their node.
Sources = frozenset[object]


def check_computed_targets(plan: DataPlan) -> Iterator[Diagnostic]:
    """NN571: what the inputs read of a row is enough to compute its target."""
    source = plan.source
    if source is None or source.kind != "query":
        return
    lineage = _Lineage(parse_query(str(source.options["query"])))
    for output in plan.outputs.values():
        readers = [slot for slot in plan.inputs.values() if _reads_row_of(plan, slot, output)]
        read = {name: lineage.sources(name) for slot in readers for name in slot.columns if name not in output.columns}
        if any(name in output.columns for slot in readers for name in slot.columns):
            continue  # an error of its own, or rebuilt as a whole
        for target in output.columns:
            needed = lineage.sources(target)
            if needed and needed <= frozenset().union(*read.values()):
                yield _told(output, target, sorted(name for name in read if read[name] & needed), needed)


def _reads_row_of(plan: DataPlan, slot: SlotPlan, output: SlotPlan) -> bool:
    """Whether a sample of an input has columns of the row that is its target."""
    if plan.window is None or not output.is_windowed or 0 in plan.window.horizon:
        return bool(slot.columns)
    return bool(slot.columns) and slot.ahead != "no"


def _told(output: SlotPlan, target: str, names: list[str], needed: Sources) -> Diagnostic:
    columns = quoted([column for column in sorted(map(str, needed)) if not column.startswith("<")])
    if needed == {target.casefold()}:
        message = (
            f"the query computes {quoted(names)}, which inputs read, from `{target}` of the same row, which output "
            f"`{output.name}` predicts"
        )
    else:
        message = (
            f"the query computes `{target}`, which output `{output.name}` predicts, from {columns or 'columns'} "
            f"of the same row, and inputs read {quoted(names)}"
        )
    fix = Fix(
        f"leave {quoted(names)} out unless {'it is' if len(names) == 1 else 'they are'} known when the model is used"
    )
    key = output.item_key("columns", output.columns.index(target))
    return Diagnostic(
        "NN571",
        message,
        output.span_of(key),
        path=output.where("columns"),
        fixes=(fix,),
        severity=Severity.WARNING,
    )


class _Lineage:
    """Follows columns of a query to those of tables, within a row: through subqueries and the first table of a join."""

    def __init__(self, tree: object) -> None:
        roots = [node for node in nodes_of(tree) if "node" in node and "query_location" not in node]
        self.root = select_of(next(iter(roots), {}).get("node"))
        self.named: dict[str, Node] = {}
        for node in nodes_of(tree):
            for entry in listed(node.get("map")):
                value = entry.get("value")
                found = select_of(value.get("query_node")) if isinstance(value, dict) else None
                if found is not None:
                    self.named[str(entry.get("key")).casefold()] = found

    def sources(self, name: str) -> Sources:
        """What a column of the result is computed from."""
        return frozenset() if self.root is None else self._of_column(name.casefold(), self.root, 0)

    def _of_column(self, name: str, select: Node, depth: int) -> Sources:
        for item in items_of(select):
            plain = names_of(item)[-1:] if item.get("class") == "COLUMN_REF" else []
            if (str(item.get("alias") or "") or "".join(plain)).casefold() == name:
                return self._of(item, select, depth)
            for entry in listed(item.get("replace_list")):
                if str(entry.get("key")).casefold() == name:
                    return self._of(entry.get("value"), select, depth)
        return self._of_table_column(name, select, depth)

    def _of_table_column(self, name: str, select: Node, depth: int) -> Sources:
        inner = self._first_of(select, depth)
        return frozenset({name}) if inner is None else self._of_column(name, inner, depth + 1)

    def _first_of(self, select: Node, depth: int) -> Node | None:
        """The SELECT whose rows are those of a SELECT, where it is one in the query."""
        table = _first_table(select)
        if depth > 50 or table is None:
            return None
        if table.get("type") == "SUBQUERY":
            subquery = table.get("subquery")
            return select_of(subquery.get("node")) if isinstance(subquery, dict) else None
        found = self.named.get(str(table.get("table_name")).casefold())
        return None if found is select else found

    def _of(self, expression: object, select: Node, depth: int) -> Sources:
        if isinstance(expression, list):
            return frozenset().union(*(self._of(each, select, depth) for each in expression))
        if not isinstance(expression, dict):
            return frozenset()
        node: Node = expression
        kind = node.get("class")
        if kind == "COLUMN_REF":
            *table, name = names_of(node)
            first = _first_table(select) or {}
            called = {str(first.get(key) or "").casefold() for key in ("alias", "table_name")}
            if table and table[-1].casefold() not in called:
                return frozenset({f"<{'.'.join(table)}.{name}>"})  # of another row
            return self._of_table_column(name.casefold(), select, depth)
        if kind == "SUBQUERY" or is_aggregate(node):
            return frozenset({f"<{id(node)}>"})
        if kind == "WINDOW":
            own = self._of(node.get("arguments"), select, depth) if _has_current_row(node) else frozenset()
            return own | {f"<{id(node)}>"}
        return frozenset().union(*(self._of(value, select, depth) for value in node.values()))


def _has_current_row(window: Mapping[str, object]) -> bool:
    """Whether the value of the row itself is in what a window computes."""
    if window.get("type") != "WINDOW_AGGREGATE" or str(window.get("function_name")).startswith("count"):
        return False
    return "PRECEDING" not in str(window.get("end")) and window.get("exclude_clause") == "NO_OTHER"


def _first_table(select: Node) -> Node | None:
    table = select.get("from_table")
    while isinstance(table, dict) and table.get("type") == "JOIN":
        table = table.get("left")
    return table if isinstance(table, dict) else None
