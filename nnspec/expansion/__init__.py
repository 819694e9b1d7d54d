"""Expansion of a document: variables and expressions are replaced, repeats and blocks are written out.

`overrides` come first; `expand` walks the model, with `substitute` and `expressions` for values, `repeats`,
`block_arguments` and `naming` for what repeats, blocks and references need; `resolved` writes the outcome as a spec.
"""
