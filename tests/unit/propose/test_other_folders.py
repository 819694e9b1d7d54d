"""Folders that hold no pictures say what they hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.diagnostics import SpecError
from nnspec.propose.images import plan_images


def test_a_folder_of_clips(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.wav").write_bytes(b"RIFF")
    with pytest.raises(SpecError) as caught:
        plan_images(tmp_path)
    (fault,) = caught.value.diagnostics
    assert (fault.code, "but clips" in fault.message) == ("NN599", True)
    assert "audio: FOLDER" in fault.fixes[0].message
