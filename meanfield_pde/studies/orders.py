"""Exact problems: observed orders in space and in time, with magnitudes, in one table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import BirthDeath, Free, Mean
from meanfield_pde.dynamics.equation import Equation, Term
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy, PotentialEnergy
from meanfield_pde.problem.exact import CircleBirthDeath, CircleFamily, QuadraticGaussian
from meanfield_pde.problem.potentials import CosineWell, Quadratic
from meanfield_pde.problem.spaces import Box, Circle, Interval
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Cosine
from meanfield_pde.representations.grid import (
    Grid,
    GridMeasure,
    Muscl,
    Reconstruction,
    Upwind,
    Weno5,
)
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.exact import ExactSolution, on_circle, on_line
from meanfield_pde.studies.tables import orders, table
from meanfield_pde.timestepping.splitting import Lie, Splitting, Strang
from meanfield_pde.timestepping.step_size import Fixed
from meanfield_pde.timestepping.unsplit import Unsplit

Array = NDArray[np.float64]

SCHEMES: dict[str, tuple[Reconstruction, Splitting]] = {
    "upwind": (Upwind(), Strang()),
    "MUSCL, van Leer": (Muscl(), Strang()),
    "MUSCL, no limiter": (Muscl("none"), Strang()),
    "WENO, unsplit": (Weno5(), Unsplit("ssp4")),
}
WITHOUT_TRANSPORT = {
    "upwind, MUSCL": SCHEMES["upwind"],
    "WENO, unsplit": SCHEMES["WENO, unsplit"],
}


@dataclass(frozen=True)
class ExactProblem:
    """An equation with a known solution."""

    name: str
    equation: Equation
    exact: ExactSolution
    t_end: float
    cells: tuple[int, ...]
    steps: int

    def start(self, cells: int, reconstruction: Reconstruction) -> GridMeasure:
        """The exact initial cell averages."""
        axes = self.equation.energy.space.axes
        grid = Grid(axes, (cells,) * len(axes))
        return GridMeasure(grid, self.exact.averages(0.0, grid), reconstruction)

    def solve(
        self, cells: int, steps: int, reconstruction: Reconstruction, splitting: Splitting
    ) -> Solution:
        """Equal steps to t_end."""
        return solve(
            self.equation,
            self.start(cells, reconstruction),
            self.t_end,
            splitting=splitting,
            step=Fixed(self.t_end / steps),
            record=AtTimes(()),
            save=AtTimes(()),
        )

    def error(self, solution: Solution, cells: int) -> float:
        """L1 error of the cell averages at t_end."""
        axes = self.equation.energy.space.axes
        grid = Grid(axes, (cells,) * len(axes))
        exact = self.exact.averages(self.t_end, grid)
        return float(np.abs(solution.measure[-1] - exact).sum() * grid.volume)


def _gaussian(name: str, matrix: Any, mean: Any, covariance: Any, **sizes: Any) -> ExactProblem:
    half = 6.0
    space = Interval(-half, half) if len(mean) == 1 else Box((-half,) * 2, (half,) * 2)
    terms: list[Term] = [BirthDeath(1.5, Mean()), Transport()]
    equation = Equation(PotentialEnergy(Quadratic(matrix), space), terms)
    exact = QuadraticGaussian(matrix, mean, covariance, alpha=1.5)
    return ExactProblem(name, equation, on_line(exact, space.axes, free=False), **sizes)


def _circle(name: str, alpha: float, coupling: float, free: bool, **sizes: Any) -> ExactProblem:
    space = Circle()
    energy: Energy | PotentialEnergy = PotentialEnergy(CosineWell(), space)
    if coupling > 0.0:
        unit, target = Cosine(coupling), Teacher((0.0,), (1.0 / coupling,))
        energy = Energy(unit, target, UniformCircle(8), space)
    birth_death = BirthDeath(alpha, Free() if free else Mean())
    terms: list[Term] = [birth_death, Transport()] if alpha > 0.0 else [Transport()]
    exact = on_circle(CircleFamily(alpha, 1.0, coupling), free)
    return ExactProblem(name, Equation(energy, terms), exact, **sizes)


def problems() -> list[ExactProblem]:
    """The problems of the table."""
    line: dict[str, Any] = {"cells": (64, 128, 256, 512, 1024), "t_end": 1.0, "steps": 100}
    circle: dict[str, Any] = {"cells": (64, 128, 256, 512, 1024), "t_end": 1.5, "steps": 60}
    plane: dict[str, Any] = {"cells": (32, 64, 128, 256), "t_end": 0.5, "steps": 40}
    oblique = ((1.0, 0.4), (0.4, 0.6))
    pure = Equation(PotentialEnergy(CosineWell(), Circle()), [BirthDeath(2.0)])
    return [
        _gaussian("quadratic, 1D", ((1.0,),), (0.8,), ((0.5,),), **line),
        _gaussian(
            "quadratic, 2D", oblique, (0.6, -0.5), ((0.6, 0.1), (0.1, 0.4)), **plane
        ),
        _circle("circle, free mass", 1.0, 0.0, True, **circle),
        _circle("circle, interacting, alpha = 0", 0.0, 0.8, False, **circle),
        _circle("circle, interacting, alpha = 1", 1.0, 0.8, False, **circle),
        _circle("circle, interacting, alpha = 1.7", 1.7, 0.8, False, **circle),
        ExactProblem(
            "circle, birth-death alone",
            pure,
            on_circle(CircleBirthDeath(2.0), free=False),
            **circle,
        ),
    ]  # fmt: skip


def space_errors(
    problem: ExactProblem, reconstruction: Reconstruction, splitting: Splitting, quick: bool
) -> tuple[list[float], Solution]:
    """L1 errors over halved cells, dt proportional to the cell width, and the last solution."""
    errors = []
    grids = problem.cells[:-1] if quick else problem.cells
    for cells in grids:
        steps = problem.steps * cells // problem.cells[0]
        solution = problem.solve(cells, steps, reconstruction, splitting)
        errors.append(problem.error(solution, cells))
    return errors, solution


def time_errors(problem: ExactProblem, splitting: Splitting) -> list[float]:
    """L1 errors over halved steps on one grid, without a limiter, against much shorter steps."""
    cells = problem.cells[0] // 2
    scheme = Muscl("none")
    steps = [problem.steps // 2 * 2**k for k in range(4)]
    best = problem.solve(cells, steps[-1] * 16, scheme, Strang()).measure[-1]
    axes = problem.equation.energy.space.axes
    volume = Grid(axes, (cells,) * len(axes)).volume
    return [
        float(np.abs(problem.solve(cells, n, scheme, splitting).measure[-1] - best).sum() * volume)
        for n in steps
    ]


def main(quick: bool = False) -> None:
    """Print the table."""
    rows = []
    for problem in problems():
        transported = problem.equation.transport is not None
        for label, scheme in (SCHEMES if transported else WITHOUT_TRANSPORT).items():
            errors, solution = space_errors(problem, *scheme, quick)
            energy = abs(solution.energy[-1] - problem.exact.energy(problem.t_end))
            mass = abs(solution.mass[-1] - problem.exact.mass(problem.t_end))
            rows.append(_row(problem.name, label, errors, f"{energy:.1e}", f"{mass:.1e}"))
        both = len(problem.equation.terms) == 2
        for splitting in (Lie(), Strang()) if both else ():
            label = f"{splitting.kind}, in time"
            rows.append(_row(problem.name, label, time_errors(problem, splitting), "", ""))
    header = ["problem", "scheme", "coarsest", "finest", "orders", "E error", "mass error"]
    print(table("L1 errors of cell averages and observed orders", header, rows))


def _row(name: str, label: str, errors: list[float], energy: str, mass: str) -> list[str]:
    observed = " ".join(f"{order:.2f}" for order in orders(errors))
    assert all(math.isfinite(error) for error in errors)
    return [name, label, f"{errors[0]:.2e}", f"{errors[-1]:.2e}", observed, energy, mass]
