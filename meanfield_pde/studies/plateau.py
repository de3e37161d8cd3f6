"""The paper's bad initialisation on grids: does birth and death leave the plateau, and when?

The start, y ~ N(-2, 0.1^2), has tails of exp(-hundreds) where the third unit is needed; birth and
death amplify them, and a grid adds a tail of its own. This prints what a grid says, and what its
answer depends on; cells are twice as long along c as along y.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Balance, Mean, Reinjection
from meanfield_pde.evolution import solve
from meanfield_pde.representations.grid import Muscl, Reconstruction, Upwind
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

LEVEL = 0.007


def first_below(time: Array, energy: Array) -> float:
    """When E first falls below `LEVEL` (linear between records); infinite if it does not."""
    below = np.flatnonzero(energy < LEVEL)
    if below.size == 0:
        return math.inf
    k = int(below[0])
    if k == 0:
        return float(time[0])
    share = (energy[k - 1] - LEVEL) / (energy[k - 1] - energy[k])
    return float(time[k - 1] + share * (time[k] - time[k - 1]))


def leaving_time(solution: Solution) -> float:
    """When a run leaves the plateau."""
    return first_below(solution.time, solution.energy)


def run(
    cells: int,
    balance: Balance | None,
    reconstruction: Reconstruction,
    charge_range: float = 8.0,
    tolerance: float = 1e-6,
) -> Solution:
    """One run to t = 100; cells of the same size whatever the range of c."""
    energy = paper.energy(charge_range)
    return solve(
        paper.equation(energy, balance),
        paper.start(
            energy,
            (cells, round(cells * charge_range / 8.0)),
            paper.BAD_INITIALISATION,
            reconstruction,
        ),
        100.0,
        step=Controlled(tolerance=tolerance),
        record=EveryTime(0.25),
        save=AtTimes(()),
    )


def main(quick: bool = False) -> None:
    """Print the table."""
    grids = (64, 128) if quick else (128, 192, 256)
    middle = grids[len(grids) // 2]
    van_leer = Muscl()
    runs: list[tuple[str, int, Balance | None, Reconstruction, float, float]] = [
        *[("gradient descent", n, None, van_leer, 8.0, 1e-6) for n in grids[:1]],
        *[("birth-death", n, Mean(), van_leer, 8.0, 1e-6) for n in grids],
        ("birth-death", middle, Mean(), Muscl("minmod"), 8.0, 1e-6),
        ("birth-death", middle, Mean(), Muscl("monotonized_central"), 8.0, 1e-6),
        ("birth-death", middle, Mean(), Upwind(), 8.0, 1e-6),
        *[("birth-death", grids[0], Mean(), van_leer, c, 1e-6) for c in (6.0, 10.0, 12.0)],
        ("birth-death", middle, Mean(), van_leer, 8.0, 1e-7),
        ("with reinjection", grids[0], Reinjection(paper.REBORN), van_leer, 8.0, 1e-6),
        ("with reinjection", middle, Reinjection(paper.REBORN), van_leer, 8.0, 1e-6),
    ]
    rows = []
    for name, cells, balance, scheme, charges, tolerance in runs:
        solution = run(cells, balance, scheme, charges, tolerance)
        limiter = scheme.limiter if isinstance(scheme, Muscl) else "upwind"
        energies = [f"{e:.4e}" for e in solution.at("energy", (5.0, 20.0, 40.0, 100.0))]
        leaves = leaving_time(solution)
        left = "never" if math.isinf(leaves) else f"{leaves:.2f}"
        walls = solution.wall_mass[
            min(int(np.searchsorted(solution.time, leaves)), solution.time.size - 1)
        ]
        numerics = [f"{8 / cells:.4f}", limiter, f"{charges:g}", f"{tolerance:g}"]
        rows.append([name, *numerics, *energies, left, f"{walls:.1e}"])
    header = ["", "h_y", "limiter", "|c| <=", "tolerance", "E(5)", "E(20)", "E(40)", "E(100)"]
    title = f"Bad initialisation to t = 100: when E falls below {LEVEL}, and what that depends on"
    print(table(title, [*header, "leaves at", "mass at walls then"], rows))
