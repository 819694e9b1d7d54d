"""Axes of ONNX graphs that nnspec did not make: what mixes them is found, and what networks do every day is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from onnxruntime import InferenceSession

from nnspec.cli import main
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.ir.axes import Size, substitute, whole_of
from nnspec.onnx_axes.check import check_file, check_model
from nnspec.onnx_axes.follow import follow
from nnspec.onnx_axes.reading import as_file
from nnspec.onnx_axes.seeds import input_tensors
from nnspec.onnx_axes.tensors import root_of

Constants = dict[str, object]


def model(text: str, constants: Constants | None = None) -> onnx.ModelProto:
    """A model from ONNX's text form; names that end in `w` and are not given are float weights of the sizes behind."""
    made = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{text}')
    for name, value in (constants or {}).items():
        array = np.asarray(value, np.int64) if not isinstance(value, np.ndarray) else value
        made.graph.initializer.append(numpy_helper.from_array(array, name))
    return made


def checked(
    text: str, constants: Constants | None = None, axes: dict[str, list[str]] | None = None
) -> list[Diagnostic]:
    return check_file(as_file(model(text, constants), Path("model.onnx")), axes or {})


def weights(*sizes: int) -> np.ndarray:
    return np.zeros(sizes, np.float32)


WINDOW = {"x": ["batch", "time", "feature"]}
# A token that is repeated for each sample, as PyTorch writes `expand(batch, -1, -1)`, in front of the places of a map.
CLASS_TOKEN = """g (float[B, 20, 2, 4] x) => (float y) {
    f = Reshape(x, flat) m = Transpose<perm=[0, 2, 1]>(f) b = Shape<end=1>(x) n = Concat<axis=0>(b, kept)
    i = ConstantOfShape<value = int64[1] {1}>(three) j = Mul(i, negative) k = Equal(n, j) l = Where(k, i, n)
    e = Expand(token, l) p = Concat<axis=1>(e, m)
"""
TOKEN_CONSTANTS: Constants = {
    "flat": [0, 20, 8],
    "kept": [-1, -1],
    "three": [3],
    "negative": np.asarray(-1),
    "token": weights(1, 1, 20),
    "w": weights(20, 20),
    "s": [0, 9, 4, 5],
}
SCRAMBLES: dict[str, tuple[str, Constants]] = {
    "a map that was made larger, of an open batch": (
        "g (float[B, 8, 6, 6] x) => (float y) { r = Resize(x, , k) y = Reshape(r, s) }",
        {"k": np.asarray([1, 1, 2, 2], np.float32), "s": [-1, 12, 12, 8]},
    ),
    "a reshape for a permute": ("g (float[B, 10, 5] x) => (float y) { y = Reshape(x, s) }", {"s": [-1, 5, 10]}),
    "open time": ("g (float[B, T, 40] x) => (float y) { y = Reshape(x, s) }", {"s": [0, 40, -1]}),
    "time first, with an open batch": ("g (float[B, 10, 5] x) => (float y) { y = Reshape(x, s) }", {"s": [10, -1, 5]}),
    "heads taken straight out of units": (
        "g (float[B, 96, 512] x) => (float y) { q = MatMul(x, w) h = Reshape(q, s) y = Softmax(h) }",
        {"w": weights(512, 512), "s": [0, 8, 96, 64]},
    ),
    "heads merged without the transpose back": (
        """g (float[B, 96, 512] x) => (float y) {
          q = MatMul(x, w) h = Reshape(q, s) t = Transpose<perm=[0, 2, 1, 3]>(h) m = Reshape(t, r)
          y = MatMul(m, w) }""",
        {"w": weights(512, 512), "s": [0, 96, 8, 64], "r": [0, 96, 512]},
    ),
    "a feature map as regions": (
        "g (float[B, 3, 14, 14] x) => (float y) { f = Conv(x, w) y = Reshape(f, s) }",
        {"w": weights(256, 3, 8, 8), "s": [-1, 49, 256]},
    ),
    "units torn between two axes of data": (
        """g (float[B, 5, 4, 12] x) => (float y) {
          f = MatMul(x, w) t = Transpose<perm=[0, 1, 3, 2]>(f) y = Reshape(t, s) }""",
        {"w": weights(12, 32), "s": [0, 10, 64]},
    ),
    "a channel shuffle of groups of four, by a reshape": (
        """g (float[B, 12, 5, 7] x) => (float y) {
          f = Conv(x, w) c = Reshape(f, s) d = Reshape(c, t) y = Reshape(d, u) }""",
        {"w": weights(12, 12, 1, 1), "s": [0, 3, 4, 35], "t": [0, 4, 3, 35], "u": [0, 12, 5, 7]},
    ),
    "units in place of a batch that was merged": (
        "g (float[11, 3, 5] x) => (float y) { f = Reshape(x, s) d = MatMul(f, w) y = Reshape(d, t) }",
        {"s": [33, 5], "w": weights(5, 24), "t": [11, 24, 3]},
    ),
    "channels last by a reshape": (
        "g (float[B, 3, 32, 24] x) => (float y) { y = Reshape(x, s) }",
        {"s": [0, 32, 24, 3]},
    ),
    "flat and back the wrong way round": (
        "g (float[B, 10, 5] x) => (float y) { f = Flatten(x) r = Relu(f) y = Reshape(r, s) }",
        {"s": [-1, 5, 10]},
    ),
    "a target computed from shapes": (
        """g (float[B, T, 5] x) => (float y) {
          s = Shape(x) b = Gather(s, zero) t = Gather(s, one) f = Gather(s, two) bb = Unsqueeze(b, zeros)
          tt = Unsqueeze(t, zeros) ff = Unsqueeze(f, zeros) n = Concat<axis=0>(bb, ff, tt) y = Reshape(x, n) }""",
        {"zero": 0, "one": 1, "two": 2, "zeros": [0]},
    ),
    "channel shuffle without its transpose": (
        """g (float[B, 24, 9, 9] x) => (float y) {
          f = Conv(x, w) c = Reshape(f, s) d = Reshape(c, t) y = Reshape(d, f4) }""",
        {"w": weights(24, 24, 1, 1), "s": [0, 3, 8, 9, 9], "t": [0, 8, 3, 9, 9], "f4": [0, 24, 9, 9]},
    ),
    "as many channels as columns, and as many places as are in them": (
        "g (float[B, 3, 4, 6] x) => (float y) { f = Conv(x, w) p = Reshape(f, s) y = Reshape(p, t) }",
        {"w": weights(6, 3, 1, 1), "s": [0, 6, 24], "t": [0, 24, 6]},
    ),
    "heads of a product of whole numbers, in the wrong order": (
        """g (float[B, 9, 20] x) => (float y) {
          a, s, z = DynamicQuantizeLinear(x) p = MatMulInteger(a, w, z) c = Cast<to = 1>(p) k = Mul(s, ws)
          q = Mul(c, k) y = Reshape(q, wrong) }""",
        {"w": np.zeros((20, 20), np.int8), "ws": np.ones((), np.float32), "wrong": [0, 4, 9, 5]},
    ),
    "channels last by a reshape, of places that a grid names": (
        """g (float[B, 5, 6, 8] x, float[B, 3, 4, 2] places) => (float y) {
          f = GridSample(x, places) y = Reshape(f, s) }""",
        {"s": [0, 3, 4, 5]},
    ),
    "time last by a reshape, behind attention as one operator": (
        """g (float[B, 9, 20] x, float[B, 7, 20] m) => (float y) {
          q = MatMul(x, w) k = MatMul(m, w) r = RotaryEmbedding(q, c, i)
          a = Attention<q_num_heads = 4, kv_num_heads = 4>(r, k, k) y = Reshape(a, s) }""",
        {"w": weights(20, 20), "c": weights(9, 3), "i": weights(9, 3), "s": [0, 20, 9]},
    ),
    "time last by a reshape, behind attention of grouped queries": (
        """g (float[B, 9, 20] x, float[B, 7, 10] m) => (float y) {
          a = Attention<q_num_heads = 4, kv_num_heads = 2>(x, m, m) y = Reshape(a, s) }""",
        {"s": [0, 20, 9]},
    ),
    "boxes of a map of channels first, whose columns they divide": (
        "g (float[B, 3, 16, 16] x) => (float y) { f = Conv(x, w) y = Reshape(f, s) }",
        {"w": weights(16, 3, 1, 1), "s": [0, -1, 4]},
    ),
    "patches of a series whose channels were not put first, of sizes that divide each other": (
        "g (float[B, 512, 8] x) => (float y) { p = Reshape(x, s) y = MatMul(p, w) }",
        {"s": [0, 8, 32, 16], "w": weights(16, 7)},
    ),
    "a flat map and back as channels last, of sizes that divide each other": (
        """g (float[B, 3, 32, 32] x) => (float y) {
          c = Conv<strides=[4, 4]>(x, w) f = Flatten(c) r = Relu(f) y = Reshape(r, s) }""",
        {"w": weights(64, 3, 4, 4), "s": [-1, 8, 8, 64]},
    ),
    "tokens as a map, of sizes that divide each other": (
        "g (float[B, 1024, 64] x) => (float y) { r = Reshape(x, s) y = Conv<strides=[8, 8]>(r, w) }",
        {"s": [0, 64, 32, 32], "w": weights(64, 64, 8, 8)},
    ),
    "time last by a reshape, behind a product with an ellipsis": (
        'g (float[B, 9, 20] x) => (float y) { q = Einsum<equation="...d,de->...e">(x, w) y = Reshape(q, s) }',
        {"w": weights(20, 12), "s": [0, 12, 9]},
    ),
    "channels last by a reshape, behind a product without a result": (
        """g (float[5, 9] x, float[B, 9, 7] z) => (float y) {
          p = Einsum<equation="dt, bte">(x, z) y = Reshape(p, s) }""",
        {"s": [0, 7, 5]},
    ),
    "heads behind a token of a class, in the wrong order": (
        CLASS_TOKEN + "q = MatMul(p, w) y = Reshape(q, wrong) }",
        {**TOKEN_CONSTANTS, "wrong": [0, 4, 9, 5]},
    ),
}
RIGHT: dict[str, tuple[str, Constants]] = {
    "products with an ellipsis, and with letters alone": (
        """g (float[B, 7, 3, 5] x) => (float y) {
          q = Einsum<equation="...d,de->...e">(x, w) s = Einsum<equation="b...e,b...f">(q, x)
          t = Einsum<equation="i,j...">(one, q) y = Transpose<perm=[0, 1, 3, 2]>(s) }""",
        {"w": weights(5, 6), "one": weights(4)},
    ),
    "heads behind a token of a class": (
        CLASS_TOKEN + "q = MatMul(p, w) h = Reshape(q, s) y = Transpose<perm=[0, 2, 1, 3]>(h) }",
        TOKEN_CONSTANTS,
    ),
    "two steps at once": (
        "g (float[B, 12, 5] x) => (float y) { r = Reshape(x, s) y = MatMul(r, w) }",
        {"s": [0, 6, 10], "w": weights(10, 7)},
    ),
    "patches of a map of channels first": (
        """g (float[B, 5, 6, 8] x) => (float y) {
          a = Reshape(x, s) b = Transpose<perm=[0, 2, 1, 3]>(a) c = Reshape(b, t)
          y = Transpose<perm=[0, 3, 2, 1]>(c) }""",
        {"s": [-1, 2, 4, 2], "t": [-1, 5, 12, 4]},
    ),
    "patches of one map, of as many channels as are rows and columns of patches in a row": (
        "g (float[1, 64, 32, 32] x) => (float y) { a = Reshape(x, s) y = Transpose<perm=[0, 2, 1, 3]>(a) }",
        {"s": [1024, 2, 16, 2]},
    ),
    "patches of as many maps as rows in a patch": (
        "g (float[2, 6, 8, 12] x) => (float y) { a = Reshape(x, s) y = Transpose<perm=[0, 2, 1, 3]>(a) }",
        {"s": [48, 2, 6, 2]},
    ),
    "stacked frames of as many channels as stacks": (
        """g (float[B, 1, 8, 7] x) => (float y) {
          f = Conv(x, w) t = Transpose<perm=[0, 2, 1, 3]>(f) m = Reshape(t, s) y = Reshape(m, r) }""",
        {"w": weights(4, 1, 1, 1), "s": [0, 8, 28], "r": [0, 4, 56]},
    ),
    "rows and columns that are pooled, joined and split": (
        """g (float[B, 3, 7, 7] x) => (float y) {
          i = ReduceMean<axes=[3]>(x) c = ReduceMean<axes=[2]>(x) j = Transpose<perm=[0, 1, 3, 2]>(c)
          k = Concat<axis=2>(i, j) l, m = Split<axis=2>(k, halves) n = Transpose<perm=[0, 1, 3, 2]>(m)
          o = Mul(x, l) y = Mul(o, n) }""",
        {"halves": [7, 7]},
    ),
    "links of a graph to both sides": (
        "g (float[B, 9, 9] a) => (float y) { t = Transpose<perm=[0, 2, 1]>(a) y = Add(a, t) }",
        {},
    ),
    "links of a graph, by how many a node has": (
        """g (float[B, 9, 9] a, float[B, 9, 3] x) => (float y) {
          d = ReduceSum(a, columns) r = Sqrt(d) i = Reciprocal(r) t = Transpose<perm=[0, 2, 1]>(i)
          l = Mul(a, i) n = Mul(l, t) y = MatMul(n, x) }""",
        {"columns": [2]},
    ),
    "features of pairs, both ways": (
        "g (float[B, 9, 9, 4] p) => (float y) { t = Transpose<perm=[0, 2, 1, 3]>(p) y = Add(p, t) }",
        {},
    ),
    "heads of as many channels as columns, and as many heads as rows": (
        """g (float[B, 3, 4, 6] x) => (float y) {
          f = Conv(x, w) h = Reshape(f, s) q, k, v = Split<axis=2>(h, thirds) y = Reshape(v, t) }""",
        {"w": weights(72, 3, 1, 1), "s": [0, 4, 18, 24], "thirds": [6, 6, 6], "t": [0, 24, 4, 6]},
    ),
    "permute": ("g (float[B, 10, 5] x) => (float y) { y = Transpose<perm=[0, 2, 1]>(x) }", {}),
    "attention": (
        """g (float[B, 96, 512] x) => (float y) {
          q0 = MatMul(x, w) q1 = Reshape(q0, s) q = Transpose<perm=[0, 2, 1, 3]>(q1)
          k0 = MatMul(x, w) k1 = Reshape(k0, s) k = Transpose<perm=[0, 2, 3, 1]>(k1)
          v0 = MatMul(x, w) v1 = Reshape(v0, s) v = Transpose<perm=[0, 2, 1, 3]>(v1)
          a = MatMul(q, k) p = Softmax(a) o = MatMul(p, v) t = Transpose<perm=[0, 2, 1, 3]>(o) m = Reshape(t, r)
          z = MatMul(m, w) y = Add(x, z) }""",
        {"w": weights(512, 512), "s": [0, 96, 8, 64], "r": [0, 96, 512]},
    ),
    "attention as PyTorch exports it, heads beside the batch": (
        """g (float[96, B, 512] x) => (float y) {
          q0 = MatMul(x, w) q1 = Reshape(q0, s) q = Transpose<perm=[1, 0, 2]>(q1)
          k0 = MatMul(x, w) k1 = Reshape(k0, s) k = Transpose<perm=[1, 2, 0]>(k1)
          a = MatMul(q, k) p = Softmax(a) o = MatMul(p, q) t = Transpose<perm=[1, 0, 2]>(o) m = Reshape(t, r)
          z = MatMul(m, w) u = Reshape(z, v) y = Add(x, u) }""",
        {"w": weights(512, 512), "s": [96, -1, 64], "r": [-1, 512], "v": [96, -1, 512]},
    ),
    "patches": (
        """g (float[B, 32, 48, 3] x) => (float y) {
          a = Reshape(x, s) b = Transpose<perm=[0, 1, 3, 2, 4, 5]>(a) c = Reshape(b, t) y = MatMul(c, w) }""",
        {"s": [0, 4, 8, 6, 8, 3], "t": [0, 24, 192], "w": weights(192, 64)},
    ),
    "windows of a map and back": (
        """g (float[B, 14, 14, 96] x) => (float y) {
          a = Reshape(x, s) b = Transpose<perm=[0, 1, 3, 2, 4, 5]>(a) c = Reshape(b, t) d = MatMul(c, w)
          e = Reshape(d, u) f = Transpose<perm=[0, 1, 3, 2, 4, 5]>(e) h = Reshape(f, v) y = Add(x, h) }""",
        {
            "s": [-1, 2, 7, 2, 7, 96],
            "t": [-1, 49, 96],
            "u": [-1, 2, 2, 7, 7, 96],
            "v": [-1, 14, 14, 96],
            "w": weights(96, 96),
        },
    ),
    "channel shuffle": (
        """g (float[B, 24, 9, 9] x) => (float y) {
          f = Conv(x, w) c = Reshape(f, s) d = Transpose<perm=[0, 2, 1, 3, 4]>(c) y = Reshape(d, t) }""",
        {"w": weights(24, 24, 1, 1), "s": [0, 3, 8, 9, 9], "t": [0, 24, 9, 9]},
    ),
    "boxes of a detector": (
        """g (float[B, 3, 19, 19] x) => (float y) {
          f = Conv(x, w) t = Transpose<perm=[0, 2, 3, 1]>(f) y = Reshape(t, s) }""",
        {"w": weights(24, 3, 1, 1), "s": [0, -1, 4]},
    ),
    "boxes behind a normalization that was taken apart": (
        """g (float[B, 3, 19, 19] x) => (float y) {
          f = Conv(x, w) m = ReduceMean<axes=[1]>(f) k = Mul(m, gamma) n = Mul(f, k)
          t = Transpose<perm=[0, 2, 3, 1]>(n) y = Reshape(t, s) }""",
        {"w": weights(24, 3, 1, 1), "gamma": weights(1, 24, 1, 1), "s": [0, -1, 4]},
    ),
    "group normalization as PyTorch exports it": (
        """g (float[B, 3, 16, 12] x) => (float y) {
          f = Conv(x, w) g = Reshape(f, s) n = InstanceNormalization(g, one, zero) h = Shape(f) y = Reshape(n, h) }""",
        {"w": weights(64, 3, 1, 1), "s": [0, 32, -1], "one": weights(32), "zero": weights(32)},
    ),
    "as many groups as rows": (
        """g (float[B, 3, 32, 32] x) => (float y) {
          f = Conv(x, w) g = Reshape(f, s) n = InstanceNormalization(g, one, zero) h = Shape(f) y = Reshape(n, h) }""",
        {"w": weights(64, 3, 1, 1), "s": [0, 32, -1], "one": weights(32), "zero": weights(32)},
    ),
    "statistics of groups": (
        "g (float[B, 3, 16, 12] x) => (float y) { f = Conv(x, w) g = Reshape(f, s) y = ReduceMean<axes=[2]>(g) }",
        {"w": weights(64, 3, 1, 1), "s": [0, 8, -1]},
    ),
    "squeeze and excite": (
        """g (float[B, 24, 9, 7] x) => (float y) {
          m = GlobalAveragePool(x) f = Flatten(m) d = MatMul(f, w) r = Reshape(d, s) y = Mul(x, r) }""",
        {"w": weights(24, 24), "s": [-1, 24, 1, 1]},
    ),
    "a generator": (
        "g (float[B, 100] x) => (float y) { d = MatMul(x, w) r = Reshape(d, s) y = Transpose<perm=[0, 3, 1, 2]>(r) }",
        {"w": weights(100, 6272), "s": [-1, 7, 7, 128]},
    ),
    "each step alone": (
        "g (float[B, T, 5] x) => (float y) { f = Reshape(x, s) d = MatMul(f, w) y = Reshape(d, t) }",
        {"w": weights(5, 7), "s": [-1, 5], "t": [-1, 10, 7]},
    ),
    "groups of channels": (
        "g (float[B, 8, 8, 24] x) => (float y) { a = Reshape(x, s) n = ReduceMean<axes=[1, 2, 4]>(a) "
        "b = Sub(a, n) y = Reshape(b, t) }",
        {"s": [0, 8, 8, 4, 6], "t": [0, 8, 8, 24]},
    ),
    "relative positions": (
        """g (float[B, 6, 6] x) => (float y) {
          p = Pad(x, pads) r = Reshape(p, s) c = Slice(r, one, six, one) y = Add(x, c) }""",
        {"pads": [0, 0, 0, 0, 0, 1], "s": [0, 7, 6], "one": [1], "six": [7]},
    ),
    "as many boxes as columns": (
        """g (float[B, 3, 4, 4] x) => (float y) {
          f = Conv(x, w) t = Transpose<perm=[0, 2, 3, 1]>(f) y = Reshape(t, s) }""",
        {"w": weights(24, 3, 1, 1), "s": [0, -1, 4]},
    ),
    "as many boxes as rows, of two pictures": (
        """g (float[2, 3, 4, 5] x) => (float y) {
          f = Conv(x, w) t = Transpose<perm=[0, 2, 3, 1]>(f) y = Reshape(t, s) }""",
        {"w": weights(24, 3, 1, 1), "s": [2, 120, 4]},
    ),
    "relative positions to both sides": (
        """g (float[B, 6, 5] x) => (float y) {
          r = MatMul(x, w) s = Reshape(r, a) c = Slice(s, one, end, one) y = Reshape(c, b) }""",
        {"w": weights(5, 12), "a": [0, 12, 6], "one": [1], "end": [2**31 - 1], "b": [0, 6, 11]},
    ),
    "neighbours of neighbours": (
        "g (float[B, V, V] a, float[B, V, 3] x) => (float y) { i = Identity(a) t = MatMul(i, a) y = MatMul(t, x) }",
        {},
    ),
    "neighbours of neighbours, counted": ("g (float[B, 9, 9] a) => (float y) { y = MatMul(a, a) }", {}),
    "rolled windows, by a number that is computed": (
        """g (float[B, 8, 3] x) => (float y) {
          h = Shape<start=1, end=2>(x) m = Mod(two, h) k = Sub(h, m) i = Slice(x, k, h, one)
          j = Slice(x, zero, k, one) c = Concat<axis=1>(i, j) y = Reshape(c, s) }""",
        {"two": [-2], "one": [1], "zero": [0], "s": [-1, 4, 2, 3]},
    ),
    "rolled windows, by a number that is an input": (
        """g (float[B, 8, 3] x, int64[1] k) => (float y) {
          i = Slice(x, k, end, one) j = Slice(x, zero, k, one) c = Concat<axis=1>(i, j) y = Reshape(c, s) }""",
        {"end": [8], "one": [1], "zero": [0], "s": [-1, 4, 2, 3]},
    ),
    "windows of an open map and back": (
        """g (float[N, H, W, 16] x) => (float y) {
          h = Shape<start=1, end=2>(x) v = Shape<start=2, end=3>(x) i = Div(h, four) j = Div(v, four)
          s = Concat<axis=0>(rest, i, four, j, four, c) a = Reshape(x, s)
          b = Transpose<perm=[0, 1, 3, 2, 4, 5]>(a) d = Reshape(b, t) e = MatMul(d, w)
          u = Concat<axis=0>(rest, i, j, four, four, c) f = Reshape(e, u)
          o = Transpose<perm=[0, 1, 3, 2, 4, 5]>(f) r = Concat<axis=0>(rest, h, v, c) y = Reshape(o, r) }""",
        {"four": [4], "rest": [-1], "c": [16], "t": [-1, 16, 16], "w": weights(16, 16)},
    ),
    "dense over steps, twice transposed": (
        """g (float[B, 10, 10] x) => (float y) {
          t = Transpose<perm=[0, 2, 1]>(x) d = MatMul(t, w) u = Transpose<perm=[0, 2, 1]>(d) y = Add(x, u) }""",
        {"w": weights(10, 10)},
    ),
}


