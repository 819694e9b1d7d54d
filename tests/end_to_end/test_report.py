"""`report.html` of real builds, in a real browser without a network.

Without Chromium and its driver, what needs them is left out, and pytest says so.
"""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from nnspec import api, pipeline, runtime
from nnspec.ir.graph import Graph
from nnspec.jobs import Run
from nnspec.jobs.dataset import load_dataset
from nnspec.report.page import Results, write_report
from nnspec.report.rendering import with_code
from tests.support.browser import CHROMIUM, DRIVER, accessibility_faults, complaints, opened, requests

pytestmark = pytest.mark.plots
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium or its driver is not installed")

HEAD = """
nnspec: 1
name: NAME
description: A test of <b>tags</b> & "quotes".
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  units: {a: km/h, sum: m}
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
    text = text if request.param == "numbers" else text.replace(", sum: m", "")
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
def test_the_metrics_are_those_of_the_files(built: Run) -> None:
    metrics = json.loads((built.folder / "metrics.json").read_text(encoding="utf-8"))
    assert (built.folder / "history.png").stat().st_size > 5_000
    with opened(page_of(built)) as browser:
        (table,) = browser.find_elements(
            By.XPATH, "//table[caption='Metrics of y' or starts-with(caption, 'Metrics of y,')]"
        )
        head = [cell.text for cell in table.find_elements(By.CSS_SELECTOR, "thead th")]
        found = {
            row.find_element(By.TAG_NAME, "th").text: [
                cell.get_attribute("data-value") for cell in row.find_elements(By.TAG_NAME, "td")
            ]
            for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
        }
        for split in ("train", "validation", "test"):
            scored = metrics[split]["y"]
            place = head.index(split) - 1
            numbers = {key: value for key, value in scored.items() if isinstance(value, int | float)}
            assert {key: float(cells[place] or "nan") for key, cells in found.items()} == numbers
            naive = scored["baseline"]
            assert {key: float(cells[place + 1]) for key, cells in found.items() if key in naive} == {
                key: value for key, value in naive.items() if key in numbers
            }
        assert "A test of <b>tags</b>" in browser.find_element(By.TAG_NAME, "header").text


@needs_browser
@pytest.mark.parametrize("how", ["keyboard", "mouse"])
def test_a_box_of_the_drawing_opens_its_layer(built: Run, how: str) -> None:
    with opened(page_of(built)) as browser:
        details = browser.find_elements(By.CSS_SELECTOR, ".layers details")[0]
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


def test_names_within_sentences_are_code(built: Run) -> None:
    """Names that messages write between backticks look like code, and a name cannot bring markup of its own."""
    page = (built.folder / "report.html").read_text(encoding="utf-8")
    assert "`" not in page.split("<body>")[1]
    assert "<code>feature</code>" in page
    assert with_code("`<b>` & `x`") == "<code>&lt;b&gt;</code> &amp; <code>x</code>"


def test_it_is_one_small_file(built: Run) -> None:
    text = page_of(built).read_text(encoding="utf-8")
    assert len(text.encode()) < 2_000_000
    assert "http://" not in text.replace("http://www.w3.org/", "").replace("http://purl.org/", "")
    assert "<script" not in text


def test_the_same_build_gives_the_same_bytes(built: Run) -> None:
    again = api.load(built.folder.parent / "spec.yaml").build(built.folder.parent / "again")
    assert page_of(again).read_bytes() == page_of(built).read_bytes()


def cells_of(row: str) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", row)


def test_worst_samples_are_the_worst(built: Run) -> None:
    """By hand, from the predictions of the deployed file on the test rows."""
    split = load_dataset(api.load(built.folder.parent / "spec.yaml").checked).splits["test"]
    said = runtime.load(built.onnx)(split.raw["row"])
    text = page_of(built).read_text(encoding="utf-8")
    rows = re.findall(r'<th scope="row">row (\d+)</th>(.*?)</tr>', text)
    assert len(rows) == 10
    if "y_label" not in said:
        errors = np.abs(said["y"] - split.target["y"]).reshape(-1)
    else:
        codes = split.y["y"].reshape(-1).astype(int)
        scores = said["y"].reshape(len(codes), -1)
        if scores.shape[1] == 1:
            scores = np.concatenate([1 - scores, scores], axis=1)
        errors = 1 - scores[np.arange(len(codes)), codes]
    worst = int(np.argmax(errors))
    number, cells = rows[0]
    assert int(number) == split.rows[worst] + 1
    values = [float(value) for value in re.findall(r'data-value="([^"]*)"', cells)]
    assert values == pytest.approx([errors[worst]], abs=1e-5)
    assert cells_of(cells)[3:] == [f"{value:.4g}" for value in split.raw["row"][worst].tolist()]


def test_confusions_are_counted(built: Run) -> None:
    """By hand, from the labels of the deployed file on the test rows."""
    dataset = load_dataset(api.load(built.folder.parent / "spec.yaml").checked)
    split = dataset.splits["test"]
    said = runtime.load(built.onnx)(split.raw["row"])
    text = page_of(built).read_text(encoding="utf-8")
    assert ("y_label" in said) == ("Confusion matrix" in text)
    if "y_label" not in said:
        return
    names = dataset.outputs["y"].classes or []
    labels, truth = said["y_label"].reshape(-1).astype(str), split.target["y"].reshape(-1).astype(str)
    for name in map(str, names):
        counts = [int(((truth == name) & (labels == str(other))).sum()) for other in names]
        row = text[text.index("Confusion matrix") :]
        row = row[row.index(f'<th scope="row">{name.replace("<", "&lt;").replace(">", "&gt;")}</th>') :]
        assert [int(cell) for cell in cells_of(row.split("</tr>")[0])] == counts
    assert not math.isnan(float(built.metrics["test"]["y"]["accuracy"]))


@needs_browser
def test_the_data_are_those_of_the_file(built: Run) -> None:
    body = json.loads((built.folder / "data.json").read_text(encoding="utf-8"))
    with opened(page_of(built)) as browser:
        (table,) = browser.find_elements(By.XPATH, "//table[starts-with(caption, 'Values of input row')]")
        for row in table.find_elements(By.CSS_SELECTOR, "tbody tr"):
            name = row.find_element(By.TAG_NAME, "th").text
            split, *cells = row.find_elements(By.TAG_NAME, "td")
            statistics = body["inputs"]["row"]["columns"][name]["splits"][split.text]
            shown = [float(cell.get_attribute("data-value") or "nan") for cell in cells]
            assert shown == [statistics[key] for key in ("missing", "mean", "std", "min", "max")]
        facts = dict(
            zip(
                (each.text for each in browser.find_elements(By.CSS_SELECTOR, "#leakage ~ dl dt")),
                (each.text for each in browser.find_elements(By.CSS_SELECTOR, "#leakage ~ dl dd")),
                strict=True,
            )
        )
        assert facts["rows in two splits"] == "none"
        warnings = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "#leakage ~ .warning strong")]
        assert warnings == [each["code"] for each in body["leakage"]["warnings"]]


@needs_browser
def test_all_of_it_is_printed(built: Run) -> None:
    """On paper what is closed on the screen is open, and the colours are those of the light page."""
    with opened(page_of(built), is_dark=True) as browser:
        (inside, *_) = browser.find_elements(By.CSS_SELECTOR, ".layers .inside")
        assert not inside.is_displayed()
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        seen = "return arguments[0].checkVisibility({contentVisibilityAuto: true})"
        WebDriverWait(browser, 10).until(lambda it: it.execute_script(seen, inside))  # styles follow a frame later
        assert not browser.find_element(By.TAG_NAME, "nav").is_displayed()
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert len(browser.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000


@needs_browser
def test_a_narrow_page_does_not_scroll_sideways(built: Run) -> None:
    with opened(page_of(built)) as browser:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        )
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400


@needs_browser
@pytest.mark.parametrize("name", [pytest.param("resnet50", marks=pytest.mark.slow), "unet"])
def test_a_large_network_is_legible(name: str, tmp_path: Path) -> None:
    """Its blocks are boxes, which lead to their own drawings; without a training."""
    graph = pipeline.check(Path(f"specs/networks/{name}.yaml")).graph
    page = tmp_path / "report.html"
    write_report(page, results_of(graph))
    assert page.stat().st_size < 2_000_000
    with opened(page) as browser:
        assert complaints(browser) == []
        boxes = browser.find_elements(By.CSS_SELECTOR, ".map .drawing .box")
        assert len(boxes) <= 26
        block = browser.find_element(By.CSS_SELECTOR, ".map a.block")
        place = str(block.get_dom_attribute("href")).removeprefix("#")
        block.send_keys(Keys.ENTER)
        inside = browser.find_element(By.ID, place)
        assert inside.is_displayed()
        assert inside.find_element(By.CSS_SELECTOR, ".drawing a.layer").is_displayed()
        if name == "unet":  # axe-core takes minutes over ten thousand elements
            assert accessibility_faults(browser) == []


def test_units_are_told_wherever_numbers_are(built: Run) -> None:
    interface = json.loads((built.folder / "interface.json").read_text(encoding="utf-8"))
    predictor = runtime.load(built.onnx)
    card, page = ((built.folder / name).read_text(encoding="utf-8") for name in ("MODEL_CARD.md", "report.html"))
    doc = onnx.load(built.onnx).doc_string.splitlines()
    assert interface["inputs"]["row"]["units"] == {"a": "km/h"} == predictor.inputs["row"].units
    assert predictor.inputs["row"].unit == ""  # `b` has none
    assert doc[1] == "`row` is in km/h (`a`)."
    assert "| a: km/h |" in card
    output = interface["outputs"]["y"]
    if output["task"] != "regression":
        assert "unit" not in output
        assert predictor.outputs["y"].unit == ""
        return
    assert output["unit"] == "m" == predictor.outputs["y"].unit
    assert predictor.outputs["y"].units == {"sum": "m"}
    assert doc[2] == "`y` is in m."
    assert "| sum | m | regression |" in card
    assert "Metrics of y, errors in m" in card
    scored = json.loads((built.folder / "metrics.json").read_text(encoding="utf-8"))["test"]["y"]
    verdict = "better" if scored["rmse"] < scored["baseline"]["rmse"] else "no better"
    assert f"rmse (m) of y, test rows; {verdict} than mean, " in page
    for label in ("true y (m)", "predicted (m)", "predicted minus true y (m)"):
        assert f">{label}</text>" in page


def results_of(graph: Graph) -> Results:
    return Results(
        graph=graph, description="", overview={}, split="test", outcomes=[], is_in_order=False, metrics={}, folds=[],
        history=[], best_epoch=1, verification={}, versions={}, hashes={}, units={},
    )  # fmt: skip


def test_the_model_card_has_the_metrics_and_its_program_runs(built: Run) -> None:
    card = (built.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    headings = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert headings == [
        "Intended use", "Inputs and outputs", "Data", "Metrics", "Limits", "How to run it", "Verification",
        "Versions and hashes",
    ]  # fmt: skip
    assert "A test of <b>tags</b>" in card
    metrics = json.loads((built.folder / "metrics.json").read_text(encoding="utf-8"))
    rows = {
        cells[0]: cells[1:]
        for line in card[card.index("Metrics of y") :].split("\n\n")[1].splitlines()
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    split = next(place for place, name in enumerate(rows["metric"]) if name == "test")
    for key, value in metrics["test"]["y"].items():
        if isinstance(value, float):
            assert float(rows[key][split]) == pytest.approx(value, rel=1e-3, abs=1e-4)
    manifest = json.loads((built.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]["model.onnx"] in card
    assert manifest["data"]["files"]["rows.csv"] in card
    data = json.loads((built.folder / "data.json").read_text(encoding="utf-8"))
    found = data["inputs"]["row"]["columns"]["a"]["splits"]["train"]
    assert f"`a` {found['min']:.4g} to {found['max']:.4g}" in card
    program = card.split("```python\n")[1].split("```")[0]
    ran = subprocess.run([sys.executable, "-c", program], cwd=built.folder, capture_output=True, text=True, check=True)
    sample = json.loads((built.folder / "interface.json").read_text(encoding="utf-8"))["sample"]
    said = dict(line.split(" ", 1) for line in ran.stdout.splitlines())
    assert set(said) == set(sample["outputs"])
    assert np.ravel(json.loads(said["y"])) == pytest.approx(np.ravel(sample["outputs"]["y"]), abs=1e-5)
