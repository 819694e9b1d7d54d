"""The spec that is proposed for a table: an encoding for each column, and a small network for the target's task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnspec.data.overview.likely_markers import advise, advise_words
from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError, did_you_mean
from nnspec.propose.profile import MOST_CLASSES, Form, Profile
from nnspec.propose.queries import sort_by_query, write_query
from nnspec.propose.spec_text import Lines, as_key, as_spec, identifier, unused
from nnspec.propose.table_file import TableFile

LEAST_ROWS = 7  # of which each split of 0.7, 0.15 and 0.15 has one
MOST_REASONS = 12  # columns of which a refusal says why they are left out
_HIDDEN = 64
_ROWS_OF_A_LARGE_TABLE = 20_000


@dataclass(kw_only=True)
class TablePlan:
    """What is proposed for a table.

    Attributes:
        task: binary, classification or regression.
        encodings: of each column that is used, as the spec writes it.
        fills: how a column's missing values are filled.
        left_out: the columns that are not used, each with the reason.
        time: the column that rows are sorted by, if they are split in time.
        unsorted: a column of dates that rows could be sorted by if it were ISO 8601.
    """

    target: Profile
    task: str
    encodings: dict[str, object] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    time: str | None = None
    unsorted: str | None = None


def plan_table(table: TableFile, target: str) -> TablePlan:
    """Encodings and the task for a target.

    Raises:
        SpecError: NN599 where there is no such column, or nothing to learn from it or for it.
    """
    path, profiles = table.path, table.profiles
    if target not in profiles:
        raise _refuse(path, f"`{path.name}` has no column `{target}`{did_you_mean(target, profiles)}", profiles)
    goal = profiles[target]
    if goal.form is Form.CONSTANT:
        what = "the same value in every row" if goal.values else "no value in any row"
        raise _refuse(path, f"column `{target}` has {what}: there is nothing to predict", profiles, target)
    if goal.rows < LEAST_ROWS:
        message = f"`{path.name}` has {goal.rows} rows: too few to train on some and validate and test on others"
        raise _refuse(path, message, {}, target)
    plan = TablePlan(target=goal, task=_task(path, goal, profiles))
    for name, profile in profiles.items():
        if name == target:
            continue
        if profile.stray:
            plan.left_out[name] = profile.stray
        elif profile.form is Form.IDENTIFIER:
            plan.left_out[name] = f"{profile.distinct} different values in {profile.values} rows: it identifies rows"
        elif profile.form is Form.TEXT:
            plan.left_out[name] = "text needs a separate input with a TextVectorization and an Embedding"
        elif name == "*" and profile.missing:
            plan.left_out[name] = "it has missing values, but `*` under `missing` means all other columns"
        elif profile.form is Form.DATE:
            written = {"format": profile.date_formats[0]} if profile.date_formats else {}
            parts = {"parts": list(profile.parts), **written}
            plan.encodings[name] = {"date": {**parts, "cyclic": True, "scale": "standard"}}
            if profile.missing:
                plan.fills[name] = "median"
        elif profile.form is Form.LISTS:
            plan.encodings[name] = {"multi_hot": {"separator": profile.separator}}
            if profile.missing:
                plan.fills[name] = "category"
        elif profile.form is Form.CONSTANT:
            plan.left_out[name] = "the same value in every row" if profile.values else "no values"
        else:
            plan.encodings[name] = encoding_of(profile)
            if profile.missing:
                plan.fills[name] = "median" if profile.form is Form.NUMBER else "most_frequent"
    if goal.missing:
        plan.fills[target] = "drop"
    dates = [p.name for p in profiles.values() if p.form is Form.DATE and not p.missing and p.distinct > p.rows // 2]
    plan.time = dates[0] if len(dates) == 1 and not profiles[dates[0]].date_formats else None
    plan.unsorted = dates[0] if len(dates) == 1 and profiles[dates[0]].date_formats else None
    if not plan.encodings:
        message = f"`{path.name}` has no column besides `{target}` that a network could learn from"
        reasons = [f"`{name}`: {reason}" for name, reason in plan.left_out.items()]
        raise _refuse(path, message, profiles, target, reasons[:MOST_REASONS])
    return plan


def _task(path: Path, goal: Profile, profiles: Mapping[str, Profile]) -> str:
    if goal.distinct == 2:
        return "binary"
    if goal.is_number and (not goal.is_whole or goal.distinct > MOST_CLASSES):
        return "regression"
    if goal.distinct <= MOST_CLASSES or (goal.form is Form.CATEGORY and not goal.is_number):
        return "classification"
    found = f"{goal.form.value} ({goal.distinct} different ones): it is not a class or a number"
    message = f"of column `{goal.name}` {goal.stray}" if goal.stray else f"column `{goal.name}` has {found}"
    raise _refuse(path, message, profiles, goal.name)


def encoding_of(profile: Profile) -> object:
    """How numbers or categories are encoded."""
    if profile.form is Form.CATEGORY:
        return "one_hot"
    return {"transform": "log1p", "scale": "standard"} if profile.is_skewed else "standard"


def _refuse(
    path: Path, message: str, profiles: Mapping[str, Profile], target: str = "", notes: Sequence[str] = ()
) -> SpecError:
    """NN599, and which of the profiles could be predicted instead."""
    usable = [p.name for p in profiles.values() if p.form in (Form.NUMBER, Form.CATEGORY) and p.name != target]
    fix = Fix(f"choose another target: {', '.join(f'`{name}`' for name in usable[:12])}") if usable else None
    place = Span(Source(str(path), ""))
    return SpecError([Diagnostic("NN599", message, place, path="", notes=tuple(notes), fixes=(fix,) if fix else ())])


def write_table_spec(name: str, table: TableFile, plan: TablePlan) -> str:
    """The commented spec.

    Args:
        name: of the spec.
    """
    shown, profiles = table.shown, table.profiles
    goal, rows = plan.target, plan.target.rows
    output = unused(identifier(goal.name), plan.encodings)
    row = unused("row", {output, *plan.encodings})
    lines = Lines()
    lines.comment(
        f"{shown}: {rows} rows × {len(profiles)} columns. Predicts `{goal.name}` ({plan.task}): {describe(goal)}.",
        "This spec was proposed from the data: change whatever you know better.",
        "",
        f"nnspec check {name}.yaml                      errors, before anything is trained",
        f"nnspec build {name}.yaml                      train, evaluate beside a baseline, export, verify",
        f"nnspec predict out/{name}/model.onnx NEW{table.path.suffix}   takes rows as they are in {shown}",
    )
    lines.add("nnspec: 1", f"name: {name}")
    lines.add(f"description: {as_spec(f'{goal.name} from the other columns of {shown}.')}", "", "data:")
    lines.add(f"  source: {table.written}")
    if plan.time is not None:
        lines.add(f"  order_by: {as_spec(plan.time)}", why="earlier rows are for training, later ones for the test")
    if plan.unsorted is not None:
        date = profiles[plan.unsorted]
        lines.remark(
            2, "rows are drawn into the splits at random; to train on earlier ones and test on later ones, write"
        )
        write_query(lines, sort_by_query(date), is_comment=True)
        lines.remark(2, f"order_by: {as_spec(date.name)}")
        lines.remark(2, "and remove the `format` below, since the query makes ISO 8601 of it")
    if plan.fills:
        lines.add(f"  missing: {as_spec(dict(plan.fills))}", why=_count_missing(plan, profiles))
    lines.add("  split: {train: 0.7, validation: 0.15, test: 0.15}", "  inputs:", f"    {row}:", "      columns:")
    for column, encoding in plan.encodings.items():
        lines.add(f"        {as_key(column)}: {as_spec(encoding)}", why=describe(profiles[column], has_words=True))
        remark_dates(lines, 8, profiles[column])
        remark_markers(lines, 8, table, column)
    for column, reason in plan.left_out.items():
        lines.remark(8, f"{column} is left out: {reason}")
    lines.add("  outputs:", f"    {output}: {_target_data(goal, plan.task)}")
    remark_markers(lines, 4, table, goal.name, goal.name)
    lines.add("")
    lines.add("inputs:", f"  {row}: {{axes: {{feature: auto}}}}", why="as many as the encoded columns have")
    lines.add("", "model:", *_network(rows), f"  - Dense: {_head(plan.task)}", "")
    lines.add("outputs:", f"  {output}: {{task: {plan.task}}}", "", *training(plan.task, rows))
    return lines.text()


def remark_markers(lines: Lines, indent: int, table: TableFile, column: str, target: str = "") -> None:
    """Comments on numbers and words of a column that may mark missing values."""
    profile = table.profiles[column]
    for marker in profile.markers:
        lines.remark(indent, advise(table.source.options, column, marker, "rows"))
    if profile.marks:
        noun = "class" if column == target else "category"
        lines.remark(indent, advise_words(table.source.options, column, dict(profile.marks), "rows", noun))


def remark_dates(lines: Lines, indent: int, profile: Profile) -> None:
    """A comment on dates of which it cannot be told whether the day or the month is first."""
    if len(profile.date_formats) > 1:
        taken, other = profile.date_formats
        first, second = ("day", "month") if taken.startswith("%d") else ("month", "day")
        told = f"no value of `{profile.name}` tells days from months; the {first} is taken to be first"
        lines.remark(indent, f"{told}: if the {second} is, write `format: {as_spec(other)}`")


def _count_missing(plan: TablePlan, profiles: Mapping[str, Profile]) -> str:
    return "rows without a value: " + ", ".join(f"{name} {profiles[name].missing}" for name in plan.fills)


def _target_data(goal: Profile, task: str) -> str:
    if task != "regression":
        return f"{{columns: [{as_spec(goal.name)}]}}"
    if goal.is_skewed:
        return f"{{columns: {{{as_key(goal.name)}: {{transform: log1p, scale: standard}}}}}}"
    return f"{{columns: [{as_spec(goal.name)}], scale: standard}}"


def _network(rows: int) -> Sequence[str]:
    return (
        f"  - Dense: {{units: {_HIDDEN}, activation: relu}}",
        f"  - Dropout: {0.1 if rows > _ROWS_OF_A_LARGE_TABLE else 0.3}",
        f"  - Dense: {{units: {_HIDDEN // 2}, activation: relu}}",
    )


def _head(task: str) -> str:
    if task == "binary":
        return "{units: 1, activation: sigmoid, as: target}"
    if task == "classification":
        return "{units: auto, activation: softmax, as: class}"
    return "{units: 1, as: target}"


def training(task: str, rows: int) -> Sequence[str]:
    """The `training` section: early stopping on the validation loss, batches that give some hundred steps."""
    size = 32 if rows < 2_000 else 64 if rows < _ROWS_OF_A_LARGE_TABLE else 256
    epochs = 100 if rows < _ROWS_OF_A_LARGE_TABLE else 30
    return (
        "training:",
        "  optimizer: {Adam: {learning_rate: 0.001}}",
        f"  epochs: {epochs}",
        f"  batch_size: {size}",
        "  callbacks: [{EarlyStopping: {patience: 10}}]",
    )


def describe(profile: Profile, *, has_words: bool = False) -> str:
    """A column in some words: the range of its numbers, or its most frequent values.

    Args:
        has_words: whether the words of cells that have several are told, rather than the cells.
    """
    if has_words and profile.words:
        shown = [f"{word} {count / max(1, profile.values):.0%}" for word, count in profile.words[:4]]
        more = len(profile.words) - len(shown)
        return f"{len(profile.words)} words; of the rows " + ", ".join(shown) + (f", {more} more" if more else "")
    if profile.form is Form.NUMBER or (profile.is_number and profile.distinct > MOST_CLASSES):
        return f"{profile.lowest:g} to {profile.highest:g}, median {profile.middle:g}"
    if profile.form is Form.DATE:
        return f"dates, {profile.distinct} different ones"
    shown = [f"{value} {count / max(1, profile.values):.0%}" for value, count in profile.common[:4]]
    more = profile.distinct - len(shown)
    return ", ".join(shown) + (f", {more} more" if more else "")
