"""Types of YAML and JSON values as plain Python values, without spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
JsonSchema: TypeAlias = dict[str, Any]  # a JSON Schema of draft 7, or a part of one
JsonObject: TypeAlias = dict[str, Any]  # a mapping that is written as JSON
