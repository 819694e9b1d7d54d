"""The inputs of attention (queries, values and keys), the axes it runs over, and its receptive field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis
from nnspec.ir.graph import Value, Window
from nnspec.ir.receptive_field import WHOLE, origins
from nnspec.layers.kit import contracts
from nnspec.layers.kit.call import Call
from nnspec.layers.merging.joining import common_size
from nnspec.lazy import dataclass


@dataclass(frozen=True)
class Roles:
    """The inputs by what they are for; the same value may be several. `mask` is an attention mask that is read."""

    query: Value
    value: Value
    key: Value
    mask: Value | None = None

    def named(self) -> list[tuple[str, Value]]:
        return [("query", self.query), ("value", self.value), ("key", self.key)]


def roles_of(call: Call) -> Roles:
    """One input is query, value and key; two are query and value, which is the key too; three are all of them."""
    values = list(call.inputs)
    mask = values.pop() if "attention_mask" in call.given else None
    query = values[0]
    value = values[1] if len(values) > 1 else query
    return Roles(query, value, values[2] if len(values) > 2 else value, mask)


def check_steps(call: Call, roles: Roles, places: Sequence[int]) -> None:
    """Positions may be of any axis, a sequence or a set; NN308 warns of a sequence that stands among the features.

    Raises:
        Fault: NN309.
    """
    features = (len(call.axes) - 1,)
    contracts.check_steps(call, places, features, takes_any=True)
    if call.over is not None or roles.value is roles.query or len(places) != 1:
        return
    for role, value in roles.named()[1:]:
        attended, last = value.axes[places[0]], value.axes[-1]
        if ax.is_sequence(last) and not ax.is_sequence(attended):
            call.warn(
                "NN308",
                f"`{call.kind}` attends to the positions of `{attended.name}`, but `{last.name}` is one of the "
                "features",
                "from",
                label=f"its {role} is `{value.node}`, {ax.describe(value.axes)}",
                notes=[f"if this is intended, write `over: {call.axes[places[0]].name}`"],
                about=[attended.name, last.name, value.node, *value.axes],
            )


def check_fit(call: Call, roles: Roles, places: Sequence[int]) -> None:
    """Apart from the axes that are attended and the features, all inputs have the same axes; values and keys in all.

    Raises:
        Fault: NN342.
    """
    for role, value in roles.named()[1:]:
        if len(value.axes) != len(call.axes):
            _refuse(call, roles, f"its {role} has {len(value.axes)} axes, its query {len(call.axes)}", value)
        for i, (mine, theirs) in enumerate(zip(call.axes[:-1], value.axes[:-1], strict=True)):
            if i not in places and not _same(call, mine, theirs):
                _refuse(call, roles, f"its query has `{mine}` where its {role} has `{theirs}`", value)
    for i in places:
        if not _same(call, roles.value.axes[i], roles.key.axes[i]):
            what = f"its value has `{roles.value.axes[i]}` where its key has `{roles.key.axes[i]}`"
            _refuse(call, roles, what, roles.key)


def _same(call: Call, mine: Axis, theirs: Axis) -> bool:
    if mine.name != theirs.name and not mine.is_learned and not theirs.is_learned:
        return False
    return common_size(call, mine.size, theirs.size) is not None


def _refuse(call: Call, roles: Roles, difference: str, value: Value) -> NoReturn:
    call.fail(
        "NN342",
        f"`{call.kind}` cannot attend: {difference}",
        "from",
        notes=[
            f"query `{roles.query.node}` has {ax.describe(call.axes)}, `{value.node}` has {ax.describe(value.axes)}",
            "queries, values and keys may differ in the attended axes and the last axis; values and keys only in the "
            "last axis",
        ],
    )


def check_features(call: Call, left: Axis, right: Axis, what: str) -> None:
    """Two feature axes must be as long as each other.

    Raises:
        Fault: NN342.
    """
    if common_size(call, left.size, right.size) is None:
        call.fail(
            "NN342",
            f"`{call.kind}` {what}, but they have {left.size} and {right.size} features "
            f"(`{left.name}` and `{right.name}`)",
            "from",
            fixes=[Fix("project them to the same size first, such as with `Dense`")],
            about=[left.name, right.name],
        )


def attended_steps(roles: Roles, places: Sequence[int], taken: Axes) -> Axes:
    """The value's steps as axes beside the query's: where a name is taken, `attended_NAME`."""
    names = set(ax.names(taken))
    steps = [roles.value.axes[i] for i in places]
    return tuple(axis.renamed(f"attended_{axis.name}") if axis.name in names else axis for axis in steps)


def windows_of(roles: Roles, places: Sequence[int], *, is_causal: bool, band: int | None) -> dict[int, Window]:
    """How far an output position sees along the axes of its query.

    Where the value's steps are other ones than the query's, nothing follows them any more, which makes them read whole.

    Args:
        band: how many positions it sees at each side, itself counted (Keras' `sliding_window`); None: all.
    """
    result = {len(roles.query.axes) - 1: WHOLE}
    for place in places:
        mine, theirs = roles.query.axes[place], [value.axes[place] for value in (roles.value, roles.key)]
        is_aligned = all(axis.atoms == mine.atoms or axis.origin == mine.origin for axis in theirs)
        is_aligned = is_aligned and all(axis.size == mine.size for axis in theirs)
        if is_aligned and (is_causal or band):
            result[place] = _banded(is_causal, band)
        elif any(set(origins(axis)) & set(origins(mine)) for axis in theirs):
            result[place] = WHOLE
    return result


def _banded(is_causal: bool, band: int | None) -> Window:
    if band is None:
        return Window(None, ahead=0)
    return Window(band, ahead=0) if is_causal else Window(2 * band - 1, ahead=band - 1)
