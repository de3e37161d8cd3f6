"""Energies without data: a fixed potential V(theta), E = int V dmu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.kernels.reductions import dot
from meanfield_pde.problem.features import mass_of
from meanfield_pde.problem.interaction import sum_of_squares
from meanfield_pde.problem.landscape import Discrete, Field, Landscape, nowhere_else
from meanfield_pde.problem.nodes import Nodes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PotentialField:
    """See `Field`; a fixed potential."""

    centre: float
    energy: float
    mass: float
    integral: float
    prediction: Array
    potential: Array
    gradient: tuple[Array, ...]
    face_slopes: tuple[Array, ...]
    mu: Discrete
    elsewhere: Callable[[Nodes], Landscape]

    def potential_at(self, nodes: Nodes) -> Array:
        """V at other nodes."""
        return self.potential_in(self.elsewhere(nodes))

    def potential_in(self, landscape: Landscape) -> Array:
        """V at the nodes of another landscape."""
        return cast(PotentialLandscape, landscape).potential

    def gradient_in(self, landscape: Landscape) -> tuple[Array, ...]:
        """The gradient of V there."""
        return cast(PotentialLandscape, landscape).gradient

    @property
    def image(self) -> Array:
        """The integral of V - centre over mu (`Landscape.image`)."""
        return np.array([self.energy - self.centre * self.mass])

    @cached_property
    def mean_square(self) -> float:
        """int V^2 dmu."""
        return sum_of_squares(self.mu, self.potential)

    @cached_property
    def mean_square_slopes(self) -> tuple[float, ...]:
        """int (d_k V)^2 dmu."""
        return tuple(sum_of_squares(self.mu, slope) for slope in self.gradient)

    @property
    def mean_square_norms(self) -> tuple[float, tuple[float, ...]]:
        """Zero: V does not depend on mu."""
        return 0.0, (0.0,) * len(self.gradient)


@dataclass(frozen=True, eq=False)
class PotentialLandscape:
    """A fixed potential at given nodes."""

    potential: Array
    gradient: tuple[Array, ...]
    face_slopes: tuple[Array, ...] = ()
    elsewhere: Callable[[Nodes], Landscape] = nowhere_else

    @cached_property
    def centre(self) -> float:
        """A value of V to measure it from, so that a constant in V changes nothing."""
        return float(np.mean(self.potential))

    def at(self, mu: Discrete) -> PotentialField:
        """E = int V dmu."""
        energy = mu.weight * float(dot(self.potential.ravel(), mu.values.ravel()))
        return PotentialField(
            centre=self.centre,
            energy=energy,
            mass=mass_of(mu.values, mu.weight),
            integral=energy,
            prediction=np.empty(0),
            potential=self.potential,
            gradient=self.gradient,
            face_slopes=self.face_slopes,
            mu=mu,
            elsewhere=self.elsewhere,
        )

    def image(self, values: Array, weight: float) -> Array:
        """The change of int (V - centre) dmu, one number."""
        change = weight * float(dot(self.potential.ravel(), values.ravel()))
        return np.array([change - self.centre * mass_of(values, weight)])

    def norm(self, image: Array, field: Field) -> float:
        """Relative to the standard deviation of V over the nodes, times the mass."""
        scale = float(np.std(self.potential)) * field.mass
        return abs(float(image[0])) / scale if scale > 0 else abs(float(image[0]))
