"""Which problems have a solution in closed form, and that solution."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from meanfield_pde.dynamics.birth_death import BirthDeath, Free, Mean
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy, PotentialEnergy
from meanfield_pde.problem.exact import (
    CircleBirthDeath,
    CircleFamily,
    LinearUnitGaussian,
    QuadraticGaussian,
)
from meanfield_pde.problem.laws import AnyLaw, ProductLaw
from meanfield_pde.problem.one_parameter_laws import Normal, Uniform
from meanfield_pde.problem.potentials import CosineWell, Quadratic
from meanfield_pde.problem.spaces import Axis, Circle
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Cosine, Linear
from meanfield_pde.representations.grid import Grid
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]

CASES = (
    "a quadratic potential from a (product of) normal law(s) on an interval or a box, linear units "
    "of squared loss from a normal law on an interval (balance 'mean'), a cosine well on the "
    "circle from the uniform law, or cosine units with a teacher at 0 on the circle "
    "from the uniform law, with constant alpha, balance 'mean' (of a potential also 'free') and "
    "mobility 1"
)
"""What `exact_solution` knows."""

LOST_MASS = 1e-3
"""Largest mass that the solution on the line may have beyond the walls of the space."""


@dataclass(frozen=True)
class ExactSolution:
    """A solution known at all times.

    Attributes
    ----------
    averages : callable
        (t, grid) to the cell averages.
    density : callable
        (t, theta) to the density at coordinate arrays, one a parameter.
    energy, mass : callable
        t to E and to the mass.
    outside : callable
        t to the mass beyond the walls of the space, of a solution on the line.
    """

    averages: Callable[[float, Grid], Array]
    density: Callable[[float, Theta], Array]
    energy: Callable[[float], float]
    mass: Callable[[float], float]
    outside: Callable[[float], float]

    def check_walls(self, times: Iterable[float]) -> float:
        """Largest mass beyond the walls at these times.

        Raises
        ------
        InputError
            If that is too much for a comparison, or the solution ends before the last time.
        """
        outside = max(self.outside(t) for t in times)
        wide = f"at most {LOST_MASS:g}: a space wide enough for the exact solution, on the line"
        require(outside <= LOST_MASS, "mass beyond the walls", outside, wide)
        return outside

    def in_place_of(self, solution: Solution, grid: Grid | None) -> Solution:
        """A run as it would be without error: its energy, its mass and, of a grid, its density."""
        times = [float(t) for t in solution.time]
        scalars = {
            "energy": np.array([self.energy(t) for t in times]),
            "mass": np.array([self.mass(t) for t in times]),
        }
        exact = replace(solution, scalars={**solution.scalars, **scalars})
        if grid is None:
            return exact
        averages = [self.averages(float(t), grid) for t in solution.snapshot_time]
        return replace(exact, measure=np.array(averages))


@dataclass(frozen=True)
class _Dynamics:
    """Terms that exact solutions know: rate, whether mass moves, whether it is free."""

    alpha: float
    transport: bool
    free: bool


def exact_solution(equation: Equation, law: AnyLaw) -> ExactSolution:
    """The solution of an equation from an initial law.

    A quadratic potential has it on the line; see `ExactSolution.outside`.

    Raises
    ------
    InputError
        If none is known: the sentence lists what has one.
    """
    dynamics = _dynamics(equation)
    for known in (_gaussian, _linear, _well, _interacting):
        found = known(equation, law, dynamics) if dynamics is not None else None
        if found is not None:
            return found
    raise InputError(f"against 'exact': expected {CASES}")


def _dynamics(equation: Equation) -> _Dynamics | None:
    transport, birth_death = equation.transport, equation.birth_death
    known = [term for term in (transport, birth_death) if term is not None]
    if len(known) < len(equation.terms):
        return None
    if transport not in (None, Transport(), Transport((1.0,) * len(equation.energy.parameters))):
        return None
    if birth_death is None:
        return _Dynamics(0.0, True, False)
    alpha, balance = birth_death.alpha, birth_death.balance
    if not isinstance(alpha, int | float) or not isinstance(balance, Mean | Free):
        return None
    if birth_death != BirthDeath(alpha, balance):
        return None
    return _Dynamics(float(alpha), transport is not None, isinstance(balance, Free))


def _uniform_on_circle(equation: Equation, law: AnyLaw) -> bool:
    """Whether one parameter lives on the circle of period 2 pi, uniform at first."""
    axes = equation.energy.space.axes
    if axes != Circle().axes or not isinstance(law, Uniform):
        return False
    return np.allclose(law.bounds(axes[0]), (axes[0].lower, axes[0].upper))


def _gaussian(equation: Equation, law: AnyLaw, dynamics: _Dynamics) -> ExactSolution | None:
    """A Gaussian in a quadratic potential."""
    energy = equation.energy
    if not isinstance(energy, PotentialEnergy) or not isinstance(energy.potential, Quadratic):
        return None
    axes, potential = energy.space.axes, energy.potential
    factors = law.factors if isinstance(law, ProductLaw) else (law,)
    normal = all(isinstance(factor, Normal) for factor in factors)
    known = energy == PotentialEnergy(potential, energy.space) and len(axes) <= 2
    if not normal or not known or any(axis.periodic for axis in axes):
        return None
    deviations = [factor.deviation for factor in factors if isinstance(factor, Normal)]
    exact = QuadraticGaussian(
        matrix=potential.matrix,
        initial_mean=tuple(factor.mean for factor in factors if isinstance(factor, Normal)),
        initial_covariance=tuple(tuple(row) for row in np.diag(np.square(deviations)).tolist()),
        alpha=dynamics.alpha,
        transport=dynamics.transport,
        offset=potential.offset,
    )
    return on_line(exact, axes, dynamics.free)


def _linear(equation: Equation, law: AnyLaw, dynamics: _Dynamics) -> ExactSolution | None:
    """A Gaussian of linear units."""
    energy = equation.energy
    if not isinstance(energy, Energy) or not isinstance(energy.unit, Linear) or dynamics.free:
        return None
    axes = energy.space.axes
    known = energy == Energy(energy.unit, energy.target, energy.data, energy.space)
    if not known or not isinstance(law, Normal) or axes[0].periodic:
        return None
    weights, target = energy.data_weights, energy.target_values
    psi = energy.unit.value(energy.inputs, (np.ones(1),))[:, 0]
    strength = float(np.sum(weights * psi**2))
    if strength == 0.0:
        return None
    optimum = float(np.sum(weights * psi * target)) / strength
    exact = LinearUnitGaussian(
        strength=strength,
        optimum=optimum,
        initial_mean=law.mean,
        variance=law.deviation**2,
        alpha=dynamics.alpha,
        transport=dynamics.transport,
        residual=float(np.sum(weights * (target - optimum * psi) ** 2)) / 2,
    )
    return ExactSolution(
        averages=lambda t, grid: exact.law(t).cell_averages(0.0, grid.edges),
        density=lambda t, theta: exact.law(t).density(0.0, np.stack(theta, axis=-1)),
        energy=exact.energy,
        mass=lambda t: 1.0,
        outside=lambda t: _beyond(exact.law(t), 0.0, axes),
    )


def _well(equation: Equation, law: AnyLaw, dynamics: _Dynamics) -> ExactSolution | None:
    """Mass drawn to 0 on the circle by a fixed potential."""
    energy = equation.energy
    if not isinstance(energy, PotentialEnergy) or not isinstance(energy.potential, CosineWell):
        return None
    depth = energy.potential.depth
    known = energy == PotentialEnergy(CosineWell(depth), energy.space) and depth > 0
    if not known or not _uniform_on_circle(equation, law):
        return None
    kind = CircleFamily if dynamics.transport else CircleBirthDeath
    return on_circle(kind(dynamics.alpha, depth), dynamics.free)


def _interacting(equation: Equation, law: AnyLaw, dynamics: _Dynamics) -> ExactSolution | None:
    """Cosine units on the circle whose target leans to 0."""
    energy = equation.energy
    if not isinstance(energy, Energy) or dynamics.free or not dynamics.transport:
        return None
    unit, target, data = energy.unit, energy.target, energy.data
    if not isinstance(unit, Cosine) or not isinstance(target, Teacher):
        return None
    plain = energy == Energy(unit, target, data, energy.space)
    at_zero = not any(np.any(c) for c in target.centres) and sum(target.masses) > 0
    # The quadrature must see products of two cosines as the integral does.
    uniform = isinstance(data, UniformCircle) and data.points >= 3
    if not plain or not at_zero or not uniform or not _uniform_on_circle(equation, law):
        return None
    force = unit.kappa * sum(target.masses)
    return on_circle(CircleFamily(dynamics.alpha, force, unit.kappa), free=False)


def on_line(exact: QuadraticGaussian, axes: tuple[Axis, ...], free: bool) -> ExactSolution:
    """A Gaussian as the solution of a problem on intervals, with its mass free or kept at one."""

    def mass(t: float) -> float:
        return exact.mass(t) if free else 1.0

    return ExactSolution(
        averages=lambda t, grid: mass(t) * exact.cell_averages(t, grid.edges),
        density=lambda t, theta: mass(t) * exact.density(t, np.stack(theta, axis=-1)),
        energy=lambda t: mass(t) * exact.energy(t),
        mass=mass,
        outside=lambda t: _beyond(exact, t, axes),
    )


def _beyond(exact: QuadraticGaussian, t: float, axes: tuple[Axis, ...]) -> float:
    """The mass of a Gaussian of mass one beyond the walls of a space."""
    spreads = np.sqrt(np.diag(exact.covariance(t)))
    return sum(
        float(ndtr((axis.lower - mean) / spread) + ndtr((mean - axis.upper) / spread))
        for axis, mean, spread in zip(axes, exact.mean(t), spreads, strict=True)
    )


def on_circle(exact: CircleFamily | CircleBirthDeath, free: bool) -> ExactSolution:
    """A density on the circle as the solution of a problem, its mass free or kept at one."""

    def mass(t: float) -> float:
        return exact.free_mass(t) if free else 1.0

    return ExactSolution(
        averages=lambda t, grid: mass(t) * exact.cell_averages(t, grid.edges[0]),
        density=lambda t, theta: mass(t) * exact.density(t, theta[0]),
        energy=lambda t: mass(t) * exact.energy(t),
        mass=mass,
        outside=lambda t: 0.0,
    )
