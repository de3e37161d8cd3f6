r"""The paper's bad initialisation on the whole plane, along characteristics made for its tail.

With V = c v(y) and v = int psi (f - f*) dx the characteristics of equation (C) are

    y' = - c v'(y),      c' = - v(y),      (log m)' = - alpha (c v(y) - Vbar)

and c v = - c c', so that log m - alpha c^2 / 2 grows by the same amount along every path: the mass
at time t over the ancestors (y_0, c_0) is

    rho_0(y_0, c_0) exp(alpha (c(t)^2 - c_0^2) / 2) / Z(t).

All mass starts near y = -2. What ends in the well of v near y = 2.24 starts right of a dividing
line y_0 = b(c_0), the stable manifold of the ridge of v near y = 0, where the initial law is of
the size e^-200. Nodes are a tensor product of Gauss panels around the mean of the law, the core,
and one in (s, c_0), y_0 = b(c_0) + s, the tail, with panels that grow away from the line.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import BSpline, CubicSpline, make_interp_spline
from scipy.optimize import brentq
from scipy.special import log_ndtr

from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.evolution import evolve
from meanfield_pde.problem.data import Line
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.interaction import InteractingLandscape
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.initial_nodes import log_sum, tensor_log_weights, tensor_points
from meanfield_pde.representations.rules import GaussPanels, Rule
from meanfield_pde.results.solution import Frame
from meanfield_pde.schedules import AtTimes, EveryTime, Schedule
from meanfield_pde.studies import paper
from meanfield_pde.timestepping.step_size import Controlled, Step

Array = NDArray[np.float64]
Curve = Callable[[Array], Array]

MEAN, DEVIATION = -2.0, 0.1
"""Of the initial law of y; that of c is standard normal."""

LEVEL = 0.007
"""Half of the energy of the plateau, the best fit by two units."""

RIGHT = 1.0
"""What is at y > RIGHT is in the well that the third unit belongs to."""

WHOLE = 1000.0
"""Walls that nothing reaches."""

DECIDED = 40.0
"""By this time what starts beside the dividing line has left the ridge."""

NOTHING = -1e6
"""The logarithm of a mass that is none."""

TOLERANCE = Controlled(tolerance=1e-8)


def energy(charges: float = WHOLE, data: Line | None = None) -> Energy:
    """The energy of the paper on |c| <= charges, all y; 101 data points on [-10, 10]."""
    return replace(paper.energy(charges, 100.0), data=data or Line(-10.0, 10.0, 101))


def log_law(points: Array) -> Array:
    """The logarithm of the initial density at (points, 2)."""
    location, charge = points.T
    deviations = (location - MEAN) / DEVIATION
    return -0.5 * (deviations**2 + charge**2) - math.log(2.0 * math.pi * DEVIATION)


@dataclass(frozen=True)
class Panels:
    """Which ancestors, and how many.

    Parameters
    ----------
    core : (int, int)
        Panels along y_0 and c_0.
    reach : float
        Of the core in y_0, on either side of the mean.
    charges : (float, float)
        Of the core.
    tail_charges : (float, float)
    tail_panel : float
        Length of its panels along c_0.
    first, growth, width : float
        The first panel of s, the ratio of the next to it, and the last s.
    points : (int, int)
        Of a panel of the core and of the tail, along each parameter.
    before : float
        How far left of the line there are nodes too.
    """

    core: tuple[int, int] = (8, 24)
    reach: float = 1.1
    charges: tuple[float, float] = (-12.0, 15.0)
    tail_charges: tuple[float, float] = (3.0, 43.0)
    tail_panel: float = 4.0
    first: float = 1e-4
    growth: float = 2.0
    width: float = 0.3
    points: tuple[int, int] = (10, 8)
    before: float = 0.0

    def within(self, largest: float) -> Panels:
        """Those with |c_0| <= largest, of a length that suits."""
        lower, upper = max(self.charges[0], -largest), min(self.charges[1], largest)
        panel = (self.charges[1] - self.charges[0]) / self.core[1]
        end = min(self.tail_charges[1], largest)
        return replace(
            self,
            core=(self.core[0], math.ceil((upper - lower) / panel)),
            charges=(lower, upper),
            tail_charges=(min(self.tail_charges[0], 0.25 * end), end),
            tail_panel=min(self.tail_panel, 0.125 * end),
        )

    @property
    def core_rules(self) -> tuple[Rule, Rule]:
        """In (y_0, c_0)."""
        across, along = self.core
        return (
            GaussPanels(_equal(MEAN - self.reach, MEAN + self.reach, across), self.points[0]),
            GaussPanels(_equal(*self.charges, along), self.points[0]),
        )

    def tail_rules(self, width: float, charges: tuple[float, float]) -> tuple[Rule, Rule]:
        """In (s, c_0)."""
        count = math.ceil(math.log(width / self.first) / math.log(self.growth))
        graded = np.append(self.first * self.growth ** np.arange(count), width)
        start = [-self.before, 0.0] if self.before else [0.0]
        along = _equal(*charges, max(2, round(np.ptp(charges) / self.tail_panel)))
        points = self.points[1]
        return GaussPanels(np.append(start, graded), points), GaussPanels(along, points)


def _equal(lower: float, upper: float, panels: int) -> Array:
    """Their ends."""
    return np.linspace(lower, upper, panels + 1)


def core(panels: Panels, energy: Energy) -> CharacteristicsMeasure:
    """The initial law on its core alone."""
    rules = panels.core_rules
    return _measure(energy, [rules], [tensor_points(rules)], [tensor_log_weights(rules)])


def ancestors(
    panels: Panels, energy: Energy, line: Curve, last: float = math.inf
) -> CharacteristicsMeasure:
    """The initial law on its core and, right of a line, on its tail; cut at y_0 <= last there.

    The tail has nodes y_0 = line(c_0) + s, or where it is cut y_0 = line(c_0) + s (last -
    line(c_0)) and s <= 1.
    """
    charges, width = panels.tail_charges, panels.width
    if last < math.inf:
        charge = np.linspace(*charges, 4000)
        open_ = charge[line(charge) < last - 1e-7]
        charges, width = (float(open_[0]), float(open_[-1])), 1.0
    tail = panels.tail_rules(width, charges)
    across, charge = tensor_points(tail).T
    stretch = last - line(charge) if last < math.inf else np.ones(charge.size)
    points = np.column_stack([line(charge) + stretch * across, charge])
    inner = panels.core_rules
    return _measure(
        energy,
        [inner, tail],
        [tensor_points(inner), points],
        [tensor_log_weights(inner), tensor_log_weights(tail) + np.log(stretch)],
    )


def _measure(
    energy: Energy, rules: list[tuple[Rule, Rule]], points: list[Array], log_weights: list[Array]
) -> CharacteristicsMeasure:
    places = np.concatenate(points)
    log_masses = np.concatenate(log_weights) + log_law(places)
    return CharacteristicsMeasure(
        axes=energy.space.axes,
        rules=tuple(rules),
        points=places,
        log_masses=log_masses - log_sum(log_masses),
        method=Characteristics(redistribute=None),
    )


@dataclass(frozen=True, eq=False)
class Run:
    """A run under (C), and the states of its nodes at the times of `saved`.

    Attributes
    ----------
    start : CharacteristicsMeasure
    energy : Energy
    step : Step
    time, values : arrays (records,)
        And E then.
    saved : array (snapshots,)
    states : array (snapshots, nodes, 3)
        y, c and log m.
    predictions : array (snapshots, data points)
    """

    start: CharacteristicsMeasure
    energy: Energy
    step: Step
    time: Array
    values: Array
    saved: Array
    states: Array
    predictions: Array

    @cached_property
    def crossing(self) -> float:
        """When E falls below `LEVEL`, from a denser record of the interval; infinite if never."""
        below = np.flatnonzero(self.values < LEVEL)
        if below.size == 0:
            return math.inf
        lower, upper = self.time[below[0] - 1], self.time[below[0]]
        since, begin = self._last_saved(lower)
        dense = np.linspace(lower, upper, 13) - since
        again = _collected(begin, self.energy, float(dense[-1]), self.step, AtTimes(tuple(dense)))
        inside = again.time >= dense[0]
        energy = make_interp_spline(again.time[inside], again.values[inside] - LEVEL, k=5)
        return since + float(brentq(energy, dense[0], dense[-1], xtol=1e-12))

    def state_at(self, time: float) -> Array:
        """Of the nodes, (nodes, 3)."""
        since, begin = self._last_saved(time)
        if time <= since:
            return begin.state
        length = time - since
        return _collected(begin, self.energy, length, self.step, AtTimes(())).states[-1]

    def _last_saved(self, time: float) -> tuple[float, CharacteristicsMeasure]:
        index = int(np.searchsorted(self.saved, time, side="right")) - 1
        return float(self.saved[index]), self.start.with_state(self.states[index])

    def invariant_error(self, index: int) -> float:
        """The largest change of log m - alpha c^2 / 2 between nodes since the start."""
        first, later = (
            self.states[k, :, 2] - 0.5 * paper.ALPHA * self.states[k, :, 1] ** 2 for k in (0, index)
        )
        return float(np.ptp(later - first))


def run(
    start: CharacteristicsMeasure,
    energy: Energy,
    until: float,
    step: Step = TOLERANCE,
    record: Schedule = EveryTime(0.25),  # noqa: B008
    save: Schedule = EveryTime(5.0),  # noqa: B008
    after: float = 0.0,
) -> Run:
    """A run under (C), to some time after the first record with E below `LEVEL`."""
    return _collected(start, energy, until, step, record, save, after)


def _collected(
    start: CharacteristicsMeasure,
    energy: Energy,
    until: float,
    step: Step,
    record: Schedule,
    save: Schedule = AtTimes(()),  # noqa: B008
    after: float = math.inf,
) -> Run:
    equation = paper.equation(energy, Mean())
    frames: list[Frame] = []
    end = math.inf
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # Mass at walls is what runs with walls are about; and a snapshot looks for a density
        # where the map from the start has stretched beyond its nodes.
        warnings.filterwarnings("ignore", message="mass gathers at the walls")
        for frame in evolve(equation, start, until, step=step, record=record, save=save):
            frames.append(frame)
            if frame.scalars["energy"] < LEVEL:
                end = min(end, frame.time + after)
            if frame.time >= end:
                break
    snapshots = [(frame.time, frame.snapshot) for frame in frames if frame.snapshot is not None]
    return Run(
        start=start,
        energy=energy,
        step=step,
        time=np.array([frame.time for frame in frames]),
        values=np.array([frame.scalars["energy"] for frame in frames]),
        saved=np.array([time for time, _ in snapshots]),
        states=np.array([snapshot.nodes for _, snapshot in snapshots]),
        predictions=np.array([snapshot.prediction for _, snapshot in snapshots]),
    )


@dataclass(frozen=True, eq=False)
class History:
    """The field of the core, in which what is negligible moves without being felt.

    Attributes
    ----------
    energy : Energy
    residual : BSpline
        (f - f*) dnu at the data points, in time.
    end : float
    """

    energy: Energy
    residual: BSpline
    end: float

    @classmethod
    def of(cls, panels: Panels, energy: Energy, end: float = DECIDED) -> History:
        """From a run of the core."""
        early, late = np.arange(0.0, 5.0, 0.1), np.arange(5.0, end, 0.5)
        times = AtTimes(tuple(np.concatenate([early, late])))
        core_run = run(
            core(panels, energy), energy, end, Controlled(), AtTimes(()), times, math.inf
        )
        residual = energy.data_weights * (core_run.predictions - energy.target_values)
        return cls(energy, make_interp_spline(core_run.saved, residual, k=7), end)

    def slopes(self, points: Array, time: float) -> Array:
        """dV / dy and dV / dc, (points, 2)."""
        landscape = cast(InteractingLandscape, self.energy.on(PointNodes(points)))
        residual = self.residual(time)
        slopes = (landscape.features.slope(k, residual) for k in range(2))
        return np.column_stack(tuple(slopes))

    def paths(self, points: Array, times: Array) -> Array:
        """Where points (points, 2) of the first time are at the times, (times, points, 2)."""

        def velocity(time: float, flat: Array) -> Array:
            return -self.slopes(flat.reshape(points.shape), time).ravel()

        solution: Any = solve_ivp(
            velocity,
            (times[0], times[-1]),
            points.ravel(),
            method="DOP853",
            t_eval=times,
            rtol=1e-9,
            atol=1e-9,
        )
        return np.asarray(solution.y.T.reshape(len(times), *points.shape))

    def carried(self, points: Array, start: float, end: float) -> Array:
        """Where points (points, 2) of one time are at another, earlier or later."""
        return self.paths(points, np.array([start, end]))[-1]

    @cached_property
    def ridge(self) -> float:
        """Where v has its maximum between the wells, at the end."""
        y = np.linspace(-0.6, 0.6, 2401)
        v = self.slopes(np.column_stack([y, np.ones(y.size)]), self.end)[:, 1]
        return float(y[np.argmax(v)])

    @cached_property
    def line(self) -> CubicSpline:
        """b(c_0): the ridge at the end carried back, towards which all there is contracts."""
        charges = np.linspace(0.5, 80.0, 400)
        ridge = np.column_stack([np.full(charges.size, self.ridge), charges])
        first = self.carried(ridge, self.end, 0.0)
        return CubicSpline(first[:, 1], first[:, 0])


@dataclass(frozen=True, eq=False)
class Escape:
    """The mass right of y = `RIGHT` at one time, and where it came from.

    Attributes
    ----------
    log_share : float
    mean, spread : arrays (4,)
        Of y_0, c_0, y and c, weighted by mass.
    right : array (nodes,) of bool
    """

    log_share: float
    mean: Array
    spread: Array
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, run: Run, time: float) -> Escape:
        """At a time of a run."""
        state = run.state_at(time)
        right = state[:, 0] > RIGHT
        log_share = log_sum(state[right, 2])
        share = np.where(right, np.exp(state[:, 2] - log_share), 0.0)
        both = np.column_stack([run.start.points, state[:, :2]])
        mean = share @ both
        return cls(log_share, mean, np.sqrt(share @ (both - mean) ** 2), right)

    @property
    def log_draw(self) -> float:
        """The logarithm of the chance that one draw has y_0 and c_0 above mean - 2 spread."""
        low = self.mean[:2] - 2.0 * self.spread[:2]
        return float(log_ndtr(-(low[0] - MEAN) / DEVIATION) + log_ndtr(-low[1]))

    def typical(self, points: Array) -> NDArray[np.bool_]:
        """Which ancestors (points, 2) lie within two spreads of the mean."""
        away = np.abs(points - self.mean[:2]) <= 2.0 * self.spread[:2]
        chosen: NDArray[np.bool_] = np.all(away, axis=1)
        return chosen


def log_shares(states: Array, chosen: NDArray[np.bool_]) -> Array:
    """Of chosen nodes, at each snapshot."""
    return np.array([log_sum(state[chosen, 2]) for state in states])


def drawn(start: CharacteristicsMeasure, log_number: float) -> CharacteristicsMeasure:
    """The initial law where one of so many draws is expected: exp(-r^2 / 2) >= 1 / number.

    Two normal variables exceed r = (c_0^2 + ((y_0 + 2) / 0.1)^2)^(1/2) with just that chance.
    """
    square = np.sum(((start.points - (MEAN, 0.0)) / (DEVIATION, 1.0)) ** 2, axis=1)
    kept = np.where(square <= 2.0 * log_number, start.log_masses, NOTHING)
    return replace(start, log_masses=kept - log_sum(kept))
