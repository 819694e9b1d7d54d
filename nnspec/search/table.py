"""What a search shows while it runs, a live table on a terminal and a line a trial elsewhere, and trials.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.document.types import Plain
from nnspec.progress import Progress
from nnspec.runtime.whole_files import write_whole
from nnspec.search.plan import SearchPlan
from nnspec.search.space import value_key
from nnspec.search.trials import COMPLETE, Finished, Outcome, Told

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table as RichTable

MOST_ROWS = 16  # of the live table: the best, and the latest
RUNNING, WAITING = "running", "waiting"


def text_of(value: object) -> str:
    """A value of a point as a cell has it: a word as it is, anything else as JSON."""
    plain: Plain = value  # type: ignore[assignment]
    return plain if isinstance(plain, str) else value_key(plain)


def write_trials(path: Path, plan: SearchPlan, trials: Sequence[Finished]) -> None:
    """trials.csv: a row a trial with its number, its state, every value of the space and the goal.

    A cell is empty where a trial does not set a value, or gave none of the goal. The same trials give the same bytes.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    paths = [parameter.path for parameter in plan.declared]
    writer.writerow(["number", "state", *paths, "goal"])
    for trial in trials:
        cells = [text_of(trial.point[path]) if path in trial.point else "" for path in paths]
        value = trial.outcome.value
        writer.writerow([trial.outcome.number, trial.outcome.state, *cells, "" if value is None else repr(value)])
    write_whole(path, text.getvalue())


class Table:
    """The trials of a search, drawn again whenever something is known of them."""

    def __init__(self, plan: SearchPlan, progress: Progress, engine: str) -> None:
        self.plan, self.progress, self.engine = plan, progress, engine
        self.running: dict[int, Mapping[str, object]] = {}
        self.told: dict[int, Told] = {}
        self.finished: Sequence[Finished] = ()
        self.live: Live | None = None

    def __enter__(self) -> Table:
        if self.progress.is_terminal:
            from rich.console import Console
            from rich.live import Live

            self.live = Live(console=Console(file=self.progress.stream), auto_refresh=False, transient=False)
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live is not None:
            self.running.clear()  # what was not begun for want of time
            self.draw()
            self.live.stop()

    def begin(self, points: Mapping[int, Mapping[str, object]]) -> None:
        """Trials are about to run."""
        self.running |= points
        self.draw()

    def tell(self, told: Told) -> None:
        self.told[told.number] = told
        self.draw()

    def finish(self, outcome: Outcome, point: Mapping[str, object], finished: Sequence[Finished]) -> None:
        """A trial is finished."""
        self.running.pop(outcome.number, None)
        self.finished = finished
        if self.live is None:
            self.progress.say(self.line(outcome, point))
        self.draw()

    def line(self, outcome: Outcome, point: Mapping[str, object]) -> str:
        values = "  ".join(f"{path}={text_of(value)}" for path, value in point.items())
        said = f"{self.plan.goal} {outcome.value:.6g}" if outcome.value is not None else outcome.reason
        return f"trial {outcome.number}  {outcome.state}  {said}  {values}"

    def draw(self) -> None:
        if self.live is not None:
            self.live.update(self.rich(), refresh=True)

    def rich(self) -> RichTable:
        """The best trial, the latest ones, and those that run."""
        from rich.table import Table as RichTable

        budget = f" of {self.plan.trials}" if self.plan.trials is not None else ""
        table = RichTable(title=f"{len(self.finished)}{budget} trials, {self.engine}", title_justify="left")
        paths = [parameter.path for parameter in self.plan.declared]
        for head in ("trial", "state", "epoch", self.plan.goal, *paths):
            table.add_column(head, overflow="fold")
        complete = [trial for trial in self.finished if trial.outcome.state == COMPLETE]
        sign = -1.0 if self.plan.is_maximized else 1.0
        best = min(complete, key=lambda trial: sign * (trial.outcome.value or 0.0), default=None)
        latest = list(self.finished)[-max(1, MOST_ROWS - len(self.running)) :]
        for trial in [*([best] if best is not None and best not in latest else []), *latest]:
            outcome = trial.outcome
            said = f"{outcome.value:.6g}" if outcome.value is not None else outcome.reason
            style = "bold green" if trial is best else "dim" if outcome.state != COMPLETE else ""
            epochs = str(len(outcome.epochs) or "")
            cells = [text_of(trial.point[path]) if path in trial.point else "" for path in paths]
            table.add_row(str(outcome.number), outcome.state, epochs, said, *cells, style=style)
        for number, point in sorted(self.running.items()):
            told = self.told.get(number)
            epoch = f"{told.epoch}/{told.total}" if told is not None else ""
            value = f"{told.value:.6g}" if told is not None and told.value is not None else ""
            cells = [text_of(point[path]) if path in point else "" for path in paths]
            table.add_row(str(number), RUNNING if told else WAITING, epoch, value, *cells, style="cyan")
        return table