FOREIGN = """g (float[B, 8, 8, 12] x) => (float y) {
    c = Transpose<perm=[0, 3, 1, 2]>(x) f = Conv(c, w) u = StatefulPartitionedCall(f) b = Add(u, bias)
"""
BEHIND_FOREIGN: dict[str, tuple[str, Constants]] = {
    "a transpose says how many axes there are, and a sum what they are": (
        FOREIGN + "t = Transpose<perm=[0, 3, 1, 2]>(b) a = Add(f, t) y = Reshape(a, s) }",
        {"w": weights(24, 12, 1, 1), "bias": weights(24), "s": [0, 8, 8, 24]},
    ),
    "sizes from a shape of which only the last is known": (
        FOREIGN
        + """l = Shape(b) p = Gather(l, first) q = Concat<axis=0>(p, units) r = Reshape(b, rows) d = MatMul(r, v)
             n = Reshape(d, q) t = Transpose<perm=[0, 3, 1, 2]>(n) a = Add(f, t) y = Reshape(a, s) }""",
        {
            "w": weights(24, 12, 1, 1),
            "bias": weights(24),
            "first": [0, 1, 2],
            "units": [24],
            "rows": [-1, 24],
            "v": weights(24, 24),
            "s": [0, 8, 8, 24],
        },
    ),
    "a convolution makes filters": (
        FOREIGN + "g = Conv(b, k) a = Add(c, g) y = Reshape(a, s) }",
        {"w": weights(24, 12, 1, 1), "bias": weights(24), "k": weights(12, 24, 1, 1), "s": [0, 8, 8, 12]},
    ),
}


