"""A Ray cluster of two nodes on this machine, in a process of its own: `with two_nodes() as address`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLUSTER = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@contextmanager
def two_nodes() -> Iterator[str]:
    """Starts them, each with one processor to give, and gives the cluster's address; ends them afterwards."""
    settings = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "120"}
    with subprocess.Popen(
        [sys.executable, "-c", _CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=settings,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError(process.communicate()[1].strip().splitlines()[-1])
        yield address
        process.communicate()  # its input ends, and so does it


def training_workers() -> list[int]:
    """The processes in which Ray Train runs the workers of a training."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                title = (folder / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            if title.startswith(b"ray::") and b"TrainWorker" in title:
                found.append(int(folder.name))
    return sorted(found)
