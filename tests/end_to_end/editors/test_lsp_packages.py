"""`nnspec lsp` knows the layers of packages that are installed beside nnspec."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.editors.client import Editor
from tests.end_to_end.editors.nnspec_server import COMMAND, spec
from tests.support.plugins.install import MODULE, environment, install


@pytest.fixture(scope="module")
def equipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("packages")
    install(folder, {"ScaleShift": f"{MODULE}:ScaleShift"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment(folder)["PYTHONPATH"])
        editor = Editor(COMMAND)
    yield editor
    editor.close()


def test_completes_kinds_and_arguments(equipped: Editor) -> None:
    assert "ScaleShift" in equipped.complete(spec("  - Flatten\n  - Sca|"))
    assert "ScaleShift" in equipped.complete(spec("  - TimeDistributed: {layer: |}"))
    assert {"factor", "name", "from"} <= set(equipped.complete(spec("  - ScaleShift: {|}")))
    assert "factor" in equipped.complete(spec("  - ScaleShift:\n      name: scaled\n      fa|"))
    assert not equipped.complete(spec("  - Dense: {|}"))


def test_hovers_and_diagnoses(equipped: Editor) -> None:
    assert "a weight of its own" in equipped.hover(spec("  - Scale|Shift: {factor: 2}"))
    assert "multiplied by as well" in equipped.hover(spec("  - ScaleShift: {fac|tor: 2}"))
    uri = equipped.open(spec("  - ScaleShift: {factor: -1}"))
    assert [d.code for d in equipped.diagnostics(uri)] == ["NN206"]
