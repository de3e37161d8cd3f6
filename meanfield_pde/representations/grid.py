"""Cell averages on a uniform grid: the finite-volume representation, in 1D and 2D."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import NumericalFailure, StepTooLong, require
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.features import mass_of
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import AnyLaw, averages_of
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.representations.cells import Grid
from meanfield_pde.representations.moments import axis_moments
from meanfield_pde.representations.reconstructions import (
    POSITIVITY_LIMIT,
    Muscl,
    Reconstruction,
    Upwind,
    Weno5,
)
from meanfield_pde.representations.runge_kutta import SSP3, Mobility
from meanfield_pde.representations.sizes import checked, one_each

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GridMeasure:
    """A measure as cell averages of its density.

    Attributes
    ----------
    grid : Grid
    density : array, one entry a cell
    reconstruction : Reconstruction
    """

    grid: Grid
    density: Array
    reconstruction: Reconstruction

    representation: ClassVar[str] = "finite_volumes"

    def __post_init__(self) -> None:
        require(
            np.shape(self.density) == self.grid.cells,
            "density's shape",
            np.shape(self.density),
            f"that of the grid, {self.grid.cells}",
        )
        # Kernels write through flat views, which only a contiguous array has.
        density = np.ascontiguousarray(self.density, dtype=np.float64)
        object.__setattr__(self, "density", density)

    @cached_property
    def values(self) -> Array:
        """The density at cell centres: sums of weight * values are integrals over mu."""
        return self.reconstruction.point_values(self.grid, self.density)

    @property
    def weight(self) -> float:
        """The volume of a cell."""
        return self.grid.volume

    @property
    def coordinates(self) -> tuple[Array, ...]:
        """Where `values` are, one array a parameter."""
        return self.grid.coordinates

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Of the space."""
        return self.grid.axes

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return len(self.grid.axes)

    @cached_property
    def mass(self) -> float:
        """Total mass."""
        return mass_of(self.density, self.weight)

    def landscape(self, energy: AnyEnergy) -> Landscape:
        """An energy seen from the cell centres, and from faces if the scheme needs that."""
        return energy.on(self.reconstruction.nodes(self.grid))

    def with_density(self, density: Array) -> GridMeasure:
        """The same grid and scheme with another density."""
        return GridMeasure(self.grid, density, self.reconstruction)

    def transported(
        self, landscape: Landscape, mobility: Mobility, time: float, dt: float
    ) -> GridMeasure:
        """The flow of d_t mu = div(mu M grad V) over dt: SSP3, V and M formed anew at each stage.

        Raises
        ------
        StepTooLong
            If a stage would break the bound under which averages stay non-negative.
        """
        current = self
        for stage, moment in zip(SSP3.stages, SSP3.times, strict=True):
            weights = (1.0, stage.weight, stage.weight * stage.step * dt)
            factors = mobility(time + moment * dt)
            field = landscape.at(current)
            if not math.isfinite(field.energy):
                raise NumericalFailure("the energy is no longer finite")
            density, rate = self.reconstruction.stage(
                self.grid, self.density, current.density, field, weights, factors
            )
            if rate * dt > POSITIVITY_LIMIT * (1.0 + 1e-12):
                raise StepTooLong("transport would empty a cell", POSITIVITY_LIMIT / rate)
            current = self.with_density(density)
        return current

    def transport_rate(self, field: Field, mobility: tuple[float, ...]) -> Array:
        """div(mu M grad V) as the scheme sees it, per cell."""
        weights = (0.0, 0.0, 1.0)
        arrays = self.density, self.density
        return self.reconstruction.stage(self.grid, *arrays, field, weights, mobility)[0]

    def face_rate(self, field: Field, mobility: tuple[float, ...]) -> float:
        """Largest face velocity over cell width, summed over the axes."""
        return self.reconstruction.face_rate(self.grid, field, mobility)

    def multiplied(self, factor: Array) -> Array:
        """Cell averages of factor * mu, the factor given at cell centres."""
        return self.reconstruction.multiplied(self.grid, self.density, factor)

    def born(self, law: AnyLaw, field: Field) -> tuple[GridMeasure, Array]:
        """A law from which neurons are born, and V at its nodes."""
        return self.project(law), field.potential

    def injection_rate(self, law: AnyLaw, rate: float) -> Array:
        """How fast the density changes where mass is born from a law at a rate."""
        return rate * self.project(law).density

    def point_rates(self, rates: Array) -> Array:
        """How fast `values` change where cell averages change at these rates."""
        return self.reconstruction.point_rates(self.grid, self.density, rates)

    def reweighted(self, potential: Array, scale: float, shift: float = 0.0) -> GridMeasure:
        """mu exp(scale * (potential - shift))."""
        return self.with_density(
            self.reconstruction.reweighted(self.grid, self.density, potential, scale, shift)
        )

    def scaled(self, factor: float) -> GridMeasure:
        """factor * mu."""
        return self.with_density(self.density * factor)

    def injected(self, base: object, mass: float) -> GridMeasure:
        """mu + mass * base, a measure on the same grid."""
        assert isinstance(base, GridMeasure)
        return self.with_density(self.density + mass * base.density)

    def project(self, law: AnyLaw) -> GridMeasure:
        """Another law on the same grid."""
        return FiniteVolumes(self.grid.cells, self.reconstruction).on_axes(law, self.grid.axes)

    def moments(self) -> tuple[Array, Array]:
        """Mean and variance of each parameter (on a circle: circular)."""
        axes = range(len(self.grid.axes))
        pairs = []
        for k in axes:
            others = tuple(j for j in axes if j != k)
            share = self.values.sum(axis=others)
            share = share / share.sum()
            pairs.append(axis_moments(self.grid.centres[k], share, self.grid.axes[k]))
        return np.array([m for m, _ in pairs]), np.array([v for _, v in pairs])

    def wall_mass(self) -> float:
        """Mass in the cells that touch a wall (a corner counts twice)."""
        layers = [
            self.density.take([0, -1], axis=k).sum()
            for k, axis in enumerate(self.grid.axes)
            if not axis.periodic
        ]
        return float(self.weight * sum(layers))

    @property
    def centres(self) -> tuple[Array, ...]:
        """Cell centres along each parameter."""
        return self.grid.centres

    @property
    def state(self) -> Array:
        """What the equation changes: the density."""
        return self.density

    def with_state(self, state: Array) -> GridMeasure:
        """The same grid and scheme with another density."""
        return self.with_density(state)

    def error(self, change: Array, end: Array) -> float:
        """The size of an error of the density: in L1, relative to the mass."""
        return float(np.sum(np.abs(change))) * self.weight / self.mass

    def maintained(self, field: Field) -> GridMeasure:
        """Itself: a grid stays."""
        return self

    def unresolved(self, field: Field) -> float:
        """Not known: nan."""
        return math.nan

    @property
    def smallest(self) -> float:
        """The smallest cell average."""
        return float(self.density.min())

    @property
    def snapshot(self) -> Array:
        """What a snapshot holds: the density."""
        return self.density


