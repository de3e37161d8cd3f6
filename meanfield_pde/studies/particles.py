"""Particles against the grid: the mean of independent runs within its standard error."""

from __future__ import annotations

import numpy as np

from meanfield_pde.dynamics.birth_death import Balance
from meanfield_pde.evolution import solve
from meanfield_pde.representations.particles import Particles
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.reference import run
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.splitting import Lie
from meanfield_pde.timestepping.step_size import Fixed

TIMES = (1.0, 2.0, 5.0)


def energies(number: int, seeds: int, balance: Balance | None, dt: float = 0.01) -> np.ndarray:
    """E of independent particle runs at `TIMES`, (seeds, times)."""
    energy = paper.energy()
    equation = paper.equation(energy, balance)
    results = []
    for seed in range(seeds):
        solution = solve(
            equation,
            Particles(number, dt, seed).project(paper.FULL_SUPPORT, energy.space),
            TIMES[-1],
            splitting=Lie(),
            step=Fixed(dt),
            record=AtTimes(TIMES),
            save=AtTimes(()),
        )
        results.append(solution.at("energy", TIMES))
    return np.array(results)


def main(quick: bool = False) -> None:
    """Print the table."""
    number, seeds = (2_000, 5) if quick else (10_000, 20)
    rows = []
    for name, balance in paper.METHODS.items():
        grid = run(128 if quick else 256, balance, t_end=TIMES[-1]).at("energy", TIMES)
        sample = energies(number, seeds, balance)
        means = sample.mean(axis=0)
        errors = sample.std(axis=0, ddof=1) / np.sqrt(seeds)
        for time, e, m, s in zip(TIMES, grid, means, errors, strict=True):
            rows.append(
                [name, f"{time:g}", f"{e:.6e}", f"{m:.6e}", f"{s:.1e}", f"{(m - e) / s:+.2f}"]
            )
    header = ["", "t", "E, grid", "E, particles", "standard error", "difference / s.e."]
    print(table(f"{number} particles, mean of {seeds} seeds, against the grid", header, rows))
