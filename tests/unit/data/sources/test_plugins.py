"""Sources of packages installed beside nnspec are as good as nnspec's own; what is wrong with one is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.additions import SOURCE_SPEC
from tests.support.paths import ROOT

CSV_SPEC = SOURCE_SPEC.replace('{jsonrows: rows.jsonrows, comment: "#"}', "{csv: rows.csv}")
PACKAGE = '''
"""JSON lines: an object a line, as a kind of table."""

import json

from nnspec.data.sources.base import Column, ColumnFacts, Reading, SourceError, TableFacts, TableSource


class JsonLines(TableSource):
    kind = "jsonrows"
    noun = "rows of JSON"
    description = "A row a line, as a JSON object; the path is relative to the spec's folder."
    suffixes = (".jsonrows",)
    options = {"comment": {"type": "string", "description": "What lines that are no rows begin with."}}

    def rows(self, plan):
        mark = plan.options.get("comment")
        try:
            lines = plan.path.read_text(encoding="utf-8").splitlines()
            return [json.loads(line) for line in lines if not (mark and line.startswith(mark))]
        except ValueError as error:
            raise SourceError(f"it holds no JSON lines ({error})") from None

    def probe(self, plan, wanted, kept):
        rows = self.rows(plan)
        names = list(rows[0])
        facts = {}
        for name in names:
            values = [row.get(name) for row in rows]
            missing = [i for i, value in enumerate(values, 1) if value is None]
            text = next((i for i, value in enumerate(values, 1) if isinstance(value, str)), 0)
            values = [str(value) for value in values] if name in kept else None
            facts[name] = ColumnFacts(
                rows=len(rows), missing=missing, is_text=text > 0, text_row=text, values=values
            )
        return TableFacts(facts, names)

    def open_columns(self, plan, names, reading):
        import numpy as np

        columns = []
        for name in names:
            values = [row.get(name) for row in self.rows(plan)]
            missing = np.array([value is None for value in values])
            kind = float if reading is Reading.NUMBER else str
            columns.append(Column(np.array([kind(0 if value is None else value) for value in values]), missing))
        yield columns
'''


# Writes down which modules its process has at the end.
WATCHED = (
    PACKAGE
    + """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path("loaded.txt").write_text(" ".join(n for n in sys.modules if sys.modules[n])))
