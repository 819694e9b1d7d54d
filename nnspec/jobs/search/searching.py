"""`nnspec search`: trials of a space, generation by generation, and the winner's verified build.

A generation is chosen from the results of those before, and its trials run wherever an engine has room. They are
written down in the order of their numbers. So the same spec gives the same trials and the same winner with any number
of workers, and after any interruption.
"""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnspec import pipeline
from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.diagnostics.unwritable import unwritable
from nnspec.document import Mapping as MappingNode
from nnspec.expansion.overrides import path_steps
from nnspec.expansion.resolved import flow
from nnspec.jobs.building import run_build
from nnspec.jobs.choosing import KEY, with_engine
from nnspec.jobs.resuming import AGAIN
from nnspec.jobs.run import Run
from nnspec.jobs.search.monitor import Monitor, monitor_of
from nnspec.jobs.search.origin import origin_of, refuse_other
from nnspec.jobs.search.winner import best_of, built_winner, no_winner
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.report.search_page import write_search_page
from nnspec.search.engines.local import LocalEngine
from nnspec.search.goals import find_metric
from nnspec.search.locking import TakenError, lock_file
from nnspec.search.plan import SearchPlan, read_search
from nnspec.search.pruning import limits_of
from nnspec.search.space import Point
from nnspec.search.table import Table, write_trials
from nnspec.search.trials import COMPLETE, REFUSED, Engine, Finished, Outcome, Task, Told

FUNCTION = "nnspec.jobs.search.trial:run_trial"
JOURNAL, TRIALS, BEST, CSV, PAGE, LOCK = "journal.log", "trials", "best", "trials.csv", "search.html", ".search.lock"
MOST_REFUSED = 10  # points with errors, for each that is to be trained


@dataclass
class SearchRun:
    """What a search found.

    Attributes:
        trials: all of them by number.
        best: the number of the winner.
        run: the winner's build.
    """

    folder: Path
    trials: list[Finished] = field(default_factory=list)
    best: int = 0
    run: Run | None = None

    @property
    def winner(self) -> Finished:
        return self.trials[self.best]

    def summary(self, spec: str, overrides: Mapping[str, object]) -> str:
        """The winner in words: its value, and the command that builds it."""
        given = {path: value for path, value in overrides.items() if path_steps(path)[0] != "search"}
        values = {**given, **{path: flow(value) for path, value in self.winner.point.items()}}
        settings = " ".join(f"--set {shlex.quote(f'{path}={value}')}" for path, value in values.items())
        number, value = self.winner.outcome.number, self.winner.outcome.value
        return f"trial {number} of {len(self.trials)} is best: {value:.6g}\nnnspec build {shlex.quote(spec)} {settings}"


def plan_of(checked: Checked) -> SearchPlan:
    """The plan of a spec that passed its checks.

    Raises:
        SpecError: NN203 where it has none, NN612 where Optuna is missing.
    """
    section = checked.root.get("search")
    if not isinstance(section, MappingNode):
        raise SpecError.single(
            "NN203",
            "the spec has no section `search`, so there is nothing to search",
            checked.root.span,
            fixes=[Fix("add one: `nnspec explain search` has its keys")],
        )
    if checked.data is None:
        raise SpecError.single("NN203", "a search trains, which needs a section `data`", section.span)
    if not is_installed("search"):
        raise SpecError.single(
            "NN612", "`nnspec search` needs Optuna", section.span, fixes=[Fix(f"`{install_command('search')}`")]
        )
    return read_search(section)


def run_search(
    checked: Checked,
    out: Path,
    progress: Progress,
    engine: Engine,
    *,
    resume: bool = False,
    allow_outside: bool = False,
) -> SearchRun:
    """Searches and builds the winner.

    Args:
        engine: runs the trials; it is closed at the end.
        resume: goes on where an interrupted search stopped.

    Raises:
        SpecError: NN590 where nothing can be trained, NN522 where another search would be resumed, NN606 where the
            folder cannot be used.
    """
    plan = plan_of(checked)
    out = out.absolute()
    with _alone(out):
        if not resume:
            for name in (TRIALS, BEST, f".{BEST}.building"):
                shutil.rmtree(out / name, ignore_errors=True)
            (out / JOURNAL).unlink(missing_ok=True)
        checked, chosen = with_engine(checked, out, progress, resume=resume)
        if chosen:  # for all trials
            checked = replace(checked, overrides={**checked.overrides, KEY: chosen["auto"]["engine"]})
        search = _Search(checked, plan, out, progress, engine, allow_outside)
        try:
            search.run()
        finally:
            engine.close()
        return search.finish(resume=resume)


