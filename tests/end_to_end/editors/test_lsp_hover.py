"""What `nnspec lsp` shows of a layer, an argument or a variable under the cursor."""

from __future__ import annotations

import pytest

from tests.end_to_end.editors.client import Editor
from tests.end_to_end.editors.nnspec_server import spec


def test_hover_shows_what_a_layer_does(editor: Editor) -> None:
    shown = editor.hover(spec("  - Conv|1D: {filters: 7, kernel_size: 3, padding: causal}"))
    assert "`(time 10, feature 5)` → `(time 10, filter 7)`" in shown
    assert "kernel `(3, 5, 7)`" in shown
    assert "= 112" in shown  # 3·5·7 + 7
    assert "sees: time 3" in shown
    assert "slide along it and read all channels" in shown


def test_hover_shows_every_round(editor: Editor) -> None:
    items = "  - repeat:\n      for: {units: [3, 7]}\n      model:\n        - Den|se: {units: $units}"
    shown = editor.hover(spec(items))
    assert "`(time 10, feature 5)` → `(time 10, unit 3)`" in shown
    assert "`(time 10, unit 3)` → `(time 10, unit 7)`" in shown
    assert "units = 3" in shown


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("  - Flat|ten", "`(time 10, feature 5)` → `(time_feature 50)`"),
        ("  - Dense: {uni|ts: 3}", "size of the new axis"),
        ("  - Conv1D: {filters: 3, kernel_size: 3, padding: cau|sal}", "zeros at the start only"),
        ("  - Conv1D: {filters: 3, kernel_size: 3, padd|ing: same}", "default `valid`"),
        ("  - Dense: {units: 3, kernel_initializer: he_nor|mal}", "He normal initializer"),
        ("  - Dense: {units: 3, kernel_initializer: {RandomN|ormal: {}}}", "Random normal"),
        ("  - Dense: {units: 3, kernel_initializer: {RandomNormal: {std|dev: 0.1}}}", "Standard deviation"),
        ("  - TimeDistributed: {layer: {Den|se: {units: 3}}}", "A fully connected layer"),
        ("  - TimeDistributed: {layer: {Dense: {uni|ts: 3}}}", "size of the new axis"),
        ("  - Dense: {units: 3, fr|om: x}", "Its inputs"),
        ("  - Flatten  # because of NN3|01", "reshape"),
    ],
)
def test_hover_explains(editor: Editor, items: str, said: str) -> None:
    assert said in editor.hover(spec(items))


def test_hover_on_sections_and_variables(editor: Editor) -> None:
    text = spec("  - Dense: {units: $(2 * wi|dth)}", more="vars: {width: 4}\n")
    assert "`width` = `4`" in editor.hover(text)
    assert "learning rate" in editor.hover(spec("  - Flatten") + "training: {optimizer: {Adam: {learning_r|ate: 1}}}")
    assert "Passes over" in editor.hover(spec("  - Flatten") + "training: {epo|chs: 3}\n")
    assert editor.hover(spec("  - Flatten  # |nothing to say")) == ""


def test_hover_in_spite_of_faults(editor: Editor) -> None:
    """A fault against the schema further up: what can be known is shown."""
    items = "  - Conv1D: {filters: 7, kernel_size: 3}\n  - Flat|ten\n  - Dense: {unitz: 4}\n  - Softmaxx"
    assert "→ `(time_filter 56)`" in editor.hover(spec(items))
    items = "  - Conv1D: {filters: 7, kernel_size: [1, 2, 3]}\n  - Flat|ten"
    assert "Merges all axes" in editor.hover(spec(items))
