"""How a layer uses the axes, masks and values that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from nnspec.ir.graph import Args, Node
from nnspec.ir.probabilities import COMBINATIONS


class Reading:
    """What a kind does with the axes, masks and values that it reads.

    Attributes:
        steps: whether it slides or steps along axes; `over` is accepted where this is set.
        runs_both_ways: whether it runs along its first axis forwards and backwards, and gives both at each step.
        keeps_state: whether it hands a state from step to step.
        every_step_argument: the argument that makes it give what it has at every step, rather than at the last alone.
        uses_mask: whether it leaves out what a mask marks as padding.
        without_mask: what to do where it drops a mask, in sentences, if there is something better than other layers.
        for_silence: what to do, in sentences, where it makes of padding of zeros what a mask does not recognize.
        ends_mask: whether it is there to leave a mask behind, so that what the mask marks is no matter to it.
        replaces_mask: whether the spec says with it which mask its values have, whatever mask they had.
        mask_argument: the argument that says which value it takes for padding, where it makes a mask of values.
        reads_text: whether it may read inputs of dtype string.
        pairs_positions: whether what it reads is joined position by position, so that branches must be aligned.
        makes_repeats: whether along the axis that it makes the same stands again and again, so that any name suits it.
        moves_values: whether what it gives are the values that it reads, moved or repeated and nothing else.
        reorders_axes: whether it puts the axes that it reads in another order, which the spec wanted.
        normalizes: whether what it gives is around 1 whatever scale its input has, or scaled as the spec says.
        is_positionwise: whether it does the same at every position whatever the axes, so that TimeDistributed need not
            fold them.
        is_training_only: whether it acts in training alone.
        joins_end_to_end: whether it puts its inputs one behind the other along an axis, the argument `axis`.
        moves_pixels: whether what it gives in training is not where it was in what it reads.
        is_transform: whether its initial weights compute a known transform, as Fourier's, which few bits would spoil.
        repeats_inner: whether it does what the layer that it wraps does, once for each position.
        looks_up_ids: whether its integers are ids of vectors in a table of `input_dim`.
        softmax_ports: its outputs whose values are a softmax's along their last axis, as attention scores are.
        own_activation: the function that it is, as `activation:` names it; empty where it is none.
        combines: what it makes of the values that it reads whatever its arguments, see `combination`.
        follows_head: whether nnspec puts it behind an output's head, so that it is not the head itself.
    """

    steps: ClassVar[bool] = False
    runs_both_ways: ClassVar[bool] = False
    keeps_state: ClassVar[bool] = False
    every_step_argument: ClassVar[str] = ""
    uses_mask: ClassVar[bool] = False
    without_mask: ClassVar[tuple[str, ...]] = ()
    for_silence: ClassVar[tuple[str, ...]] = ()
    ends_mask: ClassVar[bool] = False
    replaces_mask: ClassVar[bool] = False
    mask_argument: ClassVar[str] = ""
    reads_text: ClassVar[bool] = False
    pairs_positions: ClassVar[bool] = True
    makes_repeats: ClassVar[bool] = False
    moves_values: ClassVar[bool] = False
    reorders_axes: ClassVar[bool] = False
    normalizes: ClassVar[bool] = False
    is_positionwise: ClassVar[bool] = False
    is_training_only: ClassVar[bool] = False
    joins_end_to_end: ClassVar[bool] = False
    moves_pixels: ClassVar[bool] = False
    is_transform: ClassVar[bool] = False
    repeats_inner: ClassVar[bool] = False
    looks_up_ids: ClassVar[bool] = False
    softmax_ports: ClassVar[tuple[str, ...]] = ()
    own_activation: ClassVar[str] = ""
    follows_head: ClassVar[bool] = False
    combines: ClassVar[str] = ""

    def adds_up(self, args: Args) -> bool:
        """Whether what it gives is a sum along each axis that it removes, to which zeros add nothing."""
        return False

    def combination(self, args: Args) -> str:
        """What it makes of the values that it reads, by a name of `nnspec.ir.probabilities.COMBINATIONS`.

        Empty where what it gives is no mean, product, extreme, sum or formula of them.
        """
        return self.combines

    def head_behind(self, node: Node, heads: Sequence[str]) -> str | None:
        """The function that its values count as gone through, from those that its inputs went through; None: none."""
        combined = COMBINATIONS.get(self.combination(node.args))
        return None if combined is None else combined(heads)

    def picked_position(self, node: Node, place: int) -> int | None:
        """The one position of an axis that a node gives, without the axis; None where it is none, or is not known."""
        return None

    def counts_padding(self, node: Node, picked: int | None, value: float | None) -> bool:
        """Whether what a node that reads a whole axis, or leaves it out, gives depends on how much of it is padding.

        Of a largest value, which every further step of padding leaves as it is, this is not said.

        Args:
            picked: the one position that it gives, where it gives one.
            value: what padding holds; None where that is not known.
        """
        if picked is not None:
            return picked < 0
        is_nothing = value == 0 and self.adds_up(node.args)
        return self.combination(node.args) != "extreme" and not is_nothing

    def masked_value(self, node: Node) -> float | None:
        """What a node that makes a mask takes for padding; None from all others."""
        return None
