"""Refusals of models that are wrong in several ways: all causes at once, in the model's own names, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers as kl
from keras import ops

from nnspec.diagnostics import SpecError
from nnspec.importers.keras.importer import import_file, import_model
from nnspec.progress import Progress


def own_function(value: Any) -> Any:
    return value


@keras.saving.register_keras_serializable("mine")
class Own(kl.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x * 2.0


@keras.saving.register_keras_serializable("mine")
class Inside(keras.Model):  # type: ignore[misc]
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dense = kl.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(x)


MODELS: dict[str, tuple[Callable[[], Any], list[str]]] = {}


def nasty(*names: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """A model whose refusal must speak of these names, one diagnostic each, and of no other."""

    def kept(make: Callable[[], Any]) -> Callable[[], Any]:
        MODELS[make.__name__] = make, list(names)
        return make

    return kept


@nasty("sparse", "code", "own")
def an_input_and_two_layers() -> Any:
    x, s = keras.Input((6, 4)), keras.Input((4,), sparse=True, name="sparse")
    made = [kl.Lambda(own_function, name="code")(x), kl.Dense(2, name="fine")(s), Own(name="own")(x)]
    return keras.Model([x, s], made)


@nasty("inside", "own")
def classes_without_a_module() -> Any:
    x = keras.Input((6,))
    return keras.Model(x, [Inside(name="inside")(x), Own(name="own")(x)])


@nasty("new", "code")
def words_that_nobody_learned() -> Any:
    x = keras.Input((1,), dtype="string")
    code = kl.Lambda(own_function, name="code", output_shape=(1,))(x)
    return keras.Model(x, [kl.StringLookup(name="new")(x), code])


@nasty("ordered", "largest", "average", "added")
def operations() -> Any:
    x = keras.Input((6, 4))
    y = kl.Dense(4)(x)
    made = [
        ops.cumprod(y, axis=1),
        ops.nan_to_num(y),
        ops.mean(y, axis=0),
        y[:, 0] + y,
    ]
    for tensor, name in zip(made, MODELS["operations"][1], strict=True):
        tensor._keras_history.operation.name = name
    return keras.Model(x, made)


@nasty("deep", "punished")
def inside_a_nested_model() -> Any:
    inner = keras.Sequential([kl.Dense(3), Own(name="deep")], name="inner")
    x = keras.Input((6,))
    punished = kl.Dense(2, name="punished", kernel_regularizer=own_function)
    return keras.Model(x, [inner(x), punished(x)])


@nasty("double", "always", "bytes")
def precision_and_training() -> Any:
    x = keras.Input((6,))
    made = [kl.Dense(3, dtype="float64", name="double")(x), kl.Dropout(0.5, name="always")(x, training=True)]
    return keras.Model(x, [*made, kl.Dense(2, dtype="float16", name="bytes")(x)])


@nasty("folded")
def a_reshape_into_the_batch() -> Any:
    x, y = keras.Input((None, 4)), keras.Input((None, 4))
    folded = ops.reshape(x, (-1, 4))
    folded._keras_history.operation.name = "folded"
    return keras.Model([x, y], [folded, ops.matmul(x, ops.transpose(y, (0, 2, 1)))])


@nasty("in_windows")
def windows_in_the_batch() -> Any:
    """As window attention is often written: its positions become samples, and samples positions again."""
    x = keras.Input((8, 8, 3))
    rows = ops.transpose(ops.reshape(x, (-1, 2, 4, 2, 4, 3)), (0, 1, 3, 2, 4, 5))
    windows = ops.reshape(rows, (-1, 16, 3))
    windows._keras_history.operation.name = "in_windows"
    whole = ops.reshape(kl.Dense(3)(windows), (-1, 8, 8, 3))
    return keras.Model(x, whole)


@nasty("half")
def behind_another_fault() -> Any:
    x = keras.Input((6, 4))
    y = kl.Dense(4, dtype="float16", name="half")(x)
    return keras.Model(x, kl.Dense(2, name="fine")(ops.mean(y, axis=1)))


@nasty("bins")
def a_layer_that_was_never_shown_data() -> Any:
    x = keras.Input((6,))
    return keras.Model(x, [kl.Dense(3)(x), kl.Discretization(num_bins=4, name="bins")(x)])


@nasty("code", "own_function")
def each_says_what_to_do() -> Any:
    """Code, and a function of one's own."""
    x = keras.Input((4, 3))
    code = kl.Lambda(own_function, name="code")(x)
    return keras.Model(x, [code, kl.Dense(2, activation=own_function)(x)])


