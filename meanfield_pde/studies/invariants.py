"""What the scheme must keep: mass, positivity, the decay and the identity of the energy."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.evolution import evolve, solve
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import orders, table
from meanfield_pde.timestepping.step_size import STABILITY_LIMIT, Controlled, Fixed


def main(quick: bool = False) -> None:
    """Print the tables."""
    _mass(1_000 if quick else 10_000)
    _energy_decay(64 if quick else 128)
    _identity((32, 64, 128) if quick else (32, 64, 128, 256))


def _mass(steps: int) -> None:
    energy = paper.energy()
    dt = 0.01
    rows = []
    for name, balance in paper.METHODS.items():
        solution = solve(
            paper.equation(energy, balance),
            paper.start(energy, 64),
            steps * dt,
            step=Fixed(dt),
            record=EveryTime(steps * dt / 100),
            save=AtTimes(()),
        )
        rows.append(
            [
                name,
                str(int(solution.steps[-1])),
                f"{np.max(np.abs(solution.mass - 1.0)):.1e}",
                f"{solution.mass_drift[-1]:.1e}" if balance else "never scaled",
                f"{np.min(solution.smallest_density):.1e}",
            ]
        )
    header = ["", "steps", "max |mass - 1|", "drift before scaling, a step", "smallest average"]
    print(table(f"Mass and positivity, MUSCL, 64^2 cells, dt = {dt}", header, rows))


def _energy_decay(cells: int) -> None:
    energy = paper.energy()
    rows = []
    for name, balance in paper.METHODS.items():
        steps = [(0.0, energy.constant)]
        frames = evolve(
            paper.equation(energy, balance),
            paper.start(energy, cells),
            40.0,
            step=Controlled(tolerance=1e9, courant=0.5),
            record=AtTimes(()),
            save=AtTimes(()),
            progress=_Recorder(steps),
        )
        deque(frames, maxlen=0)
        lengths, changes = np.diff(np.array(steps), axis=0).T
        rows.append(
            [
                name,
                str(len(lengths)),
                f"{lengths.max():.3f}",
                f"{changes.max() / energy.constant:+.1e}",
            ]
        )
    header = ["", "steps", "longest", "largest change of E a step / C_f"]
    title = (
        f"E after every step to t = 40, {cells}^2 cells; the longest steps with "
        f"courant <= 1/2 and dt * feedback rate <= {STABILITY_LIMIT:g}"
    )
    print(table(title, header, rows))


@dataclass(frozen=True)
class _Recorder:
    steps: list[tuple[float, float]]

    def __call__(self, time: float, energy: float) -> None:
        self.steps.append((time, energy))


def _identity(grids: tuple[int, ...]) -> None:
    energy = paper.energy()
    rows = []
    for name, balance in {"gradient descent": None, "birth-death": Mean()}.items():
        for start, law in {"y uniform": paper.FULL_SUPPORT, "y ~ N(0, 1)": paper.SMOOTH}.items():
            defects = []
            for cells in grids:
                solution = solve(
                    paper.equation(energy, balance),
                    paper.start(energy, cells, law),
                    4.0,
                    step=Fixed(1.28 / cells),
                    record=AtTimes(()),
                    save=AtTimes(()),
                )
                defects.append(solution.identity_defect[-1])
            observed = " ".join(f"{order:.2f}" for order in orders(defects))
            rows.append([name, start, *[f"{d:+.1e}" for d in defects], observed])
    header = ["", "start", *[f"{n}^2" for n in grids], "orders"]
    title = "Defect of the energy identity at t = 4: E(t) - E(0) + dissipated energy"
    print(table(title, header, rows))
