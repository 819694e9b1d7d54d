"""The process that speaks to Ray: `python -m nnspec.jobs.distribution.ray_driver ADDRESS`, their share on stdin."""

from __future__ import annotations

import sys

from nnspec.jobs.distribution.ray_workers import drive
from nnspec.jobs.distribution.share import Share

if __name__ == "__main__":
    drive(Share.from_json(sys.stdin.read()), sys.argv[1])
