"""Fewer nodes with the same moments.

Neighbouring nodes are taken in groups; in each a few of them, with new masses >= 0, have the same
moments up to a degree as all of them (a recombination in the sense of Tchakaloff 1957). An integral
over mu of a function that is smooth on the scale of a group then changes by its next derivative.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Array = NDArray[np.float64]

DEGREES = {1: 7, 2: 5, 3: 3}
"""Of the moments that are kept, for so many parameters."""

CROWD = 4
"""Nodes in a group for each moment kept, before a group is split in two."""

KEPT = 1e-11
"""Largest relative residual of the moments of a group; one that does worse stays as it is."""


def thinned(points: Array, log_masses: Array) -> tuple[Array, Array]:
    """Some of the nodes (nodes, parameters), with new log-masses."""
    powers = _powers(points.shape[1])
    kept_points, kept_masses = [], []
    for group in _groups(points, np.arange(points.shape[0]), CROWD * len(powers)):
        places, masses = _recombined(points[group], log_masses[group], powers)
        kept_points.append(places)
        kept_masses.append(masses)
    return np.concatenate(kept_points), np.concatenate(kept_masses)


def _powers(parameters: int) -> list[tuple[int, ...]]:
    degree = DEGREES[parameters]
    every = itertools.product(range(degree + 1), repeat=parameters)
    return [powers for powers in every if sum(powers) <= degree]


def _groups(points: Array, members: NDArray[np.intp], most: int) -> Iterator[NDArray[np.intp]]:
    """Halves along the longest side, until they are small."""
    if members.size <= most:
        yield members
        return
    inside = points[members]
    longest = int(np.argmax(np.ptp(inside, axis=0)))
    order = members[np.argsort(inside[:, longest], kind="stable")]
    yield from _groups(points, order[: order.size // 2], most)
    yield from _groups(points, order[order.size // 2 :], most)


def _recombined(
    points: Array, log_masses: Array, powers: list[tuple[int, ...]]
) -> tuple[Array, Array]:
    if points.shape[0] <= len(powers):
        return points, log_masses
    largest = float(np.max(log_masses))
    masses = np.exp(log_masses - largest)
    middle = 0.5 * (points.max(axis=0) + points.min(axis=0))
    half = np.maximum(0.5 * np.ptp(points, axis=0), 1e-300)
    local = (points - middle) / half
    # Products of Chebyshev polynomials: monomials would be nearly dependent.
    waves = np.polynomial.chebyshev.chebvander(local, max(map(max, powers)))
    table = np.array([np.prod([waves[:, k, p] for k, p in enumerate(ps)], axis=0) for ps in powers])
    moments = table @ masses
    try:
        found, residual = nnls(table, moments)
    except RuntimeError:
        # It has a bound on its steps, which masses of many decades may reach: these stay.
        return points, log_masses
    chosen = found > 0.0
    if residual > KEPT * float(np.linalg.norm(moments)) or not np.any(chosen):
        return points, log_masses
    return points[chosen], np.log(found[chosen]) + largest
