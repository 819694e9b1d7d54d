"""The layer kinds, by the key that a spec uses. Adding a layer: one module here, and its cases under tests/layers.

A spec uses few of the kinds, so a kind's module is imported when the kind is first looked up.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from nnspec.layers.kit.base import Layer

# Module -> the kinds that its LAYERS hold, in the same order.
MODULES: dict[str, tuple[str, ...]] = {
    "linear.dense": ("Dense",),
    "convolution.plain": ("Conv1D", "Conv2D", "Conv3D"),
    "convolution.depthwise": ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
    "convolution.transposed": ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    "pooling.windowed": (
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
    ),
    "pooling.global_pooling": (
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
    ),
    "pooling.adaptive": (
        "AdaptiveAveragePooling1D",
        "AdaptiveAveragePooling2D",
        "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D",
        "AdaptiveMaxPooling3D",
    ),
    "spatial.upsampling": ("UpSampling1D", "UpSampling2D", "UpSampling3D"),
    "spatial.padding": ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D"),
    "preprocessing.stft": ("STFTSpectrogram",),
    "recurrent.layers": ("LSTM", "GRU", "SimpleRNN"),
    "recurrent.cells": ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"),
    "recurrent.rnn": ("RNN",),
    "recurrent.conv_lstm": ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "wrappers.time_distributed": ("TimeDistributed",),
    "recurrent.bidirectional": ("Bidirectional",),
    "normalization.rescaling": ("Rescaling",),
    "normalization.batch": ("BatchNormalization", "Normalization"),
    "normalization.per_sample": ("LayerNormalization", "RMSNormalization", "UnitNormalization", "GroupNormalization"),
    "elementwise.regularization": (
        "Dropout",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "GaussianNoise",
        "GaussianDropout",
        "AlphaDropout",
        "ActivityRegularization",
        "Identity",
    ),
    "image.resizing": ("Resizing", "CenterCrop", "RandomCrop"),
    "image.augment_geometry": (
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "RandomShear",
        "RandomPerspective",
        "RandomElasticTransform",
    ),
    "image.augment_color": (
        "RandomBrightness",
        "RandomContrast",
        "RandomHue",
        "RandomSaturation",
        "RandomColorDegeneration",
        "RandomColorJitter",
        "RandomGrayscale",
        "RandomInvert",
        "RandomPosterization",
        "Solarization",
        "Equalization",
    ),
    "image.augment_mixed": ("RandomErasing", "RandomGaussianBlur", "RandomSharpness", "RandAugment", "AugMix"),
    "elementwise.activations": ("Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"),
    "merging.elementwise": ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"),
    "merging.concatenation": ("Concatenate",),
    "merging.dot": ("Dot",),
    "attention.multi_head": ("MultiHeadAttention", "GroupQueryAttention"),
    "attention.dot": ("Attention", "AdditiveAttention"),
    "linear.einsum_dense": ("EinsumDense",),
    "linear.embedding": ("Embedding",),
    "image.contrast": ("AutoContrast",),
    "image.clahe": ("ContrastLimitedAdaptiveHistogramEqualization",),
    "preprocessing.mel_spectrogram": ("MelSpectrogram",),
    "preprocessing.discretization": ("Discretization",),
    "preprocessing.encoding": ("CategoryEncoding",),
    "preprocessing.lookup": ("StringLookup", "IntegerLookup"),
    "preprocessing.text_vectorization": ("TextVectorization",),
    "preprocessing.hashing": ("Hashing", "HashedCrossing"),
    "linear.reversible_embedding": ("ReversibleEmbedding",),
    "normalization.spectral": ("SpectralNormalization",),
    "elementwise.masking": ("Masking", "unmask", "mask_like"),
    "shape.keras_layers": ("Flatten", "Reshape", "Permute", "RepeatVector"),
    "shape.verbs": ("permute", "merge", "split", "insert", "drop", "rename"),
}


class Registry(Mapping[str, Layer]):
    """Kind -> layer. The kinds are known at once; a layer's module is imported when it is asked for."""

    def __init__(self, modules: Mapping[str, tuple[str, ...]]) -> None:
        self._modules = {kind: module for module, kinds in modules.items() for kind in kinds}
        self._loaded: dict[str, Layer] = {}

    def __getitem__(self, kind: str) -> Layer:
        if kind not in self._loaded:
            module = importlib.import_module(f"nnspec.layers.{self._modules[kind]}")
            self._loaded.update((layer.kind, layer) for layer in module.LAYERS)
        return self._loaded[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, kind: object) -> bool:
        return kind in self._modules


REGISTRY = Registry(MODULES)
