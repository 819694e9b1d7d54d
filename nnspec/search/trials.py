"""What a trial is told, and what comes of it: records that go between processes as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Protocol

COMPLETE, PRUNED, FAILED, REFUSED = "complete", "pruned", "failed", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A trial that is yet to be run.

    Attributes:
        spec: the path of the spec.
        overrides: its values by path, as text that `--set` takes.
        folder: of this trial alone; what an earlier attempt left there is used.
        goal: `split.output.metric`.
        monitor: the metric of an epoch that is reported and, with `limits`, decides about pruning; None: no metric.
        sign: 1.0, or -1.0 where less of the monitored metric is more of the goal or the other way round.
        limits: by epoch from 1: what its best value so far, times `sign`, must reach.
    """

    number: int
    spec: str
    overrides: dict[str, str]
    allow_outside: bool = False
    folder: str
    goal: str
    is_maximized: bool
    monitor: str | None = None
    sign: float = 1.0
    limits: dict[int, float] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        body = json.loads(text)
        return cls(**{**body, "limits": {int(epoch): value for epoch, value in body["limits"].items()}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial.

    Attributes:
        state: complete, pruned or failed; or refused, if the point has errors and was not trained.
        value: that of the goal; None unless it is complete.
        epochs: the monitored metric of each epoch, from 1, times the task's sign.
        reason: why it is not complete.
    """

    number: int
    state: str
    value: float | None = None
    epochs: tuple[float, ...] = ()
    reason: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        body = json.loads(text)
        return cls(**{**body, "epochs": tuple(body["epochs"])})


Tell = Callable[[int, int, float | None], None]  # of an epoch that is done: its number from 1, of how many, the metric
Function = Callable[[Task, Tell], Outcome]


class FreshProcessNeeded(Exception):
    """A trial cannot run in a process that has run others, as another engine is loaded there."""


@dataclass(frozen=True, slots=True)
class Told:
    """An epoch of a running trial is done."""

    number: int
    epoch: int
    total: int
    value: float | None


class Engine(Protocol):
    """What runs trials: processes of this machine, or a cluster."""

    @property
    def title(self) -> str:
        """What messages call it, as in `2 workers`."""

    def run(self, tasks: Sequence[Task], may_begin: Callable[[], bool]) -> Iterator[Told | Outcome]:
        """Runs tasks, begun in their order, and yields what is known of them as soon as it is.

        Args:
            may_begin: asked before a task is begun; after a no, those that run are finished.
        """

    def close(self) -> None:
        """Ends its processes."""


def function_of(name: str) -> Function:
    """The function of a name such as `package.module:function`, which is how other processes are told of it."""
    module, _, attribute = name.partition(":")
    found: Function = getattr(import_module(module), attribute)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A trial that the journal has."""

    outcome: Outcome
    point: Mapping[str, object]
