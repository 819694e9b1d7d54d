"""A Chromium without a network, which tells what a page asked for and complained of."""

from __future__ import annotations

import atexit
import functools
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


@functools.cache
def _browser() -> webdriver.Chrome:
    """One for all pages of this process: to start it takes longer than to look at a page."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    for argument in _OFFLINE:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_script_timeout(300)  # seconds: a machine that runs other tests is slow
    atexit.register(browser.quit)
    return browser


def quit_browser() -> None:
    """Ends the browser, if there is one; the next page starts another."""
    if _browser.cache_info().currsize:
        browser = _browser()
        _browser.cache_clear()
        atexit.unregister(browser.quit)
        browser.quit()


@contextmanager
def opened(page: Path, *, is_dark: bool = False) -> Iterator[webdriver.Chrome]:
    """The browser, which shows a page from the disk, and has neither seen nor logged another."""
    browser = _browser()
    media = {"media": "", "features": [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]}
    try:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.get(page.absolute().as_uri())
        yield browser
    except BaseException:
        quit_browser()  # whatever state it is in
        raise
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)


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
