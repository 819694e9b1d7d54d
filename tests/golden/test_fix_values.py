"""What a machine-applicable fix makes is what its author meant: the built Keras model against NumPy, case by case.

Every case under tests/golden/errors whose fix is called machine-applicable has a reference here: what was meant,
written down by hand from the case's comment and names, with the weights in the order in which the layers stand.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.api import load
from nnspec.diagnostics import Source
from nnspec.diagnostics.apply import machine_fix
from nnspec.fix.files import fix_file
from nnspec.pipeline import diagnose
from tests.support.paths import ERRORS

FOLDER = ERRORS
Array = np.ndarray
Weights = Iterator[Array]


def dense(x: Array, weights: Weights, *, bias: bool = True) -> Array:
    kernel = next(weights)
    return x @ kernel + (next(weights) if bias else 0)


def elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def convolution(x: Array, kernel: Array, bias: Array, *, dilation: int = 1, before: int = 0, after: int = 0) -> Array:
    """x: (…, time, channel); tap k of position t sees t + k·dilation of the padded axis."""
    padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(before, after), (0, 0)])
    length = padded.shape[-2] - (len(kernel) - 1) * dilation
    taps = [padded[..., k * dilation : k * dilation + length, :] @ kernel[k] for k in range(len(kernel))]
    return np.sum(taps, axis=0) + bias


def picture_of_one_channel(x: Array, weights: Weights) -> Array:
    """Each window of the picture with each of the kernels."""
    kernel = next(weights)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("bhwij,ijf->bhwf", windows, kernel[:, :, 0]) + next(weights)


def causal_cnn(x: Array, weights: Weights) -> Array:
    """Each feature's hours by themselves; then all channels of an hour, features slow; each looks back only."""
    h = np.swapaxes(x, 1, 2)[..., None]
    for dilation in (1, 2, 4, 8, 16):
        h = elu(convolution(h, next(weights), next(weights), dilation=dilation, before=4 * dilation))
    hours = np.stack([h[:, :, hour].reshape(len(x), -1) for hour in range(10)], axis=1)
    return dense(elu(convolution(hours, next(weights), next(weights), before=4)).reshape(len(x), -1), weights)


def declared_names(x: Array, weights: Weights) -> Array:
    """A value a feature, hour and (one) channel."""
    return dense(np.einsum("btf->bft", x)[..., None], weights)


def informer(x: Array, weights: Weights) -> Array:
    """Each head's sequence: head, length, depth."""
    return dense(np.einsum("blhd->bhld", x), weights)


def inside_time_distributed(x: Array, weights: Weights) -> Array:
    return np.stack([np.swapaxes(x[:, clip], 1, 2)[..., None] for clip in range(x.shape[1])], axis=1)


def irreducible(x: Array, weights: Weights) -> Array:
    return dense(np.swapaxes(x, 1, 2), weights)


def keras_2167(x: Array, weights: Weights) -> Array:
    """49 places, each with its 1024 channels."""
    places = [x[:, :, row, column] for row in range(7) for column in range(7)]
    return dense(np.stack(places, axis=1), weights)


def parts_of_a_dense(x: Array, weights: Weights) -> Array:
    values = dense(x, weights)
    return np.array([[[row[5 * time + sensor] for time in range(10)] for sensor in range(5)] for row in values])


def spectrogram(x: Array, weights: Weights) -> Array:
    """An LSTM that steps along time; Keras' gates: input, forget, cell, output."""
    kernel, recurrent, bias = weights
    hidden = cell = np.zeros((len(x), len(recurrent)))
    for time in range(x.shape[2]):
        i, f, c, o = np.split(x[:, :, time] @ kernel + hidden @ recurrent + bias, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
    return hidden


def unknown_length(x: Array, weights: Weights) -> Array:
    """Shares over the features of each hour, hours side by side."""
    shares = np.exp(x) / np.exp(x).sum(axis=2, keepdims=True)
    return np.swapaxes(shares, 1, 2)


def swapped_names(x: Array, weights: Weights) -> Array:
    return np.swapaxes(x, 1, 2)


def case_of_a_layer(x: Array, weights: Weights) -> Array:
    h = convolution(x, next(weights), next(weights))
    return np.where(h > 0, h, 0.2 * h).reshape(len(x), -1)


def case_of_a_key(x: Array, weights: Weights) -> Array:
    return dense(convolution(x, next(weights), next(weights), dilation=2), weights, bias=False)


def case_of_a_word(x: Array, weights: Weights) -> Array:
    h = convolution(x, next(weights), next(weights), before=1, after=1)
    return np.tanh(dense(np.maximum(h, 0), weights))


def short_names(x: Array, weights: Weights) -> Array:
    return 1 / (1 + np.exp(-dense(x, weights)))


def softmax(x: Array, axis: int) -> Array:
    exponents = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponents / exponents.sum(axis=axis, keepdims=True)


def gated_by_means(image: Array, weights: Weights) -> Array:
    """Every value by the mean of its channel."""
    return np.einsum("bhwc,bc->bhwc", image, image.mean(axis=(1, 2)))


def gated_features(image: Array, weights: Weights) -> Array:
    """A gate for each channel, the same at every place."""
    features = _same_convolution(image, next(weights), next(weights))
    return np.einsum("bhwc,bc->bhwc", features, sigmoid(dense(features.mean(axis=(1, 2)), weights)))


def channels_of_an_image(image: Array, weights: Weights) -> Array:
    return _same_convolution(image, next(weights), next(weights))


def _same_convolution(image: Array, kernel: Array, bias: Array) -> Array:
    padded = np.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)])
    height, width = image.shape[1:3]
    taps = [(i, j) for i in range(3) for j in range(3)]
    return np.sum([padded[:, i : i + height, j : j + width] @ kernel[i, j] for i, j in taps], axis=0) + bias


