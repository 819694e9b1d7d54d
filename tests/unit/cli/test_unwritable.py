"""What a verb writes is there whole or not at all, and what is in the way is a diagnostic that says what to do."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.diagnostics.unwritable import telling_unwritable
from nnspec.runtime.whole_files import write_whole
from tests.support.paths import ROOT

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # of Linux
TABLE = "age,town,ill\n" + "".join(f"{20 + i},{'ab'[i % 2]},{i % 3 == 0:d}\n" for i in range(60))


def without_privilege() -> None:
    """Makes permissions hold for root too."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)


def without_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # of bytes a file: less than anything that is written


def run(arguments: list[str], folder: Path, before: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nnspec.cli", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": "/tmp", "HOME": "/tmp"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, preexec_fn=before, check=False
    )


def test_a_file_is_as_before_where_writing_fails(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("before")
    file.chmod(0o640)
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half \ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert file.read_text() == "before"
    link = tmp_path / "link"
    link.symlink_to(file)
    write_whole(link, "after")
    assert link.is_symlink()
    assert file.read_text() == "after"
    assert file.stat().st_mode & 0o777 == 0o640
    write_whole("/dev/null", "what is no file is written to as it is")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("name", "said", "advice"),
    [
        ("missing/a.json", "no such file or directory", "create the folder first"),
        ("file/a.json", "not a directory", "is a file, not a folder"),
        ("folder", "is a directory", "name a file in it"),
    ],
)
def test_what_is_in_the_way_is_told(name: str, said: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    with pytest.raises(SpecError) as caught, telling_unwritable(path):
        write_whole(path, "x")
    (found,) = caught.value.diagnostics
    assert found.code == "NN606"
    assert said in found.message
    assert advice in found.fixes[0].message
    with pytest.raises(FileNotFoundError), telling_unwritable(path):
        Path("/no/such/data.csv").read_text()


def test_a_folder_without_permission_and_a_full_disk(tmp_path: Path) -> None:
    data = tmp_path / "people.csv"
    data.write_text(TABLE)
    arguments = ["init", "people.csv", "--target", "ill", "--out", "new.yaml"]
    with read_only(tmp_path):
        refused = run(arguments, tmp_path, without_privilege)
    assert refused.returncode == 1, refused.stderr
    assert "error[NN606]: cannot write `new.yaml`: permission denied" in refused.stderr
    assert "help: choose a folder that you can write to" in refused.stderr
    full = run(arguments, tmp_path, without_room)
    assert full.returncode == 1, full.stderr
    assert "error[NN536]: the disk has no room for `new.yaml`" in full.stderr
    assert "help: free some space" in full.stderr
    assert "Traceback" not in refused.stderr + full.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_a_picture_of_data_and_a_schema(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(TABLE)
    spec, call = tmp_path / "people.yaml", CliRunner().invoke
    assert call(main, ["init", str(tmp_path / "people.csv"), "--target", "ill"]).exit_code == 0
    for arguments in (["data", str(spec), "-q", "--plot", str(spec / "a.png")], ["schema", "--out", str(spec / "b")]):
        done = call(main, arguments)
        assert done.exit_code == 1
        assert f"error[NN606]: cannot write `{arguments[-1]}`" in done.stderr
        assert f"help: `{spec}` is a file, not a folder: choose another folder" in done.stderr
