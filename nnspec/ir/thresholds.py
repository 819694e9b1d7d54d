"""Where yes begins in an output of scores: a number, or a rule that chooses it on the validation split."""

from __future__ import annotations

from nnspec.lazy import dataclass

MAXIMIZED = ("f1", "accuracy", "balanced_accuracy")
OF_LABELS = ("maximize", "precision", "recall")
RULES = (*OF_LABELS, "quantile")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold as a spec has it.

    Attributes:
        rule: one of RULES; None where the spec gives the number.
        goal: the number; or what is maximized, the precision or recall to reach, or the share of scores below.
    """

    rule: str | None
    goal: float | str

    @property
    def value(self) -> float | None:
        """The number, where the spec gives it."""
        return float(self.goal) if self.rule is None else None

    @property
    def needs_labels(self) -> bool:
        """Whether it is chosen by comparing scores with labels."""
        return self.rule in OF_LABELS

    def __str__(self) -> str:
        return str(self.goal) if self.rule is None else f"{self.rule}: {self.goal}"

    def to_json(self) -> float | dict[str, float | str]:
        return self.goal if self.rule is None and not isinstance(self.goal, str) else {str(self.rule): self.goal}
