"""The command line: one short function a verb, which parses, calls the pipeline and renders.

A verb lives in the module of its group; VERBS lists them.
"""

from __future__ import annotations

import gc
import importlib
import sys

import click

from nnspec import __version__
from nnspec.unused_packages import claim_process

# A verb and the module that defines it, in the order in which verbs are used. A call imports the module of its verb.
VERBS = {
    "init": "proposing",
    "check": "checking",
    "show": "describing",
    "fix": "checking",
    "explain": "describing",
    "data": "data",
    "train": "building",
    "export": "building",
    "verify": "deploying",
    "build": "building",
    "search": "searching",
    "sign": "signing",
    "rebuild": "rebuilding",
    "runs": "comparing",
    "diff": "comparing",
    "evaluate": "evaluating",
    "predict": "deploying",
    "page": "paging",
    "import": "importing",
    "cache": "caching",
    "schema": "describing",
    "lsp": "language_server",
}
QUICK = {"check", "show", "fix", "explain", "schema"}


class _Verbs(click.Group):
    """Lists verbs in the order of use, not alphabetically, and imports the one that is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module(f"nnspec.cli.{VERBS[name]}")
        return next(value for value in vars(module).values() if isinstance(value, click.Command) and value.name == name)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nnspec")
def main() -> None:
    """Neural networks from a YAML spec: axes checked by name, trained by Keras, exported to verified ONNX.

    \b
    nnspec check specs/causal_cnn.yaml    report errors, before any framework is imported
    nnspec show  specs/causal_cnn.yaml    axes, weights, parameters and receptive fields, one row per layer
    nnspec data  specs/causal_cnn.yaml    rows, statistics and classes of each split, and what the splits share
    nnspec build specs/causal_cnn.yaml    check, train, evaluate, export, verify
    nnspec evaluate out/causal_cnn/model.onnx LABELLED.csv
    nnspec predict out/causal_cnn/model.onnx DATA.csv

    `nnspec VERB --help` describes a verb: examples, what it writes, and its exit codes.

    Tab completion: eval "$(_NNSPEC_COMPLETE=bash_source nnspec)" (zsh_source, fish_source).
    """


def entry() -> None:
    """The console script. Verbs that are over in a moment spare themselves the garbage collector."""
    if len(sys.argv) > 1 and sys.argv[1] in QUICK:
        gc.disable()
    elif resource_limited():
        from nnspec.cli.limited import is_watched, own_command, run_watched

        if is_watched(sys.argv[1:]):
            sys.exit(run_watched(own_command()))
    claim_process()
    main()


def resource_limited() -> bool:
    """Whether this process may not have all addresses."""
    try:
        import resource
    except ImportError:  # not on Windows
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
