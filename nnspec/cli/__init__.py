"""The command line: one short function a verb, which parses, calls the pipeline and renders.

A verb lives in the module of its group; VERBS lists them in the order in which they are used.
"""

from __future__ import annotations

import gc
import sys

import click

from nnspec import __version__
from nnspec.cli import building, checking, deploying, describing, editing, importing

VERBS = (
    checking.check,
    describing.show,
    checking.fix,
    describing.explain,
    building.train,
    building.export,
    deploying.verify,
    building.build,
    deploying.predict,
    importing.import_,
    describing.schema,
    editing.lsp,
)
QUICK = {"check", "show", "fix", "explain", "schema"}


class _Order(click.Group):
    """Lists verbs in the order of use, not alphabetically."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Order, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nnspec")
def main() -> None:
    """Neural networks from a YAML spec: axes checked by name, trained by Keras, exported to verified ONNX.

    \b
    nnspec check specs/causal_cnn.yaml    report errors, before any framework is imported
    nnspec show  specs/causal_cnn.yaml    axes, weights, parameters and receptive fields, one row per layer
    nnspec build specs/causal_cnn.yaml    check, train, evaluate, export, verify
    nnspec predict out/causal_cnn/model.onnx DATA.csv

    `nnspec VERB --help` describes a verb: examples, what it writes, and its exit codes.

    `nnspec VERB --help` describes a verb: examples, what it writes, and its exit codes.

    Tab completion: eval "$(_NNSPEC_COMPLETE=bash_source nnspec)" (zsh_source, fish_source).
    """


for _verb in VERBS:
    main.add_command(_verb)


def entry() -> None:
    """The console script. Verbs that are over in a moment spare themselves the garbage collector."""
    if len(sys.argv) > 1 and sys.argv[1] in QUICK:
        gc.disable()
    main()
