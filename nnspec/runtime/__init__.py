"""Runs a deployed model: numpy and onnxruntime, nothing else.

    predict = nnspec.runtime.load("out/model.onnx")
    predict(window=x)     # {"forecast": array}

What goes in is checked by name, axis, size and type before the model sees it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
METADATA_KEY = "nnspec"
BATCH = "batch"
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
    **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}


class InputError(ValueError):
    """What was given to a model is not what it takes; the message names the input and the axis."""


class ModelError(RuntimeError):
    """The model file is missing, damaged, or fails to run."""


@dataclass(frozen=True)
class Port:
    """An input or output of the model.

    Attributes:
        axes: names and sizes in the deployed order, `batch` among them; a str is a symbol, None any size.
        dtype: NumPy's name of the element type.
    """

    name: str
    axes: tuple[tuple[str, int | str | None], ...]
    dtype: str

    @property
    def batch(self) -> int | None:
        """The position of the batch axis; None where there is none."""
        return next((i for i, (name, _) in enumerate(self.axes) if name == BATCH), None)

    def __str__(self) -> str:
        axes = ", ".join(f"{name} {size}" if isinstance(size, int) else name for name, size in self.axes)
        return f"{self.name}: {self.dtype} ({axes})"


def load(
    path: str | PathLike[str], *, threads: int | None = None, batch_size: int = 1024, providers: list[str] | None = None
) -> Predictor:
    """Loads a model.

    Args:
        threads: how many threads run one operation; 1 makes the whole run single-threaded. Default: onnxruntime's.
        batch_size: no more samples than this go through the model at once.
        providers: onnxruntime's execution providers; default: the CPU.

    Raises:
        ModelError: where there is no file, or none that can be run.
        ImportError: where onnxruntime is not installed.
    """
    import onnxruntime

    file = Path(path)
    if not file.is_file():
        raise ModelError(f"there is no model file `{file}`")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it would print is raised as well
    if threads is not None:
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=providers or ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common class of their own
        raise ModelError(f"`{file}` is no model that can be run: {_first_line(error)}") from None
    return Predictor(session, file, batch_size)


class Predictor:
    """A loaded model; call it with an array for each input.

    Attributes:
        metadata: what the model says about itself: `name`, `inputs`, `outputs`, `window`, `states`. Of a model that
            was not made by nnspec, its own signature in the same form.
        inputs: the inputs that a call gives, by name.
        outputs: the outputs that a call returns, by name.
        states: for a stateful model, the inputs that carry state and the outputs that renew them.
    """

    def __init__(self, session: Any, path: Path, batch_size: int = 1024) -> None:
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        self._session = session
        self._batch_size = batch_size
        signature = _signature(session, path)
        self.metadata = _read_metadata(session, path, signature)
        ports = {role: _ports(self.metadata[role], signature[role], path) for role in ("inputs", "outputs")}
        self.states: dict[str, str] = dict(self.metadata["states"])
        for name, renewed in self.states.items():
            if name not in ports["inputs"] or renewed not in ports["outputs"]:
                raise ModelError(f"`{path}` says that state `{name}` is renewed by `{renewed}`, but lacks one of them")
        self._ports = ports["inputs"]
        self._all_outputs = ports["outputs"]
        self.inputs = {name: port for name, port in ports["inputs"].items() if name not in self.states}
        self.outputs = {n: port for n, port in ports["outputs"].items() if n not in self.states.values()}
        self._carried: dict[str, Array] | None = None

    def __repr__(self) -> str:
        inputs, outputs = (", ".join(map(str, ports.values())) for ports in (self.inputs, self.outputs))
        return f"Predictor({inputs} -> {outputs})"

    def __call__(self, *args: ArrayLike, **arrays: ArrayLike) -> dict[str, Array]:
        """The outputs for these inputs, by name.

        A model with one input takes its array without a name. States may be given by name, and are zeros otherwise;
        where one is given, the renewed states are returned too.

        Raises:
            InputError: where names, axes, sizes, types or values are not what the model takes.
            ModelError: where the model fails on them.
        """
        feeds = self._check(args, arrays)
        gives_states = any(name in feeds for name in self.states)
        count = self._count(feeds)
        wanted = list(self._all_outputs if gives_states else self.outputs)
        parts = [self._run(wanted, self._with_states(chunk)) for chunk in self._chunks(feeds, count, wanted)]
        if len(parts) == 1:
            return parts[0]
        axes = {name: self._all_outputs[name].batch or 0 for name in wanted}
        return {name: np.concatenate([part[name] for part in parts], axis=axes[name]) for name in wanted}

    def step(self, *args: ArrayLike, **arrays: ArrayLike) -> dict[str, Array]:
        """As a call, but the states go on from the step before; `reset` begins anew.

        Raises:
            InputError: as a call, and where the batch is not that of the step before.
            ModelError: where the model has no states.
        """
        if not self.states:
            raise ModelError("this model has no states to carry from step to step")
        feeds = self._check(args, arrays)
        given = [name for name in feeds if name in self.states]
        if given:
            raise InputError(f"`step` carries state `{given[0]}` itself")
        count = self._count(feeds)
        if self._carried is not None:
            before = self._count(self._carried)
            if before != count:
                raise InputError(f"axis `batch` has size {count}, but {before} at the step before; `reset()` first")
            feeds |= self._carried
        found = self._run(list(self._all_outputs), self._with_states(feeds))
        self._carried = {name: found[renewed] for name, renewed in self.states.items()}
        return {name: found[name] for name in self.outputs}

    def reset(self) -> None:
        """Sets the states back to zeros."""
        self._carried = None

    # ------------------------------------------------------------------------------------------------ checking

    def _check(self, args: tuple[ArrayLike, ...], arrays: Mapping[str, ArrayLike]) -> dict[str, Array]:
        """The arrays in the model's types, once everything about them agrees."""
        names = list(self.inputs)
        given = dict(arrays)
        if args:
            if len(args) > 1 or len(names) != 1 or names[0] in given:
                raise InputError(f"give each input by its name: {_listed(names)}")
            given[names[0]] = args[0]
        for name in given:
            if name not in self._ports:
                raise InputError(f"the model has no input `{name}`; it takes {_listed(names)}")
        missing = [name for name in names if name not in given]
        if missing:
            raise InputError(f"input {_listed(missing)} is missing")
        checked = {name: _check_array(self._ports[name], value) for name, value in given.items()}
        symbols: dict[str, tuple[int, str]] = {}
        for name, array in checked.items():
            for (axis, size), found in zip(self._ports[name].axes, array.shape, strict=True):
                key = BATCH if axis == BATCH else size
                if isinstance(key, str):
                    known, first = symbols.setdefault(key, (found, name))
                    if known != found:
                        what = f"axis `{axis}`" if axis == key else f"axis `{axis}` (`{key}`)"
                        message = f"{what} of input `{name}` has size {found}, but input `{first}` has {known}"
                        raise InputError(message)
        return checked

    def _count(self, feeds: Mapping[str, Array]) -> int | None:
        """The number of samples; None where no input has a batch axis."""
        for name, array in feeds.items():
            axis = self._ports[name].batch
            if axis is not None:
                return int(array.shape[axis])
        return None

    # ------------------------------------------------------------------------------------------------ running

    def _chunks(self, feeds: dict[str, Array], count: int | None, wanted: list[str]) -> Iterator[dict[str, Array]]:
        """The feeds in pieces of bounded size along batch; in one piece where something has no batch axis."""
        ports = [self._ports[name] for name in feeds] + [self._all_outputs[name] for name in wanted]
        is_open = all(port.batch is not None and not isinstance(port.axes[port.batch][1], int) for port in ports)
        if count is None or count <= self._batch_size or not is_open:
            yield feeds
            return
        for start in range(0, count, self._batch_size):
            part = slice(start, start + self._batch_size)
            yield {
                name: array[(*(slice(None),) * (self._ports[name].batch or 0), part)] for name, array in feeds.items()
            }

    def _with_states(self, feeds: dict[str, Array]) -> dict[str, Array]:
        """The feeds, with zeros for the states that are not given."""
        if not self.states:
            return feeds
        count = self._count(feeds)
        full = dict(feeds)
        for name in self.states:
            if name in full:
                continue
            port = self._ports[name]
            shape = [count if axis == BATCH else size for axis, size in port.axes]
            if not all(isinstance(size, int) for size in shape):
                raise ModelError(f"state `{name}` has an axis of unknown size, so it must be given: {port}")
            full[name] = np.zeros([int(size) for size in shape if size is not None], dtype=port.dtype)
        return full

    def _run(self, wanted: list[str], feeds: dict[str, Array]) -> dict[str, Array]:
        try:
            found = self._session.run(wanted, feeds)
        except Exception as error:  # as in load
            raise ModelError(f"the model failed: {_first_line(error)}") from None
        return dict(zip(wanted, found, strict=True))


