"""Cases of STFTSpectrogram. The oracle is NumPy's FFT of windowed frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, always, maybe, sized


def frames_of(x: np.ndarray, length: int, step: int) -> np.ndarray:
    """Axes `batch time channel` to `batch frame channel sample`."""
    count = (x.shape[1] - length) // step + 1
    return np.stack([x[:, i * step : i * step + length].transpose(0, 2, 1) for i in range(count)], axis=1)


def by_kernels(mode: str, step: int) -> Any:
    """With random kernels: the two correlations and what the mode makes of them."""

    def oracle(weights: dict[str, np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
        kernel = next(iter(weights.values()))
        frames = frames_of(inputs[0], len(kernel), step)
        real = frames @ weights["real_kernel"][:, 0] if "real_kernel" in weights else None
        imag = frames @ weights["imag_kernel"][:, 0] if "imag_kernel" in weights else None
        if mode == "real":
            made = real
        elif mode == "imag":
            made = imag
        elif mode == "stft":
            made = np.concatenate([real, imag], axis=-1)
        elif mode == "angle":
            made = np.arctan2(imag, real)
        else:
            power = real**2 + imag**2
            if mode == "psd":
                power[..., 1:-1] *= 2
                made = power
            else:
                made = np.sqrt(np.maximum(power, 1e-7))
                made = np.log(np.maximum(made, 1e-7)) if mode == "log" else made
        assert made is not None
        return made.reshape(*made.shape[:2], -1)

    return oracle


BODY = {"frame_length": 8, "frame_step": 3}
ANGLE = ["Conv", "Conv", "Abs", "Max", "Div", "Atan", "Less", "Where", "Sub", "Less", "Where"]
POWER = ["Conv", "Conv", "Mul", "Mul", "Add"]
CASES = [
    Case(
        "STFTSpectrogram",
        BODY,
        [{"time": 20, "channel": 1}],
        {"time": 5, "frequency": 5},
        by_kernels("log", 3),
        ["Reshape", *POWER, "Max", "Sqrt", "Max", "Log", "Transpose", "Reshape"],
        tolerance=1e-4,
    ),
    *[
        Case(
            "STFTSpectrogram",
            {**BODY, "mode": mode, "as": "bin"},
            [{"time": 20, "channel": 1}],
            {"time": 5, "bin": 10 if mode == "stft" else 5},
            by_kernels(mode, 3),
            None,
            id=mode,
        )
        for mode in ("magnitude", "psd", "real", "imag", "stft", "angle")
    ],
    Case(
        "STFTSpectrogram",
        {**BODY, "mode": "angle", "data_format": "channels_first"},
        [{"channel": 1, "time": 20}],
        {"frequency": 5, "time": 5},
        None,
        ["Reshape", *ANGLE, "Reshape"],
        id="angle-channels-first",
    ),
    Case(
        "STFTSpectrogram",
        {"frame_length": 4, "frame_step": 2, "mode": "psd"},
        [{"time": "T", "channel": 2}],
        {"time": "ceil((T - 3)/2)", "channel_frequency": 6},
        None,
        None,
        id="channels",
    ),
]
FORMS = {
    "STFTSpectrogram": Form(
        sized(time=st.one_of(st.integers(12, 20), st.just("T")), channel=st.integers(1, 3)),
        {
            "frame_length": always(st.integers(2, 8)),
            "frame_step": always(maybe(st.integers(1, 4))),
            "fft_length": always(st.sampled_from([None, 8, 16])),
        },
    ),
}
