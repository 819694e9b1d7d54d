"""Packages that others import only because they are there: left out where nnspec is alone, or put off."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from nnspec import unused_packages
from nnspec.unused_packages import put_off, without

LIBRARY = """
try:
    from unused_thing import make
except ImportError:
    make = None
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that looks for a package, and the package; none of them loaded, before and after."""
    (tmp_path / "looking_library.py").write_text(LIBRARY, encoding="utf-8")
    (tmp_path / "unused_thing.py").write_text("def make(size): return ['made'] * size\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("looking_library", "unused_thing"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("is_own", [True, False])
def test_a_package_is_left_out_only_where_nobody_else_may_want_it(
    is_own: bool, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unused_packages, "_is_own_process", is_own)
    with without("unused_thing"):
        library = import_module("looking_library")
    assert (library.make is None) == is_own
    assert import_module("unused_thing").make(2) == ["made", "made"]


@pytest.mark.usefixtures("installed")
def test_a_package_that_is_loaded_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused_packages, "_is_own_process", True)
    wanted = import_module("unused_thing")
    with without("unused_thing"):
        assert import_module("looking_library").make is wanted.make
    assert sys.modules["unused_thing"] is wanted


@pytest.mark.usefixtures("installed")
def test_a_package_is_imported_as_its_function_is_called() -> None:
    with put_off("unused_thing", "make"):
        library = import_module("looking_library")
    assert "unused_thing" not in sys.modules
    assert library.make(2) == ["made", "made"]
    assert import_module("unused_thing").make(1) == ["made"]
    with put_off("no_such_thing", "make"), pytest.raises(ImportError):
        import_module("no_such_thing")


def test_a_wrong_spec_loads_no_grammars(tmp_path: Path) -> None:
    pytest.importorskip("rfc3987_syntax")
    (tmp_path / "spec.yaml").write_text("nnspec: 1\nmodel: [{Dense: {unit: 1}}]\n", encoding="utf-8")
    code = (
        "import sys; from nnspec.pipeline import diagnose; assert diagnose('spec.yaml')\n"
        "assert 'jsonschema' in sys.modules; assert 'lark' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
