"""An imported spec has masks where Keras has them: on padded inputs ONNX Runtime gives what the Keras model gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops
from keras.src.ops.numpy import Multiply

from nnspec.diagnostics import SpecError
from tests.support.imported_models import compare_deployed, import_randomized

pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")


def words(steps: int | None = 9, name: str | None = None) -> Any:
    return keras.Input((steps,), dtype="int32", name=name)


def embedded(ids: Any) -> Any:
    return kl.Embedding(20, 4, mask_zero=True)(ids)


def translator() -> Any:
    source, target = words(None, "source"), words(None, "target")
    _, hidden, cell = kl.LSTM(5, return_state=True)(embedded(source))
    decoded = kl.LSTM(5, return_sequences=True)(embedded(target), initial_state=[hidden, cell])
    return keras.Model([source, target], kl.Dense(7, activation="softmax")(decoded))


def translator_of_two_layers() -> Any:
    source, target = words(None, "source"), words(None, "target")
    _, hidden = kl.GRU(5, return_state=True)(embedded(source))
    decoded = kl.GRU(5, return_sequences=True)(embedded(target), initial_state=hidden)
    return keras.Model([source, target], kl.LSTM(3)(decoded))


def mean_behind_an_operator() -> Any:
    ids = words()
    x = embedded(ids)
    return keras.Model(ids, kl.GlobalMaxPooling1D()(kl.LayerNormalization()(x + kl.Dense(4)(x))))


def lstm_behind_an_operator() -> Any:
    ids = words(None)
    return keras.Model(ids, kl.LSTM(3)(embedded(ids) * 2.0))


def add_layer() -> Any:
    ids = words()
    x = embedded(ids)
    return keras.Model(ids, kl.LSTM(3)(kl.LayerNormalization()(kl.Add()([x, kl.Dense(4)(x)]))))


def attention_takes_the_mask() -> Any:
    ids = words()
    x = embedded(ids)
    y = kl.Add()([x, kl.MultiHeadAttention(2, 3)(x, x)])
    return keras.Model(ids, kl.LSTM(3)(kl.LayerNormalization()(y)))


def a_mask_of_its_own() -> Any:
    ids = words()
    embedding = kl.Embedding(20, 4, mask_zero=True)
    y = kl.Conv1D(5, 3, padding="same")(embedding(ids))
    return keras.Model(ids, kl.LSTM(3)(y, mask=embedding.compute_mask(ids)))


def a_state_and_a_mask() -> Any:
    ids = words()
    x = embedded(ids)
    state = kl.Dense(3)(kl.GlobalMaxPooling1D()(x))
    y = kl.GRU(3, return_sequences=True)(x, initial_state=state, mask=ops.not_equal(ids, 0))
    return keras.Model(ids, kl.GRU(3)(y))


def both_ways_from_a_state() -> Any:
    ids = words()
    x = embedded(ids)
    state = kl.Dense(3)(kl.GlobalMaxPooling1D()(x))
    return keras.Model(ids, kl.Bidirectional(kl.GRU(3))(x, initial_state=[state, state]))


def nested() -> Any:
    x = keras.Input((9, 4))
    inner = keras.Model(x, kl.LSTM(3, return_sequences=True)(x), name="inner")
    ids = words()
    return keras.Model(ids, kl.GRU(2)(inner(embedded(ids))))


def nested_with_an_operator() -> Any:
    x = keras.Input((9, 4))
    inner = keras.Model(x, kl.Dense(4)(x) * 0.5 + x, name="inner")
    ids = words()
    return keras.Model(ids, kl.GRU(2)(inner(embedded(ids))))


def concatenated_with_what_has_none() -> Any:
    ids = words()
    x = embedded(ids)
    return keras.Model(ids, kl.LSTM(4)(kl.Concatenate()([x, kl.Conv1D(3, 3, padding="same")(x)])))


def attention_of_two() -> Any:
    one, other = words(9, "one"), words(7, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    query, value = embedding(one), embedding(other)
    return keras.Model([one, other], kl.LSTM(3)(kl.Attention()([query, value])))


def steps_gated_by_themselves() -> Any:
    ids = words(None)
    x = embedded(ids)
    return keras.Model(ids, kl.LSTM(3)(kl.Multiply()([x, kl.Dense(1, activation="sigmoid")(x)])))


def one_of_two_padded_end_to_end() -> Any:
    one, other = words(None, "one"), words(None, "other")
    x = kl.Concatenate(axis=1)([embedded(one), kl.Embedding(20, 4)(other)])
    return keras.Model([one, other], kl.LSTM(3)(x))


def backwards_into_a_layer_with_the_mask() -> Any:
    ids = words()
    x = kl.GRU(3, return_sequences=True, go_backwards=True)(embedded(ids))
    return keras.Model(ids, kl.LSTM(3)(x))


def zeros_for_padding() -> Any:
    ids = words()
    x = kl.LSTM(3, return_sequences=True, zero_output_for_mask=True)(embedded(ids))
    return keras.Model(ids, kl.Conv1D(2, 3, padding="same")(x))


def unrolled_over_any_length() -> Any:
    ids = words(None)
    return keras.Model(ids, kl.GRU(3, unroll=True)(embedded(ids)))


def two_of_two_in_a_model() -> Any:
    one, other = keras.Input((9, 4)), keras.Input((9, 4))
    inner = keras.Model([one, other], [kl.GRU(3)(one), kl.GlobalAveragePooling1D()(other)], name="inner")
    ids = words()
    return keras.Model(ids, kl.Concatenate()(inner([embedded(ids), embedded(ids)])))


def the_mask_of_a_value_that_comes_later() -> Any:
    one, other = words(9, "one"), words(9, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    x = kl.LSTM(3, return_sequences=True)(embedded(one), mask=embedding.compute_mask(other))
    return keras.Model([one, other], [kl.Dense(2)(x), kl.GRU(2)(embedding(other))])


def attention_takes_the_mask_before_a_join() -> Any:
    """What runs has lost the mask of the query; the graph hands a layer behind the join that of both all the same."""
    ids = words()
    x = embedded(ids)
    both = kl.Concatenate(axis=1)([x, kl.MultiHeadAttention(2, 3)(x, x)])
    steps = keras.Input((18, 4))
    inner = keras.Model(steps, kl.GRU(3)(steps), name="inner")
    return keras.Model(ids, inner(kl.Activation("tanh")(both)))


def steps_beside_those_of_a_model_of_two() -> tuple[Any, Any]:
    """The graph has no mask for the outputs of such a model, though they have one when they are run."""
    one, other = keras.Input((9, 4)), keras.Input((9, 4))
    inner = keras.Model([one, other], [kl.GRU(4, return_sequences=True)(one), kl.Dense(2)(other)], name="inner")
    ids = words()
    x = embedded(ids)
    steps, _ = inner([x, x])
    return kl.Concatenate(axis=1)([x, steps]), ids


def joined_with_steps_of_a_model_of_two() -> Any:
    both, ids = steps_beside_those_of_a_model_of_two()
    return keras.Model(ids, kl.GRU(3)(both))


def two_masks_of_one_join() -> Any:
    """An LSTM goes by the mask that the graph computes, a Multiply by that which the tensors have when they are run."""
    both, ids = steps_beside_those_of_a_model_of_two()
    gated = kl.Multiply()([both, kl.Dense(1, activation="sigmoid")(both)])
    return keras.Model(ids, kl.LSTM(3)(kl.LayerNormalization()(gated)))


def attention_behind_attention() -> Any:
    """The query's mask is gone when the second runs, and the value's is not."""
    one, other = words(9, "one"), words(7, "other")
    x, y = embedded(one), embedded(other)
    attended = kl.MultiHeadAttention(2, 3)(x, y)
    first = kl.AdditiveAttention()([attended, kl.Dense(4)(attended)])
    return keras.Model([one, other], [kl.GRU(3)(kl.Attention()([x, first])), kl.GRU(3)(kl.Attention()([first, x]))])


def called_with_an_argument() -> Any:
    """Then the graph records no mask, and the LSTM goes by what the tensor has when it is run: none."""
    ids = words()
    x = embedded(ids)
    attended = kl.MultiHeadAttention(2, 3)(x, x)
    steps = kl.Add()([x, attended])
    return keras.Model(ids, [kl.LSTM(3)(steps, training=False), kl.LSTM(3)(steps), kl.GRU(3)(attended, training=False)])


def masks_of_two_by_hand() -> Any:
    one, other = words(9, "one"), words(7, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    query, value = kl.Dense(4)(embedding(one)), kl.Conv1D(4, 3, padding="same")(embedding(other))
    masks = [embedding.compute_mask(one), embedding.compute_mask(other)]
    return keras.Model([one, other], kl.Flatten()(kl.Attention()([query, value], mask=masks)))


def a_mask_of_one_of_two_by_hand() -> Any:
    one, other = words(9, "one"), words(7, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    query, value = embedding(one), embedding(other)
    attended = kl.AdditiveAttention()([query, value], mask=[embedding.compute_mask(one), None])
    return keras.Model([one, other], kl.GRU(3)(attended))


def the_mask_of_ids_that_nothing_else_reads() -> Any:
    """Two open inputs, which the mask binds to one length."""
    one, other = words(None, "one"), words(None, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    return keras.Model([one, other], kl.SimpleRNN(3)(embedded(one), mask=embedding.compute_mask(other)))


def two_lengths_that_a_mask_binds() -> Any:
    one, other = words(None, "one"), words(None, "other")
    embedding = kl.Embedding(20, 4, mask_zero=True)
    y = kl.GRU(3)(kl.Embedding(20, 4)(one), mask=embedding.compute_mask(other))
    return keras.Model([one, other], kl.Concatenate()([y, kl.GlobalAveragePooling1D()(embedding(other))]))


def a_mask_that_is_computed() -> Any:
    ids = words()
    x = kl.Embedding(20, 4)(ids)
    known = ops.logical_and(ids > 3, ops.not_equal(ids, 7))
    return keras.Model(ids, kl.Bidirectional(kl.LSTM(3))(x, mask=known))


def a_mask_of_any_value() -> Any:
    one, other = words(9, "one"), words(9, "other")
    pairs = ops.stack([one, other], axis=-1)
    steps = ops.any(ops.not_equal(ops.cast(pairs, "float32"), 0.0), axis=-1)
    x = kl.Concatenate()([kl.Embedding(20, 2)(one), kl.Embedding(20, 3)(other)])
    return keras.Model([one, other], kl.GlobalAveragePooling1D()(kl.Dense(3)(x), mask=steps))


def an_input_as_mask() -> Any:
    ids, flags = words(9, "ids"), keras.Input((9,), dtype="int32", name="flags")
    return keras.Model([ids, flags], kl.GRU(3)(kl.Embedding(20, 4)(ids), mask=ops.cast(flags, "bool")))


def computed_masks_of_two() -> Any:
    """One value has a mask of its own, which does not count."""
    one, other = words(9, "one"), words(7, "other")
    value = kl.Conv1D(4, 3, padding="same")(embedded(other))
    masks = [ops.greater(one, 2), ops.logical_and(ops.greater(other, 4), ops.not_equal(other, 7))]
    return keras.Model([one, other], kl.AdditiveAttention()([embedded(one), value], mask=masks))


def a_computed_mask_of_the_values() -> Any:
    one, other = words(9, "one"), words(7, "other")
    query, value = embedded(one), embedded(other)
    return keras.Model([one, other], kl.Attention()([query, value], mask=[None, ops.greater(other, 4)]))


def masks_by_name() -> Any:
    """Keras goes by the query's own mask, whatever `query_mask` says; the keys are the values."""
    one, other = words(9, "one"), words(7, "other")
    query, value = embedded(one), kl.Embedding(20, 4)(other)
    masks = {"query_mask": ops.greater(one, 9), "value_mask": ops.greater(other, 4), "key_mask": ops.less(other, 15)}
    return keras.Model([one, other], kl.MultiHeadAttention(2, 3)(query, value, **masks))


