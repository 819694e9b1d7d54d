"""Random uses of every layer kind: what it reads, and a body from its arguments.

Most arguments come from their schema. What depends on each other or on the input is said by the kind's form, which
stands beside its cases; what the checker refuses all the same is passed over, so a form need not be exact.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from nnspec.layers.kit.args import REQUIRED, Arg
from nnspec.layers.registry import REGISTRY
from tests.support.case_files import FORMS
from tests.support.strategies.arguments import of_argument
from tests.support.strategies.form_parts import Axes, Form, Use, Wrapping, axis, some_axes


@st.composite
def uses(draw: DrawFn, kind: str) -> Use:
    """A use of the kind; it need not be legal."""
    form = FORMS[kind]
    if isinstance(form, Wrapping):
        inner = draw(uses(draw(st.sampled_from(form.kinds))))
        return form.wrap(draw, replace(inner, inputs=inner.inputs[:1]))
    axes = draw(form.axes)
    layer = REGISTRY[kind]
    body = form.start(draw, axes)
    for name, arg in layer.args.items():
        if name in form.without or name in body:
            continue
        rare = name.endswith(("_initializer", "_regularizer", "_constraint"))
        wanted = name in form.given and not isinstance(arg.default, int | float | str | bool)
        if arg.default is not REQUIRED and not wanted and draw(st.integers(0, 7 if rare else 2)):
            continue
        body[name] = draw(_strategy(name, arg, form, axes))
    body = form.complete(draw, body, axes)
    if body.get("data_format") == "channels_first" and "channel" in axes:
        axes = _channels_first(axes)
    if layer.makes is not None and form.names_axis and draw(st.booleans()):
        body["as"] = "made"
    if not layer.is_axis_operation and not draw(st.integers(0, 7)):
        body["trainable"] = False
    if form.over is not None and draw(st.booleans()):
        body["over"] = [name for name in axes if name not in ("channel", "feature")][: form.over]
    is_masked = form.dtype == "float32" and len(axes) == 2 and form.may_be_masked and not draw(st.integers(0, 2))
    inputs = [axes, *draw(form.others(body, axes))]
    return Use(kind, body, inputs, form.dtype, is_masked, draw(form.attention_mask(body, inputs)))


def _channels_first(axes: Axes) -> Axes:
    front = [name for name in axes if name == "frame"]
    return {name: axes[name] for name in (*front, "channel", *(n for n in axes if n not in ("channel", *front)))}


def _strategy(name: str, arg: Arg, form: Form, axes: Axes) -> SearchStrategy[Any]:
    if name in form.given:
        return form.given[name](axes)
    types = arg.schema.get("type")
    if types == ["string", "integer"]:
        return axis(axes)
    if isinstance(types, list) and types[:3] == ["string", "integer", "array"]:
        return some_axes(axes)
    return of_argument(arg)
