"""py-pde: its compiled second-order operators and its adaptive Runge-Kutta-Fehlberg solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pde import CartesianGrid, PDEBase, ScalarField
from pde.backends import get_backend
from pde.solvers import RungeKuttaSolver

from meanfield_pde.studies import baselines
from meanfield_pde.studies.baselines import ALPHA, T_END, Array, Grid, Ladder, Result, Start

LADDER: Ladder = (
    ((64, 48), 1e-3),
    ((128, 96), 1e-4),
    ((256, 192), 3e-6),
    ((512, 384), 1e-6),
    ((1024, 768), 1e-7),
    ((2048, 1536), 1e-7),
)

WALLS = {"value": 0.0}
FIRST_STEP = 0.05


class MeanField(PDEBase):
    """The equation; y and c are the axes x and y of py-pde."""

    explicit_time_dependence = False

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid

    def evolution_rate(self, state: ScalarField, t: float = 0.0) -> ScalarField:
        """d_t rho."""
        rate = self.make_evolution_rate(state, get_backend("numba"))
        return ScalarField(state.grid, rate(state.data, t))

    def make_evolution_rate(
        self, state: ScalarField, backend: Any
    ) -> Callable[[Array, float], Array]:
        """d_t rho, as a function that py-pde compiles into its stepper."""
        along_y, along_c = (
            state.grid.make_operator(name, bc=WALLS, backend=backend) for name in ("d_dx", "d_dy")
        )
        c, charges, width_y = self.grid.c, self.grid.charges, self.grid.widths[0]
        features, target, tests = self.grid.features, self.grid.target, self.grid.tests
        n_y, n_c = self.grid.density.shape

        def rate(density: Array, t: float = 0.0) -> Array:
            charge = np.zeros(n_y)
            for i in range(n_y):
                for j in range(n_c):
                    charge[i] += density[i, j] * charges[j]
            potential = tests @ (features @ charge - target)
            mean = width_y * (potential[:n_y] @ charge)
            out = along_y(potential[n_y:].reshape(n_y, 1) * density)
            slope_c = along_c(density)
            for i in range(n_y):
                v = potential[i]
                for j in range(n_c):
                    reaction = ALPHA * (c[j] * v - mean) * density[i, j]
                    out[i, j] = c[j] * out[i, j] + v * slope_c[i, j] - reaction
            return out

        return rate


def run(cells: tuple[int, int], tolerance: float, start: Start = "normal") -> Result:
    """The problem by second-order differences, zero at the walls of the box."""
    grid = baselines.grid(cells, start)
    half_y, half_c = baselines.HALF_WIDTHS
    initial = ScalarField(
        CartesianGrid([(-half_y, half_y), (-half_c, half_c)], cells), data=grid.density
    )
    solver = RungeKuttaSolver(MeanField(grid), backend="numba", adaptive=True, tolerance=tolerance)
    stepper = solver.make_stepper(initial, dt=FIRST_STEP)

    def integrate() -> tuple[Array, int]:
        state = initial.copy()
        solver.info |= {"dt": FIRST_STEP, "steps": 0}
        stepper(state, 0.0, T_END)
        return np.asarray(state.data), solver.info["steps"]

    (density, steps), seconds = baselines.timed(integrate)
    return Result(grid.prediction(density), seconds, steps, cells)
