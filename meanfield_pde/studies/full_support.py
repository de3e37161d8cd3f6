"""The paper's experiment from full support, along characteristics: how errors fall with nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Balance
from meanfield_pde.evolution import solve
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

TIMES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)

LADDER = (12, 16, 20, 24, 32, 40, 48, 64)
"""Nodes along each parameter."""

FINEST = (96, 128)

VARIED: dict[str, dict[str, object]] = {
    "nodes 48 x 64": {"nodes": (48, 64)},
    "nodes 64 x 96, reach 11": {"nodes": (64, 96), "reach": 11.0},
    "steps: tolerance 1e-11": {"nodes": (48, 64), "tolerance": 1e-11},
    "data: 161 points": {"nodes": (48, 64), "points": 161},
    "nodes 96 x 128": {"nodes": (96, 128)},
}
"""What is varied, one thing or two at a time."""


def run(
    balance: Balance | None,
    t_end: float,
    nodes: int | tuple[int, int],
    reach: float = 9.0,
    tolerance: float = 1e-10,
    points: int = 101,
    redistribute: float | None = 1e-6,
) -> Solution:
    """On a plane whose walls no neuron reaches."""
    energy = paper.energy(charge_range=40.0, location_range=10.0, points=points)
    method = Characteristics(nodes, reach=reach, redistribute=redistribute, picture=0)
    return solve(
        paper.equation(energy, balance),
        method.project(paper.FULL_SUPPORT, energy.space),
        t_end,
        step=Controlled(tolerance),
        record=AtTimes(tuple(t for t in TIMES if t < t_end)),
        save=AtTimes(()),
    )


def main(quick: bool = False) -> None:
    """Print the tables."""
    for name, balance in paper.METHODS.items():
        _decay(name, balance, 2.0 if quick else 5.0)
        _values(name, balance, 5.0 if quick else 30.0)


def _decay(name: str, balance: Balance | None, t_end: float) -> None:
    """Nodes that stay as many as they are."""
    best = run(balance, t_end, FINEST, redistribute=None).energy
    rows = []
    for nodes in LADDER:
        solution = run(balance, t_end, nodes, redistribute=None)
        errors = np.abs(solution.energy - best)[1:]
        tail = f"{solution.unresolved[-1]:.1e}"
        rows.append([f"{nodes}^2", *[f"{error:.1e}" for error in errors], tail])
    times = [f"t = {t:g}" for t in solution.time[1:]]
    title = f"{name}: error of E against nodes (finest {FINEST[0]} x {FINEST[1]})"
    print(table(title, ["nodes", *times, "tail"], rows))


def _values(name: str, balance: Balance | None, t_end: float) -> None:
    """E, and how far apart the runs are that differ in one thing or two."""
    runs = {label: run(balance, t_end, **changes) for label, changes in VARIED.items()}  # type: ignore[arg-type]
    energies = np.array([solution.energy[1:] for solution in runs.values()])
    rows = [
        [label, *[f"{value:.9e}" for value in row], f"{len(solution.nodes[-1])}"]
        for (label, solution), row in zip(runs.items(), energies, strict=True)
    ]
    rows.append(["largest difference", *[f"{value:.0e}" for value in np.ptp(energies, axis=0)], ""])
    times = [f"t = {t:g}" for t in next(iter(runs.values())).time[1:]]
    print(table(f"{name}: E along characteristics", ["varied", *times, "nodes at the end"], rows))
