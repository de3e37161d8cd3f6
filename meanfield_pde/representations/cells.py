"""A uniform grid: where its cells and their faces are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """A uniform grid: `cells[k]` cells along `axes[k]`."""

    axes: tuple[Axis, ...]
    cells: tuple[int, ...]

    @property
    def widths(self) -> tuple[float, ...]:
        """Of a cell along each axis."""
        return tuple(a.length / n for a, n in zip(self.axes, self.cells, strict=True))

    @property
    def volume(self) -> float:
        """Of a cell."""
        return float(np.prod(self.widths))

    @cached_property
    def edges(self) -> tuple[Array, ...]:
        """Of the cells along each axis, (cells + 1,)."""
        pairs = zip(self.axes, self.cells, strict=True)
        return tuple(np.linspace(a.lower, a.upper, n + 1) for a, n in pairs)

    @cached_property
    def centres(self) -> tuple[Array, ...]:
        """Of the cells along each axis, (cells,)."""
        return tuple(0.5 * (e[1:] + e[:-1]) for e in self.edges)

    @cached_property
    def coordinates(self) -> tuple[Array, ...]:
        """Of the cell centres, one array a parameter, each with one entry a cell."""
        return GridNodes(self.centres).coordinates()

    @property
    def faces(self) -> tuple[GridNodes, ...]:
        """The centres of the faces normal to each axis, those at both ends included."""
        axes = range(len(self.axes))
        return tuple(
            GridNodes(tuple(self.edges[j] if j == k else self.centres[j] for j in axes))
            for k in axes
        )

    # Kernels know rows and columns: a one-dimensional grid is one row.

    def rows(self, array: Array) -> Array:
        """An array with one entry a cell, as (rows, columns)."""
        return array.reshape(-1, self.cells[-1])

    def rows_of_slopes(self, slopes: tuple[Array, ...]) -> tuple[Array, Array]:
        """One entry a face, as (rows + 1, columns) and (rows, columns + 1)."""
        shapes = [nodes.shape for nodes in self.faces]
        full = [
            np.ascontiguousarray(np.broadcast_to(slope, shape))
            for slope, shape in zip(slopes, shapes, strict=True)
        ]
        if len(full) == 1:
            return np.empty((0, self.cells[0])), full[0][np.newaxis]
        return full[0], full[1]

    def scales(self, mobility: tuple[float, ...], power: int = 2) -> tuple[float, float]:
        """M / h^power along both axes of the kernels."""
        each = [m / h**power for m, h in zip(mobility, self.widths, strict=True)]
        return (each[0], each[1]) if len(each) == 2 else (0.0, each[0])

    @property
    def periodic(self) -> tuple[bool, bool]:
        """Along both axes of the kernels."""
        each = [axis.periodic for axis in self.axes]
        return (each[0], each[1]) if len(each) == 2 else (False, each[0])
