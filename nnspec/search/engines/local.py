"""Runs trials in processes of this machine, which are replaced when they end."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nnspec.search.trials import FAILED, Outcome, Task, Told

MOST_ENDS = 5  # of processes in a row that came no further with a trial


@dataclass(eq=False)
class _Worker:
    """A process, and the trial that it runs.

    Attributes:
        tasks: what the process reads.
    """

    process: subprocess.Popen[str]
    tasks: IO[str]
    task: Task | None = None


@dataclass
class _Ends:
    """How often the process of a trial has ended since it last came further than before."""

    count: int = 0
    furthest: int = 0


@dataclass
class LocalEngine:
    """Processes of this machine.

    Attributes:
        function: what runs a trial, as `package.module:function`.
        log: the file that their standard error is written to.
    """

    function: str
    workers: int
    log: Path
    _running: list[_Worker] = field(default_factory=list)
    _messages: queue.SimpleQueue[tuple[_Worker, str | None]] = field(default_factory=queue.SimpleQueue)

    @property
    def title(self) -> str:
        return f"{self.workers} worker{'s' if self.workers > 1 else ''}"

    def run(self, tasks: Sequence[Task], may_begin: Callable[[], bool]) -> Iterator[Told | Outcome]:
        """Runs tasks; a task whose process ends is begun again by another one, and goes on where it was."""
        waiting, ends = deque(tasks), {task.number: _Ends() for task in tasks}
        begun = set[int]()
        while True:
            while waiting and (waiting[0].number in begun or may_begin()) and self._idle():
                begun.add(waiting[0].number)
                self._give(waiting.popleft())
            if not any(worker.task for worker in self._running):
                return
            worker, line = self._messages.get()
            task = worker.task
            if line is None:
                self._remove(worker)
                if task is not None:
                    ends[task.number].count += 1
                    if ends[task.number].count >= MOST_ENDS:
                        yield Outcome(number=task.number, state=FAILED, reason=_ended(worker.process))
                    else:
                        waiting.appendleft(task)
                continue
            message = json.loads(line)
            if "again" in message:
                worker.task = None
                self._remove(worker)
                assert task is not None
                waiting.appendleft(task)
            elif "epoch" in message:
                told = Told(*message["epoch"])
                if told.epoch > ends[told.number].furthest:
                    ends[told.number] = _Ends(furthest=told.epoch)
                yield told
            else:
                worker.task = None
                yield Outcome.from_json(json.dumps(message["outcome"]))

    def _idle(self) -> bool:
        """Whether a task can be given to somebody."""
        return len(self._running) < self.workers or any(worker.task is None for worker in self._running)

    def _give(self, task: Task) -> None:
        worker = next((worker for worker in self._running if worker.task is None), None) or self._start()
        worker.task = task
        with contextlib.suppress(OSError):  # it has just ended, as its last message will say
            worker.tasks.write(task.to_json() + "\n")
            worker.tasks.flush()

    def _start(self) -> _Worker:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "nnspec.search.engines.worker", self.function],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        assert process.stdin is not None
        worker = _Worker(process, process.stdin)
        self._running.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        with worker.process.stdout as answers:
            for line in answers:
                if line.endswith("\n"):
                    self._messages.put((worker, line))
        self._messages.put((worker, None))

    def _remove(self, worker: _Worker) -> None:
        if worker in self._running:
            self._running.remove(worker)
        _end(worker)

    def close(self) -> None:
        for worker in self._running:
            _end(worker)
        self._running.clear()


def _end(worker: _Worker) -> None:
    """Ends a process, which does so by itself when nothing can be read any more."""
    with contextlib.suppress(OSError):
        worker.tasks.close()
    try:
        worker.process.wait(5)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()


def _ended(process: subprocess.Popen[str]) -> str:
    code = process.returncode
    how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
    return f"its process ended {how}, {MOST_ENDS} times without an epoch between them"
