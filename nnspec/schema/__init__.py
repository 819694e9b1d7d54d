"""What a spec may say, as JSON Schema.

`sections` around the model, `assembly` with every layer, `publish` in the shape that editors read best.
"""
