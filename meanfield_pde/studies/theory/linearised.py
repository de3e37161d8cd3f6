r"""How fast E tends to its minimum where that is a sum of atoms: the equation linearised there.

Around mu* = sum_k w_k delta_(theta_k), in one parameter, with V* = dE/dmu at mu*, equal to v* and
lowest at all atoms, H_k = V*''(theta_k) > 0, D = l'' nu and b the mobility, a perturbation has

    weights and places of the atoms, z = (delta w, delta theta), of total weight zero:
        d delta w_k     / dt = - alpha w_k (delta V(theta_k) - mean),
        d delta theta_k / dt = - b (H_k delta theta_k + delta V'(theta_k)),
        delta V(theta) = int phi(., theta) sum_k (phi_k delta w_k + phi_k' w_k delta theta_k) dD,
    the variances of the atoms:        S_k' = - 2 b H_k S_k,
    mass elsewhere:   at a critical point c of V* it leaves and dies at
        alpha (V*(c) - v*) + b max(-V*''(c), 0).

E - E* is quadratic in the first, linear in the others, so that it decays at the smallest of twice
the first eigenvalue, 2 b H_k, and the rates of mass elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, null_space
from scipy.optimize import brentq

from meanfield_pde.problem.energy import Energy, unit_derivative, unit_value
from meanfield_pde.problem.landscape import Field
from meanfield_pde.problem.moving_atoms import Masses
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.optimum import Optimum

Array = NDArray[np.float64]

STEP = 1e-3
"""Of the differences of V*', as a part of the range."""

SCANNED = 2000
"""Places at which V*' is looked at for its zeros."""


@dataclass(frozen=True, eq=False)
class Rates:
    """At which the parts of E - E* decay, each in order; there may be none elsewhere."""

    atoms: Array
    spread: Array
    remote: Array

    @property
    def all(self) -> Array:
        """In order."""
        return np.sort(np.concatenate([self.atoms, self.spread, self.remote]))

    @property
    def slowest(self) -> float:
        """That of E - E*."""
        return float(self.all[0])

    @property
    def apart(self) -> float:
        """From the slowest to the next."""
        return float(self.all[1] - self.all[0])

    @property
    def limited_by(self) -> str:
        """The name of the slowest part."""
        parts = {"atoms": self.atoms, "spread": self.spread, "remote": self.remote}
        return min((name for name, part in parts.items() if part.size), key=lambda n: parts[n][0])


def rates_at(energy: Energy, best: Optimum, alpha: float, mobility: float = 1.0) -> Rates:
    """The rates at an optimum over probability measures, in one parameter.

    Parameters
    ----------
    energy : Energy
    best : Optimum
        All its atoms inside the space.
    alpha, mobility : float

    Returns
    -------
    Rates
    """
    field = energy.on(PointNodes(best.points)).at(Masses(best.masses))
    bend = curvature(energy, field, best.points[:, 0])
    lowest = float(np.min(best.potential))
    elsewhere = [
        alpha * (value - lowest) + mobility * max(-second, 0.0)
        for _, value, second in critical_points(energy, field, best.points[:, 0])
    ]
    return Rates(
        atoms=2.0 * atom_eigenvalues(energy, best, alpha, mobility),
        spread=np.sort(2.0 * mobility * bend),
        remote=np.sort(np.array(elsewhere)),
    )


def atom_eigenvalues(energy: Energy, best: Optimum, alpha: float, mobility: float) -> Array:
    """Of the map by which weights and places return, in order."""
    theta, weights = (best.points[:, 0],), best.masses
    field = energy.on(PointNodes(best.points)).at(Masses(weights))
    values = unit_value(energy.unit, energy.inputs, theta)
    slopes = unit_derivative(energy.unit, 0, energy.inputs, theta)
    curved = energy.data_weights * energy.loss.curvature(field.prediction, energy.target_values)
    changes = np.concatenate([values, slopes * weights], axis=1)
    by_weight = (values * curved[:, None]).T @ changes
    by_place = (slopes * curved[:, None]).T @ changes
    by_place[:, weights.size :] += np.diag(curvature(energy, field, theta[0]))
    balanced = np.diag(weights) - np.outer(weights, weights)
    whole = np.concatenate([alpha * balanced @ by_weight, mobility * by_place])
    kept = block_diag(null_space(np.ones((1, weights.size))), np.eye(weights.size))
    # The map is self-adjoint in another inner product: imaginary parts are rounding.
    return np.sort(np.linalg.eigvals(kept.T @ whole @ kept).real)


def slope(energy: Energy, field: Field, theta: Array) -> Array:
    """V*' at places."""
    return field.gradient_in(energy.on(PointNodes(theta[:, None])))[0]


def curvature(energy: Energy, field: Field, theta: Array) -> Array:
    """V*'' at places, by differences of fourth order."""
    step = STEP * energy.space.axes[0].length
    near = slope(energy, field, theta + step) - slope(energy, field, theta - step)
    far = slope(energy, field, theta + 2.0 * step) - slope(energy, field, theta - 2.0 * step)
    return np.asarray((8.0 * near - far) / (12.0 * step))


def critical_points(energy: Energy, field: Field, atoms: Array) -> list[tuple[float, float, float]]:
    """Place, V* and V*'' of each zero of V*' that is no atom, and of walls mass is driven to.

    At a wall V*'' is given as zero: nothing leaves it.
    """
    (axis,) = energy.space.axes
    places = np.linspace(axis.lower, axis.upper, SCANNED + 1)
    # Offset, so that no critical point of a symmetric problem is scanned itself.
    scanned = places + 0.3123 * (places[1] - places[0]) if axis.periodic else places
    slopes = slope(energy, field, scanned)
    found = []
    for k in np.flatnonzero(slopes[1:] * slopes[:-1] < 0.0):
        ends = float(scanned[k]), float(scanned[k + 1])
        root = brentq(lambda x: float(slope(energy, field, np.array([x]))[0]), *ends, xtol=1e-13)
        apart = np.abs(root - atoms)
        apart = np.minimum(apart, axis.length - apart) if axis.periodic else apart
        if np.min(apart) > 1e-4 * axis.length:
            found.append(float(root))
    points = np.array(found)
    pinned = []
    if not axis.periodic:
        pinned = [axis.lower] if slopes[0] > 0.0 else []
        pinned += [axis.upper] if slopes[-1] < 0.0 else []
    values = field.potential_at(PointNodes(np.array([*found, *pinned])[:, None]))
    seconds = [*curvature(energy, field, points), *(0.0 for _ in pinned)]
    return list(zip([*found, *pinned], map(float, values), map(float, seconds), strict=True))
