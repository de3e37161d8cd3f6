"""Cell averages on a uniform grid: the finite-volume representation, in 1D and 2D."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import InputError, NumericalFailure, StepTooLong, require
from meanfield_pde.kernels import finite_volumes as kernel
from meanfield_pde.kernels.reaction import reweight
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.features import mass_of
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import Law, law_factors
from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.representations.runge_kutta import SSP3, Mobility

Array = NDArray[np.float64]

POSITIVITY_LIMIT = 0.5
"""Largest dt * rate for which cell averages stay non-negative (`kernels.finite_volumes`)."""

RESOLVED = 1e-3
"""Largest mass of a law that its cell averages may miss: a law inside a cell is refused."""

LIMITERS = {
    "none": kernel.UNLIMITED,
    "minmod": kernel.MINMOD,
    "van_leer": kernel.VAN_LEER,
    "monotonized_central": kernel.MONOTONIZED_CENTRAL,
}


@dataclass(frozen=True)
class Upwind:
    """First order: the face value is the average of the cell upwind."""

    kind: Literal["upwind"] = "upwind"

    @property
    def code(self) -> int:
        """The kernel's name for it."""
        return kernel.UPWIND


@dataclass(frozen=True)
class Muscl:
    """Second order: limited linear reconstruction (van Leer 1979).

    Without a limiter ("none") positivity is lost; that is for measuring orders in time.
    """

    limiter: Literal["none", "minmod", "van_leer", "monotonized_central"] = "van_leer"
    kind: Literal["muscl"] = "muscl"

    def __post_init__(self) -> None:
        require(self.limiter in LIMITERS, "limiter", self.limiter, "one of " + ", ".join(LIMITERS))

    @property
    def code(self) -> int:
        """The kernel's name for it."""
        return LIMITERS[self.limiter]


Reconstruction = Annotated[Upwind | Muscl, Discriminator("kind")]


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

    def scales(self, mobility: tuple[float, ...]) -> tuple[float, float]:
        """M / h^2 along both axes of the kernel (a one-dimensional grid is one row)."""
        each = [m / h**2 for m, h in zip(mobility, self.widths, strict=True)]
        return (each[0], each[1]) if len(each) == 2 else (0.0, each[0])

    @property
    def periodic(self) -> tuple[bool, bool]:
        """Along both axes of the kernel."""
        each = [axis.periodic for axis in self.axes]
        return (each[0], each[1]) if len(each) == 2 else (False, each[0])


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

    @property
    def values(self) -> Array:
        """The density: a cell has mass weight * values."""
        return self.density

    @property
    def weight(self) -> float:
        """The volume of a cell."""
        return self.grid.volume

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
        """An energy seen from the cell centres."""
        return energy.on(GridNodes(self.grid.centres))

    def with_density(self, density: Array) -> GridMeasure:
        """The same grid and scheme with another density."""
        return GridMeasure(self.grid, density, self.reconstruction)

    def _rows(self, array: Array) -> Array:
        return array.reshape(-1, self.grid.cells[-1])

    def _stage(
        self,
        base: Array,
        potential: Array,
        weights: tuple[float, float, float],
        mobility: tuple[float, ...],
    ) -> tuple[Array, float]:
        out = np.empty_like(self.density)
        rate = kernel.stage(
            self._rows(base),
            self._rows(self.density),
            self._rows(out),
            self._rows(potential),
            weights,
            self.grid.scales(mobility),
            self.grid.periodic,
            self.reconstruction.code,
        )
        return out, rate

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
            density, rate = current._stage(self.density, field.potential, weights, factors)
            if rate * dt > POSITIVITY_LIMIT * (1.0 + 1e-12):
                raise StepTooLong("transport would empty a cell", POSITIVITY_LIMIT / rate)
            current = self.with_density(density)
        return current

    def transport_rate(self, field: Field, mobility: tuple[float, ...]) -> Array:
        """div(mu M grad V) as the scheme sees it, per cell."""
        return self._stage(self.density, field.potential, (0.0, 0.0, 1.0), mobility)[0]

    def face_rate(self, field: Field, mobility: tuple[float, ...]) -> float:
        """Largest face velocity over cell width, summed over the axes."""
        rows = self._rows(field.potential)
        return float(kernel.face_rate(rows, self.grid.scales(mobility), self.grid.periodic))

    def reweighted(self, potential: Array, scale: float, shift: float = 0.0) -> GridMeasure:
        """mu exp(scale * (potential - shift))."""
        out = np.empty_like(self.density)
        reweight(self.density.ravel(), potential.ravel(), scale, shift, out.ravel())
        return self.with_density(out)

    def scaled(self, factor: float) -> GridMeasure:
        """factor * mu."""
        return self.with_density(self.density * factor)

    def injected(self, base: GridMeasure, mass: float) -> GridMeasure:
        """mu + mass * base."""
        return self.with_density(self.density + mass * base.density)

    def project(self, law: Law) -> GridMeasure:
        """Another law on the same grid."""
        return FiniteVolumes(self.grid.cells, self.reconstruction).on_axes(law, self.grid.axes)

    def moments(self) -> tuple[Array, Array]:
        """Mean and variance of each parameter (on a circle: circular)."""
        axes = range(len(self.grid.axes))
        pairs = []
        for k in axes:
            others = tuple(j for j in axes if j != k)
            share = self.density.sum(axis=others)
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
    def smallest(self) -> float:
        """The smallest cell average."""
        return float(self.density.min())

    @property
    def snapshot(self) -> Array:
        """What a snapshot holds: the density."""
        return self.density


