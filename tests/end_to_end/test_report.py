"""`report.html` of real builds, in a real browser without a network.

Without Chromium and its driver, what needs them is left out, and pytest says so.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from nnspec import api
from nnspec.jobs import Run
from tests.support.browser import CHROMIUM, DRIVER, accessibility_faults, complaints, opened, requests

needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium or its driver is not installed")

HEAD = """
nnspec: 1
name: NAME
description: A test of <b>tags</b> & "quotes".
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs: {row: {columns: [a, b], scale: standard}}
  outputs: {y: {columns: [COLUMN]}}
inputs: {row: {axes: {feature: 2}}}
"""
SPECS = {
    "binary": ("sign", "[{Dense: {units: 1, activation: sigmoid}}]", "{y: {task: binary}}"),
    "classes": (
        "kind",
        "[{Dense: 4}, {Dense: {units: 3, activation: softmax, as: class}}]",
        "{y: {task: classification}}",
    ),
    "numbers": ("sum", "[{Dense: 4}, {Dense: {units: 1, as: target}}]", "{y: {task: regression}}"),
}


@pytest.fixture(scope="module", params=list(SPECS))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "sum", "kind", "sign"])
        for a, b in rng.normal(size=(200, 2)).round(3):
            writer.writerow([a, b, a + b, ("<low>", "mid", "high")[int(a > 0) + int(b > 0)], int(a + b > 0)])
    column, model, outputs = SPECS[request.param]
    spec = folder / "spec.yaml"
    text = HEAD.replace("NAME", request.param).replace("COLUMN", column)
    spec.write_text(f"{text}model: {model}\noutputs: {outputs}\ntraining: {{epochs: 3}}\n", encoding="utf-8")
    return api.load(spec).build(folder / "out")


def page_of(run: Run) -> Path:
    return run.folder / "report.html"


@needs_browser
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_a_browser_has_nothing_to_complain_of(built: Run, is_dark: bool) -> None:
    with opened(page_of(built), is_dark=is_dark) as browser:
        assert complaints(browser) == []
        assert requests(browser) == [page_of(built).as_uri()]
        for details in browser.find_elements(By.TAG_NAME, "details"):
            browser.execute_script("arguments[0].open = true", details)
        assert accessibility_faults(browser) == []
        background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(20, 23, 27)" if is_dark else "rgb(255, 255, 255)")
        ink = browser.execute_script("return getComputedStyle(document.querySelector('figure svg text')).fill")
        assert ink == ("rgb(230, 233, 237)" if is_dark else "rgb(27, 31, 36)")


@needs_browser
def test_the_figures_are_those_of_the_files(built: Run) -> None:
    metrics = json.loads((built.folder / "metrics.json").read_text(encoding="utf-8"))
    with opened(page_of(built)) as browser:
        (table,) = browser.find_elements(By.XPATH, "//table[caption='Metrics of y']")
        head = [cell.text for cell in table.find_elements(By.CSS_SELECTOR, "thead th")]
        found = {
            row.find_element(By.TAG_NAME, "th").text: [
                cell.get_attribute("data-value") for cell in row.find_elements(By.TAG_NAME, "td")
            ]
            for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
        }
        for split in ("train", "validation", "test"):
            figures = metrics[split]["y"]
            place = head.index(split) - 1
            numbers = {key: value for key, value in figures.items() if isinstance(value, int | float)}
            assert {key: float(cells[place] or "nan") for key, cells in found.items()} == numbers
            naive = figures["baseline"]
            assert {key: float(cells[place + 1]) for key, cells in found.items() if key in naive} == {
                key: value for key, value in naive.items() if key in numbers
            }
        assert "A test of <b>tags</b>" in browser.find_element(By.TAG_NAME, "header").text


@needs_browser
@pytest.mark.parametrize("how", ["keyboard", "mouse"])
def test_a_box_of_the_drawing_opens_its_layer(built: Run, how: str) -> None:
    with opened(page_of(built)) as browser:
        details = browser.find_elements(By.TAG_NAME, "details")[0]
        assert details.get_attribute("open") is None
        box = browser.find_element(By.CSS_SELECTOR, '.drawing a[href="#layer-1"]')
        assert str(box.get_attribute("aria-label")).startswith("dense_1, Dense, ")
        if how == "keyboard":
            box.send_keys(Keys.ENTER)
        else:
            ActionChains(browser).move_to_element(box).click().perform()
        assert details.get_attribute("open") is not None
        assert "units" in details.text
        assert "kernel" in details.text
        assert "parameters" in details.text
        labels = [label.text for label in browser.find_elements(By.CSS_SELECTOR, ".drawing .line text")]
        assert labels[0] == "feature 2"
        summary = details.find_element(By.TAG_NAME, "summary")
        summary.send_keys(Keys.SPACE)
        assert details.get_attribute("open") is None


def test_it_is_one_small_file(built: Run) -> None:
    text = page_of(built).read_text(encoding="utf-8")
    assert len(text.encode()) < 2_000_000
    assert "http://" not in text.replace("http://www.w3.org/", "").replace("http://purl.org/", "")
    assert "<script" not in text


def test_the_same_build_gives_the_same_bytes(built: Run) -> None:
    again = api.load(built.folder.parent / "spec.yaml").build(built.folder.parent / "again")
    assert page_of(again).read_bytes() == page_of(built).read_bytes()


def test_worst_samples_and_confusions_are_counted(built: Run) -> None:
    """By hand, from the predictions of the deployed file on the test rows."""
    from nnspec import runtime
    from nnspec.jobs.dataset import load_dataset

    dataset = load_dataset(api.load(built.folder.parent / "spec.yaml").checked)
    split = dataset.splits["test"]
    said = runtime.load(built.onnx)(split.raw["row"])
    text = page_of(built).read_text(encoding="utf-8")
    if "y_label" not in said:
        errors = np.abs(said["y"] - split.target["y"]).reshape(-1)
        worst = int(np.argmax(errors))
        assert f'<th scope="row">row {split.rows[worst] + 1}</th>' in text
        assert f"<td>{errors[worst]:.4g}</td>" in text
        return
    names = dataset.outputs["y"].classes or []
    labels, truth = said["y_label"].reshape(-1).astype(str), split.target["y"].reshape(-1).astype(str)
    for i, name in enumerate(map(str, names)):
        counts = [int(((truth == name) & (labels == str(other))).sum()) for other in names]
        row = text[text.index("Confusion matrix") :]
        cells = row[row.index(f'<th scope="row">{name.replace("<", "&lt;").replace(">", "&gt;")}</th>') :].split(
            "</tr>"
        )[0]
        assert [int(part.split(">")[-1]) for part in cells.split("</td>")[:-1]] == counts, (i, name)
    assert not math.isnan(float(built.metrics["test"]["y"]["accuracy"]))
