r"""Two-homogeneous neurons: |w|^2 phi(arg w) in the plane, and a max(0, w . x) with weight decay.

Both come with the problem on a circle that their gradient descent projects to (`projection`)::

    phi(x, w)      = |w|^2 psi(x - arg w),    w in R^2
    phi(x, (a, w)) = a |w| psi(x - arg w),    (a, w) in R^3,    psi(d) = max(0, cos d)

With x uniform on the circle ReLU is known by its waves,

    psi(d) = sum_k b_k cos k d,    b_0 = 1/pi, b_1 = 1/2, b_2m = (2/pi) (-1)^(m+1) / (4 m^2 - 1),

and L2(nu) by the basis 1, sqrt 2 cos k x, sqrt 2 sin k x, in which phi is a |w| times b_0,
b_k / sqrt 2 cos k theta and b_k / sqrt 2 sin k theta. Where these stand for the data, every
integral over x is exact and nothing has a corner; waves of the orders up to `HIGHEST` are kept. A
data point x is then the order of a wave, negative for a sine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.laws import MixtureLaw, ProductLaw
from meanfield_pde.problem.one_parameter_laws import Point
from meanfield_pde.problem.own_units import OwnUnit
from meanfield_pde.problem.penalties import ConstantPenalty, WeightDecay
from meanfield_pde.problem.samples import Samples
from meanfield_pde.problem.spaces import Box, Circle, Interval, Product
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Charged, VonMises

Array = NDArray[np.float64]

BUMP = VonMises(2.0)

PLACES, MASSES = (-2.0, 0.3, 1.9), (0.5, 0.2, 0.3)
"""Directions and masses of the target of the units in the plane."""

DATA = UniformCircle(24)

HIGHEST = 32
"""Order of the last wave of ReLU."""

LAMBDA = 0.02
"""Of the weight decay."""

NEURONS, STRENGTHS = (-2.2, 0.4, 1.7), (0.9, 0.7, -0.8)
"""Directions and weights of the target of the ReLU neurons."""


def _turned(x: Array, w_1: Array, w_2: Array) -> tuple[Array, Array, Array]:
    """|w|, and cosine and sine of x - arg w."""
    radius = np.hypot(w_1, w_2)
    cosine, sine = w_1 / radius, w_2 / radius
    return (
        radius,
        np.cos(x) * cosine + np.sin(x) * sine,
        np.sin(x) * cosine - np.cos(x) * sine,
    )


def _bump(cosine: Array) -> Array:
    return np.exp(BUMP.kappa * (cosine - 1.0)) / float(np.exp(-BUMP.kappa) * np.i0(BUMP.kappa))


def plane_value(x: Array, w_1: Array, w_2: Array) -> Array:
    """|w|^2 times a von Mises bump of arg w."""
    radius, cosine, _ = _turned(x, w_1, w_2)
    return radius**2 * _bump(cosine)


def plane_gradient(x: Array, w_1: Array, w_2: Array) -> tuple[Array, Array]:
    """Its derivatives in w, with |w| d arg w / d w = (- sin, cos)."""
    _, cosine, sine = _turned(x, w_1, w_2)
    bump = _bump(cosine)
    turning = BUMP.kappa * sine * bump
    return 2.0 * w_1 * bump - w_2 * turning, 2.0 * w_2 * bump + w_1 * turning


PLANE = Energy(
    OwnUnit(plane_value, ("w_1", "w_2"), plane_gradient),
    Teacher(tuple((math.cos(place), math.sin(place)) for place in PLACES), MASSES),
    DATA,
    Box((-12.0, -12.0), (12.0, 12.0)),
)
"""The units in the plane; no neuron comes near the walls."""

CIRCLE = Energy(BUMP, Teacher(PLACES, MASSES), DATA, Circle())
"""What they project to."""

ORDERS = np.array([0, 1, -1, *(k * s for k in range(2, HIGHEST + 1, 2) for s in (1, -1))], float)
"""Those of ReLU: the coefficients of other odd orders vanish."""


def coefficient(orders: Array) -> Array:
    """b_k of ReLU, for k = 0, 1 and even k."""
    k = np.abs(orders)
    even = -2.0 / math.pi * np.cos(0.5 * math.pi * k) / (k**2 - np.where(k == 1.0, 0.0, 1.0))
    return np.where(k == 0.0, 1.0 / math.pi, np.where(k == 1.0, 0.5, even))


def _sizes(x: Array) -> Array:
    """Of the waves; all data points have the weight 1 / number."""
    return coefficient(x) * np.where(x == 0.0, 1.0, math.sqrt(0.5)) * math.sqrt(ORDERS.size)


def _waves(x: Array, theta: Array) -> tuple[Array, Array]:
    """psi as a function of theta in the basis, and its derivative."""
    order, sizes = np.abs(x), _sizes(x)
    cosine, sine = np.cos(order * theta), np.sin(order * theta)
    value = np.where(x >= 0.0, cosine, sine)
    slope = order * np.where(x >= 0.0, -sine, cosine)
    return sizes * value, sizes * slope


def direction_value(x: Array, theta: Array) -> Array:
    """ReLU of unit vectors, by its waves."""
    return _waves(x, theta)[0]


def direction_slope(x: Array, theta: Array) -> tuple[Array]:
    """Its derivative in theta."""
    return (_waves(x, theta)[1],)


def neuron_value(x: Array, a: Array, w_1: Array, w_2: Array) -> Array:
    """a |w| psi."""
    return a * np.hypot(w_1, w_2) * direction_value(x, np.arctan2(w_2, w_1))


def neuron_gradient(x: Array, a: Array, w_1: Array, w_2: Array) -> tuple[Array, Array, Array]:
    """Its derivatives in a and w."""
    radius, theta = np.hypot(w_1, w_2), np.arctan2(w_2, w_1)
    value, slope = _waves(x, theta)
    cosine, sine = w_1 / radius, w_2 / radius
    return radius * value, a * (cosine * value - sine * slope), a * (sine * value + cosine * slope)


_WAVES = Samples(ORDERS)

NETWORK = Energy(
    OwnUnit(neuron_value, ("a", "w_1", "w_2"), neuron_gradient),
    Teacher(
        tuple((b, math.cos(t), math.sin(t)) for b, t in zip(STRENGTHS, NEURONS, strict=True)),
        (1.0,) * len(NEURONS),
    ),
    _WAVES,
    Box((-12.0,) * 3, (12.0,) * 3),
    penalty=WeightDecay(LAMBDA),
)
"""ReLU neurons (a, w) with weight decay lambda (a^2 + |w|^2) / 2."""

DIRECTION: Any = OwnUnit(direction_value, ("theta",), direction_slope)
"""ReLU of unit vectors."""

DIRECTIONS = Energy(
    DIRECTION, Teacher(NEURONS, STRENGTHS), _WAVES, Circle(), penalty=ConstantPenalty(LAMBDA)
)
"""On one circle: for measures of either sign."""

SIGNED_CIRCLES = Energy(
    Charged(DIRECTION),
    Teacher(NEURONS, STRENGTHS),
    _WAVES,
    Product((Circle(), Interval(-2.0, 2.0))),
    penalty=ConstantPenalty(LAMBDA),
)
"""What balanced ones project to: directions and signs, at a price for mass."""


def points_law(points: Array, masses: Sequence[float]) -> MixtureLaw:
    """Point masses at rows of numbers, one a parameter."""
    if points.shape[1] == 1:
        return MixtureLaw(tuple(masses), tuple(Point(float(place)) for (place,) in points))
    rows = (ProductLaw(tuple(Point(float(number)) for number in row)) for row in points)
    return MixtureLaw(tuple(masses), tuple(rows))
