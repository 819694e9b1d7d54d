"""`nnspec explain` has a page for everything that a spec can name."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from nnspec.catalogue import keras_objects
from nnspec.cli import main
from nnspec.diagnostics.codes import CODES
from nnspec.explain.language import TASK_PAGES
from nnspec.explain.pages import contents, page, suggestions, topics
from nnspec.layers.aliases import ALIASES
from nnspec.layers.registry import REGISTRY
from nnspec.schema.sections import TASKS, sections, structure

OBJECTS = [(family, name) for family in keras_objects.FAMILIES for name in keras_objects.names(family)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


@pytest.mark.parametrize("code", CODES)
def test_codes(code: str) -> None:
    assert page(code.lower()) == page(CODES[code]) == page(code)
    assert (page(code) or "").startswith(f"# {code}: {CODES[code]}\n")


@pytest.mark.parametrize("kind", REGISTRY)
def test_layers(kind: str) -> None:
    text = page(kind) or ""
    assert text.startswith(f"# {kind}\n")
    for argument, about in REGISTRY[kind].args.items():
        assert f"`{argument}`" in text
        assert about.description.rstrip(".")[:30] in text
    assert "None" not in text.split("## Arguments")[0].split("\n")[2], "the docstring is there"


def test_other_names_of_layers() -> None:
    for alias, kind in ALIASES.items():
        assert page(alias) == page(kind)


def test_the_language() -> None:
    for name, schema in {**sections({}, {}), **structure({})}.items():
        text = page(name) or ""
        assert text.startswith(f"# {name} (")
        assert schema.get("description", "") in text
        for key, value in schema.get("properties", {}).items():
            assert f"- `{key}` (" in text, (name, key)
            assert value.get("description", "") in text
    assert set(TASK_PAGES) == set(TASKS)
    for task in TASKS:
        assert "Loss: " in (page(task) or "")


@pytest.mark.parametrize("family", keras_objects.FAMILIES)
def test_objects(family: str) -> None:
    about = keras_objects.FAMILIES[family]
    for name in (*keras_objects.names(family), *keras_objects.aliases(family), *keras_objects.words(family)):
        text = page(name)
        assert text is not None, name
        # a function may share its name with a layer (`ReLU`, `relu`) or a section; those come first
        assert f"({about.singular})" in text or text.startswith("# "), name


def test_a_name_of_two_families_has_both_pages() -> None:
    text = page("Hinge") or ""
    assert "Hinge (loss)" in text
    assert "Hinge (metric)" in text


def test_keys() -> None:
    """A key says where it may be and what it means there; a section or layer of the same name comes first."""
    text = page("horizon") or ""
    assert text.startswith("# horizon (key)\n")
    assert "`data.window.horizon`" in text
    schema = sections({}, {})["data"]["properties"]["outputs"]["additionalProperties"]["properties"]
    for key, value in schema.items():
        assert value["description"] in (page(key) or ""), key
    assert len((page("scale") or "").splitlines()) > 3, "it means several things"


def test_a_key_by_its_path() -> None:
    """A path has the meaning in that place alone, whatever the input or output there is called."""
    text = page("data.split") or ""
    assert "`data.split` (mapping)" in text
    assert "Keys: `train`, " in text
    assert "`data.inputs.NAME.window`" not in (page("data.window") or "")
    assert page("data.inputs.photo.images") == (page("data.inputs.NAME.images") or "").replace("NAME", "photo", 1)
    assert "Ray Train" in (page("training.distribute") or "")
    assert page("training.split") is None
    assert suggestions("data.splt") == ["data.split"]


def test_without_an_argument_all_are_listed() -> None:
    done = run()
    assert done.exit_code == 0
    assert done.stdout == contents()
    for names in topics().values():
        for name in names:
            assert name in done.stdout
            assert page(name), name


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("Conv1dd", "Conv1D"), ("premute", "permute"), ("NN3001", "NN301"), ("Adm", "Adam"), ("regresion", "regression")],
)
def test_unknown(asked: str, meant: str) -> None:
    done = run(asked)
    assert done.exit_code == 2
    assert f"`{asked}`" in done.stderr
    assert f"`{meant}`" in done.stderr
    assert run("zzzzzzz").exit_code == 2


def test_case_is_ignored() -> None:
    assert run("conv1d").stdout == run("Conv1D").stdout
    assert run("ADAM").stdout == run("Adam").stdout
    assert run("Repeat").stdout == run("repeat").stdout
