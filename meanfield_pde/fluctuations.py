r"""Fluctuations of N particles about the mean field, predicted without a particle.

eta = lim sqrt(N) (mu_N - mu) solves the linearised equation. What is observed of mu at a time t
therefore fluctuates by int p_0 d eta_0, and by what jumps add on the way, with p_s(theta) its
influence function: by how much mass at theta at time s changes what is observed at t. Influences
solve the adjoint of the linearised equation, back from p_t = phi(x, .) for f(x), p_t = V for the
energy. Along the characteristics theta' = - M grad V, with q = grad p and c = V - <V>, r = p - <p>,

    dp/ds = Phi^T [w l'' h] + alpha c r
    dq/ds = grad Phi^T [w l'' h] + alpha (c q + r grad V) + Hess V M q
    h(x)  = int (M q . grad phi(x, .) + alpha r phi(x, .)) dmu

where <V>, <p> are the means under mu if birth and death subtract the mean, and zero if nothing
balances them. Every sum is one over nodes; on characteristics this is the adjoint of the equations
of the nodes, exact up to time steps. N times a variance is the sum of

    initial   int (p_0 - <p_0>)^2 dmu_0                             draws from mu_0
    jumps     int_0^t alpha int |V - <V>| (p_s - <p_s>)^2 dmu_s ds   particles killed and cloned
    control   int_0^t E|D_s| / (N dt) int (p_s - <p_s>)^2 dmu_s ds   and brought back to N

for Algorithm 1 of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019), D births less deaths in a step.

Source of the linearised equation: Braun & Hepp (1977); for networks Sirignano & Spiliopoulos
(2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array
from scipy.special import i0e, i1e

from meanfield_pde.dynamics.birth_death import Mean, Reinjection
from meanfield_pde.dynamics.coefficients import value_at
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import InputError, NumericalFailure, require, require_type
from meanfield_pde.problem.energy import Energy, unit_derivative, unit_value
from meanfield_pde.problem.interaction import InteractingField, InteractingLandscape
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.representations.characteristics import CUT_DENSITY, CharacteristicsMeasure
from meanfield_pde.representations.following import folded
from meanfield_pde.representations.moments import on_walls
from meanfield_pde.representations.rules import Rule, gauss_panels

Array = NDArray[np.float64]

TOLERANCE = 1e-11
"""Of both solutions in time; back in time relative to the largest influence at the end."""

DISPLACEMENT = 1e-4
"""Of nodes, relative to the length of an axis; a unit that varies on 1/100 of it costs 1e-9."""

DIFFERENCES = ((-2.0, 1 / 12), (-1.0, -2 / 3), (1.0, 2 / 3), (2.0, -1 / 12))
"""Displacements and their weights in a derivative, of order 4."""

CHUNK = 1024
"""Points at which influences are interpolated at once."""


class Variation(NamedTuple):
    """The value of an observable, its influence (nodes,) and the gradient (nodes, parameters)."""

    value: float
    influence: Array
    gradient: Array


class Observable(Protocol):
    """What is observed of mu."""

    def variation(self, energy: Energy, field: InteractingField) -> Variation:
        """At the measure of a field along characteristics."""
        ...


@dataclass(frozen=True)
class PredictionAt:
    """f(x) at one x, which need not be among the data."""

    x: float | tuple[float, ...]

    def variation(self, energy: Energy, field: InteractingField) -> Variation:
        """phi(x, .)."""
        mu = cast(CharacteristicsMeasure, field.mu)
        inputs, theta = np.array([self.x], dtype=np.float64), mu.coordinates
        influence = unit_value(energy.unit, inputs, theta)[0]
        slopes = [unit_derivative(energy.unit, k, inputs, theta)[0] for k in range(len(theta))]
        return Variation(float(np.sum(mu.values * influence)), influence, np.column_stack(slopes))


@dataclass(frozen=True)
class TotalEnergy:
    """E[mu]."""

    def variation(self, energy: Energy, field: InteractingField) -> Variation:
        """V."""
        return Variation(field.energy, field.potential, np.column_stack(field.gradient))


@dataclass(frozen=True, eq=False, repr=False)
class Influence:
    """Influences on what is observed at a time, and what they predict of fluctuations.

    Attributes
    ----------
    start : CharacteristicsMeasure
        mu_0.
    values : array (observables,)
        What is observed in the mean field.
    influences : array (observables, nodes)
        p_0 at the nodes of mu_0.
    gradients : array (observables, nodes, parameters)
        Of p_0.
    times, weights : arrays (times,)
        A quadrature in time.
    turnover : array (times,)
        alpha int |V - <V>| dmu: the part of the particles that is killed or cloned per unit time.
    spreads : array (observables, times)
        The variance of p_s under mu_s.
    jump_spreads : array (observables, times)
        alpha int |V - <V>| (p_s - <p_s>)^2 dmu_s.
    """

    start: CharacteristicsMeasure
    values: Array
    influences: Array
    gradients: Array
    times: Array
    weights: Array
    turnover: Array
    spreads: Array
    jump_spreads: Array

    @property
    def mean(self) -> Array:
        """int p_0 dmu_0, (observables,)."""
        return _integral(self.influences, self.start.values)

    @property
    def initial(self) -> Array:
        """N times the variance that independent draws from mu_0 cause, (observables,)."""
        return _integral((self.influences - self.mean[:, None]) ** 2, self.start.values)

    def __repr__(self) -> str:
        count, nodes = self.influences.shape
        return f"Influence of {nodes} nodes on {count} observable(s), N Var {self.initial} at first"

    @property
    def kurtosis(self) -> Array:
        """Of p_0 under mu_0, (observables,); 3 if normal.

        Far fewer particles than this are too few for the limit: what fluctuates are rare ones.
        """
        fourth = _integral((self.influences - self.mean[:, None]) ** 4, self.start.values)
        return np.asarray(fourth / self.initial**2)

    @property
    def jumps(self) -> Array:
        """N times the variance that killing and cloning adds, (observables,)."""
        return _integral(self.jump_spreads, self.weights)

    def control(self, number: int, dt: float) -> Array:
        """N times the variance that bringing particles back to their number adds, (observables,).

        In each step of dt, |D| uniformly chosen ones are killed or cloned.
        """
        require(number >= 1, "number", number, "at least 1")
        require(dt > 0, "dt", dt, "a positive time step")
        excess = mean_excess(number * dt * self.turnover) / (number * dt)
        return _integral(self.spreads * excess, self.weights)

    def variance(self, number: int, dt: float) -> Array:
        """N times the variance of what N particles of Algorithm 1 show, (observables,)."""
        return self.initial + self.jumps + self.control(number, dt)

    def at(self, points: Array) -> Array:
        """p_0 at points (points, parameters), (observables, points): interpolated between nodes.

        Raises
        ------
        InputError
            If a point lies beyond the nodes of mu_0.
        """
        parts = [points[first : first + CHUNK] for first in range(0, points.shape[0], CHUNK)]
        return np.hstack([(self._interpolation(part) @ self.influences.T).T for part in parts])

    def linear_term(self, points: Array) -> Array:
        """int p_0 d(mu_N - mu_0) for particles that start at points, (observables,).

        In gradient descent, and for weighted particles, it is the fluctuation up to O(1/N): a
        control variate whose mean is zero. Raises as `at`.
        """
        table = self._interpolation(points)
        shares = np.bincount(table.indices, table.data, table.shape[1]) / points.shape[0]
        return _integral(self.influences, shares - self.start.values)

    def _interpolation(self, points: Array) -> Any:
        """From values at nodes to values at points, a sparse (points, nodes)."""
        rows, columns, entries = [], [], []
        found = np.zeros(points.shape[0], dtype=bool)
        first = 0
        for rules in self.start.rules:
            ends = np.array([rule.ends for rule in rules])
            inside = np.all((points >= ends[:, 0]) & (points <= ends[:, 1]), axis=1) & ~found
            indices, weights = _neighbours(rules, points[inside])
            rows.append(np.repeat(np.flatnonzero(inside), indices.shape[1]))
            columns.append(first + indices.ravel())
            entries.append(weights.ravel())
            found |= inside
            first += math.prod(rule.nodes.size for rule in rules)
        if not np.all(found):
            raise InputError(f"point {points[~found][0]}: expected one within the nodes of mu_0")
        places = (np.concatenate(rows), np.concatenate(columns))
        shape = (points.shape[0], self.influences.shape[1])
        return csr_array((np.concatenate(entries), places), shape=shape)


def mean_excess(jumps: Array) -> Array:
    """E|D| for D = births - deaths, independent Poisson numbers of mean jumps / 2 each.

    J e^-J (I_0(J) + I_1(J)): J where jumps are rare, (2 J / pi)^(1/2) where there are many.
    Source: Skellam (1946).
    """
    return np.asarray(jumps * (i0e(jumps) + i1e(jumps)))


def influence(
    equation: Equation,
    mu: CharacteristicsMeasure,
    t_end: float,
    observables: Sequence[Observable],
    times: int = 32,
) -> Influence:
    """Influences of the initial measure on what is observed at t_end.

    Parameters
    ----------
    equation : Equation
        Of an energy with data, whose unit has a continuous gradient: gradient descent, birth and
        death that is free or subtracts the mean, or both.
    mu : CharacteristicsMeasure
        mu_0. Its nodes are not redistributed: there must be enough of them for t_end.
    t_end : float
    observables : sequence of Observable
        `PredictionAt(x)`, `TotalEnergy()`.
    times : int
        At which what jumps add is integrated.

    Raises
    ------
    InputError
        If the arguments do not fit together.
    NumericalFailure
        If a node reaches a wall, if the tail that was cut off matters, or if a solution breaks.
    """
    energy = _checked(equation, mu, t_end, observables)

    def forward(time: float, state: Array) -> Array:
        there = mu.with_state(state.reshape(mu.state.shape))
        return equation.rate(there, there.landscape(energy).at(there), time).ravel()

    path = _solved(forward, (0.0, t_end), mu.state.ravel(), dense_output=True)

    def at(time: float) -> _Linearised:
        return _Linearised(equation, mu.with_state(path.sol(time).reshape(mu.state.shape)), time)

    end = at(t_end)
    if end.mu.cut_density() > CUT_DENSITY:
        raise NumericalFailure(
            "birth and death have lifted the tail of the initial law up to the outermost nodes: "
            "take a larger `reach`"
        )
    found = [one.variation(energy, end.field) for one in observables]
    last = np.array([np.column_stack([one.influence, one.gradient]) for one in found])
    largest = np.abs(last).max(axis=(1, 2), keepdims=True)

    def backward(time: float, state: Array) -> Array:
        return at(time).backward(state.reshape(last.shape)).ravel()

    rule = gauss_panels(0.0, t_end, times)
    back = _solved(
        backward,
        (t_end, 0.0),
        last.ravel(),
        atol=TOLERANCE * np.broadcast_to(largest, last.shape).ravel(),
        t_eval=np.append(rule.nodes[::-1], 0.0),
    )
    *states, first = back.y.T.reshape(-1, *last.shape)
    spreads = [
        at(time).spreads(state[..., 0])
        for time, state in zip(rule.nodes, reversed(states), strict=True)
    ]
    return Influence(
        start=mu,
        values=np.array([one.value for one in found]),
        influences=first[..., 0],
        gradients=first[..., 1:],
        times=rule.nodes,
        weights=np.exp(rule.log_weights),
        turnover=np.array([one.turnover for one in spreads]),
        spreads=np.stack([one.variances for one in spreads], axis=1),
        jump_spreads=np.stack([one.by_jumps for one in spreads], axis=1),
    )


def _checked(
    equation: Equation,
    mu: CharacteristicsMeasure,
    t_end: float,
    observables: Sequence[Observable],
) -> Energy:
    """The energy; raises `InputError`."""
    require_type("equation", equation, Equation, "an Equation")
    energy = equation.energy
    if not isinstance(energy, Energy):
        raise InputError("energy = a fixed potential: expected one with data")
    require_type("mu", mu, CharacteristicsMeasure, "what Characteristics(...).project() returns")
    require(0.0 < t_end < math.inf, "t_end", t_end, "a positive time")
    expected = "a list of PredictionAt(x) and TotalEnergy()"
    require_type("observables", observables, (list, tuple), expected)
    require(len(observables) > 0, "observables", observables, "at least one")
    for one in observables:
        require_type("observable", one, (PredictionAt, TotalEnergy), expected)
        if isinstance(one, PredictionAt):
            inputs = energy.unit.inputs
            fits = np.shape(one.x) == (() if inputs == 1 else (inputs,))
            require(fits, "x", one.x, f"{inputs} number(s), one an input")
    require(equation.forcing is None, "term", "forcing", "transport or birth_death")
    if equation.birth_death is not None:
        reborn = isinstance(equation.birth_death.balance, Reinjection)
        require(not reborn, "balance", "reinjection", "'mean' or 'free'")
    equation.require_until(t_end)
    return energy


class _Spreads(NamedTuple):
    """See `Influence`; at one time."""

    turnover: float
    variances: Array
    by_jumps: Array


@dataclass(frozen=True, eq=False)
class _Linearised:
    """The equation linearised about mu at one time."""

    equation: Equation
    mu: CharacteristicsMeasure
    time: float

    @cached_property
    def field(self) -> InteractingField:
        """E and V at mu."""
        if np.any(on_walls(self.mu.points, self.mu.axes)):
            raise NumericalFailure(
                f"a node is on a wall at t = {self.time:.4g}: influences need a larger space"
            )
        return cast(InteractingField, self.mu.landscape(self.equation.energy).at(self.mu))

    @property
    def _alpha(self) -> float:
        birth_death = self.equation.birth_death
        return 0.0 if birth_death is None else value_at("alpha", birth_death.alpha, self.time)

    @property
    def _balanced(self) -> bool:
        birth_death = self.equation.birth_death
        return birth_death is not None and isinstance(birth_death.balance, Mean)

    def _deviations(self, functions: Array) -> Array:
        """Functions at the nodes, (..., nodes), less their means under mu."""
        means = _integral(functions, self.mu.values) / self.mu.mass
        return np.asarray(functions - means[..., None])

    def _mobilities(self) -> list[tuple[int, float]]:
        """Of the parameters that are transported."""
        transport = self.equation.transport
        if transport is None:
            return []
        factors = transport.factors(self.mu.parameters, self.time)
        return [(k, factor) for k, factor in enumerate(factors) if factor > 0.0]

    def _displaced(self, k: int) -> list[tuple[float, InteractingField]]:
        """V of the same mu at displaced nodes: d / d theta_k is a sum over them with weights."""
        energy, axes = self.equation.energy, self.mu.axes
        step = DISPLACEMENT * axes[k].length
        fields = []
        for places, weight in DIFFERENCES:
            points = self.mu.points.copy()
            points[:, k] += places * step
            there = energy.on(PointNodes(folded(points, axes)))
            moved = replace(self.field, landscape=cast(InteractingLandscape, there))
            fields.append((weight / step, moved))
        return fields

    def backward(self, adjoint: Array) -> Array:
        """d/ds of p and q, (observables, nodes, 1 + parameters)."""
        field, landscape, masses = self.field, self.field.landscape, self.mu.values
        gradient = np.column_stack(field.gradient)
        p, q = adjoint[..., 0], adjoint[..., 1:]
        centred = self._deviations if self._balanced else np.asarray
        c, r = self._alpha * centred(field.potential), centred(p)
        dp = c * r
        dq = c[:, None] * q + self._alpha * r[..., None] * gradient
        h = np.array([landscape.features.prediction(self._alpha * masses * one, 1.0) for one in r])
        for k, mobility in self._mobilities():
            flux = mobility * q[..., k]
            for weight, moved in self._displaced(k):
                dq += flux[..., None] * (weight * np.column_stack(moved.gradient))
                for change, one in zip(h, flux, strict=True):
                    there = moved.landscape.features
                    change += weight * there.prediction(masses * one, 1.0)
        curvature = landscape.loss.curvature(field.prediction, landscape.target)
        for j, residual in enumerate(landscape.data_weights * curvature * h):
            dp[j] += landscape.features.potential(residual)
            for k in range(self.mu.parameters):
                dq[j, :, k] += landscape.features.slope(k, residual)
        return np.concatenate([dp[..., None], dq], axis=-1)

    def spreads(self, influences: Array) -> _Spreads:
        """Of influences (observables, nodes); without a balance there are no jumps."""
        rate = self._alpha if self._balanced else 0.0
        jumping = rate * np.abs(self._deviations(self.field.potential)) * self.mu.values
        squares = self._deviations(influences) ** 2
        return _Spreads(
            turnover=float(np.sum(jumping)),
            variances=_integral(squares, self.mu.values),
            by_jumps=_integral(squares, jumping),
        )


def _integral(functions: Array, masses: Array) -> Array:
    """Of functions (..., nodes). A BLAS product's bits would depend on the number of threads."""
    return np.asarray(np.sum(functions * masses, axis=-1))


def _solved(
    rate: Any, span: tuple[float, float], start: Array, atol: Any = TOLERANCE, **options: Any
) -> Any:
    """By the method of order 8 of Dormand & Prince (1980)."""
    found = solve_ivp(rate, span, start, "DOP853", rtol=TOLERANCE, atol=atol, **options)
    if found.status != 0:
        raise NumericalFailure(f"a solution stopped at t = {found.t[-1]:.4g}: {found.message}")
    return found


def _neighbours(rules: tuple[Rule, ...], points: Array) -> tuple[NDArray[np.intp], Array]:
    """The nodes of a tensor product that each point is interpolated from, and their weights."""
    indices = np.zeros((points.shape[0], 1), dtype=np.intp)
    weights = np.ones((points.shape[0], 1))
    for rule, column in zip(rules, points.T, strict=True):
        stencil = rule.stencil(column)
        shape = (points.shape[0], indices.shape[1] * stencil.indices.shape[1])
        nearby = indices[:, :, None] * rule.nodes.size + stencil.indices[:, None, :]
        indices = nearby.reshape(shape)
        weights = (weights[:, :, None] * stencil.weights[:, None, :]).reshape(shape)
    return indices, weights
