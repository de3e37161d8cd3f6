"""Feature tables compressed to their numerical rank.

With the data quadrature (x_q, w_q), phi(x_q, theta) as a vector in q stays, up to round-off, in a
space of few dimensions r where phi is smooth. With an orthonormal basis of that space in L2(nu),

    phi(x_q, theta) ~ sum_k lift[q, k] b_k(theta),        b = project^T phi,

so that tables of r rows b_k replace tables of one row a data point. By Cauchy-Schwarz, V changes by
at most the error of phi in L2(nu) times |l'| in L2(nu). Derivatives in theta lie in the same space,
and d_k b = project^T d_k phi is exact: V and its gradient stay consistent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Array = NDArray[np.float64]

TOLERANCE = 1e-12
"""Smallest singular value that is kept, relative to the largest norm of phi and of each derivative.

The error of phi and its derivatives in L2(nu) is tested to be at most ten times this.
"""

WORTH = 0.7
"""Largest part of the rows of a table that its compression may keep."""

SAMPLE = 2048
"""Nodes from which a basis is found; it is tested at all of them."""

BLOCK = 4096
"""Nodes for which a table is formed at once."""


@dataclass(frozen=True, eq=False)
class Modes:
    """A basis of the space that a unit's features span.

    Attributes
    ----------
    lift : array (data points, rank)
    project : array (data points, rank)
    """

    lift: Array
    project: Array

    @property
    def rank(self) -> int:
        """Number of modes."""
        return self.lift.shape[1]


def blocks(size: int) -> Iterator[slice]:
    """Of at most BLOCK nodes."""
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


def find_modes(
    tables: Callable[[NDArray[np.intp] | slice], tuple[Array, ...]], size: int, weights: Array
) -> Modes | None:
    """A basis that holds phi and its derivatives to TOLERANCE at all nodes.

    Parameters
    ----------
    tables : callable
        Numbers of nodes, or a slice of them, to phi and its derivatives, (data points, nodes) each.
    size : int
        Number of nodes.
    weights : array (data points,)
        Of the data, positive.

    Returns
    -------
    Modes or None
        None where there is little to gain, or a weight is zero.
    """
    if weights.size < 2 or not np.all(weights > 0):
        return None
    root = np.sqrt(weights)[:, None]
    # A BLAS product's bits depend on the number of its threads.
    with threadpool_limits(limits=1, user_api="blas"):
        count = max(SAMPLE, 2 * weights.size)
        chosen = np.arange(size)
        if size > count:
            chosen = np.sort(np.random.default_rng(0).choice(size, count, replace=False))
        samples = [root * table for table in tables(chosen)]
        if not all(np.all(np.isfinite(sample)) for sample in samples):
            return None
        norms = [_largest_column(sample) for sample in samples]
        scaled = [s / n for s, n in zip(samples, norms, strict=True) if n > 0.0]
        if not scaled:
            return None
        triangle = np.linalg.qr(np.concatenate(scaled, axis=1).T, mode="r")
        basis, values, _ = np.linalg.svd(np.transpose(triangle))
        rank = max(1, int(np.count_nonzero(values > TOLERANCE)))
        if rank > WORTH * weights.size:
            return None
        modes = Modes(basis[:, :rank] / root, basis[:, :rank] * root)
        for part in blocks(size):
            for table, norm in zip(tables(part), norms, strict=True):
                rest = root * (table - modes.lift @ (modes.project.T @ table))
                if not _largest_column(rest) <= 10.0 * TOLERANCE * norm:
                    return None
    return modes


def _largest_column(table: Array) -> float:
    return float(np.sqrt(np.max(np.sum(table * table, axis=0))))
