"""The work behind the verbs that need a framework: train, export, verify, build, rebuild, search. Loaded only by them.

`training`, `exporting`, `verifying`, `building` and `rebuilding` have a verb each, the folder `search` another;
`distribution` starts workers, `variants` writes smaller forms of a model, `metadata` what a model says of itself, and
`provenance` what a build does. The others are steps that several verbs share.

Each takes the backends that it is to work with, and loads no framework before it is called.
"""

from __future__ import annotations

from nnspec.jobs.building import run_build
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.exporting import lower, run_export
from nnspec.jobs.run import Run
from nnspec.jobs.settings import settings_of
from nnspec.jobs.training import run_training
from nnspec.jobs.verifying import run_verify

__all__ = ["Run", "load_dataset", "lower", "run_build", "run_export", "run_training", "run_verify", "settings_of"]
