"""What splitting changes: every scheme with every splitting, and split against unsplit steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from meanfield_pde.dynamics.birth_death import BirthDeath, Mean
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import VonMises
from meanfield_pde.representations.grid import (
    FiniteVolumes,
    GridMeasure,
    Muscl,
    Reconstruction,
    Upwind,
    Weno5,
)
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.orders import problems, space_errors
from meanfield_pde.studies.tables import orders, table
from meanfield_pde.timestepping.splitting import Lie, Splitting, Strang
from meanfield_pde.timestepping.step_size import Fixed
from meanfield_pde.timestepping.unsplit import Unsplit

PROBLEMS = ("quadratic, 2D", "circle, interacting, alpha = 1")
SCHEMES: dict[str, Reconstruction] = {
    "upwind": Upwind(),
    "MUSCL, van Leer": Muscl(),
    "MUSCL, no limiter": Muscl("none"),
    "WENO": Weno5(),
}
SPLITTINGS: tuple[Splitting, ...] = (Lie(), Strang(), Unsplit("ssp3"), Unsplit("ssp4"))


@dataclass(frozen=True)
class Run:
    """An equation from a start to t_end in equal steps of several lengths."""

    name: str
    equation: Equation
    start: GridMeasure
    t_end: float
    steps: tuple[int, ...]

    def solve(self, splitting: Splitting, steps: int) -> Solution:
        """With one splitting and number of steps."""
        return solve(
            self.equation,
            self.start,
            self.t_end,
            splitting=splitting,
            step=Fixed(self.t_end / steps),
            record=AtTimes(()),
            save=AtTimes(()),
        )


def circle(cells: int, steps: tuple[int, ...]) -> Run:
    """Three von Mises units on the circle, alpha = 5: the example of the README."""
    energy = Energy(
        unit=VonMises(2.0),
        target=Teacher((1.0, 2.5, 4.5), (0.5, 0.2, 0.3)),
        data=UniformCircle(64),
        space=Circle(),
    )
    equation = Equation(energy, [BirthDeath(5.0), Transport()])
    start = FiniteVolumes(cells, Muscl("none")).project(Uniform(), energy.space)
    return Run("three units on a circle", equation, start, 1.0, steps)


def mixture(cells: int, steps: tuple[int, ...]) -> Run:
    """The paper's experiment from full support, alpha = 5."""
    energy = paper.energy()
    start = paper.start(energy, cells, reconstruction=Muscl("none"))
    return Run("paper, full support", paper.equation(energy, Mean()), start, 2.0, steps)


def differences(run: Run, splitting: Splitting) -> tuple[list[float], list[float]]:
    """Of E and of the density in L1 between split and unsplit steps, one entry a length."""
    energies, densities = [], []
    for steps in run.steps:
        split, unsplit = run.solve(splitting, steps), run.solve(Unsplit("ssp4"), steps)
        energies.append(float(split.energy[-1] - unsplit.energy[-1]))
        difference = np.abs(split.measure[-1] - unsplit.measure[-1]).sum()
        densities.append(float(difference) * run.start.weight)
    return energies, densities


def main(quick: bool = False) -> None:
    """Print the table."""
    cells, steps = (64, (50, 100, 200)) if quick else (128, (100, 200, 400, 800))
    rows = []
    for run in (mixture(cells, steps), circle(cells, steps)):
        for splitting in (Lie(), Strang()):
            energies, densities = differences(run, splitting)
            observed = zip(orders(energies), orders(densities), strict=True)
            both = [("", ""), *[(f"{e:.2f}", f"{d:.2f}") for e, d in observed]]
            each = zip(run.steps, energies, densities, both, strict=True)
            for number, energy, density, (first, second) in each:
                row = [run.name, splitting.kind, f"{run.t_end / number:g}"]
                rows.append([*row, f"{energy:+.2e}", first, f"{density:.2e}", second])
    header = ["problem", "splitting", "dt", "E - E unsplit", "order", "L1 of densities", "order"]
    print(table("Split against unsplit steps of the same length, no limiter", header, rows))
    _all_pairs(quick)


def _all_pairs(quick: bool) -> None:
    """Exact problems with the same grids and steps for every pair of scheme and splitting."""
    rows = []
    # Unsplit steps of the third order must be shorter to keep averages positive.
    chosen = [replace(p, steps=2 * p.steps) for p in problems() if p.name in PROBLEMS]
    for problem in chosen:
        for name, scheme in SCHEMES.items():
            row = [problem.name, name]
            for splitting in SPLITTINGS:
                errors, _ = space_errors(problem, scheme, splitting, quick)
                row += [f"{errors[-1]:.1e}", f"{orders(errors)[-1]:.2f}"]
            rows.append(row)
    names = [f"unsplit {s.method}" if isinstance(s, Unsplit) else s.kind for s in SPLITTINGS]
    header = ["problem", "scheme", *[part for name in names for part in (name, "order")]]
    print(table("L1 errors on the finest grid and last orders, dt ~ cell width", header, rows))
