"""What the text of a query shows of later rows, or of all rows, in the columns that inputs read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from nnspec.data.checks.query_tree import (
    Node,
    columns_of,
    is_aggregate,
    items_of,
    listed,
    name_of,
    nodes_of,
    own_nodes_of,
    parse_query,
)
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import SourcePlan
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.document.positions import place_in_scalar
from nnspec.runtime.engine.query import count_characters

AHEAD, ALL = "NN628", "NN629"
_SHARES = ("WINDOW_PERCENT_RANK", "WINDOW_CUME_DIST", "WINDOW_NTILE")  # which divide by the number of rows
_RANKS = ("WINDOW_RANK", "WINDOW_RANK_DENSE")  # among all rows, unless they are those before
_SHIFTS = ("WINDOW_LEAD", "WINDOW_LAG")


class _Find(NamedTuple):
    """What an expression reads: a code, and the words of the query that show it, as bytes."""

    code: str
    start: int
    length: int


def check_query(plan: DataPlan) -> Iterator[Diagnostic]:
    """NN628 and NN629: columns of inputs that a query computes from later rows, or from all of them."""
    source = plan.source
    if source is None or source.kind != "query":
        return
    sql = str(source.options["query"])
    read = {name for slot in plan.inputs.values() if slot.ahead == "no" for name in slot.columns}
    found = _Reader(parse_query(sql), plan).found()
    for name in sorted(read & found.keys()):
        yield _report_leak(source, sql, name, found[name])


def _report_leak(source: SourcePlan, sql: str, name: str, find: _Find) -> Diagnostic:
    start, stop = (count_characters(sql, place) for place in (find.start, find.start + find.length))
    span = place_in_scalar(source.span, sql, start, max(1, stop - start))
    warning = Severity.WARNING
    if find.code == AHEAD:
        message = (
            f"the query computes `{name}`, which an input reads, from later rows, which are not known when the "
            f"model is used"
        )
        fix = Fix("read earlier rows: `lag`, or a frame that ends with the current row, ordered by time")
        return Diagnostic(AHEAD, message, span, path=source.where, fixes=(fix,), severity=warning)
    message = f"the query computes `{name}`, which an input reads, from all rows, including those of the test split"
    fix = Fix("use statistics of training rows, such as `standard` in `columns`, or only earlier rows")
    return Diagnostic(ALL, message, span, path=source.where, fixes=(fix,), severity=warning)


class _Reader:
    """Goes through a parsed SELECT. Columns are followed by their names from a subquery to the one around it."""

    def __init__(self, tree: object, plan: DataPlan) -> None:
        self.selects = [node for node in nodes_of(tree) if node.get("type") == "SELECT_NODE"]
        inside = [[id(n) for n in nodes_of(node) if n.get("type") == "SELECT_NODE"] for node in self.selects]
        self.within = [{p for p, ids in enumerate(inside) if id(node) in ids} for node in self.selects]
        series = plan.parts_of(str(plan.series)) if plan.series is not None else []
        self.times = {str(plan.order_by)} if plan.order_by is not None else set()
        self.is_mixed = not plan.split.is_chronological
        # What is computed within a group that stays in one split reads no other split.
        kept = [plan.group_column] if plan.split.by == "random" and plan.group_column is not None else []
        self.whole = {str(name) for name in (series if plan.split.by == "random" and series else kept)}

    def found(self) -> dict[str, _Find]:
        """By column, what it is computed from that it should not."""
        found: dict[str, tuple[_Find, int]] = {}  # and in which SELECT
        names = [
            (i, str(item.get("alias") or ""), item) for i, node in enumerate(self.selects) for item in items_of(node)
        ]
        for place, name, item in names:
            find = self._of(item, self.selects[place])
            if name and find is not None:
                found.setdefault(name, (find, place))
        for _ in self.selects:  # as deep as they are nested
            for place, name, item in names:
                within = self.within[place]  # what is around a SELECT gives it no columns
                carried = next((found[c] for c in columns_of(item) if c in found and found[c][1] not in within), None)
                if name and carried is not None:
                    found.setdefault(name, (carried[0], place))
        return {name: find for name, (find, _) in found.items()}

    def _of(self, item: Node, select: Node) -> _Find | None:
        for node in own_nodes_of(item):
            code = self._window(node) if node.get("class") == "WINDOW" else None
            if node.get("class") == "SUBQUERY" and any(map(is_aggregate, nodes_of(node.get("subquery")))):
                code = ALL
            if code is None and is_aggregate(node) and self._is_joined_back(select):
                code = ALL
            if code is not None:
                return _Find(code, _number(node.get("query_location")), _number(node.get("query_location_length")))
        return None

    def _window(self, node: Node) -> str | None:
        kind, orders = str(node.get("type")), listed(node.get("orders"))
        parted = {name for part in listed(node.get("partitions")) for name in columns_of(part)}
        is_whole = bool(self.whole) and self.whole <= parted
        if (not orders and kind not in _SHIFTS) or kind in _SHARES:
            return None if is_whole else ALL
        by_time = {name for order in orders[:1] for name in columns_of(order)} & self.times
        if kind in _RANKS and not by_time and (self.times or self.is_mixed):
            return None if is_whole else ALL
        is_reversed = bool(by_time) and "DESC" in str(orders[0].get("type"))
        start, end = str(node.get("start")), str(node.get("end"))
        if kind in _SHIFTS:
            return AHEAD if (kind == "WINDOW_LEAD") != (is_reversed != _is_negative(_offset(node))) else None
        first, last = (end, start) if is_reversed else (start, end)
        later, other = ("PRECEDING", "FOLLOWING") if is_reversed else ("FOLLOWING", "PRECEDING")
        edge = node.get("start_expr" if is_reversed else "end_expr")
        if later in last and not _is_zero(edge) and (kind != "WINDOW_FIRST_VALUE" or other not in first):
            return AHEAD
        return None

    def _is_joined_back(self, select: Node) -> bool:
        """Whether the table that a subquery summarizes is read row by row elsewhere."""
        own = _tables(select.get("from_table"))
        grouped = {name_of(column) for column in listed(select.get("group_expressions"))}
        if self.whole and self.whole <= grouped:
            return False
        plain = [
            _tables(other.get("from_table"))
            for other in self.selects
            if other is not select
            and not any(is_aggregate(node) for item in items_of(other) for node in own_nodes_of(item))
        ]
        return any(own & tables for tables in plain)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _offset(node: Node) -> object:
    """How many rows `lead` and `lag` go: DuckDB's versions have it in one place or the other."""
    return node.get("offset_expr") or listed(node.get("arguments"))[1:2]


def _is_negative(expression: object) -> bool:
    text = json.dumps(expression)
    return '"-"' in text or '"text": "-' in text


def _is_zero(expression: object) -> bool:
    return isinstance(expression, dict) and '"text": "0"' in json.dumps(expression)


def _tables(root: object) -> set[str]:
    """The tables that a FROM names, those of subqueries left out."""
    return {str(node.get("table_name")) for node in own_nodes_of(root) if node.get("type") == "BASE_TABLE"}