# A cell that adds up units of steps, time first, as exporters write recurrent layers.
IN_LOOPS: dict[str, str] = {
    "a loop": """g (float[B, 7, 5] x) => (float y) {
        s = Shape(x) n = Gather(s, zero) b = Concat<axis=0>(n, six) h = Expand(none, b)
        t = Transpose<perm=[1, 0, 2]>(x)
        c, last, all = Loop(seven, yes, zero_state, h) <body = step (int64 i, bool go, int64 at, float old)
          => (bool more, int64 next, float new, float made) {
            more = Identity(go) next = Add(at, one_state) row = Gather<axis=0>(t, at) u = MatMul(row, w)
            new = Add(u, old) made = Tanh(new) }>
        y = Reshape(all, swapped) }""",
    "a loop without a bound, which cuts its steps": """g (float[B, T, 5] x) => (float y) {
        t = Transpose<perm=[1, 0, 2]>(x)
        c, all = Loop(, yes, zero_state) <body = step (int64 i, bool go, int64 at)
          => (bool more, int64 next, float made) {
            next = Add(at, one_state) more = Less(next, seven) from = Unsqueeze(at, zero) to = Unsqueeze(next, zero)
            part = Slice(t, from, to, zero) row = Squeeze(part, zero) made = MatMul(row, w) }>
        s = Shape(all) swapped = Gather(s, order) y = Reshape(all, swapped) }""",
    "a scan": """g (float[B, 7, 5] x) => (float y) {
        t = Transpose<perm=[1, 0, 2]>(x)
        all = Scan(t) <num_scan_inputs = 1, body = step (float row) => (float made) { made = MatMul(row, w) }>
        y = Reshape(all, swapped) }""",
    "a choice": """g (float[B, 7, 5] x) => (float y) {
        all = If(yes) <then_branch = one () => (float a) { a = MatMul(x, w) },
                       else_branch = other () => (float b) { v = MatMul(x, w) b = Relu(v) }>
        y = Reshape(all, mixed) }""",
}
LOOP_CONSTANTS: Constants = {
    "zero": [0],
    "six": [6],
    "none": np.zeros((), np.float32),
    "seven": np.asarray(7),
    "yes": np.asarray(True),
    "zero_state": np.asarray(0),
    "one_state": np.asarray(1),
    "w": weights(5, 6),
    "swapped": [-1, 7, 6],
    "mixed": [0, 6, 7],
    "order": [1, 0, 2],
}