def _check_array(port: Port, value: ArrayLike) -> Array:
    """`value` as an array of the port's type and axes."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        raise InputError(f"input `{port.name}` is no array: its rows differ in length") from None
    if array.ndim != len(port.axes):
        axes = ", ".join(name for name, _ in port.axes)
        raise InputError(f"input `{port.name}` has shape {array.shape}, but {len(port.axes)} axes are wanted: ({axes})")
    for (axis, size), found in zip(port.axes, array.shape, strict=True):
        if isinstance(size, int) and found != size:
            raise InputError(f"axis `{axis}` of input `{port.name}` has size {found}, but the model takes {size}")
        if found == 0:
            raise InputError(f"axis `{axis}` of input `{port.name}` is empty")
    return _cast(port, array)


def _cast(port: Port, array: Array) -> Array:
    """Changes the type where that loses nothing but float precision."""
    if port.dtype == "str":
        if array.dtype.kind not in "USO" or (
            array.dtype.kind == "O" and not all(isinstance(v, str) for v in array.flat)
        ):
            raise InputError(f"input `{port.name}` takes text, but has {array.dtype}")
        return array.astype(object)
    wanted = np.dtype(port.dtype)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = ", ".join(str(int(i)) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"input `{port.name}` has NaN or infinite values, the first at ({where})")
    allowed = {"f": "fiub", "i": "iub", "u": "iub", "b": "b"}[wanted.kind]
    if array.dtype.kind not in allowed:
        raise InputError(f"input `{port.name}` takes {port.dtype}, but has {array.dtype}")
    with np.errstate(over="ignore"):
        cast = array.astype(wanted)
    if wanted.kind == "f":
        if not np.isfinite(cast).all():
            raise InputError(f"input `{port.name}` takes {port.dtype}, and has values out of its range")
    elif not np.array_equal(cast, array):
        raise InputError(f"input `{port.name}` takes {port.dtype}, and has values out of its range")
    return np.ascontiguousarray(cast)


# ---------------------------------------------------------------------------------------------------- metadata


def _signature(session: Any, path: Path) -> dict[str, dict[str, Port]]:
    """What the session itself says. Its first axis is the batch where its size is open and it is called so."""
    found: dict[str, dict[str, Port]] = {"inputs": {}, "outputs": {}}
    for role, nodes in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        for node in nodes:
            if node.type not in _DTYPES:
                raise ModelError(f"`{path}` has `{node.name}` of type {node.type}, which NumPy cannot hold")
            axes: list[tuple[str, int | str | None]] = []
            for i, size in enumerate(node.shape):
                is_batch = i == 0 and size in (BATCH, "batch_size")
                name = BATCH if is_batch else size if isinstance(size, str) and size else f"axis_{i}"
                axes.append((name, None if is_batch or not size else size))
            found[role][node.name] = Port(node.name, tuple(axes), _DTYPES[node.type])
    return found


def _read_metadata(session: Any, path: Path, signature: dict[str, dict[str, Port]]) -> dict[str, Any]:
    meta = session.get_modelmeta()
    text = meta.custom_metadata_map.get(METADATA_KEY)
    if text is None:
        described = {
            role: {
                port.name: {"axes": [list(axis) for axis in port.axes], "dtype": port.dtype} for port in ports.values()
            }
            for role, ports in signature.items()
        }
        return {"nnspec": None, "name": meta.graph_name, **described, "window": None, "states": {}}
    try:
        metadata = json.loads(text)
    except ValueError:
        raise ModelError(f"the metadata of `{path}` are damaged: not JSON") from None
    if not isinstance(metadata, dict):
        raise ModelError(f"the metadata of `{path}` are damaged: not a mapping")
    for role in ("inputs", "outputs"):
        if not isinstance(metadata.get(role), dict):
            raise ModelError(f"the metadata of `{path}` are damaged: no `{role}`")
    metadata.setdefault("window", None)
    metadata["states"] = metadata.get("states") or {}
    return metadata


def _ports(described: Mapping[str, Any], signature: Mapping[str, Port], path: Path) -> dict[str, Port]:
    """The session's ports, with the axis names and symbols of the metadata."""
    unknown = [name for name in described if name not in signature]
    if unknown:
        raise ModelError(f"the metadata of `{path}` are damaged: the model has no {_listed(unknown)}")
    ports = {}
    for name, port in signature.items():
        axes = described[name].get("axes") if name in described else None
        if axes is None:
            ports[name] = port
            continue
        try:
            named = tuple((str(axis), size) for axis, size in axes)
        except (TypeError, ValueError):
            raise ModelError(f"the metadata of `{path}` are damaged: the axes of `{name}`") from None
        if len(named) != len(port.axes):
            raise ModelError(
                f"the metadata of `{path}` are damaged: `{name}` has {len(port.axes)} axes, not {len(named)}"
            )
        ports[name] = Port(name, named, port.dtype)
    return ports


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]
