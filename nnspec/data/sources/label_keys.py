"""One canonical form of a label for all sources; a deployed model reads by the same rule."""

from __future__ import annotations

from nnspec.runtime.rules.label_keys import label_key, label_keys

__all__ = ["label_key", "label_keys"]