@pytest.mark.parametrize("name", IN_LOOPS)
def test_mixing_is_found_behind_loops(name: str) -> None:
    """Results of loops have the axes that one step gives them, and the steps; the right form raises no alarm."""
    text = IN_LOOPS[name]
    assert [d.code for d in checked(text, LOOP_CONSTANTS)] == ["NN371"]
    right = text.replace("y = Reshape(all, swapped)", "y = Transpose<perm=[1, 0, 2]>(all)").replace("mixed", "kept")
    assert checked(right, {**LOOP_CONSTANTS, "kept": [0, 7, 6]}) == []


def test_steps_of_a_loop_are_the_axis_that_they_read() -> None:
    """Time out of a loop meets time as it went in, and no other axis."""
    text = IN_LOOPS["a loop"].replace("[B, 7, 5]", "[B, 7, 7]").replace("y = Reshape(all, swapped)", "{end}")
    constants = {**LOOP_CONSTANTS, "w": weights(7, 6)}
    right = text.replace(
        "{end}", "m = Transpose<perm=[0, 2, 1]>(x) u = Transpose<perm=[1, 0, 2]>(all) y = MatMul(m, u)"
    )
    assert checked(right, constants, WINDOW) == []
    wrong = text.replace("{end}", "u = Transpose<perm=[1, 0, 2]>(all) y = MatMul(x, u)")
    assert [d.code for d in checked(wrong, constants, WINDOW)] == ["NN372"]


