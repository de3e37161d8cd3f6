"""A run as plain arrays.

A run is a layout (what its axes are), scalars at the record times, and snapshots of the
measure at the save times. The same frames fill a `Solution` in memory and a file on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.spaces import Axis

if TYPE_CHECKING:
    from meanfield_pde.dynamics.equation import Equation

Array = NDArray[np.float64]

SCALARS = {
    "energy": "E[mu], the loss with its constant",
    "mean_potential": "Vbar, the mean of V under mu",
    "mass": "total mass of mu",
    "gap": "bound on E - min E (nan if not asked for, infinite if nothing bounds it)",
    "transport_dissipation": "int grad V . M grad V dmu",
    "birth_death_dissipation": "the decay of E by birth and death, by its formula",
    "identity_defect": "E(t) - E(0) + the time integral of both dissipation terms",
    "mass_drift": "largest relative change of mass in a birth-death sub-step before its balance",
    "time_error": "sum over the steps of the estimated error: of the prediction, or of the state",
    "redistribution_change": "sum of what redistributing or thinning nodes changed in f",
    "unresolved": "largest tail of what is integrated over nodes, or of the spectrum (grids: nan)",
    "wall_mass": "mass in the cells (or particles) that touch a wall",
    "smallest_density": "smallest cell average so far (grids), or density at a node (fourier)",
    "step": "the last time step taken",
    "steps": "number of steps so far",
    "rejections": "number of rejected steps so far",
}
"""Names of the scalars recorded in every run and what each is (`observables` has the formulas)."""


@dataclass(frozen=True)
class Layout:
    """What the arrays of a run are indexed by.

    Attributes
    ----------
    representation : str
        "finite_volumes", "characteristics", "fourier", "particles" or "weighted_particles".
    parameters : tuple of str
        Names of the components of theta, in order.
    lower, upper : tuple of float
        Bounds of the parameter space, one per parameter.
    periodic : tuple of bool
        Which parameters live on a circle.
    centres : tuple of arrays
        Cell centres, or equispaced points, along each parameter, where snapshots hold a density;
        empty where they do not.
    particles : int
        Number of particles; 0 for all other representations.
    inputs : array (data points,), or (data points, components) of two inputs or more
        Quadrature nodes x of the data measure; empty for a fixed potential.
    target : array (data points,)
        f*(x) at these nodes; empty where the loss has no target.
    equation : str
        The equation as printed.
    sample_weights : array (data points,)
        The weights of data that are samples; empty where the measure is known by a formula.
    """

    representation: str
    parameters: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    periodic: tuple[bool, ...]
    centres: tuple[Array, ...]
    particles: int
    inputs: Array
    target: Array
    equation: str
    sample_weights: Array = field(default_factory=lambda: np.empty(0))

    @property
    def input_names(self) -> tuple[str, ...]:
        """Of the components of x: x alone, or x_1, x_2, ..."""
        if self.inputs.ndim == 1:
            return ("x",)
        return tuple(f"x_{k + 1}" for k in range(self.inputs.shape[1]))

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Of the parameter space."""
        return tuple(map(Axis, self.lower, self.upper, self.periodic))

    @property
    def on_grid(self) -> bool:
        """Whether snapshots hold a density on a grid."""
        return len(self.centres) > 0

    @property
    def moving(self) -> bool:
        """Whether snapshots hold nodes and the logarithms of their masses."""
        return self.representation in ("characteristics", "weighted_particles")

    @property
    def measure_shape(self) -> tuple[int, ...]:
        """Of one snapshot of the measure; a density or positions."""
        if self.on_grid:
            return tuple(centres.size for centres in self.centres)
        return (self.particles, len(self.parameters))


@dataclass(frozen=True)
class Snapshot:
    """The measure at one time.

    Attributes
    ----------
    measure : array
        Grid: density, shape (cells of axis 0, ...). Particles: positions (particles, parameters).
    prediction : array (data points,)
        f[mu](x) at the nodes of the data measure.
    nodes : array (nodes, parameters + 1)
        Positions and log-masses along characteristics; empty otherwise.
    """

    measure: Array
    prediction: Array
    nodes: Array = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True)
class Frame:
    """One record time of a run: its scalars, its moments and, at save times, a snapshot.

    Attributes
    ----------
    mean, variance : array (parameters,)
        Of theta under mu / mass; on a circle the circular mean and the circular variance.
    """

    time: float
    scalars: Mapping[str, float]
    mean: Array
    variance: Array
    snapshot: Snapshot | None = None


