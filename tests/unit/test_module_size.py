"""A module holds one idea: one that has grown beyond 350 lines has a second, which goes to a file of its own."""

from __future__ import annotations

from tests.support.paths import PACKAGE

MOST = 350


def test_no_module_is_too_long() -> None:
    sizes = {p.relative_to(PACKAGE).as_posix(): len(p.read_text("utf-8").splitlines()) for p in PACKAGE.rglob("*.py")}
    assert len(sizes) > 400
    assert {name: size for name, size in sizes.items() if size > MOST} == {}
