"""ONNX's reference evaluator, with the operators that it has only in part written as the standard says.

Its LSTM, GRU and RNN ignore `sequence_lens` and `activations`, and its TopK does not keep equal values in order. What
stands here is read from the operators' text, not from any runtime.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

Function = Callable[[np.ndarray], np.ndarray]
Step = Callable[[np.ndarray, tuple[np.ndarray, ...]], tuple[np.ndarray, ...]]


SIGMOID_STEP = 2.0**-22  # absolute: more than what ONNX Runtime's sigmoid is off by, 1.7e-7 at most


def evaluator(model: onnx.ModelProto, *, is_coarse: bool = False) -> ReferenceEvaluator:
    """The model, ready to run.

    Args:
        is_coarse: whether sigmoids are as coarse as those that ONNX Runtime approximates.
    """
    ops: list[type[OpRun]] = [LSTM, GRU, RNN, TopK]
    coarse = [type(op.__name__, (op,), {"op_domain": "", "is_coarse": True}) for op in (LSTM, GRU, RNN)]
    return ReferenceEvaluator(model, new_ops=[*coarse, TopK, Sigmoid] if is_coarse else ops)


def coarse_sigmoid(x: np.ndarray) -> np.ndarray:
    """A multiple of `SIGMOID_STEP`."""
    return np.asarray(np.round(1 / (1 + np.exp(-x)) / SIGMOID_STEP) * SIGMOID_STEP, x.dtype)


def activation(name: str, alpha: float | None, beta: float | None) -> Function:
    """An activation of the recurrent operators by its name, with their own defaults."""
    a, b = alpha, beta
    known: dict[str, Function] = {
        "Relu": lambda x: np.maximum(x, 0),
        "Tanh": np.tanh,
        "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "Affine": lambda x: (1.0 if a is None else a) * x + (0.0 if b is None else b),
        "LeakyRelu": lambda x: np.where(x < 0, (0.01 if a is None else a) * x, x),
        "ThresholdedRelu": lambda x: np.where(x > (1.0 if a is None else a), x, 0),
        "ScaledTanh": lambda x: (1.0 if a is None else a) * np.tanh((1.0 if b is None else b) * x),
        "HardSigmoid": lambda x: np.clip((0.2 if a is None else a) * x + (0.5 if b is None else b), 0, 1),
        "Elu": lambda x: np.where(x < 0, (1.0 if a is None else a) * np.expm1(np.minimum(x, 0)), x),
        "Softsign": lambda x: x / (1 + np.abs(x)),
        "Softplus": lambda x: np.logaddexp(x, 0),
    }
    return known[name]


def functions(
    names: Sequence[str] | None, defaults: Sequence[str], alphas: Sequence[float] | None, betas: Sequence[float] | None
) -> list[Function]:
    """The activations of all directions; alpha and beta are handed out in the order of those that take one."""
    takes_alpha = {"Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu"}
    takes_beta = {"Affine", "ScaledTanh", "HardSigmoid"}
    rest_a, rest_b, made = list(alphas or ()), list(betas or ()), []
    for name in names or defaults:
        alpha = rest_a.pop(0) if name in takes_alpha and rest_a else None
        beta = rest_b.pop(0) if name in takes_beta and rest_b else None
        made.append(activation(name, alpha, beta))
    return made


def scan(
    x: np.ndarray, states: tuple[np.ndarray, ...], lengths: np.ndarray | None, step: Step, is_reverse: bool
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """One direction over (time, batch, feature): outputs behind a row's length are 0, its last states those there."""
    time, batch = x.shape[:2]
    ends = np.full(batch, time) if lengths is None else np.asarray(lengths)
    outputs = np.zeros((time, batch, states[0].shape[-1]), x.dtype)
    for i in range(time):
        active = (i < ends)[:, None]
        at = ends - 1 - i if is_reverse else np.full(batch, i)
        at = np.where(active[:, 0], at, 0)
        rows = np.arange(batch)
        made = step(x[at, rows], states)
        states = tuple(np.where(active, new, old) for new, old in zip(made, states, strict=True))
        outputs[at[active[:, 0]], rows[active[:, 0]]] = made[0][active[:, 0]]
    return outputs, states


