"""Writes the spec that is proposed for a series."""

from __future__ import annotations

from nnspec.propose.queries import fill_query, sort_by_query, write_query
from nnspec.propose.series import SeriesPlan
from nnspec.propose.spec_text import Lines, as_key, as_spec, identifier, unused
from nnspec.propose.table import describe, remark_dates, remark_markers, training
from nnspec.propose.table_file import TableFile

_LONGEST_LIST = 5  # rows ahead that are written one by one


def write_series_spec(name: str, table: TableFile, plan: SeriesPlan) -> str:
    """The commented spec; arguments as of `write_table_spec`."""
    goal, roles = plan.target, plan.roles
    shown, profiles, time = table.shown, table.profiles, table.profiles[plan.time]
    output = unused(identifier(goal.name), ("past", "known", "static"))
    ahead = "one row" if plan.horizon == 1 else f"{plan.horizon} rows"
    lines = Lines()
    lines.comment(
        f"{shown}: {goal.rows} rows. Forecasts `{goal.name}` {ahead} ahead: {describe(goal)}.",
        "This spec was proposed from the data: change whatever you know better.",
        "",
        f"nnspec check {name}.yaml                      errors, before anything is trained",
        f"nnspec build {name}.yaml                      train, evaluate beside the last value repeated, export, verify",
        f"nnspec predict out/{name}/model.onnx NEW{table.path.suffix}{' --query' if time.date_formats else ''}   a "
        "forecast for every window of NEW",
    )
    lines.add("nnspec: 1", f"name: {name}")
    lines.add(f"description: {as_spec(f'{goal.name}, {ahead} ahead, from {plan.lookback} rows of {shown}.')}")
    span = plan.spacing.span_of(plan.lookback)
    lines.add(
        f"vars: {{lookback: {plan.lookback}, features: {len(plan.features)}}}", why=span and f"a window is {span} long"
    )
    lines.add("", "data:", f"  source: {table.written}")
    if time.date_formats:
        write_query(lines, sort_by_query(time))
        remark_dates(lines, 2, time)
    lines.add(f"  order_by: {as_spec(plan.time)}")
    _add_series(lines, table, plan)
    missing = sum(profiles[column].missing for column in plan.features)
    if missing and missing == plan.coming:
        lines.add("  missing: drop", why=f"{plan.coming} rows have no `{goal.name}` yet")
    elif missing:
        lines.add("  missing: forward_fill", why="the value before it; a target is never filled")
    lines.add("  split: {train: 0.7, validation: 0.15, test: 0.15, by: time}", why="the latest rows are the test")
    context = ", context: true" if plan.has_context else ""
    why = "" if plan.horizon == 1 else f"each of the rows 1 to {plan.horizon} after the window"
    if plan.has_context:
        lines.remark(2, "short series: windows may begin in the split before")
    lines.add(f"  window: {{lookback: $lookback, horizon: {_horizon(plan.horizon)}{context}}}", why=why)
    _add_inputs(lines, table, plan)
    lines.add("  outputs:")
    lines.add(f"    {output}: {{columns: [{as_spec(goal.name)}], relative_to: last, scale: standard}}")
    lines.add("", "inputs:", "  past: {axes: {time: $lookback, feature: $features}}")
    if roles.known:
        lines.add(f"  known: {{axes: {{ahead: {plan.horizon}, known: auto}}}}", why="the rows that are forecast")
    if roles.static:
        lines.add("  static: {axes: {static: auto}}")
    lines.add("", *_network(plan), "")
    lines.add("outputs:", f"  {output}: {{task: regression}}", "", *training("regression", goal.rows))
    return lines.text()


def _horizon(count: int) -> str:
    if count == 1:
        return "1"
    return str(list(range(1, count + 1))) if count <= _LONGEST_LIST else f'"$(range(1, {count + 1}))"'


