"""Workers of Ray Train, which places them on the nodes of a cluster and starts all again where one is lost.

The spec's folder and the build's are on a file system that all nodes have under the same paths.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from nnspec.diagnostics import Source, Span, SpecError
from nnspec.document.types import JsonObject
from nnspec.jobs.distribution.share import Share
from nnspec.jobs.distribution.worker import train_share
from nnspec.progress import Progress

MOST_FAILURES = 100  # of workers, after each of which all go on from the last checkpoint


def drive(share: Share, address: str) -> None:
    """Connects to a cluster and trains there."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # of a machine that is busy
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

    ray.init(address=address or None, include_dashboard=None if address else False, log_to_driver=False)
    try:
        with TemporaryDirectory() as storage:
            trainer = DataParallelTrainer(
                train_on_ray,
                train_loop_config={"share": share.to_json(), "paths": list(sys.path)},
                scaling_config=ScalingConfig(num_workers=share.workers),
                run_config=RunConfig(storage_path=storage, failure_config=FailureConfig(max_failures=MOST_FAILURES)),
            )
            trainer.fit()
    finally:
        ray.shutdown()


def train_on_ray(config: JsonObject) -> None:
    """What each worker runs."""
    sys.path += [path for path in config["paths"] if path not in sys.path]
    import ray
    import ray.train
    from ray.train.collective import broadcast_from_rank_zero

    rank, share = ray.train.get_context().get_world_rank(), Share.from_json(config["share"])
    if not Path(share.path).is_file() or not Path(share.folder).is_dir():
        missing = share.path if not Path(share.path).is_file() else share.folder
        raise SpecError.single("NN635", f"a node does not have `{missing}`", Span(Source("ray", "")))
    coordinator = broadcast_from_rank_zero(f"{ray.util.get_node_ip_address()}:{_free_port()}" if rank == 0 else None)
    train_share(share, rank, coordinator, Progress(quiet=True))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
