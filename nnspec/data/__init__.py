"""Data: the `data` section of a spec, from its words to arrays that a model can be trained on.

`schema`, `plan`, `probe` and what they use are standard library only, so that `nnspec check` stays quick;
`load`, `transforms` and `baselines` need numpy. Nothing is imported here, so that neither pays for the other.
"""
