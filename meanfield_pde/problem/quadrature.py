"""Cell averages of a density given at points: Gauss-Legendre panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from meanfield_pde.errors import require

Array = npt.NDArray[np.float64]


@lru_cache(maxsize=16)
def gauss(points: int) -> tuple[Array, Array]:
    """Nodes and weights of Gauss-Legendre on [0, 1]: weights sum to one."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return 0.5 * (nodes + 1.0), 0.5 * weights


def cell_averages(
    density: Callable[..., Array],
    edges: Sequence[npt.ArrayLike],
    breaks: Sequence[Array],
    points: int,
) -> Array:
    """Average over the cells of a tensor grid, by Gauss-Legendre on panels.

    Differences of a distribution function would round tails to zero; averages of values do not.

    Parameters
    ----------
    density : callable
        Called with one array per axis, of equal shapes, to an array of that shape.
    edges : one array of cell edges per axis
    breaks : one array per axis
        Where panels end besides the edges, to make them short on the scale of the density.
    points : int
        Gauss points of a panel along each axis.
    """
    grid = [np.asarray(ends, dtype=float) for ends in edges]
    panels = []
    for ends, extra in zip(grid, breaks, strict=True):
        increasing = ends.ndim == 1 and len(ends) > 1 and bool(np.all(np.diff(ends) > 0))
        require(increasing, "edges", ends, "increasing numbers, at least two per axis")
        panels.append(np.union1d(ends, extra[(extra > ends[0]) & (extra < ends[-1])]))
    nodes, weights = gauss(points)
    average = np.zeros([len(panel) - 1 for panel in panels])
    for node in product(range(points), repeat=len(panels)):
        axes = [p[:-1] + nodes[i] * np.diff(p) for p, i in zip(panels, node, strict=True)]
        average += np.prod(weights[list(node)]) * density(*np.meshgrid(*axes, indexing="ij"))
    for ends, panel in zip(grid, panels, strict=True):  # each turn sends the first axis last
        integrals = np.moveaxis(average, 0, -1) * np.diff(panel)
        average = np.add.reduceat(integrals, np.searchsorted(panel, ends[:-1]), -1) / np.diff(ends)
    return average
