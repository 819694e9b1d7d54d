"""The process that speaks to Ray: `python -m nnspec.jobs.ray_driver ADDRESS`, with the workers' share on stdin."""

from __future__ import annotations

import sys

from nnspec.jobs.ray_workers import drive
from nnspec.jobs.share import Share

if __name__ == "__main__":
    drive(Share.from_json(sys.stdin.read()), sys.argv[1])
