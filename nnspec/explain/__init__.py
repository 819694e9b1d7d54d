"""The pages that `nnspec explain` prints.

The pages of codes lie in this folder; `language` has those of sections, items and tasks; `pages` finds the one meant.
"""
