"""Data: from the `data` section of a spec to arrays that a model is trained on.

In the order in which they depend on each other: `sources` (a file a kind of source), `section` (the schema, and the
section as values), `prepare` (rows, splits, windows, scaling, labels), `checks` (the data half of `nnspec check`),
`arrays` (what is larger than memory), `augment` (random changes of samples), `overview` (what splits look like and
share), `dataset` (all of it, loaded) and `deployment` (what a deployed model does around its network). `sources`,
`section` and `checks` look at files without numpy, so that `nnspec check` stays quick. Nothing is imported here, so
that neither pays for the other.
"""
