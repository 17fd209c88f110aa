"""Time and peak memory of fits at the extremes of size, each in a process of its own: ``python benchmarks/large.py``.

With the directory of another version of the package, ``--before DIRECTORY``, the same fits are made there too, and
ratios printed. ``--million`` adds a million rows.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

from sem import in_points, simulated, with_gaps

import psm_analysis as psm

ROOT = Path(__file__).resolve().parents[1]
CASES = {
    "WLSMV, 16 five-point items, N = 100,000": (4, 4, 100_000, {"ordered": True}),
    "GLS, 120 items, N = 1,000": (12, 10, 1_000, {"estimator": "GLS"}),
    "ULS, 120 items, N = 1,000": (12, 10, 1_000, {"estimator": "ULS"}),
    "FIML, 60 items, 15 % missing, N = 1,000": (6, 10, 1_000, {"missing": "fiml"}),
}
MILLION = {"WLSMV, 16 five-point items, N = 1,000,000": (4, 4, 1_000_000, {"ordered": True})}


def fit_one(name: str) -> None:
    """Fit one case and print its seconds of CPU and megabytes at the peak."""
    warnings.simplefilter("ignore")
    k, size, n, options = (CASES | MILLION)[name]
    model, data = simulated(k, size, n=n)
    data = in_points(data) if "ordered" in options else with_gaps(data, 0.15) if "missing" in options else data
    psm.cfa("f =~ i1 + i2 + i3", data[:300], **options)  # imports are not timed
    start = time.process_time()
    psm.cfa(model, data, **options).tidy()
    print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measured(name: str, package: Path) -> tuple[float, float]:
    """Return seconds and megabytes of one case with the package in a directory."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(package), str(ROOT / "benchmarks")])}
    command = [sys.executable, str(Path(__file__).resolve()), "--one", name]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=package)
    seconds, megabytes = map(float, out.stdout.split())
    return seconds, megabytes


def main() -> None:
    if "--one" in sys.argv:
        return fit_one(sys.argv[sys.argv.index("--one") + 1])
    before = Path(sys.argv[sys.argv.index("--before") + 1]).resolve() if "--before" in sys.argv else None
    for name in CASES | (MILLION if "--million" in sys.argv else {}):
        seconds, megabytes = measured(name, ROOT)
        line = f"{name:45} {seconds:8.2f} s {megabytes:8.0f} MB"
        if before:
            old_seconds, old_megabytes = measured(name, before)
            line += (
                f"   before: {old_seconds / seconds:6.1f} times the time, {old_megabytes / megabytes:5.1f} the memory"
            )
        print(line, flush=True)
    return None


if __name__ == "__main__":
    main()
