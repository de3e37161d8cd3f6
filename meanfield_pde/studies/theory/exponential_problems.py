"""Problems that converge exponentially, with the rates at which their parts decay.

See `claims.exponential_rates` for the law.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from meanfield_pde.problem.data import Line, UniformCircle
from meanfield_pde.problem.energy import Energy, PotentialEnergy
from meanfield_pde.problem.losses import Logistic
from meanfield_pde.problem.penalties import FormulaPenalty
from meanfield_pde.problem.potentials import FormulaPotential
from meanfield_pde.problem.spaces import Box, Circle, Interval
from meanfield_pde.problem.targets import FormulaTarget, Teacher
from meanfield_pde.problem.units import Gaussian, VonMises

FALLS = 19.0
"""A run in a fixed potential ends when its slowest part has fallen by exp(-FALLS), ..."""

APART = 14.0
"""... or, earlier, when the next one has fallen by exp(-APART) relative to it."""

FALLS_OF_UNITS = 21.0
"""The same for units, of which more parts decay at rates that are close."""


@dataclass(frozen=True)
class Exit:
    """A way by which E - E* decays, at the rate deaths alpha + leaves."""

    name: str
    deaths: float
    leaves: float

    def rate(self, alpha: float) -> float:
        """At an alpha."""
        return self.deaths * alpha + self.leaves


@dataclass(frozen=True)
class Landscape:
    """A fixed potential with V* = 0 at the origin, and its ways."""

    energy: PotentialEnergy
    ways: tuple[Exit, ...]
    alphas: tuple[float, ...]

    def way(self, alpha: float) -> Exit:
        """The slowest."""
        return min(self.ways, key=lambda way: way.rate(alpha))

    def last(self, alpha: float) -> float:
        """When a run ends."""
        first, second, *_ = sorted(way.rate(alpha) for way in self.ways)
        # There are corrections by the part itself, and by the distance from the minimum, too.
        nearest = min(second - first, first, 0.5 * self.ways[0].leaves)
        return min(FALLS / first, APART / nearest)

    @property
    def threshold(self) -> float:
        """alpha_c: beyond it the slowest way is the first, the variance about the minimum."""
        best, others = self.ways[0].leaves, self.ways[1:]
        return max((best - way.leaves) / way.deaths for way in others)


def _potential(expression: str, *bounds: tuple[float, float]) -> PotentialEnergy:
    lower, upper = zip(*bounds, strict=True)
    return PotentialEnergy(FormulaPotential(expression, len(bounds)), Box(lower, upper))


def _wells() -> Landscape:
    """theta^2 ((theta - 1)^2 + 1/10): another minimum, and a maximum between."""
    formula = np.polynomial.Polynomial([0.0, 0.0, 1.1, -2.0, 1.0])
    top, other = (float(root) for root in np.sort(formula.deriv().roots().real)[1:])
    return Landscape(
        _potential("theta**2*((theta - 1)**2 + 0.1)", (-1.0, 2.0)),
        (
            Exit("variance", 0.0, 4.4),
            Exit("other minimum", float(formula(other)), 0.0),
            Exit("maximum", float(formula(top)), -float(formula.deriv(2)(top))),
        ),
        (4.0, 8.0, 15.0, 30.0, 80.0, 200.0, 500.0),
    )


def _ripples() -> Landscape:
    """1 - cos 3 theta + 0.3 (1 - cos theta): two more minima on the circle, three maxima."""

    def derivative(theta: float, order: int) -> float:
        shift = theta + order * math.pi / 2.0
        third = 3.0 * theta + order * math.pi / 2.0
        constant = 1.3 if order == 0 else 0.0
        return constant - 3.0**order * math.cos(third) - 0.3 * math.cos(shift)

    def near(theta: float) -> float:
        for _ in range(50):
            theta -= derivative(theta, 1) / derivative(theta, 2)
        return theta

    other, top = near(2.0 * math.pi / 3.0), near(math.pi / 3.0)
    highest = Exit("maximum", derivative(math.pi, 0), -derivative(math.pi, 2))
    return Landscape(
        PotentialEnergy(FormulaPotential("2*sin(1.5*theta)**2 + 0.6*sin(0.5*theta)**2"), Circle()),
        (
            Exit("variance", 0.0, 2.0 * derivative(0.0, 2)),
            Exit("other minimum", derivative(other, 0), 0.0),
            Exit("maximum", derivative(top, 0), -derivative(top, 2)),
            highest,
        ),
        (4.0, 8.0, 15.0, 25.0, 60.0, 200.0, 500.0),
    )


A, B, C = 1.0, 0.5, 0.4
SQUARES = ("sin(0.5*theta_1)**2", "sin(0.5*theta_2)**2")
LANDSCAPES: Mapping[str, Landscape] = {
    "circle": Landscape(
        PotentialEnergy(FormulaPotential("2*sin(0.5*theta)**2"), Circle()),
        (Exit("variance", 0.0, 2.0), Exit("maximum", 2.0, 1.0)),
        (0.03, 0.1, 0.2, 0.3, 1.0, 5.0, 30.0),
    ),
    "two wells": _wells(),
    "three wells": _ripples(),
    "plane": Landscape(
        _potential(
            f"{2 * (A + C)}*{SQUARES[0]} + {2 * (B + C)}*{SQUARES[1]}"
            f" - {4 * C}*{SQUARES[0]}*{SQUARES[1]}",
            (-1.0, math.pi),
            (-1.0, math.pi),
        ),
        (
            Exit("variance", 0.0, 2.0 * (B + C)),
            Exit("saddle", 2.0 * (B + C), B + C),
            Exit("maximum", 2.0 * (A + B), A + B - 2.0 * C),
            Exit("other saddle", 2.0 * (A + C), A + C),
        ),
        (0.02, 0.3, 1.0, 2.0),
    ),
}
"""1 - cos; a quartic; ripples; a (1 - cos 1) + b (1 - cos 2) + c (1 - cos 1 cos 2) in the plane.

The last is smooth on the torus and looked at on a part of it that its flow stays in.
"""

UNITS: Mapping[str, Energy] = {
    "mass 3/2": Energy(VonMises(1.0), Teacher((0.3,), (1.5,)), UniformCircle(26), Circle()),
    "penalty": Energy(
        Gaussian(0.5),
        Teacher((-1.2, 0.9), (0.6, 0.4)),
        Line(-10.0, 10.0, 61),
        Interval(-3.0, 3.0),
        penalty=FormulaPenalty("0.05*(y - 1)**2"),
    ),
    "more waves": Energy(
        VonMises(2.0),
        FormulaTarget("1 + 2*cos(x) + 1.5*cos(2*x + 1)"),
        UniformCircle(48),
        Circle(),
    ),
    "labels": Energy(
        VonMises(2.0),
        FormulaTarget("sign(cos(x) + 0.3*sin(2*x) - 0.2)"),
        UniformCircle(48),
        Circle(),
        Logistic(),
    ),
}
"""Data that no probability measure fits: too much mass, a penalty, waves, labels."""
