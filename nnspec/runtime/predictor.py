"""A loaded model, called with arrays by name, on whole batches or step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nnspec.runtime.alike import answer
from nnspec.runtime.errors import InputError, ModelError, first_line, no_model_at, quote_names
from nnspec.runtime.feeding import check_array
from nnspec.runtime.ports import BATCH, Array, Port, Session, named_ports, read_metadata, session_ports
from nnspec.runtime.recursive import Recursion, forecasts
from nnspec.runtime.samples import Samples, concatenate_outputs, samples_of_arrays, without_incomplete


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
        raise ModelError(no_model_at(file))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it would print is raised as well
    if threads is not None:
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=providers or ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common class of their own
        raise ModelError(f"`{file}` cannot be run as a model: {first_line(error)}") from None
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

    def __init__(self, session: Session, path: Path, batch_size: int = 1024) -> None:
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        self._session = session
        signature = session_ports(session, path)
        self.metadata = read_metadata(session, path, signature)
        self._fixed: int | None = self.metadata.get("batch")  # the only batch size that the file takes
        self._batch_size = self._fixed or batch_size
        ports = {role: named_ports(self.metadata[role], signature[role], path) for role in ("inputs", "outputs")}
        self.states: dict[str, str] = dict(self.metadata["states"])
        for name, renewed in self.states.items():
            if name not in ports["inputs"] or renewed not in ports["outputs"]:
                raise ModelError(
                    f"`{path}` has metadata in which output `{renewed}` updates state `{name}`, but lacks one of them"
                )
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
        parts = [self._run_filled(wanted, self._with_states(part)) for part in self._chunks(feeds, count, wanted)]
        if len(parts) == 1:
            return parts[0]
        axes = {name: self._all_outputs[name].batch or 0 for name in wanted}
        return {name: np.concatenate([part[name] for part in parts], axis=axes[name]) for name in wanted}

    def forecast(self, *args: ArrayLike, **arrays: ArrayLike) -> dict[str, Array]:
        """Forecasts that feed on themselves, of all rows that the model was built to forecast (`recursive`).

        What the model says goes into its window, row by row, and the window moves on. Inputs that are known ahead go on
        to the last row that is forecast.

        Returns:
            By output: axes `batch row column`.

        Raises:
            InputError: as a call, and where what is known ahead is too short.
            ModelError: where the model was not built to be asked so.
        """
        recursion = self._recursion()
        given = dict(zip(self.inputs, args, strict=False)) | arrays
        inputs = {name: np.asarray(value) for name, value in given.items()}
        recursion.check(inputs)
        axes = {name: [axis for axis, _ in self.outputs[name].axes] for name in recursion.outputs}
        return recursion.run(lambda feeds: self(**feeds), inputs, axes)

    def forecasts(self, samples: Samples) -> Iterator[tuple[dict[str, Array], dict[str, Sequence[str]]]]:
        """The same for a file's samples, read by `Recursion.metadata`, a batch at a time."""
        recursion = self._recursion()
        yield from forecasts(lambda feeds: self(**feeds), recursion, samples, self.metadata)

    def _recursion(self) -> Recursion:
        found = Recursion.from_metadata(self.metadata)
        if found is None:
            raise ModelError("this model only forecasts its horizon: it was built without `recursive`")
        return found

    def step(self, *args: ArrayLike, **arrays: ArrayLike) -> dict[str, Array]:
        """As a call, but the states go on from the step before; `reset` begins anew.

        Raises:
            InputError: as a call, and where the batch is not that of the step before.
            ModelError: where the model has no states.
        """
        if not self.states:
            raise ModelError("this model has no states to carry from one step to the next")
        feeds = self._check(args, arrays)
        given = [name for name in feeds if name in self.states]
        if given:
            raise InputError(f"`step` keeps state `{given[0]}` itself: do not pass it")
        count = self._count(feeds)
        if self._carried is not None:
            before = self._count(self._carried)
            if before != count:
                raise InputError(
                    f"axis `batch` has size {count}, but {before} in the previous step; call `reset()` first"
                )
            feeds |= self._carried
        found = self._run(list(self._all_outputs), self._with_states(feeds))
        self._carried = {name: found[renewed] for name, renewed in self.states.items()}
        return {name: found[name] for name in self.outputs}

    def in_order(self, *args: ArrayLike, **arrays: ArrayLike) -> dict[str, Array]:
        """The outputs for samples in their order, the state carried as in training and cleared before the first.

        As many samples go through at once as did in training: sample i of a batch goes on from sample i of the one
        before. The last batch is filled up, and what fills it is left out of the result. A model without states is
        called.

        Raises:
            InputError: as a call.
            ModelError: as a call.
        """
        if not self.states:
            return self(*args, **arrays)
        feeds = self._check(args, arrays)
        if not self._count(feeds):
            return self(**feeds)
        return concatenate_outputs(
            [outputs for outputs, _ in self.over(samples_of_arrays(feeds, self.metadata))], self.metadata
        )

    def over(self, samples: Samples) -> Iterator[tuple[dict[str, Array], dict[str, Sequence[str]]]]:
        """The outputs for a file's samples (`reading.read_samples`), a batch at a time, states as in `in_order`.

        Beside the outputs of a batch stand the columns that tell its samples apart. Of samples that are incomplete
        numbers are NaN, and texts empty.

        Raises:
            InputError: as a call.
            ModelError: as a call.
        """
        if not self.states:
            is_open = all(p.batch is not None and not isinstance(p.axes[p.batch][1], int) for p in self._every_port())
            for part in samples.slices() if is_open else [slice(0, samples.count)]:
                found = answer(self, samples, part, self.metadata, self.outputs)
                found = without_incomplete(found, samples, part, self.metadata)
                yield found, samples.keys_of(part)
            return
        size = int(self.metadata.get("state_batch") or 1)
        self.reset()
        for start in range(0, samples.count or 0, size):
            feeds = samples.take(slice(start, start + size))
            count = self._count(self._check((), feeds)) or 0
            fill = np.minimum(np.arange(size), count - 1)
            full = {n: np.take(a, fill, axis=self._ports[n].batch or 0) for n, a in feeds.items()}
            found = self.step(**full)
            outputs = {n: np.take(a, np.arange(count), axis=self.outputs[n].batch or 0) for n, a in found.items()}
            yield outputs, samples.keys_of(slice(start, start + count))
        self.reset()

    def records(
        self,
        path: str | PathLike[str],
        *,
        tables: Mapping[str, str | PathLike[str]] | None = None,
        keep: Sequence[str] = (),
    ) -> Iterator[dict[str, object]]:
        """What `nnspec predict` gives for a data file, a record a sample; the file's predictions are made in batches.

        `pandas.DataFrame(predict.records("new.csv"))` is a table of them. Rows are read in the order of training, and
        the columns of that order stand beside the predictions.

        Args:
            tables: of a model that was trained on a query, its tables by name beside `source`, which is the file.
            keep: columns of the table to give beside the predictions.

        Raises:
            InputError: where the file lacks what an input needs, or is damaged; of a row of a table that the model
                reads by itself, once its records are asked for.
            ModelError: as a call.
        """
        from nnspec.runtime.files import records_of  # it knows all files, and few programs read one by nnspec

        others = None if tables is None else {name: Path(file) for name, file in tables.items()}
        recursion = Recursion.from_metadata(self.metadata)
        metadata = self.metadata if recursion is None else recursion.metadata(self.metadata)
        predict = self.over if recursion is None else self.forecasts
        return records_of(predict, path, others, {**metadata, "keep": tuple(keep)})

    def _every_port(self) -> list[Port]:
        return [*self._ports.values(), *self._all_outputs.values()]

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
                raise InputError(f"pass each input by name: {quote_names(names)}")
            given[names[0]] = args[0]
        for name in given:
            if name not in self._ports:
                raise InputError(f"the model has no input `{name}`; it takes {quote_names(names)}")
        missing = [name for name in names if name not in given]
        if missing:
            raise InputError(f"input {quote_names(missing)} is missing")
        checked = {name: check_array(self._ports[name], value) for name, value in given.items()}
        symbols: dict[str, tuple[int, str]] = {}
        multiples = self.metadata.get("multiple_of")  # of open sizes, by their symbols
        for name, array in checked.items():
            for (axis, size), found in zip(self._ports[name].axes, array.shape, strict=True):
                key = BATCH if axis == BATCH else size
                if isinstance(key, str):
                    known, first = symbols.setdefault(key, (found, name))
                    if known != found:
                        what = f"axis `{axis}`" if axis == key else f"axis `{axis}` (`{key}`)"
                        message = f"{what} of input `{name}` has size {found}, but input `{first}` has {known}"
                        raise InputError(message)
                    step = multiples.get(key) if isinstance(multiples, dict) else None
                    if isinstance(step, int) and step > 1 and found % step:
                        message = f"axis `{axis}` of input `{name}` has size {found}, but must be a multiple of {step}"
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
                raise ModelError(
                    f"state `{name}` has an axis of unknown size, so its initial value must be passed: {port}"
                )
            full[name] = np.zeros([int(size) for size in shape if size is not None], dtype=port.dtype)
        return full

    def _run_filled(self, wanted: list[str], feeds: dict[str, Array]) -> dict[str, Array]:
        """Runs a batch; of a file that takes one size alone, filled up with its last sample, which is left out again.

        No sample of a batch depends on another, so what fills it changes nothing.
        """
        count = self._count(feeds)
        if self._fixed is None or count in (None, 0, self._fixed):
            return self._run(wanted, feeds)
        at = np.minimum(np.arange(self._fixed), (count or 0) - 1)
        full = {name: np.take(array, at, axis=self._ports[name].batch or 0) for name, array in feeds.items()}
        found = self._run(wanted, full)
        kept = np.arange(count or 0)
        return {name: np.take(array, kept, axis=self._all_outputs[name].batch or 0) for name, array in found.items()}

    def _run(self, wanted: list[str], feeds: dict[str, Array]) -> dict[str, Array]:
        try:
            found = self._session.run(wanted, feeds)
        except Exception as error:  # as in load
            raise ModelError(f"the model failed: {first_line(error)}") from None
        return dict(zip(wanted, found, strict=True))
