"""Documentation of layers, from their docstrings."""

from __future__ import annotations

import inspect
import re

from nnspec.ir.graph import LayerKind
from nnspec.layers.kit.base import Layer
from nnspec.layers.refused import Refusal


def summary(layer: LayerKind) -> str:
    """The first paragraph of a layer's docstring, on one line."""
    text = inspect.cleandoc(type(layer).__doc__ or layer.kind)
    return " ".join(text.split("\n\n")[0].split())


def markdown(layer: Layer) -> str:
    """A layer's docstring as Markdown: paragraphs flow, and what is said of axes and weights becomes a list."""
    text = inspect.cleandoc(type(layer).__doc__ or "")
    listed = re.sub(r"^(Input axes|Output axes|Weights): *", r"- \1: ", text, flags=re.MULTILINE)
    return re.sub(r"(?<=\S)\n *(?=[^-\s])", " ", listed)


def layer_page(layer: Layer) -> str:
    """A layer's whole page: docstring, arguments with defaults, and how it is exported."""
    from nnspec.layers.kit.args import REQUIRED

    lines = [f"# {layer.kind}", "", inspect.cleandoc(type(layer).__doc__ or ""), ""]
    if layer.args:
        lines += ["## Arguments", ""]
        for name, arg in layer.args.items():
            default = "required" if arg.default is REQUIRED else f"default {arg.default!r}"
            lines.append(f"- `{name}` ({default}): {arg.description}")
        lines.append("")
    if layer.main_argument is not None and not layer.is_axis_operation:
        lines += [f"A body that is not a mapping is its `{layer.main_argument}`: {_short_example(layer)}.", ""]
    common = ["name", "from", "when"] + (["as"] if layer.makes else []) + (["over"] if layer.steps else [])
    lines.append("Also takes " + ", ".join(f"`{c}`" for c in common) + ".")
    return "\n".join(lines).rstrip() + "\n"


def _short_example(layer: Layer) -> str:
    value = "[a, b]" if layer.main_argument == "from" else "…"
    return f"`{layer.kind}: {value}`"


def refusal_page(kind: str, refusal: Refusal) -> str:
    """What `nnspec explain` says of a kind that a spec cannot name."""
    return f"# {kind}\n\nNot a layer of a spec: `{kind}` {refusal.reason}.\n\nInstead: {refusal.instead}.\n"
