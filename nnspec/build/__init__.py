"""The work behind the verbs that need a framework: train, export, verify, build. Loaded only by them."""

from __future__ import annotations

from nnspec.backends.quiet import load_framework
from nnspec.build.building import run_build
from nnspec.build.dataset import load_dataset
from nnspec.build.exporting import lower, run_export
from nnspec.build.run import Run
from nnspec.build.settings import settings_of
from nnspec.build.training import run_training
from nnspec.build.verifying import run_verify

load_framework()

__all__ = ["Run", "load_dataset", "lower", "run_build", "run_export", "run_training", "run_verify", "settings_of"]
