"""Names of the smaller forms in which a deployed model can be written."""

from __future__ import annotations

VARIANTS = ("float16", "int8", "int4")
