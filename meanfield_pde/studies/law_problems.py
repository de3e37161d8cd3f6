"""Problems for which a law of decay is known, with what its conditions say: see `laws`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import iv

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.errors import NumericalFailure
from meanfield_pde.evolution import solve
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.data import GaussHermite, Line, ProductData, UniformCircle
from meanfield_pde.problem.energy import (
    AnyEnergy,
    Energy,
    PotentialEnergy,
    unit_derivative,
    unit_value,
)
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.own_units import FormulaUnit, OwnUnit
from meanfield_pde.problem.potentials import CosineWell, DoubleWell, FormulaPotential, Quadratic
from meanfield_pde.problem.ridge import Ridge
from meanfield_pde.problem.spaces import Axis, Box, Circle, Interval, Product
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Dirichlet, Gaussian, VonMises
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.initial_nodes import tensor_log_weights, tensor_points
from meanfield_pde.representations.rules import GaussPanels
from meanfield_pde.schedules import AtTimes
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]
Terms = tuple[Callable[[Array], Array], ...]

PER_DECADE = 8
"""Times at which an energy is looked at, in each factor 10 of t."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A multiple of E, that tends to the limit of its law, at times."""

    times: Array
    values: Array

    def difference(self, other: Curve) -> float:
        """The largest, relative, from a curve over the first of the times."""
        shared = other.times.size
        assert np.allclose(self.times[:shared], other.times, rtol=1e-9)
        return float(np.max(np.abs(other.values / self.values[:shared] - 1.0)))


def power(exponent: float) -> Callable[[Array], Array]:
    """t to a power."""
    return lambda t: t**exponent


def logarithm(t: Array) -> Array:
    """log t / t."""
    return np.asarray(np.log(t) / t)


def geometric_times(last: float) -> Array:
    """From 1 to the last time, `PER_DECADE` in each factor 10."""
    return 10.0 ** (np.arange(1 + round(PER_DECADE * math.log10(last))) / PER_DECADE)


def panels_towards(axis: Axis, centres: Array, levels: int) -> GaussPanels:
    """Ten Gauss points on panels that halve `levels` times towards each centre."""
    steps = axis.length / 8.0 * 0.5 ** np.arange(levels)
    around = np.concatenate([centres[:, None] - steps, centres[:, None] + steps]).ravel()
    inside = around[(around > axis.lower) & (around < axis.upper)]
    breaks = np.unique(np.concatenate([[axis.lower, axis.upper], inside]))
    apart = np.diff(breaks, prepend=-np.inf) > 0.25 * steps[-1]
    return GaussPanels(breaks[apart], 10)


def rules_towards(energy: AnyEnergy, centres: Array, levels: int) -> tuple[GaussPanels, ...]:
    """The same along every parameter."""
    axes = energy.space.axes
    return tuple(panels_towards(axis, centres[:, k], levels) for k, axis in enumerate(axes))


def energies_of(
    equation: Equation, mu: CharacteristicsMeasure, last: float, tolerance: float
) -> tuple[Array, Array]:
    """Times and energies."""
    times = geometric_times(last)
    record = AtTimes(tuple(times.tolist()))
    step = Controlled(tolerance)
    solution = solve(equation, mu, float(times[-1]), step=step, record=record, save=AtTimes(()))
    return times, solution.energy[1:]


@dataclass(frozen=True)
class Well:
    """A potential with one lowest place, from the uniform law, alpha = 1.

    Attributes
    ----------
    at : tuple of float
        The lowest place.
    limit : float
        Of t (E - E*).
    terms : tuple of callables
        How it is reached.
    levels : int
        Halvings of the panels towards the lowest place, for times up to 10^4.
    """

    name: str
    energy: PotentialEnergy
    at: tuple[float, ...]
    limit: float
    terms: Terms
    levels: int

    @property
    def lowest(self) -> float:
        """E*."""
        return float(self.energy.potential.value(tuple(np.array([c]) for c in self.at))[0])

    def run(self, last: float, coarser: int = 0) -> Curve:
        """t (E - E*) along characteristics."""
        rules = rules_towards(self.energy, np.array([self.at]), self.levels - coarser)
        log_weights = tensor_log_weights(rules)
        mu = CharacteristicsMeasure(
            axes=self.energy.space.axes,
            rules=(rules,),
            points=tensor_points(rules),
            log_masses=log_weights - math.log(float(np.sum(np.exp(log_weights)))),
            method=Characteristics(redistribute=None),
        )
        times, energies = energies_of(Equation(self.energy, [BirthDeath(1.0)]), mu, last, 1e-8)
        return Curve(times, times * (energies - self.lowest))