@dataclass(frozen=True)
class FiniteVolumes:
    """Finite volumes on a uniform grid of `cells` (a number, or one a parameter)."""

    cells: int | tuple[int, ...]
    reconstruction: Reconstruction = Muscl()
    kind: Literal["finite_volumes"] = "finite_volumes"

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", checked("cells", self.cells, 4))

    def grid(self, axes: tuple[Axis, ...]) -> Grid:
        """The grid of a space."""
        require(len(axes) <= 2, "parameters", len(axes), "1 or 2 of them on a grid")
        cells = one_each("cells", self.cells, len(axes))
        return Grid(axes, cells)

    def check(self, axes: tuple[Axis, ...]) -> None:
        """Raise `InputError` if the method does not fit a space."""
        self.grid(axes)

    def finer(self, axes: tuple[Axis, ...]) -> FiniteVolumes:
        """Twice the cells along one parameter, half as many again along each of two; even."""
        factor = 2.0 if len(axes) == 1 else 1.5
        return replace(
            self, cells=tuple(2 * round(0.5 * factor * n) for n in self.grid(axes).cells)
        )

    def wider(
        self, axes: tuple[Axis, ...], chosen: tuple[bool, ...]
    ) -> tuple[FiniteVolumes, tuple[float, ...]]:
        """The same cells and an eighth as many beyond both walls of the chosen parameters.

        Returns
        -------
        FiniteVolumes, tuple of float
            And by which factors the space must be stretched about its middle.
        """
        old = self.grid(axes).cells
        new = tuple(
            n + 2 * max(1, round(n / 8)) if c else n for n, c in zip(old, chosen, strict=True)
        )
        return replace(self, cells=new), tuple(m / n for m, n in zip(new, old, strict=True))

    def on_axes(self, law: AnyLaw, axes: tuple[Axis, ...]) -> GridMeasure:
        """Cell averages of a law, of total mass 1."""
        grid = self.grid(axes)
        density = averages_of(law, grid.edges, axes)
        measure = GridMeasure(grid, density, self.reconstruction)
        return measure.scaled(1.0 / measure.mass)

    def project(self, law: AnyLaw, space: Space) -> GridMeasure:
        """A law on the grid of a space, of total mass 1.

        Raises
        ------
        InputError
            If the law does not fit the space, or is too narrow for the cells.
        """
        require(hasattr(space, "axes"), "space", space, "a space, such as Interval(-1.0, 1.0)")
        return self.on_axes(law, space.axes)


__all__ = [
    "POSITIVITY_LIMIT",
    "FiniteVolumes",
    "Grid",
    "GridMeasure",
    "Muscl",
    "Reconstruction",
    "Upwind",
    "Weno5",
]