def _add_series(lines: Lines, table: TableFile, plan: SeriesPlan) -> None:
    """`series`, with `every` where no row is missing, and what is said of rows that are."""
    spacing = plan.spacing
    by = [f"by: {as_spec(plan.by[0] if len(plan.by) == 1 else list(plan.by))}"] if plan.by else []
    every = [f"every: {spacing.every}"] if spacing.is_even else []
    if by or every:
        why = [f"{plan.count} series; no window joins two"] if by else []
        why += ["no row is missing"] if every else []
        lines.add(f"  series: {{{', '.join(by + every)}}}", why="; ".join(why))
    if not spacing.odd:
        return
    if not spacing.has_few_gaps:
        usual = f"{spacing.steps - spacing.odd} of {spacing.steps} steps from row to row are of "
        usual += f"{spacing.every}" if spacing.every else "one length"
        lines.remark(2, f"{usual}: a window is a number of rows, however far these are apart")
        return
    rows = f"{spacing.missing} rows are missing" if spacing.missing > 1 else "1 row is missing"
    where = f" in {spacing.series} of {plan.count} series" if plan.by else ""
    lines.remark(2, f"{rows}{where}, the first after {spacing.first_gap}: a window joins the rows on both sides")
    if not spacing.interval:
        return
    lines.remark(2, "to fill them, declare the interval; a query adds the rows, `missing` says what their values are")
    query = fill_query(
        table.profiles[plan.time],
        plan.by,
        list(plan.roles.static),
        spacing.interval,
        has_hours=spacing.has_hours,
        taken=table.profiles,
    )
    write_query(lines, query, is_comment=True)
    lines.remark(2, f"series: {{{', '.join([*by, f'every: {spacing.every}'])}}}")
    if not any(table.profiles[column].missing for column in plan.features):
        lines.remark(2, "missing: forward_fill")


def _add_inputs(lines: Lines, table: TableFile, plan: SeriesPlan) -> None:
    roles = plan.roles
    lines.add("  inputs:")
    for column, reason in roles.left_out.items():
        lines.remark(4, f"{column} is left out: {reason}")
    lines.add(f"    past: {{columns: {as_spec(list(plan.features))}, scale: standard}}")
    for column in plan.features:
        remark_markers(lines, 4, table, column)
    if roles.perhaps:
        columns = as_spec(roles.perhaps)
        axes = f"{{ahead: {plan.horizon}, known: {len(roles.perhaps)}}}"
        lines.remark(
            4, f"where they are known ahead, as holidays and planned prices are: {', '.join(roles.perhaps)} in"
        )
        lines.remark(
            4, f"known: {{columns: {columns}, ahead: only}}, an input with `axes: {axes}` that the network joins"
        )
    for role, encodings, key in (("known", roles.known, "ahead: only"), ("static", roles.static, "static: true")):
        if not encodings:
            continue
        lines.add(f"    {role}:", "      columns:")
        for column, encoding in encodings.items():
            why = roles.reasons.get(column, "the same in all rows of a series")
            lines.add(f"        {as_key(column)}: {as_spec(encoding)}", why=why)
            remark_markers(lines, 8, table, column)
        lines.add(f"      {key}")


def _network(plan: SeriesPlan) -> list[str]:
    roles = plan.roles
    if not roles.known and not roles.static:
        return ["model:", "  - GRU: {units: 32, over: time}", f"  - Dense: {{units: {plan.horizon}, as: step}}"]
    beside = ["coming"] if roles.known else []
    beside += ["static"] if roles.static else []
    return [
        "model:",
        "  - GRU: {units: 32, over: time, from: past, name: seen}",
        *(["  - Flatten: {from: known, name: coming}"] if roles.known else []),
        f"  - Concatenate: {{from: [{', '.join(['seen', *beside])}]}}",
        "  - Dense: {units: 32, activation: relu}",
        f"  - Dense: {{units: {plan.horizon}, as: step}}",
    ]