def less_the_last(inputs: Sequence[Array], weights: Weights) -> Array:
    window, last = inputs
    return np.stack([window[:, hour] - last[:, 0] for hour in range(window.shape[1])], axis=1)


def squeeze_and_excite(image: Array, weights: Weights) -> Array:
    features = image @ next(weights)[0, 0] + next(weights)
    gate = sigmoid(dense(dense(features.mean(axis=(1, 2)), weights), weights))
    return np.einsum("bhwc,bc->bhwc", features, gate)


def two_gates(image: Array, weights: Weights) -> Array:
    for _ in range(2):
        gate = sigmoid(dense(dense(image.mean(axis=(1, 2)), weights), weights))
        image = np.einsum("bhwc,bc->bhwc", image, gate)
    return image


def attention_pooling(x: Array, weights: Weights) -> Array:
    """The mean over the hours of what each holds times its share of attention."""
    h = dense(x, weights)
    shares = softmax(dense(h, weights)[..., 0], axis=1)
    return np.einsum("btu,bt->btu", h, shares).mean(axis=1)


def scaled(inputs: Sequence[Array], weights: Weights) -> Array:
    x, condition = inputs
    return np.einsum("btf,bf->btf", x, dense(condition, weights))


def scaled_twice(inputs: Sequence[Array], weights: Weights) -> Array:
    return scaled((scaled(inputs, weights), inputs[1]), weights)


def film(inputs: Sequence[Array], weights: Weights) -> Array:
    """Features of every hour, scaled and shifted by what a condition says of each feature."""
    x, condition = inputs
    gamma, beta = dense(condition, weights), dense(condition, weights)
    return np.stack([x[:, hour] * gamma + beta for hour in range(x.shape[1])], axis=1)


def styled(inputs: Sequence[Array], weights: Weights) -> Array:
    """Each channel of a map, without its mean, scaled and shifted by what the style says of that channel."""
    x, style = inputs
    scale, shift = dense(style, weights), dense(style, weights)
    centred = x - x.mean((1, 2), keepdims=True)
    return np.stack([centred[..., c] * scale[:, None, None, c] + shift[:, None, None, c] for c in range(3)], axis=-1)


def both_traffic_and_weather(inputs: Sequence[Array], weights: Weights) -> Array:
    weather, traffic = inputs
    of_traffic = dense(traffic, weights)  # whose branch is the deeper one, as it is renamed
    return dense(weather, weights) + of_traffic


def graph_convolution(inputs: Sequence[Array], weights: Weights) -> Array:
    follows, x = inputs
    mixed = follows @ follows @ x @ next(weights)
    return dense(np.maximum(mixed, 0), weights)


def two_layers_at_each_step(x: Array, weights: Weights) -> Array:
    return elu(dense(x, weights))


def filters_for_hours(x: Array, weights: Weights) -> Array:
    """A value for each filter, of all hours."""
    h = convolution(x, next(weights), next(weights), before=1, after=1)
    return dense(np.einsum("btf->bft", h), weights)


def shares_of_digits(x: Array, weights: Weights) -> Array:
    return softmax(dense(np.maximum(dense(x, weights), 0), weights), axis=1)


def each_label(x: Array, weights: Weights) -> Array:
    return sigmoid(dense(x, weights))


def weighted_window(x: Array, weights: Weights) -> Array:
    """A weight for each day of a window; the fix is about which rows a window holds."""
    return dense(x.reshape(len(x), -1), weights)


Inputs = Any  # an array, or one for each input where there are several


def dense_alone(x: Array, weights: Weights) -> Array:
    return dense(x, weights)


def last_step(x: Array, weights: Weights) -> Array:
    return dense(x[:, -1], weights)[:, 0]


def product_of_halves(x: Array, weights: Weights) -> Array:
    return np.stack([x[..., i] * x[..., 3 + i] for i in range(3)], axis=-1)


def distances_from_codes(image: Array, weights: Weights) -> Array:
    """Of each place from each code, channel by channel."""
    kernel, bias, codes = weights
    z = image @ kernel[0, 0] + bias
    return np.stack([((z - code) ** 2).sum(axis=-1) for code in codes], axis=-1)


