"""The networks under specs/networks against keras.applications: `python tests/tools/networks.py [NAME…]`, a row each.

Weights are carried over by order, batch statistics are those of random images (so that no activation vanishes or grows
without end), and the outputs of nnspec's Keras model and of its export in ONNX Runtime are compared with those of
keras.applications at the network's own input size. Times and memory are of the export alone, from the Keras model to
the file, without the gate.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

from nnspec import jobs, pipeline
from nnspec.backends.keras.model import Compiled, as_model_inputs, build_model, predict
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.pipeline import Checked

FOLDER = Path(__file__).parents[2] / "specs" / "networks"
PAGE = 4096


@dataclass(frozen=True)
class Published:
    """What is known of a network elsewhere: its parameters and, where Keras has it, its name in keras.applications."""

    parameters: int | None = None
    application: str | None = None


NETWORKS: Mapping[str, Published] = {
    "bert_base": Published(109_482_240),
    "densenet121": Published(8_062_504, "DenseNet121"),
    "inception_v3": Published(23_851_784, "InceptionV3"),
    "mobilenet_v1": Published(4_253_864, "MobileNet"),
    "mobilenet_v2": Published(3_538_984, "MobileNetV2"),
    "resnet50": Published(25_636_712, "ResNet50"),
    "tcn": Published(),
    "unet": Published(),
    "vgg16": Published(138_357_544, "VGG16"),
    "wavenet": Published(),
}


@dataclass(frozen=True)
class Compared:
    """A network's row. Differences are relative to the largest magnitude of the output."""

    name: str
    parameters: int
    published: int | None
    by_keras: float | None
    by_onnx: float
    seconds: float
    megabytes: float
    nodes: int
    file_megabytes: float

    def row(self) -> str:
        published = "" if self.published is None else f"{self.published:,}"
        by_keras = "" if self.by_keras is None else f"{self.by_keras:.1e}"
        return (
            f"| [`{self.name}`](specs/networks/{self.name}.yaml) | {self.parameters:,} | {published} | {by_keras} | "
            f"{self.by_onnx:.1e} | "
            f"{self.seconds:.2f} | {self.megabytes:.0f} | {self.nodes} | {self.file_megabytes:.1f} |"
        )


HEAD = (
    "| network | parameters | published | Keras against keras.applications | ONNX Runtime against it | export, CPU s | "
    "memory, MB | ONNX nodes | file, MB |\n|---|---|---|---|---|---|---|---|---|"
)


def compare(name: str, folder: Path, exports: int = 2) -> Compared:
    """Builds both, carries weights over, exports so many times, runs."""
    checked = pipeline.check(FOLDER / f"{name}.yaml")
    known = NETWORKS[name]
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    compiled = build_model(checked.graph)
    arrays = inputs_of(checked.graph, 2)
    one = {name: array[:1] for name, array in arrays.items()}
    theirs = getattr(keras.applications, known.application)(weights=None) if known.application else None
    randomize(theirs or compiled.model, as_model_inputs(checked.graph, arrays))
    by_keras = None
    if theirs is None:
        wanted = predict(compiled.model, checked.graph, one)
    else:
        wanted = predict(theirs, checked.graph, one)
        carry(theirs, compiled.model)
        by_keras = difference(predict(compiled.model, checked.graph, one), wanted)
    del theirs
    gc.collect()
    path, seconds, megabytes, nodes = export(checked, compiled, folder, exports)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    got = dict(zip(wanted, session.run(list(wanted), one), strict=True))
    return Compared(
        name,
        checked.graph.parameters,
        known.parameters,
        by_keras,
        difference(got, wanted),
        seconds,
        megabytes,
        nodes,
        path.stat().st_size / 1e6,
    )


def inputs_of(graph: Graph, batch: int) -> dict[str, np.ndarray]:
    """Random images, or ids that every Embedding of the input knows; 64 steps where any number will do."""
    rng = np.random.default_rng(2)
    arrays: dict[str, np.ndarray] = {}
    for name, value in graph.inputs.items():
        shape = (batch, *(axis.size if isinstance(axis.size, int) else 64 for axis in value.axes))
        bounds = [n.args["input_dim"] for n in graph.nodes if n.kind == "Embedding" and n.inputs[0].node == name]
        made = rng.integers(0, min(bounds), size=shape) if bounds else rng.normal(size=shape)
        arrays[name] = made.astype(value.dtype)
    return arrays


def randomize(model: Any, inputs: Any) -> None:
    """Weights that keep the scale of what passes through, and batch statistics of these inputs."""
    rng = np.random.default_rng(3)
    for variable in model.weights:
        shape, name = tuple(variable.shape), variable.path.rpartition("/")[2]
        if "seed" in name:
            continue
        if name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, size=shape))
        elif len(shape) < 2:
            variable.assign(rng.normal(0.0, 0.2, size=shape))
        else:
            is_depthwise = "depthwise" in variable.path
            reads = int(np.prod(shape[:-2] if is_depthwise else shape[:-1]))
            values = rng.standard_normal(shape, np.float32)
            values *= (2 / reads) ** 0.5
            variable.assign(values)
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    if normalizations:
        model(inputs, training=True)
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum


def carry(source: Any, target: Any) -> None:
    """Weights by order."""
    ours = [w for w in target.weights if "seed" not in w.path]
    theirs = [w for w in source.weights if "seed" not in w.path]
    for mine, other in zip(ours, theirs, strict=True):
        mine.assign(np.reshape(other, mine.shape))


def difference(got: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> float:
    """The largest over all outputs, relative to the largest magnitude of each, whose values must differ."""
    worst = 0.0
    for name, values in wanted.items():
        largest = float(np.max(np.abs(values)))
        assert np.ptp(values) > 0.1 * largest, f"`{name}` is all alike, so nothing is compared"
        worst = max(worst, float(np.max(np.abs(got[name].reshape(values.shape) - values))) / largest)
    return worst


def export(checked: Checked, compiled: Compiled, folder: Path, times: int) -> tuple[Path, float, float, int]:
    """The file, how long writing it took, the memory that took above the Keras model, and the nodes."""
    path = folder / f"{checked.graph.name}.onnx"
    seconds: list[float] = []
    peak = 0
    for _ in range(times):  # the second time nothing is imported any more
        with PeakMemory() as memory:
            start = time.thread_time()
            exported = jobs.lower(checked, compiled, Deployment(), "")
            path.write_bytes(exported.to_bytes())
            seconds.append(time.thread_time() - start)
            nodes = sum(exported.operators().values())
            del exported
        peak = max(peak, memory.peak)
    return path, min(seconds), peak / 1e6, nodes


class PeakMemory:
    """Resident memory at its highest, in bytes above what it was at first."""

    def __enter__(self) -> PeakMemory:
        self.peak = 0
        self._first = self._resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self.peak = max(self.peak, self._resident() - self._first)

    @staticmethod
    def _resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def main(names: list[str]) -> None:
    """Rows, each from a process of its own: what one network gave back would hide what the next one takes."""
    if names[:1] == ["--row"]:
        with tempfile.TemporaryDirectory() as folder:
            print(compare(names[1], Path(folder)).row(), flush=True)
        return
    print(HEAD, flush=True)
    for name in names or NETWORKS:
        subprocess.run([sys.executable, __file__, "--row", name], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
