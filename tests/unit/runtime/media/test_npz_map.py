"""Members of archives that are not compressed are mapped, with the values that NumPy loads."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nnspec.data.sources.array_load import load_npz
from nnspec.data.sources.base import SourceError
from nnspec.runtime.errors import InputError
from nnspec.runtime.media.npz_map import map_member
from nnspec.runtime.reading import read_inputs

ARRAYS = {
    "rows": np.arange(24.0).reshape(8, 3),
    "turned": np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
    "words": np.array(["a", "bcd"]),
    "big": np.arange(5, dtype=">i4"),
    "none": np.empty((0, 4)),
    "one": np.array(5.0),
    "flags": np.array([True, False]),
}
METADATA = {"inputs": {"rows": {"axes": [["batch", None], ["feature", 3]], "dtype": "float32"}}}


def test_values_are_numpys(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", **ARRAYS)
    np.savez_compressed(tmp_path / "packed.npz", **ARRAYS)
    for name, wanted in ARRAYS.items():
        for file in ("plain.npz", "packed.npz"):
            got = load_npz(tmp_path / file, name)
            np.testing.assert_array_equal(got, wanted)
            assert got.dtype == wanted.dtype
    assert isinstance(map_member(tmp_path / "plain.npz", "rows"), np.memmap)
    assert isinstance(map_member(tmp_path / "plain.npz", "turned"), np.memmap)
    assert map_member(tmp_path / "packed.npz", "rows") is None


def test_a_large_archive_takes_no_memory(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2**21, 4), np.float32))
    tracemalloc.start()
    try:
        found = load_npz(tmp_path / "a.npz", "x")
        assert found[-1].tolist() == [1.0] * 4
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("at", [-40, 300])
def test_damage_is_told(tmp_path: Path, at: int) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, rows=np.ones((300, 3), np.float32))
    with zipfile.ZipFile(path) as archive:
        (info,) = archive.infolist()
    data = bytearray(path.read_bytes())
    data[at if at > 0 else info.file_size + at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(SourceError, match="CRC"):
        load_npz(path, "rows")
    with pytest.raises(InputError, match="CRC"):
        read_inputs(path, METADATA)
