"""Validation against the schema: `acceptance` decides, `validate` finds errors, `messages` writes messages.

`hints`, `key_hints` and `rewrites` know what people write instead of what a spec wants, `refusals` which names of Keras
a spec cannot use; `type_names` has the names of types in messages.
"""