def engine_for(out: Path, workers: int, address: str | None) -> Engine:
    """The engine of the command line.

    Args:
        address: of a Ray cluster; empty: any; None: processes of this machine.

    Raises:
        SpecError: NN612 where Ray is missing.
    """
    if address is None:
        return LocalEngine(FUNCTION, workers, out.absolute() / TRIALS / "workers.log")
    if not is_installed("ray"):
        here = Span(Source("--ray", ""))
        raise SpecError.single("NN612", "`--ray` needs Ray", here, fixes=[Fix(f"`{install_command('ray')}`")])
    from nnspec.search.engines.cluster import ClusterEngine

    return ClusterEngine(FUNCTION, address)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    here = Span(Source("--out", ""))
    try:
        with lock_file(out / LOCK, waits=False):
            yield
    except TakenError:
        message = f"another search runs in `{out.name}`"
        raise SpecError.single(
            "NN606", message, here, fixes=[Fix("wait until it ends, or choose another `--out`")]
        ) from None
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise unwritable(error, out) from None


class _Search:
    """A search that runs."""

    def __init__(
        self, checked: Checked, plan: SearchPlan, out: Path, progress: Progress, engine: Engine, allow_outside: bool
    ) -> None:
        from nnspec.search.journal import DamagedJournalError, Journal

        self.checked, self.plan, self.out, self.engine = checked, plan, out, engine
        self.progress, self.allow_outside = progress, allow_outside
        self.monitor: Monitor = monitor_of(plan, checked)
        made_of = origin_of(checked, plan)
        try:
            self.journal = Journal(out / JOURNAL, plan, made_of)
        except DamagedJournalError as error:
            message = f"`{JOURNAL}` is damaged: {error}"
            raise SpecError.single("NN590", message, plan.span, fixes=[Fix(AGAIN)]) from None
        refuse_other(self.journal.origin, made_of, plan)
        self.began = time.monotonic() - self.journal.seconds
        self.table = Table(plan, progress, engine.title)

    @property
    def trials(self) -> list[Finished]:
        return self.journal.trials

    def run(self) -> None:
        """Runs generations until the budget is spent, or no point is left."""
        from nnspec.search.sampling import choose_points

        if isinstance(self.engine, LocalEngine) and self.engine.workers > self.plan.generation:
            self.progress.say(f"note: `generation: {self.plan.generation}` keeps at most as many workers busy")
        if self.trials:
            self.progress.say(f"{len(self.trials)} trials are in the journal")
        with self.table:
            while self._may_go_on():
                generation = len(self.trials) // self.plan.generation
                first = generation * self.plan.generation
                points = choose_points(self.plan, generation, self.trials[:first])
                done = len(self.trials) - first
                if done >= len(points):
                    self.progress.say("every point of the space was tried")
                    return
                if not self._run_generation(first, points, done):
                    return

    def _may_go_on(self) -> bool:
        trained = sum(trial.outcome.state != REFUSED for trial in self.trials)
        refused = len(self.trials) - trained
        most = max(100, MOST_REFUSED * (self.plan.trials or 0))
        if refused >= most:
            self.progress.say(f"{refused} points of the space have errors: no more are tried")
        is_in_budget = self.plan.trials is None or trained < self.plan.trials
        return is_in_budget and refused < most and self._is_in_time()

    def _is_in_time(self) -> bool:
        return self.plan.seconds is None or time.monotonic() - self.began < self.plan.seconds

    def _run_generation(self, first: int, points: list[Point], done: int) -> bool:
        """Runs what is left of a generation; whether all of it was.

        Args:
            first: the number of its first trial.
            done: how many of them the journal has.
        """
        limits = limits_of(self.plan, self.trials[:first])
        left = dict(enumerate(points[done:], first + done))
        outcomes: dict[int, Outcome] = {}
        tasks: list[Task] = []
        room = None if self.plan.trials is None else self.plan.trials - self._trained()
        for number, point in left.items():
            if room is not None and len(tasks) >= room:
                break
            refusal = self._refusal(number, point)
            if refusal is not None:
                outcomes[number] = refusal
            else:
                tasks.append(self._task(number, point, limits))
        self.table.begin({number: left[number] for number in left if number in outcomes or number <= _last(tasks)})
        self._write_down(outcomes, left)
        for found in self.engine.run(tasks, self._is_in_time):
            if isinstance(found, Told):
                self.table.tell(found)
            else:
                outcomes[found.number] = found
                self._write_down(outcomes, left)
        return len(self.trials) == first + len(points)

    def _trained(self) -> int:
        return sum(trial.outcome.state != REFUSED for trial in self.trials)

    def _write_down(self, outcomes: Mapping[int, Outcome], points: Mapping[int, Point]) -> None:
        """All outcomes that are next in the order of numbers."""
        while (number := len(self.trials)) in outcomes:
            self.journal.append(Finished(outcome=outcomes[number], point=points[number]), time.monotonic() - self.began)
            self.table.finish(outcomes[number], points[number], self.trials)
        write_trials(self.out / CSV, self.plan, self.trials)

    def _task(self, number: int, point: Point, limits: dict[int, float]) -> Task:
        return Task(
            number=number,
            spec=str(self.checked.path.absolute()),
            overrides=self._overrides(point),
            allow_outside=self.allow_outside,
            folder=str(self.out / TRIALS / f"{number:05d}"),
            goal=self.plan.goal,
            is_maximized=self.plan.is_maximized,
            monitor=self.monitor.name,
            sign=self.monitor.sign,
            limits=limits,
        )

    def _overrides(self, point: Mapping[str, object]) -> dict[str, str]:
        """What the command line set of the spec, and then the point."""
        given = {
            key: value if isinstance(value, str) else flow(value)
            for key, value in self.checked.overrides.items()
            if path_steps(key)[0] != "search"
        }
        return {**given, **{path: flow(value) for path, value in point.items()}}

    def _refusal(self, number: int, point: Point) -> Outcome | None:
        """What is wrong with a point; None where it can be trained."""
        try:
            self._check(point)
        except SpecError as error:
            reason = "; ".join(f"{d.code}: {d.message}" for d in error.diagnostics if d.is_error)
            return Outcome(number=number, state=REFUSED, reason=reason)
        return None

    def _check(self, point: Mapping[str, object]) -> Checked:
        return pipeline.check(
            self.checked.path, self._overrides(point), allow_outside=self.allow_outside, without_search=True
        )

    def finish(self, *, resume: bool) -> SearchRun:
        """Builds the winner, unless that is done, and writes what there is to see.

        Raises:
            SpecError: NN590.
        """
        complete = [trial for trial in self.trials if trial.outcome.state == COMPLETE]
        if not complete:
            raise no_winner(self.trials, self.plan)
        best = best_of(self.plan, complete)
        self._write_page(best)
        winner = self._check(best.point)
        self.progress.say(f"best: trial {best.outcome.number}, {self.plan.goal} {best.outcome.value:.6g}")
        run = built_winner(winner, self.out / BEST) or self._build(winner, resume=resume)
        built = find_metric(run.metrics, self.plan.goal)
        if built != best.outcome.value:
            self.progress.say(
                f"note: the winner's build has {self.plan.goal} {built:.6g}, its trial had {best.outcome.value:.6g}: "
                "the machines or threads differ"
            )
        return SearchRun(self.out, self.trials, best.outcome.number, run)

    def _build(self, winner: Checked, *, resume: bool) -> Run:
        """Builds the winner, going on with an interrupted build of it; not with that of an earlier winner."""
        resume = resume and (self.out / BEST).exists()
        try:
            return run_build(winner, self.out / BEST, self.progress, resume=resume)
        except SpecError as error:
            if not resume or all(d.code != "NN522" for d in error.diagnostics):
                raise
            return run_build(winner, self.out / BEST, self.progress)

    def _write_page(self, best: Finished) -> None:
        from nnspec.search.importance import importances_of

        importances = importances_of(self.plan, self.trials)
        write_search_page(self.out / PAGE, self.checked.graph.name, self.plan, self.trials, best, importances)


def _last(tasks: list[Task]) -> int:
    return tasks[-1].number if tasks else -1
