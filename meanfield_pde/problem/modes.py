"""Feature tables compressed to their numerical rank.

phi(x_q, theta) as a vector in q stays, up to round-off, in a space of few dimensions r where phi is
smooth. With an orthonormal basis U of that space,

    phi(x_q, theta) ~ sum_k U[q, k] b_k(theta),        b = U^T phi,

so that tables of r rows b_k replace tables of one row a data point. The norm is the plain one, with
no weights of the data, so that phi is as exact at points of tiny weight as elsewhere: f changes at
no data point by more than the error of phi, and V by at most that error times |w l'|. Derivatives
in theta lie in the same space, and d_k b = U^T d_k phi is exact: V and its gradient agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Array = NDArray[np.float64]

TOLERANCE = 1e-12
"""Smallest singular value that is kept, relative to the largest norm of phi and of each derivative.

The error of phi and its derivatives is tested to be at most ten times this, at every node.
"""

WORTH = 0.7
"""Largest part of the rows of a table that its compression may keep."""

SAMPLE = 2048
"""Nodes from which a basis is found; it is tested at all of them."""

BLOCK = 4096
"""Nodes for which a table is formed at once."""


def blocks(size: int) -> Iterator[slice]:
    """Of at most BLOCK nodes."""
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


def find_modes(
    tables: Callable[[NDArray[np.intp] | slice], tuple[Array, ...]], size: int, points: int
) -> Array | None:
    """A basis that holds phi and its derivatives to TOLERANCE at all nodes.

    Parameters
    ----------
    tables : callable
        Numbers of nodes, or a slice of them, to phi and its derivatives, (data points, nodes) each.
    size : int
        Number of nodes.
    points : int
        Number of data points.

    Returns
    -------
    array (data points, rank) or None
        Of orthonormal columns; None where there is little to gain.
    """
    if points < 2:
        return None
    # A BLAS product's bits depend on the number of its threads.
    with threadpool_limits(limits=1, user_api="blas"):
        count = max(SAMPLE, 2 * points)
        chosen = np.arange(size)
        if size > count:
            chosen = np.sort(np.random.default_rng(0).choice(size, count, replace=False))
        samples = tables(chosen)
        if not all(np.all(np.isfinite(sample)) for sample in samples):
            return None
        norms = [_largest_column(sample) for sample in samples]
        scaled = [s / n for s, n in zip(samples, norms, strict=True) if n > 0.0]
        if not scaled:
            return None
        triangle = np.linalg.qr(np.concatenate(scaled, axis=1).T, mode="r")
        basis, values, _ = np.linalg.svd(np.transpose(triangle))
        rank = max(1, int(np.count_nonzero(values > TOLERANCE)))
        if rank > WORTH * points:
            return None
        modes = np.ascontiguousarray(basis[:, :rank])
        for part in blocks(size):
            for table, norm in zip(tables(part), norms, strict=True):
                rest = table - modes @ (modes.T @ table)
                if not _largest_column(rest) <= 10.0 * TOLERANCE * norm:
                    return None
    return modes


def _largest_column(table: Array) -> float:
    return float(np.sqrt(np.max(np.sum(table * table, axis=0))))
