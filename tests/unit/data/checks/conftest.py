"""Folders with the data files of the plans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.data_files import write_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_table(tmp_path / "a.csv")
    return tmp_path


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    np.savez(tmp_path / "a.npz", x=np.arange(66.0).reshape(11, 2, 3), y=np.arange(11.0), z=np.arange(7.0))
    return tmp_path
