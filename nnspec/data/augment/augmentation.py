"""`Augmentation`: the changes of a training's samples, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnspec.data.augment.draw import draw
from nnspec.data.augment.random_pieces import RandomPieces
from nnspec.data.augment.resample import resample
from nnspec.data.section.augment import Moved
from nnspec.data.section.plan import AugmentStep

Array = np.ndarray
Parts = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of images, and of their masks alike; random pieces of clips.

    Attributes:
        inputs, outputs: where each that is changed has its pixels, by name.
        uncounted: of outputs some of whose targets do not count, the target that says so.
        pieces: of inputs that take random pieces of longer samples, what they take.
    """

    steps: Sequence[AugmentStep]
    inputs: Mapping[str, Moved]
    outputs: Mapping[str, Moved]
    uncounted: Mapping[str, float] = field(default_factory=dict)
    pieces: Mapping[str, RandomPieces] = field(default_factory=dict)

    def apply(
        self, inputs: Parts, targets: Parts, weights: Parts | None, samples: Array, seed: int, epoch: int
    ) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array] | None]:
        """The batch as it is in an epoch.

        Args:
            inputs, targets, weights: arrays by name, axes `sample *axes`; weights of targets, or of samples.
            samples: which of the split's samples they are, from 0.
            seed: of the training.
            epoch: from 0.
        """
        taken = {name: found.take(samples, seed, epoch) for name, found in self.pieces.items()}
        inputs = {name: taken.get(name, array) for name, array in inputs.items()}
        if not self.steps:
            return inputs, dict(targets), None if weights is None else dict(weights)
        size = next(iter(self.inputs.values())).size
        drawn = list(zip(*(self._drawn((seed, epoch, int(i)), size) for i in samples), strict=True))
        matrices = [np.stack(found) for found in drawn]
        changed = {name: self._moved(array, self.inputs.get(name), matrices) for name, array in inputs.items()}
        moved = {
            name: self._moved(array, self.outputs.get(name), matrices, self.uncounted.get(name))
            for name, array in targets.items()
        }
        return changed, moved, None if weights is None else self._weights(weights, matrices)

    def _weights(self, weights: Parts, matrices: Sequence[Array]) -> dict[str, Array]:
        """Weights that go with the targets; those of whole samples stay."""
        found = {}
        for name, array in weights.items():
            place = self.outputs.get(name)
            has_pixels = place is not None and array.ndim > 1 + max(place.height, place.width)
            labels = replace(place, is_labels=True) if place is not None and has_pixels else None
            found[name] = self._moved(array, labels, matrices, 0.0 if name in self.uncounted else 1.0)
        return found

    def _drawn(self, stream: tuple[int, int, int], size: tuple[int, int]) -> list[Array]:
        rng = np.random.default_rng(stream)
        return [draw(step.kind, step.arguments, size, rng) for step in self.steps]

    def _moved(
        self, array: Array, place: Moved | None, matrices: Sequence[Array], beyond: float | None = None
    ) -> Array:
        """An array whose pixels are changed.

        Args:
            matrices: of each step, axes `sample 2 3`.
            beyond: what stands beyond the edge, where a step says nothing else of it.
        """
        if place is None:
            return array
        pixels = np.moveaxis(array, (1 + place.height, 1 + place.width), (1, 2))
        flat = np.ascontiguousarray(pixels).reshape(*pixels.shape[:3], -1)
        for step, found in zip(self.steps, matrices, strict=True):
            value = 0.0 if place.is_labels else float(str(step.arguments.get("fill_value", 0.0)))
            flat = resample(
                flat,
                found,
                is_nearest=place.is_labels or step.arguments.get("interpolation") == "nearest",
                fill_mode=_fill_mode(step),
                fill_value=value if beyond is None else beyond,
            ).astype(array.dtype, copy=False)
        moved = flat.reshape(pixels.shape)
        return np.ascontiguousarray(np.moveaxis(moved, (1, 2), (1 + place.height, 1 + place.width)))


def _fill_mode(step: AugmentStep) -> str:
    """A piece of an image, and a mirrored one, have nothing beyond the edge."""
    return "nearest" if step.kind in ("RandomCrop", "RandomFlip") else str(step.arguments.get("fill_mode", "reflect"))
