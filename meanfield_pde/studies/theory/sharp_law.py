"""The constant of the law E ~ c / t^2 of transport with birth and death, by linear algebra.

With atoms theta_k, K_k their covariances, and mobility M, f - f* -> rho / t, where rho is the
smallest function in L2(nu) with, for v(theta) = <rho, phi(theta)>,

    grad v = 0,   hess v >= M^{-1} / 2            at the atoms,
    v = v_0 (mean balanced)  or  v = 0 (free)     at the atoms,
    v >= v_0 + 1 / alpha                          at other minima of v that keep mass,

and c = |rho|^2 / 2. Multipliers of the second line are the covariances, t S_k, times half the
masses of the atoms; those of the last are masses times t. See `claims.sharp_constant` for the
derivation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls, root

from meanfield_pde.errors import NumericalFailure
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.studies.theory.sharp_problems import Features, Problem

Array = NDArray[np.float64]

ROUNDS = 60
"""Of adding minima of v where mass stays, by exchange."""

CLOSE = 1e-7
"""How far q may be below 1 there."""

NEXT = 2e-2
"""Distance of minima that are the same."""

STARTS = 96
"""Along one parameter, of looking for stationary points."""


@dataclass(frozen=True)
class Place:
    """A stationary point of v that is no atom.

    Attributes
    ----------
    theta : tuple of float
    height : float
        v - v_0.
    leaving : float
        Sum of the rates, in log t, at which mass leaves it: of - M hess v, where positive.
    """

    theta: tuple[float, ...]
    height: float
    leaving: float

    def exponent(self, alpha: float) -> float:
        """q: mass around it decays like t^-q."""
        return alpha * self.height + self.leaving

    @property
    def threshold(self) -> float:
        """The alpha above which q > 1; infinite where v < v_0 and nothing leaves."""
        if self.leaving >= 1.0:
            return 0.0
        return (1.0 - self.leaving) / self.height if self.height > 0.0 else np.inf


@dataclass(frozen=True, eq=False)
class Certificate:
    """The limit rho of t (f - f*), and what follows from it.

    Attributes
    ----------
    problem : Problem
    rho : array (inputs,)
        Times root weights.
    covariances : array (atoms, parameters, parameters)
        Limits of t S_k.
    remote : array (minima, 2)
        Where mass stays that decays like 1 / t, and t times that mass.
    independence : float
        Smallest singular value of the conditions on rho, each of norm one.
    """

    problem: Problem
    rho: Array
    covariances: Array
    remote: Array
    independence: float

    @property
    def constant(self) -> float:
        """The limit of t^2 E."""
        return 0.5 * float(self.rho @ self.rho)

    def value(self, theta: Theta) -> Array:
        """v less what it is at the atoms."""
        features = Features(self.problem.energy)
        level = self.rho @ features.value(tuple(self.problem.atoms[:1].T))
        return np.asarray(self.rho @ features.value(theta) - level)

    def places(self, grid: int = 24) -> list[Place]:
        """Stationary points of v that are no atoms, found from a grid of starts."""
        problem, features = self.problem, Features(self.problem.energy)
        axes = problem.energy.space.axes
        count = len(axes)

        def slopes(at: Array) -> Array:
            theta = tuple(at[:, None])
            return np.array(
                [float(self.rho @ features.slope(k, theta)[:, 0]) for k in range(count)]
            )

        def bend(at: Array) -> Array:
            theta = tuple(at[:, None])
            rows = [
                [features.curvature(j, k, theta)[:, 0] for k in range(count)] for j in range(count)
            ]
            return np.asarray(np.array(rows) @ self.rho)

        ends = [axis.lower + axis.length * np.arange(grid) / grid for axis in axes]
        seen: list[Array] = list(problem.atoms)
        found: list[Place] = []
        size = float(np.max(np.abs(bend(problem.atoms[0]))))
        for start in np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, count):
            result = root(slopes, start, jac=bend, tol=1e-12)
            at = np.asarray(result.x)
            far = np.max(np.abs(at - start) / [axis.length for axis in axes]) > 1.5 / grid
            if far or float(np.max(np.abs(slopes(at)))) > 1e-9 * size:
                continue
            if any(_distance(at, other, axes) < 1e-4 for other in seen):
                continue
            seen.append(at)
            root_mobility = np.sqrt(problem.mobility)
            rates = np.linalg.eigvalsh(-root_mobility[:, None] * bend(at) * root_mobility)
            height = float(self.value(tuple(at[:, None]))[0])
            found.append(Place(tuple(at.tolist()), height, float(np.sum(rates[rates > 0.0]))))
        return found

    def exponent(self) -> float:
        """The smallest q: remote mass is negligible where it is more than 1."""
        return min(place.exponent(self.problem.alpha) for place in self.places())

    def threshold(self) -> float:
        """The alpha above which all q > 1 (of this v)."""
        return max(place.threshold for place in self.places())

    def corrections(self) -> list[float]:
        """Exponents e < 1 of corrections t^-e to t^2 E, for one parameter.

        1/2 by skewness; q - 1 by mass elsewhere, and slack at atoms that sharpen faster; twice
        the other rates of the Lotka-Volterra system, since E has its minimum over them; where
        mass stays, twice the rate at which it narrows.
        """
        problem, features = self.problem, Features(self.problem.energy)
        (mobility,), atoms = problem.mobility, tuple(problem.atoms.T)
        remote = (self.remote[:, 0],)
        zero, second, wanted, _ = _conditions(problem)
        lift = features.value((problem.atoms[:1, 0],))
        columns = _orthogonal(np.concatenate([second, features.value(remote) - lift], axis=1), zero)
        spread = 0.5 * problem.masses * self.covariances[:, 0, 0]
        active = np.concatenate([spread, self.remote[:, 1]])
        speeds = np.repeat([2.0 * mobility, problem.alpha], [wanted.size, remote[0].size])
        root = np.sqrt(active * speeds)
        relaxing = np.linalg.eigvalsh(root[:, None] * (columns.T @ columns) * root)
        slack = 2.0 * mobility * (self.rho @ features.curvature(0, 0, atoms)) - 1.0
        narrowing = 2.0 * mobility * (self.rho @ features.curvature(0, 0, remote))
        fading = [place.exponent(problem.alpha) - 1.0 for place in self.places(STARTS)]
        every = np.concatenate([[0.5], 2.0 * relaxing, slack, narrowing, fading])
        return sorted(float(e) for e in every if 1e-3 < e < 0.99)


def _orthogonal(columns: Array, to: Array) -> Array:
    basis = np.linalg.svd(to, full_matrices=False)[0]
    return np.asarray(columns - basis @ (basis.T @ columns))


def _distance(one: Array, other: Array, axes: Sequence[Axis]) -> float:
    apart = one - other
    lengths = np.array([axis.length for axis in axes])
    return float(np.max(np.abs(apart - lengths * np.round(apart / lengths))))


def _conditions(problem: Problem) -> tuple[Array, Array, Array, list[tuple[int, int]]]:
    """Columns that rho is orthogonal to, second derivatives, what <rho, .> they have, pairs."""
    features, theta = Features(problem.energy), tuple(problem.atoms.T)
    count, parameters = problem.atoms.shape
    phi = features.value(theta)
    level = phi if problem.free else phi[:, 1:] - phi[:, :1]
    zero = np.concatenate([*(features.slope(k, theta) for k in range(parameters)), level], axis=1)
    pairs = [(j, k) for j in range(parameters) for k in range(j + 1)]
    second = np.concatenate([features.curvature(j, k, theta) for j, k in pairs], axis=1)
    wanted = [0.5 / problem.mobility[j] if j == k else 0.0 for j, k in pairs]
    return zero, second, np.repeat(wanted, count), pairs


def _independence(columns: Array) -> float:
    if columns.shape[0] < columns.shape[1]:
        return 0.0
    return float(np.linalg.svd(columns / np.linalg.norm(columns, axis=0), compute_uv=False)[-1])


def local(problem: Problem) -> Certificate:
    """The smallest rho with hess v = M^{-1} / 2 at all atoms, whatever happens elsewhere.

    It is the limit where all covariances come out positive and all q are above 1.
    """
    zero, second, wanted, pairs = _conditions(problem)
    columns = np.concatenate([zero, second], axis=1)
    wanted = np.concatenate([np.zeros(zero.shape[1]), wanted])
    rho = np.linalg.lstsq(columns.T, wanted, rcond=None)[0]
    parts = np.linalg.lstsq(columns, rho, rcond=None)[0][zero.shape[1] :]
    count, parameters = problem.atoms.shape
    covariances = np.zeros((count, parameters, parameters))
    for (j, k), part in zip(pairs, parts.reshape(len(pairs), count), strict=True):
        covariances[:, j, k] = covariances[:, k, j] = (2.0 if j == k else 1.0) * part
    covariances /= problem.masses[:, None, None]
    return Certificate(problem, rho, covariances, np.zeros((0, 2)), _independence(columns))


def certificate(problem: Problem) -> Certificate:
    """The smallest rho with inequalities at the atoms and at other minima of v: one parameter.

    With more parameters, and with one where all covariances are positive and all minima high, it
    is `local`.

    Raises
    ------
    NumericalFailure
        If with more than one parameter a covariance is not positive.
    """
    plain = local(problem)
    if problem.atoms.shape[1] > 1:
        if float(np.min(np.linalg.eigvalsh(plain.covariances))) <= 0.0:
            raise NumericalFailure(f"{problem.name}: a covariance is not positive: move the atoms")
        return plain
    zero, second, wanted, _ = _conditions(problem)
    features = Features(problem.energy)
    lift = features.value(tuple(problem.atoms[:1].T))
    minima = np.zeros(0)
    for _ in range(ROUNDS):
        columns = np.concatenate([second, features.value((minima,)) - lift], axis=1)
        least = np.concatenate([wanted, np.full(minima.size, 1.0 / problem.alpha)])
        rho, multipliers = _smallest(zero, columns, least)
        covariances = 2.0 * multipliers[: wanted.size, None, None] / problem.masses[:, None, None]
        remote = np.stack([minima, multipliers[wanted.size :]], axis=1)
        kept = remote[remote[:, 1] > 0.0]
        best = Certificate(problem, rho, covariances, _joined(kept), plain.independence)
        low = [
            place.theta[0]
            for place in best.places(STARTS)
            if place.leaving == 0.0 and problem.alpha * place.height < 1.0 - CLOSE
        ]
        if not low:
            return best
        minima = np.concatenate([kept[:, 0], low])
    raise NumericalFailure(f"{problem.name}: minima of v go on moving after {ROUNDS} rounds")


def _joined(remote: Array) -> Array:
    """Places next to each other as one: exchange ends with two on both sides of a minimum."""
    rows = remote[np.argsort(remote[:, 0])]
    group = np.cumsum(np.diff(rows[:, 0], prepend=-np.inf) > NEXT)
    joined = []
    for one in np.unique(group):
        places, masses = rows[group == one].T
        joined.append((float(places @ masses / masses.sum()), float(masses.sum())))
    return np.array(joined).reshape(-1, 2)


def _smallest(zero: Array, columns: Array, least: Array) -> tuple[Array, Array]:
    """The smallest rho with zero.T rho = 0 and columns.T rho >= least, and its multipliers.

    Least-distance programming by non-negative least squares (Lawson & Hanson 1974, chapter 23).
    """
    free = _orthogonal(columns, zero)
    scale = np.linalg.norm(free, axis=0)
    rows = np.concatenate([free / scale, (least / scale)[None, :]])
    size = np.max(np.abs(rows[-1]))
    rows[-1] /= size
    target = np.zeros(rows.shape[0])
    target[-1] = 1.0
    part = nnls(rows, target, maxiter=50 * rows.shape[1])[0]
    multipliers = part / (1.0 - float(rows[-1] @ part)) * size / scale
    return free @ multipliers, multipliers
