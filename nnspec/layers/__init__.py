"""The layers of specs: a folder for each family, and `kit` with the tools that they are built with.

`registry` finds a layer by its kind, `plugins` those of other packages; `discover` writes kinds.json. `aliases` has
other names of kinds, `refused` those that a spec cannot use.
"""
