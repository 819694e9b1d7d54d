"""The work behind the verbs that need a framework: train, export, verify, build. Loaded only by them.

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
