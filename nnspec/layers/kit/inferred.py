"""What `Layer.infer` returns: the axes, weights and masks of one use of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, field

from nnspec.ir.axes import Axes
from nnspec.ir.graph import Args, Node, Weight, Window
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a layer makes of its inputs.

    Attributes:
        outputs: the axes of each output.
        dtypes: of each output; default that of the first input.
        ports: names of the outputs where there are several.
        weights: in Keras' order.
        formula: how the parameters are counted, with numbers (`4·(4·(1 + 4) + 4)`).
        windows: for positions of the first input's axes that the layer slides along or reads whole; the others are
            read position by position. Axes that no output follows any more count as read whole.
        mask: the axis along which the first output carries a mask, or None.
        masks: the same for every output, where others than the first carry one.
        outer: of each output's mask, the axes before it for each of whose positions it is another; default those of the
            first masked input, where the layer passes its mask on.
        is_zero_at_padding: whether the outputs are 0 wherever they are masked.
        keras: arguments as Keras takes them, where they differ from the spec's (axis names).
        notes: for `show`.
        end_to_end: the position of the axis along which inputs stand one behind the other, so that nothing need be
            aligned there.
        inner: the wrapped layer.
        backward: the layer of a Bidirectional that runs backwards, where the spec gives one.
        cells: the cells of a stack.
        is_constant: whether the outputs are the same whatever the inputs hold.
    """

    outputs: tuple[Axes, ...]
    dtypes: tuple[str, ...] = ()
    _: KW_ONLY
    ports: tuple[str, ...] = ("output",)
    weights: tuple[Weight, ...] = ()
    formula: str = ""
    windows: Mapping[int, Window] = field(default_factory=dict)
    mask: str | None = None
    masks: tuple[str | None, ...] = ()
    outer: tuple[tuple[str, ...], ...] = ()
    is_zero_at_padding: bool = False
    keras: Args = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    inner: Node | None = None
    backward: Node | None = None
    cells: tuple[Node, ...] = ()
    end_to_end: int | None = None
    is_constant: bool = False
