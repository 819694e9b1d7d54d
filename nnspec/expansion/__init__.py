"""A document written out: variables and expressions have their values, repeats and blocks their layers.

`overrides` come first; `expand` walks the model, with `substitute` and `expressions` for values, `repeats`,
`block_arguments` and `naming` for what repeats, blocks and references need; `resolved` writes the outcome as a spec.
"""
