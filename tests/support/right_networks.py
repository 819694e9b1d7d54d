"""Random networks that are right by construction: whatever they are made of, no axis loses its order.

Each step keeps a value's axes in one of three forms, a vector, a sequence or an image, and says how they are named, so
that nothing has to be asked of the checker. The shapes that Keras' layers give are worked out here a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Rng = np.random.Generator
Item = dict[str, Any] | str

STEPS = ["time", "step", "frame", "sample", "day", "position", "token", "series", "lookback"]
FEATURES = ["feature", "channel", "variable", "sensor", "mfcc"]
PLACES = [("height", "width"), ("row", "column"), ("y", "x"), ("mel", "time"), ("frequency", "frame")]
SETS = ["point", "element", "node", "patch", "region", "item"]


@dataclass
class Network:
    """A spec that grows, and the shape of what its last item makes: the sizes of places, then that of the channels."""

    rng: Rng
    shape: tuple[int, ...]
    names: tuple[str, ...]
    is_set: bool = False
    items: list[Item] = field(default_factory=list)
    kept: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    labels: int = 0

    def add(self, kind: str, *alone: Any, **body: Any) -> None:
        """An item, written short where it has one argument and chance will."""
        self.items.append({kind: alone[0]} if alone else ({kind: body} if body else kind))

    def name(self) -> str:
        self.labels += 1
        return f"n{self.labels}"

    def pick(self, *values: Any) -> Any:
        return values[int(self.rng.integers(len(values)))]

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def rank(self) -> int:
        return len(self.shape) - 1


# --------------------------------------------------------------------------------------------------- steps


def dense(net: Network) -> None:
    units = net.pick(2, 3, 4, 6, 8)
    net.add("Dense", units) if net.pick(True, False) else net.add("Dense", units=units, activation="relu")
    net.shape = (*net.shape[:-1], units)


def keeping(net: Network) -> None:
    """A layer that changes no shape."""
    kinds: list[tuple[Any, ...]] = [
        ("Activation", net.pick("relu", "tanh", "gelu")),
        ("Dropout", 0.2),
        ("LeakyReLU", 0.1),
        ("LayerNormalization",),
        ("BatchNormalization",),
        ("ReLU", 6),
        ("GaussianNoise", 0.1),
    ]
    kind, *alone = net.pick(*kinds)
    net.add(kind, *alone)


def convolution(net: Network) -> None:
    filters, causal = net.pick(2, 3, 4, 8), net.rank == 1 and net.pick(True, False)
    net.add(f"Conv{net.rank}D", filters=filters, kernel_size=net.pick(1, 2, 3), padding="causal" if causal else "same")
    net.shape = (*net.shape[:-1], filters)


def pooling(net: Network) -> None:
    if min(net.shape[:-1]) < 4:
        return
    net.add(f"{net.pick('Max', 'Average')}Pooling{net.rank}D", 2)
    net.shape = (*(size // 2 for size in net.shape[:-1]), net.channels)


def upsampling(net: Network) -> None:
    if max(net.shape[:-1]) > 16:
        return
    net.add(f"UpSampling{net.rank}D", 2)
    net.shape = (*(size * 2 for size in net.shape[:-1]), net.channels)


def recurrent(net: Network) -> None:
    units = net.pick(2, 4, 5)
    layer = {net.pick("LSTM", "GRU", "SimpleRNN"): {"units": units, "return_sequences": True}}
    if net.pick(True, False):
        net.items.append(layer)
    else:
        net.add("Bidirectional", layer=layer)
        units *= 2
    net.shape = (net.shape[0], units)


def attention(net: Network) -> None:
    net.add("MultiHeadAttention", num_heads=2, key_dim=3)


def residual(net: Network) -> None:
    """The value, something that keeps its shape, and their sum."""
    start, end = net.name(), net.name()
    net.add("Identity", name=start)
    if net.rank == 0 or net.is_set or net.pick(True, False):
        net.add("Dense", units=net.channels, name=end)
    else:
        net.add(f"Conv{net.rank}D", filters=net.channels, kernel_size=3, padding="same", name=end)
    net.add("Add", [start, end])


def branches(net: Network) -> None:
    """Two layers that read the same, side by side."""
    start, one, other = net.name(), net.name(), net.name()
    net.add("Identity", name=start)
    net.add("Dense", units=3, **{"from": start, "name": one})
    net.add("Dense", units=2, **{"from": start, "name": other})
    net.add("Concatenate", [one, other])
    net.shape = (*net.shape[:-1], 5)


def gate(net: Network) -> None:
    """Squeeze and excite, with the axes of the gate kept or named."""
    start, weights = net.name(), net.name()
    net.add("Identity", name=start)
    net.add(f"GlobalAveragePooling{net.rank}D", keepdims=True)
    net.add("Dense", units=net.channels, activation="sigmoid", name=weights)
    net.items.append({"Multiply": {"from": [start, weights], "broadcast": list(net.names[: net.rank])}})


def mixing(net: Network) -> None:
    """A Dense along the steps, as in MLP-Mixer; the axis keeps its name."""
    start, mixed = net.name(), net.name()
    net.add("Dense", units=4, name=start, **{"as": "hidden"})
    net.items.append({"permute": ["hidden", net.names[0]]})
    net.add("Dense", units=net.shape[0], **{"as": net.names[0]})
    net.items.append({"permute": {"order": [net.names[0], "hidden"], "name": mixed}})
    net.add("Add", [mixed, start])
    net.shape = (net.shape[0], 4)


def boxes(net: Network) -> None:
    """A head of several boxes: filters are cut, and its places put in one row."""
    pairs = net.pick(2, 3)
    net.add("Conv2D", filters=pairs * 4, kernel_size=1)
    height, width = net.shape[:2]
    if {pairs * 4, pairs, 4} & {height, width, height * width}:
        net.shape = (height, width, pairs * 4)  # where sizes could be those of a permute, that is asked about
        return
    net.add("Reshape", [-1, 4])
    net.shape, net.names, net.is_set = (height * width * pairs, 4), ("place", "unit"), True


def rows(net: Network) -> None:
    """An image as a sequence of its rows, a spectrogram as one of its frames; its channels get a name first."""
    (height, width, _), (row, column, *_) = net.shape, net.names
    net.add("Dense", units=3, **{"as": "value"})
    if column in STEPS:
        net.items.append({"permute": [column, row, "value"]})
        height, width, row, column = width, height, column, row
    net.items.append({"merge": {"row_value": [column, "value"]}})
    net.shape, net.names = (height, width * 3), (row, "row_value")


def lay_out(net: Network) -> None:
    """A vector as a sequence or an image: parts of a Dense, as generators and decoders make them."""
    channels = net.pick(2, 3, 4)
    if net.pick(True, False):
        steps = net.pick(5, 7, 10)
        net.add("Dense", steps * channels)
        target: Any = {"to": {"time": steps, "feature": channels}} if net.pick(True, False) else [steps, channels]
        shape: tuple[int, ...] = (steps, channels)
        net.names = ("time" if isinstance(target, dict) else "unit_1", "unit")
        net.items.append({"Reshape": target})
    else:
        height, width = net.pick((4, 6), (7, 7), (5, 5))
        net.add("Dense", height * width * channels)
        net.items.append({"split": {"unit": {"height": height, "width": width, "channel": channels}}})
        shape, net.names = (height, width, channels), ("height", "width", "channel")
    net.shape = shape


def repeat(net: Network) -> None:
    steps = net.pick(5, 6)
    net.add("RepeatVector", steps)
    net.shape, net.names = (steps, net.channels), ("step", "unit")


def pool_all(net: Network) -> None:
    net.add(f"Global{net.pick('Max', 'Average')}Pooling{net.rank}D")
    net.shape, net.names, net.is_set = (net.channels,), ("unit",), False


def flatten(net: Network) -> None:
    net.add("Flatten")
    net.shape, net.names, net.is_set = (int(np.prod(net.shape)),), ("flat",), False


def last_state(net: Network) -> None:
    net.add(net.pick("LSTM", "GRU"), 4)
    net.shape, net.names = (4,), ("unit",)


Step = Callable[[Network], None]
VECTOR: list[Step] = [dense, keeping, residual, branches, lay_out, repeat]
SEQUENCE: list[Step] = [
    dense,
    keeping,
    convolution,
    pooling,
    upsampling,
    recurrent,
    attention,
    residual,
    branches,
    gate,
]
SEQUENCE += [mixing, pool_all, flatten, last_state]
SET: list[Step] = [dense, keeping, attention, residual, branches, pool_all, flatten]
IMAGE: list[Step] = [
    keeping,
    convolution,
    convolution,
    pooling,
    upsampling,
    residual,
    branches,
    gate,
    pool_all,
    flatten,
]
IMAGE += [boxes, rows]


def right_network(rng: Rng) -> dict[str, Any]:
    """A spec to which nothing can be said."""
    net = _begun(rng)
    first = dict(zip(net.names, net.shape, strict=True))
    count = int(rng.integers(4, 10))
    while len(net.items) < count:
        steps = VECTOR if net.rank == 0 else SET if net.is_set else SEQUENCE if net.rank == 1 else IMAGE
        steps[int(rng.integers(len(steps)))](net)
    if net.rank > 1:
        pool_all(net)
    elif net.rank == 1:
        net.pick(pool_all, flatten)(net)
    task = net.pick("regression", "classification", "binary", "multilabel")
    body = {
        "regression": {"units": 2},
        "classification": {"units": 3, "activation": "softmax"},
        "binary": {"units": 1, "activation": "sigmoid"},
        "multilabel": {"units": 3, "activation": "sigmoid"},
    }[task]
    net.items.append({"Dense": body})
    return {"nnspec": 1, "inputs": {"x": {"axes": first}}, "model": net.items, "outputs": {"y": {"task": task}}}


def _begun(rng: Rng) -> Network:
    """A vector, a sequence, a set or an image, under names that people use."""

    def one_of(values: list[Any]) -> Any:
        return values[int(rng.integers(len(values)))]

    feature = one_of(FEATURES)
    match int(rng.integers(4)):
        case 0:
            return Network(rng, (int(rng.integers(3, 9)),), (feature,))
        case 1:
            step = one_of(STEPS)
            names = (step, "channel" if step == "sample" else feature)  # `sample` and `feature` is a batch of rows
            return Network(rng, (int(rng.integers(8, 17)), int(rng.integers(1, 6))), names)
        case 2:
            return Network(
                rng, (int(rng.integers(5, 10)), int(rng.integers(2, 6))), (one_of(SETS), feature), is_set=True
            )
        case _:
            sizes = int(rng.integers(8, 13)), int(rng.integers(8, 13)), one_of([1, 3])
            return Network(rng, sizes, (*one_of(PLACES), "channel"))
