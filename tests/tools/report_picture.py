"""Makes the picture of a report that README shows: its results and its network, side by side.

`nnspec build specs/mnist_cnn.yaml --out out/mnist_cnn`, then
`python -m tests.tools.report_picture out/mnist_cnn/report.html`.
"""

from __future__ import annotations

import argparse
import base64
import io
from pathlib import Path

from PIL import Image

from tests.support.browser import opened

PICTURE = Path("tests/data/report.png")
_SIZE = (1200, 1150)  # of the window, in pixels
_GAP = 16
_WIDTH = 860  # of each part in the picture
_COLOURS = 200


def take_picture(page: Path) -> Image.Image:
    """The top of the page, and beside it the network with the first layer open."""
    parts = []
    with opened(page) as browser:
        metrics = {"width": _SIZE[0], "height": _SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        for place in ("", "#network"):
            browser.execute_script("location.hash = arguments[0]; if (!arguments[0]) scrollTo(0, 0)", place)
            if place:
                browser.execute_script("document.querySelectorAll('.layers details')[1].open = true")
            shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
            parts.append(Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB"))
    height = round(_SIZE[1] * _WIDTH / _SIZE[0])
    whole = Image.new("RGB", (2 * _WIDTH + _GAP, height), "#d4d9df")
    for number, part in enumerate(parts):
        whole.paste(part.resize((_WIDTH, height), Image.Resampling.LANCZOS), (number * (_WIDTH + _GAP), 0))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    take_picture(arguments.page).quantize(_COLOURS, method=Image.Quantize.FASTOCTREE).save(arguments.out, optimize=True)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
