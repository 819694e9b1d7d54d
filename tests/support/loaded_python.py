"""Python with Keras loaded: what runs in it is forked from a process that has imported Keras and nothing else of note.

So it costs a moment in place of the seconds of that import. What a test says of what is imported, or of what is printed
meanwhile, needs a process of its own.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_SERVER = """
import gc, importlib, json, os, runpy, sys, traceback
unused = ("jax", "matplotlib", "pandas", "scipy", "sklearn")  # which Keras would import, as it finds them
sys.modules.update(dict.fromkeys(unused))
import keras  # computes nothing here, which would start threads
for name in unused:
    del sys.modules[name]
sys.path.remove("")
gc.freeze()

def work(asked):
    for number, name in enumerate((os.devnull, asked["out"], asked["err"])):
        os.dup2(os.open(name, os.O_RDWR), number)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    option, what, *arguments = asked["arguments"]
    path = os.environ.get("PYTHONPATH", "")
    sys.path[:0] = [os.getcwd() if option == "-m" else "", *filter(None, path.split(os.pathsep))]
    importlib.invalidate_caches()
    sys.argv = [option, *arguments]
    try:
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return 1 if isinstance(end.code, str) else end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for line in sys.stdin:
    child = os.fork()
    if not child:
        code = 1
        try:
            code = work(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
_server: list[subprocess.Popen[str]] = []


@atexit.register
def _end() -> None:
    while _server:
        _server.pop().communicate()  # its input ends, and so does it


def run_loaded(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, check: bool = False
) -> subprocess.CompletedProcess[str]:
    """What `python ARGUMENTS` does, with standard output and error; its standard input is empty.

    Args:
        arguments: `-c`, code, and its arguments, or `-m`, a module, and its arguments.
        check: whether another exit code than 0 raises `CalledProcessError`.
    """
    if not _server:
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        _server.append(
            subprocess.Popen(
                [sys.executable, "-c", _SERVER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=alone,
            )
        )
    (server,) = _server
    assert server.stdin is not None
    assert server.stdout is not None
    with (
        tempfile.NamedTemporaryFile("r", encoding="utf-8") as out,
        tempfile.NamedTemporaryFile("r", encoding="utf-8") as err,
    ):
        asked = {
            "arguments": arguments,
            "folder": str(cwd),
            "environment": dict(os.environ if env is None else env),
            "out": out.name,
            "err": err.name,
        }
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        done = subprocess.CompletedProcess(arguments, code, out.read(), err.read())
    if check:
        done.check_returncode()
    return done
