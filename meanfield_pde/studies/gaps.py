"""How far a run of the user's own is from the mean field: the numbers and their text."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.representations.particles import Particles
from meanfield_pde.studies.tables import table

Array = NDArray[np.float64]

TITLES = {
    "energy": "energy E",
    "prediction": "prediction: |f[run] - f[mean field]| in L2 of the data, the distance by K",
    "W1": "Wasserstein distance W1",
    "W2": "Wasserstein distance W2",
}


@dataclass(frozen=True, eq=False)
class Gap:
    """How far a run is from the mean field by one measure, and of which that is expected.

    Attributes
    ----------
    name : str
    run, mean_field : array (times,)
        What differs by the gap; nan for distances.
    gap : array (times,)
        A difference with its sign, or a distance.
    sampling, spread : array (times,)
        Mean and deviation of the gap of runs of the package, from the limit at their steps.
    time_step : array (times,)
        The part of the gap that comes of steps; nan where it is not known.
    solver : array (times,)
        How much the gap changes with the nodes of the mean field, or the error bar of that; nan
        where it is not known.
    low, high : array (times,)
        Between which the gap of a run as sampled is; a distance may be below.
    excess : array (times,)
        How far the run is out, over how far a run as sampled may be: off where it is above 1.
    """

    name: str
    run: Array
    mean_field: Array
    gap: Array
    sampling: Array
    spread: Array
    time_step: Array
    solver: Array
    low: Array
    high: Array
    excess: Array

    @property
    def is_distance(self) -> bool:
        """Whether it is one, and not a difference of two values."""
        return bool(np.all(np.isnan(self.run)))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run beside the mean field; printed, a table for each measure.

    Attributes
    ----------
    time : array (times,)
    gaps : tuple of Gap
        E, f[mu], moments, Wasserstein distances.
    particles : Particles
        How the runs of the package went, the first of them.
    runs : int
        Their number.
    width : float
        How many of their deviations a run as sampled may be from their mean.
    notes : tuple of str
        What to know of how it was compared.
    """

    time: Array
    gaps: tuple[Gap, ...]
    particles: Particles
    runs: int
    width: float
    notes: tuple[str, ...]

    @property
    def as_sampled(self) -> bool:
        """Whether all gaps are, at all times."""
        return all(bool(np.all(gap.excess <= 1.0)) for gap in self.gaps)

    def __getitem__(self, name: str) -> Gap:
        """The gap by a measure, by its name."""
        for gap in self.gaps:
            if gap.name == name:
                return gap
        names = ", ".join(gap.name for gap in self.gaps)
        raise InputError(f"measure = {name!r}: expected one of {names}")

    def __str__(self) -> str:
        parts = [_gap_table(self.time, gap) for gap in self.gaps]
        parts += ["", *self.notes, self.verdict]
        return "\n".join(parts)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.as_sampled:
            return (
                f"All gaps are as sampled, within {self.width:.2g} deviations of {self.runs} runs: "
                "by these measures the run cannot be told from the mean field."
            )
        worst = max(self.gaps, key=lambda gap: float(np.max(gap.excess)))
        at = int(np.argmax(worst.excess))
        first = min(self.time[np.argmax(gap.excess > 1.0)] for gap in self.gaps if _off(gap))
        return (
            f"The run is off the mean field, first at t = {first:.4g}, most in {worst.name}: "
            f"{worst.excess[at]:.3g} times what a run as sampled may be at t = {self.time[at]:.4g}."
        )


def _off(gap: Gap) -> bool:
    return bool(np.any(gap.excess > 1.0))


def _gap_table(time: Array, gap: Gap) -> str:
    columns = {
        "t": [f"{t:.6g}" for t in time],
        "run": [f"{value:.5e}" for value in gap.run],
        "mean field": [f"{value:.5e}" for value in gap.mean_field],
        "gap": [f"{value:.2e}" for value in gap.gap],
        "of which sampling": [
            f"{m:.1e} +- {s:.1e}" for m, s in zip(gap.sampling, gap.spread, strict=True)
        ],
        "time step": [_part(value) for value in gap.time_step],
        "solver": [_part(value) for value in gap.solver],
        "": ["as sampled" if x <= 1.0 else f"off by {x:.3g}" for x in gap.excess],
    }
    if gap.is_distance:
        del columns["run"], columns["mean field"]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return table(TITLES.get(gap.name, gap.name), list(columns), rows)


def _part(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.1e}"
