"""Random Keras models in which masks, states and branches meet, and inputs that are hard for them.

A model is a function of its seed. Every step that was taken is told in words, so that a model which fails can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers as kl

Rng = np.random.Generator
STEPS, WORDS = 6, 12
PLACES = ("none", "right", "left", "middle", "rows", "all", "every other")


@dataclass(frozen=True)
class Port:
    """An input of a model: `padding` is the value of a step that its readers pass over."""

    name: str
    shape: tuple[int | None, ...]  # without the batch
    dtype: str
    padding: float | None


@dataclass
class Random:
    """A model that grows: its inputs, and the tensors that a next step may read."""

    rng: Rng
    ports: list[Port] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    sequences: list[Any] = field(default_factory=list)
    vectors: list[Any] = field(default_factory=list)
    images: list[Any] = field(default_factory=list)
    masks: list[tuple[Any, Any]] = field(default_factory=list)  # (embedding, ids), for `mask=` by hand
    steps: list[str] = field(default_factory=list)
    batch: int | None = None  # fixed where a layer keeps its state

    def pick(self, *values: Any) -> Any:
        return values[int(self.rng.integers(len(values)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def say(self, text: str) -> None:
        self.steps.append(text)

    def any_sequence(self) -> Any:
        """One of the sequences, mostly the newest."""
        return self.sequences[-1] if self.chance(0.7) else self.pick(*self.sequences)

    def any_vector(self) -> Any:
        return self.vectors[-1] if self.chance(0.6) else self.pick(*self.vectors)


@dataclass(frozen=True)
class Made:
    """A random model and what its inputs are."""

    model: Any
    ports: list[Port]
    steps: list[str]
    batch: int | None

    @property
    def is_stateful(self) -> bool:
        return self.batch is not None


# ------------------------------------------------------------------------------------------------- inputs


def add_input(net: Random, port: Port) -> Any:
    tensor = keras.Input(batch_shape=(net.batch, *port.shape), dtype=port.dtype, name=port.name)
    net.ports.append(port)
    net.inputs.append(tensor)
    return tensor


def words(net: Random, steps: int | None) -> None:
    """Ids, of which 0 is padding where the embedding masks it."""
    masked = net.chance(0.8)
    name = f"ids{len(net.ports)}"
    ids = add_input(net, Port(name, (steps,), "int32", 0 if masked else None))
    embedding = kl.Embedding(WORDS, net.pick(3, 4, 5), mask_zero=masked)
    net.sequences.append(embedding(ids))
    if masked:
        net.masks.append((embedding, ids))
    net.say(f"{name}: ids {steps}, mask_zero={masked}")


def series(net: Random, steps: int | None) -> None:
    """Numbers, of which a step that is all of one value is padding where a Masking says so."""
    masked = net.chance(0.6)
    value = net.pick(0.0, -1.0)
    name = f"series{len(net.ports)}"
    x = add_input(net, Port(name, (steps, net.pick(3, 4)), "float32", value if masked else None))
    net.sequences.append(kl.Masking(value)(x) if masked else x)
    net.say(f"{name}: series {steps}, masking={value if masked else None}")


def table(net: Random) -> None:
    name = f"table{len(net.ports)}"
    net.vectors.append(add_input(net, Port(name, (net.pick(3, 5),), "float32", None)))
    net.say(f"{name}: table")


def picture(net: Random) -> None:
    name = f"image{len(net.ports)}"
    net.images.append(add_input(net, Port(name, (net.pick(6, 8), net.pick(6, 7), net.pick(1, 2)), "float32", None)))
    net.say(f"{name}: image")


# ------------------------------------------------------------------------------------------------- sequences


def cell(net: Random, **options: Any) -> tuple[str, Any]:
    kind = net.pick("LSTM", "GRU", "SimpleRNN")
    if kind == "GRU" and net.chance(0.3):
        options["reset_after"] = False
    if net.chance(0.15):
        options["activation"] = net.pick("relu", "sigmoid", "softsign")
    if net.chance(0.15):
        options["use_bias"] = False
    if net.chance(0.1):  # backwards over padding Keras' own unrolled loop zeroes the wrong steps
        options.setdefault("unroll", not options.get("go_backwards"))
    if net.chance(0.15) and options.get("return_sequences"):
        options["zero_output_for_mask"] = True
    if net.batch is not None and net.chance(0.7):
        options["stateful"] = True
    units = options.pop("units", None) or net.pick(2, 3, 4)
    return kind, getattr(kl, kind)(units, **options)


def recur(net: Random) -> None:
    x = net.any_sequence()
    kind, layer = cell(net, return_sequences=True)
    net.sequences.append(layer(x))
    net.say(f"{kind} over steps, stateful={layer.stateful}")


def recur_to_the_last(net: Random) -> None:
    x = net.any_sequence()
    kind, layer = cell(net, go_backwards=net.chance(0.25))
    net.vectors.append(layer(x))
    net.say(f"{kind}, last, backwards={layer.go_backwards}")


def hand_over_the_state(net: Random) -> None:
    """An encoder's states are where a decoder starts."""
    x, y = net.any_sequence(), net.pick(*net.sequences)
    units = net.pick(2, 3)
    kind, layer = cell(net, return_state=True, units=units, return_sequences=net.chance(0.4))
    made, *states = layer(x)
    options: dict[str, Any] = {"return_sequences": net.chance(0.7)}
    decoder = getattr(kl, kind)(units, **options)
    net.vectors.extend(states[:1])
    if made.shape != states[0].shape:
        net.sequences.append(made)
    decoded = decoder(y, initial_state=states if len(states) > 1 else states[0])
    (net.sequences if options["return_sequences"] else net.vectors).append(decoded)
    net.say(f"{kind} hands its states to another, {options}")