@pytest.mark.parametrize(("behind", "codes"), [([-1, 3, 3, 2, 16], []), ([-1, 16, 3, 2], ["NN371"])])
def test_a_size_that_an_exporter_computes_of_an_open_batch(behind: list[int], codes: list[str]) -> None:
    """tf2onnx takes an open batch for -1, and writes -3 for three channels of each sample, as of extracted patches."""
    text = """g (float[B, 3, 12, 8] x) => (float y) {
        r = Reshape(x, each) f = Conv<strides=[4, 4]>(r, w) t = Transpose<perm=[0, 2, 3, 1]>(f) y = Reshape(t, s) }"""
    assert [d.code for d in checked(text, {"each": [-3, 1, 12, 8], "w": weights(16, 1, 4, 4), "s": behind})] == codes


@pytest.mark.parametrize("target", [[1], [-1], [1, 1, 1]])
def test_a_scalar_that_becomes_a_list(target: list[int]) -> None:
    text = "g (float x) => (float y) { y = Reshape(x, s) }"
    assert checked(text, {"s": target}) == []


@pytest.mark.parametrize("name", BEHIND_FOREIGN)
def test_mixing_is_found_behind_an_operator_of_no_rule(name: str) -> None:
    """Later operators say how many axes there are, and what meets them, which they are."""
    assert [d.code for d in checked(*BEHIND_FOREIGN[name])] == ["NN371"]


