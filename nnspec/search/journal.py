"""The journal of a search: an append-only file in Optuna's format, with a line for each trial that is finished.

One process writes it, trials in the order of their numbers. A line that was not written to its end, because the process
was killed or the disk was full, is cut off when it is opened again.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

from nnspec.search.plan import SearchPlan
from nnspec.search.sampling import direction, to_frozen_trial
from nnspec.search.trials import Finished, Outcome

STUDY = "nnspec"


class DamagedJournalError(Exception):
    """A line of the journal, other than the last, cannot be read."""


class Journal:
    """The trials that are finished, in memory and in the file.

    Attributes:
        origin: hashes of what the search is made of, by name, as they were when it began.
        trials: all trials by number.
    """

    def __init__(self, path: Path, plan: SearchPlan, origin: Mapping[str, object]) -> None:
        self.path, self.plan = path, plan
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_line(path)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                storage = JournalStorage(JournalFileBackend(str(path), lock_obj=_OneWriter()))
                self.study = optuna.create_study(
                    study_name=STUDY, storage=storage, direction=direction(plan), load_if_exists=True
                )
        except (ValueError, KeyError, AssertionError) as error:
            raise DamagedJournalError(str(error)) from None
        attributes = self.study.user_attrs
        if "origin" not in attributes:
            self.study.set_user_attr("origin", dict(origin))
        self.origin: dict[str, str] = attributes.get("origin", dict(origin))
        self.trials = [_finished(trial.user_attrs) for trial in self.study.trials]
        self.seconds = max((float(trial.user_attrs["seconds"]) for trial in self.study.trials), default=0.0)

    def append(self, trial: Finished, seconds: float) -> None:
        """Writes a trial down.

        Args:
            seconds: how long the search has run by then, interruptions left out.
        """
        assert trial.outcome.number == len(self.trials)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = to_frozen_trial(self.plan, trial, is_told=True)
            made.set_user_attr("seconds", round(seconds, 3))
            self.study.add_trial(made)
        self.trials.append(trial)


class _OneWriter(BaseJournalFileLock):
    """No lock: the folder of a search is locked as a whole, and Optuna's would outlast a process that is killed."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def _finished(attributes: Mapping[str, str]) -> Finished:
    return Finished(outcome=Outcome.from_json(attributes["outcome"]), point=json.loads(attributes["point"]))


def cut_torn_line(path: Path) -> None:
    """Cuts off what comes after the last line end."""
    if not path.is_file():
        return
    text = path.read_bytes()
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(path, whole)