REFERENCES: dict[str, Callable[[Inputs, Weights], Array]] = {
    "NN201-case-of-a-key": case_of_a_key,
    "NN201-short-names-with-arguments": short_names,
    "NN202-slice-of-a-named-axis": product_of_halves,
    "NN204-case-of-a-layer": case_of_a_layer,
    "NN205-case-of-a-word": case_of_a_word,
    "NN301-causal-cnn": causal_cnn,
    "NN301-declared-names": declared_names,
    "NN301-filters-for-hours": filters_for_hours,
    "NN301-informer-attention": informer,
    "NN301-inside-time-distributed": inside_time_distributed,
    "NN301-irreducible": irreducible,
    "NN301-keras-issue-2167": keras_2167,
    "NN301-parts-of-a-dense": parts_of_a_dense,
    "NN301-spectrogram-for-an-lstm": spectrogram,
    "NN301-unknown-length": unknown_length,
    "NN303-equal-sizes-swapped-names": swapped_names,
    "NN306-slice-by-index": product_of_halves,
    "NN306-step-of-flattened-steps": last_step,
    "NN310-conv-without-channels": picture_of_one_channel,
    "NN311-distances-of-all-pairs": distances_from_codes,
    "NN311-film-by-repeating": film,
    "NN311-formula-of-a-style": styled,
    "NN311-film-in-a-block": scaled_twice,
    "NN311-two-words-for-time": both_traffic_and_weather,
    "NN322-a-list-of-its-own-lines": scaled,
    "NN322-from-over-several-lines": scaled,
    "NN322-attention-pooling": attention_pooling,
    "NN322-broadcast-is-not-written": gated_by_means,
    "NN322-gate-without-places": gated_features,
    "NN322-one-position": less_the_last,
    "NN322-squeeze-and-excite": squeeze_and_excite,
    "NN322-squeeze-and-excite-in-a-block": two_gates,
    "NN201-wrapped-layer": two_layers_at_each_step,
    "NN368-graph-convolution": graph_convolution,
    "NN402-output-called-as-input": channels_of_an_image,
    "NN507-linear-classes": shares_of_digits,
    "NN507-linear-labels": each_label,
    "NN524-two-shops": weighted_window,
    "NN540-lengths": dense,
    "NN540-mask": dense,
    "NN540-pad-value": dense,
    "NN560-decimal-commas": dense_alone,
    "NN560-semicolons": dense_alone,
}
# What else is wrong with a case is mended by hand before its fixes are applied.
BY_HAND = {
    "NN201-short-names-with-arguments": ("{bce: ", "{BinaryCrossentropy: "),
    "NN301-causal-cnn": (
        "  - Reshape: {target_shape: [10, 160]}",
        "  - permute: [time, feature, filter]\n  - merge: {channel: [feature, filter]}",
    ),
    "NN301-unknown-length": ("task: regression", "task: classification, class_axis: feature"),
}
# Cases that show other slips of the same code beside a certain one: their certain fixes are those of a case above.
MIXED = {"NN204-unknown-layer": "NN204-case-of-a-layer", "NN205-unknown-encoding": "NN205-case-of-a-word"}
MIXED |= {"NN310-spectrogram-of-a-signal": "NN310-conv-without-channels"}


def has_machine_fix(spec: Path) -> bool:
    source = Source(spec.name, spec.read_bytes().decode("utf-8", "replace"))
    return any(
        machine_fix(d) is not None and d.span.source.name == spec.name for d in diagnose(spec.name, source=source)
    )


def test_every_machine_applicable_fix_has_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    fixed = {spec.stem for spec in FOLDER.glob("*.yaml") if has_machine_fix(spec)}
    assert fixed - set(MIXED) == set(REFERENCES)
    assert set(MIXED.values()) <= set(REFERENCES)


@pytest.mark.parametrize("stem", REFERENCES)
def test_the_fixed_model_is_what_was_meant(stem: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    text = (FOLDER / f"{stem}.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace(*BY_HAND.get(stem, ("", ""))), encoding="utf-8")
    shutil.copytree(FOLDER / "data", tmp_path / "data")
    file = fix_file(path)
    assert file.fixed
    file.write()
    assert [d.message for d in diagnose(path) if d.is_error] == []
    spec = load(path)
    model = spec.compile()
    rng = np.random.default_rng(7)
    for weight in model.weights:  # also the biases, which start at zero
        weight.assign(rng.normal(0, 0.3, weight.shape))
    for batch, length in ((1, 6), (3, 8)):
        read = {
            name: rng.normal(0, 1, (batch, *(a.size if isinstance(a.size, int) else length for a in value.axes)))
            for name, value in spec.graph.inputs.items()
        }
        fed = {name: x.astype(np.float32) for name, x in read.items()}
        result = model.predict_on_batch(fed if len(fed) > 1 else next(iter(fed.values())))
        got = np.asarray(next(iter(result.values())) if isinstance(result, dict) else result)
        given = [x.astype(np.float32).astype(np.float64) for x in read.values()]
        weights = iter([np.asarray(w, np.float64) for w in model.weights])
        meant = REFERENCES[stem](given[0] if len(given) == 1 else given, weights)
        assert got.shape == meant.shape
        np.testing.assert_allclose(got, meant, rtol=2e-4, atol=2e-4 * max(1.0, float(np.abs(meant).max())))
