r"""Runs in the plane, of ReLU neurons, and on the circles they project to.

What starts in the plane is a mixture of normal blobs whose means are on the unit circle; its image,
the law of arg w under |w|^2 mu, has a formula. Nodes on rays, and ReLU neurons, start as point
masses, and so do their images.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from meanfield_pde.dynamics.birth_death import BirthDeath, Free
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.density_laws import DensityFunction
from meanfield_pde.problem.laws import MixtureLaw, ProductLaw
from meanfield_pde.problem.one_parameter_laws import Normal
from meanfield_pde.problem.units import Charged, ReluCircle
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.theory.homogeneous import (
    CIRCLE,
    NETWORK,
    PLANE,
    SIGNED_CIRCLES,
    points_law,
)
from meanfield_pde.timestepping.step_size import Controlled, Fixed, Step
from meanfield_pde.timestepping.unsplit import Unsplit

Array = NDArray[np.float64]

SPREAD = 0.15
"""Deviation of the blobs of the initial law in the plane, whose means are on the unit circle."""

BLOBS = 2.0 * math.pi / 8.0 * np.arange(8)
SHARES = (1.0 + 0.5 * np.cos(BLOBS - 1.0)) / 8.0
"""Directions and shares of the blobs."""

REACH = 7.0
"""In deviations: the blobs end where their density is exp(-24.5) of its maximum."""

RADII = (0.6, 1.0, 1.4)
"""Of the nodes on rays."""

UNBALANCED = 2.0
"""|w| and 1 / |a| of neurons that start unbalanced: the prediction is that of balanced ones."""

T_PLANE, T_RELU = 10.0, 150.0

PER_DECADE, DECADES = 10, 2
"""Recorded times."""

CORNERS = UniformCircle(512)
"""Data for max(0, cos) itself."""


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    system : str
        A key of `SYSTEMS`.
    nodes : int
        Along each parameter of a rule; or directions of point masses.
    step : float
        Tolerance of a step, or its length.
    """

    system: str
    nodes: int
    step: float


@dataclass(frozen=True, eq=False)
class Path:
    """What is kept of a run.

    Attributes
    ----------
    run : Run
    time, energy : array (times,)
    squares : array (times, parameters)
        int theta_k^2 dmu.
    mass : array (times,)
    prediction : array (times, data points)
    nodes : array (times, nodes, parameters + 1)
        Positions and log-masses.
    """

    run: Run
    time: Array
    energy: Array
    squares: Array
    mass: Array
    prediction: Array
    nodes: Array

    @property
    def projected(self) -> Array:
        """The mass of the image: int |w|^2 dmu in the plane, half the squares of (a, w)."""
        if self.squares.shape[1] == 3:
            return 0.5 * self.squares.sum(axis=1)
        return self.squares.sum(axis=1) if self.run.system in ("plane", "rays") else self.mass

    @property
    def imbalance(self) -> Array:
        """int (|w|^2 - a^2) dmu of neurons (a, w)."""
        return self.squares @ np.array([-1.0, 1.0, 1.0])

    def differences(self, other: Path) -> Array:
        """Of E, f and the mass of the image at each time, relative to the largest there is."""
        pairs = (
            (self.energy[:, None], other.energy[:, None]),
            (self.prediction, other.prediction),
            (self.projected[:, None], other.projected[:, None]),
        )
        return np.array([np.max(np.abs(a - b), axis=1) / np.max(np.abs(a)) for a, b in pairs])

    def difference(self, other: Path) -> float:
        """The largest of them."""
        return float(np.max(self.differences(other)))


def image_density(theta: Array) -> Array:
    """The density of the image of |w|^2 mu_0 on the circle: radial integrals of the blobs.

    With b the mean along a direction, z = b / s and s the deviation,
    int r^3 exp(-(r - b)^2 / 2 s^2) dr = s^4 ((z^3 + 3 z) sqrt(2 pi) Phi(z) + (z^2 + 2) e^(-z^2/2)).
    """
    total = np.zeros(np.shape(theta))
    for share, direction in zip(SHARES, BLOBS, strict=True):
        z = np.cos(theta - direction) / SPREAD
        across = np.exp(-0.5 * (np.sin(theta - direction) / SPREAD) ** 2)
        below = (z**2 + 2.0) * np.exp(-0.5 * z**2)
        radial = (z**3 + 3.0 * z) * math.sqrt(2.0 * math.pi) * ndtr(z) + below
        total += share * SPREAD**2 / (2.0 * math.pi) * across * radial
    return total


IMAGE_MASS = 1.0 + 2.0 * SPREAD**2
"""int |w|^2 dmu_0."""


def _blobs(run: Run) -> CharacteristicsMeasure:
    means = np.stack([np.cos(BLOBS), np.sin(BLOBS)], axis=1)
    parts = (ProductLaw(tuple(Normal(float(m), SPREAD) for m in mean)) for mean in means)
    law = MixtureLaw(tuple(SHARES), tuple(parts))
    method = Characteristics(run.nodes, reach=REACH, redistribute=None, picture=0)
    return method.project(law, PLANE.space)