def masks_by_name_of_groups() -> Any:
    one, other = words(9, "one"), words(7, "other")
    query, value = embedded(one), embedded(other)
    masks = {"query_mask": ops.greater(one, 9), "value_mask": ops.greater(other, 4)}
    return keras.Model([one, other], kl.GroupQueryAttention(4, 4, 2)(query, value, **masks))


def a_nested_model_with_two_masks() -> Any:
    """Called with one that operations compute, and with that of its input."""
    ids, steps = words(), keras.Input((9, 4))
    inner = keras.Model(steps, kl.LSTM(3)(kl.Dropout(0.1)(steps)), name="inner")
    computed = inner(kl.Embedding(20, 4)(ids), mask=ops.not_equal(ids, 3))
    return keras.Model(ids, [computed, inner(embedded(ids))])


def named_as_keras_would() -> Any:
    """Layers called as Keras calls operations; its own have other names here, whatever it has counted before."""
    ids = words()
    x = embedded(ids)
    x = kl.Multiply(name="multiply_1")([x, kl.Multiply(name="multiply_2")([x, x])])
    x = Multiply(name="half")(x, 0.5)
    return keras.Model(ids, kl.LSTM(3)(kl.Multiply(name="multiply")([x, Multiply(name="squared")(x, x)])))


