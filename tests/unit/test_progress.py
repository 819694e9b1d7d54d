"""What a training says of itself: a bar of 80 columns on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import io
import re

from nnspec.progress import Progress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(progress: Progress, metrics: int = 1) -> None:
    bar = progress.epochs(3, 0)
    bar.start()
    for epoch in (1, 2, 3):
        for step in range(1, 6):
            bar.step(epoch, step, 5, 0.5 / epoch)
        bar.advance(epoch, {f"metric_{i}": 0.25 * epoch for i in range(metrics)})
    bar.stop()
    bar.stop()


def test_a_terminal_gets_a_bar_and_keeps_a_line_an_epoch() -> None:
    stream = Terminal()
    run(Progress(stream=stream), metrics=12)
    lines = [line for part in ESCAPES.sub("", stream.getvalue()).split("\n") for line in part.split("\r")]
    assert max(map(len, lines)) <= 80
    kept = [line for line in lines if "metric_0" in line]
    assert [line.split("  ")[:2] for line in kept] == [[f"epoch {e}/3", f"metric_0 {0.25 * e:.4g}"] for e in (1, 2, 3)]
    shown = "\n".join(lines)
    assert "epoch 3/3 ━" in shown
    assert "step 5/5 loss 0.1667" in shown


def test_elsewhere_a_line_an_epoch_and_when_quiet_nothing() -> None:
    stream = io.StringIO()
    run(Progress(stream=stream))
    assert stream.getvalue() == "".join(f"epoch {e}/3  metric_0 {0.25 * e:.4g}\n" for e in (1, 2, 3))
    quiet = Terminal()
    run(Progress(quiet=True, stream=quiet))
    assert quiet.getvalue() == ""
