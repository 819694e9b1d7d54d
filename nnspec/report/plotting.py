"""A plot as SVG, drawn by matplotlib.

Text stays text, so that it is found, read aloud and small; black becomes the page's own text colour, so that a
plot is readable on a dark page too. The same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#3b82c4", "#d9772b", "#808890"  # at least 3:1 on white and on black
_INK = "#010203"  # stands for the page's text colour


@dataclass(frozen=True)
class Plot:
    """A plot: its heading, what it shows in words, and its SVG."""

    title: str
    text: str
    svg: str
    is_broad: bool = False


def draw(title: str, text: str, paint: Callable[[Axes], None], *, width: float = 4.6, height: float = 3.1) -> Plot:
    """A plot of one pair of axes.

    Args:
        paint: draws on them.
        width, height: in inches.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    style = {
        "svg.fonttype": "none", "svg.hashsalt": title, "text.color": _INK, "axes.edgecolor": _INK,
        "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK, "font.size": 9.0, "axes.spines.top": False,
        "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8.0, "lines.linewidth": 1.6,
    }  # fmt: skip
    with mpl.rc_context(style):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(canvas)
        canvas.patch.set_alpha(0)
        axes = canvas.add_subplot()
        axes.patch.set_alpha(0)
        paint(axes)
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(title, text, _inline_svg(buffer.getvalue(), title), is_broad=width > height * 2)


def _inline_svg(svg: str, title: str) -> str:
    """The `svg` element alone, as wide as the page lets it be, hidden from screen readers: the caption says it.

    Several of them are in one page, so an id that is referred to gets the plot's name, and all others go.
    """
    body = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"font: ([^;\"]*?) [^;\"]*;", r"font: \1 system-ui, sans-serif;", body)
    body = re.sub(r'<svg ([^>]*?)(?:width="[^"]*" |height="[^"]*" )', r"<svg \1", body)
    name = re.sub(r"\W+", "-", title)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body)
    body = re.sub(r'(url\(|href=")#', rf"\g<1>#{name}-", body)
    return re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', body, count=1)
