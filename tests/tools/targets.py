"""Writes the operators that targets take: `python -m tests.tools.targets [--npm TARBALL] [--qnn FILE]`.

Each list comes from what the runtime itself ships or does: the tables of ONNX Runtime's usability checker (CoreML,
NNAPI), its kernels for the CPU, which are also those of the browser (web), the tables in npm's onnxruntime-web (webgpu,
webnn), ONNX Runtime's `op_builder_factory.cc` (qnn), and for OpenVINO what its frontend converts of each operator that
ONNX defines. A list whose source is not given or installed stays as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx
import onnxruntime
from onnx import TensorProto, helper

from nnspec.backends.onnx.backend import NEWEST_OPSET, OLDEST_OPSET
from nnspec.backends.onnx.targets.tables import FILE

ANY_RANK = 999  # the checker's own figure where a target has no limit
UNKNOWN = 1  # how a process ends that asked for one operator, which nobody converts
Operators = dict[str, str]


def checker_tables() -> dict[str, Operators]:
    """The tables of ONNX Runtime's usability checker, as its own class reads them."""
    from onnxruntime.tools.mobile_helpers import usability_checker as checker

    folder = Path(checker.__file__).parent
    names = {"coreml": "coreml_supported_mlprogram_ops.md", "nnapi": "nnapi_supported_ops.md"}
    return {name: dict(checker._SupportedOpsChecker(folder / file)._ops) for name, file in names.items()}


def kernels_of_cpu() -> Operators:
    """The operators for which ONNX Runtime has a kernel, or a definition by others."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = {f"{kernel.domain or 'ai.onnx'}:{kernel.op_name}" for kernel in state.get_all_opkernel_def()}
    composed = {
        f"{schema.domain or 'ai.onnx'}:{schema.name}"
        for schema in onnx.defs.get_all_schemas_with_history()
        if schema.has_function or schema.has_context_dependent_function
    }
    return dict.fromkeys(found | composed, "")


def web_tables(tarball: Path) -> dict[str, Operators]:
    """The tables in npm's package: `| Abs | ai.onnx(6-12,13+) | … | comment |`."""
    found: dict[str, Operators] = {}
    with tarfile.open(tarball) as archive:
        for name in ("webgpu", "webnn"):
            file = archive.extractfile(f"package/docs/{name}-operators.md")
            assert file is not None
            found[name] = {}
            for line in file.read().decode().splitlines():
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                for domain, versions in re.findall(r"([\w.]+)\(([^)]*)\)", cells[1] if len(cells) > 2 else ""):
                    if domain in ("ai.onnx", "ai.onnx.ml", "com.microsoft") and covers(versions):
                        found[name][f"{domain}:{cells[0]}"] = cells[-1].replace("`", "'")
    return found


def covers(versions: str) -> bool:
    """Whether ranges of operator sets reach the newest: `7-12, 13+`; where they begin is ONNX' own affair."""
    return any(part.strip().endswith("+") for part in versions.split(",")) or f"-{NEWEST_OPSET}" in versions


def builders_of_qnn(text: str) -> Operators:
    return {f"ai.onnx:{name}": "" for name in re.findall(r'Create\w+OpBuilder\("(\w+)", \*this\)', text)}


def converted_by_openvino(names: Iterable[tuple[str, str]]) -> Operators:
    """The operators that OpenVINO's frontend has a rule for, each asked by a graph of one node.

    A rule may end the process on operands that are not its own, so each is asked in a process that is forked.
    """
    found: Operators = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.onnx"
        for domain, name in names:
            ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)]
            node = helper.make_node(name, ["x"], ["y"], domain="" if domain == "ai.onnx" else domain)
            graph = helper.make_graph([node], "one", ports, [onnx.ValueInfoProto(name="y")])
            opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
            onnx.save(helper.make_model(graph, opset_imports=opsets), path)
            child = os.fork()
            if not child:
                os._exit(len(unknown_to_openvino(path)))
            if os.waitpid(child, 0)[1] != UNKNOWN << 8:
                found[f"{domain}:{name}"] = ""
    return found


def unknown_to_openvino(path: Path) -> list[str]:
    """The operators of a file that OpenVINO's frontend has no rule for, one for each node."""
    from openvino.frontend import FrontEndManager

    frontend = FrontEndManager().load_by_framework("onnx")
    made = frontend.convert_partially(frontend.load(str(path)))
    return [each.get_friendly_name() for each in made.get_ops() if each.get_type_name() == "ONNXFrameworkNode"]


def defined_operators() -> list[tuple[str, str]]:
    schemas = onnx.defs.get_all_schemas()
    return sorted({(schema.domain or "ai.onnx", schema.name) for schema in schemas if not schema.deprecated})


def entry(
    title: str,
    source: str,
    operators: Mapping[str, str],
    *,
    needs_sizes: bool,
    rank: int = ANY_RANK,
    runs_rest: bool = True,
) -> object:
    return {
        "title": title,
        "source": source,
        "needs_sizes": needs_sizes,
        "max_rank": rank,
        "runs_rest": runs_rest,
        "operators": dict(sorted(operators.items())),
    }


def main(arguments: Sequence[str]) -> None:
    assert OLDEST_OPSET >= 17  # older forms of operators are not looked for
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npm", type=Path, help="npm's tarball of onnxruntime-web")
    parser.add_argument("--qnn", type=Path, help="onnxruntime's op_builder_factory.cc of QNN")
    options = parser.parse_args(arguments)
    tables = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    runtime = f"onnxruntime {onnxruntime.__version__}"
    tables["web"] = entry("browsers (WebAssembly)", runtime, kernels_of_cpu(), needs_sizes=False, runs_rest=False)
    checked = checker_tables()
    tables["coreml"] = entry("CoreML (ML Program)", runtime, checked["coreml"], needs_sizes=True, rank=5)
    tables["nnapi"] = entry("NNAPI", runtime, checked["nnapi"], needs_sizes=True)
    if options.npm is not None:
        found, package = web_tables(options.npm), options.npm.stem.replace("web-", "web ")
        tables["webgpu"] = entry("browsers (WebGPU)", package, found["webgpu"], needs_sizes=False)
        tables["webnn"] = entry("browsers (WebNN)", package, found["webnn"], needs_sizes=True)
    if options.qnn is not None:
        operators = builders_of_qnn(options.qnn.read_text(encoding="utf-8"))
        tables["qnn"] = entry("Qualcomm (QNN)", "onnxruntime's sources", operators, needs_sizes=True)  # of no release
    try:
        import openvino
    except ImportError:
        print("OpenVINO is not installed: its list stays as it is", file=sys.stderr)
    else:
        operators = converted_by_openvino(defined_operators())
        version = openvino.get_version().split("-")[0]
        tables["openvino"] = entry("OpenVINO", f"openvino {version}", operators, needs_sizes=False, runs_rest=False)
    FILE.write_text(json.dumps(dict(sorted(tables.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print({name: len(table["operators"]) for name, table in tables.items()})


if __name__ == "__main__":
    main(sys.argv[1:])