class Recurrent(OpRun):
    """What the three operators have in common."""

    gates = 1
    defaults: Sequence[str] = ("Tanh",)
    n_states = 1
    is_coarse = False

    @abstractmethod
    def step(
        self, w: np.ndarray, r: np.ndarray, b: np.ndarray, p: np.ndarray | None, acts: Sequence[Function], linear: bool
    ) -> Step:
        """The equations of one step."""

    def _run(
        self,
        x: np.ndarray,
        w: np.ndarray,
        r: np.ndarray,
        b: np.ndarray | None = None,
        sequence_lens: np.ndarray | None = None,
        initial_h: np.ndarray | None = None,
        initial_c: np.ndarray | None = None,
        p: np.ndarray | None = None,
        **attributes: Any,
    ) -> tuple[np.ndarray, ...]:
        assert not attributes.get("layout")
        assert attributes.get("clip") is None
        directions, hidden = r.shape[0], r.shape[2]
        direction = attributes.get("direction") or "forward"
        acts = functions(
            attributes.get("activations"),
            list(self.defaults) * directions,
            attributes.get("activation_alpha"),
            attributes.get("activation_beta"),
        )
        if self.is_coarse:
            names = attributes.get("activations") or list(self.defaults) * directions
            acts = [coarse_sigmoid if name == "Sigmoid" else act for name, act in zip(names, acts, strict=True)]
        each = len(self.defaults)
        b = np.zeros((directions, 2 * self.gates * hidden), x.dtype) if b is None else b
        given = [initial_h, initial_c][: self.n_states]
        zeros = np.zeros((directions, x.shape[1], hidden), x.dtype)
        starts = [zeros if start is None else start for start in given]
        made = []
        for d in range(directions):
            step = self.step(
                w[d],
                r[d],
                b[d],
                None if p is None else p[d],
                acts[d * each : (d + 1) * each],
                bool(attributes.get("linear_before_reset")),
            )
            is_reverse = direction == "reverse" or d == 1
            made.append(scan(x, tuple(start[d] for start in starts), sequence_lens, step, is_reverse))
        y = np.stack([outputs for outputs, _ in made], axis=1)
        last = [np.stack([states[k] for _, states in made]) for k in range(self.n_states)]
        return tuple(np.asarray(value, x.dtype) for value in [y, *last])[: len(self.onnx_node.output)]


class LSTM(Recurrent):
    """Gates in the order i, o, f, c."""

    op_domain = ""
    gates, n_states, defaults = 4, 2, ("Sigmoid", "Tanh", "Tanh")

    def step(self, w, r, b, p, acts, linear):  # type: ignore[no-untyped-def]
        f, g, h = acts
        wb, rb = np.split(b, 2)
        pi, po, pf = np.split(p, 3) if p is not None else (0.0, 0.0, 0.0)

        def run(x: np.ndarray, states: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            hidden, cell = states
            i, o, forget, c = np.split(x @ w.T + hidden @ r.T + wb + rb, 4, axis=-1)
            new = f(forget + pf * cell) * cell + f(i + pi * cell) * g(c)
            return f(o + po * new) * h(new), new

        return run


class GRU(Recurrent):
    """Gates in the order z, r, h."""

    op_domain = ""
    gates, defaults = 3, ("Sigmoid", "Tanh")

    def step(self, w, r, b, p, acts, linear):  # type: ignore[no-untyped-def]
        f, g = acts
        (wz, wr, wh), (rz, rr, rh) = np.split(w, 3), np.split(r, 3)
        bz, br, bh, cz, cr, ch = np.split(b, 6)

        def run(x: np.ndarray, states: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            (hidden,) = states
            z = f(x @ wz.T + hidden @ rz.T + bz + cz)
            reset = f(x @ wr.T + hidden @ rr.T + br + cr)
            inner = reset * (hidden @ rh.T + ch) if linear else (reset * hidden) @ rh.T + ch
            return ((1 - z) * g(x @ wh.T + inner + bh) + z * hidden,)

        return run


class RNN(Recurrent):
    """One gate."""

    op_domain = ""

    def step(self, w, r, b, p, acts, linear):  # type: ignore[no-untyped-def]
        wb, rb = np.split(b, 2)
        return lambda x, states: (acts[0](x @ w.T + states[0] @ r.T + wb + rb),)


class Sigmoid(OpRun):
    """As coarse as ONNX Runtime's."""

    op_domain = ""

    def _run(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (coarse_sigmoid(x),)


class TopK(OpRun):
    """Of equal values the one with the lower index comes first."""

    op_domain = ""

    def _run(
        self, x: np.ndarray, k: np.ndarray, axis: int = -1, largest: int = 1, sorted: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        del sorted
        keys = -x.astype(np.float64) if largest else x
        order = np.argsort(keys, axis=axis, kind="stable")
        order = np.take(order, np.arange(int(np.asarray(k).reshape(-1)[0])), axis=axis)
        return np.take_along_axis(x, order, axis=axis), order.astype(np.int64)