@nasty("run the model")
def a_model_that_keras_cannot_run() -> Any:
    x = keras.Input((6, 4))
    return keras.Model(x, ops.softmax(kl.Dense(4)(x), axis=(1, 2)))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("how", ["file", "memory"])
def test_all_causes_in_the_models_own_names(name: str, how: str, tmp_path: Path) -> None:
    make, names = MODELS[name]
    out = tmp_path / "out"
    model, path = make(), tmp_path / "nasty.keras"
    if how == "file":
        model.save(path)
    with pytest.raises(SpecError) as caught:
        import_file(path, out, Progress(quiet=True)) if how == "file" else import_model(model, out)
    told = caught.value.diagnostics
    assert {diagnostic.code for diagnostic in told} == {"NN607"}
    wanted = [said for said in names if how == "memory" or said != "new"]  # Keras does not load the file that far
    assert len(told) == len(wanted)
    for said in wanted:
        assert any(said in diagnostic.message for diagnostic in told), said
    for diagnostic in told:
        texts = [diagnostic.message, *diagnostic.notes, *(fix.message for fix in diagnostic.fixes)]
        assert not any("Exception encountered" in text for text in texts)
        assert not any(str(out) in text or ".nnspec-" in text for text in texts)
        assert ".nnspec-" not in diagnostic.span.source.name
        assert diagnostic.fixes or name != "each_says_what_to_do"
    assert not out.exists() or not list(out.iterdir())


def _two_open_sizes(h: Any) -> Any:
    return ops.reshape(h, (-1, ops.shape(h)[1], ops.shape(h)[2], 2, 2))


def _nothing_expresses(h: Any) -> Any:
    return ops.segment_sum(h, ops.cast(ops.round(h[:, 0, 0, 0]), "int32"), num_segments=3)


@pytest.mark.parametrize("compute", [_two_open_sizes, _nothing_expresses])
def test_an_operation_is_placed_by_the_names_that_people_gave(compute: Callable[[Any], Any], tmp_path: Path) -> None:
    """Keras names operations by itself: `reshape`, `segment_sum`."""
    x, other = keras.Input((None, None, 4), name="picture"), keras.Input((1, 1, 4), name="mean_color")
    inner = keras.Model([x, other], compute(kl.Conv2D(4, 3, padding="same", name="look")(x) - ops.abs(other) * 2.0))
    inner.name = "looking"
    with pytest.raises(SpecError) as caught:
        import_model(inner, tmp_path)
    (told,) = caught.value.diagnostics
    assert told.notes == ("it is behind layer `look` (Conv2D) and input `mean_color`",)
    outer = [keras.Input(each.shape[1:]) for each in inner.inputs]
    with pytest.raises(SpecError) as caught:
        import_model(keras.Model(outer, inner(outer)), tmp_path)
    (told,) = caught.value.diagnostics
    (note,) = told.notes
    assert note.startswith("it is in the model `looking`, behind layer `look` (Conv2D) and input `")


def test_windows_are_to_be_an_axis(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        import_model(windows_in_the_batch(), tmp_path)
    (told,) = caught.value.diagnostics
    assert "becomes 4 of (16, 3)" in told.message
    assert "`(-1, 4, 16, 3)`" in told.fixes[0].message


def test_what_is_joined_is_called_as_in_the_model(tmp_path: Path) -> None:
    """Of any length, Keras builds a sum of steps and of fewer steps, which it cannot run."""
    x = keras.Input((None, 4))
    inner = keras.Sequential([kl.Dense(4, name="steps")], name="inner")
    y = inner(x)
    made = kl.Add(name="sum")([y, kl.Conv1D(4, 3, name="fewer")(y)])
    with pytest.raises(SpecError) as caught:
        import_model(keras.Model(x, made), tmp_path)
    (told,) = caught.value.diagnostics
    assert all(f"`{name}" in told.message for name in ("sum`", "steps`", "fewer"))
    assert "change this in the model" in told.fixes[0].message


def test_silenced_doubts_are_listed(tmp_path: Path) -> None:
    """A reshape that mixes axes, and a mask that an operator ends."""
    x = keras.Input((4, 6))
    y = kl.LSTM(3)(kl.Masking()(x) * 2.0)
    mixed = kl.Dense(2)(kl.Flatten()(kl.Dense(4)(kl.Reshape((6, 4), name="mixing")(x))))
    notes = import_model(keras.Model(x, [y, mixed]), tmp_path).notes
    assert any("`mixing`" in note and "NN301" in note for note in notes)
    assert any("the mask along `time` ends before `multiply" in note for note in notes)
