"""What a reader is shown of a sample's inputs."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from markupsafe import Markup
from PIL import Image

from nnspec.ir.axes import Axis
from nnspec.report.glimpses import Glimpses


def axes(**sizes: int) -> tuple[Axis, ...]:
    return tuple(Axis(name=name, size=size, atoms=()) for name, size in sizes.items())


def pixels_of(shown: str) -> np.ndarray:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', shown)
    assert found is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def test_a_picture_keeps_its_pixels() -> None:
    values = np.arange(5 * 7 * 3, dtype=np.float32).reshape(5, 7, 3)
    shown = Glimpses().of(values, axes(height=5, width=7, channel=3))
    assert isinstance(shown, Markup)
    np.testing.assert_array_equal(pixels_of(shown), values.astype(np.uint8))
    assert 'alt="image of 5 × 7 × 3"' in shown


def test_values_from_0_to_1_are_a_picture_too() -> None:
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    shown = Glimpses().of(values, axes(height=3, width=4))
    np.testing.assert_array_equal(pixels_of(shown), np.round(values * 255.0).astype(np.uint8))


def test_a_large_picture_is_made_smaller() -> None:
    shown = Glimpses().of(np.zeros((300, 200, 3), np.float32), axes(height=300, width=200, channel=3))
    assert pixels_of(shown).shape == (96, 64, 3)


def test_pictures_have_a_budget() -> None:
    rng = np.random.default_rng(0)
    glimpses = Glimpses()
    shown = [
        glimpses.of(rng.integers(0, 256, (96, 96, 3)).astype(np.float32), axes(height=96, width=96, channel=3))
        for _ in range(40)
    ]
    assert sum(map(len, shown)) < 800_000
    assert shown[-1] == "an image of 96 × 96 × 3"


def test_a_window_is_a_small_plot_with_words() -> None:
    values = np.array([1.0, 3.0, np.nan, 2.0, 5.0], np.float32)
    shown = Glimpses().of(values, axes(time=5))
    assert "5 steps of time: 1 to 5" in shown
    (points,) = re.findall(r'points="([^"]+)"', shown)
    heights = [float(point.split(",")[1]) for point in points.split(" ")]
    assert len(heights) == 4  # a gap has no point
    assert np.argsort(heights).tolist() == [3, 1, 2, 0]  # y grows downwards


def test_words_and_numbers_are_text_and_escaped_by_the_page() -> None:
    assert Glimpses().of(np.array("<b>"), ()) == "<b>"
    assert not isinstance(Glimpses().of(np.array("<b>"), ()), Markup)
    assert Glimpses().of(np.array(np.nan), ()) == "missing"
    assert Glimpses().of(np.array(41.5), ()) == "41.5"
    assert Glimpses().of(np.array([1.0, 2.0]), axes(feature=2)) == "1, 2"
