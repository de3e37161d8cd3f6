r"""Problems whose best probability measure leaves E* > 0, under birth and death alone.

The best measure is a finite sum of atoms, of masses w_k, at the lowest places of V* = dE/dmu there.
Near atom k, mu is a Gaussian of covariance (alpha t H_k)^{-1}, H_k = hess V*; V - V* and what
weights and centres are off by are of order 1/t and enter E squared. What is left,

    E - E* = int (V* - v*) dmu + int [l(f) - l(f_*) - l'(f_*) (f - f_*)] dnu,          (exactly)

is sum_k w_k tr(H_k S_k) / 2 = d / (2 alpha t), whatever the number of atoms, their masses and the
loss: as in a fixed potential. At a wall with a slope a parameter counts 1 in place of 1/2:

    alpha t (E - E*)  ->  sum_k w_k (inner parameters of atom k / 2 + those at a wall),

with corrections of order log t / t (the curvature of V - V* adds up like log t) and 1/t.

The density stays in a family of as many parameters as data points, written around the optimum, so
that differences of order E - E* are never differences of large numbers:

    rho_t = rho_0 exp(- t (V* - v*) - phi . h) / Z,    dh/dt = w (l'(f[rho_t]) - l'(f_*)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import NumericalFailure
from meanfield_pde.problem.energy import Energy, unit_value
from meanfield_pde.problem.losses import Logistic, NegativeLogLikelihood
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.optimum import Optimum, optimum
from meanfield_pde.problem.penalties import WeightDecay
from meanfield_pde.problem.samples import Samples
from meanfield_pde.problem.spaces import Box, Circle, Interval
from meanfield_pde.problem.targets import Column
from meanfield_pde.problem.units import Gaussian, VonMises
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.initial_nodes import tensor_log_weights, tensor_points
from meanfield_pde.studies.law_problems import (
    BUMPS,
    INTERVAL,
    THREE,
    Curve,
    Terms,
    energies_of,
    geometric_times,
    logarithm,
    power,
    rules_towards,
)

Array = NDArray[np.float64]

GAP = 1e-14
"""Looked for of an optimum."""

ENOUGH = 1e-10
"""Of a gap."""

AT_WALL = 1e-9
"""As a part of the range: closer atoms are on the wall."""

SMALL: Terms = (logarithm, power(-1.0))
"""How the limit is reached."""


@dataclass(frozen=True, eq=False)
class Family:
    """Densities exp(- t (V* - v*) - phi . h) rho_0 / Z at the nodes of a quadrature.

    Attributes
    ----------
    energy : Energy
    theta : tuple of arrays (nodes,)
    log_weights : array (nodes,)
        Of the quadrature.
    unit : array (points, nodes)
        phi.
    above : array (nodes,)
        V* - v*.
    prediction, derivative : arrays (points,)
        f_* and l'(f_*).
    """

    energy: Energy
    theta: tuple[Array, ...]
    log_weights: Array
    unit: Array
    above: Array
    prediction: Array
    derivative: Array

    @classmethod
    def around(
        cls, energy: Energy, best: Optimum, theta: tuple[Array, ...], log_weights: Array
    ) -> Family:
        """An optimum."""
        places = tuple(np.ascontiguousarray(best.points.T))
        unit = unit_value(energy.unit, energy.inputs, theta)
        at_atoms = unit_value(energy.unit, energy.inputs, places)
        prediction = at_atoms @ best.masses
        derivative = energy.loss.derivative(prediction, energy.target_values)
        weighted = energy.data_weights * derivative
        potential, lowest = weighted @ unit, weighted @ at_atoms
        if energy.penalty is not None:
            potential = potential + energy.penalty.value(theta, energy.parameters)
            lowest = lowest + energy.penalty.value(places, energy.parameters)
        above = potential - lowest @ best.masses
        return cls(energy, theta, log_weights, unit, above, prediction, derivative)

    def normalised(self, logs: Array) -> Array:
        """The masses of the nodes, of a density known up to a factor by its logarithm."""
        grown = np.exp(self.log_weights + logs - np.max(self.log_weights + logs))
        return np.asarray(grown / grown.sum())

    def masses(self, t: float, h: Array) -> Array:
        """Of the member at t and h."""
        return self.normalised(-t * self.above - h @ self.unit)

    def rate(self, t: float, h: Array) -> Array:
        """dh / dt."""
        energy = self.energy
        moved = energy.loss.derivative(self.unit @ self.masses(t, h), energy.target_values)
        return np.asarray(energy.data_weights * (moved - self.derivative))

    def jacobian(self, t: float, h: Array) -> Array:
        """The derivative of `rate` by h: of f, it is minus the covariance of phi."""
        energy, mu = self.energy, self.masses(t, h)
        mean = self.unit @ mu
        covariance = (self.unit * mu) @ self.unit.T - np.outer(mean, mean)
        curvature = energy.loss.curvature(mean, energy.target_values)
        return np.asarray(-(energy.data_weights * curvature)[:, None] * covariance)

    def excess(self, mu: Array) -> float:
        """E - E* of masses at the nodes."""
        loss, y, f = self.energy.loss, self.energy.target_values, self.unit @ mu
        change = loss.value(f, y) - loss.value(self.prediction, y)
        curved = change - self.derivative * (f - self.prediction)
        return float(self.above @ mu + self.energy.data_weights @ curved)

    def divergence(self, mu: Array) -> float:
        """KL(mu | rho_0)."""
        start = self.normalised(np.zeros(mu.size))
        there = mu > 0.0
        return float(mu[there] @ np.log(mu[there] / start[there]))


@dataclass(frozen=True)
class Misfit:
    """Units, data and a loss that no probability measure fits, from the uniform law, alpha = 1.

    Attributes
    ----------
    name : str
    energy : Energy
    nodes : int
        Along each parameter, of a run along characteristics.
    levels : int
        Halvings of the panels towards the atoms, in the exponential family.
    last : float
        Up to which time these resolve the density.
    """

    name: str
    energy: Energy
    nodes: int
    levels: int
    last: float

    @cached_property
    def best(self) -> Optimum:
        """The best probability measure.

        Raises
        ------
        NumericalFailure
            If it is not found.
        """
        found = optimum(self.energy, tolerance=GAP, most=20)
        if not found.gap <= ENOUGH:
            raise NumericalFailure(f"{self.name}: the optimum is known to {found.gap:.0e} only")
        return found

    @property
    def limit(self) -> float:
        """Of t (E - E*)."""
        best = self.best
        lower, upper, length = (
            np.array([getattr(axis, side) for axis in self.energy.space.axes])
            for side in ("lower", "upper", "length")
        )
        inside = np.array([axis.periodic for axis in self.energy.space.axes])
        near = np.minimum(best.points - lower, upper - best.points) < AT_WALL * length
        counts = np.where(near & ~inside, 1.0, 0.5)
        return float(np.average(counts.sum(axis=1), weights=best.masses))

    def run(self, last: float) -> Curve:
        """t (E - E*) along characteristics."""
        mu = Characteristics(self.nodes, redistribute=None).project(Uniform(), self.energy.space)
        times, energies = energies_of(Equation(self.energy, [BirthDeath(1.0)]), mu, last, 1e-8)
        return Curve(times, times * (energies - self.best.energy))

    def around(self, coarser: int = 0) -> Family:
        """The densities of the exponential family."""
        rules = rules_towards(self.energy, self.best.points, self.levels - coarser)
        theta = tuple(tensor_points(rules).T)
        return Family.around(self.energy, self.best, theta, tensor_log_weights(rules))

    def family(self, last: float, coarser: int = 0, tolerance: float = 1e-8) -> Curve:
        """t (E - E*) in the exponential family, by the equation for h.

        Raises
        ------
        NumericalFailure
            If the optimum is not found, or the integration stops.
        """
        family, times = self.around(coarser), geometric_times(last)
        result = solve_ivp(
            family.rate,
            (0.0, times[-1]),
            np.zeros(family.unit.shape[0]),
            method="Radau",
            jac=family.jacobian,
            t_eval=times,
            rtol=tolerance,
            atol=1e-2 * tolerance,
        )
        if not result.success:
            raise NumericalFailure(f"{self.name}: {result.message}: take a looser tolerance")
        pairs = zip(times, result.y.T, strict=True)
        excess = [family.excess(family.masses(float(t), h)) for t, h in pairs]
        return Curve(times, times * np.array(excess))


def _samples(count: int, noise: float, seed: int) -> Samples:
    """Values of the teacher of `BUMPS` at random places, with noise, and labels."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-np.pi, np.pi, count)
    clean = THREE.value(x, BUMPS.unit, BUMPS.data)
    values = clean + noise * generator.standard_normal(count)
    labels = np.where(np.cos(x - 0.4) + np.cos(2.0 * x) > 0.0, 1.0, -1.0)
    return Samples(x, columns={"f": values, "label": labels}, input_period=2.0 * np.pi)