def start_from_a_vector(net: Random) -> None:
    if not net.vectors:
        return
    x, start = net.any_sequence(), net.any_vector()
    kind = net.pick("LSTM", "GRU", "SimpleRNN")
    states = [kl.Dense(3)(start) for _ in range(2 if kind == "LSTM" else 1)]
    made = getattr(kl, kind)(3, return_sequences=True)(x, initial_state=states if len(states) > 1 else states[0])
    net.sequences.append(made)
    net.say(f"{kind} starts from a vector")


def both_ways(net: Random) -> None:
    x = net.any_sequence()
    over_steps = net.chance(0.6)
    kind, layer = cell(net, return_sequences=over_steps, unroll=False)
    mode = net.pick("concat", "sum", "ave", "mul")
    made = kl.Bidirectional(layer, merge_mode=mode)(x)
    (net.sequences if over_steps else net.vectors).append(made)
    net.say(f"Bidirectional {kind} {mode}, over steps={over_steps}, stateful={layer.stateful}")


def mask_by_hand(net: Random) -> None:
    if not net.masks:
        return
    embedding, ids = net.pick(*net.masks)
    usable = [x for x in net.sequences if x.shape[1] == ids.shape[1] and x.shape[0] == ids.shape[0]]
    if not usable:
        return
    kind, layer = cell(net, return_sequences=net.chance(0.5))
    made = layer(net.pick(*usable), mask=embedding.compute_mask(ids))
    (net.sequences if layer.return_sequences else net.vectors).append(made)
    net.say(f"{kind} with a mask by hand")


def keep_shape(net: Random) -> None:
    x = net.any_sequence()
    layer = net.pick(
        kl.LayerNormalization(),
        kl.BatchNormalization(),
        kl.Dropout(0.3),
        kl.Activation(net.pick("relu", "tanh", "gelu")),
        kl.SpatialDropout1D(0.2),
        kl.GaussianNoise(0.1),
        kl.LeakyReLU(),
        kl.Dense(x.shape[-1]),
        kl.UnitNormalization(),
    )
    net.sequences.append(layer(x))
    net.say(type(layer).__name__)