@dataclass(frozen=True, repr=False)
class Solution:
    """A finished or stopped run as plain arrays; scalars are attributes too (`solution.energy`).

    Attributes
    ----------
    layout : Layout
    time : array (times,)
        Record times.
    scalars : mapping of str to array (times,)
        Keys are those of `SCALARS`.
    mean, variance : array (times, parameters)
    snapshot_time : array (snapshots,)
    measure : array (snapshots, ...)
        Density (snapshots, cells of axis 0, ...) or positions (snapshots, particles, parameters).
    prediction : array (snapshots, data points)
    nodes : tuple of arrays (nodes, parameters + 1), one a snapshot
        Positions and log-masses along characteristics; empty otherwise.
    attributes : dict
        How it was made: case text, versions, commit, threads, seed, timings, outcome.
    bars : mapping of str to array
        Error bars of scalars (times,), and of the "prediction" in L2 of the data (snapshots,);
        empty unless the run was refined (`accuracy`).
    equation : Equation or None
        What `solve` solved; files do not hold it.
    """

    layout: Layout
    time: Array
    scalars: Mapping[str, Array]
    mean: Array
    variance: Array
    snapshot_time: Array
    measure: Array
    prediction: Array
    attributes: dict[str, Any] = field(default_factory=dict)
    nodes: tuple[Array, ...] = ()
    bars: Mapping[str, Array] = field(default_factory=dict)
    equation: Equation | None = field(default=None, repr=False, compare=False)

    def __getattr__(self, name: str) -> Array:
        scalars: Mapping[str, Array] = object.__getattribute__(self, "scalars")
        if name in scalars:
            return scalars[name]
        bars: Mapping[str, Array] = object.__getattribute__(self, "bars")
        if name.removesuffix("_bar") in bars and name.endswith("_bar"):
            return bars[name.removesuffix("_bar")]
        raise AttributeError(
            f"a solution has no {name!r}; it has time, mean, variance, snapshot_time, measure (the "
            "density or the positions), prediction, nodes, bars, and the scalars "
            f"{', '.join(scalars)}"
        )

    def __repr__(self) -> str:
        until = f"to t = {self.time[-1]:.6g}, " if self.time.size else ""
        return (
            f"Solution by {self.layout.representation} {until}{self.time.size} records, "
            f"{self.snapshot_time.size} snapshots"
        )

    @classmethod
    def from_frames(
        cls, layout: Layout, frames: Iterable[Frame], attributes: Mapping[str, Any] | None = None
    ) -> Solution:
        """Stack frames into arrays."""
        kept = list(frames)
        saved = [frame for frame in kept if frame.snapshot is not None]
        snapshots = [frame.snapshot for frame in saved if frame.snapshot is not None]
        return cls(
            layout=layout,
            time=np.array([frame.time for frame in kept]),
            scalars={
                name: np.array([frame.scalars[name] for frame in kept], dtype=float)
                for name in SCALARS
            },
            mean=np.array([frame.mean for frame in kept]),
            variance=np.array([frame.variance for frame in kept]),
            snapshot_time=np.array([frame.time for frame in saved]),
            measure=np.array([snapshot.measure for snapshot in snapshots]).reshape(
                len(saved), *layout.measure_shape
            ),
            prediction=np.array([snapshot.prediction for snapshot in snapshots]).reshape(
                len(saved), len(layout.inputs)
            ),
            attributes=dict(attributes or {}),
            nodes=tuple(snapshot.nodes for snapshot in snapshots) if layout.moving else (),
        )

    def frames(self) -> Iterable[Frame]:
        """The frames this solution was stacked from."""
        saved = {time: index for index, time in enumerate(self.snapshot_time)}
        for index, time in enumerate(self.time):
            at = saved.get(time)
            yield Frame(
                time=float(time),
                scalars={name: float(values[index]) for name, values in self.scalars.items()},
                mean=self.mean[index],
                variance=self.variance[index],
                snapshot=None if at is None else self._snapshot(at),
            )

    def _snapshot(self, index: int) -> Snapshot:
        pair = self.measure[index], self.prediction[index]
        return Snapshot(*pair, self.nodes[index]) if self.nodes else Snapshot(*pair)

    @property
    def has_prediction(self) -> bool:
        """Whether the energy comes from data (a fixed potential has no f and no target)."""
        return self.layout.inputs.size > 0

    def write(self, path: str | Path) -> Path:
        """Write one HDF5 file (see `results.hdf5`), with the versions it was made by.

        Returns
        -------
        Path
            Of the file.
        """
        from meanfield_pde.results.hdf5 import write
        from meanfield_pde.results.provenance import provenance

        return write(replace(self, attributes={**provenance(), **self.attributes}), path)

    def at(self, name: str, times: Iterable[float]) -> Array:
        """A scalar at record times.

        Raises
        ------
        InputError
            If one of the times was not recorded.
        """
        from meanfield_pde.errors import InputError

        values = []
        for wanted in times:
            index = int(np.argmin(np.abs(self.time - wanted)))
            if abs(self.time[index] - wanted) > 1e-9 * max(1.0, abs(wanted)):
                raise InputError(f"time = {wanted!r}: expected one of the recorded times")
            values.append(self.scalars[name][index])
        return np.array(values)
