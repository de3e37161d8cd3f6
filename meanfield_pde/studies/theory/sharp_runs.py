"""E up to very long times, by implicit methods: of characteristics, and of narrow clusters.

The rates of transport with birth and death are of order 1 and what they drive decays like 1 / t:
the implicit steps grow like t, and t = 10^5 or 10^9 takes a few hundred of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from meanfield_pde.errors import NumericalFailure
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.studies.theory.sharp_problems import Features, Problem

Array = NDArray[np.float64]

APART = 1e-2
"""Of differences of second derivatives, of second order."""


@dataclass(frozen=True, eq=False)
class Decay:
    """E at times."""

    times: Array
    energies: Array


def flow(problem: Problem, times: Array, nodes: int, tolerance: float) -> Decay:
    """E along characteristics from the uniform law on circles, by an implicit method.

    Raises
    ------
    NumericalFailure
        If the integration stops.
    """
    energy, alpha, free = problem.energy, problem.alpha, problem.free
    features = Features(energy)
    axes = energy.space.axes
    count, size = len(axes), nodes ** len(axes)
    ends = [axis.lower + axis.length * np.arange(nodes) / nodes for axis in axes]
    start = [grid.ravel() for grid in np.meshgrid(*ends, indexing="ij")]

    def split(state: Array) -> tuple[Theta, Array]:
        *theta, logs = state.reshape(count + 1, size)
        return tuple(theta), _masses(logs, free)

    def rate(_: float, state: Array) -> Array:
        theta, weights = split(state)
        residual = features.residual(weights, theta)
        rates = [-m * (residual @ features.slope(k, theta)) for k, m in enumerate(problem.mobility)]
        return np.concatenate([*rates, -alpha * (residual @ features.value(theta))])

    def jacobian(_: float, state: Array) -> Array:
        theta, weights = split(state)
        phi = features.value(theta)
        slopes = [features.slope(k, theta) for k in range(count)]
        tested = np.concatenate(
            [
                *(-m * slope for m, slope in zip(problem.mobility, slopes, strict=True)),
                -alpha * phi,
            ],
            axis=1,
        )
        centred = phi if free else phi - (phi @ weights)[:, None]
        changes = [*(slope * weights for slope in slopes), centred * weights]
        matrix = tested.T @ np.concatenate(changes, axis=1)
        # The residual held: what moving a node does to its own rates.
        residual = features.residual(weights, theta)
        blocks = matrix.reshape(count + 1, size, count + 1, size)
        node = np.arange(size)
        for k in range(count):
            for j, mobility in enumerate(problem.mobility):
                blocks[j, node, k, node] -= mobility * (residual @ features.curvature(j, k, theta))
            blocks[count, node, k, node] -= alpha * (residual @ slopes[k])
        return np.asarray(matrix)

    def energy_of(state: Array) -> float:
        theta, weights = split(state)
        return 0.5 * float(np.sum(features.residual(weights, theta) ** 2))

    states = _integrated(
        problem.name, rate, jacobian, [*start, np.full(size, -np.log(size))], times, tolerance
    )
    return Decay(times, np.array([energy_of(state) for state in states.T]))


def _masses(logs: Array, free: bool) -> Array:
    """Of total 1, unless they are free."""
    masses = np.exp(logs if free else logs - float(np.max(logs)))
    return np.asarray(masses if free else masses / float(np.sum(masses)))


def clusters(problem: Problem, times: Array, width: float, tolerance: float) -> Decay:
    """E of narrow Gaussians at the atoms: closed equations for masses, means and variances.

        m' = - alpha m (V + s V'' / 2 - Vbar),    theta' = - M (V' + s V''' / 2) - alpha s V',
        s' = - 2 M V'' s - alpha V'' s^2,         f = sum_k m_k (phi_k + s_k phi_k'' / 2)

    for one parameter; they begin with variances width^2, times factors that differ.

    Raises
    ------
    NumericalFailure
        If the integration stops.
    """
    alpha, (mobility,) = problem.alpha, problem.mobility
    features = Features(problem.energy)
    count = problem.masses.size
    target = features.residual(np.zeros(1), (problem.atoms[:1, 0],))

    def parts(state: Array) -> tuple[Array, Array, Array]:
        """Rates are the first tested with f - f*; its changes, in the state; f - f* itself."""
        logs, theta, log_variances = state.reshape(3, count)
        masses = _masses(logs, problem.free)
        variances = np.exp(np.minimum(log_variances, 0.0))
        at = (theta,)
        slope, bend = features.slope(0, at), features.curvature(0, 0, at)
        ahead, behind = (features.curvature(0, 0, (theta + a,)) for a in (APART, -APART))
        mean = features.value(at) + 0.5 * variances * bend
        mean_slope = slope + 0.25 * variances * (ahead - behind) / APART
        tested = [
            -alpha * mean,
            -mobility * mean_slope - alpha * variances * slope,
            -(2.0 * mobility + alpha * variances) * bend,
        ]
        centred = mean if problem.free else mean - (mean @ masses)[:, None]
        changes = [masses * centred, masses * mean_slope, 0.5 * masses * variances * bend]
        return (
            np.concatenate(tested, axis=1),
            np.concatenate(changes, axis=1),
            mean @ masses + target,
        )

    def rate(_: float, state: Array) -> Array:
        at = parts(state)
        return np.asarray(at[2] @ at[0])

    def jacobian(_: float, state: Array) -> Array:
        at = parts(state)
        return np.asarray(at[0].T @ at[1])

    start = [
        np.log(problem.masses),
        problem.atoms[:, 0],
        2.0 * np.log(width) + 0.5 * np.arange(count),
    ]
    states = _integrated(problem.name, rate, jacobian, start, times, tolerance)
    return Decay(times, np.array([0.5 * float(np.sum(parts(s)[2] ** 2)) for s in states.T]))


def _integrated(
    name: str,
    rate: Callable[[float, Array], Array],
    jacobian: Callable[[float, Array], Array],
    start: Sequence[Array],
    times: Array,
    tolerance: float,
) -> Array:
    """States at times, (unknowns, times)."""
    result = solve_ivp(
        rate,
        (0.0, float(times[-1])),
        np.concatenate(start),
        method="Radau",
        jac=jacobian,
        t_eval=times,
        rtol=tolerance,
        atol=tolerance,
        first_step=1e-3,
    )
    if not result.success:
        raise NumericalFailure(f"{name}: {result.message}: take a looser tolerance")
    return np.asarray(result.y)
