"""Feature tables compressed to their rank: what V changes by, and what V costs in a step."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numba
import numpy as np

from meanfield_pde.case import load
from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.kernels.memory import keep_freed_memory
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.modes import TOLERANCE
from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.problem.tables import Table
from meanfield_pde.problem.units import Charged
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.splitting import Strang, advance


def main(quick: bool = False) -> None:
    """Print the tables."""
    rows = []
    for path in sorted(Path("cases").glob("*.toml")):
        case = load(path)
        energy, method = case.energy(), case.method
        if isinstance(energy, Energy) and isinstance(method, FiniteVolumes):
            rows.append(_row(path.stem, energy, method))
    header = ["case", "nodes", "data points", "modes", "|V - V'|", "bound"]
    title = f"Feature tables at tolerance {TOLERANCE:g}; V for a residual |w l'| = 1"
    print(table(title, header, rows))
    _share(256 if quick else 512)


def _row(name: str, energy: Energy, method: FiniteVolumes) -> list[str]:
    nodes = GridNodes(method.grid(energy.space.axes).centres)
    charged = isinstance(energy.unit, Charged)
    unit = energy.unit.psi if isinstance(energy.unit, Charged) else energy.unit
    theta = (nodes.axes[0],) if charged else tuple(c.ravel() for c in nodes.coordinates())
    whole = Table(unit, energy.inputs, energy.data_weights, theta, theta[0].shape)
    small = whole.compressed() if not energy.loss.relative else whole
    size = (str(theta[0].size), str(energy.data_weights.size))
    if small.modes is None:
        return [name, *size, "all", "", ""]
    residual = np.random.default_rng(0).standard_normal(energy.data_weights.size)
    residual /= np.sqrt(residual @ residual)
    change = whole.potential(residual) - small.potential(residual)
    largest = np.sqrt(np.max(np.sum(whole.phi.values**2, axis=0)))
    return [
        name,
        *size,
        str(small.modes.shape[1]),
        f"{np.max(np.abs(change)):.1e}",
        f"{10.0 * TOLERANCE * largest:.1e}",
    ]


def _share(cells: int) -> None:
    """V against the whole of a Strang step of the charged problem, on one core."""
    keep_freed_memory()
    available = numba.get_num_threads()
    numba.set_num_threads(1)
    energy = paper.energy()
    equation = paper.equation(energy, Mean())
    mu = paper.start(energy, cells)
    landscape = mu.landscape(energy)
    step, once = [], []
    for _ in range(8):
        begin = time.perf_counter()
        advance(Strang(), equation, mu, landscape, 0.0, 1e-4, {})
        middle = time.perf_counter()
        _ = landscape.at(mu).potential
        step.append(middle - begin)
        once.append(time.perf_counter() - middle)
    numba.set_num_threads(available)
    best, one = min(step), min(once)
    # Transport forms V three times, each half of birth-death twice.
    share = f"{100 * 7 * one / best:.0f} %"
    rows = [[f"{cells}^2", f"{1e3 * best:.2f}", f"{1e3 * one:.3f}", share]]
    title = f"V in a Strang step of the charged problem, one core; load {os.getloadavg()[0]:.2f}"
    print(table(title, ["cells", "ms a step", "ms to form V", "7 times V"], rows))
