"""Joins the page's modules and ONNX Runtime's into one script: a page from the disk may import no other file."""

from __future__ import annotations

import re
from importlib.resources import files

# In the order in which each finds what it imports.
MODULES = (
    *("tensors", "arrays", "csv", "dates", "cells", "table", "json_rows", "pictures", "sound"),
    *("form", "files", "records", "results", "predict", "main"),
)
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.mjs";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
_EXPORTS_OF_RUNTIME = re.compile(r"export\{([^}]*)\};?\s*(?://# sourceMappingURL=\S*\s*)?$")


def join_scripts(runtime: str) -> str:
    """One module script: the runtime's module first, then the page's, each within a scope of its own."""
    parts = [_runtime_scope(runtime), "const modules = {};"]
    parts += [
        _scope(name, files("nnspec.page").joinpath("scripts", f"{name}.mjs").read_text("utf-8")) for name in MODULES
    ]
    return "\n".join(parts)


def _runtime_scope(text: str) -> str:
    """The runtime, with what it exports as `ort`."""
    found = _EXPORTS_OF_RUNTIME.search(text)
    if found is None:
        raise ValueError("the runtime's script does not end with what it exports")
    pairs = [pair.split(" as ") for pair in found[1].split(",")]
    names = {public: own for own, public in pairs}
    wanted = ", ".join(f"{name}: {names[name]}" for name in ("InferenceSession", "Tensor", "env"))
    return f"const ort = await (async () => {{\n{text[: found.start()]}\nreturn {{{wanted}}};\n}})();"


def _scope(name: str, text: str) -> str:
    exported = [match[2] for match in _EXPORT.finditer(text)]
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(r"const \1 = modules.\2;", text))
    return f"modules.{name} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"
