"""Every diagnostic as a user reads it: tests/golden/errors/NNxxx-*.yaml with the exact text beside it.

`NNSPEC_REGENERATE=1 pytest tests/golden/test_errors.py` writes the texts anew; read the difference before committing.
A comment line `# --set key.path=value` in a spec is an override of that case.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from nnspec.diagnostics import Applicability, Diagnostic
from nnspec.diagnostics.apply import apply_fixes
from nnspec.diagnostics.codes import CODES
from nnspec.diagnostics.pages import code_page
from nnspec.diagnostics.text import to_json, to_text
from nnspec.pipeline import diagnose
from tests.support.paths import ERRORS, PAGES, ROOT

FOLDER = ERRORS
SPECS = sorted(FOLDER.glob("*.yaml"))
REGENERATE = os.environ.get("NNSPEC_REGENERATE") == "1"
SECTIONS = ["## What it does", "## Why it is bad", "## Example", "## Use instead"]

# Codes that no spec alone can show, and the test that shows each.
SHOWN_ELSEWHERE = {
    "NN101": "tests/unit/document/test_document.py",
    "NN118": "tests/unit/fix/test_fix.py",
    "NN216": "tests/unit/layers/test_plugins.py",
    "NN217": "tests/unit/layers/test_plugins.py",
    "NN218": "tests/unit/layers/test_plugins.py",
    "NN352": "tests/unit/jobs/test_vocabularies.py",
    "NN353": "tests/unit/jobs/test_vocabularies.py",
    "NN380": "tests/unit/importers/keras/own_classes/test_blocks_file.py",
    "NN381": "tests/unit/importers/keras/own_classes/test_blocks_file.py",
    "NN515": "tests/end_to_end/test_build.py",
    "NN517": "tests/end_to_end/test_build.py",
    "NN522": "tests/unit/jobs/test_resuming.py",
    "NN536": "tests/unit/jobs/test_full_disk.py",
    "NN537": "tests/unit/training/test_checkpoints.py",
    "NN625": "tests/unit/cli/test_out_of_memory.py",
    "NN627": "tests/end_to_end/test_logging.py",
    "NN538": "tests/unit/jobs/test_rebuilding.py",
    "NN541": "tests/unit/training/test_padded_targets.py",
    "NN530": "tests/unit/data/sources/test_plugins.py",
    "NN566": "tests/unit/runtime/engine/test_query.py",
    "NN568": "tests/unit/data/prepare/test_unchanged.py",
    "NN591": "tests/unit/data/arrays/test_cache.py",
    "NN570": "tests/property/test_leaks.py",
    "NN572": "tests/property/test_leaks.py",
    "NN590": "tests/unit/jobs/search/test_searching.py",
    "NN599": "tests/unit/propose/test_refusals.py",
    "NN601": "tests/end_to_end/test_export.py",
    "NN604": "tests/end_to_end/test_export.py",
    "NN606": "tests/end_to_end/test_build.py",
    "NN607": "tests/unit/importers/keras/test_import.py",
    "NN635": "tests/unit/jobs/distribution/test_distributing.py",
    "NN610": "tests/unit/backends/test_training_backend.py",
    "NN630": "tests/unit/jobs/provenance/test_signing.py",
    "NN631": "tests/unit/jobs/provenance/test_signing.py",
    "NN633": "tests/unit/jobs/test_rebuilding.py",
    "NN612": "tests/end_to_end/test_extras.py",
    "NN617": "tests/end_to_end/test_variants.py",
    "NN624": "tests/unit/page/test_web_runtime.py",
    "NN701": "tests/end_to_end/test_export.py",
    "NN702": "tests/end_to_end/test_export.py",
    "NN703": "tests/end_to_end/test_export.py",
    "NN705": "tests/end_to_end/test_export.py",
    **dict.fromkeys(("NN371", "NN372", "NN373", "NN374", "NN632"), "tests/unit/onnx_axes/test_check.py"),
    "NN706": "tests/unit/cli/test_cli.py",
    "NN708": "tests/unit/importers/keras/test_import.py",
    "NN707": "tests/unit/verify/test_causality.py",
    "NN710": "tests/unit/verify/test_gate.py",
}


def case_diagnostics(spec: Path, monkeypatch: pytest.MonkeyPatch) -> list[Diagnostic]:
    """A case's diagnostics, the file named as it is here."""
    monkeypatch.chdir(FOLDER)
    text = spec.read_bytes().decode("utf-8", "replace")
    return diagnose(spec.name, dict(re.findall(r"^# --set (\S+?)=(.*)$", text, re.MULTILINE)))


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_case(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diagnostics = case_diagnostics(spec, monkeypatch)
    assert spec.name[:5] in {d.code for d in diagnostics}
    got, golden = to_text(diagnostics), spec.with_suffix(".txt")
    if REGENERATE:
        golden.write_text(got, encoding="utf-8")
    assert got == golden.read_text(encoding="utf-8")
    for diagnostic in to_json(diagnostics)["diagnostics"]:
        assert diagnostic["file"] in (spec.name, "--set")
        assert (diagnostic["line"], diagnostic["column"]) <= (diagnostic["end_line"], diagnostic["end_column"])
        assert min(diagnostic["line"], diagnostic["column"]) >= 1


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_fixes_mend(spec: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine-applicable fix ends its diagnostic; one that may be wrong leaves a spec that can be read."""
    diagnostics = case_diagnostics(spec, monkeypatch)
    text = spec.read_bytes().decode("utf-8", "replace")
    for diagnostic in diagnostics:
        for fix in diagnostic.fixes:
            if not fix.edits or any(edit.span.source.name != spec.name for edit in fix.edits):
                continue
            mended = tmp_path / spec.name
            mended.write_text(apply_fixes(text, [fix]), encoding="utf-8")
            left = diagnose(mended)
            assert not {d.code for d in left} & {"NN103", "NN104", "NN105", "NN107", "NN207"}
            if fix.applicability is Applicability.MACHINE:
                assert (diagnostic.code, diagnostic.message) not in {(d.code, d.message) for d in left}


def test_every_code_is_shown() -> None:
    shown = {spec.name[:5] for spec in SPECS}
    assert shown <= set(CODES)
    assert not sorted(set(CODES) - shown - set(SHOWN_ELSEWHERE))
    assert not sorted(shown & set(SHOWN_ELSEWHERE)), "these have a case now: leave them out of the table"


@pytest.mark.parametrize(("code", "test"), SHOWN_ELSEWHERE.items())
def test_shown_elsewhere_is_true(code: str, test: str) -> None:
    assert code in (ROOT / test).read_text(encoding="utf-8")


def test_no_orphans() -> None:
    wanted = {spec.with_suffix(".txt").name for spec in SPECS}
    assert {path.name for path in FOLDER.glob("*.txt")} == wanted
    odd = [
        p.name for p in FOLDER.iterdir() if p.suffix not in (".yaml", ".txt") and p.name not in ("data", "__pycache__")
    ]
    assert not odd
    assert all(re.fullmatch(r"NN\d{3}-[a-z0-9-]+", spec.stem) for spec in SPECS)


@pytest.mark.parametrize("code", CODES)
def test_page(code: str) -> None:
    page = code_page(code)
    lines = page.splitlines()
    assert lines[0] == f"# {code}: {CODES[code]}"
    assert [line for line in lines if line.startswith("## ")] == SECTIONS
    for section in SECTIONS:
        body = page.split(section + "\n", 1)[1].split("\n## ", 1)[0]
        assert body.strip(), section
    assert "```" in page.split("## Example", 1)[1].split("## ", 1)[0]
    assert "```" in page.split("## Use instead", 1)[1]
    assert page.count("```") % 2 == 0
    assert max(map(len, lines)) <= 120


def test_no_page_without_a_code() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES)


DEFAULTS = {
    "nnspec": "1",
    "inputs": "{x: {axes: {feature: 5}}}",
    "model": "[{Dense: {units: 1}}]",
    "outputs": "{y: {task: regression}}",
}
# Pages whose examples need files or commands, or show the cause in other words.
NOT_RUN = {"NN102", "NN380", "NN381", "NN405"}
# Codes below NN515 that come up in training and export all the same.
NOT_AT_CHECK = {"NN352", "NN353"}


def first_yaml(page: str, section: str) -> str | None:
    """The first yaml block of a section, completed to a spec; None where it has none or needs data."""
    body = page.split(section + "\n", 1)[1].split("\n## ", 1)[0]
    found = re.search(r"```yaml\n(.*?)```", body, re.DOTALL)
    if found is None or "data:" in found.group(1):
        return None
    block = found.group(1)
    missing = [
        f"{key}: {value}\n" for key, value in DEFAULTS.items() if not re.search(rf"^{key}:", block, re.MULTILINE)
    ]
    return "".join(missing) + block


@pytest.mark.parametrize("code", sorted(set(CODES) - NOT_RUN))
def test_page_is_true(code: str, tmp_path: Path) -> None:
    """A page's example has the code, and what to use instead has no diagnostics at all."""
    example, instead = (first_yaml(code_page(code), section) for section in ("## Example", "## Use instead"))
    if code in NOT_AT_CHECK or (code >= "NN515" and code != "NN605"):  # they come up in training, export, verification
        example = None
    if example is not None:
        (tmp_path / "spec.yaml").write_text(example, encoding="utf-8")
        assert code in {d.code for d in diagnose(tmp_path / "spec.yaml")}
    if instead is not None:
        (tmp_path / "spec.yaml").write_text(instead, encoding="utf-8")
        assert to_text(diagnose(tmp_path / "spec.yaml")) == ""
