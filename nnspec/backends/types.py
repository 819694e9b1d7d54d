"""Type aliases for Keras objects, which have no type annotations.

They are for signatures alone, so that a reader and an editor see what a function takes. No framework is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import keras

Tensor: TypeAlias = Any  # of whichever framework computes
KerasTensor: TypeAlias = "keras.KerasTensor | Tensor"  # symbolic, or with values in it
KerasShape: TypeAlias = tuple[int | None, ...]  # with the batch, None where a size is not known
KerasModel: TypeAlias = "keras.Model"
KerasLayer: TypeAlias = "keras.Layer"
KerasCallback: TypeAlias = "keras.callbacks.Callback"
KerasVariable: TypeAlias = "keras.Variable"
KerasDataset: TypeAlias = "keras.utils.PyDataset"
KerasOptimizer: TypeAlias = "keras.optimizers.Optimizer"
KerasLoss: TypeAlias = "keras.Loss"
KerasMetric: TypeAlias = "keras.Metric"
KerasLogs: TypeAlias = dict[str, Any] | None  # what callbacks are told: metrics by name
KerasCallable: TypeAlias = Callable[..., Any]  # a Keras layer, or a function over Keras tensors in place of one
KerasConfig: TypeAlias = dict[str, Any]  # what `get_config` gives, and a class is made of again

Values: TypeAlias = Tensor | Mapping[str, Tensor]  # a single input or output directly, several by name
# A function of tensors by name that gives a scalar to differentiate, and a value that is handed back beside it.
Differentiable: TypeAlias = Callable[[Mapping[str, Tensor]], tuple[Tensor, Tensor]]
