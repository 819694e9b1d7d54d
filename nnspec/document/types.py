"""Types of what YAML and JSON say, as Python has it once places in the text are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
JsonSchema: TypeAlias = dict[str, Any]  # a JSON Schema of draft 7, or a part of one