MODELS: list[Callable[[], Any]] = [
    translator,
    translator_of_two_layers,
    mean_behind_an_operator,
    lstm_behind_an_operator,
    add_layer,
    attention_takes_the_mask,
    a_mask_of_its_own,
    a_state_and_a_mask,
    both_ways_from_a_state,
    nested,
    nested_with_an_operator,
    concatenated_with_what_has_none,
    attention_of_two,
    steps_gated_by_themselves,
    one_of_two_padded_end_to_end,
    backwards_into_a_layer_with_the_mask,
    zeros_for_padding,
    unrolled_over_any_length,
    two_of_two_in_a_model,
    the_mask_of_a_value_that_comes_later,
    attention_takes_the_mask_before_a_join,
    joined_with_steps_of_a_model_of_two,
    two_masks_of_one_join,
    attention_behind_attention,
    called_with_an_argument,
    masks_of_two_by_hand,
    a_mask_of_one_of_two_by_hand,
    the_mask_of_ids_that_nothing_else_reads,
    two_lengths_that_a_mask_binds,
    a_mask_that_is_computed,
    a_mask_of_any_value,
    an_input_as_mask,
    computed_masks_of_two,
    a_computed_mask_of_the_values,
    masks_by_name,
    masks_by_name_of_groups,
    a_nested_model_with_two_masks,
    named_as_keras_would,
]


