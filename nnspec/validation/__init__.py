"""Validation against the schema: `acceptance` decides, `validate` finds errors, `wording` writes messages.

`hints` and `rewrites` know what people write instead of what a spec wants.
"""