def _mixed(centres: Array, counts: tuple[int, int], seed: int) -> Samples:
    """Draws from two normal laws; centres (2,) on the line, (2, 2) in the plane."""
    generator = np.random.default_rng(seed)
    draws = [
        generator.normal(centre, 0.5, (count, *np.shape(centre)))
        for centre, count in zip(centres, counts, strict=True)
    ]
    return Samples(np.concatenate(draws))


SAMPLES = _samples(60, 0.3, 7)
NOISY = Energy(VonMises(2.0), Column("f"), SAMPLES, Circle())
LABELS = Energy(VonMises(2.0), Column("label"), SAMPLES, Circle(), loss=Logistic())
PENALISED = replace(INTERVAL, penalty=WeightDecay(0.1))
MIXTURE = Energy(
    Gaussian(0.5),
    None,
    _mixed(np.array([-1.0, 1.2]), (30, 20), 7),
    Interval(-3.0, 3.0),
    loss=NegativeLogLikelihood(),
)
CLOUDS = Energy(
    Gaussian(0.5, 2),
    None,
    _mixed(np.array([[-0.9, 0.3], [1.0, -0.4]]), (24, 16), 7),
    Box((-2.0, -2.0), (2.0, 2.0)),
    loss=NegativeLogLikelihood(),
)
CUT = replace(INTERVAL, space=Interval(-1.0, 3.0))

MISFITS = (
    Misfit("von Mises, noisy samples", NOISY, 256, 13, 1e7),
    Misfit("Gaussian, weight decay", PENALISED, 160, 11, 1e6),
    Misfit("von Mises, labels, logistic loss", LABELS, 256, 11, 1e5),
    Misfit("Gaussian mixture, likelihood", MIXTURE, 160, 11, 1e5),
    Misfit("Gaussian mixture in the plane, likelihood", CLOUDS, 96, 6, 1e4),
)
"""Optimal atoms inside the space: t (E - E*) tends to half the number of parameters."""

AT_A_WALL = Misfit("Gaussian, an atom at either wall", CUT, 160, 18, 1e6)
"""Two of three atoms are held by walls: t (E - E*) tends to half of 1 and their masses."""
