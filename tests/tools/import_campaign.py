"""Random Keras models against their import and export: `python -m tests.tools.import_campaign --count 1000 --seed 0`.

Each seed draws a model in which masks, states and branches meet (tests/support/keras_models.py), imports it, exports
the spec, and compares ONNX Runtime and ONNX's reference evaluator with Keras on inputs that are hard for it: padding to
the right, to the left, in the middle, in whole rows, everywhere and nowhere, one sample alone, other lengths, zeros and
large values, states carried over two calls. As many random specs that are right by construction must check clean.

Prints every seed that is not clean with the steps that made its model, then a table; ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHUNK = 50  # models to a process: Keras and TensorFlow keep some of each


def run_chunk(first: int, count: int) -> int:
    """A part of the campaign in this process: a line a model."""
    import warnings

    warnings.filterwarnings("ignore")
    from tests.support.differential import try_model

    for seed in range(first, first + count):
        outcome = try_model(seed)
        print(f"{outcome.state}\t{seed}\t{outcome.error:.3g}", flush=True)
        if not outcome.is_clean:
            print(f"!\t{seed}: {'; '.join(outcome.steps)}\n!\t{' / '.join(outcome.why.splitlines())}", flush=True)
    return 0


def check_right_specs(first: int, count: int) -> list[str]:
    """What `nnspec check` objects to in specs that are right."""
    import numpy as np
    import yaml

    from nnspec.pipeline import diagnose
    from tests.support.right_networks import right_network

    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        for seed in range(first, first + count):
            path.write_text(yaml.safe_dump(right_network(np.random.default_rng(seed)), sort_keys=False), "utf-8")
            found += [f"spec {seed}: {d.code} {d.message}" for d in diagnose(path)]
    return found


def run_process(first: int, count: int) -> list[str]:
    """A part of the campaign in a process of its own; one that dies is a crash of all its models that are missing."""
    command = [sys.executable, "-m", "tests.tools.import_campaign", "--chunk", str(first), str(count)]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **os.environ}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    lines = [line for line in ran.stdout.splitlines() if "\t" in line]
    done = sum(not line.startswith("!") for line in lines)
    if done < count:
        lines += [f"crashed\t{first + done}\tnan", f"!\tthe process ended: {ran.stderr[-600:]}"]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="models, and specs [default: 1000]")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side [default: 2]")
    parser.add_argument("--chunk", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chunk:
        return run_chunk(*options.chunk)
    started, tally, worst = time.perf_counter(), Counter[str](), 0.0
    parts = [
        (first, min(CHUNK, options.seed + options.count - first))
        for first in range(options.seed, options.seed + options.count, CHUNK)
    ]
    with ThreadPoolExecutor(options.workers) as pool:
        for lines in pool.map(lambda part: run_process(*part), parts):
            for line in lines:
                state, _, rest = line.partition("\t")
                if state == "!":
                    print("   ", rest, flush=True)
                    continue
                tally[state] += 1
                worst = max(worst, float(rest.split("\t")[1])) if state == "equal" else worst
                if state != "equal":
                    print(state, rest.split("\t")[0], flush=True)
            print(f"{sum(tally.values())} of {options.count}: {dict(tally)}", file=sys.stderr, flush=True)
    alarms = check_right_specs(options.seed, options.count)
    print("\n".join(alarms), end="\n" if alarms else "")
    print(
        f"{tally['equal']} of {options.count} models equal (largest difference {worst:.2g} of an output's scale), "
        f"{tally['refused']} refused, {tally['differs']} differ, {tally['crashed']} crashed; "
        f"{len(alarms)} alarms on {options.count} right specs; {time.perf_counter() - started:.0f} s"
    )
    return 0 if tally["equal"] == options.count and not alarms else 1


if __name__ == "__main__":
    sys.exit(main())
