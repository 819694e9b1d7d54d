"""Prints what smaller forms of the specs' files weigh, lose and gain: `python -m tests.tools.variants_table [SPEC…]`.

Each spec is built with all forms and without a limit on their loss; what is built already is not built again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nnspec import api
from nnspec.diagnostics import SpecError
from tests.support.paths import ROOT

FORMS = ("float16", "int8", "int4")


def built(spec: Path, out: Path, form: str) -> dict[str, object] | str:
    """What `verify.json` says of a form, or why there is none."""
    folder = out / f"{spec.stem}-{form}"
    if not (folder / "verify.json").is_file():
        try:
            api.load(spec, {"export.variants": [form], "export.max_loss": 1e9}).build(folder)
        except SpecError as error:
            return error.diagnostics[0].message
    return dict(json.loads((folder / "verify.json").read_text(encoding="utf-8"))["variants"][form])


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints a table of the smaller forms of the specs' files.")
    parser.add_argument("specs", nargs="*", type=Path, help="default: all under specs/")
    parser.add_argument("--out", type=Path, default=Path("out/variants"))
    given = parser.parse_args()
    print("| spec | form | size against float32 | speed at batch 1 | metrics on test |\n|---|---|---|---|---|")
    for spec in given.specs or sorted((ROOT / "specs").glob("*.yaml")):
        for form in FORMS:
            found = built(spec, given.out, form)
            if isinstance(found, str):
                print(f"| {spec.stem} | {form} | {found} |", flush=True)
                continue
            losses = found["losses"]
            assert isinstance(losses, list)
            said = "; ".join(map(str, losses))
            print(f"| {spec.stem} | {form} | {found['size_ratio']} | {found['speed']}× | {said} |", flush=True)


if __name__ == "__main__":
    main()