def convolve(net: Random) -> None:
    x = net.any_sequence()
    layer = net.pick(
        kl.Conv1D(3, 3, padding="causal"),
        kl.Conv1D(3, 2, padding="same", activation="relu"),
        kl.Conv1D(4, 3, padding="causal", dilation_rate=2),
        kl.SeparableConv1D(3, 2, padding="same"),
    )
    net.sequences.append(layer(x))
    net.say(type(layer).__name__)


def change_steps(net: Random) -> None:
    x = net.any_sequence()
    if x.shape[1] is None or x.shape[1] < 4:
        return
    layer = net.pick(
        kl.MaxPooling1D(2), kl.AveragePooling1D(2), kl.UpSampling1D(2), kl.ZeroPadding1D(1), kl.Cropping1D(1)
    )
    net.sequences.append(layer(x))
    net.say(type(layer).__name__)


def change_steps_and_masks(net: Random) -> None:
    """A convolution whose steps are fewer than those of the mask in front of it."""
    x = net.any_sequence()
    if x.shape[1] is None or x.shape[1] < 4:
        return
    net.sequences.append(net.pick(kl.Conv1D(3, 2), kl.Conv1D(3, 3, strides=2, padding="same"))(x))
    net.say("Conv1D that changes the steps")


def run_cells(net: Random) -> None:
    """Cells in an RNN, one or stacked."""
    cells = [net.pick(kl.LSTMCell, kl.GRUCell, kl.SimpleRNNCell)(3) for _ in range(net.pick(1, 2))]
    over_steps = net.chance(0.5)
    made = kl.RNN(cells if len(cells) > 1 else cells[0], return_sequences=over_steps)(net.any_sequence())
    (net.sequences if over_steps else net.vectors).append(made)
    net.say(f"RNN of {[type(c).__name__ for c in cells]}, over steps={over_steps}")


