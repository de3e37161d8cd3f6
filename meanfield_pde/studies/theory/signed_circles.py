r"""Signed spikes on two copies of the circle: the problem, its runs, certificates and rates.

See `claims.signed_spikes` for the formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.signal import argrelextrema

from meanfield_pde.dynamics.birth_death import BirthDeath, Free
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.laws import MixtureLaw, ProductLaw
from meanfield_pde.problem.one_parameter_laws import Point, Uniform
from meanfield_pde.problem.optimum import Optimum
from meanfield_pde.problem.penalties import ConstantPenalty
from meanfield_pde.problem.spaces import Circle, Interval, Product
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Charged, Dirichlet
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.schedules import EveryTime
from meanfield_pde.timestepping.step_size import Controlled
from meanfield_pde.timestepping.unsplit import Unsplit

Array = NDArray[np.float64]

UNIT = Dirichlet(5)
PLACES, WEIGHTS = (-2.8, 0.2, 1.5), (0.8, -0.6, 0.5)
"""The true spikes: such that of the rates of decay the slowest is apart from the next."""

LAMBDA = 0.5
ALPHA, MOBILITY = 1.0, 0.2
T_END, INTERVAL = 50.0, 0.5

ANGLES = -math.pi + 2.0 * math.pi * np.arange(1024) / 1024


def circle(price: float = LAMBDA) -> Energy:
    """On one circle: for measures of either sign."""
    target = Teacher(PLACES, WEIGHTS)
    penalty = ConstantPenalty(price)
    return Energy(UNIT, target, UniformCircle(16), Circle(), penalty=penalty)


def both_signs() -> Energy:
    """On two circles: charges of 1 and -1, that stay."""
    space = Product((Circle(), Interval(-2.0, 2.0)))
    return replace(circle(), unit=Charged(UNIT), space=space)


@dataclass(frozen=True)
class Run:
    """From the uniform law on both circles.

    Attributes
    ----------
    alpha : float
        0 for gradient descent.
    mass : float
        At the start.
    nodes : int
        On either circle.
    tolerance : float
        Of a step.
    """

    alpha: float
    mass: float
    nodes: int
    tolerance: float


@dataclass(frozen=True, eq=False)
class Path:
    """What is kept of a run.

    Attributes
    ----------
    run : Run
    time, energy, mass : array (times,)
    potential : array (times,)
        int V dmu.
    residual : array (times, data points)
        f - f*.
    end : array (nodes, 3)
        Place, sign and log-mass.
    """

    run: Run
    time: Array
    energy: Array
    mass: Array
    potential: Array
    residual: Array
    end: Array


def solved(run: Run) -> Path:
    """Solve it along characteristics."""
    energy = both_signs()
    birth_death = [BirthDeath(run.alpha, Free())] if run.alpha else []
    equation = Equation(energy, [*birth_death, Transport((MOBILITY, 0.0))])
    circles = (ProductLaw((Uniform(), Point(sign))) for sign in (1.0, -1.0))
    method = Characteristics((run.nodes, 4), redistribute=None, picture=0)
    mu = method.project(MixtureLaw((1.0, 1.0), tuple(circles)), energy.space).scaled(run.mass)
    every = EveryTime(INTERVAL)
    solution = solve(
        equation,
        mu,
        T_END,
        splitting=Unsplit("dop853"),
        step=Controlled(run.tolerance),
        record=every,
        save=every,
    )
    return Path(
        run,
        solution.time,
        solution.energy,
        solution.mass,
        solution.mean_potential * solution.mass,
        solution.prediction - energy.target_values,
        solution.nodes[-1],
    )


def certificate(residual: Array, theta: Array, price: float = LAMBDA) -> Array:
    """eta = - <f - f*, psi> / lambda at angles."""
    x, weights = UniformCircle(16).quadrature()
    return np.asarray(-(weights * residual) @ UNIT.value(x, (theta,)) / price)


def largest(residual: Array) -> float:
    """max |eta| over the circle: near the end its maxima at all spikes are about as high."""
    sizes, step = np.abs(certificate(residual, ANGLES)), ANGLES[1] - ANGLES[0]
    high = argrelextrema(sizes, np.greater_equal, mode="wrap")[0]
    high = high[sizes[high] > 0.9 * sizes.max()]

    def below(theta: float) -> float:
        return -float(np.abs(certificate(residual, np.array([theta])))[0])

    found = [
        minimize_scalar(
            below, bounds=(at - step, at + step), method="bounded", options={"xatol": 1e-9}
        ).fun
        for at in ANGLES[high]
    ]
    return -float(min(found))


def gaps(path: Path) -> Array:
    """The gap at each time: at least E - E*."""
    lowest = LAMBDA * np.array([1.0 - largest(residual) for residual in path.residual])
    return np.asarray(path.potential - path.energy / LAMBDA * np.minimum(lowest, 0.0))


def optimal_residual(best: Optimum, energy: Energy) -> Array:
    """f - f* at the optimum."""
    unit = UNIT.value(energy.inputs, tuple(best.points.T))
    return np.asarray(unit @ best.masses - energy.target_values)


def hessian(best: Optimum, price: float = LAMBDA) -> tuple[Array, Array]:
    """Of E in masses and places of the spikes; and V'' at these."""
    energy = circle(price)
    residual, weights = optimal_residual(best, energy), energy.data_weights
    spikes, signs, masses = best.points[:, 0], np.sign(best.masses), np.abs(best.masses)
    value = signs * UNIT.value(energy.inputs, (spikes,))
    slope = signs * masses * UNIT.derivative(0, energy.inputs, (spikes,), value)
    columns = np.sqrt(weights)[:, None] * np.concatenate([value, slope], axis=1)
    bent = [_curvature(residual, spike, price) for spike in spikes]
    curved = -signs * price * np.array(bent)
    diagonal = np.concatenate([np.zeros(signs.size), masses * curved])
    return columns.T @ columns + np.diag(diagonal), curved


def rates(best: Optimum) -> dict[str, float]:
    """The rates at which E - E* may decay, by what is slowest to go."""
    residual = optimal_residual(best, circle())
    spikes, signs, masses = best.points[:, 0], np.sign(best.masses), np.abs(best.masses)
    remote, maxima = [], []
    for sign in (1.0, -1.0):
        potential = LAMBDA * (1.0 - sign * certificate(residual, ANGLES))
        own = spikes[signs == sign]
        for k in argrelextrema(potential, np.less, mode="wrap")[0]:
            if np.min(np.abs(np.angle(np.exp(1j * (ANGLES[k] - own)))), initial=9.0) > 0.1:
                remote.append(ALPHA * float(potential[k]))
        for k in argrelextrema(potential, np.greater, mode="wrap")[0]:
            bent = abs(_curvature(residual, ANGLES[k]))
            maxima.append(ALPHA * float(potential[k]) + MOBILITY * LAMBDA * bent)
    matrix, curved = hessian(best)
    scale = np.sqrt(np.concatenate([ALPHA * masses, MOBILITY / masses]))
    lowest = float(np.linalg.eigvalsh(scale[:, None] * matrix * scale)[0])
    return {
        "other minima": min(remote),
        "maxima": min(maxima),
        "widths": 2.0 * MOBILITY * float(curved.min()),
        "spikes": 2.0 * lowest,
    }


def _curvature(residual: Array, theta: float, price: float = LAMBDA, step: float = 1e-3) -> float:
    """eta'', by a formula of order 4."""
    values = certificate(residual, theta + step * np.arange(-2.0, 3.0), price)
    return float(values @ np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / (12.0 * step**2))
