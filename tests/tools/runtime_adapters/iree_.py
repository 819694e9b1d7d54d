"""IREE, compiled for the processor."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def run(path, inputs, outputs):
    import iree.compiler
    import iree.runtime

    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "model.mlir"
        command = [sys.executable, "-m", "iree.compiler.tools.import_onnx", str(path), "-o", str(text)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        options = ["--iree-llvmcpu-target-cpu=generic"]
        code = iree.compiler.compile_file(str(text), target_backends=["llvm-cpu"], extra_args=options)
    config = iree.runtime.Config("local-task")
    context = iree.runtime.SystemContext(config=config)
    context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, code))
    module = next(m for name, m in context.modules.items() if name not in ("hal", "vm"))
    (entry,) = [name for name in module.vm_module.function_names if not name.startswith("__") and "$" not in name]
    made = module[entry](*inputs.values())
    made = made if isinstance(made, (tuple, list)) else (made,)
    return [np.asarray(value.to_host()) for value in made]
