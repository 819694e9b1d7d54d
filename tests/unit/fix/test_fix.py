"""`nnspec fix`: text mended in place, patches that tools accept, and files that change meanwhile."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.fix.files import fix_file
from nnspec.pipeline import diagnose

WRONG = """\
# What was meant: keys first.
nnspec: 1
inputs:
  scores: {axes: {query: 4, key: 4}}   # both four

model:
  - Reshape:
      to: {key: 4, query: 4}
  - {Dense:   {units: 6,activation: relu}}
  - Reshape: {target_shape: [6, 4, 1]}   # Umlaut: ä 値
  - Conv2D: {filters: 2, kernel_size: 1, over: [unit, key]}
  - Flatten:
  - Dense:   {units: 3,name: b}
outputs: {y: {task: regression}}"""
FIXED = WRONG.replace("Reshape:\n      to: {key: 4, query: 4}", "permute: [key, query]").replace(
    "Reshape: {target_shape: [6, 4, 1]}", "permute: [unit, key]\n  - insert: {channel: 1}"
)
UNFIXABLE = """\
nnspec: 1
inputs: {x: {axes: {feature: 5}}}
model: [{Dense: {unit: 3}}]
outputs: {y: {task: regression}}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("wrong.yaml")
    path.write_bytes(WRONG.encode())
    return path


def test_everything_else_stays_byte_for_byte(wrong: Path) -> None:
    result = run("fix", wrong)
    assert result.exit_code == 0, result.stdout
    assert wrong.read_text(encoding="utf-8") == FIXED
    assert not [d for d in diagnose(wrong) if d.is_error]


def test_says_what_and_where(wrong: Path) -> None:
    lines = run("fix", wrong).stdout.splitlines()
    assert [line.split(": ")[0] for line in lines[:2]] == ["wrong.yaml:8:11", "wrong.yaml:9:29"]
    assert "fixed NN303, the reshape names an axis `key`, but it contains `query`: reorder instead" in lines[0]
    assert "fixed NN301, reshape scrambles axes `key` and `unit`: reorder first, then add the unit axis" in lines[1]
    assert lines[-1] == "wrong.yaml: 2 fixes applied"
    assert run("fix", wrong).stdout == "wrong.yaml: nothing to fix\n"
    assert run("fix", wrong, "-q").stdout == ""


def test_says_what_is_left(wrong: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(UNFIXABLE, encoding="utf-8")
    result = run("fix", "other.yaml", wrong, "missing.yaml")
    assert result.exit_code == 1
    assert "error[NN201]: `Dense` has no `unit`; did you mean `units`?" in result.stdout
    assert "other.yaml: nothing to fix, 1 error left" in result.stdout
    assert "wrong.yaml: 2 fixes applied" in result.stdout
    assert "error[NN101]: cannot read `missing.yaml`" in result.stdout
    assert (tmp_path / "other.yaml").read_text(encoding="utf-8") == UNFIXABLE
    assert run("fix", "-q", "other.yaml").stdout.startswith("error[NN201]")


def test_json(wrong: Path) -> None:
    dry = json.loads(run("fix", "--diff", "--format", "json", wrong).stdout)
    assert wrong.read_text(encoding="utf-8") == WRONG
    done = json.loads(run("fix", "--format", "json", wrong).stdout)
    assert (dry["files"][0].pop("written"), done["files"][0].pop("written")) == (False, True)
    assert dry == done
    (file,) = done["files"]
    assert file["file"] == "wrong.yaml"
    assert [(d["code"], d["line"]) for d in file["fixed"]] == [("NN303", 8), ("NN301", 9)]
    assert file["patch"].startswith("--- a/wrong.yaml\n+++ b/wrong.yaml\n@@")
    assert done["diagnostics"] == []


@pytest.mark.parametrize("tool", [["git", "apply", "-"], ["patch", "-p1", "-s"]], ids=["git", "patch"])
@pytest.mark.parametrize(
    "name", ["wrong.yaml", "deep/er/a b.yaml", "ümläut.yaml", 'quo"te\\.yaml'], ids=["plain", "deep", "umlaut", "quote"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_patches_apply(tool: list[str], name: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    for text in (WRONG, WRONG + "\n", "\ufeff" + WRONG + "\n"):
        path.write_bytes(text.replace("\n", end).encode())
        patch = CliRunner().invoke(main, ["fix", "--diff", name]).stdout_bytes
        assert path.read_bytes() == text.replace("\n", end).encode()
        subprocess.run(tool, input=patch, check=True, capture_output=True, timeout=20)
        patched = path.read_bytes()
        path.write_bytes(text.replace("\n", end).encode())
        assert run("fix", "-q", name).exit_code == 0
        assert path.read_bytes() == patched
        assert not [d for d in diagnose(path) if d.is_error]


def test_two_specs_in_one_patch(wrong: Path, tmp_path: Path) -> None:
    (tmp_path / "second.yaml").write_text(WRONG, encoding="utf-8")
    patch = run("fix", "--diff", wrong, "second.yaml").stdout_bytes
    subprocess.run(["git", "apply", "-"], input=patch, check=True, timeout=20)
    assert wrong.read_bytes() == (tmp_path / "second.yaml").read_bytes() != WRONG.encode()


def test_a_file_that_changed_meanwhile_is_left_alone(wrong: Path) -> None:
    """NN118."""
    file = fix_file(wrong)
    edited = WRONG.replace("both four", "4 each")
    wrong.write_text(edited, encoding="utf-8")
    with pytest.raises(SpecError, match=r"NN118: `wrong\.yaml` changed while its fixes were being computed"):
        file.write()
    assert wrong.read_text(encoding="utf-8") == edited
    assert [p.name for p in wrong.parent.iterdir()] == ["wrong.yaml"], "no file is left beside it"
    failed = file.try_write()
    assert (failed.fixed, [d.code for d in failed.remaining]) == ((), ["NN118"])
    wrong.unlink()
    assert [d.code for d in file.try_write().remaining] == ["NN118"]
    assert not wrong.exists()


def test_a_change_between_reading_and_writing_ends_with_1(wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole command, with a writer that is quicker: it edits the file whenever a text was checked."""
    import nnspec.fix.files

    def meddling(path: Path, **options: object) -> list[object]:
        found = diagnose(path, **options)  # type: ignore[arg-type]
        wrong.write_text(WRONG + "\n# edited\n", encoding="utf-8")
        return found  # type: ignore[return-value]

    monkeypatch.setattr(nnspec.fix.files, "diagnose", meddling)
    result = run("fix", wrong)
    assert result.exit_code == 1
    assert "error[NN118]" in result.stdout
    assert "applied" not in result.stdout
    assert wrong.read_text(encoding="utf-8") == WRONG + "\n# edited\n"


def test_mode_and_links_stay(wrong: Path, tmp_path: Path) -> None:
    wrong.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to("wrong.yaml")
    assert run("fix", "link.yaml").exit_code == 0
    assert link.is_symlink()
    assert wrong.read_text(encoding="utf-8") != WRONG
    assert wrong.stat().st_mode & 0o777 == 0o640


def test_names_are_shown_without_control_characters(wrong: Path) -> None:
    odd = wrong.rename("a\x1b[31m\nb.yaml")
    lines = run("fix", odd).stdout.splitlines()
    assert lines[-1] == "a�[31m�b.yaml: 2 fixes applied"
    assert len(lines) == 3
