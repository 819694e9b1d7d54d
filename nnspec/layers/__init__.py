"""The layer kinds, by the key that a spec uses. Adding a layer: one module here, and its cases under tests/layers.

A spec uses few of the kinds, so a kind's module is imported when the kind is first looked up.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from nnspec.layers.base import Layer

# Module -> the kinds that its LAYERS hold, in the same order.
MODULES: dict[str, tuple[str, ...]] = {
    "core": ("Dense",),
    "convolution": ("Conv1D", "Conv2D", "Conv3D"),
    "depthwise": ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
    "transposed": ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    "pooling": (
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
    ),
    "global_pooling": (
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
    ),
    "adaptive_pooling": (
        "AdaptiveAveragePooling1D",
        "AdaptiveAveragePooling2D",
        "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D",
        "AdaptiveMaxPooling3D",
    ),
    "upsampling": ("UpSampling1D", "UpSampling2D", "UpSampling3D"),
    "padding": ("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D"),
    "spectral": ("STFTSpectrogram",),
    "recurrent": ("LSTM", "GRU", "SimpleRNN"),
    "recurrent_cells": ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"),
    "recurrent_network": ("RNN",),
    "conv_lstm": ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "wrappers": ("TimeDistributed",),
    "bidirectional": ("Bidirectional",),
    "rescaling": ("Rescaling",),
    "normalization": ("BatchNormalization", "Normalization"),
    "sample_normalization": ("LayerNormalization", "RMSNormalization", "UnitNormalization", "GroupNormalization"),
    "regularization": (
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
    "resizing": ("Resizing", "CenterCrop", "RandomCrop"),
    "augmentation_geometry": (
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
        "RandomShear",
        "RandomPerspective",
        "RandomElasticTransform",
    ),
    "augmentation_color": (
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
    "augmentation": ("RandomErasing", "RandomGaussianBlur", "RandomSharpness", "RandAugment", "AugMix"),
    "activations": ("Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"),
    "merging": ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"),
    "concatenation": ("Concatenate",),
    "dot": ("Dot",),
    "multi_head_attention": ("MultiHeadAttention", "GroupQueryAttention"),
    "dot_attention": ("Attention", "AdditiveAttention"),
    "einsum_dense": ("EinsumDense",),
    "embedding": ("Embedding",),
    "contrast": ("AutoContrast",),
    "clahe": ("ContrastLimitedAdaptiveHistogramEqualization",),
    "mel": ("MelSpectrogram",),
    "discretization": ("Discretization",),
    "encoding": ("CategoryEncoding",),
    "lookup": ("StringLookup", "IntegerLookup"),
    "text": ("TextVectorization",),
    "hashing": ("Hashing", "HashedCrossing"),
    "reversible_embedding": ("ReversibleEmbedding",),
    "spectral_normalization": ("SpectralNormalization",),
    "masking": ("Masking",),
    "reshaping": ("Flatten", "Reshape", "Permute", "RepeatVector"),
    "verbs": ("permute", "merge", "split", "insert", "drop", "rename"),
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
