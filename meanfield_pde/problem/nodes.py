"""Where a measure has its mass: nodes of a tensor grid, or points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GridNodes:
    """All combinations of coordinates: `axes[k]` holds those of parameter k.

    `faces[k]`, where given, holds the axes of the grid of faces normal to parameter k: where a
    scheme needs the derivative of V in that parameter too.
    """

    axes: tuple[Array, ...]
    faces: tuple[tuple[Array, ...], ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an array with one entry a node."""
        return tuple(axis.size for axis in self.axes)

    def coordinates(self) -> tuple[Array, ...]:
        """Coordinate arrays, one a parameter, each of the full shape."""
        return tuple(np.ascontiguousarray(a) for a in np.meshgrid(*self.axes, indexing="ij"))


@dataclass(frozen=True, eq=False)
class PointNodes:
    """Points (number, parameters)."""

    points: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an array with one entry a node."""
        return (self.points.shape[0],)

    def coordinates(self) -> tuple[Array, ...]:
        """Coordinate arrays, one a parameter."""
        return tuple(np.ascontiguousarray(column) for column in self.points.T)


Nodes = GridNodes | PointNodes
