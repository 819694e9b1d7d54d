"""The catalogue of Keras objects: as Keras has them, buildable, and a schema that says yes and no."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import keras
import numpy as np
import pytest

from nnspec.catalogue import generate, keras_objects
from nnspec.explain.pages import page

CLASSES = [(f, name) for f in keras_objects.FAMILIES if f != "activations" for name in keras_objects.names(f)]
REQUIRED: dict[str, Any] = {
    "backup_dir": "backup",
    "boundaries": [10, 30],
    "decay_rate": 0.5,
    "decay_steps": 70,
    "filename": "log.csv",
    "filepath": "best.keras",
    "first_decay_steps": 70,
    "initial_learning_rate": 0.2,
    "inner_optimizer": "SGD",
    "num_classes": 3,
    "precision": 0.7,
    "recall": 0.7,
    "sensitivity": 0.7,
    "specificity": 0.7,
    "target_class_ids": [0, 2],
    "values": [0.5, 0.3, 0.2],
}


def keras_module(family: str) -> ModuleType:
    return importlib.import_module(keras_objects.FAMILIES[family].module)


def entry(family: str, name: str) -> dict[str, Any]:
    result: dict[str, Any] = keras_objects._families()[family]["classes"][name]
    return result


def sample(family: str, name: str) -> dict[str, Any]:
    return {name: {key: REQUIRED[key] for key in keras_objects.required_arguments(family, name)}}


def validator(family: str, *, nullable: bool = False) -> jsonschema.Draft7Validator:
    schema = {**keras_objects.definition(family, nullable=nullable), "definitions": keras_objects.definitions()}
    return jsonschema.Draft7Validator(schema)


def faults(family: str, value: Any, *, nullable: bool = False) -> list[str]:
    """The keywords that the value breaks, outermost first."""
    return [error.validator for error in validator(family, nullable=nullable).iter_errors(value)]


# ---------------------------------------------------------------------------------------------- it is Keras'


def test_file_is_up_to_date() -> None:
    assert generate.difference() == "", "run python -m nnspec.catalogue.generate"


def test_check_tells_a_stale_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    stale = tmp_path / "catalogue.json"
    stale.write_text(generate.TARGET.read_text("utf-8").replace('"default": 0.95', '"default": 0.96'), "utf-8")
    monkeypatch.setattr(generate, "TARGET", stale)
    assert generate.main() == 1
    assert '-       "default": 0.96' in capsys.readouterr().out


@pytest.mark.parametrize("family", [f for f in keras_objects.FAMILIES if f != "activations"])
def test_every_class_of_keras_is_in_or_excluded_with_a_reason(family: str) -> None:
    existing = {cls.__name__ for cls in vars(keras_module(family)).values() if inspect.isclass(cls)}
    excluded = generate.EXCLUDED[family]
    assert existing == set(keras_objects.names(family)) | set(excluded)
    assert not set(keras_objects.names(family)) & set(excluded)
    for refused, (reason, instead) in excluded.items():
        text = page(refused)
        assert text is not None
        assert reason in text
        assert instead in text
        assert len(reason) > 10 < len(instead)


def test_every_activation_of_keras_is_in_or_excluded_with_a_reason() -> None:
    functions = {f.__name__ for f in vars(keras.activations).values() if inspect.isfunction(f)}
    ours = set(keras_objects.names("activations")) | set(generate.EXCLUDED["activations"])
    assert functions - {"get", "serialize", "deserialize"} == ours


@pytest.mark.parametrize(("family", "name"), CLASSES)
def test_arguments_and_defaults_are_those_of_the_signature(family: str, name: str) -> None:
    parameters = inspect.signature(getattr(keras_module(family), name)).parameters
    arguments = entry(family, name)["arguments"]
    ordinary = [p for p in parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    omitted = generate.OMITTED_ARGUMENTS - ({"name"} if family == "metrics" else set())
    assert list(arguments) == [p.name for p in ordinary if p.name not in omitted and f"{name}.{p.name}" not in omitted]
    for key, argument in arguments.items():
        if key == "name":  # what it is called by default stands in the catalogue
            assert keras_objects.metric_name(name) == re.sub(
                r"_\d+$", "", keras_objects.build(family, sample(family, name)).name
            )
            continue
        default = parameters[key].default
        if default is inspect.Parameter.empty:
            assert "default" not in argument
        else:
            assert argument["default"] == (list(default) if isinstance(default, tuple) else default)
            assert isinstance(argument["default"], bool) == isinstance(default, bool)


WITH_DEFINITIONS = jsonschema.Draft7Validator({"definitions": keras_objects.definitions()})


def test_definitions_are_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(WITH_DEFINITIONS.schema)


@pytest.mark.parametrize(("family", "name"), CLASSES)
def test_defaults_fit_their_own_schema_and_all_is_described(family: str, name: str) -> None:
    texts = [entry(family, name)["description"]]
    for key, argument in entry(family, name)["arguments"].items():
        schema = argument["schema"]
        jsonschema.Draft7Validator.check_schema(schema)
        assert "type" in schema or "enum" in schema, key
        if "default" in argument:
            WITH_DEFINITIONS.evolve(schema={**WITH_DEFINITIONS.schema, **schema}).validate(argument["default"])
        texts.append(argument["description"])
    for text in texts:
        assert 5 < len(text) <= 302, text
        assert "\n" not in text
        assert "](" not in text


ALIASES = [(family, alias) for family in keras_objects.FAMILIES for alias in keras_objects.aliases(family)]
# Keras has the classes, but its own `get` lacks the first three and fails at the last.
UNKNOWN_TO_KERAS = {"lamb", "categorical_generalized_cross_entropy", "l1_l2", "constant"}


@pytest.mark.parametrize(("family", "alias"), ALIASES)
def test_aliases_are_what_keras_makes_of_them(family: str, alias: str) -> None:
    name, get = keras_objects.aliases(family)[alias], keras_module(family).get
    assert name in keras_objects.names(family)
    if alias in UNKNOWN_TO_KERAS or keras_objects.required_arguments(family, name):
        with pytest.raises((KeyError, TypeError, ValueError)):
            get(alias)
        return
    ours, theirs = keras_objects.build(family, alias), get(alias)
    if inspect.isfunction(theirs):
        assert theirs is (ours if family == "activations" else ours.fn)
        return
    assert type(ours) is type(theirs)
    left, right = ours.get_config(), theirs.get_config()
    drawn = {"seed", "name"}
    assert {k: v for k, v in left.items() if k not in drawn} == {k: v for k, v in right.items() if k not in drawn}


# --------------------------------------------------------------------------------------------- it can be built


@pytest.mark.parametrize(("family", "name"), CLASSES)
def test_every_class_is_built_with_and_without_its_defaults(
    family: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    value = sample(family, name)
    defaults = {k: a["default"] for k, a in entry(family, name)["arguments"].items() if "default" in a}
    for arguments in (value[name], {**defaults, **value[name]}):
        assert faults(family, {name: arguments}) == []
        built = keras_objects.build(family, {name: arguments})
        assert type(built) is getattr(keras_module(family), name)
    if not value[name]:
        assert type(keras_objects.build(family, name)) is type(built)
        assert type(keras_objects.build(family, {name: None})) is type(built)


@pytest.mark.parametrize("name", keras_objects.names("activations"))
def test_activations_are_functions_that_keep_the_shape(name: str) -> None:
    x = np.linspace(-2.0, 3.0, 10, dtype="float32").reshape(2, 5)
    function = keras_objects.build("activations", name)
    assert function is getattr(keras.activations, name)
    assert tuple(function(keras.ops.convert_to_tensor(x)).shape) == (2, 5)


def test_arguments_arrive() -> None:
    assert keras_objects.build("regularizers", {"L1L2": {"l1": 0.3, "l2": 0.7}}).get_config() == {"l1": 0.3, "l2": 0.7}
    assert keras_objects.build("initializers", {"Constant": {"value": 3}})((2,)).numpy().tolist() == [3.0, 3.0]
    assert keras_objects.build("constraints", {"MaxNorm": {"max_value": 5, "axis": [0, 1]}}).axis == [0, 1]
    assert keras_objects.build("callbacks", {"EarlyStopping": {"patience": 11}}).patience == 11
    assert keras_objects.build("initializers", None) is None


def test_schedules_are_built_inside_optimizers() -> None:
    decay = {"ExponentialDecay": {"initial_learning_rate": 0.5, "decay_steps": 7, "decay_rate": 0.1}}
    optimizer = keras_objects.build("optimizers", {"SGD": {"learning_rate": decay, "momentum": 0.9}})
    rates = [float(optimizer._learning_rate(step)) for step in (0, 7, 14)]
    assert rates == pytest.approx([0.5, 0.05, 0.005])
    assert optimizer.momentum == 0.9


def test_whole_numbers_are_numbers() -> None:
    # Keras refuses an integer learning rate, and computes a schedule that starts at one in integers: 0 from step 1 on.
    decay = {"initial_learning_rate": 1, "decay_steps": 4, "decay_rate": 1}
    assert float(keras_objects.build("schedules", {"InverseTimeDecay": decay})(4)) == pytest.approx(0.5)
    piecewise = {"boundaries": [5], "values": [1, 0.25]}
    assert float(keras_objects.build("schedules", {"PiecewiseConstantDecay": piecewise})(6)) == pytest.approx(0.25)
    assert float(keras_objects.build("optimizers", {"SGD": {"learning_rate": 1}}).learning_rate) == 1.0
    assert keras_objects.build("metrics", {"FBetaScore": {"beta": 2}}).beta == 2.0


def test_names_of_metrics_are_those_of_compile() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    metrics: list[Any] = ["mae", "MeanSquaredError", {"RootMeanSquaredError": None}, "accuracy"]
    model.compile(
        loss=keras_objects.build("losses", "mse"), metrics=[keras_objects.build("metrics", m) for m in metrics]
    )
    logs = model.evaluate(np.ones((5, 3)), np.ones((5, 2)), return_dict=True, verbose=0)
    assert sorted(logs) == ["MeanSquaredError", "accuracy", "loss", "mae", "root_mean_squared_error"]
    assert logs["mae"] > 0


@pytest.mark.parametrize(("loss", "classes"), [("crossentropy", 4), ("ce", 1)])
def test_words_are_resolved_by_compile(loss: str, classes: int) -> None:
    probabilities = np.full((6, classes), 1 / (classes + 1), "float32")
    probabilities[:, 0] = 0.75
    model = keras.Sequential([keras.Input((classes,)), keras.layers.Activation("linear")])
    assert keras_objects.build("metrics", "acc") == "acc"
    model.compile(loss=keras_objects.build("losses", loss), metrics=[keras_objects.build("metrics", "acc")])
    logs = model.evaluate(probabilities, np.full((6, 1), 1 if classes == 1 else 0), return_dict=True, verbose=0)
    assert logs["acc"] == 1.0


def test_windows_are_known_to_scipy() -> None:
    windows = entry("initializers", "STFT")["arguments"]["window"]["schema"]["then"]["enum"]
    kernels = {
        word: keras_objects.build("initializers", {"STFT": {"window": word}})((8, 1, 5)).numpy() for word in windows
    }
    assert len({kernel.tobytes() for kernel in kernels.values()}) == len(windows) == 17


def test_unknown_names_and_arguments_are_told() -> None:
    with pytest.raises(LookupError, match="`Adom` is not a known optimizer; did you mean `Adam`"):
        keras_objects.build("optimizers", "Adom")
    with pytest.raises(LookupError, match="`Adam` has no argument `beta1`; did you mean `beta_1`"):
        keras_objects.build("optimizers", {"Adam": {"beta1": 0.5}})
    with pytest.raises(LookupError, match="`accuracy` has no argument `k`"):
        keras_objects.build("metrics", {"accuracy": {"k": 3}})
    with pytest.raises(TypeError, match="one key"):
        keras_objects.canonical("optimizers", {"Adam": None, "SGD": None})


@pytest.mark.parametrize("value", ["adam", "Adam", {"Adam": None}, {"Adam": {}}, {"adam": None}])
def test_canonical(value: Any) -> None:
    before = copy.deepcopy(value)
    name, arguments = keras_objects.canonical("optimizers", value)
    arguments["learning_rate"] = 5
    assert (name, value) == ("Adam", before)
    assert keras_objects.canonical("optimizers", {"Adam": {"epsilon": 0.1}}) == ("Adam", {"epsilon": 0.1})
    assert keras_objects.canonical("metrics", "acc") == ("acc", {})


# ------------------------------------------------------------------------------------------------- its schema


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("family", keras_objects.FAMILIES)
def test_definitions_are_valid_and_plain(family: str, nullable: bool) -> None:
    schema = keras_objects.definition(family, nullable=nullable)
    jsonschema.Draft7Validator.check_schema(schema)
    assert not {"oneOf", "anyOf"} & set(json.dumps(schema).split('"'))
    assert faults(family, 5, nullable=nullable) == ["type"]
    assert faults(family, None, nullable=nullable) == ([] if nullable else ["type"])


def test_references_resolve() -> None:
    text = json.dumps(keras_objects.definitions())
    references = {part.split('"')[0] for part in text.split('"#/definitions/')[1:]}
    assert references == {"optimizer", "schedule"}
    assert {"initializer", "nullable_initializer", "nullable_activation", "loss"} <= set(keras_objects.definitions())


@pytest.mark.parametrize("family", keras_objects.FAMILIES)
def test_every_name_is_accepted_where_it_needs_no_arguments(family: str) -> None:
    for name in (*keras_objects.names(family), *keras_objects.aliases(family), *keras_objects.words(family)):
        needs = bool(keras_objects.required_arguments(family, name))
        assert bool(faults(family, name)) == needs, name
        if needs and name in keras_objects.names(family):
            assert faults(family, {name: None}) == ["type"]
            assert set(faults(family, {name: {}})) == {"required"}
            assert faults(family, sample(family, name)) == []


COSINE = {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 100}}


@pytest.mark.parametrize(
    ("family", "value"),
    [
        ("optimizers", {"Adam": {"learning_rate": COSINE, "clipnorm": 1, "weight_decay": None}}),
        ("callbacks", {"ModelCheckpoint": {"filepath": "a.keras", "save_freq": 100}}),
        ("callbacks", {"TensorBoard": {"profile_batch": [2, 5], "update_freq": "batch"}}),
        ("metrics", {"Precision": {"thresholds": [0.3, 0.7]}}),
        ("metrics", {"F1Score": {"average": None}}),
        ("losses", {"Dice": {"axis": [1, 2]}}),
        ("initializers", {"STFT": {"window": [0.1, 0.5, 0.1]}}),
    ],
)
def test_accepts(family: str, value: Any) -> None:
    assert faults(family, value) == []


@pytest.mark.parametrize(
    ("family", "value", "keyword"),
    [
        ("optimizers", "adom", "enum"),
        ("optimizers", {}, "minProperties"),
        ("optimizers", {"Adam": {}, "SGD": {}}, "maxProperties"),
        ("optimizers", {"adam": {}}, "additionalProperties"),
        ("optimizers", {"Adam": []}, "type"),
        ("optimizers", {"Adam": {"name": "a"}}, "additionalProperties"),
        ("optimizers", {"Adam": {"learning_rate": 0}}, "exclusiveMinimum"),
        ("optimizers", {"Adam": {"learning_rate": "0.1"}}, "type"),
        ("optimizers", {"Adam": {"learning_rate": {"CosineDecay": {"decay_steps": 5}}}}, "required"),
        ("optimizers", {"Adam": {"beta_1": 1}}, "exclusiveMaximum"),
        ("optimizers", {"Adam": {"amsgrad": 1}}, "type"),
        ("optimizers", {"AdamW": {"weight_decay": None}}, "type"),
        ("callbacks", {"EarlyStopping": {"patience": 1.5}}, "type"),
        ("callbacks", {"EarlyStopping": {"mode": "mix"}}, "enum"),
        ("callbacks", {"BackupAndRestore": {"backup_dir": "b", "save_freq": False}}, "type"),
        ("callbacks", "LambdaCallback", "enum"),
        ("metrics", "Accuracy", "enum"),
        ("metrics", {"AUC": {"thresholds": 0.5}}, "type"),
        ("metrics", {"Precision": {"thresholds": [0.3, 1.7]}}, "maximum"),
        ("losses", {"Huber": {"reduction": "none"}}, "enum"),
        ("activations", "glu", "enum"),
        ("activations", {"elu": None}, "type"),
        ("initializers", {"VarianceScaling": {"mode": "fan"}}, "enum"),
        ("initializers", {"STFT": {"window": "kaiser"}}, "enum"),
    ],
)
def test_rejects_with_one_fault(family: str, value: Any, keyword: str) -> None:
    assert faults(family, value) == [keyword]


# -------------------------------------------------------------------------------------------- documentation


def test_pages() -> None:
    page = keras_objects.explain("optimizers", "adam")
    assert page.startswith("Adam (optimizer)\n\nOptimizer that implements the Adam algorithm.\n\nAlso written: adam\n")
    assert "  learning_rate: number > 0 or schedule; default 0.001\n" in page
    assert "  filepath: string; required\n" in keras_objects.explain("callbacks", "ModelCheckpoint")
    assert "whichever fits" in keras_objects.explain("metrics", "accuracy")
    for family in keras_objects.FAMILIES:
        for name in keras_objects.names(family):
            text = keras_objects.explain(family, name)
            assert max(map(len, text.splitlines())) <= 100
            assert all(f"  {key}: " in text for key in keras_objects.argument_names(family, name))


def test_lookups() -> None:
    assert keras_objects.families_of("Hinge") == ("losses", "metrics")
    assert keras_objects.families_of("accuracy") == ("metrics",)
    assert keras_objects.families_of("Conv1D") == ()
    assert keras_objects.argument_names("regularizers", "l1_l2") == ("l1", "l2")
    assert keras_objects.required_arguments("metrics", "IoU") == ("num_classes", "target_class_ids")


def test_the_schema_needs_no_framework() -> None:
    code = "import sys; from nnspec.catalogue import keras_objects as k; k.definitions(); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "tensorflow", "numpy"} & set(done.stdout.split())
