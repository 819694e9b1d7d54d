"""Fills a template of a page."""

from __future__ import annotations


def render(template: str, **values: object) -> str:
    """The page, or a text; in a page values are escaped, and a template that asks for what it is not given fails.

    Args:
        template: the name of a file in this package.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("nnspec.report", "."),
        autoescape=not template.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
