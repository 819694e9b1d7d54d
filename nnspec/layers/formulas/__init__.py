"""Formulas over values with named axes, and weights that a spec declares itself.

`parse` reads a formula, `algebra` walks it, `own_weights` says what a declared weight is; `formula` and `weight` are
the two verbs, and each backend has its own algebra.
"""