def test_operators_that_onnx_does_not_have(tmp_path: Path) -> None:
    text = """g (float[B, 4] x) => (float y) {
        a = Erfc(x) b = Erfc(a) c = com.microsoft.Gelu(b) y = StatefulPartitionedCall(c) }"""
    made = model(text)
    onnx.save(made, str(tmp_path / "foreign.onnx"))
    found = check_model(tmp_path / "foreign.onnx")
    assert [(d.code, d.is_error, d.message.split(" is ")[0]) for d in found] == [
        ("NN632", False, "`Erfc` (2 nodes)"),
        ("NN632", False, "`StatefulPartitionedCall` (1 node)"),
    ]
    made.opset_import[0].version = onnx.defs.onnx_opset_version() + 1
    onnx.save(made, str(tmp_path / "later.onnx"))
    assert check_model(tmp_path / "later.onnx") == []


@pytest.mark.parametrize("name", SCRAMBLES)
def test_mixing_is_found(name: str) -> None:
    found = checked(*SCRAMBLES[name])
    assert [d.code for d in found] == ["NN371"]
    assert found[0].is_error


@pytest.mark.parametrize("name", RIGHT)
def test_right_graphs_raise_no_alarm(name: str) -> None:
    assert checked(*RIGHT[name]) == []


@pytest.mark.parametrize("name", RIGHT)
def test_sizes_are_those_of_values(name: str) -> None:
    """Against what ONNX Runtime computes: every size that is known is that of the value."""
    text, constants = RIGHT[name]
    made, open_sizes = model(text, constants), {"B": 2, "N": 2, "H": 8, "W": 12, "T": 10, "V": 3}
    file = as_file(made, Path("model.onnx"))
    given_values = {
        value.name: np.ones(
            [d.dim_value or open_sizes[d.dim_param] for d in value.type.tensor_type.shape.dim],
            helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type),
        )
        for value in made.graph.input
    }
    names = [name for node in made.graph.node for name in node.output if name]
    del made.graph.output[:]
    made.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    computed = dict(zip(names, InferenceSession(made.SerializeToString()).run(None, given_values), strict=True))
    followed = follow(file, input_tensors(file, {})).tensors
    for value, array in computed.items():
        axes = followed[value].axes
        assert axes is not None
        sizes = [size_of(axis.size, open_sizes) for axis in axes]
        assert [known or size for known, size in zip(sizes, array.shape, strict=True)] == list(array.shape), value


