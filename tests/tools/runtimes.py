"""The table of exported files × runtimes: `python -m tests.tools.runtimes [SPEC|FOLDER …] --out out/runtimes`.

Each spec is exported with random weights and a batch of one; a FOLDER is a build, whose `interface.json` has a sample.
Each runtime is installed below `--out`, in an environment of its own, at the version that is named here. A cell says
whether all outputs equal those of ONNX Runtime (`=`), do not (`≠`), or the file does not run (`–`); `results.json` says
why, or how far they are off. `--only openvino,tract` runs some, `--markdown` prints the table for README.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from nnspec import pipeline
from nnspec.backends.base import Deployable
from nnspec.backends.onnx.backend import ONNX
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph
from nnspec.verify.samples import random_inputs
from tests.support.paths import ROOT
from tests.tools.runtime_adapters.cases import Arrays, decode, encode

ADAPTERS = Path(__file__).parent / "runtime_adapters"
TOLERANCE = 1e-4  # relative to the largest magnitude of an output
LARGEST = 120_000_000  # bytes of a file that every runtime is asked to read
STEPS = 16  # of an axis whose size is open
SECONDS = 300  # for a process


@dataclass(frozen=True)
class Runtime:
    """A runtime that is tried.

    Attributes:
        packages: what is installed for it, by pip or npm; none: what this environment has.
        adapter: the script that runs cases in it.
    """

    title: str
    adapter: str
    packages: tuple[str, ...] = ()
    is_node: bool = False


RUNTIMES: Mapping[str, Runtime] = {
    "ort": Runtime("ONNX Runtime", "ort.py"),
    "reference": Runtime("ONNX reference", "reference.py"),
    "openvino": Runtime("OpenVINO", "openvino_.py"),
    "ort118": Runtime("ONNX Runtime 1.18", "ort.py", ("onnxruntime==1.18.1", "numpy<2")),
    "ort115": Runtime("ONNX Runtime 1.15", "ort.py", ("onnxruntime==1.15.1", "numpy<2")),
    "ort-node": Runtime("onnxruntime-node", "ort_js.mjs", ("onnxruntime-node@1.30.0",), is_node=True),
    "ort-web": Runtime("onnxruntime-web", "ort_js.mjs", ("onnxruntime-web@1.30.0",), is_node=True),
    "opencv": Runtime("OpenCV", "opencv.py", ("opencv-python-headless==5.0.0.93",)),
    "tract": Runtime("tract", "tract_.py", ("tract==0.23.9", "numpy")),
    "mnn": Runtime("MNN", "mnn_.py", ("mnn==3.6.1", "numpy")),
    "iree": Runtime("IREE", "iree_.py", ("iree-base-compiler[onnx]==3.13.0", "iree-base-runtime==3.13.0")),
    "tvm": Runtime("TVM", "tvm_.py", ("apache-tvm==0.27.0.post1", "onnx")),
    "tinygrad": Runtime("tinygrad", "tinygrad_.py", ("tinygrad==0.14.0", "numpy", "onnx")),
}


# ------------------------------------------------------------------------------------------------------ cases


def random_weights(graph: Graph) -> dict[str, Arrays]:
    """Weights that keep values of one size from layer to layer, whichever framework would have drawn them."""
    rng = np.random.default_rng(5)
    found: dict[str, Arrays] = {}
    for node in graph.nodes:
        own = found.setdefault(node.owner, {})
        for weight in node.weights:
            shape = [int(str(size)) for size in weight.shape]
            values = rng.normal(size=shape) / np.sqrt(max(1, int(np.prod(shape[:-1]))))
            if "variance" in weight.name or weight.name == "gamma":
                values = 0.5 + np.abs(values)
            own[weight.name] = values.astype(np.float32)
    return found


def case_of_spec(path: Path, folder: Path) -> None:
    """A spec's file with random weights and a batch of one, and what ONNX Runtime says of random inputs."""
    checked = pipeline.check(path)
    graph, section = checked.graph, checked.section("export")
    network = Deployable(
        graph=graph,
        weights=random_weights(graph),
        deployment=Deployment(),
        layout=section.get("layout") or {},
        layers={},
        options={**section, "batch": 1},
        span=checked.root.span,
    )
    content = ONNX.lower(network).to_bytes()
    inputs = random_inputs(graph, Deployment(), 1, STEPS, alike=True)
    layout = section.get("layout") or {}
    for name, order in layout.items():
        if name in inputs:
            axes = ["batch", *(axis.name for axis in graph.inputs[name].axes)]
            inputs[name] = np.transpose(inputs[name], [axes.index(axis) for axis in order])
    write_case(folder, content, inputs)


