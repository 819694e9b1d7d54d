"""Forecasts that feed on themselves: a model of a few rows ahead, asked for many.

What it says of the next rows goes into the window as if it had been measured, and the window moves on. What is known
ahead is read for each step. A model's metadata say how many rows are asked for and which columns its outputs are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Array, Metadata
from nnspec.runtime.samples import Samples, without_incomplete

Call = Callable[[Mapping[str, Array]], Mapping[str, Array]]
Sources = Sequence[tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How an output's values are read as rows: axes of its own (batch first), and where each row's columns are.

    Attributes:
        order: of the flattened values of a sample, those of the first row's columns, then of the second's, ….
    """

    axes: tuple[str, ...]
    columns: tuple[str, ...]
    order: tuple[int, ...]

    def rows(self, values: Array, axes: Sequence[str]) -> Array:
        """Axes `axes` to `sample row column`."""
        moved = np.transpose(values, [list(axes).index(axis) for axis in self.axes])
        flat = moved.reshape(len(moved), -1)[:, list(self.order)]
        return flat.reshape(len(flat), -1, len(self.columns))


@dataclass(frozen=True, kw_only=True)
class Recursion:
    """What is fed back into which input.

    Attributes:
        rows: how many rows ahead are forecast: a multiple of `each`.
        each: how many the model forecasts at once.
        fed: of each input that forecasts go into, the output and column that each of its columns is.
        ahead: of each input that is known ahead, how many rows it has at once.
        axes: of each of these inputs, its axes and the one that runs along rows; None for the window's last row.
        outputs: how outputs are read.
    """

    rows: int
    each: int
    fed: Mapping[str, Sources]
    ahead: Mapping[str, int]
    axes: Mapping[str, tuple[tuple[str, ...], str | None]]
    outputs: Mapping[str, Forecast]

    @classmethod
    def from_metadata(cls, metadata: Metadata) -> Recursion | None:
        """That of a model; None where it forecasts its own horizon alone."""
        body = metadata.get("recursive")
        if not body:
            return None
        inputs: Metadata = metadata["inputs"]
        ahead = {name: own["rows"][1] - own["rows"][0] + 1 for name, own in inputs.items() if own.get("rows")}
        axes = {name: (tuple(axis for axis, _ in inputs[name]["axes"]), inputs[name].get("step")) for name in inputs}
        return cls(
            rows=int(body["rows"]),
            each=int(body["each"]),
            fed={name: [(output, int(place)) for output, place in found] for name, found in body["fed"].items()},
            ahead=ahead,
            axes=axes,
            outputs={
                name: Forecast(axes=tuple(own["axes"]), columns=tuple(own["columns"]), order=tuple(own["order"]))
                for name, own in body["outputs"].items()
            },
        )

    def run(self, call: Call, inputs: Mapping[str, Array], axes: Mapping[str, Sequence[str]]) -> dict[str, Array]:
        """Forecasts of all rows, by output: axes `sample row column`.

        Args:
            call: the model: outputs for inputs, by name.
            inputs: axes as the model's; those that are known ahead go on to the last row that is forecast.
            axes: those of the outputs, as `call` gives them.
        """
        found: dict[str, list[Array]] = {name: [] for name in self.outputs}
        windows = {name: array for name, array in inputs.items() if name not in self.ahead}
        for start in range(0, self.rows, self.each):
            read = {
                name: self._part(name, array, start) if name in self.ahead else windows[name]
                for name, array in inputs.items()
            }
            given = call(read)
            made = {name: each.rows(given[name], axes[name]) for name, each in self.outputs.items()}
            for name, rows in made.items():
                found[name].append(rows)
            windows |= {name: self._moved(name, windows[name], made) for name in self.fed}
        return {name: np.concatenate(parts, axis=1) for name, parts in found.items()}

    def _part(self, name: str, values: Array, start: int) -> Array:
        """The rows of an input that is known ahead, as it is read `start` rows on."""
        axes, step = self.axes[name]
        place = axes.index(str(step))
        return values[(*(slice(None),) * place, slice(start, start + self.ahead[name]))]

    def _moved(self, name: str, window: Array, made: Mapping[str, Array]) -> Array:
        """A window without its first rows, and with what was forecast."""
        new = np.stack([made[output][..., place] for output, place in self.fed[name]], axis=-1)
        axes, step = self.axes[name]
        if step is None:
            first = np.moveaxis(window, axes.index(BATCH), 0)
            return np.moveaxis(new[:, -1].reshape(first.shape), 0, axes.index(BATCH)).astype(window.dtype)
        places = (axes.index(BATCH), axes.index(step))
        moved = np.moveaxis(window, places, (0, 1))
        rows = np.concatenate([moved, new.reshape(*new.shape[:2], *moved.shape[2:]).astype(window.dtype)], axis=1)
        return np.moveaxis(rows[:, -moved.shape[1] :], (0, 1), places)

    def metadata(self, metadata: Metadata) -> Metadata:
        """The metadata of a model that forecasts all rows at once: how a file is read, and forecasts written."""
        inputs = {name: self._reading(name, body) for name, body in metadata["inputs"].items()}
        outputs = {
            name: {
                "axes": [[BATCH, None], ["row", self.rows], ["column", len(each.columns)]],
                "dtype": "float32",
                "task": "regression",
                "columns": [f"{column}+{row}" for row in range(1, self.rows + 1) for column in each.columns],
            }
            for name, each in self.outputs.items()
        }
        return {**metadata, "inputs": inputs, "outputs": outputs, "recursive": None}

    def _reading(self, name: str, body: Metadata) -> Metadata:
        if name not in self.ahead:
            return body
        first, step = body["rows"][0], body.get("step")
        axes = [[axis, self.rows - first + 1 if axis == step else size] for axis, size in body["axes"]]
        return {**body, "rows": [first, self.rows], "axes": axes}

    def check(self, inputs: Mapping[str, Array]) -> None:
        """Whether what is known ahead reaches far enough.

        Raises:
            InputError: where it does not.
        """
        for name, count in self.ahead.items():
            axes, step = self.axes[name]
            place, needed = axes.index(str(step)), count + self.rows - self.each
            if name not in inputs:
                continue
            found = inputs[name].shape
            if len(found) != len(axes) or found[place] != needed:
                raise InputError(
                    f"input `{name}` is known ahead: to forecast {self.rows} rows its axis `{step}` has size {needed}, "
                    f"but the array has shape {found}"
                )


def forecasts(
    call: Call, recursion: Recursion, samples: Samples, metadata: Metadata
) -> Iterator[tuple[dict[str, Array], dict[str, Sequence[str]]]]:
    """The forecasts of a file's samples, a batch at a time, beside the columns that tell its samples apart.

    Args:
        samples: read by `Recursion.metadata`.
        metadata: of the model.
    """
    axes = {name: [axis for axis, _ in metadata["outputs"][name]["axes"]] for name in recursion.outputs}
    for part in samples.slices():
        made = recursion.run(call, samples.take(part), axes)
        yield without_incomplete(made, samples, part, recursion.metadata(metadata)), samples.keys_of(part)
