"""A Chromium without a network, which tells what a page asked for and complained of."""

from __future__ import annotations

import importlib.resources
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
_OFFLINE = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,900",
]  # fmt: skip


@contextmanager
def opened(page: Path, *, is_dark: bool = False) -> Iterator[webdriver.Chrome]:
    """A browser that shows a page from the disk."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    for argument in [*_OFFLINE, *(["--force-dark-mode"] if is_dark else [])]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_script_timeout(300)  # seconds: a machine that runs other tests is slow
    try:
        if is_dark:
            media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.get(page.absolute().as_uri())
        yield browser
    finally:
        browser.quit()


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the page's console holds."""
    return [entry["message"] for entry in browser.get_log("browser")]


def requests(browser: webdriver.Chrome) -> list[str]:
    """The addresses that were asked for."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith("data:")]


def accessibility_faults(browser: webdriver.Chrome) -> list[str]:
    """What axe-core finds: each rule that is broken, and where."""
    script = importlib.resources.files("axe_core_python") / "axe.min.js"
    browser.execute_script(script.read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return [f"{each['id']}: {node['target']}" for each in found["violations"] for node in each["nodes"]]
