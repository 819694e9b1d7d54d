"""Parses how the values of a slot are scaled, and how they are mapped to classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Required, TypedDict

from nnspec.data.section.plan import ClassPlan, ScalePlan
from nnspec.diagnostics import Span

Fault = Callable[[str, str, Span, str], None]  # a code, a message, its place, and the path in the document


class ScaleBody(TypedDict, total=False):
    """The mapping form of `scale`."""

    method: Required[str]
    along: list[str]


class ClassesBody(TypedDict, total=False):
    """The mapping form of `classes`."""

    quantiles: int
    edges: list[float]
    along: list[str]


def read_scale(body: str | ScaleBody | None, spans: dict[str, Span]) -> ScalePlan | None:
    if body is None:
        return None
    if isinstance(body, str):
        return ScalePlan(body, None, spans["scale"])
    along = body.get("along")
    return ScalePlan(body["method"], None if along is None else tuple(along), spans["scale"])


def read_classes(
    body: str | list[str | int] | ClassesBody | None, spans: dict[str, Span], where: str, fault: Fault
) -> ClassPlan | None:
    if body is None:
        return None
    span = spans["classes"]
    if isinstance(body, str):
        return ClassPlan(kind="labels", span=span)
    if isinstance(body, list):
        return ClassPlan(kind="list", span=span, labels=tuple(body))
    along = body.get("along")
    axes = None if along is None else tuple(along)
    if ("quantiles" in body) == ("edges" in body) or ("edges" in body and along is not None):
        message = "`classes` takes either `quantiles` or `edges`, and `along` only with `quantiles`"
        fault("NN208", message, span, f"{where}.classes")
        return None
    if "quantiles" in body:
        return ClassPlan(kind="quantiles", span=span, quantiles=body["quantiles"], along=axes)
    edges = tuple(float(edge) for edge in body["edges"])
    if list(edges) != sorted(edges):
        fault("NN208", f"the edges {list(edges)} are not in ascending order", span, f"{where}.classes.edges")
    return ClassPlan(kind="edges", span=span, edges=edges)
