"""Taps of a dilated kernel that only ever see padding: as a note of `show`, and as an error."""

from __future__ import annotations

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.size_limits import is_too_large
from nnspec.layers.kit.base import Call
from nnspec.layers.kit.explanations import with_count
from nnspec.layers.kit.sliding_windows import seeing_taps
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Taps:
    """The taps of a kernel along one axis, `dilation` positions apart."""

    axis: Axis
    count: int
    dilation: int
    padding: str
    stride: int

    @property
    def alive(self) -> range:
        """Those that ever see data, counted from 0."""
        return seeing_taps(ax.known_size(self.axis.size), self.count, self.dilation, self.padding, self.stride)

    @property
    def dead(self) -> int:
        return self.count - len(self.alive)

    def largest_dilation(self) -> int | None:
        """The largest below this one at which every tap sees data."""
        size = ax.known_size(self.axis.size)
        if size is None or self.count == 1:
            return None
        most = min(self.dilation - 1, 2 * size // (self.count - 1))
        return next((d for d in range(most, 0, -1) if self._all_see(size, d)), None)

    def _all_see(self, size: int, dilation: int) -> bool:
        return len(seeing_taps(size, self.count, dilation, self.padding, self.stride)) == self.count


def dead_tap_notes(taps: Taps) -> list[str]:
    """Which taps only ever see padding, for `show`."""
    alive, count = taps.alive, taps.dead
    if not count:
        return []
    dead = [i + 1 for i in range(taps.count) if i not in alive] if taps.count <= 1000 else []
    which = ", ".join(str(i) for i in dead) if dead else f"all but {alive.start + 1} to {alive.stop}"
    oldest = " (the oldest)" if taps.padding == "causal" else ""
    who = f"{which} of {taps.count}{oldest} only ever"
    who = f"taps {who} see" if count > 1 else f"tap {who} sees"
    return [
        f"{who} padding along `{taps.axis.name}`: it has {with_count(taps.axis.size, 'position')}, and taps are "
        f"{with_count(taps.dilation, 'position')} apart"
    ]


def warn_of_dead_taps(call: Call, taps: Taps) -> None:
    """No tap sees data, so that the layer makes a constant (NN320), or most do not, so that its kernel is wasted."""
    axis, dilation = taps.axis, taps.dilation
    if not taps.alive:
        call.warn(
            "NN320",
            f"all {taps.count} taps of `{call.kind}` only ever see padding along `{axis.name}`, "
            f"which has {axis.size} positions: the dilation is {dilation}",
            "dilation_rate",
            notes=["its output does not depend on its input"],
            fixes=[Fix(f"use a dilation below {axis.size}, or make `{axis.name}` longer")],
            about=[axis.name],
        )
    elif 2 * taps.dead > taps.count and not is_too_large(taps.count):  # a kernel that cannot be held is refused
        largest = taps.largest_dilation()
        fixes = [Fix(f"with a dilation of at most {largest}, all {taps.count} taps see data")] if largest else []
        if taps.padding == "causal":
            fixes.append(Fix(f"a `kernel_size` of {len(taps.alive)} computes the same with fewer weights"))
        call.warn(
            "NN329",
            f"{taps.dead} of the {taps.count} taps of `{call.kind}` only ever see padding along `{axis.name}`: "
            f"it has {axis.size} position{'s' if axis.size != 1 else ''}, and the taps are {dilation} apart",
            "dilation_rate",
            notes=["they multiply zeros, and training never changes them"],
            fixes=fixes,
            about=[axis.name],
        )
