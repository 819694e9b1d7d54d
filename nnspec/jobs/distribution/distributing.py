"""Brings a training to its end by several workers, and leaves its last checkpoint.

Workers of this machine are processes, which find one another over the loopback interface. Where one of them ends before
the training does, the others cannot go on without it: all are started again, at the last checkpoint. Workers of a
cluster are Ray Train's.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.diagnostics import Fix, Span, SpecError
from nnspec.jobs.distribution.share import CHECKPOINT, FAULT, Share, read_fault
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.training.distribution import Distribution, distribution_of

LOG = "workers.log"
MOST_ENDS = 3  # of workers, one after another, with no new checkpoint between them
INTERVAL = 0.2  # seconds between two looks at the workers
Processes = Sequence["subprocess.Popen[str]"]


def distribute(checked: Checked, folder: Path, progress: Progress, *, resume: bool) -> bool:
    """Trains by the workers that a spec names, up to the last checkpoint; whether it names some.

    Args:
        folder: where checkpoints are, and what `prepared` wrote.
        resume: goes on with the checkpoint that is there.
    """
    distribution = distribution_of(checked.section("training"))
    if distribution is None:
        return False
    section = checked.root.get("training")
    span = section.span if section is not None else checked.root.span
    (folder / CHECKPOINT / FAULT).unlink(missing_ok=True)
    if not resume:
        CheckpointFiles(folder / CHECKPOINT).forget()
    progress.say(f"{distribution.workers} workers: {_describe_workers(distribution)}")
    share = share_of(checked, folder, distribution.workers)
    if distribution.ray is not None:
        run_on_ray(share, distribution.ray, span)
    else:
        run_here(share, span, progress)
    if (folder / CHECKPOINT / FAULT).is_file():
        raise read_fault(folder / CHECKPOINT / FAULT, span)
    return True


def share_of(checked: Checked, folder: Path, workers: int) -> Share:
    """What the workers of a training are told."""
    engine = checked.section("training").get("backend")  # which may have been chosen
    return Share(
        path=str(checked.path.absolute()),
        text=checked.text,
        overrides={**checked.overrides, "training.backend": engine},
        folder=str(folder.absolute()),
        fold=checked.data.split.fold if checked.data is not None else None,
        workers=workers,
    )


def _describe_workers(distribution: Distribution) -> str:
    if distribution.ray is None:
        return "processes of this machine"
    return f"Ray Train at {distribution.ray}" if distribution.ray else "Ray Train"


def run_here(
    share: Share, span: Span, progress: Progress, started: Callable[[Processes], None] = lambda processes: None
) -> None:
    """Runs the workers as processes of this machine, again where one ends before the training does.

    Args:
        started: is told the processes each time.

    Raises:
        SpecError: NN635 where they end again and again.
    """
    files, ends, furthest = CheckpointFiles(Path(share.folder) / CHECKPOINT), 0, ""
    while True:
        code = _run_once(share, progress, started)
        if not code:
            return
        newest = max(files.names(), default="")
        ends, furthest = (1 if newest > furthest else ends + 1), newest
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        if ends >= MOST_ENDS:
            raise _report_end(share, how, span)
        progress.say(f"note: a worker ended {how}; all start again from the last checkpoint")


def _run_once(share: Share, progress: Progress, started: Callable[[Processes], None]) -> int:
    """Runs all workers to their end: 0, or the code of the first that failed."""
    coordinator, log = f"127.0.0.1:{free_port()}", str(Path(share.folder) / CHECKPOINT / LOG)
    processes: list[subprocess.Popen[str]] = []
    try:
        for rank in range(share.workers):
            said = "quiet" if progress.quiet else "aloud"
            command = [
                sys.executable,
                "-m",
                "nnspec.jobs.distribution.worker_process",
                str(rank),
                coordinator,
                log,
                said,
            ]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8")
            processes.append(process)
            assert process.stdin is not None
            process.stdin.write(share.to_json() + "\n")
            process.stdin.flush()
        started(processes)
        while True:
            codes = [process.poll() for process in processes]
            if failed := [code for code in codes if code]:
                return failed[0]
            if all(code == 0 for code in codes):
                return 0
            time.sleep(INTERVAL)
    except BrokenPipeError:  # it ended before it read
        return 1
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.close()


def run_on_ray(share: Share, address: str, span: Span) -> None:
    """Runs the workers to the end of the training; a process apart, since this one has JAX loaded, speaks to Ray.

    Args:
        address: of the cluster; empty: of one that runs on this machine, else a new one.

    Raises:
        SpecError: NN635 where there is no cluster, or its workers end again and again.
    """
    command = [sys.executable, "-m", "nnspec.jobs.distribution.ray_driver", address]
    done = subprocess.run(command, input=share.to_json(), capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        message = f"Ray Train failed: {lines[-1] if lines else f'it ended with code {done.returncode}'}"
        fixes = [Fix("start a cluster with `ray start --head`, whose nodes have the same folders and packages")]
        raise SpecError.single("NN635", message, span, path="training.distribute", fixes=fixes)


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _report_end(share: Share, how: str, span: Span) -> SpecError:
    log = Path(share.folder) / CHECKPOINT / LOG
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    message = f"workers ended {MOST_ENDS} times, the last one {how}, without a new checkpoint between them"
    fixes = [Fix("see why a single process ends: remove `distribute`"), Fix("start fewer workers, in more memory")]
    notes = [line for line in lines if line.strip()][-5:]
    return SpecError.single("NN635", message, span, path="training.distribute", notes=notes, fixes=fixes)
