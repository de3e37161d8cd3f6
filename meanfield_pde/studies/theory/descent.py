"""E along one run: when it first falls below a level, and how far from the minimum it ends."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.optimize import brentq

from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.evolution import evolve
from meanfield_pde.representations.measure import Measure
from meanfield_pde.schedules import AtTimes
from meanfield_pde.timestepping.splitting import Splitting
from meanfield_pde.timestepping.step_size import Step

Array = NDArray[np.float64]

FIRST = 0.03
"""The earliest record after the start."""

NEAR = 6
"""Points on either side of a crossing, by which it is interpolated."""


@dataclass(frozen=True, eq=False)
class Descent:
    """E in time, at the records and after each step.

    Attributes
    ----------
    time, energy : arrays (points,)
    mean_potential : float
        The largest Vbar of all records after the start.
    last_mean_potential : float
        Vbar at the end.
    prediction : array (data points,)
        f[mu] at the end; empty if the run was ended early.
    """

    time: Array
    energy: Array
    mean_potential: float
    last_mean_potential: float
    prediction: Array

    def first_below(self, level: float) -> float:
        """When E first equals a level, by splines of log E; infinite if it does not."""
        below = np.flatnonzero(self.energy < level)
        if below.size == 0:
            return math.inf
        k = int(below[0])
        if k == 0:
            return float(self.time[0])
        near = slice(max(k - NEAR, 0), k + NEAR)
        clock = np.log1p(self.time)
        logs = _spline(clock[near], np.log(self.energy[near] / level))
        return float(np.expm1(brentq(logs, clock[k - 1], clock[k], xtol=1e-14)))

    def at(self, times: Array | float) -> Array:
        """E at times, by splines of log E over log(1 + t)."""
        spline = _spline(np.log1p(self.time), np.log(self.energy))
        return np.asarray(np.exp(spline(np.log1p(times))))


def _spline(clock: Array, values: Array) -> BSpline:
    """Of degree five, or less through few points."""
    return make_interp_spline(clock, values, k=min(5, 2 * ((clock.size - 2) // 2) + 1))


def descend(
    equation: Equation,
    mu: Measure,
    t_end: float,
    step: Step,
    *,
    splitting: Splitting | None = None,
    below: float = -math.inf,
    per_decade: int = 16,
    extra: tuple[float, ...] = (),
) -> Descent:
    """A run to t_end, or to the first record with E below a level.

    Parameters
    ----------
    per_decade : int
        Records in each factor 10 of t; all steps are kept besides.
    extra : tuple of float
        Times at which E is recorded too.
    """
    count = max(2, round(per_decade * math.log10(t_end / FIRST)))
    places = {*np.geomspace(FIRST, t_end, count)[:-1].tolist(), *extra}
    record = AtTimes(tuple(sorted(time for time in places if time < t_end)))
    known: dict[float, float] = {}
    potentials: list[float] = []
    prediction: Array = np.empty(0)
    with warnings.catch_warnings():
        # Walls hold what gradient descent pushes there.
        warnings.filterwarnings("ignore", message="mass gathers at the walls")
        for frame in evolve(
            *(equation, mu, t_end),
            splitting=splitting,
            step=step,
            record=record,
            save=AtTimes(()),
            progress=known.__setitem__,
        ):
            known[frame.time] = frame.scalars["energy"]
            potentials.append(frame.scalars["mean_potential"])
            if frame.snapshot is not None and frame.time == t_end:
                prediction = frame.snapshot.prediction
            if known[frame.time] < below:
                break
    time, energy = np.array(sorted(known.items())).T
    kept = np.append(True, np.diff(time) > 1e-9 * time[1:])
    return Descent(
        time=time[kept],
        energy=energy[kept],
        mean_potential=max(potentials[1:]),
        last_mean_potential=potentials[-1],
        prediction=prediction,
    )
