"""A small network that is searched: the spec up to its `search` section, whose points some of are refused."""

from __future__ import annotations

SEARCHED = """
nnspec: 1
name: tiny
vars: {units: 4}
inputs: {x: {axes: {feature: 2}}}
data:
  source: {csv: rows.csv}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs: {x: {columns: [a, b], scale: standard}}
  outputs: {y: {columns: [c]}}
model:
  - Dense: {units: $units, activation: tanh}
  - Dropout: 0.1
  - Dense: {units: 1}
outputs: {y: {task: regression}}
"""
