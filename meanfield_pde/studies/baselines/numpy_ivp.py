"""NumPy and SciPy: central differences on a grid, an explicit Runge-Kutta method of SciPy.

High order: a derivative is one small full matrix, so that any order costs two products of
matrices. Second order, for fine grids: differences of slices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.integrate import DOP853, RK45

from meanfield_pde.errors import NumericalFailure
from meanfield_pde.studies import baselines
from meanfield_pde.studies.baselines import ALPHA, T_END, Array, Grid, Ladder, Result, Start

Rate = Callable[[float, Array], Array]

LADDER: Ladder = (
    ((24, 16), 1e-3),
    ((32, 20), 1e-3),
    ((40, 24), 1e-5),
    ((48, 28), 1e-6),
    ((56, 30), 1e-7),
    ((64, 36), 1e-7),
    ((80, 44), 1e-8),
    ((96, 52), 1e-9),
    ((112, 60), 1e-10),
    ((128, 68), 1e-11),
)
SECOND_ORDER: Ladder = (
    ((64, 48), 1e-5),
    ((128, 96), 1e-5),
    ((256, 192), 1e-5),
    ((512, 384), 1e-5),
    ((1024, 768), 1e-6),
    ((2048, 1536), 1e-6),
)


def run(
    cells: tuple[int, int], tolerance: float, order: int = 12, start: Start = "normal"
) -> Result:
    """The problem by central differences of an even order, zero outside the box."""
    grid = baselines.grid(cells, start, order)
    rate = _slices(grid) if order == 2 else _matrices(grid, order)
    method = RK45 if order == 2 else DOP853

    def integrate() -> tuple[Array, int]:
        solver = method(
            rate, 0.0, grid.density.ravel(), T_END, rtol=tolerance, atol=0.1 * tolerance
        )
        steps = 0
        while solver.status == "running":
            solver.step()
            steps += 1
        if solver.status == "failed":
            raise NumericalFailure(
                f"the step size fell to round-off at t = {solver.t:g}; try a larger tolerance"
            )
        return solver.y.reshape(cells), steps

    (density, steps), seconds = baselines.timed(integrate)
    return Result(grid.prediction(density), seconds, steps, cells)


def _potential(grid: Grid, density: Array) -> tuple[Array, Array, float]:
    """v, v' and the mean of V."""
    charge = density @ grid.charges
    v, slope = np.split(grid.tests @ (grid.features @ charge - grid.target), 2)
    return v, slope, grid.widths[0] * float(v @ charge)


def _matrices(grid: Grid, order: int) -> Rate:
    along_y, along_c = (
        _derivative(centres.size, width, order)
        for centres, width in zip((grid.y, grid.c), grid.widths, strict=True)
    )
    drift_and_reaction = np.ascontiguousarray(along_c.T) - ALPHA * np.diag(grid.c)

    def rate(_: float, state: Array) -> Array:
        density = state.reshape(grid.density.shape)
        v, slope, mean = _potential(grid, density)
        out = (along_y * slope) @ density
        out *= grid.c
        along_charges = density @ drift_and_reaction
        along_charges *= v[:, None]
        out += along_charges
        out += (ALPHA * mean) * density
        return out.ravel()

    return rate


def _derivative(n: int, width: float, order: int) -> Array:
    weights = baselines.central_weights(order) / width
    bands = [g * (np.eye(n, k=k) - np.eye(n, k=-k)) for k, g in enumerate(weights, 1)]
    return np.sum(bands, axis=0)


def _slices(grid: Grid) -> Rate:
    n_y, n_c = grid.density.shape
    half_y, half_c = (0.5 / width for width in grid.widths)
    flux, padded = np.zeros((n_y + 2, n_c)), np.zeros((n_y, n_c + 2))
    along_charges, rest = np.empty((n_y, n_c)), np.empty((n_y, n_c))

    def rate(_: float, state: Array) -> Array:
        density = state.reshape(n_y, n_c)
        v, slope, mean = _potential(grid, density)
        np.multiply(half_y * slope[:, None], density, out=flux[1:-1])
        out = flux[2:] - flux[:-2]
        out *= grid.c
        padded[:, 1:-1] = density
        np.subtract(padded[:, 2:], padded[:, :-2], out=along_charges)
        np.multiply(2.0 * grid.widths[1] * ALPHA * grid.c, density, out=rest)
        np.subtract(along_charges, rest, out=along_charges)
        np.multiply(half_c * v[:, None], along_charges, out=along_charges)
        out += along_charges
        np.multiply(ALPHA * mean, density, out=rest)
        out += rest
        return out.ravel()

    return rate
