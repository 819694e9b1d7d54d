"""Maps labels to class indices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.ordered import distinct, table_of
from nnspec.data.section.plan import Slot, SlotPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Fix, SpecError
from nnspec.diagnostics.lists import enumerated
from nnspec.runtime.rules.truth import order_truths

Array = np.ndarray


def label_array(values: Array) -> Array:
    """Labels in one spelling: integers where all of them are, else text."""
    if values.dtype.kind in "iu":
        return values.astype(np.int64, copy=False)
    if mapped.is_long(values) and values.dtype.kind != "O":
        known = distinct(values)
        return table_of(values, known, _spelt(known))
    return _spelt(values)


def _spelt(values: Array) -> Array:
    keys = np.array([label_key(value) for value in values.reshape(-1).tolist()], dtype=str).reshape(values.shape)
    try:
        numbers = keys.astype(np.int64)
    except (ValueError, OverflowError):
        return keys
    return numbers if bool(np.all(numbers.astype(str) == keys)) else keys  # `007` is not 7


def fit_labels(slot: SlotPlan, model: Slot, train: Array) -> tuple[list[str | int], list[str | int]]:
    """The labels as they stand in the data, in the order of the class indices, and what the classes are called.

    They differ where the data hold 0, 1, … and the output names the classes.

    Raises:
        SpecError: NN508 where their number is not that of the class axis, NN513 where there is but one.
    """
    found: list[str | int] = distinct(train).tolist()
    keys = [label_key(label) for label in found]
    if slot.classes is not None and slot.classes.kind == "list":
        labels: list[str | int] = list(slot.classes.labels)
    elif model.classes is not None:
        labels = list(model.classes)
        if not set(keys) <= {label_key(label) for label in labels}:
            numbers = list(range(len(labels)))
            if set(found) <= set(numbers):
                return list(numbers), labels
            strange = next(key for key in keys if key not in {label_key(label) for label in labels})
            message = f"label `{strange}` of output `{slot.name}` is not one of its classes"
            raise _fault("NN513", message, slot, f"`outputs` lists {enumerated(labels)}")
        return labels, labels
    else:
        labels = order_truths(found) if model.task == "binary" else found
    size = 2 if model.task == "binary" else model.class_size
    if len(labels) < 2:
        message = f"the training rows of output `{slot.name}` have only one label, `{labels[0]}`"
        raise _fault("NN513", message, slot, "list all labels under `classes`")
    if size is not None and size != len(labels):
        head = "a binary output has 2" if model.task == "binary" else f"its axis `{model.class_axis}` has size {size}"
        message = f"the training rows of output `{slot.name}` have {len(labels)} classes, but {head}"
        raise _fault("NN508", message, slot, f"the labels: {enumerated(labels)}")
    return labels, list(model.classes) if model.classes is not None else labels


def encode(slot: SlotPlan, split: str, values: Array, labels: list[str | int]) -> NDArray[np.int64]:
    """The index of each value in `labels`, in the shape of `values`.

    Raises:
        SpecError: NN513 where a value is none of them.
    """
    index = {label_key(label): i for i, label in enumerate(labels)}
    own, inverse = np.unique(values, return_inverse=True)
    codes = np.array([index.get(label_key(value), -1) for value in own.tolist()], dtype=np.int64)
    encoded = codes[inverse].reshape(values.shape)
    if (codes < 0).any():
        strange = [str(value) for value, code in zip(own.tolist(), codes, strict=True) if code < 0]
        count = int((encoded < 0).sum())
        shown = enumerated(strange[:5]) + (", …" if len(strange) > 5 else "")
        unseen = slot.classes is None or slot.classes.kind == "labels"
        reason = "which no training row has" if unseen else "which `classes` does not list"
        message = f"split `{split}` of output `{slot.name}` has label {shown} ({count} times), {reason}"
        fix = "draw the splits so that the training rows have every class, or list all labels under `classes`"
        if not unseen:
            fix = _fix_of_listed(slot, strange, labels)
        raise _fault("NN513", message, slot, f"known: {enumerated(labels[:20])}", fixes=[Fix(fix)])
    return encoded


def zeros_and_ones(slot: SlotPlan, values: Array) -> NDArray[np.float32]:
    """A multilabel's targets: 0 or 1 each, also written false and true.

    Raises:
        SpecError: NN513 where there is another value.
    """
    own, inverse = np.unique(values, return_inverse=True)
    known = {"0": 0.0, "1": 1.0, "false": 0.0, "true": 1.0}
    keys = [label_key(value) for value in own.tolist()]
    strange = [key for key in keys if key not in known]
    if strange:
        held = enumerated(strange[:5])
        message = f"output `{slot.name}` is multilabel, so its targets must be 0 or 1, but the data contains {held}"
        raise _fault("NN513", message, slot)
    codes = np.array([known[key] for key in keys], dtype=np.float32)
    return np.asarray(codes[inverse].reshape(values.shape))


def _fix_of_listed(slot: SlotPlan, strange: list[str], labels: list[str | int]) -> str:
    """What to do about labels that a list does not have: they may be the numbers of those that it has."""
    numbers = {str(i) for i in range(len(labels))}
    if set(strange) <= numbers and not any(label_key(label) in numbers for label in labels):
        named = f"`{slot.name}: {{classes: [{', '.join(map(str, labels))}]}}`"
        return f"if they are indices of these classes, write {named} in the section `outputs`, and none here"
    return "add them to `classes`, or correct the data"


def _fault(code: str, message: str, slot: SlotPlan, *notes: str, fixes: Sequence[Fix] = ()) -> SpecError:
    key = "classes" if slot.classes is not None else slot.data_key
    return SpecError.single(code, message, slot.span_of(key), notes=notes, path=slot.where(key), fixes=fixes)
