"""Requirements of layers on their input axes, such as an ordered axis to step along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.diagnostics import Applicability, Edit, Fix, Reason
from nnspec.diagnostics.lists import quoted
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.merged_axes import names_grid, repeated_features, repeated_steps, sequence_within
from nnspec.layers.kit.edits import add_key

if TYPE_CHECKING:
    from nnspec.layers.kit.call import Call


def check_steps(
    call: Call,
    positions: Sequence[int],
    features: Sequence[int] | None = None,
    *,
    takes_any: bool = False,
    may_be_turned: bool = False,
    spans: Sequence[int] = (),
) -> None:
    """The contract of layers that slide or step: the axes at `positions` must be ones that have an order.

    What `over` said once of an axis lasts for all layers along it.

    Args:
        features: the axes that are read whole at each position; default all others.
        takes_any: the layer asks for no order, as attention and pooling over all positions do: only a sequence that
            stands among its features is spoken of, in a warning.
        may_be_turned: steps and features may have been exchanged on purpose just before, so that this is a warning too.
        spans: how many positions a window has along each of several axes; no order is asked for along one that it reads
            position by position, or whole: alone, or without padding, as a window of words reads all of their features.

    Raises:
        Fault: NN308, or NN309 where `over` names others. A warning where no axis has an order to lose.
    """
    here = [call.axes[i] for i in positions]
    if call.over is not None:
        _check_over(call, here, positions)
        _remember(call, here)
        return
    others = [axis for i, axis in enumerate(call.axes) if i not in positions and (not features or i in features)]
    hidden = [axis for axis in others if ax.is_sequence(axis)]  # a sequence axis where features are read
    unsaid = [axis for axis in here if not _identities(axis) & call.ordered_axes]
    if len(spans) > 1:
        slid = [axis for axis, span in zip(here, spans, strict=True) if span != 1]
        is_of_channels = not any(ax.names_places(axis.name) for axis in others)  # else the axes are in another order
        may_be_whole = len(slid) == 1 or (call.args["padding"] == "valid" and is_of_channels)
        unsaid = [
            axis for axis in unsaid if axis in slid and not (may_be_whole and spans[here.index(axis)] == axis.size)
        ]
    written = here[0].name if len(here) == 1 else f"[{', '.join(ax.names(here))}]"
    if not takes_any:
        _check_merged(call, unsaid, others, written)
    long = [
        axis for axis in here if axis.size != 1
    ]  # beside axes of 1, as of `[1, 40, 100]`, there is one to run along
    is_single = bool(hidden) and (len(here) == 1 or (len(long) == 1 and not takes_any))
    wrong = [
        axis
        for axis in unsaid
        if (ax.is_unordered(axis) and not takes_any) or (is_single and axis.size != 1 and not ax.is_sequence(axis))
    ]
    _remember(call, [axis for axis in here if axis not in unsaid])
    if not wrong:
        return
    is_loose = not takes_any and _has_nothing_to_lose(call)
    if is_loose and all(ax.is_named_freely(axis) for axis in wrong):
        return  # `as: hour` says what the units are
    candidates = hidden or [axis for axis in others if not ax.is_unordered(axis) and axis.size != 1]
    kept = [axis for axis in here if axis not in wrong]
    chosen = [*kept, *candidates[: len(wrong)]]
    wanted = [axis for axis in call.axes if axis in chosen]  # in their current order
    fixes = reorder_fixes(call, wanted, positions) if len(wanted) == len(here) else []
    first = wrong[0].name
    reason = (
        "which has no order"
        if ax.is_unordered(wrong[0]) and not takes_any
        else f"while `{hidden[0].name}` is one of its feature axes"
    )
    notes = [f"if this is intended, write `over: {written}`"]
    if not fixes:
        notes = []
        edits = () if call.stripped else add_key(call.item_body, "over", written)
        fixes = [Fix(f"if the positions of `{first}` do follow one another, write `over: {written}`", edits)]
    is_turned = may_be_turned and len(call.axes) == 2 and bool(hidden) and _is_turned(call)
    if is_turned:  # without the permute it would have read them in the usual order
        edits = () if call.stripped else add_key(call.item_body, "over", written)
        notes, fixes = [], [Fix(f"if this is intended, write `over: {written}`", edits), _without_permute(call)]
    say = call.warn if takes_any or is_loose or is_turned else call.fail
    say(
        "NN308",
        f"`{call.kind}` runs along `{first}`, {reason}",
        label=f"reads {ax.describe(call.axes)}",
        notes=notes,
        fixes=fixes,
        about=[first, *call.axes],
        reason=Reason.AXES_RUN_ALONG,
    )


def _check_merged(call: Call, here: Sequence[Axis], others: Sequence[Axis], written: str) -> None:
    """The contract for axes that were merged before: NN375 of one to step along, NN308 of a sequence among features.

    Args:
        written: what `over` would say.
    """
    for axis in here:
        if (found := repeated_steps(axis)) is not None:
            features, steps = (atom.label or atom.name for atom in found)
            held = f"which repeats all of `{steps}` for each of `{features}`"
            fix = f"put `{features}` after `{steps}` with a `permute` before they are merged"
        elif (found := repeated_features(axis)) is not None and not _strides_over(call, found[1].size):
            steps, features = (atom.label or atom.name for atom in found)
            held = f"in which each step of `{steps}` has all of `{features}`"
            fix = f"keep `{features}` as a separate axis: the layer reads all of it at each step"
        else:
            continue
        call.warn(
            "NN375",
            f"`{call.kind}` runs along `{axis.name}`, {held}",
            label=f"reads {ax.describe(call.axes)}",
            notes=[f"if this is intended, write `over: {written}`"],
            fixes=[Fix(fix)],
            about=[axis.name, features, steps],
        )
    buried = next((atom for axis in others if (atom := sequence_within(axis)) is not None), None)
    if buried is None or len(here) != 1 or not names_grid(here[0].name):
        return
    call.fail(
        "NN308",
        f"`{call.kind}` runs along `{here[0].name}`, while `{buried.name}` is merged into its features",
        label=f"reads {ax.describe(call.axes)}",
        notes=[f"if this is intended, write `over: {written}`"],
        fixes=[Fix(f"merge `{here[0].name}` instead, and move `{buried.name}` to the front with a `permute` before")],
        about=[here[0].name, buried.name, *call.axes],
        reason=Reason.AXES_RUN_ALONG,
    )


def _strides_over(call: Call, size: ax.Size) -> bool:
    """Whether a layer goes from step to step in strides of whole steps of that many features."""
    given = call.args.get("strides")
    strides = given if isinstance(given, list | tuple) else [given]
    return isinstance(size, int) and all(isinstance(stride, int) and stride % size == 0 for stride in strides)


def _has_nothing_to_lose(call: Call) -> bool:
    """Whether no axis has an order of its own: units and filters, but for those of a state, whose steps were meant."""
    axes = [axis for axis in call.axes if axis.size != 1]
    makers = [call.makers.get(atom.key.rpartition(".")[0]) for axis in axes for atom in axis.atoms]
    is_loose = all(axis.is_learned and not ax.is_sequence(axis) for axis in axes)
    return is_loose and not any(maker is not None and maker.layer.keeps_state for maker in makers)


def _is_turned(call: Call) -> bool:
    """Whether the spec exchanged the axes just before, as an LSTM-FCN does on purpose."""
    maker = call.makers.get(call.input.node)
    return maker is not None and maker.layer.reorders_axes


def _without_permute(call: Call) -> Fix:
    return Fix(f"if not, remove the `{call.makers[call.input.node].layer.kind}` before it")


def _check_over(call: Call, here: Sequence[Axis], positions: Sequence[int]) -> None:
    """`over` names the axes that the layer runs along.

    Raises:
        Fault: NN306, NN309.
    """
    assert call.over is not None
    if set(call.over) == set(ax.names(here)):
        return
    missing = [name for name in call.over if ax.index_of(call.axes, name) is None]
    if missing:
        call.axis_index(missing[0], "over")
    call.fail(
        "NN309",
        f"`over` states that `{call.kind}` runs over {quoted(call.over)}, but it runs over {quoted(ax.names(here))}",
        "over",
        notes=[f"its input is {ax.describe(call.axes)}"],
        fixes=reorder_fixes(call, [call.axes[call.axis_index(n, "over")] for n in dict.fromkeys(call.over)], positions)
        if len(set(call.over)) == len(positions)
        else [Fix(f"name {'the one axis' if len(here) == 1 else f'all {len(here)} axes'} that it runs over")],
        about=[*call.over, *ax.names(here)],
        reason=Reason.AXES_RUN_ALONG,
    )


def _identities(axis: Axis) -> set[str]:
    """What an axis is known by wherever it goes: the input axis that it follows, or else what made it."""
    return {axis.origin} if axis.origin is not None else {atom.key for atom in axis.atoms[:1]}


def _remember(call: Call, axes: Sequence[Axis]) -> None:
    """That these axes have an order, also after the layer slid along them."""
    for axis in axes:
        call.ordered_axes.update(_identities(axis), {ax.atom_key(call.name, axis.name)})


def require_sequence(call: Call) -> None:
    """The contract of layers that read a sequence: steps, and the features of each.

    Raises:
        Fault: NN310, with what was probably forgotten.
    """
    fixes = _sequence_fixes(call) if len(call.axes) == 1 else _features_of_steps(call)
    call.require_rank(2, what="steps and features", fixes=fixes)


def require_channel_axis(call: Call, rank: int, what: str) -> None:
    """The contract of layers that read channels at each place: `rank` axes, the one of channels among them.

    Raises:
        Fault: NN310; one axis too few is that of channels, which nobody wrote, or that of steps, which were left out.
    """
    fixes: list[Fix] = []
    if len(call.axes) == rank - 1:
        fixes = _all_steps(call) or [_one_channel(call)]
    call.require_rank(rank, what=what, fixes=fixes)


def _one_channel(call: Call) -> Fix:
    """A channel axis at the end: nothing else can be meant where all axes are steps, places or frequencies."""
    are_places = all(ax.names_places(axis.name) or names_grid(axis.name) for axis in call.axes)
    is_last = call.args.get("data_format") != "channels_first"
    is_certain = are_places and is_last and not any(map(ax.is_unordered, call.axes))
    sure = Applicability.MACHINE if is_certain else Applicability.MAYBE
    return call.insert_before("add a channel axis", ["insert: {channel: 1}"], sure)


def _all_steps(call: Call) -> list[Fix]:
    """A recurrent layer before it that returns its last output alone may return all of them."""
    maker = call.makers.get(call.input.node)
    argument = "" if maker is None or call.stripped else maker.layer.every_step_argument
    if maker is None or not argument:
        return []
    edits = () if maker.kind_span.trail else add_key(maker.body, argument, "true")
    return [Fix(f"make `{call.input.node}` return all its steps: `{argument}: true`", edits)]


def _features_of_steps(call: Call) -> list[Fix]:
    """More axes than one of each step are read as one, or the layer goes over the first of them."""
    first, *rest = ax.names(call.axes)
    if len(rest) < 2:
        return []
    name = next(name for name in ("features", "all_features") if name not in rest)
    return [
        call.insert_before(
            f"to read {quoted(rest)} as the features of each step, merge them",
            [f"merge: {{{name}: [{', '.join(rest)}]}}"],
        ),
        Fix(f"for a sequence along `{rest[0]}` at each position of `{first}`, wrap it: `TimeDistributed`"),
    ]


def _sequence_fixes(call: Call) -> list[Fix]:
    """Where the second axis of a sequence may be found."""
    (axis,) = call.axes
    if found := _all_steps(call):
        return found
    if axis.is_learned:
        return [
            Fix(
                f"`{axis.name}` has no steps: add a `RepeatVector` before it to repeat the vector at each "
                "step, or use a `Dense`"
            )
        ]
    if ax.is_unordered(axis):
        return [
            Fix(
                "if samples follow each other in time, use windows: `data: {window: {lookback: 10}}`, and declare "
                f"`axes: {{time: 10, {axis.name}: {axis.size}}}`"
            ),
            Fix(f"if they do not, there is no sequence: `Dense` reads all of `{axis.name}` at once"),
        ]
    insert = call.insert_before(
        (f"if each step of `{axis.name}` is one number, add a feature axis"), ["insert: {feature: 1}"]
    )
    return [insert]


def check_channels(call: Call, place: int, arg: str = "axis") -> None:
    """The contract of layers with statistics for each channel: not along steps or places while there are channels.

    A warning, NN325; an axis that is named is meant.
    """
    axis = call.axes[place]
    channels = [other for other in call.axes if other is not axis and ax.is_unordered(other) and other.size != 1]
    is_ordered = ax.is_sequence(axis) or ax.names_places(axis.name)
    is_of_data = not axis.is_learned and any(other.is_learned for other in channels)
    if isinstance(call.args[arg], str) or not (is_ordered or is_of_data) or not channels:
        return
    meant, node = channels[-1].name, call.node(arg)
    call.warn(
        "NN325",
        f"`{call.kind}` keeps separate statistics per position of `{axis.name}`, but its input also has `{meant}`",
        arg,
        label=f"reads {ax.describe(call.axes)}",
        notes=[f"if this is intended, write `{arg}: {axis.name}`"],
        fixes=[Fix(f"use `{meant}`: `{arg}: {meant}`", (Edit(node.span, meant),) if node is not None else ())],
        about=[axis.name, meant, *call.axes],
    )


def check_pooled(call: Call, places: Sequence[int], channel: int) -> None:
    """The contract of pooling over several axes: not channels together with some places, while one place is kept.

    A warning, NN308.
    """
    pooled, kept = [call.axes[i] for i in places], call.axes[channel]
    wrong = next((axis for axis in pooled if ax.is_unordered(axis) and axis.size != 1), None)
    is_place = ax.names_places(kept.name) and not ax.is_unordered(kept) and kept.size != 1
    if len(places) < 2 or call.over is not None or wrong is None or not is_place:
        return
    wanted = [axis for axis in call.axes if axis is not wrong]
    call.warn(
        "NN308",
        f"`{call.kind}` pools `{wrong.name}`, and keeps each position of `{kept.name}`",
        label=f"reads {ax.describe(call.axes)}",
        notes=[f"if this is intended, write `over: [{', '.join(ax.names(pooled))}]`"],
        fixes=reorder_fixes(call, wanted, places),
        about=[wrong.name, *call.axes],
        reason=Reason.AXES_RUN_ALONG,
    )


def reorder_fixes(call: Call, wanted: Sequence[Axis], positions: Sequence[int]) -> list[Fix]:
    """A permute in front that brings `wanted` to `positions`, the other axes keeping their order."""
    rest = iter(axis for axis in call.axes if axis not in wanted)
    places = dict(zip(positions, wanted, strict=True))
    order = [places[i].name if i in places else next(rest).name for i in range(len(call.axes))]
    said = ", ".join((*call.stripped, *order))
    return [call.insert_before(f"permute first: [{said}]", [call.permute_item(order)])]
