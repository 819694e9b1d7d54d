"""The JSON Schema of specs.

`sections` around the model, `assembly` with every layer, `publish` in the shape that editors read best.
"""
