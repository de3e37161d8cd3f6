"""Nanoseconds per cell and step, beside the memory bandwidth measured in the same run.

A step of three stages reads and writes at least: stage 1 the averages and V, writing one array;
stages 2 and 3 two arrays of averages and V, writing one; a written line is fetched first. That is
3 V + 5 averages + 3 * 2 written = 14 numbers, 112 bytes a cell and step (88 if V were free).
WENO reads two slopes of V instead: 17 numbers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

import numba
import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.kernels import finite_volumes as kernel
from meanfield_pde.kernels import weno
from meanfield_pde.kernels.memory import keep_freed_memory
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.features import ChargedAtPoints, Features
from meanfield_pde.problem.landscape import Landscape
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.series import SeriesTable
from meanfield_pde.representations.grid import GridMeasure, Muscl, Reconstruction, Weno5
from meanfield_pde.representations.runge_kutta import SSP3
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table

Array = NDArray[np.float64]

WENO = -1
LIMITERS = {
    "upwind": kernel.UPWIND,
    "none": kernel.UNLIMITED,
    "minmod": kernel.MINMOD,
    "van Leer": kernel.VAN_LEER,
    "monotonized central": kernel.MONOTONIZED_CENTRAL,
    "WENO": WENO,
}
PARTS: tuple[Reconstruction, ...] = (Muscl(), Weno5())


@numba.njit(error_model="numpy")
def _triad(a, b, c):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        c[i] = a[i] + 0.5 * b[i]


def _best(work: Callable[[], object], repeats: int) -> float:
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def bandwidth() -> float:
    """Bytes per second of a triad on arrays that no cache holds, on one core."""
    n = 1 << 25
    a, b, c = np.ones(n), np.ones(n), np.ones(n)
    return 32 * n / _best(lambda: _triad(a, b, c), 5)


def _step(state: tuple[Array, ...], limiter: int, widths: tuple[float, float]) -> None:
    u, first, second, potential, slopes0, slopes1 = state
    dt, walls = 1e-5, (False, False)
    arrays = zip((u, first, second), (first, second, first), SSP3.stages, strict=True)
    for source, out, part in arrays:
        weights = (1.0, part.weight, part.weight * part.step * dt)
        if limiter == WENO:
            scales = (1.0 / widths[0], 1.0 / widths[1])
            weno.stage(u, source, out, slopes0, slopes1, weights, scales, walls)
        else:
            scales = (1.0 / widths[0] ** 2, 1.0 / widths[1] ** 2)
            kernel.stage(u, source, out, potential, weights, scales, walls, limiter)


def kernel_time(cells: int, limiter: int, threads: int, repeats: int) -> float:
    """Seconds per cell and step of three stages."""
    available = numba.get_num_threads()
    numba.set_num_threads(threads)
    y, c = np.linspace(-4.0, 4.0, cells)[:, None], np.linspace(-6.0, 6.0, cells)[None, :]
    u, potential = np.exp(-(y**2) - 0.5 * c**2), 0.1 * np.sin(y) * c
    between_rows = np.linspace(-4.0, 4.0, cells + 1)[:, None]
    slopes = 0.1 * np.cos(between_rows) * c, np.repeat(0.1 * np.sin(y), cells + 1, axis=1)
    arrays = (u, np.empty_like(u), np.empty_like(u), potential, *slopes)
    seconds = _best(lambda: _step(arrays, limiter, (8.0 / cells, 12.0 / cells)), repeats)
    numba.set_num_threads(available)
    return seconds / cells**2


def main(quick: bool = False) -> None:
    """Print the tables."""
    sizes = (256, 512) if quick else (512, 2048)
    before = bandwidth()
    rows = []
    for cells in sizes:
        for name, limiter in LIMITERS.items():
            one = kernel_time(cells, limiter, 1, 3 if quick else 10)
            two = kernel_time(cells, limiter, min(2, numba.get_num_threads()), 10)
            moved = 8 * (17 if limiter == WENO else 14)
            rows.append(
                [
                    f"{cells}^2",
                    name,
                    f"{1e9 * one:.1f}",
                    f"{1e9 * moved / before:.1f}",
                    f"{one * before / moved:.2f}",
                    f"{one / two:.2f}",
                ]
            )
    after = bandwidth()
    header = ["cells", "scheme", "ns", "bound ns", "ratio", "gain of 2 threads"]
    title = (
        f"Transport, 2D, ns per cell and step of three stages on one core; memory "
        f"{1e-9 * before:.1f} GB/s before, {1e-9 * after:.1f} after; load {os.getloadavg()[0]:.2f}"
    )
    print(table(title, header, rows))
    _threads((64, 128, 256) if quick else (32, 64, 128, 192, 256, 384, 512, 1024, 2048))
    keep_freed_memory()
    _parts(sizes[:1])
    _points((10**3, 10**4) if quick else (10**3, 10**4, 10**5, 10**6))


def _threads(sizes: tuple[int, ...]) -> None:
    """One thread and two in turn, so that a busy moment of the machine meets both."""
    rows, most = [], min(2, numba.get_num_threads())
    for cells in sizes:
        repeats = max(5, min(200, 2**22 // cells**2))
        pairs = [
            [kernel_time(cells, kernel.VAN_LEER, n, repeats) for n in (1, most)] for _ in range(5)
        ]
        one, two = (1e9 * min(times) for times in zip(*pairs, strict=True))
        rows.append([f"{cells}^2", f"{one:.2f}", f"{two:.2f}", f"{one / two:.2f}"])
    title = f"Transport, van Leer, ns per cell and step; load {os.getloadavg()[0]:.2f}"
    print(table(title, ["cells", "1 thread", "2 threads", "gain"], rows))


def _points(sizes: tuple[int, ...]) -> None:
    """f, V and grad V at nodes wherever they are: by series, and by the table of all pairs."""
    available = numba.get_num_threads()
    numba.set_num_threads(1)
    energy = paper.energy(points=101)
    rows, seconds = [], []
    for number in sizes:
        points = np.random.default_rng(0).normal(size=(number, 2)).clip(-3.9, 3.9)
        masses = np.full(number, 1.0 / number)
        series = energy.on(PointNodes(points)).features  # type: ignore[attr-defined]
        assert isinstance(series, ChargedAtPoints)
        assert isinstance(series.base, SeriesTable)
        terms = series.base.series.matrix.shape[1]
        residual = energy.data_weights * series.prediction(masses, 1.0)
        seconds.append(_best(partial(_round, energy, points, masses, residual), 5))
        cells = [f"{number}", f"{1e9 * seconds[-1] / number:.1f}", f"{terms}"]
        direct = ""
        if number <= 10**4:
            seconds_by_table = _best(partial(_by_table, series, masses, residual), 3)
            direct = f"{1e9 * seconds_by_table / number:.0f}"
        rows.append([*cells, direct])
    numba.set_num_threads(available)
    exponent = np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2])
    # A polynomial takes three operations a term for the sum, six for V and its slope.
    title = f"f, V and grad V at moving nodes, ns a node, one core; last exponent {exponent:.2f}"
    print(table(title, ["nodes", "series", "terms", "101 exponentials a node"], rows))


def _round(energy: Energy, points: Array, masses: Array, residual: Array) -> None:
    _all(energy.on(PointNodes(points)).features, masses, residual)  # type: ignore[attr-defined]


def _by_table(series: ChargedAtPoints, masses: Array, residual: Array) -> None:
    assert isinstance(series.base, SeriesTable)
    # A new table: nodes that have moved need new exponentials.
    _all(replace(series, base=replace(series.base.table)), masses, residual)


def _all(features: Features, masses: Array, residual: Array) -> None:
    features.prediction(masses, 1.0)
    features.potential(residual)
    for k in range(2):
        features.slope(k, residual)


def _potential(landscape: Landscape, mu: GridMeasure) -> Array:
    return landscape.at(mu).potential


def _dissipation(equation: Equation, landscape: Landscape, mu: GridMeasure) -> object:
    return equation.dissipation(mu, landscape.at(mu), 0.0)


def _parts(sizes: tuple[int, ...]) -> None:
    """Where the time of a whole step goes."""
    rows = []
    available = numba.get_num_threads()
    numba.set_num_threads(1)
    for cells, scheme in product(sizes, PARTS):
        energy = paper.energy()
        equation = paper.equation(energy, Mean())
        mu = paper.start(energy, cells, reconstruction=scheme)
        landscape = mu.landscape(energy)
        field = landscape.at(mu)
        transport, birth_death = equation.transport, equation.birth_death
        assert transport is not None
        assert birth_death is not None
        parts: dict[str, Callable[[], object]] = {
            "V, once": partial(_potential, landscape, mu),
            "transport, one step": partial(transport.flow, mu, landscape, 0.0, 1e-4),
            "birth-death, one step": partial(birth_death.flow, mu, landscape, 0.0, 1e-4),
            "error estimate": partial(equation.image_rate, mu, field, landscape, 0.0),
            "dissipation": partial(_dissipation, equation, landscape, mu),
        }
        for name, work in parts.items():
            nanoseconds = 1e9 * _best(work, 10) / cells**2
            rows.append([f"{cells}^2", scheme.kind, name, f"{nanoseconds:.1f}"])
    numba.set_num_threads(available)
    header = ["cells", "scheme", "part", "ns per cell"]
    print(table("Parts of a step, charged units, one core", header, rows))
