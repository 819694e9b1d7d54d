"""Names of the smaller forms in which a deployed model can be written."""

from __future__ import annotations

VARIANTS = ("float16", "int8", "int4")

# What each may be stored as, the first that is worth it: products of integers, or weights in int8 that are multiplied
# out as the model is loaded, which loses less and runs as fast as float32.
FORMS = {"float16": ("float16",), "int8": ("int8", "int8_weights"), "int4": ("int4",)}
