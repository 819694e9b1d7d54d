"""Queries that make rows of a table sortable by time, and that add rows which are missing in time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nnspec.propose.profile import Profile
from nnspec.propose.spec_text import Lines, as_spec, unused

_DAY, _MOMENT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"


def quote_name(name: str) -> str:
    """The name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def sort_by_query(profile: Profile) -> list[str]:
    """The lines of a query that makes ISO 8601 of dates of a format, by which rows can then be sorted."""
    name, form = quote_name(profile.name), profile.date_formats[0]
    iso = _MOMENT if "%H" in form or "%I" in form else _DAY
    return [f"SELECT * REPLACE (strftime(strptime({name}, '{form}'), '{iso}') AS {name})", "FROM source"]


def fill_query(
    time: Profile, by: Sequence[str], kept: Sequence[str], step: str, *, has_hours: bool, taken: Collection[str]
) -> list[str]:
    """The lines of a query that adds the rows that are missing between the first and the last of each series.

    Args:
        by: the columns that tell series apart.
        kept: the columns that are the same in all rows of a series, which the added rows have as well.
        step: from row to row: an interval of SQL, such as `1 DAY`; of numbers, the number.
        has_hours: whether times are more than days.
        taken: the names of all columns.
    """
    name, moment = quote_name(time.name), unused("moment", taken)
    if step.isdigit():
        read, made, interval = f"{name}::BIGINT", moment, step
    else:
        read = f"strptime({name}, '{time.date_formats[0]}')" if time.date_formats else f"{name}::TIMESTAMP"
        made, interval = f"strftime(whole.{moment}, '{_MOMENT if has_hours else _DAY}')", f"INTERVAL {step}"
    names = [quote_name(column) for column in (*by, *kept)]
    grouped = f" GROUP BY {', '.join(names)}" if names else ""
    all_times = ", ".join([*names, f"unnest(generate_series(min({read}), max({read}), {interval})) AS {moment}"])
    shown = ", ".join([*(f"whole.{column}" for column in names), f"{made} AS {name}"])
    same = " AND ".join(f"whole.{column} = own.{column}" for column in (*names[: len(by)], moment))
    return [
        f"SELECT {shown}, own.* EXCLUDE ({', '.join([*names, name, moment])})",
        f"FROM (SELECT {all_times} FROM source{grouped}) whole",
        f"LEFT JOIN (SELECT *, {read} AS {moment} FROM source) own ON {same}",
        f"ORDER BY {', '.join([*(f'whole.{column}' for column in names[: len(by)]), f'whole.{moment}'])}",
    ]


def write_query(lines: Lines, query: Sequence[str], *, is_comment: bool = False) -> None:
    """Writes `query:` of the section `data`, as a block where every character can stand in one."""
    if not all(line.isprintable() for line in query):
        block = [f"query: {as_spec(' '.join(query))}"]
    else:
        block = ["query: |", *("  " + line.replace("$", "$$") for line in query)]
    for line in block:
        if is_comment:
            lines.remark(2, line)
        else:
            lines.add(f"  {line}")
