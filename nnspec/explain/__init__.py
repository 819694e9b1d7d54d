"""The pages that `nnspec explain` prints, and what finds the one that is meant (`pages`).

`language` has the pages of sections, items and tasks, `keys` those of keys, and `consumers` the one for programs that
use deployed models. Pages of codes are in `nnspec.diagnostics.pages`, those of layers are their docstrings.
"""
