"""What the workers of a training are told, and what the first of them says where something is wrong with the spec."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Fix, Span, SpecError
from nnspec.document.types import JsonObject

FAULT = "fault.json"  # beside the checkpoints: what is wrong with the spec or its data
CHECKPOINT = "checkpoint"


@dataclass(frozen=True, kw_only=True)
class Share:
    """What all workers of a training are told.

    Attributes:
        path, text, overrides: the spec.
        folder: the build's.
        fold: the number of the fold that is trained, from 0; None without one.
    """

    path: str
    text: str
    overrides: JsonObject
    folder: str
    fold: int | None
    workers: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Share:
        return cls(**json.loads(text))


def write_fault(error: SpecError, path: Path) -> None:
    """Writes the first error down, for whoever started the workers."""
    fault = next(fault for fault in error.diagnostics if fault.is_error)
    body = {
        "code": fault.code,
        "message": fault.message,
        "notes": list(fault.notes),
        "fixes": [fix.message for fix in fault.fixes],
    }
    path.write_text(json.dumps(body), encoding="utf-8")


def read_fault(path: Path, span: Span) -> SpecError:
    """What `write_fault` wrote."""
    body = json.loads(path.read_text(encoding="utf-8"))
    fixes = tuple(Fix(message) for message in body["fixes"])
    fault = Diagnostic(body["code"], body["message"], span, path="training", notes=tuple(body["notes"]), fixes=fixes)
    return SpecError([fault])