@dataclass(frozen=True)
class Spikes:
    """Units whose target is made of few of them, from the uniform law, alpha = 1.

    Attributes
    ----------
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

    @property
    def limit(self) -> float:
        """Of t E, where the law holds."""
        return len(self.energy.parameters) / 8.0

    @property
    def atoms(self) -> Array:
        """Those of the target, (atoms, parameters)."""
        target = self.energy.target
        assert isinstance(target, Teacher)
        return np.array([np.atleast_1d(centre) for centre in target.centres])

    def independence(self) -> float:
        """Smallest singular value of phi and its derivatives up to order 2 at the atoms.

        Each divided by its norm in L2(nu); zero if there are more of them than data points.
        """
        unit, x = self.energy.unit, self.energy.inputs
        theta, step = tuple(self.atoms.T), 1e-4
        columns = [unit_value(unit, x, theta)]
        for k in range(len(theta)):
            columns.append(unit_derivative(unit, k, x, theta))
            for j in range(k + 1):
                ahead, behind = (
                    unit_derivative(unit, k, x, _shifted(theta, j, sign * step))
                    for sign in (1.0, -1.0)
                )
                columns.append((ahead - behind) / (2.0 * step))
        matrix = np.sqrt(self.energy.data_weights)[:, None] * np.concatenate(columns, axis=1)
        if matrix.shape[0] < matrix.shape[1]:
            return 0.0
        singular = np.linalg.svd(matrix / np.linalg.norm(matrix, axis=0), compute_uv=False)
        return float(singular[-1])

    def run(self, last: float) -> Curve:
        """t E along characteristics."""
        mu = Characteristics(self.nodes, redistribute=None).project(Uniform(), self.energy.space)
        times, energies = energies_of(Equation(self.energy, [BirthDeath(1.0)]), mu, last, 1e-8)
        return Curve(times, times * energies)

    def family(self, last: float, coarser: int = 0, tolerance: float = 1e-8) -> Curve:
        """t E in the exponential family, by the equation for g.

        Raises
        ------
        NumericalFailure
            If the integration stops.
        """
        energy = self.energy
        rules = rules_towards(energy, self.atoms, self.levels - coarser)
        log_weights = tensor_log_weights(rules)
        root = np.sqrt(energy.data_weights)
        theta = tuple(tensor_points(rules).T)
        unit = root[:, None] * unit_value(energy.unit, energy.inputs, theta)
        target = root * energy.target_values

        def masses(g: Array) -> Array:
            logs = log_weights - g @ unit
            weights = np.exp(logs - logs.max())
            return np.asarray(weights / weights.sum())

        def rate(t: float, g: Array) -> Array:
            return np.asarray(unit @ masses(g) - target)

        def jacobian(t: float, g: Array) -> Array:
            mu = masses(g)
            mean = unit @ mu
            return np.outer(mean, mean) - (unit * mu) @ unit.T

        times = geometric_times(last)
        result = solve_ivp(
            rate,
            (0.0, times[-1]),
            np.zeros(root.size),
            method="Radau",
            jac=jacobian,
            t_eval=times,
            rtol=tolerance,
            atol=1e-2 * tolerance,
        )
        if not result.success:
            raise NumericalFailure(f"{self.name}: {result.message}: take a looser tolerance")
        residuals = np.array([rate(0.0, g) for g in result.y.T])
        return Curve(times, times * 0.5 * np.sum(residuals**2, axis=1))


def _shifted(theta: Theta, k: int, step: float) -> Theta:
    return tuple(t + step if j == k else t for j, t in enumerate(theta))


@dataclass(frozen=True)
class OneUnit:
    """Units of one even shape on the circle, one of them the target, from the uniform law.

    Attributes
    ----------
    last : float
        The end of a run.
    """

    name: str
    energy: Energy
    alpha: float
    last: float

    def kernel(self, distance: float, order: int) -> float:
        """A derivative of K, of even order."""
        energy, count = self.energy, 4 * self.energy.data_weights.size
        theta = 2.0 * math.pi * np.arange(count) / count
        unit = unit_value(energy.unit, energy.inputs, (theta,))
        waves = np.fft.rfft((energy.data_weights * unit[:, 0]) @ unit).real / count
        # Data on a circle tell apart as many waves as half their number.
        m = np.arange(energy.data_weights.size // 2)
        terms = np.where(m > 0, 2.0, 1.0) * waves[m] * m**order * np.cos(m * distance)
        return float((-1.0) ** (order // 2) * np.sum(terms))

    @property
    def exponent(self) -> float:
        """q: the mass opposite the atom decays like t^-q."""
        fall = self.kernel(math.pi, 2) - self.kernel(0.0, 2)
        leaving = max(-self.kernel(math.pi, 4), 0.0)
        return (self.alpha * fall + leaving) / (2.0 * self.kernel(0.0, 4))

    @property
    def threshold(self) -> float:
        """The alpha above which q > 1."""
        fall = self.kernel(math.pi, 2) - self.kernel(0.0, 2)
        return self.alpha + 2.0 * self.kernel(0.0, 4) * (1.0 - self.exponent) / fall

    @property
    def terms(self) -> Terms:
        """How the limit is reached: by what remote mass adds, and the next order at the atom."""
        remote = self.exponent - 1.0
        local: Terms = (logarithm, power(-1.0))
        return (power(-remote), *local) if 0.0 < remote < 1.0 else local

    def run(self, nodes: int, last: float, tolerance: float) -> Curve:
        """8 K''''(0) t^2 E along characteristics."""
        equation = Equation(self.energy, [BirthDeath(self.alpha), Transport()])
        mu = Characteristics(nodes, redistribute=None).project(Uniform(), self.energy.space)
        times, energies = energies_of(equation, mu, last, tolerance)
        return Curve(times, 8.0 * self.kernel(0.0, 4) * times**2 * energies)


def _formula(expression: str, *bounds: tuple[float, float]) -> PotentialEnergy:
    lower, upper = zip(*bounds, strict=True)
    return PotentialEnergy(FormulaPotential(expression, len(bounds)), Box(lower, upper))


DOUBLE = PotentialEnergy(DoubleWell(1.0, 0.3), Interval(-2.0, 2.0))
COSINE = PotentialEnergy(CosineWell(1.0), Circle())
BOWL = PotentialEnergy(Quadratic(((1.0, 0.4), (0.4, 0.6))), Box((-2.0, -2.0), (3.0, 2.0)))
LOWEST = float(np.min(np.roots([4.0, 0.0, -4.0, 0.3]).real))
"""Of the double well."""

QUINTIC = _formula("theta**4 + 0.5*theta**5", (-1.0, 1.5))
QUARTIC = _formula(
    "theta_1**4 + theta_2**4 + theta_1**2*theta_2**2 + 0.25*theta_1**5", (-1.0, 1.2), (-1.0, 1.5)
)
MIXED = _formula("theta_1**2 + theta_2**4 + theta_1*theta_2**3", (-1.0, 1.0), (-1.0, 1.5))
WALL = _formula("theta + theta**2", (0.0, 1.5))

WHOLE, HALF = (power(-1.0), power(-2.0)), (power(-0.5), power(-1.0), power(-1.5))
WELLS = (
    Well("double well, tilted: order 2", DOUBLE, (LOWEST,), 0.5, WHOLE, 9),
    Well("- cos theta: order 2", COSINE, (0.0,), 0.5, WHOLE, 8),
    Well("theta^4 + theta^5 / 2: order 4", QUINTIC, (0.0,), 0.25, HALF, 5),
    Well("bowl in the plane: order 2", BOWL, (0.0, 0.0), 1.0, WHOLE, 7),
    Well("x^4 + y^4 + x^2 y^2 + x^5 / 4: order 4", QUARTIC, (0.0, 0.0), 0.5, HALF, 4),
    Well("x^2 + y^4 + x y^3: orders 2 and 4", MIXED, (0.0, 0.0), 0.75, HALF, 6),
    Well("theta + theta^2, at a wall", WALL, (0.0,), 1.0, WHOLE, 12),
)
"""t (E - E*) tends to the sum of 1 / order over parameters; at a wall with a slope, to 1."""


def _waves(k: int) -> str:
    return f"(1 + 2*cos(x_{k} - theta_{k}) + 2*cos(2*(x_{k} - theta_{k})))"


def _on_torus(expression: str, points: int) -> Energy:
    unit = FormulaUnit(expression, ("theta_1", "theta_2"), 2)
    target = Teacher(((-1.5, 0.5), (1.3, -1.2)), (0.6, 0.4))
    data = ProductData((UniformCircle(points), UniformCircle(points)))
    return Energy(unit, target, data, Product((Circle(), Circle())))


THREE = Teacher((-2.0, 0.3, 1.9), (0.5, 0.2, 0.3))
INTERVAL = Energy(
    Gaussian(0.5),
    Teacher((-1.2, 0.9), (0.6, 0.4)),
    Line(-10.0, 10.0, 61),
    Interval(-3.0, 3.0),
)
BUMPS = Energy(VonMises(2.0), THREE, UniformCircle(48), Circle())
WAVES = Energy(
    Dirichlet(4, 1.0),
    Teacher((0.18, 0.45, -0.23), (0.5, 0.3, 0.2)),
    UniformCircle(12, 1.0),
    Circle(1.0),
)
PLANE = Energy(
    Gaussian(0.2, 2),
    Teacher(((-0.8, 0.3), (0.9, -0.5)), (0.6, 0.4)),
    ProductData((Line(-2.5, 2.5, 9), Line(-2.5, 2.5, 9))),
    Box((-2.0, -2.0), (2.0, 2.0)),
)
CROSSED = _on_torus(
    "exp(cos(x_1 - theta_1) + cos(x_2 - theta_2) + 0.5*cos(x_1 - theta_1 + x_2 - theta_2) - 2)", 8
)
PRODUCT = _on_torus(f"0.2*{_waves(1)}*{_waves(2)}", 6)
SPIKES = (
    Spikes("Gaussian, interval, 2 atoms", INTERVAL, 160, 9, 1e7),
    Spikes("von Mises, circle, 3 atoms", BUMPS, 256, 9, 1e7),
    Spikes("Dirichlet, circle, 3 atoms", WAVES, 256, 9, 1e6),
    Spikes("Gaussian, plane, 2 atoms", PLANE, 64, 4, 1e5),
    Spikes("crossed von Mises, torus, 2 atoms", CROSSED, 40, 4, 1e6),
    Spikes("product of Dirichlet, torus, 2 atoms", PRODUCT, 40, 4, 1e4),
)
"""The conditions of the law hold."""

FEW = Energy(VonMises(2.0), THREE, UniformCircle(5), Circle())
NEURONS = Energy(
    Ridge("tanh"),
    Teacher(((1.0, 0.5), (-1.0, 0.7)), (0.6, 0.4)),
    GaussHermite(0.0, 1.5, 24),
    Box((-3.0, -3.0), (3.0, 3.0)),
)
OTHERS = (
    Spikes("von Mises, 3 atoms, 5 data points", FEW, 256, 8, 1e6),
    Spikes("tanh(w x + b), 2 atoms", NEURONS, 64, 3, 1e4),
)
"""They do not hold: other densities fit as well as the atoms."""

ROOTS: Terms = (power(-0.5), logarithm, power(-1.0))
"""How the limit of t E is reached among interacting units."""

ORDER = 11
ROOT_WAVES = np.sqrt(iv(np.arange(ORDER + 1), 1.0))


def _value(x: Any, theta: Any) -> Any:
    """With itself this unit has the kernel exp(cos d), up to frequency ORDER."""
    cosines = (ROOT_WAVES[m] * np.cos(m * (x - theta)) for m in range(1, ORDER + 1))
    return ROOT_WAVES[0] + 2.0 * sum(cosines)


def _slope(x: Any, theta: Any) -> tuple[Any]:
    sines = (m * ROOT_WAVES[m] * np.sin(m * (x - theta)) for m in range(1, ORDER + 1))
    return (2.0 * sum(sines),)


ONE, AROUND = Teacher((0.3,), (1.0,)), UniformCircle(2 * ORDER + 4)
BUMP = Energy(VonMises(1.0), ONE, AROUND, Circle())
KERNEL = Energy(OwnUnit(_value, gradient=_slope), ONE, AROUND, Circle())
ONE_UNIT = (
    OneUnit("von Mises unit", BUMP, 3.0, 1e5),
    OneUnit("von Mises unit", BUMP, 6.0, 1e5),
    OneUnit("kernel exp(cos d)", KERNEL, 10.0, 1e4),
    OneUnit("kernel exp(cos d)", KERNEL, 14.0, 1e4),
    OneUnit("kernel exp(cos d)", KERNEL, 6.0, 1e4),
)
"""All but the last above their thresholds."""