def both_ways_hand_over(net: Random) -> None:
    """States of a bidirectional encoder start a bidirectional decoder."""
    x, y = net.any_sequence(), net.pick(*net.sequences)
    kind, units = net.pick("LSTM", "GRU"), net.pick(2, 3)
    encoder = kl.Bidirectional(getattr(kl, kind)(units, return_state=True, return_sequences=net.chance(0.5)))
    made, *states = encoder(x)
    (net.sequences if encoder.return_sequences else net.vectors).append(made)
    decoder = kl.Bidirectional(getattr(kl, kind)(units, return_sequences=True))
    if net.chance(0.6):
        net.sequences.append(decoder(y, initial_state=states))
    else:
        start = states[: len(states) // 2]
        layer = getattr(kl, kind)(units, return_sequences=True)
        net.sequences.append(layer(y, initial_state=start if len(start) > 1 else start[0]))
    net.say(f"Bidirectional {kind} hands its states on")


def run_backwards(net: Random) -> None:
    """Steps from the last to the first, and back again."""
    x = net.any_sequence()
    kind, layer = cell(net, return_sequences=True, go_backwards=True)
    y = layer(x)
    if net.chance(0.7):
        net.vectors.append(getattr(kl, kind)(2)(y))
    else:
        net.sequences.append(getattr(kl, kind)(2, return_sequences=True, go_backwards=True)(y))
    net.say(f"{kind} backwards over steps")


def gate_by_a_vector(net: Random) -> None:
    """Every step times or plus what a vector says: FiLM, squeeze and excite."""
    x = net.any_sequence()
    width = x.shape[-1]
    vector = net.any_vector() if net.vectors and net.chance(0.5) else kl.GlobalAveragePooling1D()(x)
    weights = kl.Reshape((1, width))(kl.Dense(width, activation="sigmoid")(vector))
    net.sequences.append(net.pick(lambda: x * weights, lambda: kl.Multiply()([x, weights]), lambda: x + weights)())
    net.say("steps gated by a vector")


def gate_each_step(net: Random) -> None:
    """Every step times a number of its own."""
    x = net.any_sequence()
    weights = kl.Dense(1, activation=net.pick("sigmoid", "tanh"))(x)
    net.sequences.append(net.pick(lambda: x * weights, lambda: kl.Multiply()([x, weights]))())
    net.say("steps gated by themselves")


def pool_by_attention(net: Random) -> None:
    """A weighted mean over steps, by a product of two layers."""
    x = net.any_sequence()
    if x.shape[1] is None:
        return
    scores = kl.Dense(1)(x)
    weights = kl.Softmax(axis=1)(scores) if net.chance(0.5) else keras.ops.softmax(scores, axis=1)
    net.vectors.append(kl.Flatten()(kl.Dot(axes=1)([weights, x])))
    net.say("attention pooling")


def tie_words(net: Random) -> None:
    """Another embedding of the same ids, without a mask or with one."""
    if not net.masks:
        return
    _, ids = net.pick(*net.masks)
    net.sequences.append(kl.Embedding(WORDS, 3, mask_zero=net.chance(0.5))(ids))
    net.say("ids embedded twice")


def nest_words(net: Random) -> None:
    """A model that makes its own mask inside, called inside the model."""
    if not net.masks:
        return
    _, ids = net.pick(*net.masks)
    inner = keras.Input(ids.shape[1:], dtype="int32")
    x = kl.Embedding(WORDS, 3, mask_zero=True)(inner)
    x = net.pick(lambda: kl.Dropout(0.1)(x), lambda: kl.LSTM(3, return_sequences=True)(x), lambda: x * 0.5)()
    net.sequences.append(keras.Model(inner, x)(ids))
    net.say("a model of an embedding with a mask")


def nest_two(net: Random) -> None:
    """A model of two inputs and two outputs inside the model."""
    x = net.any_sequence()
    y = net.pick(*net.sequences)
    one, other = keras.Input(x.shape[1:]), keras.Input(y.shape[1:])
    made, state = kl.GRU(3, return_sequences=True, return_state=True)(one)
    pooled = kl.GlobalAveragePooling1D()(kl.Dense(3)(other))
    model = keras.Model([one, other], [made, kl.Add()([state, pooled])])
    sequence, vector = model([x, y])
    net.sequences.append(sequence)
    net.vectors.append(vector)
    net.say("a model of two inputs and outputs")


def normalize(net: Random) -> None:
    x = net.any_sequence()
    width = x.shape[-1]
    layer = net.pick(
        kl.GroupNormalization(groups=1),
        kl.LayerNormalization(axis=-1, center=False),
        kl.BatchNormalization(scale=False),
        kl.PReLU(shared_axes=[1]),
        kl.ELU(),
        kl.Softmax(),
        kl.Dense(width, activation="softmax"),
        kl.Activation("hard_sigmoid"),
        kl.EinsumDense("abc,cd->abd", output_shape=(None, width)),
    )
    if type(layer) is kl.GroupNormalization and x.shape[1] is None:
        return
    net.sequences.append(layer(x))
    net.say(type(layer).__name__)


def attend_and_normalize(net: Random) -> None:
    """A block of a transformer."""
    x = net.any_sequence()
    width = x.shape[-1]
    attention = kl.MultiHeadAttention(1, 2, dropout=0.1)
    y = net.pick(lambda: attention(x, x), lambda: attention(x, net.pick(*net.sequences)))()
    plus = net.pick(lambda a, b: a + b, lambda a, b: kl.Add()([a, b]))
    x = kl.LayerNormalization()(plus(x, kl.Dropout(0.1)(y)))
    y = keras.Sequential([kl.Dense(5, activation="relu"), kl.Dense(width)])(x)
    net.sequences.append(kl.LayerNormalization()(plus(x, y)))
    net.say("a transformer's block")


def each_step(net: Random) -> None:
    x = net.any_sequence()
    width = x.shape[-1]
    inner = net.pick(
        kl.Dense(3),
        keras.Sequential([keras.Input((width,)), kl.Dense(4, activation="relu"), kl.Dense(3)]),
        kl.LayerNormalization(),
    )
    net.sequences.append(kl.TimeDistributed(inner)(x))
    net.say(f"TimeDistributed({type(inner).__name__})")


def operate(net: Random) -> None:
    """Operators of tensors, which lose masks, beside layers that keep them."""
    x = net.any_sequence()
    y = kl.Dense(x.shape[-1])(x)
    operation: Callable[[], Any] = net.pick(
        lambda: x + y,
        lambda: x * 2.0,
        lambda: x - y,
        lambda: x * y,
        lambda: 1.5 - x,
        lambda: x / 2.0,
        lambda: kl.Add()([x, y]),
        lambda: kl.Multiply()([x, y]),
        lambda: kl.Maximum()([x, y]),
        lambda: kl.Average()([x, y]),
        lambda: kl.Subtract()([x, y]),
    )
    made = operation()
    net.sequences.append(made)
    net.say(f"operator -> {made._keras_history.operation.__class__.__name__}")


def join(net: Random) -> None:
    x = net.any_sequence()
    same = [y for y in net.sequences if y is not x and y.shape[1] == x.shape[1]]
    if not same:
        return
    net.sequences.append(kl.Concatenate()([x, net.pick(*same)]))
    net.say("Concatenate features")


def join_steps(net: Random) -> None:
    x = net.any_sequence()
    same = [y for y in net.sequences if y is not x and y.shape[2] == x.shape[2]]
    if not same:
        return
    net.sequences.append(kl.Concatenate(axis=1)([x, net.pick(*same)]))
    net.say("Concatenate steps")


def attend(net: Random) -> None:
    x = net.any_sequence()
    causal = net.chance(0.3)
    made = kl.MultiHeadAttention(2, 3)(x, x, use_causal_mask=causal)
    net.sequences.append(kl.Add()([x, made]) if net.chance(0.5) else made)
    net.say(f"MultiHeadAttention causal={causal}")


def attend_to_another(net: Random) -> None:
    x = net.any_sequence()
    others = [y for y in net.sequences if y.shape[2] == x.shape[2]]
    y = net.pick(*others)
    layer = net.pick(kl.Attention, kl.AdditiveAttention)()
    net.sequences.append(layer([x, y]))
    net.say(type(layer).__name__)


def mask_again(net: Random) -> None:
    net.sequences.append(kl.Masking(0.0)(net.any_sequence()))
    net.say("Masking behind layers")


def nest(net: Random) -> None:
    """A model inside the model, which may be called twice."""
    x = net.any_sequence()
    inner = Random(net.rng)
    inner.inputs.append(keras.Input((x.shape[1], x.shape[2])))
    inner.sequences.append(inner.inputs[0])
    for step in (net.pick(keep_shape, operate), net.pick(recur, convolve, keep_shape)):
        step(inner)
    model = keras.Model(inner.inputs, inner.sequences[-1])
    same = [y for y in net.sequences if y is not x and y.shape == x.shape]
    net.sequences.append(model(x))
    if same and net.chance(0.6):
        net.sequences.append(model(net.pick(*same)))
    net.say(f"a model of {inner.steps}")


def pool(net: Random) -> None:
    layer = net.pick(kl.GlobalAveragePooling1D(), kl.GlobalMaxPooling1D())
    net.vectors.append(layer(net.any_sequence()))
    net.say(type(layer).__name__)


def flatten(net: Random) -> None:
    x = net.any_sequence()
    if x.shape[1] is None:
        return
    net.vectors.append(kl.Flatten()(x))
    net.say("Flatten")


def turn(net: Random) -> None:
    x = net.any_sequence()
    if x.shape[1] is None or x.shape[0] is not None:
        return
    net.sequences.append(kl.Permute((2, 1))(x))
    net.say("Permute")


def share(net: Random) -> None:
    """One layer over two sequences."""
    x = net.any_sequence()
    others = [y for y in net.sequences if y is not x and y.shape[2] == x.shape[2]]
    if not others:
        return
    layer = net.pick(kl.Dense(3), kl.LSTM(3, return_sequences=True), kl.LayerNormalization())
    net.sequences += [layer(x), layer(net.pick(*others))]
    net.say(f"{type(layer).__name__} shared by two")


# ------------------------------------------------------------------------------------------------- vectors, images


def densify(net: Random) -> None:
    if not net.vectors:
        return
    x = net.any_vector()
    layer = net.pick(kl.Dense(3, activation="relu"), kl.BatchNormalization(), kl.Dropout(0.2), kl.Dense(4))
    net.vectors.append(layer(x))
    net.say(f"{type(layer).__name__} of a vector")


def join_vectors(net: Random) -> None:
    if len(net.vectors) < 2:
        return
    x, y = net.vectors[-1], net.pick(*net.vectors[:-1])
    net.vectors.append(
        kl.Concatenate()([x, y]) if x.shape != y.shape or net.chance(0.4) else net.pick(lambda: x + y, lambda: x * y)()
    )
    net.say("vectors joined")


def repeat(net: Random) -> None:
    if not net.vectors or net.batch is not None:
        return
    net.sequences.append(kl.RepeatVector(4)(net.any_vector()))
    net.say("RepeatVector")


def unfold(net: Random) -> None:
    if not net.vectors:
        return
    net.sequences.append(kl.Reshape((4, 3))(kl.Dense(12)(net.any_vector())))
    net.say("Dense -> Reshape to steps")


def see(net: Random) -> None:
    if not net.images:
        return
    x = net.images[-1]
    layers = [
        kl.Conv2D(3, 3, padding="same", activation="relu"),
        kl.DepthwiseConv2D(2, padding="same"),
        kl.BatchNormalization(),
        kl.Rescaling(0.5, offset=0.1),
        kl.RandomFlip(),
        kl.ZeroPadding2D(1),
    ]
    if min(x.shape[1:3]) >= 4:
        layers += [kl.MaxPooling2D(2), kl.Conv2D(2, 3, strides=2), kl.CenterCrop(4, 4), kl.Resizing(5, 6)]
    layer = net.pick(*layers)
    net.images.append(layer(x))
    net.say(type(layer).__name__)


def leave_the_image(net: Random) -> None:
    if not net.images:
        return
    x = net.images[-1]
    way = net.pick("pool", "flatten", "rows")
    if way == "pool":
        net.vectors.append(kl.GlobalAveragePooling2D()(x))
    elif way == "flatten":
        net.vectors.append(kl.Flatten()(x))
    else:
        net.sequences.append(kl.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x))
    net.say(f"image: {way}")


