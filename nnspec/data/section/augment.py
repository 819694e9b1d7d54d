"""`augment`: random changes of images in training, which their masks go through as well.

    augment:
      - RandomFlip: horizontal
      - RandomRotation: {factor: 0.05, fill_mode: constant}

Names and arguments are those of Keras' layers. Which inputs and outputs are changed follows from their axes: those of
images, height and width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nnspec.data.section.plan import Argument, AugmentStep, DataPlan, Slot, SlotPlan
from nnspec.diagnostics import Diagnostic, Fix, Related, Span
from nnspec.ir.matching_axes import matching_order
from nnspec.lazy import dataclass

_MAIN = {"RandomFlip": "mode", "RandomRotation": "factor", "RandomZoom": "height_factor"}


def read_augment(
    plain: Sequence[str | dict[str, Argument | dict[str, Argument]]] | None, spans: Mapping[str, Span]
) -> tuple[AugmentStep, ...]:
    """The changes, in their order."""
    found = []
    for index, item in enumerate(plain or ()):
        given = {item: dict[str, Argument]()} if isinstance(item, str) else item
        ((kind, body),) = given.items()
        arguments = dict(body) if isinstance(body, dict) else {_MAIN[kind]: body}
        found.append(AugmentStep(kind, arguments, spans.get(f"augment[{index}]", spans["augment"])))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where an input or output has its pixels.

    Attributes:
        height, width: the positions of these axes, without batch.
        size: their sizes.
        is_labels: whether a pixel's value is a class, which has no values between.
    """

    height: int
    width: int
    size: tuple[int, int]
    is_labels: bool


def find_pixels(slot: SlotPlan, model: Slot) -> Moved | None:
    """Where a slot has its pixels; None where it has none."""
    if slot.folder_of is not None or model.is_text:
        return None
    is_labels = slot.role == "outputs" and not model.gives_values
    axes = model.data_axes
    if slot.source.source.is_raster and not slot.columns:
        from nnspec.runtime.rules.images import ShapeError, form_of

        try:
            form = form_of(axes, is_mask=is_labels)
        except ShapeError:  # which the source reports
            return None
        return Moved(form.axes.index("height"), form.axes.index("width"), (form.height, form.width), is_labels)
    names = [name.lower() for name, _ in axes]
    for height, width in (("height", "width"), ("row", "column"), ("rows", "columns"), ("y", "x")):
        if height in names and width in names:
            places = names.index(height), names.index(width)
            sizes = [axes[place][1] for place in places]
            if isinstance(sizes[0], int) and isinstance(sizes[1], int):
                return Moved(*places, (sizes[0], sizes[1]), is_labels)
    return None


def check_augment(plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN543: changes of images where there are none, or of images and masks that do not lie upon one another."""
    if not plan.augment:
        return
    span, where = plan.spans["augment"], "data.augment"
    found = {(role, name): place for role, name, place in moved_slots(plan, inputs, outputs)}
    pictures = [(name, place) for (role, name), place in found.items() if role == "inputs"]
    if not pictures:
        message = "`augment` changes images, but no input has the axes of an image: height and width, of known sizes"
        yield Diagnostic(
            "NN543", message, span, path=where, fixes=(Fix("remove `augment`, or give the axes these names"),)
        )
        return
    name, first = pictures[0]
    for (role, other), place in found.items():
        if place.size != first.size:
            kind, (high, wide) = role[:-1], place.size
            message = (
                f"{kind} `{other}` has {high} × {wide} pixels, but input `{name}` {first.size[0]} × {first.size[1]}: "
                "the same change cannot be applied to both"
            )
            model = inputs[other] if role == "inputs" else outputs[other]
            fix = Fix("give both the same size, or remove `augment`")
            related = (Related(model.span, f"{kind} `{other}`"),)
            yield Diagnostic("NN543", message, span, path=where, related=related, fixes=(fix,))
            return
    for step in plan.augment:
        piece = [int(str(step.arguments.get(side, 0))) for side in ("height", "width")]
        if step.kind == "RandomCrop" and (piece[0] > first.size[0] or piece[1] > first.size[1]):
            message = (
                f"`RandomCrop` crops to {piece[0]} × {piece[1]} pixels, but input `{name}` has only "
                f"{first.size[0]} × {first.size[1]}"
            )
            yield Diagnostic("NN543", message, step.span, path=where)


def moved_slots(
    plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]
) -> Iterator[tuple[str, str, Moved]]:
    """The role and name of each input and output that `augment` changes, and where it has its pixels."""
    found = {}
    for slots, models in ((plan.inputs, inputs), (plan.outputs, outputs)):
        for name, slot in slots.items():
            place = find_pixels(slot, models[name]) if name in models else None
            if place is not None:
                found[slot.role, name] = place
                yield slot.role, name, place
    for copy in plan.copies.values():
        original = found.get(("inputs", copy.input))
        order = matching_order(inputs[copy.input].axes, outputs[copy.name].axes) if original is not None else None
        if original is not None and order is not None:
            height, width = order.index(original.height), order.index(original.width)
            yield "outputs", copy.name, Moved(height, width, original.size, is_labels=False)