def case_of_build(build: Path, folder: Path) -> None:
    """A build's file, and the sample of its `interface.json`."""
    model = (build / "model.onnx").read_bytes()
    sample = json.loads((build / "interface.json").read_text(encoding="utf-8"))["sample"]
    if sample is None:
        raise ValueError("its interface.json has no sample")
    ports = {port.name: port for port in onnxruntime.InferenceSession(model).get_inputs()}
    types = {
        "tensor(float)": np.float32,
        "tensor(int64)": np.int64,
        "tensor(string)": object,
        "tensor(int32)": np.int32,
    }
    write_case(folder, model, {name: np.asarray(v, types[ports[name].type]) for name, v in sample["inputs"].items()})


def write_case(folder: Path, model: bytes, inputs: Arrays) -> None:
    """`model.onnx` and `case.json`; states that nothing gives are zeros.

    Raises:
        ValueError: if the file is larger than every runtime is asked to read.
    """
    if len(model) > LARGEST:
        raise ValueError(f"its file has {len(model) / 1e6:.0f} MB")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for port in session.get_inputs():
        if port.name not in inputs:
            inputs[port.name] = np.zeros([size if isinstance(size, int) else 1 for size in port.shape], np.float32)
    inputs = {port.name: inputs[port.name] for port in session.get_inputs()}
    outputs = dict(zip([port.name for port in session.get_outputs()], session.run(None, inputs), strict=True))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    body = {
        what: {n: encode(v) for n, v in arrays.items()} for what, arrays in (("inputs", inputs), ("outputs", outputs))
    }
    (folder / "case.json").write_text(json.dumps(body), encoding="utf-8")


def make_cases(sources: Iterable[Path], out: Path) -> list[Path]:
    folders = []
    for source in sources:
        folder = out / "cases" / source.stem
        try:
            if not (folder / "case.json").is_file():
                (case_of_build if source.is_dir() else case_of_spec)(source, folder)
            folders.append(folder)
        except Exception as error:
            print(f"{source.stem} is left out: {str(error).splitlines()[0]}", file=sys.stderr)
    return folders


# ------------------------------------------------------------------------------------------------------ runtimes


def install(name: str, runtime: Runtime, out: Path) -> list[str]:
    """The command that runs the adapter, in an environment that is made where it is not there."""
    script = str(ADAPTERS / runtime.adapter)
    if runtime.is_node:
        folder = out / "environments" / name
        if not (folder / "node_modules").is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            command = ["npm", "install", "--silent", "--ignore-scripts", "--no-save", "--prefix", str(folder)]
            subprocess.run([*command, *runtime.packages], check=True, cwd=folder)
        return ["node", script, runtime.packages[0].rpartition("@")[0]]
    python = Path(sys.executable)
    if runtime.packages:
        folder = out / "environments" / name
        python = folder / "bin" / "python"
        if not (folder / "ready").is_file():
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *runtime.packages], check=True)
            (folder / "ready").touch()
    return [str(python), str(ADAPTERS / "cases.py"), script]


def results_of(name: str, runtime: Runtime, folders: Sequence[Path], out: Path) -> dict[str, str]:
    """By case: `=`, the largest relative difference, or why it does not run."""
    command = install(name, runtime, out)
    cwd = out / "environments" / name if runtime.is_node else out
    found: dict[str, str] = {}
    rest = list(folders)
    while rest:
        lines, end = _run(command, rest, cwd)
        for line in lines:
            folder = Path(line["case"])
            made = {port: decode(body) for port, body in line.get("outputs", {}).items()}
            found[folder.name] = line.get("error") or compare(folder, made)
        rest = [folder for folder in rest if folder.name not in found]
        if rest:  # some files end the process; the others go on without them
            found[rest.pop(0).name] = end
    return {folder.name: found[folder.name] for folder in folders}


