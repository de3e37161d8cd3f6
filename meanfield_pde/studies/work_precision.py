"""CPU time against the error of f: the solvers here, and general packages on the same problem.

The paper's experiment, alpha = 5, to t = 5 (`baselines` states it), from y standard normal and from
the paper's own start, y uniform on [-2, 2], whose density jumps. One core; the least CPU seconds of
a few runs each, without import, compilation and set-up of the packages. Each package on a grid with
differences of second order and, where its user would write them, of order 12. Packages that are not
installed are left out (`pip install "meanfield_pde[benchmark]"`). All ladders of sizes, tolerances
and cuts were chosen with the answer known; order 12 in NumPy is two products with dense matrices.
Characteristics give f and a density by the map, the packages a density on their grid.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.evolution import solve
from meanfield_pde.problem.laws import Law
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.grid import FiniteVolumes, Muscl, Reconstruction, Weno5
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import baselines, paper
from meanfield_pde.studies.baselines import Result, Start
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.splitting import Splitting
from meanfield_pde.timestepping.step_size import Controlled
from meanfield_pde.timestepping.unsplit import Unsplit

Array = NDArray[np.float64]

PACKAGES: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("NumPy, order 2", "numpy_ivp", {"order": 2}),
    ("NumPy, order 12", "numpy_ivp", {"order": 12}),
    ("JAX, order 2", "jax_diffrax", {"order": 2}),
    ("JAX, order 12", "jax_diffrax", {"order": 12}),
    ("py-pde, order 2", "py_pde", {}),
)
"""Name, module, and what its `run` is told besides sizes."""

LONGEST = 1.0
"""CPU seconds of a run after which a ladder is climbed no further."""

BEYOND = 0.1
"""How far below the finest error a cost is extrapolated."""

STARTS: dict[Start, Law] = {"normal": paper.SMOOTH, "uniform": paper.FULL_SUPPORT}
TARGETS = (1e-3, 1e-5, 1e-8)
"""Errors at which costs are compared."""

NODES: dict[Start, dict[tuple[int, int], tuple[float, float]]] = {
    "normal": {
        (16, 8): (5.5, 1e-4),
        (20, 10): (5.5, 1e-5),
        (24, 10): (5.5, 1e-5),
        (32, 10): (6.0, 1e-6),
        (40, 12): (6.5, 1e-7),
        (48, 12): (6.5, 1e-8),
        (56, 14): (7.0, 1e-9),
        (64, 16): (7.0, 1e-8),
        (80, 20): (8.0, 1e-9),
    },
    "uniform": {
        (6, 8): (5.5, 1e-3),
        (8, 8): (5.5, 1e-4),
        (10, 10): (5.5, 1e-5),
        (12, 10): (5.5, 1e-6),
        (14, 12): (6.0, 1e-7),
        (16, 12): (6.5, 1e-8),
        (18, 14): (7.0, 1e-9),
        (20, 16): (7.0, 1e-10),
        (24, 20): (7.0, 1e-9),
    },
}
"""Nodes along y and c, their reach in deviations, and the tolerance of the steps."""


@dataclass(frozen=True)
class Curve:
    """A method on its ladder: CPU seconds, errors of f in L2, and nodes or cells along y and c."""

    name: str
    seconds: Array
    errors: Array
    sizes: tuple[tuple[int, int], ...]

    def cost(self, error: float) -> tuple[float, bool]:
        """CPU seconds at an error, along straight lines in logarithms; whether extrapolated.

        Up to ten times below the finest error it is extrapolated as error^(-3 / order), cells in
        two dimensions and steps, with the order observed over the last three of its best runs;
        further down it is nan.
        """
        best = np.minimum.accumulate(self.errors) == self.errors
        errors, seconds = np.log(self.errors[best]), np.log(self.seconds[best])
        wanted = np.log(error)
        if errors[-1] <= wanted <= errors[0]:
            return float(np.exp(np.interp(-wanted, -errors, seconds))), False
        if wanted > errors[0]:
            return float(np.exp(seconds[0])), False
        if error < BEYOND * np.exp(errors[-1]) or errors.size < 3:
            return np.nan, True
        widths = -0.5 * np.log(np.prod(self.sizes, axis=1))[best]
        order = np.polyfit(widths[-3:], errors[-3:], 1)[0]
        return float(np.exp(seconds[-1] - 3.0 / order * (wanted - errors[-1]))), True


@lru_cache(maxsize=2)
def reference(start: Start) -> Array:
    """f at t = 5 by many nodes and small steps."""
    return _characteristics((160, 64), 1e-12, 10.0, start).prediction


def main(quick: bool = False) -> None:
    """Print the tables and draw the figure."""
    from threadpoolctl import threadpool_limits

    os.environ.setdefault(
        "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    )
    import numba

    numba.set_num_threads(1)
    curves: dict[str, list[Curve]] = {}
    with threadpool_limits(limits=1):
        for start in STARTS:
            curves[start] = [curve for curve in _curves(start, quick) if curve is not None]
            _print(start, curves[start])
    from meanfield_pde.plotting import write_figure
    from meanfield_pde.plotting.work_precision import work_precision_figure

    figure = work_precision_figure(curves)
    for form in ("png", "pdf"):
        print("wrote", write_figure(figure, Path("output") / f"work_precision.{form}", form))


def _print(start: Start, curves: list[Curve]) -> None:
    rows = [
        [curve.name, f"{size[0]} x {size[1]}", f"{error:.1e}", f"{seconds:.3g}"]
        for curve in curves
        for size, error, seconds in zip(curve.sizes, curve.errors, curve.seconds, strict=True)
    ]
    title = f"y {start} at first: error of f in L2 at t = 5 and CPU seconds, one core"
    print(table(title, ["method", "nodes or cells", "error", "seconds"], rows))
    _print_ratios(curves)


def _print_ratios(curves: list[Curve]) -> None:
    own = curves[0]
    rows = []
    for curve in curves:
        cells = []
        for error in TARGETS:
            seconds, beyond = curve.cost(error)
            ratio = seconds / own.cost(error)[0]
            told = f"{seconds:.3g} ({ratio:.3g})" + (" *" if beyond else "")
            cells.append(told if np.isfinite(seconds) else "not reached")
        rows.append([curve.name, f"{float(curve.errors.min()):.1e}", *cells])
    header = ["method", "finest", *[f"at {error:g}" for error in TARGETS]]
    title = f"CPU seconds (times those of {own.name}); * extrapolated by less than ten in error"
    print(table(title, header, rows))


def _curves(start: Start, quick: bool) -> Iterator[Curve | None]:
    few = slice(0, 3) if quick else slice(None)
    nodes = NODES[start]

    def along(size: tuple[int, int]) -> Result:
        reach, tolerance = nodes[size]
        return _characteristics(size, tolerance, reach, start)

    yield _curve("characteristics", list(nodes)[few], along, start)
    grids: dict[str, tuple[list[int], Reconstruction, Splitting]] = {
        "MUSCL, unsplit": ([32, 64, 128, 256, 512], Muscl(), Unsplit("ssp3")),
        "WENO5, unsplit": ([32, 64, 96, 128, 192, 256], Weno5(), Unsplit("ssp4")),
    }
    for name, (sizes, reconstruction, splitting) in grids.items():
        run = partial(_finite_volumes, scheme=(reconstruction, splitting), start=start)
        yield _curve(name, [(n, 3 * n // 4) for n in sizes][few], run, start)
    for name, module, told in PACKAGES:
        yield _package(name, module, told, start, few)


def _curve(
    name: str,
    sizes: list[tuple[int, int]],
    run: Callable[[tuple[int, int]], Result],
    start: Start,
) -> Curve:
    run(sizes[0])  # compiles
    return _of(name, [run(size) for size in sizes], start)


def _package(
    name: str, module: str, told: dict[str, int], start: Start, few: slice
) -> Curve | None:
    try:
        package = importlib.import_module(f"meanfield_pde.studies.baselines.{module}")
    except ImportError as missing:
        print(f"{name} is left out: {missing}")
        return None
    ladder = package.SECOND_ORDER if told.get("order") == 2 else package.LADDER
    results: list[Result] = []
    for cells, tolerance in ladder[few]:
        if results and results[-1].cpu_seconds > LONGEST:
            break
        results.append(package.run(cells, tolerance, start=start, **told))
    return _of(name, results, start)


def _of(name: str, results: list[Result], start: Start) -> Curve:
    step = baselines.POINTS[1] - baselines.POINTS[0]
    exact = reference(start)
    errors = [float(np.sqrt(step * np.sum((r.prediction - exact) ** 2))) for r in results]
    seconds = np.array([r.cpu_seconds for r in results])
    return Curve(name, seconds, np.array(errors), tuple(r.cells for r in results))


def _characteristics(
    nodes: tuple[int, int], tolerance: float, reach: float, start: Start
) -> Result:
    energy = paper.energy(charge_range=30.0, location_range=12.0)
    method = Characteristics(nodes, reach=reach, redistribute=None, picture=0)
    mu = method.project(STARTS[start], energy.space)
    return _timed(paper.equation(energy, Mean()), mu, nodes, Controlled(tolerance), None)


def _finite_volumes(
    cells: tuple[int, int], scheme: tuple[Reconstruction, Splitting], start: Start
) -> Result:
    y, c = baselines.HALF_WIDTHS
    reconstruction, splitting = scheme
    energy = paper.energy(charge_range=c, location_range=y)
    mu = FiniteVolumes(cells, reconstruction).project(STARTS[start], energy.space)
    # The estimate of the defect is too large for steps of order 4.
    loose = 100.0 if isinstance(reconstruction, Weno5) else 1.0
    tolerance = loose * 1e-4 * (64.0 / cells[0]) ** 3
    return _timed(paper.equation(energy, Mean()), mu, cells, Controlled(tolerance), splitting)


def _timed(
    equation: Equation,
    mu: object,
    size: tuple[int, int],
    step: Controlled,
    splitting: Splitting | None,
) -> Result:
    def work() -> tuple[Array, int]:
        solution = solve(
            equation,
            mu,  # type: ignore[arg-type]
            baselines.T_END,
            splitting=splitting,
            step=step,
            record=AtTimes(()),
            save=AtTimes(()),
        )
        return solution.prediction[-1], int(solution.steps[-1])

    (prediction, steps), seconds = baselines.timed(work)
    return Result(prediction, seconds, steps, size)
