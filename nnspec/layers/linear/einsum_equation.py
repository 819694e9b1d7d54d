"""Einsum equations of a tensor and a kernel, `abc,cd->abd`: one letter per axis, including batch."""

from __future__ import annotations

import re

from nnspec.lazy import dataclass

_FORMS = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class BadEquation(ValueError):
    """What is wrong with an equation, as the end of a sentence that begins with the equation."""


@dataclass(frozen=True)
class Equation:
    """An equation with every axis written out: the letters of input, kernel and output; the first one is batch.

    Attributes:
        covered: how many of the output's letters `output_shape` covers, and the first of them.
    """

    input: str
    kernel: str
    output: str
    covered: tuple[int, int]

    @classmethod
    def parse(cls, text: str, rank: int) -> Equation:
        """The equation for an input of `rank` axes, batch counted; `...` stands for the axes that have no letter.

        Raises:
            BadEquation: where Keras, or a batch that is only looped over, does not allow it.
        """
        found = _FORMS.fullmatch(text.replace(" ", ""))
        if found is None:
            raise BadEquation("is none of the forms `ab,bc->ac`, `...ab,bc->...ac` and `ab...,bc->ac...`")
        left, read, right, kernel, left_out, made, right_out = found.groups()
        if (left, right) != (left_out, right_out) or (left and right):
            raise BadEquation("has `...` on one side of the arrow only")
        for letters, what in ((read, "input"), (kernel, "kernel"), (made, "output")):
            double = next((letter for letter in letters if letters.count(letter) > 1), None)
            if double is not None:
                raise BadEquation(f"names `{double}` twice in its {what}")
        elided = rank - len(read)
        if elided < (1 if left else 0) or (elided and not (left or right)):
            raise BadEquation(f"has letters for {len(read)} axes, but with batch there are {rank}")
        spare = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in text][:elided]
        filled = "".join(spare)
        whole = (filled + read, filled + made) if left else (read + filled, made + filled)
        given = (elided, len(made)) if left else (1, len(made) - 1)
        equation = cls(whole[0], kernel, whole[1], given)
        equation._check()
        return equation

    def _check(self) -> None:
        batch = self.input[0]
        if self.output[0] != batch or batch in self.kernel:
            raise BadEquation(f"must keep its first letter, `{batch}`, the batch, unchanged")
        for letter in self.kernel:
            if letter not in self.input and letter not in self.output:
                raise BadEquation(f"has `{letter}` in its kernel only")
        for letter in self.output:
            if letter not in self.input and letter not in self.kernel:
                raise BadEquation(f"has `{letter}` in its output only")

    def __str__(self) -> str:
        return f"{self.input},{self.kernel}->{self.output}"

    @property
    def new(self) -> str:
        """The letters of new axes."""
        return "".join(letter for letter in self.output if letter not in self.input)

    @property
    def contracted(self) -> str:
        """Those that are summed over with the kernel."""
        return "".join(letter for letter in self.input if letter in self.kernel and letter not in self.output)

    @property
    def summed(self) -> str:
        """Those that are summed over without it."""
        return "".join(letter for letter in self.input if letter not in self.kernel and letter not in self.output)

    @property
    def shared(self) -> str:
        """Those at each position of which the kernel is another one."""
        return "".join(letter for letter in self.input if letter in self.kernel and letter in self.output)

    @property
    def passed_through(self) -> str:
        """Those that the kernel does not know."""
        return "".join(letter for letter in self.input if letter not in self.kernel and letter in self.output)
