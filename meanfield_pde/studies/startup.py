"""Seconds that a user waits: `--help`, and quickstart with a cold and a warm kernel cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from meanfield_pde.results.hdf5 import read
from meanfield_pde.studies.tables import table

CASE = Path("cases/quickstart.toml")


def _seconds(arguments: list[str], cache: str) -> float:
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "meanfield_pde", *arguments],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def _in_steps(folder: str) -> float:
    """Seconds that the runs in a folder spent on their steps."""
    attributes = [read(path).attributes for path in Path(folder).glob("*.h5")]
    return sum(v for a in attributes for k, v in a.items() if k.startswith("seconds "))


def main(quick: bool = False) -> None:
    """Print the table; run it where cases/ is."""
    with tempfile.TemporaryDirectory() as folder:
        cache = str(Path(folder) / "cache")
        rows = [["--help", f"{_seconds(['--help'], cache):.2f}", ""]]
        for label in ("quickstart, cold cache", "quickstart, again"):
            seconds = _seconds(["run", str(CASE), "--output", folder], cache)
            rows.append([label, f"{seconds:.2f}", f"{seconds - _in_steps(folder):.2f}"])
    load = os.getloadavg()[0]
    print(table(f"Seconds to wait; load {load:.2f}", ["", "in all", "outside the steps"], rows))
