"""What others need to know of a kind of source its object says: no module but its own spells its name or its suffix.

Such a word by itself is a decision: something is compared with it, or looked up by it. Words within messages are none.
"""

from __future__ import annotations

import ast

from nnspec.data.sources.registry import MODULES, own_kinds
from tests.support.paths import PACKAGE

# Words that are also something else: the name of a kind tells nothing there.
AMBIGUOUS = {
    "json": "what verbs print with `--format`",
    "text": "likewise, and what an input holds",
    ".wav": "clips and recordings",
}
# By word, the module that may spell it.
WORDS = {
    word: MODULES[source.kind].removeprefix("nnspec.").replace(".", "/") + ".py"
    for source in own_kinds()
    for word in (source.kind, *source.suffixes)
    if word not in AMBIGUOUS
}
# Where kinds are spelt all the same, and why.
ALLOWED = {
    "data/sources/registry.py": "the table of kinds",
    "data/sources/foreign.py": "what files are by their first bytes, whichever kind a spec says",
    "data/sources/array_header.py": "what the members of an archive of arrays are called",
    "importers/keras/importer.py": "the file that an imported model's constants go to",
    "layers/formulas/own_weights.py": "the file of a weight's first values, which is no source of data",
    "backends/checkpoint_files.py": "the files of a checkpoint, which are no source of data",
    "diagnostics/extras.py": "the table of extras, one of which is called like the kind that needs it",
    "runtime/media/npz_map.py": "what the members of an archive of arrays are called",
    "runtime/rules/images.py": "the suffixes of pictures, by which a deployed model lists a folder too",
    "runtime/media/files.py": "the table of files that are a sample each, for a deployed model",
    "runtime/rules/audio.py": "the suffixes of clips, likewise",
    "runtime/rules/texts.py": "the suffixes of texts, likewise",
    "runtime/tables/query.py": "the table of what a query over new tables can read",
    "runtime/tables/folders.py": "the table of what a folder of tables can have",
    "runtime/tables/typed.py": "Parquet and Arrow share their rules but not how a file is opened",
    "runtime/reading.py": "the table of suffixes of a deployed model, which knows nothing else of nnspec",
    "validation/hints.py": "what is meant by other words for pictures",
    "runtime/writing.py": "what predictions are written as",
    "page/fields.py": "the fields of a page in a browser, by what a deployed model says of its inputs",
    "page/writing.py": "which fields of such a page are for sound",
    "page/scripts.py": "one of the scripts is called like the kind",
    "propose/images.py": "the extra that is called like the kind that needs it",
}


def spelt() -> list[tuple[str, int, str]]:
    """Where a word stands by itself outside its kind's own module: module, line, word."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
                if word in WORDS and WORDS[word] != module:
                    found.append((module, node.lineno, word))
    return found


def test_words_of_every_kind_are_sought() -> None:
    assert WORDS.keys() >= {*(MODULES.keys() - AMBIGUOUS.keys()), ".csv", ".flac"}


def test_nobody_else_spells_a_kinds_name() -> None:
    assert not [place for place in spelt() if place[0] not in ALLOWED]


def test_what_is_allowed_is_needed() -> None:
    assert {module for module, _, _ in spelt()} == ALLOWED.keys()
