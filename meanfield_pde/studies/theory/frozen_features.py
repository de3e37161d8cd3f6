r"""Features y that are frozen, of units c psi(x, y): what is left of the equation.

The law of c at each y stays normal, of variance 1: its mean m and the weight w of y solve, with
v = int psi (f - f*) dnu,

    d_t m = - (1 + alpha) v,      d_t log w = - alpha (m v - Vbar),      f = int psi m w dy.

Without birth and death w stays, f - f* obeys a linear equation, and E decays mode by mode,

    E(t) = sum_k E_k exp(- 2 lambda_k t),

lambda_k the eigenvalues of int psi(x, y) psi(x', y) w_0 dy in L2(nu).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import roots_legendre

from meanfield_pde.problem.data import Line
from meanfield_pde.problem.energy import Energy, unit_value
from meanfield_pde.problem.laws import ProductLaw
from meanfield_pde.problem.spaces import Box
from meanfield_pde.problem.targets import Mixture
from meanfield_pde.problem.units import Charged, Gaussian
from meanfield_pde.studies import paper

Array = NDArray[np.float64]

VARIANCE = 0.1
"""Of the narrow units."""

PLANE = Box((-20.0, -60.0), (20.0, 60.0))


@dataclass(frozen=True, eq=False)
class Problem:
    """What is learnt, and the initial law of y as nodes.

    Attributes
    ----------
    energy : Energy
    law : ProductLaw
        Of y and c; c is standard normal.
    ends : (float, float)
        Between which y is looked at where it is frozen.
    log_density : callable
        Of y, up to a constant.
    """

    energy: Energy
    law: ProductLaw
    ends: tuple[float, float]
    log_density: Callable[[Array], Array]


def _flat(y: Array) -> Array:
    return np.zeros_like(y)


def _narrow(y: Array) -> Array:
    return -0.5 * ((y + 2.0) / 0.1) ** 2


def problems() -> dict[str, Problem]:
    """The paper's two, and three narrow units, of charges 0.5, -0.4 and 0.3."""
    published = paper.energy(charge_range=60.0, location_range=20.0, points=81)
    narrow = Energy(
        unit=Charged(Gaussian(VARIANCE)),
        target=Mixture((0.5, -0.4, 0.3), (-1.3, 0.2, 1.1), (VARIANCE,) * 3),
        data=Line(-6.0, 6.0, 121),
        space=PLANE,
    )
    flat = (paper.FULL_SUPPORT, (-2.0, 2.0), _flat)
    return {
        "Run A": Problem(published, *flat),
        "Run B": Problem(published, paper.BAD_INITIALISATION, (-5.0, 2.5), _narrow),
        "narrow units": Problem(narrow, *flat),
    }


@dataclass(frozen=True, eq=False)
class Frozen:
    """The equations for m and w at Gauss nodes of y.

    Attributes
    ----------
    unit : array (data points, nodes)
        sqrt(nu) psi.
    target : array (data points,)
        sqrt(nu) f*.
    log_weights : array (nodes,)
        Of y at the start.
    """

    unit: Array
    target: Array
    log_weights: Array

    @classmethod
    def of(cls, problem: Problem, nodes: int) -> Frozen:
        """On so many nodes, in panels of ten."""
        across, weights = roots_legendre(10)
        edges = np.linspace(*problem.ends, nodes // 10 + 1)
        half = 0.5 * np.diff(edges)
        places = ((edges[:-1] + half)[:, None] + half[:, None] * across).ravel()
        logs = np.log(np.outer(half, weights).ravel()) + problem.log_density(places)
        logs -= np.logaddexp.reduce(logs)
        root = np.sqrt(problem.energy.data_weights)
        assert isinstance(problem.energy.unit, Charged)
        psi = unit_value(problem.energy.unit.psi, problem.energy.inputs, (places,))
        return cls(root[:, None] * psi, root * problem.energy.target_values, logs)

    def spectrum(self) -> tuple[Array, Array]:
        """lambda_k, falling, and E_k."""
        weighted = self.unit * np.exp(0.5 * self.log_weights)
        values, modes = np.linalg.eigh(weighted @ weighted.T)
        shares = 0.5 * (modes.T @ self.target) ** 2
        return np.maximum(values[::-1], 0.0), shares[::-1]

    def linear(self, times: Array) -> Array:
        """E without birth and death: mode by mode."""
        rates, shares = self.spectrum()
        return np.asarray(np.exp(-2.0 * np.multiply.outer(times, rates)) @ shares)

    def energies(self, alpha: float, times: Array, tolerance: float = 1e-11) -> Array:
        """E at increasing times, with birth and death."""
        count = self.log_weights.size

        def residual(state: Array) -> tuple[Array, Array]:
            masses = np.exp(state[count:] - np.logaddexp.reduce(state[count:]))
            return self.unit @ (masses * state[:count]) - self.target, masses

        def rate(time: float, state: Array) -> Array:
            difference, masses = residual(state)
            slope = difference @ self.unit
            potential = state[:count] * slope
            growth = -alpha * (potential - masses @ potential)
            return np.concatenate([-(1.0 + alpha) * slope, growth])

        start = np.concatenate([np.zeros(count), self.log_weights])
        solution: Any = solve_ivp(
            *(rate, (0.0, times[-1]), start),
            method="DOP853",
            t_eval=times,
            rtol=tolerance,
            atol=1e-2 * tolerance,
        )
        return np.array([0.5 * np.sum(residual(state)[0] ** 2) for state in solution.y.T])
