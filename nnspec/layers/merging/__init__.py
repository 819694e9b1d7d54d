"""Several values to one: `elementwise` (Add, Multiply, …), `concatenation` and `dot`.

`joining` has what they share, `broadcasting` the rule by which an input is repeated along an axis.
"""