"""
)


def install(folder: Path, points: str, text: str = PACKAGE) -> None:
    """A package as pip leaves it: a module, and metadata with entry points beside it."""
    (folder / "jsonlines_of_mine.py").write_text(text, encoding="utf-8")
    metadata = folder / "jsonlines_of_mine-1.2.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: jsonlines-of-mine\nVersion: 1.2\n", "utf-8")
    (metadata / "entry_points.txt").write_text(f"[nnspec.sources]\n{points}\n", encoding="utf-8")
    lines = [json.dumps({"a": i / 10, "b": (i * 7) % 5, "c": i / 5 + 1}) for i in range(60)]
    (folder / "rows.jsonrows").write_text("# rows\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / "spec.yaml").write_text(SOURCE_SPEC, encoding="utf-8")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nnspec.cli", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_check_build_and_predict_know_it(tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines", WATCHED)
    done = run(tmp_path, "check", "spec.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    built = run(tmp_path, "build", "spec.yaml", "--out", "out")
    assert built.returncode == 0, built.stdout + built.stderr
    loaded = set((tmp_path / "loaded.txt").read_text().split())
    assert {"tensorflow", "keras"} <= loaded
    assert not {"jax", "pandas", "sklearn"} & loaded, "which Keras imports where it finds it, and nothing here uses"
    (tmp_path / "new.jsonrows").write_text('{"a": 1.0, "b": 2, "c": 0}\n{"a": 3.0, "b": 1, "c": 0}\n', encoding="utf-8")
    (tmp_path / "new.csv").write_text("a,b\n1.0,2\n3.0,1\n", encoding="utf-8")
    for name in ("new.jsonrows", "new.csv"):
        told = run(tmp_path, "predict", "out/model.onnx", name, "--out", f"{name}.out.csv")
        assert told.returncode == 0, told.stdout + told.stderr
    assert (tmp_path / "new.jsonrows.out.csv").read_text() == (tmp_path / "new.csv.out.csv").read_text()


def test_a_spec_that_does_not_name_it_imports_nothing_of_it(tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines")
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{i},{i % 5},{i / 5}\n" for i in range(60)), "utf-8")
    (tmp_path / "other.yaml").write_text(CSV_SPEC, "utf-8")
    for name, is_named in (("other.yaml", False), ("spec.yaml", True)):
        code = f"import sys; from nnspec import pipeline; assert not pipeline.diagnose('{name}')"
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
        done = subprocess.run(
            [sys.executable, "-c", f"{code}; print('jsonlines_of_mine' in sys.modules)"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == str(is_named), done.stderr


def test_its_keys_are_in_the_schema_that_checks(tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines")
    (tmp_path / "spec.yaml").write_text(SOURCE_SPEC.replace("comment", "coment"), encoding="utf-8")
    said = run(tmp_path, "check", "spec.yaml").stdout
    assert "`coment`" in said
    assert "`comment`" in said
    (tmp_path / "rows.jsonrows").write_text("{not json\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SOURCE_SPEC, encoding="utf-8")
    assert "NN502" in run(tmp_path, "check", "spec.yaml").stdout


@pytest.mark.parametrize(
    ("points", "text", "words"),
    [
        ("jsonrows = jsonlines_of_mine:JsonLine", PACKAGE, "has no attribute"),
        ("jsonrows = jsonlines_of_mine:JsonLines", "import nothing_of_this_name", "nothing_of_this_name"),
        ("jsonrows = jsonlines_of_mine:json", PACKAGE, "is not a `DataSource`"),
        ("jsonrows = jsonlines_of_mine:JsonLines", PACKAGE.replace('"jsonrows"', '"jsons"'), "`jsonrows`"),
        (
            "jsonrows = jsonlines_of_mine:JsonLines",
            PACKAGE.replace("rows = self.rows(plan)", "1 / 0"),
            "ZeroDivisionError",
        ),
        (
            "jsonrows = jsonlines_of_mine:JsonLines",
            PACKAGE.replace("    noun = ", "    name = "),
            "has no `noun`, a text that messages and editors show",
        ),
        (
            "jsonrows = jsonlines_of_mine:JsonLines",
            PACKAGE.replace('options = {"comment"', 'options = ["comment"] or {"comment"'),
            "has `options` of type list",
        ),
        (
            "jsonrows = jsonlines_of_mine:JsonLines",
            PACKAGE.replace("return TableFacts(facts, names)", "return facts"),
            "`probe` returns dict, not `TableFacts` or other `SourceFacts`",
        ),
    ],
)
def test_a_broken_package_is_told(points: str, text: str, words: str, tmp_path: Path) -> None:
    install(tmp_path, points, text)
    done = run(tmp_path, "check", "spec.yaml")
    assert "NN530" in done.stdout, done.stdout + done.stderr
    assert words in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_two_packages_of_one_kind_are_told(tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines")
    (tmp_path / "another-3.0.dist-info").mkdir()
    (tmp_path / "another-3.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 3.0\n")
    points = "[nnspec.sources]\njsonrows = jsonlines_of_mine:JsonLines\n"
    (tmp_path / "another-3.0.dist-info/entry_points.txt").write_text(points)
    said = run(tmp_path, "check", "spec.yaml").stdout
    assert "error[NN530]" in said
    assert "jsonlines-of-mine 1.2" in said
    assert "another 3.0" in said
    assert "uninstall all but one" in said


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ("[column.values for column in columns]", "must yield lists of `Column`, one for each name"),
        ("columns[:1]", "must yield a `Column` for each of 2 names, but has 1"),
        ("[Column(c.values[i:], c.missing[i:]) for i, c in enumerate(columns)]", "has [59, 60]"),
    ],
)
def test_columns_that_cannot_be_are_its_packages_fault(chunk: str, words: str, tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines", PACKAGE.replace("yield columns", f"yield {chunk}"))
    done = run(tmp_path, "data", "spec.yaml")
    assert "error[NN530]" in done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_explain_knows_its_keys(tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines")
    assert "as a JSON object" in run(tmp_path, "explain", "jsonrows").stdout
    assert "`jsonrows`" in run(tmp_path, "explain", "data.source").stdout


def test_a_spec_without_it_does_not_hear_of_a_broken_package(tmp_path: Path) -> None:
    install(tmp_path, "jsonrows = jsonlines_of_mine:JsonLines", "import nothing_of_this_name")
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "\n".join(f"{i},{i % 3},{i / 2}" for i in range(60)), "utf-8")
    (tmp_path / "spec.yaml").write_text(CSV_SPEC, "utf-8")
    done = run(tmp_path, "check", "spec.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