def size_of(size: Size, open_sizes: dict[str, int]) -> int | None:
    """The number that a size is for these lengths; None where it is not known what it is."""
    for name, number in open_sizes.items():
        size = substitute(size, name, number)
    return size if isinstance(size, int) else None


def test_what_was_meant() -> None:
    (found,) = checked(*SCRAMBLES["a reshape for a permute"], WINDOW)
    assert "turns (batch B, time 10, feature 5) into (B, 5, 10)" in found.message
    assert found.fixes[0].message == (
        "Transpose(perm=[0, 2, 1]) instead gives (batch B, feature 5, time 10) and keeps every axis apart"
    )
    (merged,) = checked(*SCRAMBLES["heads merged without the transpose back"])
    assert "Transpose(perm=[0, 2, 1, 3]) before it" in merged.fixes[0].message


@pytest.mark.parametrize(
    ("between", "is_error"),
    [("Relu(r)", False), ("LogSoftmax(r)", True), ("RMSNormalization(r, scale)", True), ("PRelu(r, scale)", True)],
)
def test_a_scramble_before_a_flatten_is_a_warning(between: str, is_error: bool) -> None:
    """An error where something between them works along an axis: the values of one are no longer together."""
    text = f"g (float[B, 10, 5] x) => (float y) {{ r = Reshape(x, s) a = {between} f = Flatten(a) y = MatMul(f, w) }}"
    (found,) = checked(text, {"s": [-1, 5, 10], "w": weights(50, 3), "scale": weights(10)})
    assert (found.code, found.is_error) == ("NN371", is_error)


def test_axes_of_one_length_that_meet() -> None:
    text = "g (float[B, 8, 8] x) => (float y) { t = Transpose<perm=[0, 2, 1]>(x) y = Add(x, t) }"
    (found,) = checked(text, axes=WINDOW)
    assert (found.code, found.is_error) == ("NN372", False)
    assert "combines `time` with `feature`" in found.message
    products = "g (float[B, 8, 8] x) => (float y) { y = MatMul(x, x) }"
    assert [d.code for d in checked(products, axes=WINDOW)] == ["NN372"]
    rows_and_columns = """g (float[B, 8, 8, 3] x) => (float y) {
        r = Relu(x) t = Transpose<perm=[0, 2, 1, 3]>(r) s = Sigmoid(t) y = Mul(x, s) }"""
    assert [d.code for d in checked(rows_and_columns)] == ["NN372"]
    scores = 'g (float[B, 8, 8] x) => (float y) { y = Einsum<equation="btf,bsf->bts">(x, x) }'
    assert checked(scores, axes=WINDOW) == []


@pytest.mark.parametrize(
    ("text", "constants"),
    [
        (  # scores of an attention whose keys were not transposed, with as many units as positions
            "g (float[B, 16, 5] x) => (float y) { q = MatMul(x, w) k = Identity(q) y = MatMul(q, k) }",
            {"w": weights(5, 16)},
        ),
        (  # rows and columns of one, columns and rows of the other
            """g (float[B, 6, 8, 5] x) => (float y) {
              a = Reshape(x, s) t = Transpose<perm=[0, 2, 1, 3]>(x) b = Reshape(t, s)
              c = Transpose<perm=[0, 2, 1]>(b) y = MatMul(c, a) }""",
            {"s": [0, 48, 5]},
        ),
    ],
)
def test_sums_over_axes_that_are_not_one(text: str, constants: Constants) -> None:
    assert [(d.code, d.is_error) for d in checked(text, constants)] == [("NN372", False)]


