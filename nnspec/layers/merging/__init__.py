"""Joins of several values: `elementwise` (Add, Multiply, …), `concatenation`, `dot` and `einsum`.

`joining` has what they share, `broadcasting` the rule by which an input is repeated along an axis.
"""
