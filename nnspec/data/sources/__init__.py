"""Kinds of data sources, one file each, and what they share.

`base` says what a source is, `registry` finds one by its key; `paths` keeps files below the spec's folder. Everything
that `nnspec check` runs is standard library only; numpy is imported as values are loaded, DuckDB where a
typed table is opened.
"""
