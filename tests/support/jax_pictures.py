"""Pictures resized by cubic weights on JAX, against a sum over positions in float64: JAX takes a process of its own."""

from __future__ import annotations

import jax
import numpy as np

from nnspec.backends.keras.jax.resized_pictures import resize
from tests.layers.image.cases_resizing import resized


def main() -> None:
    picture = np.random.default_rng(0).normal(size=(2, 7, 11, 3)).astype(np.float32)
    for height, width in [(13, 4), (5, 31), (7, 11)]:
        made = resize(picture, (2, height, width, 3), "bicubic", False)
        wanted = resized(height, width, "bicubic")({}, [picture])
        np.testing.assert_allclose(made, wanted, rtol=0, atol=2e-6)
    plain = jax.image.resize(picture, (2, 5, 31, 3), "bicubic", antialias=True)
    np.testing.assert_array_equal(resize(picture, (2, 5, 31, 3), "bicubic", True), plain)


if __name__ == "__main__":
    main()
