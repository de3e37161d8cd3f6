"""Problems for the sharp constant of the law 1 / t^2, and their units as columns in L2(nu)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.data import ProductData, UniformCircle
from meanfield_pde.problem.energy import Energy, unit_derivative, unit_value
from meanfield_pde.problem.own_units import OwnUnit
from meanfield_pde.problem.spaces import Circle, Product
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Dirichlet, VonMises
from meanfield_pde.studies.law_problems import AROUND, KERNEL

Array = NDArray[np.float64]

STEP = 1e-3
"""Of differences of derivatives of units."""

STENCIL = ((1, 2.0 / 3.0), (-1, -2.0 / 3.0), (2, -1.0 / 12.0), (-2, 1.0 / 12.0))
"""Of a derivative, of fourth order."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Units whose target is made of few of them, with transport, birth and death.

    Attributes
    ----------
    name : str
    energy : Energy
        Its target a teacher of total mass 1.
    alpha : float
    mobility : tuple of float
        One a parameter.
    free : bool
        Whether mass is free to change, instead of balanced by the mean.
    """

    name: str
    energy: Energy
    alpha: float
    mobility: tuple[float, ...] = (1.0,)
    free: bool = False

    @property
    def atoms(self) -> Array:
        """Where the target's units are, (atoms, parameters)."""
        target = self.energy.target
        assert isinstance(target, Teacher)
        return np.array([np.atleast_1d(centre) for centre in target.centres], dtype=float)

    @property
    def masses(self) -> Array:
        """Those of the atoms."""
        assert isinstance(self.energy.target, Teacher)
        return np.array(self.energy.target.masses, dtype=float)


class Features:
    """phi and its derivatives as columns in L2(nu): values at the data times root weights."""

    def __init__(self, energy: Energy) -> None:
        self.energy = energy
        self._root = np.sqrt(energy.data_weights)[:, None]

    def value(self, theta: Theta) -> Array:
        """phi, (inputs, points)."""
        return self._root * unit_value(self.energy.unit, self.energy.inputs, theta)

    def slope(self, k: int, theta: Theta) -> Array:
        """d phi / d theta_k."""
        return self._root * unit_derivative(self.energy.unit, k, self.energy.inputs, theta)

    def curvature(self, j: int, k: int, theta: Theta) -> Array:
        """d2 phi / d theta_j d theta_k, by differences of fourth order."""
        total = np.zeros((self._root.size, theta[0].size))
        for shift, weight in STENCIL:
            at = tuple(t + shift * STEP if i == j else t for i, t in enumerate(theta))
            total += weight * self.slope(k, at)
        return total / STEP

    def residual(self, masses: Array, theta: Theta) -> Array:
        """f - f*, times root weights."""
        return self.value(theta) @ masses - self._root[:, 0] * self.energy.target_values


def _circle(
    name: str, unit: Any, centres: tuple[float, ...], alpha: float, free: bool = False
) -> Problem:
    """Units on the circle, with data enough to tell all of their waves apart."""
    masses = {1: (1.0,), 2: (0.6, 0.4), 3: (0.5, 0.2, 0.3)}[len(centres)]
    points = {Dirichlet: UniformCircle(12), OwnUnit: AROUND}.get(type(unit), UniformCircle(48))
    energy = Energy(unit, Teacher(centres, masses), points, Circle())
    return Problem(name, energy, alpha, free=free)


def _wave(d: Any) -> Any:
    return 1.0 + 2.0 * np.cos(d) + 2.0 * np.cos(2.0 * d)


def _wave_slope(d: Any) -> Any:
    return 2.0 * np.sin(d) + 4.0 * np.sin(2.0 * d)


def _product(x: Any, y: Any, a: Any, b: Any) -> Any:
    """A product of Dirichlet kernels of order 2."""
    return 0.2 * _wave(x - a) * _wave(y - b)


def _product_slopes(x: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    first, second = _wave(x - a), _wave(y - b)
    return 0.2 * _wave_slope(x - a) * second, 0.2 * first * _wave_slope(y - b)


ONE, TWO, THREE, CLOSE = (0.3,), (-1.2, 1.0), (-2.0, 0.3, 1.9), (-1.0, 0.0, 1.0)
WAVES = Dirichlet(4)
TORUS = Problem(
    "torus, 2 atoms",
    Energy(
        OwnUnit(_product, ("a", "b"), gradient=_product_slopes, inputs=2),
        Teacher(((-1.5, 0.5), (1.3, -1.2)), (0.6, 0.4)),
        ProductData((UniformCircle(6), UniformCircle(6))),
        Product((Circle(), Circle())),
    ),
    16.0,
    (1.0, 1.0),
)
TWO_ATOMS = _circle("von Mises, 2 atoms", VonMises(2.0), TWO, 12.0)
LINE = (
    TWO_ATOMS,
    _circle("von Mises, 2 atoms, free mass", VonMises(2.0), TWO, 12.0, True),
    _circle("von Mises, 1 atom", VonMises(1.0), ONE, 6.0),
    _circle("von Mises, 1 atom, free mass", VonMises(1.0), ONE, 6.0, True),
    _circle("Dirichlet, 3 atoms", WAVES, THREE, 24.0),
)
"""On the circle, where all q > 1 and all variances are positive."""

MORE = (
    _circle("kernel exp(cos d), 3 atoms", KERNEL.unit, THREE, 24.0),
    _circle("kernel exp(cos d), 3 atoms, free mass", KERNEL.unit, THREE, 24.0, True),
)
"""The same: these take longer."""

REMOTE = (
    _circle("Dirichlet, 1 atom: mass stays elsewhere", WAVES, ONE, 6.0),
    _circle("Dirichlet of order 2, 1 atom, free mass: v < 0", Dirichlet(2), ONE, 6.0, True),
)
"""Minima of v with q < 1."""

SHARPER = _circle("von Mises, 3 close atoms: two sharpen faster", VonMises(4.0), CLOSE, 40.0)
PLANE = (TORUS, replace(TORUS, name="torus, 2 atoms, mobility 1, 0.75", mobility=(1.0, 0.75)))
BELOW = (
    replace(TWO_ATOMS, name="von Mises, 2 atoms, alpha = 1", alpha=1.0),
    replace(LINE[2], name="von Mises, 1 atom, alpha = 0.5", alpha=0.5),
)
"""Below the threshold of alpha, where mass leaves its places too slowly."""

PROBLEMS = (*LINE, *REMOTE, *BELOW, SHARPER, *MORE, *PLANE)
"""All of them."""
