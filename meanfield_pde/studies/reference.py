"""The paper's experiment from full support: energies against reference values, and orders."""

from __future__ import annotations

import numpy as np

from meanfield_pde.dynamics.birth_death import Balance, Mean, Reinjection
from meanfield_pde.evolution import solve
from meanfield_pde.problem.laws import Law
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import difference_orders, orders, table
from meanfield_pde.timestepping.step_size import Controlled


def run(
    cells: int,
    balance: Balance | None,
    law: Law = paper.FULL_SUPPORT,
    charge_range: float = 6.0,
    t_end: float = 10.0,
) -> Solution:
    """One run to t_end, steps refined with the grid."""
    energy = paper.energy(charge_range)
    return solve(
        paper.equation(energy, balance),
        paper.start(energy, cells, law),
        t_end,
        step=Controlled(tolerance=1e-6 * (64.0 / cells) ** 3),
        record=AtTimes(tuple(t for t in paper.TIMES if t < t_end)),
        save=AtTimes((0.0, 2.0)),
    )


def main(quick: bool = False) -> None:
    """Print the tables."""
    grids = (64, 128, 256) if quick else (64, 128, 256, 512)
    energies = {
        name: [run(n, balance).at("energy", paper.TIMES) for n in grids]
        for name, balance in paper.METHODS.items()
    }
    for name, values in energies.items():
        errors = np.array(values) - np.array(paper.REFERENCE[name])
        rows = [
            [f"{n}^2", *[f"{e:+.2e}" for e in row]] for n, row in zip(grids, errors, strict=True)
        ]
        observed = [orders(list(column)) for column in errors.T]
        for k in range(len(grids) - 1):
            label = f"order {grids[k]}-{grids[k + 1]}"
            rows.append([label, *[f"{column[k]:.2f}" for column in observed]])
        header = ["cells", *[f"t = {t:g}" for t in paper.TIMES]]
        print(table(f"y uniform, {name}: E - reference, |c| <= 6", header, rows))
    _smooth_start(grids)
    _charge_range(grids[-2])
    _reinjection(grids[-2])


def _smooth_start(grids: tuple[int, ...]) -> None:
    rows = []
    for name, balance in paper.METHODS.items():
        values = np.array([run(n, balance, paper.SMOOTH).at("energy", paper.TIMES) for n in grids])
        for n, row in zip(grids, values, strict=True):
            rows.append([name, f"{n}^2", *[f"{e:.8e}" for e in row]])
        for k in range(len(grids) - 2):
            observed = [difference_orders(list(column))[k] for column in values.T]
            rows.append([name, "order", *[f"{order:.2f}" for order in observed]])
    header = ["", "cells", *[f"t = {t:g}" for t in paper.TIMES]]
    print(table("y ~ N(0, 1): E, and its order from successive differences", header, rows))


def _charge_range(cells: int) -> None:
    rows = []
    for name, balance in paper.METHODS.items():
        narrow = run(cells, balance).at("energy", paper.TIMES)
        # The same cell width on |c| <= 8 needs 4/3 of the cells along c; 1/3 more along y too.
        wide = run(cells * 4 // 3, balance, charge_range=8.0).at("energy", paper.TIMES)
        for label, values in ((f"6, {cells}^2", narrow), (f"8, {cells * 4 // 3}^2", wide)):
            error = values - np.array(paper.REFERENCE[name])
            rows.append([name, label, *[f"{e:+.2e}" for e in error]])
    header = ["", "|c| <=", *[f"t = {t:g}" for t in paper.TIMES]]
    print(table("Range of c: E - reference", header, rows))


def _reinjection(cells: int) -> None:
    mean = run(cells, Mean())
    reborn = run(cells, Reinjection(paper.REBORN))
    rows = [
        [
            f"{np.max(np.abs(mean.energy - reborn.energy)):.1e}",
            f"{mean.layout.centres[0].size}^2",
            f"{np.max(np.abs(mean.measure - reborn.measure)) / np.max(mean.measure):.1e}",
            f"{np.max(mean.mean_potential):+.1e}",
        ]
    ]
    header = ["max |E difference|", "cells", "max |density difference| / max", "max <V>"]
    print(table("Reinjection against subtraction of the mean (<V> <= 0: equal)", header, rows))
