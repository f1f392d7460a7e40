"""Run the benchmarks, print the ratios to the plain baselines and write them as JSON.

    python tests/benchmarks/run.py [MODULE...] [--output results/bench.json]

Without modules all of this directory run. `rows.py` says what a benchmark is.
"""

import argparse
import dataclasses
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

import torch

HERE = Path(__file__).parent
SERVICE = {"run", "rows"}


def main() -> None:
    """Run the modules that the command line names."""
    stems = {path.stem for path in HERE.glob("*.py") if not path.stem.startswith("test_")}
    known = sorted(stems - SERVICE)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"some of: {', '.join(known)}")
    parser.add_argument("--output", type=Path, default=Path("results/bench.json"))
    options = parser.parse_args()
    unknown = sorted(set(options.modules) - set(known))
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(known)}")

    results = []
    print(f"{'what':<44} {'ours':>12} {'plain':>12}  {'ratio':>6}  the plain way", flush=True)
    for name in options.modules or known:
        start = time.perf_counter()
        for row in importlib.import_module(name).run():
            results.append({"benchmark": name, **dataclasses.asdict(row), "ratio": row.ratio})
            print(line(row), flush=True)
        print(f"  {name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({"machine": machine(), "rows": results}, indent=1) + "\n")
    print(f"written to {options.output}")


def line(row) -> str:
    """One line of the table."""
    plain = ratio = ""
    if row.baseline:
        plain, ratio = f"{row.baseline:.4g} ", f"{row.ratio:.2f}"
    ours = f"{row.value:.4g} {row.unit}"
    return f"{row.name:<44} {ours:>12} {plain:>12}  {ratio:>6}  {row.baseline_name}"


def machine() -> dict:
    """What the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


if __name__ == "__main__":
    main()
