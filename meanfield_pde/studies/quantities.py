"""What two runs can be compared by, and how far apart they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.energy import Energy
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.results.solution import Solution
from meanfield_pde.run import Job

Array = NDArray[np.float64]


def quantities(
    asked: tuple[str, ...] | None, jobs: tuple[Job, ...], reference: Job | None
) -> tuple[str, ...]:
    """What the runs can be compared with a reference by; without one, with an exact solution.

    Parameters
    ----------
    asked : tuple of str
        What is wanted of energy, mass, prediction and density; without it, what applies of
        energy, prediction and density.

    Raises
    ------
    InputError
        If what is asked for does not apply, or grids do not divide into each other.
    """
    runs = jobs if reference is None else (*jobs, reference)
    obstacles = {"prediction": _no_prediction(runs, reference), "density": _no_density(runs)}
    for name in asked or ():
        require(not obstacles.get(name), "compare", asked, f"no {name}: {obstacles.get(name)}")
    chosen = asked or tuple(
        name for name in ("energy", "prediction", "density") if not obstacles.get(name)
    )
    if "density" in chosen and reference is not None:
        for job in jobs:
            _common_cells(_cells(job), _cells(reference))
    return chosen


def _no_prediction(runs: tuple[Job, ...], reference: Job | None) -> str:
    """Why predictions cannot be compared; empty if they can."""
    if reference is None:
        return "no exact one is known"
    inputs = [run.case.energy().inputs for run in runs]
    if not inputs[0].size:
        return "a fixed potential has none"
    return "" if all(np.array_equal(x, inputs[0]) for x in inputs) else "the data differ"


def _no_density(runs: tuple[Job, ...]) -> str:
    """Why densities cannot be compared; empty if they can."""
    if not all(isinstance(run.method, FiniteVolumes) for run in runs):
        return "only finite volumes have cell averages"
    spaces = {run.case.space.axes for run in runs}
    return "" if len(spaces) == 1 else "the spaces differ"


def _cells(job: Job) -> tuple[int, ...]:
    assert isinstance(job.method, FiniteVolumes)
    return job.method.grid(job.case.space.axes).cells


def _common_cells(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The finest grid that both divide into."""
    for pair in zip(first, second, strict=True):
        if max(pair) % min(pair):
            raise InputError(
                f"compare 'density': {max(pair)} cells cannot be averaged to {min(pair)}: expected "
                "numbers of cells that divide each other, or a comparison by energy alone"
            )
    return tuple(map(min, zip(first, second, strict=True)))


def distance(quantity: str, job: Job, run: Solution, reference: Solution) -> Array:
    """How far a run is from a reference, at each of its times.

    The energy and the mass by their difference, the prediction in L2 of the data, the density in
    L1 of cell averages, the finer grid averaged to the coarser.
    """
    if quantity == "prediction":
        energy = job.case.energy()
        assert isinstance(energy, Energy)
        return np.sqrt((run.prediction - reference.prediction) ** 2 @ energy.data_weights)
    if quantity == "density":
        cells = _common_cells(run.layout.measure_shape, reference.layout.measure_shape)
        apart = np.abs(_averaged(run.measure, cells) - _averaged(reference.measure, cells))
        volume = math.prod(axis.length for axis in job.case.space.axes)
        return volume * apart.reshape(len(apart), -1).mean(axis=1)
    return np.abs(run.scalars[quantity] - reference.scalars[quantity])


def _averaged(measure: Array, cells: tuple[int, ...]) -> Array:
    """Snapshots of a density as averages over the cells of a coarser grid."""
    for axis, count in enumerate(cells, start=1):
        shape = measure.shape
        parts = (*shape[:axis], count, shape[axis] // count, *shape[axis + 1 :])
        measure = measure.reshape(parts).mean(axis=axis + 1)
    return measure
