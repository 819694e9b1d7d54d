"""`nnspec page` in a real browser without a network: fields and files give what the file gives in ONNX Runtime.

What needs Chromium, its driver or npm's registry is left out where there is none, and pytest says so.
`python -m tests.tools.pages` does the same for every spec under specs/.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import api, runtime
from nnspec.cli import main
from nnspec.page.web_runtime import RuntimeUnavailable, find_runtime
from nnspec.runtime.reading import read_samples
from nnspec.runtime.writing import records
from tests.support.browser import CHROMIUM, DRIVER, accessibility_faults, complaints, opened, requests
from tests.support.pages import fill, largest_difference, predict_files, predict_sample, status, wait_until_loaded

SAVED = Path(__file__).parent / "saved"
SPEC = """
nnspec: 1
name: mixed
description: Columns of <b>every</b> kind & more.
data:
  source: {csv: rows.csv, delimiter: ";", decimal: ",", na_values: {age: -9}}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  missing: {age: median, kind: category}
  units: {age: years}
  inputs:
    row:
      columns:
        age: standard
        kind: one_hot
        tags: {multi_hot: {separator: "|"}}
        day: {date: [month, weekday]}
        member: boolean
  outputs: {y: {columns: [y]}}
inputs: {row: {axes: {feature: auto}}}
model: [{Dense: {units: 4, name: hidden}}, {Dense: {units: 3, activation: softmax, as: class}}]
outputs: {y: {task: classification}, code: {from: hidden, task: none, unit: mV}}
training: {epochs: 1}
"""


@pytest.fixture(scope="module", autouse=True)
def has_what_it_needs() -> None:
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium or its driver is not installed")
    try:
        find_runtime()
    except RuntimeUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    rng = np.random.default_rng(0)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["age", "kind", "tags", "day", "member", "y"])
        for i in range(120):
            age = "-9" if i % 7 == 0 else f"{rng.normal(40, 9):.2f}".replace(".", ",")
            kind = "" if i % 11 == 0 else ("<a>", "b & c", "d")[i % 3]
            tags = "|".join(rng.choice(["x", "y", "z"], int(rng.integers(1, 3)), replace=False))
            writer.writerow(
                [age, kind, tags, f"2024-{1 + i % 12:02}-{1 + i % 28:02}", "yes" if i % 2 else "no", "pqr"[i % 3]]
            )
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return api.load(folder / "spec.yaml").build(folder / "out").onnx


def page_of(model: Path, folder: Path, *options: str) -> Path:
    out = folder / "page.html"
    done = CliRunner().invoke(main, ["page", str(model), "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    assert "wrote" in done.output
    assert out.stat().st_size < 15 * 2**20
    return out


def rows_of(model: Path, data: Path) -> list[dict[str, object]]:
    predictor = runtime.load(model)
    batches = predictor.over(read_samples(data, predictor.metadata))
    return [row for outputs, keys in batches for row in records(outputs, predictor.metadata, keys)]


@pytest.fixture(scope="module")
def page(mixed: Path) -> Path:
    return page_of(mixed, mixed.parent)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_fields_of_every_kind_of_column(mixed: Path, page: Path, is_dark: bool) -> None:
    predictor = runtime.load(mixed)
    given = {"age": "31.5", "kind": "b & c", "tags": "x|z", "day": "2024-05-31", "member": "1"}
    with opened(page, is_dark=is_dark) as browser:
        wait_until_loaded(browser)
        assert "Columns of <b>every</b> kind & more." in browser.find_element("tag name", "header").text
        assert predict_sample(browser)  # of the sample that is filled in
        for column, value in given.items():
            fill(browser, column, value)
        shown = predict_sample(browser)
        wanted = predictor(age=[31.5], kind=["b & c"], tags=["x|z"], day=["2024-05-31"], member=["yes"])
        assert largest_difference(shown["y"], wanted["y"]) < 1e-5
        assert largest_difference(shown["y_label"], wanted["y_label"]) == 0
        labels = [label.text for label in browser.find_elements("css selector", "#sample label")]
        assert [text for text in labels if "years" in text] == ["age (years) (may be empty)"]
        assert "Values of code, in mV" in browser.find_element("id", "result").text
        fill(browser, "age", "")
        fill(browser, "kind", "")
        shown = predict_sample(browser)
        wanted = predictor(age=[None], kind=[None], tags=["x|z"], day=["2024-05-31"], member=["yes"])
        assert largest_difference(shown["y"], wanted["y"]) < 1e-5
        assert accessibility_faults(browser) == []
        assert complaints(browser) == []
        asked = [url for url in requests(browser) if not url.startswith("blob:")]
        assert asked == [page.as_uri()]


def test_a_file_in_a_dialect(mixed: Path, page: Path, tmp_path: Path) -> None:
    data = mixed.parent.parent / "rows.csv"
    with opened(page) as browser:
        wait_until_loaded(browser)
        columns = predict_files(browser, [data])
        wanted = rows_of(mixed, data)
        assert len(columns["y"]) == len(wanted)
        assert "120 predictions; code in mV" in browser.find_element("id", "result").text
        for name in wanted[0]:
            assert largest_difference(columns[name], [row[name] for row in wanted]) < 1e-5, name
        (tmp_path / "bad.csv").write_text(
            data.read_text(encoding="utf-8").replace("2024-05", "2024-55"), encoding="utf-8"
        )
        with pytest.raises(AssertionError, match="has no date"):
            predict_files(browser, [tmp_path / "bad.csv"])
        assert status(browser)[0] == "wrong"
        assert complaints(browser) == []


def test_windows_from_the_field_and_from_a_file(tmp_path: Path) -> None:
    model, data = SAVED / "model.onnx", SAVED / "rows.csv"
    wanted = rows_of(model, data)
    with opened(page_of(model, tmp_path, "--sample", str(data))) as browser:
        wait_until_loaded(browser)
        shown = predict_sample(browser)
        assert largest_difference(shown["kind"], [wanted[0]["kind_p"]]) < 1e-5
        columns = predict_files(browser, [data])
        count = len(columns["kind_p"])
        assert count > 5
        assert largest_difference(columns["kind_p"], [row["kind_p"] for row in wanted[:count]]) < 1e-5
        assert columns["kind"] == [row["kind"] for row in wanted[:count]]
        few = tmp_path / "few.csv"
        few.write_text("".join(data.read_text(encoding="utf-8").splitlines(keepends=True)[:40]), encoding="utf-8")
        assert 5 < len(predict_files(browser, [few])["kind"]) < 40  # axe-core looks at every cell
        assert accessibility_faults(browser) == []
        assert complaints(browser) == []
