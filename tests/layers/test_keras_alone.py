"""`model.keras` loads with Keras alone, but for the few layers of which Keras has none that is right."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from nnspec.backends.keras.model import as_model_inputs, build_model
from tests.support.case_files import CASES
from tests.support.layer_cases import Case, arrays_for, checked, randomize
from tests.support.loaded_python import run_loaded

# The classes of nnspec that an archive may need, and why Keras' own do not do.
NEEDED = {
    "AdaptedBins": "Keras keeps learned boundaries beside the weights, where no weights file has them",
    "Careful": "attention of rows that are padding altogether is NaN, or of other shape, in Keras",
    "ChannelsFirst": "Keras adds a bias along the last axis where that is as long as the channels",
    "DeepSoftmax": "TensorFlow's softmax takes five axes at most",
    "deep_softmax": "likewise, as an activation",
    "FloatSpectralNormalization": "Keras' own fails on the integers that an Embedding reads",
    "FoldIntoBatch": "Keras' TimeDistributed takes one axis of open size at most",
    "GraphEqualization": "Keras' own makes a ring of the graph",
    "InnerRMSNormalization": "Keras' own multiplies its scale along the last axes",
    "MaskingReversibleEmbedding": "Keras' own makes no mask",
    "PlacedEinsumDense": "Keras takes a bias with one axis longer than 1 for one of the channels",
    "SmallAdaptive": "Keras' own fails where an axis is pooled whole",
    "SymbolicReshape": "Keras' Reshape takes one axis of open size at most",
    "UnfoldFromBatch": "as FoldIntoBatch",
    "WithMaskOf": "no layer of Keras puts a mask on a value",
}
KINDS = {"RandomCrop", "MelSpectrogram", "EinsumDense", "GlobalAveragePooling1D", "formula", "weight", "ConvLSTM1D"}
FIRST = {case.kind: case for case in reversed(CASES)}
LOOKED_AT = [case for case in CASES if case.kind in KINDS or FIRST[case.kind] is case]
ALONE = """
import json, sys
from pathlib import Path
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "nnspec":
            raise ImportError("nnspec is not here")
sys.meta_path.insert(0, Refuse())
import keras, numpy as np
for archive in sorted(Path(sys.argv[1]).glob("*.keras")):
    model = keras.models.load_model(archive, safe_mode=True)
    with np.load(archive.with_suffix(".npz")) as stored:
        given = [stored[f"x{i}"] for i in range(len(model.inputs))]
    made = model(keras.tree.pack_sequence_as(model.input, given), training=False)
    np.save(archive.with_suffix(".npy"), np.asarray(made))
"""


@pytest.mark.parametrize("case", LOOKED_AT, ids=[case.label for case in LOOKED_AT])
def test_only_these_classes_need_nnspec(case: Case, tmp_path: Path) -> None:
    model = build_model(checked(case, tmp_path).graph).model
    said = json.dumps(keras.saving.serialize_keras_object(model), default=str)
    used = set(re.findall(r"nnspec>(\w+)", said))
    assert all(name.startswith(tuple(NEEDED)) for name in used), used
    assert used or '"module": "nnspec' not in said


SAVED = [case for case in CASES if case.kind in ("RandomCrop", "MelSpectrogram")] + [
    case for case in CASES if case.label in ("EinsumDense-two-new", "GlobalAveragePooling1D-masked-elsewhere")
]


def test_archives_give_the_same_without_nnspec(tmp_path: Path) -> None:
    wanted = {}
    for number, case in enumerate(SAVED):
        folder = tmp_path / str(number)
        folder.mkdir()
        graph = checked(case, folder).graph
        model = build_model(graph).model
        randomize(model)
        arrays = arrays_for(case, graph, 3, 6)
        wanted[number] = np.asarray(model(as_model_inputs(graph, arrays), training=False))
        model.save(tmp_path / f"{number}.keras")
        np.savez(tmp_path / f"{number}.npz", **{f"x{i}": array for i, array in enumerate(arrays.values())})
    run_loaded("-c", ALONE, str(tmp_path), cwd=tmp_path, check=True)
    for number, value in wanted.items():
        assert np.allclose(np.load(tmp_path / f"{number}.npy"), value, atol=1e-6), SAVED[number].label


def test_a_random_crop_is_random_in_training_alone(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.kind == "RandomCrop")
    graph = checked(case, tmp_path).graph
    model = build_model(graph).model
    inputs = as_model_inputs(graph, arrays_for(case, graph, 2, 6))
    crops = [np.asarray(model(inputs, training=True)) for _ in range(8)]
    assert len({crop.tobytes() for crop in crops}) > 1
    image = np.asarray(inputs)[0]
    parts = {
        image[y : y + crops[0].shape[1], x : x + crops[0].shape[2]].tobytes()
        for y in range(image.shape[0])
        for x in range(image.shape[1])
    }
    assert all(crop[0].tobytes() in parts for crop in crops)
    again = [np.asarray(model(inputs, training=False)) for _ in range(2)]
    assert np.array_equal(*again)
