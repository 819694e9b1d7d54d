"""A walk over `keras.layers`: every class is a layer of nnspec, another name of one, or refused with its reason."""

from __future__ import annotations

import inspect

import keras
import pytest

from nnspec.explaining import page
from nnspec.layers import REGISTRY
from nnspec.layers.refused import REFUSED

CLASSES = {name: found for name, found in vars(keras.layers).items() if inspect.isclass(found)}
# Kinds that are still being written.
# fmt: off
NOT_YET = {
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AdditiveAttention", "Attention", "AutoContrast",
    "AvgPool1D", "AvgPool2D", "AvgPool3D", "ContrastLimitedAdaptiveHistogramEqualization", "ConvLSTM1D",
    "ConvLSTM2D", "ConvLSTM3D", "Convolution1D", "Convolution1DTranspose", "Convolution2D",
    "Convolution2DTranspose", "Convolution3D", "Convolution3DTranspose", "Discretization", "EinsumDense",
    "GRUCell", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D",
    "GlobalMaxPool3D", "GroupQueryAttention", "LSTMCell", "MaxPool1D", "MaxPool2D", "MaxPool3D",
    "MelSpectrogram", "MultiHeadAttention", "RNN", "ReversibleEmbedding", "SeparableConvolution1D",
    "SeparableConvolution2D", "SimpleRNNCell", "SpectralNormalization", "StackedRNNCells", "TextVectorization",
    "UpSampling1D", "UpSampling2D", "UpSampling3D",
}
# fmt: on


def test_every_class_of_keras_is_known() -> None:
    assert len(CLASSES) > 150
    missing = sorted(set(CLASSES) - set(REGISTRY) - set(REFUSED) - NOT_YET)
    assert not missing


def test_what_is_refused_is_no_layer_here_and_one_of_keras() -> None:
    assert not set(REFUSED) & set(REGISTRY)
    assert set(REFUSED) <= set(CLASSES)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_kind_has_a_page(kind: str) -> None:
    text = page(kind)
    assert text is not None
    assert REFUSED[kind].reason in text
    assert REFUSED[kind].instead in text
