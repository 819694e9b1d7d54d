"""Cases of MelSpectrogram."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, always, sized

Oracle = Callable[..., np.ndarray]


def mel(
    length: int,
    stride: int,
    count: int,
    rate: int = 16000,
    frame: int | None = None,
    window: str | None = "hann",
    low: float = 20.0,
    high: float | None = None,
    power: float = 2.0,
    top: float | None = 80.0,
    ref: float = 1.0,
) -> Oracle:
    """By the definitions: a discrete Fourier transform a frame, then triangles over the mel scale of HTK."""

    def scale(f: float) -> float:
        return 1127 * math.log(1 + f / 700)

    def oracle(weights: Any, inputs: list[np.ndarray]) -> np.ndarray:
        x = np.pad(inputs[0].astype(np.float64), ((0, 0), (length // 2, length // 2)), mode="reflect")
        size = frame or length
        taper = np.ones(size)
        if window and size > 1:  # of one sample it is that sample
            a = {"hann": 0.5, "hamming": 0.54}[window]
            taper = a - (1 - a) * np.cos(2 * np.pi * np.arange(size) / (size - size % 2))  # TensorFlow's odd ones
        full = np.zeros(length)
        full[(length - size) // 2 : (length - size) // 2 + size] = taper
        starts = range(0, x.shape[1] - length + 1, stride)
        magnitude = np.stack([np.abs(np.fft.rfft(x[:, s : s + length] * full)) for s in starts], axis=1) ** power
        edges = np.linspace(scale(low), scale(high or rate // 2), count + 2)
        bank = np.zeros((magnitude.shape[-1], count))
        for i in range(1, len(bank)):
            place = scale(i * rate / 2 / (len(bank) - 1))
            for j in range(count):
                up = (place - edges[j]) / (edges[j + 1] - edges[j])
                down = (edges[j + 2] - place) / (edges[j + 2] - edges[j + 1])
                bank[i, j] = max(0.0, min(up, down))
        made = magnitude @ bank
        if top is not None:
            made = 10 * np.log10(np.maximum(made, 1e-10)) - 10 * np.log10(ref)
            made = np.maximum(made, made.max() - top)
        return made.transpose(0, 2, 1)

    return oracle


DECIBELS = ["Max", "Log", "Mul", "ReduceMax", "Sub", "Max"]

AROUND = ["Pad", "Conv", "Mul", "Conv"]

CASES = [
    Case(
        "MelSpectrogram",
        {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 7},
        [{"time": 200}],
        {"mel": 7, "time": 13},
        mel(64, 16, 7),
        ["Reshape", *AROUND, *DECIBELS, "Reshape"],
        tolerance=1e-4,
    ),
    Case(
        "MelSpectrogram",
        {"fft_length": 17, "sequence_stride": 3, "sequence_length": 1, "num_mel_bins": 3, "power_to_db": False},
        [{"time": 20}],
        {"mel": 3, "time": 7},
        mel(17, 3, 3, frame=1, top=None),
        None,
        id="one-sample",
    ),
    Case(
        "MelSpectrogram",
        {
            "fft_length": 50,
            "sequence_stride": 12,
            "sequence_length": 33,
            "window": "hamming",
            "num_mel_bins": 5,
            "sampling_rate": 8000,
            "min_freq": 125,
            "max_freq": 3800,
            "ref_power": 0.5,
            "top_db": 20,
            "as": "band",
        },
        [{"time": 131}],
        {"band": 5, "time": 11},
        mel(50, 12, 5, 8000, 33, "hamming", 125, 3800, top=20, ref=0.5),
        ["Reshape", *AROUND, *DECIBELS[:3], "Sub", *DECIBELS[3:], "Reshape"],
        id="short-frames",
        tolerance=1e-4,
    ),
    Case(
        "MelSpectrogram",
        {
            "fft_length": 33,
            "sequence_stride": 1,
            "window": None,
            "num_mel_bins": 4,
            "mag_exp": 1,
            "power_to_db": False,
        },
        [{"time": 40}],
        {"mel": 4, "time": 40},
        mel(33, 1, 4, window=None, power=1, top=None),
        ["Reshape", "Pad", "Conv", "Mul", "Conv", "Pow", "Conv", "Reshape"],
        id="odd-length",
        tolerance=1e-4,
    ),
    Case(  # without a window, what it would leave out counts
        "MelSpectrogram",
        {
            "fft_length": 33,
            "sequence_stride": 1,
            "sequence_length": 8,
            "window": None,
            "num_mel_bins": 4,
            "mag_exp": 1,
            "power_to_db": False,
        },
        [{"time": 40}],
        {"mel": 4, "time": 40},
        mel(33, 1, 4, window=None, power=1, top=None),
        ["Reshape", "Pad", "Conv", "Mul", "Conv", "Pow", "Conv", "Reshape"],
        id="no-window-short-frames",
        tolerance=1e-4,
    ),
]
FORMS = {
    "MelSpectrogram": Form(
        sized(time=st.one_of(st.integers(40, 60), st.just("T"))),
        {
            "fft_length": always(st.sampled_from([7, 16, 17])),
            "sequence_stride": always(st.sampled_from([5, 8])),
            "sequence_length": always(st.sampled_from([None, 8, 16])),
            "sampling_rate": always(st.just(800)),
            "num_mel_bins": always(st.integers(3, 6)),
            "min_freq": always(st.sampled_from([20.0, 50.0])),
            "max_freq": always(st.sampled_from([None, 350.0])),
        },
        tolerance=1e-3,  # decibels of what is nearly silent: rounding of the sums before the logarithm
    ),
}
