"""Views of a spec: a table (`table`), a page about one layer (`why`), a diagram (`mermaid`)."""

from __future__ import annotations

from nnspec.show.table import sees, shape, to_json, to_text

__all__ = ["sees", "shape", "to_json", "to_text"]