def axis_moments(theta: Array, share: Array, axis: Axis) -> tuple[float, float]:
    """Mean and variance of one parameter under weights that sum to one."""
    if axis.periodic:
        vector = complex(np.sum(share * np.exp(1j * theta)))
        return float(np.angle(vector)), 1.0 - abs(vector)
    mean = float(np.sum(share * theta))
    return mean, float(np.sum(share * (theta - mean) ** 2))


@dataclass(frozen=True)
class FiniteVolumes:
    """Finite volumes on a uniform grid of `cells` (a number, or one a parameter)."""

    cells: int | tuple[int, ...]
    reconstruction: Reconstruction = Muscl()
    kind: Literal["finite_volumes"] = "finite_volumes"

    def __post_init__(self) -> None:
        each = (self.cells,) if isinstance(self.cells, int) else self.cells
        require(all(n >= 4 for n in each), "cells", self.cells, "at least 4 along each parameter")

    def grid(self, axes: tuple[Axis, ...]) -> Grid:
        """The grid of a space."""
        cells = (self.cells,) * len(axes) if isinstance(self.cells, int) else self.cells
        require(len(axes) <= 2, "parameters", len(axes), "1 or 2 of them on a grid")
        one_each = f"one number for all parameters, or {len(axes)}, one for each"
        require(len(cells) == len(axes), "cells", self.cells, one_each)
        return Grid(axes, cells)

    def on_axes(self, law: Law, axes: tuple[Axis, ...]) -> GridMeasure:
        """Cell averages of a law, of total mass 1."""
        grid = self.grid(axes)
        factors = law_factors(law, axes)
        parts = [f.cell_averages(e, a) for f, e, a in zip(factors, grid.edges, axes, strict=True)]
        for part, width, factor, axis in zip(parts, grid.widths, factors, axes, strict=True):
            missed = 1.0 - factor.mass_outside(axis) - width * float(np.sum(part))
            if abs(missed) > RESOLVED:
                raise InputError(
                    f"law {str(factor)!r}: expected it to be wider than a cell of width {width:g}, "
                    "or a law of kind 'point'"
                )
        density = parts[0] if len(parts) == 1 else np.multiply.outer(parts[0], parts[1])
        measure = GridMeasure(grid, np.ascontiguousarray(density), self.reconstruction)
        return measure.scaled(1.0 / measure.mass)

    def project(self, law: Law, space: Space) -> GridMeasure:
        """A law on the grid of a space, of total mass 1.

        Raises
        ------
        InputError
            If the law does not fit the space, or is too narrow for the cells.
        """
        return self.on_axes(law, space.axes)
