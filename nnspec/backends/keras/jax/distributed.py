"""JAX as one of several workers that train data parallel, by Keras' `DataParallel` over `jax.distributed`.

Each worker computes its share of every batch, and what a step makes of all of them is what one process would make of
the whole batch: losses, gradients and statistics of batches are those of all samples, and random numbers are drawn for
all of them. A batch that cannot be divided equally, the last of an epoch, is computed as a whole by each.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.jax.backend import JaxBackend, batch_of, dataset
from nnspec.backends.types import KerasDataset, Tensor, Values


class DistributedJax(JaxBackend):
    """A worker.

    Args:
        rank: which of them, from 0.
        workers: how many there are.
        coordinator: the address and port that the first worker listens at.
    """

    def __init__(self, rank: int, workers: int, coordinator: str) -> None:
        self.rank, self.workers, self.coordinator = rank, workers, coordinator

    def start(self) -> None:
        """Waits for the other workers, then imports Keras."""
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(self.coordinator, self.workers, self.rank)
        super().start()
        import keras
        from keras.src.backend.jax import trainer

        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
        plain = trainer._distribute_data

        def distribute(data: Values, layouts: object = None) -> Values:
            """Batches of `_dataset` are distributed already."""
            arrays = keras.tree.flatten(data)
            is_done = any(isinstance(array, jax.Array) and not array.is_fully_addressable for array in arrays)
            return data if is_done else plain(data, layouts)

        trainer._distribute_data = distribute

    def dataset(self, samples: Samples, order: Order) -> KerasDataset:
        return dataset(samples, order, self._batch)

    def _batch(self, samples: Samples, rows: np.ndarray, epoch: int) -> tuple[Values, ...]:
        share, rest = divmod(len(rows), self.workers)
        mine = rows if rest else rows[self.rank * share : (self.rank + 1) * share]
        return tuple(self._global(part, is_whole=bool(rest)) for part in batch_of(samples, mine, epoch))

    def _global(self, values: Values, *, is_whole: bool) -> Values:
        """Shares as the array of all workers; axes `sample *rest`."""
        if isinstance(values, Mapping):
            return {name: self._global(value, is_whole=is_whole) for name, value in values.items()}
        return self._array(np.asarray(values), is_whole=is_whole)

    def _array(self, share: np.ndarray, *, is_whole: bool) -> Tensor:
        import jax

        axis = "workers"
        mesh = jax.sharding.Mesh(np.asarray(jax.devices()), (axis,))
        layout = jax.sharding.PartitionSpec() if is_whole else jax.sharding.PartitionSpec(axis)
        return jax.make_array_from_process_local_data(jax.sharding.NamedSharding(mesh, layout), share)
