"""The parsed `data.split`: how rows are divided. Standard library only."""

from __future__ import annotations

from nnspec.diagnostics import Span
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One split's share.

    It is a fraction of the rows, a label in the column that `by` names, a pattern of file names (`label` too), or
    whatever comes from `start` on, a value of `order_by`; the first of such parts has none.
    """

    name: str
    fraction: float | None
    label: str | None
    span: Span
    start: str | float | None = None

    @property
    def count(self) -> int | None:
        """How many rows it has, where the spec says that rather than a fraction."""
        return self.fraction if isinstance(self.fraction, int) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """How rows are divided.

    Attributes:
        by: time, order, random, label, hash or files.
        label_column: of `label`, the column that has the labels.
        hash_column: of `hash`, the column whose values draw the split.
        has_starts: whether the parts begin at values of `order_by`.
        stratum: the column of classes of which every split has its share; None: those of the first single label.
        is_stratified: whether the spec asks for that; None where it does not say.
        gap: None is automatic.
        folds: how many there are; None: rows are divided once.
        fold: the one whose splits `parts` are, from 0; None: those of the model that is trained on all rows.
        final: what the deployed model is trained on: `all` rows, or those of the `last` fold.
        held_out: with folds, the share of the training rows that is for validation.
    """

    parts: tuple[Part, ...]
    by: str
    label_column: str | None = None
    hash_column: str | None = None
    has_starts: bool = False
    stratum: str | None = None
    is_stratified: bool | None = None
    group: str | None = None
    gap: int | None = None
    seed: int = 0
    folds: int | None = None
    fold: int | None = None
    final: str = "all"
    held_out: float = 0.0
    span: Span
    spans: dict[str, Span]

    @property
    def is_chronological(self) -> bool:
        return self.by in ("time", "order")

    @property
    def has_labels(self) -> bool:
        """Whether each row's split can be told from the row alone: by its label, its key, or its file's name."""
        if self.by == "files":
            return any(part.label is not None for part in self.parts)
        return self.by in ("label", "hash")

    @property
    def drawn_from_train(self) -> list[Part]:
        """The splits that are a fraction of the rows that a label or a pattern gives to training."""
        return [part for part in self.parts if part.fraction is not None and self.by != "hash" and self.has_labels]

    @property
    def names_folders(self) -> bool:
        """Whether each split is a folder, as in `train: train/*`."""
        firsts = [part.label.partition("/") for part in self.parts if part.label is not None]
        is_folder = all(rest and not set(first) & set("*?[") for first, _, rest in firsts)
        return self.by == "files" and bool(firsts) and is_folder

    @property
    def has_whole_files(self) -> bool:
        """Whether files are dealt out at random."""
        return self.by == "files" and not self.has_labels