def _run(command: Sequence[str], folders: Sequence[Path], cwd: Path) -> tuple[list[dict[str, Any]], str]:
    """A line for each case that came to an end, and how the process ended."""
    try:
        done = subprocess.run(
            [*command, *map(str, folders)],
            capture_output=True,
            text=True,
            cwd=cwd,
            timeout=SECONDS,
            check=False,
        )
        printed, end = (
            done.stdout,
            f"ends with code {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}",
        )
    except subprocess.TimeoutExpired as error:
        taken = error.stdout or b""
        printed, end = taken.decode() if isinstance(taken, bytes) else taken, f"takes more than {SECONDS} s"
    lines = [line.removeprefix("RESULT ") for line in printed.splitlines() if line.startswith("RESULT ")]
    return [json.loads(line) for line in lines], end


def compare(folder: Path, found: Mapping[str, np.ndarray]) -> str:
    """`=`, or the largest difference over the largest magnitude of an output (at least 1)."""
    wanted = {
        n: decode(b) for n, b in json.loads((folder / "case.json").read_text(encoding="utf-8"))["outputs"].items()
    }
    worst = 0.0
    for name, value in wanted.items():
        other = found.get(name)
        if other is None or other.size != value.size:
            return f"output `{name}` is missing" if other is None else f"output `{name}` has shape {other.shape}"
        if value.dtype.kind == "O":
            worst = max(worst, 0.0 if value.ravel().tolist() == other.ravel().tolist() else np.inf)
            continue
        difference = np.abs(value.ravel().astype(np.float64) - other.ravel().astype(np.float64))
        error = float(np.max(difference, initial=0.0)) / max(1.0, float(np.max(np.abs(value), initial=0.0)))
        worst = max(worst, np.inf if np.isnan(error) else error)
    return "=" if worst < TOLERANCE else f"differs by {worst:.1e}"


# ------------------------------------------------------------------------------------------------------ the table


def sign(result: str) -> str:
    return "=" if result == "=" else "≠" if result.startswith("differs") else "–"


def table(results: Mapping[str, Mapping[str, str]], cases: Sequence[str], *, markdown: bool) -> str:
    titles = [RUNTIMES[name].title for name in results]
    rows = [[case, *(sign(found[case]) for found in results.values())] for case in cases]
    equal = [sum(value == "=" for value in found.values()) for found in results.values()]
    rows.append([f"equal, of {len(cases)}", *map(str, equal)])
    if markdown:
        lines = [["file", *titles], ["---"] * (1 + len(titles)), *rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    width = max(len(row[0]) for row in rows)
    head = " " * width + "  " + "  ".join(titles)
    body = [
        row[0].ljust(width) + "  " + "  ".join(c.center(len(t)) for c, t in zip(row[1:], titles, strict=True))
        for row in rows
    ]
    return "\n".join([head, *body])


def default_sources() -> list[Path]:
    return [*sorted((ROOT / "specs").glob("*.yaml")), *sorted((ROOT / "specs" / "networks").glob("*.yaml"))]


def main(arguments: Sequence[str]) -> dict[str, dict[str, str]]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", type=Path, help="specs, or folders of builds; default: all below specs/")
    parser.add_argument("--out", type=Path, default=Path("out/runtimes"))
    parser.add_argument("--only", help="names of runtimes: " + ", ".join(RUNTIMES))
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args(arguments)
    out = options.out.resolve()
    folders = make_cases(options.sources or default_sources(), out)
    store = out / "results.json"
    results = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for name in options.only.split(",") if options.only else RUNTIMES:
        try:
            results[name] = {**results.get(name, {}), **results_of(name, RUNTIMES[name], folders, out)}
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{RUNTIMES[name].title} is left out: {error}", file=sys.stderr)
            continue
        store.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
        print(f"{RUNTIMES[name].title}: {sum(v == '=' for v in results[name].values())} of {len(folders)}", flush=True)
    names = [folder.name for folder in folders]
    shown = {name: results[name] for name in RUNTIMES if name in results and set(names) <= set(results[name])}
    print(table(shown, names, markdown=options.markdown))
    return shown


if __name__ == "__main__":
    main(sys.argv[1:])
