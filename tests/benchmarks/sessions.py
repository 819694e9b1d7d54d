"""ONNX Runtime sessions to compare: one thread each, in turn, medians."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def node_count(path: Path) -> int:
    """Nodes of a file, those inside of loops too."""

    def count(graph: onnx.GraphProto) -> int:
        inner = sum(count(a.g) for n in graph.node for a in n.attribute if a.type == onnx.AttributeProto.GRAPH)
        return len(graph.node) + inner

    return count(onnx.load(path).graph)


def latencies(
    sessions: list[onnxruntime.InferenceSession], feeds: list[dict[str, np.ndarray]], seconds: float = 1.5
) -> list[float]:
    """Median microseconds a call of each session."""
    for s, f in zip(sessions, feeds, strict=True):
        for _ in range(10):
            s.run(None, f)
    rows: list[list[float]] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rows) < 15:
        row = []
        for s, f in zip(sessions, feeds, strict=True):
            started = time.perf_counter()
            for _ in range(3):
                s.run(None, f)
            row.append((time.perf_counter() - started) / 3 * 1e6)
        rows.append(row)
    return [statistics.median(column) for column in zip(*rows, strict=True)]
