"""The verbs that describe a spec and the language: `show`, `explain` and `schema`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.options import ALLOW_OUTSIDE, SET, SPEC
from nnspec.cli.reporting import report_errors

if TYPE_CHECKING:
    from nnspec.ir.graph import Graph
    from nnspec.show.why import Page


@click.command()
@SPEC
@click.option(
    "--why", "layer", metavar="LAYER", help=("Explain one layer: what each of its arguments does in this spec.")
)
@SET
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "mermaid"]),
    default="text",
    help="Output format; mermaid is a diagram that GitHub renders.",
)
@ALLOW_OUTSIDE
@report_errors
def show(spec: str, layer: str | None, overrides: dict[str, str], output: str, allow_outside: bool) -> None:
    """Show a spec's network, one row per layer.

    \b
    nnspec show specs/causal_cnn.yaml
    nnspec show specs/causal_cnn.yaml --why conv1d_2
    nnspec show specs/causal_cnn.yaml --format mermaid

    Each row has the axes in and out, the weights, the number of parameters with its formula, and the receptive field.
    Prints only; writes no file.

    Exit codes: 0 when shown, 1 when the spec has errors, 2 on a wrong command line.
    """
    from nnspec import pipeline
    from nnspec import show as rendering
    from nnspec.data.axis_size import named_features

    if layer is not None and output == "mermaid":
        raise click.UsageError("--why explains one layer, in text or json; mermaid draws all layers")
    checked = pipeline.check(spec, overrides, allow_outside=allow_outside, without_data=True)
    graph = checked.graph
    if layer is not None:
        page = _page_of(graph, layer)
        click.echo(
            json.dumps(page.to_json(), indent=2, ensure_ascii=False) if output == "json" else page.to_text(),
            nl=output == "json",
        )
    elif output == "json":
        body = rendering.to_json(graph, named_features(checked.data), checked.data)
        click.echo(json.dumps(body, indent=2, ensure_ascii=False))
    elif output == "mermaid":
        from nnspec.show.mermaid import to_mermaid

        click.echo(to_mermaid(graph), nl=False)
    else:
        click.echo(rendering.to_text(graph, named_features(checked.data), checked.data), nl=False)


def _page_of(graph: Graph, layer: str) -> Page:
    from nnspec.diagnostics import did_you_mean
    from nnspec.show.why import explain_node

    names = [node.name for node in graph.nodes]
    if layer not in names:
        raise click.UsageError(
            f"`{graph.name}` has no layer `{layer}`{did_you_mean(layer, names)}\nlayers: {', '.join(names)}"
        )
    return explain_node(graph, graph.nodes[names.index(layer)])


@click.command()
@click.argument("what", required=False, metavar="[NAME]")
@report_errors
def explain(what: str | None) -> None:
    """Print the page of a code, a layer or another word of a spec.

    \b
    nnspec explain NN301       a diagnostic code
    nnspec explain Conv1D      a layer: axes, arguments, defaults
    nnspec explain data        a section; also items (repeat), tasks (regression) and Keras objects (Adam)
    nnspec explain data.split  a key; `split` alone: wherever it may be
    nnspec explain             a list of all pages

    Prints only; writes no file.

    Exit codes: 0 when the page exists, 2 when it does not.
    """
    from nnspec.explain.pages import contents, page, suggestions

    _tell_of_packages(what)
    if what is None:
        click.echo(contents(), nl=False)
        return
    text = page(what)
    if text is None:
        close = " or ".join(f"`{name}`" for name in suggestions(what))
        guess = f"; did you mean {close}?" if close else "; `nnspec explain` lists all pages"
        raise click.UsageError(f"there is no page `{what}`{guess}")
    click.echo(text, nl=False)


def _tell_of_packages(kind: str | None = None) -> None:
    """Prints to standard error what is wrong with the layers of installed packages, all or those of one kind."""
    from nnspec.layers.registry import REGISTRY

    for problem in REGISTRY.problems():
        if kind in (None, problem.kind):
            click.echo(str(problem), err=True)


@click.command()
@click.option("--check", "compare", is_flag=True, help="Compare with the file instead of writing it.")
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), default=Path("schemas/nnspec.schema.json"), show_default=True
)
@report_errors
def schema(compare: bool, out: Path) -> None:
    """Write the JSON Schema of specs, for editors and validators.

    \b
    nnspec schema --out nnspec.schema.json
    nnspec schema --check

    Writes one file, which also describes the layers of other installed packages.

    Exit codes: 0 when written or up to date, 1 when --check finds a difference, 2 on a wrong command line.
    """
    from nnspec.layers import discover

    if compare and not discover.is_up_to_date():
        click.echo(f"{discover.KINDS} is not up to date: run `nnspec schema`", err=True)
        sys.exit(1)
    if discover.write_kinds():  # before what reads it is imported
        click.echo(f"wrote {discover.KINDS}")
    from nnspec.diagnostics.unwritable import telling_unwritable
    from nnspec.runtime.whole_files import write_whole
    from nnspec.schema.publish import published_text

    _tell_of_packages()
    text = published_text()
    if compare:
        current = out.read_text(encoding="utf-8") if out.is_file() else ""
        if current != text:
            click.echo(f"{out} is not up to date: run `nnspec schema`", err=True)
            sys.exit(1)
        click.echo(f"{out} is up to date")
        return
    with telling_unwritable(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, text)
    click.echo(f"wrote {out}")
