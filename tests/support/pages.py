"""Works a page that `nnspec page` wrote as a person does, in a real Chromium, and reads what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

_SECONDS = 120
_SHOWN = """return [...document.querySelectorAll('#result [data-output]')].map(
  each => [each.dataset.output, Number(each.dataset.index), each.dataset.value])"""


def wait_until_loaded(browser: webdriver.Chrome) -> None:
    """Until the model can be run.

    Raises:
        AssertionError: where the page says that it cannot.
    """
    WebDriverWait(browser, _SECONDS, 0.05).until(lambda b: status(b)[0] != "busy")
    assert status(browser) == ("ready", ""), status(browser)


def status(browser: webdriver.Chrome) -> tuple[str, str]:
    """The page's state (`busy`, `ready`, `wrong`), and what it says."""
    element = browser.find_element(By.ID, "status")
    return str(element.get_attribute("data-state")), element.text


def predict_sample(browser: webdriver.Chrome) -> dict[str, list[str]]:
    """Presses `Predict`, and gives what is shown: by output its values, as text."""
    return _press(browser, "#sample button[type=submit]")


def predict_files(browser: webdriver.Chrome, files: Iterable[Path]) -> dict[str, list[str]]:
    """Chooses files, presses `Predict all`, and gives the table that is shown, by column."""
    chooser = browser.find_element(By.ID, "file")
    browser.execute_script("arguments[0].value = ''", chooser)
    chooser.send_keys("\n".join(str(file.absolute()) for file in files))
    return _press(browser, "#files button[type=submit]")


def fill(browser: webdriver.Chrome, column: str, value: str) -> None:
    """Types into the field of a column, or chooses there."""
    field = next(
        each
        for each in browser.find_elements(By.CSS_SELECTOR, "[data-kind]")
        if column in (each.get_attribute("data-column"), each.get_attribute("data-input"))
    )
    if field.tag_name == "select":
        wanted = (
            [value] if not field.get_attribute("multiple") else value.split(str(field.get_attribute("data-separator")))
        )
        for option in field.find_elements(By.TAG_NAME, "option"):
            if option.is_selected() != (option.get_attribute("value") in wanted):
                option.click()
        return
    field.clear()
    field.send_keys(value)


def _press(browser: webdriver.Chrome, button: str) -> dict[str, list[str]]:
    result = browser.find_element(By.ID, "result")
    before = result.get_attribute("data-answers")
    browser.find_element(By.CSS_SELECTOR, button).click()
    WebDriverWait(browser, _SECONDS, 0.05).until(lambda _: result.get_attribute("data-answers") != before)
    assert status(browser) == ("ready", ""), status(browser)
    found: dict[str, dict[int, str]] = {}
    for name, index, value in browser.execute_script(_SHOWN):
        found.setdefault(name, {})[int(index)] = value
    return {name: [values[i] for i in sorted(values)] for name, values in found.items()}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far shown values are from the wanted ones, at most.

    Attributes:
        relative: to the wanted value or its unit, the larger; of what is no number 0 where equal, infinite if not.
        absolute: in the output's own unit.
        scale: the largest magnitude of a wanted number.
    """

    relative: float = 0.0
    absolute: float = 0.0
    scale: float = 0.0

    def __or__(self, other: Difference) -> Difference:
        return Difference(
            relative=max(self.relative, other.relative),
            absolute=max(self.absolute, other.absolute),
            scale=max(self.scale, other.scale),
        )


def largest_difference(shown: list[str], wanted: Any, units: Any = 1.0) -> float:
    """The relative one."""
    return difference(shown, wanted, units).relative


def difference(shown: list[str], wanted: Any, units: Any = 1.0) -> Difference:
    """How far the numbers that a page shows are from those of the file, and words equal or not.

    Args:
        units: what counts as 1, of each number along the last axis: the deviation that a target was scaled by, as
            verification measures.
    """
    expected = np.asarray(wanted).reshape(-1)
    assert len(shown) == len(expected), (len(shown), len(expected))
    if expected.dtype.kind not in "fiu":
        words = [str(value).lower() if isinstance(value, bool | np.bool_) else str(value) for value in expected]
        return Difference() if list(shown) == words else Difference(relative=float("inf"), absolute=float("inf"))
    off = np.abs(np.array([float(value) for value in shown]) - expected)
    each = np.resize(np.abs(np.asarray(units, np.float64)).reshape(-1), len(expected))
    return Difference(
        relative=float(np.max(off / np.maximum(each, np.abs(expected)))),
        absolute=float(np.max(off)),
        scale=float(np.max(np.abs(expected))),
    )
