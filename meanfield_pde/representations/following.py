"""An energy at nodes that move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.landscape import Discrete, Field, Landscape
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]


class AtPoints(Discrete, Protocol):
    """A measure on nodes that are points."""

    @property
    def points(self) -> Array:
        """(nodes, parameters)."""
        ...


def folded(points: Array, axes: tuple[Axis, ...]) -> Array:
    """Points (points, parameters) brought back between the ends of circles."""
    if not any(axis.periodic for axis in axes):
        return points
    columns = []
    for column, axis in zip(points.T, axes, strict=True):
        turned = np.mod(column - axis.lower, axis.length) if axis.periodic else column
        # A remainder may round up to the length itself.
        back = np.where(turned < axis.length, turned, 0.0)
        columns.append(axis.lower + back if axis.periodic else column)
    return np.column_stack(columns)


class Sampling(Protocol):
    """A landscape that can be seen by a batch of the data."""

    def sampled(self, generator: np.random.Generator, batch: int) -> Landscape:
        """By points drawn independently from nu."""
        ...


@dataclass(frozen=True, eq=False)
class FollowingLandscape:
    """An energy at nodes that move: O(nodes x rank) at each evaluation.

    Attributes
    ----------
    energy : Energy or PotentialEnergy
    batch : array of int, optional
        Which points of the data stand for all of them.
    """

    energy: AnyEnergy
    batch: NDArray[np.intp] | None = None

    def sampled(self, generator: np.random.Generator, batch: int) -> FollowingLandscape:
        """By points drawn independently from nu."""
        assert isinstance(self.energy, Energy)
        weights = self.energy.data_weights
        drawn = generator.choice(weights.size, batch, p=weights / weights.sum())
        return FollowingLandscape(self.energy, drawn)

    def at(self, mu: Discrete) -> Field:
        """The energy and its first variation at the points of mu."""
        return self._there(mu).at(mu)

    def _there(self, mu: Discrete) -> Landscape:
        places = folded(cast(AtPoints, mu).points, self.energy.space.axes)
        if self.batch is None:
            return self.energy.on(PointNodes(places))
        assert isinstance(self.energy, Energy)
        return self.energy.on(PointNodes(places), self.batch)

    def image(self, values: Array, weight: float) -> Array:
        """Not defined: a change of positions is not a change of masses."""
        raise TypeError("moving nodes have no image of their rates")

    def norm(self, image: Array, field: Field) -> float:
        """As seen from the nodes of a field."""
        return self._there(field.mu).norm(image, field)