ON_SEQUENCES: list[tuple[Callable[[Random], None], int]] = [
    (recur, 4),
    (recur_to_the_last, 3),
    (hand_over_the_state, 4),
    (start_from_a_vector, 2),
    (both_ways, 3),
    (mask_by_hand, 2),
    (keep_shape, 4),
    (convolve, 2),
    (change_steps, 2),
    (each_step, 2),
    (operate, 5),
    (join, 3),
    (join_steps, 1),
    (attend, 2),
    (attend_to_another, 2),
    (mask_again, 1),
    (nest, 2),
    (pool, 3),
    (flatten, 1),
    (turn, 1),
    (share, 2),
    (change_steps_and_masks, 1),
    (run_cells, 2),
    (both_ways_hand_over, 2),
    (run_backwards, 1),
    (gate_by_a_vector, 1),
    (gate_each_step, 1),
    (pool_by_attention, 1),
    (tie_words, 1),
    (nest_words, 1),
    (nest_two, 1),
    (normalize, 2),
    (attend_and_normalize, 2),
]
ON_OTHERS: list[tuple[Callable[[Random], None], int]] = [
    (densify, 3),
    (join_vectors, 2),
    (repeat, 1),
    (unfold, 1),
    (see, 2),
    (leave_the_image, 2),
]


