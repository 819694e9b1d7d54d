"""Which builds of specs a run needs, and the end of the browser that its tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

# A build of one epoch, and the whole build of the same spec, of which the same is asserted and more.
SHORT, WHOLE = (
    "test_spec_builds_after_an_epoch",
    "test_spec_builds_and_beats_its_baseline",
)
SPEC_TESTS = "tests/end_to_end/test_specs.py"


def spec_of(item: pytest.Item, test: str) -> str | None:
    """The spec that a test of this name builds; None where it is another test."""
    prefix = f"{SPEC_TESTS}::{test}["
    return item.nodeid.removeprefix(prefix).removesuffix("]") if item.nodeid.startswith(prefix) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A spec that is built whole is not built for an epoch as well, which pytest reports as deselected."""
    whole = {spec_of(item, WHOLE) for item in items} - {None}
    repeated = [item for item in items if spec_of(item, SHORT) in whole]
    if repeated:
        config.hook.pytest_deselected(items=repeated)
        items[:] = [item for item in items if item not in repeated]


@pytest.fixture(scope="session", autouse=True)
def one_browser() -> Iterator[None]:
    """What shows a page starts it; here it ends."""
    yield
    if "tests.support.browser" in sys.modules:
        sys.modules["tests.support.browser"].quit_browser()
