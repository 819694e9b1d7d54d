"""Fills a template of a page."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_NAME = re.compile(r"`([^`]+)`")


def render(template: str, package: str = "nnspec.report", **values: object) -> str:
    """The page, or a text; in a page values are escaped, and a template that asks for what it is not given fails.

    Args:
        template: the name of a file in the package.
    """
    environment = _environment(package, is_page=not template.endswith(".md.j2"))
    return environment.get_template(template).render(**values)


def with_code(text: object) -> Markup:
    """A sentence for a page: escaped, and what stands between backticks, as messages write names, as code."""
    from markupsafe import Markup, escape

    return Markup(_NAME.sub(r"<code>\1</code>", str(escape(text))))


@cache
def _environment(package: str, *, is_page: bool) -> Environment:
    """Keeps the templates that it has compiled: compiling one takes longer than filling it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=is_page,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["with_code"] = with_code
    return environment
