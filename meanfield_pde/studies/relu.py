"""ReLU on the circle: modes of mu that the loss does not see, and what becomes of them.

The Fourier coefficients of max(0, cos) of odd order m >= 3 vanish, so the prediction and E depend
on a_m = int exp(i m theta) dmu for m = 0, 1 and even m only. The others still act: transport and
birth-death multiply mu by V, and the product of an invisible mode with V is visible.

Where E = 0, mu is positive and has the even part of the teacher sum_k w_k delta(theta_k), so it is
sum_k (w_k - q_k) delta(theta_k) + q_k delta(theta_k + pi) with 0 <= q_k <= w_k, and a_1 requires
sum_k q_k exp(i theta_k) = 0. If the teacher lies in an open half circle, only q = 0 is left and mu
is the teacher, invisible modes included; if not, there is a family of minimisers, and which one is
reached depends on the start and on the dynamics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.landscape import Field
from meanfield_pde.representations.grid import GridMeasure
from meanfield_pde.studies.cases import TRANSPORT_ONLY, Solved, solved
from meanfield_pde.studies.tables import table

ODD = (3, 5, 7)
TEACHERS = {
    "in a half circle": ([0.4, 2.1], [0.6, 0.4]),
    "all around": ([0.4, 2.1, -1.5], [0.4, 0.3, 0.3]),
}
STARTS = {"1": "1", "1 + 0.8 cos 3 theta": "1 + 0.8*cos(3*theta)"}
DYNAMICS = {"gradient descent": [TRANSPORT_ONLY], "birth and death, alpha = 3": []}


def main(quick: bool = False) -> None:
    """Print the tables."""
    cells, t_end = (128, 40.0) if quick else (1024, 640.0)
    for name, (centres, masses) in TEACHERS.items():
        runs = {
            (dynamics, start): _run(cells, t_end, centres, masses, expression, settings)
            for dynamics, settings in DYNAMICS.items()
            for start, expression in STARTS.items()
        }
        if name == next(iter(TEACHERS)):
            _invisible(next(iter(runs.values())))
        teacher = [np.dot(masses, np.exp(1j * m * np.array(centres))) for m in ODD]
        _fate(name, runs, [abs(a) for a in teacher])


def _run(
    cells: int,
    t_end: float,
    centres: list[float],
    masses: list[float],
    expression: str,
    settings: list[str],
) -> Solved:
    times = [10.0 * 4.0**k for k in range(4) if 10.0 * 4.0**k <= t_end]
    return solved(
        "relu_circle",
        f"method.cells={cells}",
        f"time.t_end={t_end}",
        f"output.save={{kind = 'at', values = {times}}}",
        f"target.centres={centres}",
        f"target.masses={masses}",
        f"initial.expression={expression!r}",
        *settings,
    )


def mode(density: NDArray[np.float64], theta: NDArray[np.float64], order: int) -> complex:
    """int exp(i m theta) dmu / mass, of cell averages."""
    return complex(np.sum(density * np.exp(1j * order * theta)) / np.sum(density))


def _changed(run: Solved, order: int) -> tuple[GridMeasure, Field]:
    """The last measure with a mode of a tenth of its mass added, and its field."""
    mu = run.final
    (theta,) = mu.grid.centres
    changed = mu.with_density(mu.density + 0.1 / (2 * np.pi) * np.cos(order * theta))
    return changed, changed.landscape(run.equation.energy).at(changed)


def _invisible(run: Solved) -> None:
    rows = []
    field = run.field
    for order in (1, 2, 3, 4, 5, 6, 7, 8, 9):
        _, changed = _changed(run, order)
        largest = float(np.max(np.abs(changed.prediction - field.prediction)))
        rows.append([str(order), f"{changed.energy - field.energy:+.2e}", f"{largest:.1e}"])
    title = "Adding cos(m theta) / (20 pi) to a density changes E and f by"
    print(table(title, ["m", "E", "largest |f|"], rows))


def _fate(name: str, runs: dict[tuple[str, str], Solved], teacher: list[float]) -> None:
    rows = [["teacher", "", "", "0", *[f"{size:.4f}" for size in teacher]]]
    for (dynamics, start), (solution, _, final) in runs.items():
        (theta,) = final.grid.centres
        for time, density in zip(solution.snapshot_time, solution.measure, strict=True):
            modes = [mode(density, theta, m) for m in ODD]
            rows.append(
                [
                    dynamics,
                    start,
                    f"{time:g}",
                    f"{solution.at('energy', [time])[0]:.6e}",
                    *[f"{abs(a):.4f}" for a in modes],
                ]
            )
    header = ["dynamics", "start", "t", "E", *[f"|a_{m}|" for m in ODD]]
    print(table(f"Invisible modes along a run, teacher {name}", header, rows))
