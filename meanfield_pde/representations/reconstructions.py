"""What a scheme makes of cell averages: face values, point values, products.

`Upwind` and `Muscl` are of second order at most: averages serve as values at cell centres, and V
is only seen there. `Weno5` tells averages from point values and differentiates V at faces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import require
from meanfield_pde.kernels import averages as conversion
from meanfield_pde.kernels import finite_volumes, reaction, weno
from meanfield_pde.problem.landscape import Field
from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.representations.cells import Grid

Array = NDArray[np.float64]
Mobility = tuple[float, ...]
Weights = tuple[float, float, float]

POSITIVITY_LIMIT = 0.5
"""Largest dt * rate for which an Euler step keeps averages >= 0, under every limited scheme."""

LIMITERS = {
    "none": finite_volumes.UNLIMITED,
    "minmod": finite_volumes.MINMOD,
    "van_leer": finite_volumes.VAN_LEER,
    "monotonized_central": finite_volumes.MONOTONIZED_CENTRAL,
}


class _CellCentred(ABC):
    """What `Upwind` and `Muscl` share."""

    @property
    @abstractmethod
    def code(self) -> int:
        """The kernel's name for it."""

    def nodes(self, grid: Grid) -> GridNodes:
        """Where an energy is seen from."""
        return GridNodes(grid.centres)

    def point_values(self, grid: Grid, averages: Array) -> Array:
        """The density at cell centres."""
        return averages

    def point_rates(self, grid: Grid, averages: Array, rates: Array) -> Array:
        """How fast point values change where averages change at these rates."""
        return rates

    def stage(
        self,
        grid: Grid,
        base: Array,
        current: Array,
        field: Field,
        weights: Weights,
        mobility: Mobility,
    ) -> tuple[Array, float]:
        """One stage of transport and its rate (`kernels.finite_volumes.stage`)."""
        out = np.empty_like(current)
        rate = finite_volumes.stage(
            grid.rows(base),
            grid.rows(current),
            grid.rows(out),
            grid.rows(field.potential),
            weights,
            grid.scales(mobility),
            grid.periodic,
            self.code,
        )
        return out, float(rate)

    def face_rate(self, grid: Grid, field: Field, mobility: Mobility) -> float:
        """The rate of a stage."""
        rows = grid.rows(field.potential)
        return float(finite_volumes.face_rate(rows, grid.scales(mobility), grid.periodic))

    def multiplied(self, grid: Grid, averages: Array, factor: Array) -> Array:
        """Cell averages of a factor, given at cell centres, times the density."""
        return averages * factor

    def reweighted(
        self, grid: Grid, averages: Array, potential: Array, scale: float, shift: float
    ) -> Array:
        """Cell averages of exp(scale * (potential - shift)) times the density."""
        out = np.empty_like(averages)
        reaction.reweight(averages.ravel(), potential.ravel(), scale, shift, out.ravel())
        return out


@dataclass(frozen=True)
class Upwind(_CellCentred):
    """First order: the face value is the average of the cell upwind."""

    kind: Literal["upwind"] = "upwind"

    order: ClassVar[int] = 1

    @property
    def code(self) -> int:
        """The kernel's name for it."""
        return finite_volumes.UPWIND


@dataclass(frozen=True)
class Muscl(_CellCentred):
    """Second order: limited linear reconstruction (van Leer 1979).

    Without a limiter ("none") positivity is lost; that is for measuring orders in time.
    """

    limiter: Literal["none", "minmod", "van_leer", "monotonized_central"] = "van_leer"
    kind: Literal["muscl"] = "muscl"

    order: ClassVar[int] = 2

    def __post_init__(self) -> None:
        require(self.limiter in LIMITERS, "limiter", self.limiter, "one of " + ", ".join(LIMITERS))

    @property
    def code(self) -> int:
        """The kernel's name for it."""
        return LIMITERS[self.limiter]


@dataclass(frozen=True)
class Weno5:
    """Fifth order, in the plane and with birth and death fourth, and positive (`kernels.weno`).

    Steps of fourth order without splitting, `Unsplit("ssp4")`, go with it.
    """

    kind: Literal["weno5"] = "weno5"

    order: ClassVar[int] = 4

    def nodes(self, grid: Grid) -> GridNodes:
        """Where an energy is seen from: its slopes also from the faces."""
        return GridNodes(grid.centres, tuple(nodes.axes for nodes in grid.faces))

    def point_values(self, grid: Grid, averages: Array) -> Array:
        """The density at cell centres."""
        return self.point_rates(grid, averages, averages)

    def point_rates(self, grid: Grid, averages: Array, rates: Array) -> Array:
        """How fast point values change where averages change at these rates."""
        out = np.empty_like(averages)
        conversion.point_rates(grid.rows(averages), grid.rows(rates), grid.periodic, grid.rows(out))
        return out

    def stage(
        self,
        grid: Grid,
        base: Array,
        current: Array,
        field: Field,
        weights: Weights,
        mobility: Mobility,
    ) -> tuple[Array, float]:
        """One stage of transport and its rate (`kernels.weno.stage`)."""
        out = np.empty_like(current)
        slopes0, slopes1 = grid.rows_of_slopes(field.face_slopes)
        rate = weno.stage(
            grid.rows(base),
            grid.rows(current),
            grid.rows(out),
            slopes0,
            slopes1,
            weights,
            grid.scales(mobility, 1),
            grid.periodic,
        )
        return out, float(rate)

    def face_rate(self, grid: Grid, field: Field, mobility: Mobility) -> float:
        """The rate of a stage."""
        slopes = grid.rows_of_slopes(field.face_slopes)
        return float(weno.face_rate(*slopes, grid.scales(mobility, 1), grid.periodic))

    def multiplied(self, grid: Grid, averages: Array, factor: Array) -> Array:
        """Cell averages of a factor, given at cell centres, times the density."""
        out = np.empty_like(averages)
        factor = np.ascontiguousarray(factor)
        conversion.multiply(grid.rows(averages), grid.rows(factor), grid.periodic, grid.rows(out))
        return out

    def reweighted(
        self, grid: Grid, averages: Array, potential: Array, scale: float, shift: float
    ) -> Array:
        """Cell averages of exp(scale * (potential - shift)) times the density."""
        factor = np.ones_like(averages)
        reaction.reweight(factor.ravel(), potential.ravel(), scale, shift, factor.ravel())
        return self.multiplied(grid, averages, factor)


Reconstruction = Annotated[Upwind | Muscl | Weno5, Discriminator("kind")]
