"""SARIF against the official schema, and against what the diagnostics say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import jsonschema
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import Diagnostic, Source
from nnspec.diagnostics.apply import apply_fixes
from nnspec.diagnostics.codes import CODES
from nnspec.diagnostics.pages import code_page
from nnspec.diagnostics.sarif import to_sarif
from nnspec.pipeline import diagnose
from tests.support.paths import ERRORS, ROOT

FOLDER = ERRORS
SPECS = sorted(FOLDER.glob("*.yaml"))


@cache
def validator() -> jsonschema.Draft4Validator:
    schema = json.loads((ROOT / "tests" / "data" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def valid(log: dict[str, Any]) -> dict[str, Any]:
    """The only run of a log, which the official schema accepts."""
    log = json.loads(json.dumps(log))
    errors = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator().iter_errors(log)]
    assert not errors
    (run,) = log["runs"]
    return run  # type: ignore[no-any-return]


def text_at(source: Source, region: dict[str, int]) -> str:
    """What stands in a region: lines and columns from 1, the end one past the last character."""
    start = source.offset(region["startLine"], region["startColumn"])
    return source.text[start : source.offset(region["endLine"], region["endColumn"])]


def test_every_case_is_valid_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for spec in SPECS:
        found = diagnose(f"errors/{spec.name}")
        run = valid(to_sarif(found))
        rules = run["tool"]["driver"]["rules"]
        assert len(run["results"]) == len(found)
        for result, diagnostic in zip(run["results"], found, strict=True):
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == diagnostic.code
            assert result["level"] == diagnostic.severity
            assert result["message"]["text"].startswith(diagnostic.message)
            place = result["locations"][0]["physicalLocation"]
            assert place["artifactLocation"] == {"uri": f"errors/{spec.name}", "uriBaseId": "SRCROOT"}
            assert text_at(diagnostic.span.source, place["region"]) == diagnostic.span.text
            assert len(result.get("relatedLocations", ())) == len(diagnostic.all_related)
            check_fixes(result, diagnostic)


def check_fixes(result: dict[str, Any], diagnostic: Diagnostic) -> None:
    """The replacements make the same text as the fixes."""
    text = diagnostic.span.source.text
    expected = [apply_fixes(text, [fix]) for fix in diagnostic.fixes if fix.edits]
    got = []
    for fix in result.get("fixes", ()):
        (change,) = fix["artifactChanges"]
        edited = text
        source = diagnostic.span.source
        starts = {
            source.offset(r["deletedRegion"]["startLine"], r["deletedRegion"]["startColumn"]): r
            for r in change["replacements"]
        }
        for start, replacement in sorted(starts.items(), reverse=True):
            old = text_at(source, replacement["deletedRegion"])
            edited = edited[:start] + replacement["insertedContent"]["text"] + edited[start + len(old) :]
        got.append(edited)
    assert got == expected


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_help(code: str) -> None:
    diagnostic = Diagnostic(code, "message", diagnose(FOLDER / "NN205-value-not-allowed.yaml")[0].span)
    (rule,) = valid(to_sarif([diagnostic]))["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"] == code_page(code)
    assert len(rule["fullDescription"]["text"]) > 20
    assert rule["name"][0].isupper()


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files below the working directory are relative to it; others have absolute URIs; odd names are escaped."""
    inside, outside = tmp_path / "in" / "ä b#%.yaml", tmp_path / "out.yaml"
    inside.parent.mkdir()
    for path in (inside, outside):
        path.write_text("nnspec: 2\n", encoding="utf-8")
    monkeypatch.chdir(inside.parent)
    names = ["ä b#%.yaml", "../out.yaml", "missing.yaml", "--set", "vars.x=["]
    result = CliRunner().invoke(main, ["check", "--format", "sarif", *names])
    assert result.exit_code == 1
    run = valid(json.loads(result.stdout))
    assert {r["ruleId"] for r in run["results"]} == {"NN112", "NN101"}
    result = CliRunner().invoke(main, ["check", "--format", "sarif", *names[:3]])
    run = valid(json.loads(result.stdout))
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in run["results"]]
    assert {uri["uri"] for uri in uris if "uriBaseId" in uri} == {"%C3%A4%20b%23%25.yaml", "missing.yaml"}
    (absolute,) = {uri["uri"] for uri in uris if "uriBaseId" not in uri}
    assert Path(unquote(urlparse(absolute).path)) == outside.resolve()
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == inside.parent.resolve().as_uri() + "/"
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_a_clean_spec_has_no_results(quick: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--format", "sarif", str(quick)])
    assert result.exit_code == 0
    assert valid(json.loads(result.stdout))["results"] == []
