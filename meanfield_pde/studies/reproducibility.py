"""The same bits for one thread, two threads, and a repeated run."""

from __future__ import annotations

import hashlib

import numba
import numpy as np

from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.evolution import solve
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import EveryTime
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table


def _digest(solution: Solution) -> str:
    digest = hashlib.sha256()
    for array in (solution.energy, solution.identity_defect, solution.measure):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def main(quick: bool = False) -> None:
    """Print the table."""
    energy = paper.energy()
    cells = 192 if quick else 256
    rows = []
    available = numba.get_num_threads()
    for label, threads in (("first", 1), ("repeated", 1), ("more threads", min(2, available))):
        numba.set_num_threads(threads)
        solution = solve(
            paper.equation(energy, Mean()),
            paper.start(energy, cells),
            2.0,
            record=EveryTime(0.1),
            save=EveryTime(0.5),
        )
        rows.append([label, str(threads), _digest(solution)])
    numba.set_num_threads(available)
    verdict = "equal" if len({row[-1] for row in rows}) == 1 else "DIFFERENT"
    if available == 1:
        verdict += "; only one thread is available, so numbers of threads were not compared"
    title = f"Bits of energies and densities, {cells}^2 cells to t = 2: {verdict}"
    print(table(title, ["run", "threads", "SHA-256"], rows))