def test_a_shuffle_of_three_by_four_is_no_skew() -> None:
    """Only what loses its first row behind the reshape moves rows on purpose."""
    text = "g (float[B, 3, 4] x) => (float y) {{ r = Reshape(x, s) y = Slice(r, {start}, end, one) }}"
    constants: Constants = {"s": [0, 4, 3], "one": [1], "zero": [0], "end": [3]}
    assert checked(text.format(start="one"), constants) == []
    assert [d.code for d in checked(text.format(start="zero"), constants)] == ["NN371"]


def test_names_that_the_file_says() -> None:
    """Of dimensions: their symbols and denotations; positions where there are none."""
    made = model("g (float[batch, 10, 5] x) => (float y) { y = Reshape(x, s) }", {"s": [-1, 5, 10]})
    made.graph.input[0].type.tensor_type.shape.dim[1].denotation = "time"
    (found,) = check_file(as_file(made, Path("model.onnx")), {})
    assert "(batch batch, time 10, axis 2 5)" in found.message


def test_names_that_do_not_fit() -> None:
    with pytest.raises(SpecError) as error:
        checked(*SCRAMBLES["a reshape for a permute"], {"z": ["batch"]})
    assert error.value.diagnostics[0].code == "NN374"
    assert "`z` is not an input of the model" in error.value.diagnostics[0].message
    with pytest.raises(SpecError) as error:
        checked(*SCRAMBLES["a reshape for a permute"], {"x": ["time", "feature"]})
    assert "input `x` has 3 axes, but 2 names are given: time, feature" in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    (tmp_path / "empty.onnx").write_bytes(b"")
    for name in ("text.onnx", "empty.onnx", "missing.onnx"):
        with pytest.raises(SpecError) as error:
            check_model(tmp_path / name)
        assert error.value.diagnostics[0].code == "NN373"


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(model(*SCRAMBLES["a reshape for a permute"]), str(path))
    done = CliRunner().invoke(main, ["check", str(path), "--axes", "x=batch,time,feature"])
    assert done.exit_code == 1
    assert "error[NN371]" in done.output
    assert "y = Reshape(x, s)" in done.output
    assert CliRunner().invoke(main, ["check", str(path), "--axes", "x"]).exit_code == 2
    right = tmp_path / "right.onnx"
    onnx.save(model(*RIGHT["permute"]), str(right))
    assert CliRunner().invoke(main, ["check", str(right)]).output == f"{right}: clean\n"


def test_no_framework_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(model(*RIGHT["attention"]), str(path))
    code = """
import sys
from nnspec.cli import main
try:
    main(["check", sys.argv[1]])
except SystemExit as end:
    assert end.code == 0
assert not {"tensorflow", "keras", "jax", "onnxruntime", "tf2onnx"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@st.composite
def chains(draw: st.DrawFn) -> tuple[tuple[int, ...], list[tuple[str, tuple[int, ...]]]]:
    """Sizes of an input and a chain of transposes and reshapes that only split axes and merge neighbours."""
    sizes = tuple(draw(st.lists(st.sampled_from([2, 3, 4, 5, 6]), min_size=2, max_size=4)))
    current, steps = list(sizes), list[tuple[str, tuple[int, ...]]]()
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            order = tuple(draw(st.permutations(range(len(current)))))
            current = [current[i] for i in order]
            steps.append(("Transpose", order))
        else:
            total = int(np.prod(current))
            first = draw(st.sampled_from([n for n in range(1, total + 1) if total % n == 0]))
            second = draw(st.sampled_from([n for n in range(1, total // first + 1) if (total // first) % n == 0]))
            current = [first, second, total // first // second]
            steps.append(("Reshape", tuple(current)))
    return sizes, steps


@settings(max_examples=200, deadline=None)
@given(chains())
def test_an_axis_that_keeps_its_name_holds_its_positions(
    case: tuple[tuple[int, ...], list[tuple[str, tuple[int, ...]]]],
) -> None:
    """Against the values themselves: where one is said to be an input's axis, its index is that axis' index."""
    sizes, steps = case
    nodes, constants, value = [], [], np.arange(int(np.prod(sizes))).reshape(sizes)
    for i, (op, numbers) in enumerate(steps):
        given_name, made_name = f"v{i}", f"v{i + 1}"
        if op == "Transpose":
            nodes.append(helper.make_node(op, [given_name], [made_name], perm=list(numbers)))
            value = value.transpose(numbers)
        else:
            constants.append(numpy_helper.from_array(np.asarray(numbers, np.int64), f"s{i}"))
            nodes.append(helper.make_node(op, [given_name, f"s{i}"], [made_name]))
            value = value.reshape(numbers)
    entry = helper.make_tensor_value_info("v0", onnx.TensorProto.FLOAT, list(sizes))
    graph = helper.make_graph(nodes, "g", [entry], [onnx.ValueInfoProto(name=f"v{len(steps)}")], constants)
    file = as_file(helper.make_model(graph), Path("chain.onnx"))
    axes = follow(file, input_tensors(file, {})).tensors[f"v{len(steps)}"].axes
    assert axes is not None
    assert [axis.size for axis in axes] == list(value.shape)
    at = np.unravel_index(value, sizes)
    for position, axis in enumerate(axes):
        if root_of(axis) is not None:
            whole = whole_of(axis.atoms)
            assert whole is not None
            along = at[int(whole.name.rpartition(" ")[2])]
            expected = np.arange(axis.size).reshape([-1 if i == position else 1 for i in range(len(axes))])
            assert (along == np.broadcast_to(expected, value.shape)).all()