# ------------------------------------------------------------------------------------------------- the model


def random_model(seed: int) -> Made:
    """A model of one to three inputs and one to three outputs whose weights are drawn by the same seed.

    Keras builds models that it cannot run, such as a Softmax behind a mask, and a nested model may give nothing of an
    input: then another one is drawn.
    """
    for attempt in range(20):
        made = grow(np.random.default_rng([seed, attempt]), seed)
        arrays = draw(made, np.random.default_rng(seed), "right")
        probes = [draw(made, np.random.default_rng(seed), "none"), arrays, *changed_inputs(made, arrays, seed)]
        try:
            _, before, *after = run(made, probes)
        except Exception:  # whatever Keras says of it, the model is none
            continue
        if any(is_same(before, changed) for changed in after):
            continue
        reset_states(made.model)
        return made
    raise AssertionError(f"seed {seed} draws nothing that Keras runs")


Outputs = list[np.ndarray]


def run(made: Made, runs: list[list[np.ndarray]]) -> list[Outputs]:
    """The outputs of each run from the beginning; those of equal lengths are one batch where the batch is open.

    What Keras' eager loops take is hardly more for many samples than for few.
    """
    if made.is_stateful:
        results = []
        for arrays in runs:
            reset_states(made.model)
            results.append(call(made.model, arrays))
        return results
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for number, arrays in enumerate(runs):
        groups.setdefault(tuple(array.shape[1:] for array in arrays), []).append(number)
    found: dict[int, Outputs] = {}
    for numbers in groups.values():
        together = [np.concatenate(same) for same in zip(*(runs[number] for number in numbers), strict=True)]
        cuts = np.cumsum([len(runs[number][0]) for number in numbers])[:-1]
        parts = [np.split(value, cuts) for value in call(made.model, together)]
        found |= {number: [part[i] for part in parts] for i, number in enumerate(numbers)}
    return [found[number] for number in range(len(runs))]


