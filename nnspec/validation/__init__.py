"""Nodes against the schema: `acceptance` says whether, `validate` where, and `wording` in which words.

`hints` and `rewrites` know what people write instead of what a spec wants.
"""
