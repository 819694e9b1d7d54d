"""Matches the axes of the data with the axes of the model.

Decided once, from names and sizes alone, so that `nnspec check` and the loader cannot disagree. Data meet the model as
`(sample, *data axes)`; a `Layout` says how those are transposed and where unit axes come and go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.data.section.plan import AxisList, DataPlan, Slot, SlotPlan
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.lazy import dataclass

Size = int | str | None

# fmt: off
FEATURE_NAMES = frozenset(
    {
        "feature", "features", "channel", "channels", "column", "columns", "cepstrum", "cepstra", "coefficient",
        "coefficients", "mfcc", "mel", "bin", "variable", "sensor", "electrode", "unit", "output", "target",
        "filter", "embedding",
    }
)
SEQUENCE_NAMES = frozenset(
    {
        "time", "times", "step", "steps", "frame", "frames", "lag", "lags", "hour", "hours", "day", "days", "week",
        "weeks", "month", "months", "year", "years", "minute", "minutes", "second", "seconds", "position",
        "sequence", "token", "tokens", "lookback", "horizon", "timestep", "t",
    }
)
# fmt: on


class FitError(ValueError):
    """The data's axes are not the model's; the message completes `input … does not fit …: `.

    Args:
        remedy: what to do, where that is known.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Layout:
    """From the data's axes (batch left out) to the model's.

    Attributes:
        order: for each axis that carries data, in the model's order, its position among the data's axes; data axes
            that are not here have size 1.
        names: the model's axis that each of `order` becomes.
        axes: all of the model's axes; those not in `names` have size 1.
    """

    order: tuple[int, ...]
    names: tuple[str, ...]
    axes: tuple[str, ...]

    def position(self, data_axis: int) -> int | None:
        """Where a data axis ends up among the model's axes; None where it is a unit that goes away."""
        if data_axis not in self.order:
            return None
        return self.axes.index(self.names[self.order.index(data_axis)])

    def shape(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The model-side shape of data of these sizes."""
        found = dict(zip(self.names, (sizes[i] for i in self.order), strict=True))
        return tuple(found.get(name, 1) for name in self.axes)


def fit(
    wanted: AxisList, names: tuple[str, ...] | None, sizes: tuple[Size, ...], constraints: tuple[str, ...] = ()
) -> Layout:
    """Matches data axes to the model's by name where they are named, else by order.

    Axes of size 1 carry no data, so they need no partner where the numbers of axes differ. A single axis needs no
    name to be matched.

    Args:
        constraints: what must hold of the model's open sizes.

    Raises:
        FitError: where names or sizes do not agree.
    """
    ours = [(i, None if names is None else names[i], size) for i, size in enumerate(sizes)]
    theirs = list(wanted)
    if len(ours) != len(theirs) or (names is not None and set(names) != {name for name, _ in wanted}):
        ours = [axis for axis in ours if axis[2] != 1]
        theirs = [axis for axis in theirs if axis[1] != 1]
    if len(ours) != len(theirs):
        raise FitError(f"the data has axes {show(names, sizes)}, but the model has {show_axes(wanted)}")
    if names is not None and len(ours) > 1:
        by_name = {axis[1]: axis for axis in ours}
        unknown = sorted(str(name) for name in by_name if name not in {name for name, _ in theirs})
        if unknown:
            called = ", ".join(f"`{name}`" for name in unknown)
            raise FitError(f"the model does not have the data's {called}: it has {show_axes(wanted)}")
        ours = [by_name[name] for name, _ in theirs]
    for (_, _, size), (name, expected) in zip(ours, theirs, strict=True):
        if isinstance(size, int) and isinstance(expected, int) and size != expected:
            raise FitError(f"axis `{name}` has size {expected} in the model, but the data has {size}")
    if constraints:
        _check_lengths(
            {name: (size, open_) for (_, _, size), (name, open_) in zip(ours, theirs, strict=True)}, constraints
        )
    return Layout(tuple(a[0] for a in ours), tuple(name for name, _ in theirs), tuple(name for name, _ in wanted))


def _check_lengths(axes: Mapping[str, tuple[Size, Size]], constraints: tuple[str, ...]) -> None:
    """Compares the data's sizes of axes that the model leaves open with what must hold of these."""
    from nnspec.ir.symbols import broken_rule  # few networks have axes of open size

    named = {symbol: name for name, (_, symbol) in axes.items() if isinstance(symbol, str)}
    lengths = {symbol: size for size, symbol in axes.values() if isinstance(symbol, str) and isinstance(size, int)}
    broken = broken_rule(constraints, lengths)
    if broken is not None:
        symbol, wanted = broken
        raise FitError(
            f"the size of axis `{named[symbol]}` must be {wanted} in this network, but the data has {lengths[symbol]}",
            f"pad or cut the data along `{named[symbol]}`",
        )


def show_axes(axes: AxisList) -> str:
    """Axes as messages write them: `(time 10, feature 5)`."""
    return "(" + ", ".join(f"{name} {'?' if size is None else size}".strip() for name, size in axes) + ")"


def show(names: tuple[str, ...] | None, sizes: tuple[Size, ...]) -> str:
    return show_axes(tuple((names[i] if names else "", size) for i, size in enumerate(sizes)))


@dataclass(frozen=True, slots=True)
class FileAxes:
    """How an array lies in its file: `sample` is the position of the sample axis (None: sequences laid end to end),
    `names` those of the others, in file order."""

    sample: int | None
    names: tuple[str, ...] | None


def file_axes(slot: SlotPlan, rank: int, *, is_end_to_end: bool | None = None) -> FileAxes:
    """Reads a slot's `axes` against the rank of its data as they lie in the file (a table has rows and columns).

    Args:
        is_end_to_end: whether samples lie one behind the other along the sequence axis; default: where there are
            `lengths`, each of which stands for an axis of what they become.

    Raises:
        FitError: where the number of names is not the number of axes.
    """
    if is_end_to_end is None:
        is_end_to_end = bool(slot.lengths)
    rank += len(slot.lengths) - 1 if is_end_to_end and slot.lengths else 0  # sequences of sequences get an axis each
    if slot.axes is None:
        return FileAxes(None if is_end_to_end else 0, None)
    names = slot.axes
    if not is_end_to_end and "sample" not in names:
        names = ("sample", *names)
    if len(names) != rank:
        listed = ", ".join(names)
        has_no_samples = "sample" not in slot.axes and len(slot.axes) == rank and not slot.columns
        together = (
            f"if samples follow one another along `{slot.axes[0]}`, name the array of their lengths: `lengths: …`"
        )
        message = f"`axes` names {len(names)} axes ({listed}), but the data has {rank}"
        raise FitError(message, together if has_no_samples and not is_end_to_end else "")
    if is_end_to_end:
        return FileAxes(None, names)
    return FileAxes(names.index("sample"), tuple(name for name in names if name != "sample"))


def padded_axes(wanted: AxisList, *, is_float: bool) -> tuple[str, ...]:
    """The axes that padding runs along, the outermost first: the sequence axis, or where several could be it, all but
    those of features: words are padded in sentences. Empty where there is none."""
    found = sequence_axis(wanted)
    if found is not None:
        return (found,)
    names = [name for name, _ in wanted if name.lower() not in FEATURE_NAMES]
    return tuple(names[:-1] if is_float and len(names) == len(wanted) > 1 else names)


def sequence_axis(wanted: AxisList) -> str | None:
    """The axis that padding runs along: the only one of open size, else the only one that is named like a sequence."""
    open_axes = [name for name, size in wanted if not isinstance(size, int)]
    found = open_axes if len(open_axes) == 1 else [name for name, _ in wanted if name.lower() in SEQUENCE_NAMES]
    return found[0] if len(found) == 1 else None


def step_axis(wanted: AxisList) -> str | None:
    """The axis that runs along a window where nothing says so: the one named like a sequence, else the one that is
    left when the others are named like features, else the first."""
    names = [name for name, _ in wanted]
    if not names:
        return None
    sequences = [name for name in names if name.lower() in SEQUENCE_NAMES]
    if len(sequences) == 1:
        return sequences[0]
    rest = [name for name in names if name.lower() not in FEATURE_NAMES]
    return rest[0] if len(rest) == 1 else names[0]


def window_names(wanted: AxisList, names: tuple[str, ...] | None, others: int) -> tuple[str, ...] | None:
    """The names of windowed data's axes, steps first, then the `others` of each row; None where there are too few
    axes for names to matter.

    Raises:
        FitError: where `names` leave no axis for the steps, or several.
    """
    if names is None:
        step = step_axis(wanted)
        found = tuple(name for name, _ in wanted if name != step)
        return (step, *found) if step is not None and len(found) == others and others > 0 else None
    left = [name for name, _ in wanted if name not in names]
    if len(left) != 1:
        listed = ", ".join(names)
        raise FitError(
            f"besides the data's axes ({listed}) the model needs one for the steps, but it has {show_axes(wanted)}"
        )
    return (left[0], *names)


def has_steps(plan: DataPlan, slot: SlotPlan) -> bool:
    """Whether the slot's data get a step axis from the window."""
    if plan.window is None or not slot.is_windowed:
        return False
    return slot.role == "inputs" or plan.window.has_steps


def slot_layout(
    plan: DataPlan, slot: SlotPlan, model: Slot, names: tuple[str, ...] | None, row: tuple[Size, ...]
) -> Layout:
    """The layout of a slot whose rows have the sizes `row`, windows included.

    Raises:
        FitError: as `fit`.
    """
    wanted = model.data_axes
    if not has_steps(plan, slot):
        return fit(wanted, names, row, model.constraints)
    assert plan.window is not None
    steps = len(plan.window.rows_of(slot) if slot.role == "inputs" else plan.window.horizon)
    named = window_names(wanted, names, len(row))
    return fit(wanted, named, (steps, *row), model.constraints)


def misfit_diagnostic(slot: SlotPlan, what: str, error: FitError, fixes: Sequence[Fix] = ()) -> Diagnostic:
    """NN506 for a slot: what the data are, what the model wants.

    Args:
        fixes: beside the error's own.
    """
    key = "axes" if slot.axes is not None else slot.data_key
    message = f"{slot.kind} `{slot.name}` does not fit {what}: {error}"
    known = (Fix(error.remedy),) if error.remedy else ()
    return Diagnostic("NN506", message, slot.span_of(key), path=slot.where(key), fixes=(*known, *fixes))