def _image(run: Run) -> CharacteristicsMeasure:
    method = Characteristics(run.nodes, redistribute=None, picture=0)
    return method.project(DensityFunction(image_density), CIRCLE.space).scaled(IMAGE_MASS)


def _unit_image(run: Run) -> CharacteristicsMeasure:
    return _image(run).scaled(1.0 / IMAGE_MASS)


POINTS = Characteristics(redistribute=None, picture=0)


def _directions(count: int) -> Array:
    return -math.pi + 2.0 * math.pi * (np.arange(count) + 0.5) / count


def _masses(theta: Array) -> Array:
    return (1.0 + 0.5 * np.cos(theta - 1.0)) / theta.size


def _rays(run: Run) -> CharacteristicsMeasure:
    theta = np.repeat(_directions(run.nodes), len(RADII))
    radii = np.tile(RADII, run.nodes)
    points = np.stack([radii * np.cos(theta), radii * np.sin(theta)], axis=1)
    return POINTS.project(points_law(points, tuple(_masses(theta))), PLANE.space)


def _rays_image(run: Run) -> CharacteristicsMeasure:
    theta = _directions(run.nodes)
    law = points_law(theta[:, None], tuple(_masses(theta)))
    return POINTS.project(law, CIRCLE.space).scaled(float(np.mean(np.square(RADII))))


def _neurons(run: Run, longer: float = 1.0) -> CharacteristicsMeasure:
    """Neurons of both signs with |w| = longer, |a| = 1 / longer."""
    theta, signs = np.tile(_directions(run.nodes), 2), np.repeat([1.0, -1.0], run.nodes)
    columns = [signs / longer, longer * np.cos(theta), longer * np.sin(theta)]
    law = points_law(np.stack(columns, axis=1), (1.0,) * theta.size)
    return POINTS.project(law, NETWORK.space)


def _unbalanced(run: Run) -> CharacteristicsMeasure:
    return _neurons(run, UNBALANCED)


def _signs(run: Run) -> CharacteristicsMeasure:
    theta, signs = np.tile(_directions(run.nodes), 2), np.repeat([1.0, -1.0], run.nodes)
    law = points_law(np.stack([theta, signs], axis=1), (1.0,) * theta.size)
    return POINTS.project(law, SIGNED_CIRCLES.space)


@dataclass(frozen=True)
class System:
    """What is solved.

    Attributes
    ----------
    equation : Equation
    start : callable
        The initial measure.
    last : float
        The end of a run.
    steps : callable
        From the `step` of a run.
    """

    equation: Equation
    start: Callable[[Run], CharacteristicsMeasure]
    last: float
    steps: Callable[[float], Step] = Controlled


_DESCENT = (Transport(),)
_ON_CIRCLE = (BirthDeath(4.0, Free()), Transport())
_ON_SIGNS = (BirthDeath(2.0, Free()), Transport((1.0, 0.0)))

SYSTEMS = {
    "plane": System(Equation(PLANE, _DESCENT), _blobs, T_PLANE),
    "circle": System(Equation(CIRCLE, _ON_CIRCLE), _image, T_PLANE),
    "mean": System(Equation(CIRCLE, [BirthDeath(1.0), Transport()]), _unit_image, T_PLANE),
    "rays": System(Equation(PLANE, _DESCENT), _rays, T_PLANE),
    "directions": System(Equation(CIRCLE, _ON_CIRCLE), _rays_image, T_PLANE),
    "neurons": System(Equation(NETWORK, _DESCENT), _neurons, T_RELU),
    "unbalanced": System(Equation(NETWORK, _DESCENT), _unbalanced, T_RELU),
    "signs": System(Equation(SIGNED_CIRCLES, _ON_SIGNS), _signs, T_RELU),
    "corners": System(
        Equation(
            replace(SIGNED_CIRCLES, unit=Charged(ReluCircle()), data=CORNERS),
            _ON_SIGNS,
        ),
        _signs,
        T_RELU,
        Fixed,
    ),
}


def solved(run: Run) -> Path:
    """Solve one system along characteristics."""
    system = SYSTEMS[run.system]
    decades = np.arange(-DECADES * PER_DECADE, 1) / PER_DECADE
    times = AtTimes((0.0, *(system.last * 10.0**decades).tolist()))
    mu = system.start(run)
    solution = solve(
        system.equation,
        mu,
        system.last,
        splitting=Unsplit("dop853"),
        step=system.steps(run.step),
        record=times,
        save=times,
    )
    moments = (solution.mean**2 + solution.variance) * solution.mass[:, None]
    return Path(
        run,
        solution.time,
        solution.energy,
        moments,
        solution.mass,
        solution.prediction,
        np.array(solution.nodes),
    )
