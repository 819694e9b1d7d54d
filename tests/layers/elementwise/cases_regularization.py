"""Cases of layers that do nothing at inference."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import ANY, DEEP, Form, spatial_axes


def same(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    return inputs[0]


STEPS = {"time": 7, "channel": 3}
IMAGE = {"height": 5, "width": 7, "channel": 3}
VOLUME = {"depth": 2, **IMAGE}
OPEN = {"time": "T", "channel": 3}

CASES = [
    Case("Dropout", {"rate": 0.5}, [STEPS], STEPS, same, ["Identity"]),
    Case(
        "Dropout",
        {"rate": 0.3, "noise_shape": [None, 1, 3], "seed": 4},
        [OPEN],
        OPEN,
        same,
        ["Identity"],
        id="noise-shape-symbol",
    ),
    Case("Dropout", {"rate": 0}, [STEPS], STEPS, same, ["Identity"], id="zero"),
    Case(
        "Dropout",
        {"rate": 0.5},
        [{"feature": 5}],
        {"unit": 3},
        None,
        ["Gemm"],
        id="after-dense",
        before=[{"Dense": {"units": 3}}],
    ),
    Case("SpatialDropout1D", {"rate": 0.5}, [STEPS], STEPS, same, ["Identity"]),
    Case("SpatialDropout2D", {"rate": 0.5, "seed": 1}, [IMAGE], IMAGE, same, ["Identity"]),
    Case(
        "SpatialDropout2D",
        {"rate": 0.5, "data_format": "channels_first"},
        [{"channel": 3, "height": 5, "width": 7}],
        {"channel": 3, "height": 5, "width": 7},
        same,
        ["Identity"],
        id="channels-first",
    ),
    Case("SpatialDropout3D", {"rate": 0.5}, [VOLUME], VOLUME, same, ["Identity"]),
    Case("GaussianNoise", {"stddev": 0.2}, [OPEN], OPEN, same, ["Identity"]),
    Case("GaussianDropout", {"rate": 0.2, "seed": 3}, [STEPS], STEPS, same, ["Identity"]),
    Case("AlphaDropout", {"rate": 0.2}, [STEPS], STEPS, same, ["Identity"]),
    Case(
        "AlphaDropout", {"rate": 0.2, "noise_shape": [None, 1, 1]}, [STEPS], STEPS, same, ["Identity"], id="noise-shape"
    ),
    Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, [STEPS], STEPS, same, ["Identity"]),
    Case("ActivityRegularization", None, [STEPS], STEPS, same, ["Identity"], id="nothing"),
    Case("Identity", None, [OPEN], OPEN, same, ["Identity"]),
]
FORMS = {
    **{kind: Form(ANY) for kind in ("GaussianNoise", "GaussianDropout", "Identity")},
    **{kind: Form(ANY, without=frozenset({"noise_shape"})) for kind in ("Dropout", "AlphaDropout")},
    **{f"SpatialDropout{rank}D": Form(spatial_axes(rank)) for rank in (1, 2, 3)},
    "ActivityRegularization": Form(DEEP),
}
