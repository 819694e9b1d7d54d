"""Runs trials on a Ray cluster: Ray places them on its nodes, and runs those again whose node or process is lost.

The spec's folder and the output directory are on a file system that all nodes have under the same paths.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.search.trials import FreshProcessNeeded, Outcome, Task, Told, function_of


@dataclass
class ClusterEngine:
    """A Ray cluster.

    Attributes:
        function: what runs a trial, as `package.module:function`.
        address: of its head; empty: of one that runs on this machine, else a new one.
    """

    function: str
    address: str = ""
    _is_ours: bool = False  # whether it was connected to here

    @property
    def title(self) -> str:
        return f"Ray at {self.address}" if self.address else "Ray"

    def run(self, tasks: Sequence[Task], may_begin: Callable[[], bool]) -> Iterator[Told | Outcome]:
        """Runs tasks, as many at once as the cluster has processors."""
        if not tasks:
            return
        import ray

        self._connect()
        remote = ray.remote(num_cpus=1, max_retries=-1)(run_one)
        waiting = list(tasks)
        running: dict[object, int] = {}  # by what Ray refers to their results by
        slots = max(1, int(ray.cluster_resources().get("CPU", 1)))
        while True:
            while waiting and len(running) < slots and may_begin():
                task = waiting.pop(0)
                running[remote.remote(self.function, task.to_json(), list(sys.path))] = task.number
            if not running:
                return
            ready, _ = ray.wait(list(running), num_returns=1)
            for reference in ready:
                running.pop(reference)
                found = ray.get(reference)
                if found.startswith("missing:"):
                    raise _not_shared(found.removeprefix("missing:"))
                yield Outcome.from_json(found)

    def _connect(self) -> None:
        """
        Raises:
            SpecError: NN590 where there is no cluster at the address.
        """
        import ray

        if ray.is_initialized():
            return
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
        try:
            ray.init(
                address=self.address or None, include_dashboard=None if self.address else False, log_to_driver=False
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            here = Span(Source("--ray", ""))
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            message = f"there is no Ray cluster at `{self.address}`: {reason}"
            raise SpecError.single("NN590", message, here, fixes=[Fix("start one with `ray start --head`")]) from None
        self._is_ours = True

    def close(self) -> None:
        if self._is_ours:
            import ray

            ray.shutdown()
            self._is_ours = False


def run_one(function: str, text: str, paths: list[str]) -> str:
    """Runs a task on a node, and gives its outcome as JSON.

    Args:
        paths: where the search finds its modules, which are used here too if they are not known.
    """
    sys.path += [path for path in paths if path not in sys.path]
    task = Task.from_json(text)
    if not Path(task.spec).is_file():
        return f"missing:{task.spec}"
    try:
        return function_of(function)(task, lambda *_: None).to_json()
    except FreshProcessNeeded:
        os._exit(1)  # Ray runs the task again, in another process


def _not_shared(path: str) -> SpecError:
    here = Span(Source("--ray", ""))
    fix = Fix("put the spec's folder and `--out` on a file system that all nodes have under the same paths")
    return SpecError.single("NN590", f"a node of the Ray cluster does not have `{path}`", here, fixes=[fix])
