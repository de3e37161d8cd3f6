"""An energy at nodes that move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.landscape import Discrete, Field, Landscape
from meanfield_pde.problem.nodes import PointNodes

Array = NDArray[np.float64]


class AtPoints(Discrete, Protocol):
    """A measure on nodes that are points."""

    @property
    def points(self) -> Array:
        """(nodes, parameters)."""
        ...


@dataclass(frozen=True)
class FollowingLandscape:
    """An energy at nodes that move: O(nodes x rank) at each evaluation."""

    energy: AnyEnergy

    def at(self, mu: Discrete) -> Field:
        """The energy and its first variation at the points of mu."""
        return self._there(mu).at(mu)

    def _there(self, mu: Discrete) -> Landscape:
        return self.energy.on(PointNodes(cast(AtPoints, mu).points))

    def image(self, values: Array, weight: float) -> Array:
        """Not defined: a change of positions is not a change of masses."""
        raise TypeError("moving nodes have no image of their rates")

    def norm(self, image: Array, field: Field) -> float:
        """As seen from the nodes of a field."""
        return self._there(field.mu).norm(image, field)