def call(model: Any, arrays: list[np.ndarray]) -> Outputs:
    given = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    return [np.asarray(value) for value in keras.tree.flatten(given)]


def changed_inputs(made: Made, arrays: list[np.ndarray], seed: int) -> list[list[np.ndarray]]:
    """The same with one input changed, for each where there are several."""
    others = draw(made, np.random.default_rng(seed + 1), "none")
    count = len(arrays) if len(arrays) > 1 else 0
    return [[*arrays[:number], others[number], *arrays[number + 1 :]] for number in range(count)]


def is_same(before: Outputs, after: Outputs) -> bool:
    """Whether nothing changed, rounding aside."""
    return all(np.allclose(one, other, 1e-6, 1e-6, equal_nan=True) for one, other in zip(before, after, strict=True))


def reset_states(model: Any) -> None:
    """Every state of a model, at any depth, is zero again."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and hasattr(layer, "reset_states"):
            layer.reset_states()


def grow(rng: Rng, seed: int) -> Made:
    """A model, one random step after the other."""
    net = Random(rng)
    keras.utils.set_random_seed(seed)
    if net.chance(0.15):
        net.batch = 2
    steps = net.pick(STEPS, STEPS, None) if net.batch is None else STEPS
    first: list[Callable[[], None]] = [lambda: words(net, steps), lambda: series(net, steps)]
    net.pick(*first)()
    if net.chance(0.5):
        net.pick(*first, lambda: words(net, 5), lambda: table(net), lambda: picture(net), lambda: table(net))()
    if net.chance(0.15):
        table(net)
    choices = ON_SEQUENCES + (ON_OTHERS if net.batch is None else ON_OTHERS[:2])
    weights = np.array([weight for _, weight in choices], float)
    wanted, tries = int(rng.integers(3, 9)), 0
    while len(net.steps) < wanted + len(net.ports) and tries < 40:
        tries += 1
        choices[int(rng.choice(len(choices), p=weights / weights.sum()))][0](net)
    outputs = finish(net)
    model = keras.Model(net.inputs, outputs if len(outputs) > 1 else outputs[0], name="random")
    draw_weights(model, rng)
    return Made(model, net.ports, net.steps, net.batch)


def finish(net: Random) -> list[Any]:
    """The newest values, one an output; an input that none of them reads has an output of its own."""
    found = [pool_of[-1] for pool_of in (net.sequences, net.vectors) if pool_of]
    if net.images and not any(net.images[-1] is x for x in net.inputs):
        found.append(kl.GlobalMaxPooling2D()(net.images[-1]))
    if len(net.vectors) > 1 and net.chance(0.4):
        found.append(net.vectors[-2])
    reached = {id(x) for value in found for x in ancestors(value)}
    for x in net.inputs:
        if id(x) not in reached:
            found.append(apart(x))
    outputs = []
    for value in found:
        units = net.pick(2, 3)
        outputs.append(kl.Dense(units, activation=net.pick(None, "softmax", "sigmoid"))(value))
    return outputs


def ancestors(value: Any) -> list[Any]:
    """Every symbolic tensor that a value is made of."""
    found, rest = {id(value): value}, [value]
    while rest:
        history = rest.pop()._keras_history
        for tensor in history.operation._inbound_nodes[history.node_index].input_tensors:
            if id(tensor) not in found:
                found[id(tensor)] = tensor
                rest.append(tensor)
    return list(found.values())


def apart(x: Any) -> Any:
    """Something that reads an input."""
    if x.dtype == "int32":
        return kl.LSTM(2)(kl.Embedding(WORDS, 3, mask_zero=True)(x))
    return {2: kl.Dense(3), 3: kl.GRU(2), 4: kl.GlobalAveragePooling2D()}[len(x.shape)](x)


def draw_weights(model: Any, rng: Rng) -> None:
    """Weights that no symmetry hides."""
    for variable in model.weights:
        if "seed" in variable.path:
            continue
        values = rng.normal(0, 0.4, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)


# ------------------------------------------------------------------------------------------------- hard inputs


def hard_inputs(made: Made, seed: int) -> list[list[np.ndarray]]:
    """Values for every input, a list a run: padding at every place, one sample alone, other lengths, large and none."""
    rng = np.random.default_rng(seed)
    is_open = any(size is None for port in made.ports for size in port.shape)
    runs = [draw(made, rng, place) for place in PLACES]
    runs.append(draw(made, rng, "none", scale=30.0))
    runs.append(draw(made, rng, "right", scale=0.0))
    if made.batch is None:
        runs += [draw(made, rng, place, batch=1) for place in ("right", "middle")]
    if is_open:
        runs += [draw(made, rng, place, steps=steps) for steps in (1, 9) for place in ("none", "left")]
    return runs


def draw(
    made: Made, rng: Rng, place: str, *, batch: int = 4, steps: int = STEPS, scale: float = 1.0
) -> list[np.ndarray]:
    batch = made.batch or batch
    arrays = []
    for port in made.ports:
        shape = (batch, *(steps if size is None else size for size in port.shape))
        if port.dtype == "int32":
            values = rng.integers(1, WORDS, shape).astype(np.int32)
        else:
            values = (rng.normal(0, 1, shape) * scale).astype(np.float32)
        if port.padding is not None:
            flags = padded_steps(rng, place, batch, shape[1]).reshape(batch, shape[1], *[1] * (len(shape) - 2))
            values = np.where(flags, np.asarray(port.padding, values.dtype), values)
        arrays.append(values)
    return arrays


def padded_steps(rng: Rng, place: str, batch: int, steps: int) -> np.ndarray:
    """Which steps of which sample are padding."""
    at = np.arange(steps)[None]
    lengths = rng.integers(1, steps + 1, (batch, 1))
    if place == "right":
        return at >= lengths
    if place == "left":
        return at < steps - lengths
    if place == "middle":
        first = rng.integers(1, max(2, steps - 1), (batch, 1))
        return (at >= first) & (at < first + 2) & (at < steps - 1)
    if place == "rows":
        return np.broadcast_to((np.arange(batch) % 2 == 0)[:, None], (batch, steps))
    if place == "every other":
        return np.broadcast_to(at % 2 == 1, (batch, steps))
    return np.full((batch, steps), place == "all")
