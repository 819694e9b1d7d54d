"""The language server on a spec of 300 lines: from an edit to its diagnostics, and from a question to its answer.

A real server over stdio. Each edit is one that has to be checked anew: a number that changes the axes of all layers
after it, in turn with one that makes and one that mends a fault.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lsprotocol import types as lsp

from tests.end_to_end.editors.client import Editor

COMMAND = [sys.executable, "-m", "nnspec.cli", "lsp"]
WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(1000, 0))
BLOCK = """\
  residual:
    parameters: {filters: 16}
    model:
      - Conv1D: {filters: $filters, kernel_size: 3, padding: same, name: look}
      - BatchNormalization: {from: look}
      - Activation: {activation: relu, name: strong}
      - Add: {from: [look, strong]}
"""


def spec(filters: object, lines: int = 300) -> str:
    """Convolutions, normalizations, blocks and repeats, a line each, until there are `lines` lines."""
    text = ["nnspec: 1", "vars: {width: 16}", "inputs:", "  x: {axes: {time: 120, feature: 5}}", "blocks:"]
    text += [*BLOCK.splitlines(), "model:"]
    text.append(f"  - Conv1D: {{filters: {filters}, kernel_size: 3, padding: same, name: first}}")
    while len(text) < lines - 4:
        number = len(text)
        text += [
            f"  - Conv1D: {{filters: $(width + {number % 7}), kernel_size: 3, padding: causal, activation: relu}}",
            "  - LayerNormalization",
            f"  - Dropout: {{rate: 0.{number % 9 + 1}}}",
            f"  - Dense: {{units: {8 + number % 5}, kernel_initializer: he_normal}}",
            f"  - block: {{use: residual, filters: {8 + number % 3}}}",
            "  - repeat:",
            "      for: {dilation: [1, 2, 4]}",
            "      model:",
            "        - Conv1D: {filters: $width, kernel_size: 3, padding: causal, dilation_rate: $dilation}",
        ]
    text = [*text[: lines - 4], "  - Flatten", "  - Dense: {units: 1}", "outputs:", "  y: {task: regression}"]
    return "\n".join(text) + "\n"


def main(rounds: int = 30) -> None:
    editor = Editor(COMMAND)
    uri = editor.open(spec(4))
    assert editor.diagnostics(uri) == []
    measured: dict[str, list[float]] = {"edit": [], "edit with a fault": [], "hover": [], "hover after an edit": []}
    layers = len(editor.ask("text_document_inlay_hint", lsp.InlayHintParams(lsp.TextDocumentIdentifier(uri), WHOLE)))
    line = next(i for i, text in enumerate(spec(4).splitlines()) if "Flatten" in text)
    question = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(line, 6))
    version = 1
    for number in range(rounds):
        for name, filters in (("edit", 5 + number), ("edit with a fault", "many")):
            version += 1
            started = time.perf_counter()
            editor.change(uri, version, spec(filters))
            found = editor.diagnostics(uri, version)
            measured[name].append(time.perf_counter() - started)
            assert bool(found) == (filters == "many"), found
            started = time.perf_counter()
            assert "axes" in editor.ask("text_document_hover", question).contents.value
            measured["hover"].append(time.perf_counter() - started)
        version += 1
        editor.change(uri, version, spec(100 + number))
        started = time.perf_counter()
        assert "axes" in editor.ask("text_document_hover", question).contents.value
        measured["hover after an edit"].append(time.perf_counter() - started)
        editor.diagnostics(uri, version)
    print(f"{len(spec(4).splitlines())} lines, {layers} places with layers")
    for name, seconds in measured.items():
        best, median, worst = (1000 * pick(seconds) for pick in (min, statistics.median, max))
        print(f"{name:20s} median {median:6.1f} ms   best {best:6.1f} ms   worst {worst:6.1f} ms")
    print(f"edit to diagnostics: {statistics.median(measured['edit']) * 1000 / 100:.2f} of 100 ms")
    editor.close()


if __name__ == "__main__":
    main()
