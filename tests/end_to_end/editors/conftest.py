"""One server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.editors.client import Editor
from tests.end_to_end.editors.nnspec_server import COMMAND


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    editor = Editor(COMMAND)
    yield editor
    assert editor.is_running  # whatever was opened
    editor.close()
