"""A process that runs trials: `python -m nnspec.search.engines.worker package.module:function`.

It reads tasks, a line of JSON each, and writes what is known of them in the same way. It ends at once when its standard
input ends, so that no worker outlives the search that it belongs to, even if that is killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import TextIO

from nnspec.search.trials import FreshProcessNeeded, Function, Task, function_of
from nnspec.unused_packages import claim_process


def serve(function: Function, answers: TextIO, tasks: queue.SimpleQueue[str]) -> None:
    """Runs tasks one after another, forever."""
    while True:
        task = Task.from_json(tasks.get())

        def tell(epoch: int, total: int, value: float | None, number: int = task.number) -> None:
            _write(answers, {"epoch": [number, epoch, total, value]})

        try:
            _write(answers, {"outcome": json.loads(function(task, tell).to_json())})
        except FreshProcessNeeded:
            _write(answers, {"again": task.number})
            return


def _write(answers: TextIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _listen(tasks: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the search is interrupted, and ends its workers
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    serve(function_of(sys.argv[1]), answers, tasks)


if __name__ == "__main__":
    claim_process()
    main()