def padded(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Ids with zeros at the end, at the beginning, in the middle and nowhere, all in one batch."""
    runs = []
    for place in (slice(5, None), slice(0, 3), slice(2, 5), slice(0, 0)):
        rng = np.random.default_rng(4)
        arrays = [rng.integers(1, 20, shape).astype(np.int32) for shape in shapes]
        for array in arrays:
            array[:2, place] = 0
        runs.append(arrays)
    return [np.concatenate(arrays) for arrays in zip(*runs, strict=True)]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_padded_inputs(make: Callable[[], Any], tmp_path: Path) -> None:
    model = make()
    made, _ = import_randomized(model, tmp_path)
    shapes = [(3, tensor.shape[1] or 8) for tensor in model.inputs]
    compare_deployed(model, made, [padded(shapes)])


def test_a_spec_says_where_a_mask_ends(tmp_path: Path) -> None:
    _, text = import_randomized(lstm_behind_an_operator(), tmp_path)
    assert text.index("- Embedding") < text.index("- unmask") < text.index("- Rescaling") < text.index("- LSTM")


def test_a_spec_says_where_a_mask_comes_back(tmp_path: Path) -> None:
    _, text = import_randomized(a_mask_of_its_own(), tmp_path)
    assert "mask_like: {from: [conv1d" in text


def test_steps_that_equal_the_mask_value(tmp_path: Path) -> None:
    x = keras.Input((None, 3))
    model = keras.Model(x, kl.LSTM(4)(kl.Masking(-1.0)(x) - 0.5))
    made, _ = import_randomized(model, tmp_path)
    values = np.random.default_rng(2).normal(size=(3, 6, 3)).astype(np.float32)
    values[0, 4:] = -1.0
    values[1, :2] = -1.0
    compare_deployed(model, made, [[values]])


def test_a_mask_that_large_values_alone_show(tmp_path: Path) -> None:
    """Of ordinary values it hides nothing: it is no less a mask."""
    x = keras.Input((6, 3))
    model = keras.Model(x, kl.LSTM(4)(kl.Masking()(kl.Activation("hard_sigmoid")(x))))
    made, _ = import_randomized(model, tmp_path)
    values = np.random.default_rng(2).normal(size=(3, 6, 3)).astype(np.float32)
    values[0, 4:] = values[1, 2] = -20.0
    compare_deployed(model, made, [[values]])


def test_a_loop_that_keras_gets_wrong(tmp_path: Path) -> None:
    """Unrolled and backwards, Keras zeroes the wrong steps of padded sequences: no spec says that."""
    ids = words()
    x = kl.Bidirectional(kl.SimpleRNN(3, return_sequences=True, unroll=True))(embedded(ids))
    with pytest.raises(SpecError) as caught:
        import_randomized(keras.Model(ids, kl.Conv1D(2, 3)(x)), tmp_path)
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN607"
    assert "unroll" in fault.message
    assert not list(tmp_path.iterdir())


def test_a_layer_that_keras_cannot_run(tmp_path: Path) -> None:
    ids = words()
    x = kl.Softmax(axis=-1, name="scores")(embedded(ids))
    with pytest.raises(SpecError) as caught:
        import_randomized(keras.Model(ids, kl.LSTM(3)(x)), tmp_path)
    assert "`scores` (Softmax) fails in Keras itself on padded input" in caught.value.diagnostics[0].message


def test_a_mask_that_nothing_carries(tmp_path: Path) -> None:
    """A mask of words in sentences, for a layer that reads each sentence by itself."""
    ids = keras.Input((3, 5), dtype="int32")
    x = kl.TimeDistributed(kl.LSTM(3), name="reader")(embedded(ids), mask=ops.greater(ids, 9))
    with pytest.raises(SpecError) as caught:
        import_randomized(keras.Model(ids, x), tmp_path)
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN607"
    assert fault.message == "layer `reader` (TimeDistributed) uses a mask that none of its inputs carries in the spec"


def test_errors_alone_say_why(tmp_path: Path) -> None:
    """A warning, such as that of a mask that ends, is no reason."""
    ids, table = words(), keras.Input((3,), name="unread")
    x = kl.Conv1D(3, 2, padding="same")(embedded(ids))
    with pytest.raises(SpecError) as caught:
        import_randomized(keras.Model([ids, table], kl.LSTM(3)(x)), tmp_path)
    (fault,) = caught.value.diagnostics
    assert fault.message == "no output of the model depends on its input `unread`"


def test_an_input_that_no_output_depends_on(tmp_path: Path) -> None:
    """Keras looks its ids up all the same."""
    one, other = keras.Input((9, 4)), keras.Input((9, 4))
    inner = keras.Model([one, other], [kl.GRU(4, return_sequences=True)(one), kl.Dense(2)(other)], name="inner")
    read, unread = words(9, "read"), words(9, "unread")
    steps, _ = inner([embedded(read), embedded(unread)])
    with pytest.raises(SpecError) as caught:
        import_randomized(keras.Model([read, unread], kl.GRU(3)(steps)), tmp_path)
    (fault,) = caught.value.diagnostics
    assert fault.message == "no output of the model depends on its input `unread`"
    assert fault.fixes[0].message == "make the model without `unread`, and save that"
