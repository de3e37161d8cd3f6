"""What an ensemble leaves behind: one HDF5 file of labelled arrays.

    run              numbers of the runs
    time             record times
    snapshot_time    save times
    x                data nodes (of two inputs or more their numbers; `inputs` are the nodes)

    seed             (run)                its own: with it this run can be made again alone
    outcome          (run)                "finished", or why not
    energy           (run, time)          nan of a run that did not finish
    weight           (x)                  of the data
    prediction_mean, prediction_squares   (snapshot_time, x): over the finished runs, the mean of f
                                          and the sum of the squares of what is left
    mean_field_energy (time), mean_field_prediction (snapshot_time, x): of the limit of infinitely
                                          many particles, if the case has a method for it

The case, the equation and the versions are attributes of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.results.disk import replaced
from meanfield_pde.results.hdf5 import opened
from meanfield_pde.results.schema import get_attributes, get_values, set_attributes
from meanfield_pde.results.study import FINISHED

Array = NDArray[np.float64]

FORMAT = "meanfield_pde ensemble, version 1"
"""The attribute `format` of every file of an ensemble."""

MEAN_FIELD = "mean_field_case"
"""The attribute that holds the case of the mean field."""


@dataclass(frozen=True)
class Moments:
    """Mean and variance of arrays that come one after the other and are not kept.

    The recurrence of Welford (1962); the bits depend on the order of the arrays.

    Attributes
    ----------
    count : int
    mean : array
    squares : array
        Sum of the squares of the distances to the mean.
    """

    count: int
    mean: Array
    squares: Array

    def and_of(self, values: Array) -> Moments:
        """With one more array."""
        if not self.count:
            return Moments(1, values, np.zeros_like(values))
        count, before = self.count + 1, values - self.mean
        mean = self.mean + before / count
        return Moments(count, mean, self.squares + before * (values - mean))

    @property
    def variance(self) -> Array:
        """Without bias; nan of fewer than two arrays."""
        if self.count < 2:
            return np.full_like(self.squares, np.nan)
        return self.squares / (self.count - 1)


@dataclass(frozen=True)
class MeanField:
    """The limit of infinitely many particles, by a deterministic method.

    Attributes
    ----------
    energy : array (times,)
    prediction : array (snapshots, data points)
    case : str
        What it was made from.
    """

    energy: Array
    prediction: Array
    case: str


@dataclass(frozen=True, repr=False)
class EnsembleResult:
    """Independent runs of particles: the energy of each, and moments of their predictions.

    Attributes
    ----------
    time : array (times,)
    energy : array (runs, times)
        Nan of a run that did not finish.
    seed : array of int (runs,)
        With its seed a run can be made again alone.
    outcome : tuple of str, one a run
        "finished", or the sentence that says why not.
    snapshot_time : array (snapshots,)
    inputs : array (data points,), or (data points, components) of two inputs or more
    weight : array (data points,)
    prediction : Moments
        Of f[mu], arrays (snapshots, data points), over the finished runs.
    mean_field : MeanField or None
    attributes : dict
        title, equation, case, particles (how many), versions, commit ...
    """

    time: Array
    energy: Array
    seed: NDArray[np.int64]
    outcome: tuple[str, ...]
    snapshot_time: Array
    inputs: Array
    weight: Array
    prediction: Moments
    mean_field: MeanField | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        runs, times = self.energy.shape
        return f"EnsembleResult of {runs} runs, {times} times"

    @property
    def runs(self) -> int:
        """How many there are, those included that did not finish."""
        return len(self.outcome)

    @property
    def finished(self) -> Array:
        """The energies of the finished runs, (finished runs, times)."""
        rows: Array = self.energy[[outcome == FINISHED for outcome in self.outcome]]
        return rows

    @property
    def mean(self) -> Array:
        """Of the energy over the finished runs, (times,)."""
        return np.asarray(self.finished.mean(axis=0))

    @property
    def deviation(self) -> Array:
        """Standard deviation of the energy over the finished runs, (times,); nan of one run."""
        rows = self.finished
        if len(rows) < 2:
            return np.full(len(self.time), np.nan)
        return np.asarray(rows.std(axis=0, ddof=1))

    @property
    def standard_error(self) -> Array:
        """Of the mean, (times,)."""
        return np.asarray(self.deviation / np.sqrt(len(self.finished)))

    def quantiles(self, levels: Sequence[float]) -> Array:
        """Of the energy over the finished runs, (levels, times)."""
        return np.asarray(np.quantile(self.finished, levels, axis=0))

    @property
    def spread(self) -> Array:
        """Standard deviation of the prediction over runs, in L2 of the data, (snapshots,)."""
        return np.asarray(np.sqrt(self.prediction.variance @ self.weight))

    @property
    def distance(self) -> Array:
        """From the mean prediction to that of the mean field, in L2 of the data, (snapshots,)."""
        if self.mean_field is None:
            return np.full(len(self.snapshot_time), np.nan)
        apart = self.prediction.mean - self.mean_field.prediction
        return np.asarray(np.sqrt(apart**2 @ self.weight))

    def write(self, path: str | Path) -> Path:
        """Write one HDF5 file; one of the same name is replaced when the new one is whole.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        InputError
            If nothing can be written at the path.
        NumericalFailure
            If the disk refuses.
        """
        place = Path(path)
        with replaced(place) as file:
            _create(file, self)
        return place


def _create(file: h5py.File, result: EnsembleResult) -> None:
    several = result.inputs.ndim == 2
    axes: dict[str, NDArray[Any]] = {
        "run": np.arange(result.runs),
        "time": result.time,
        "snapshot_time": result.snapshot_time,
        "x": np.arange(len(result.inputs)) if several else result.inputs,
    }
    snapshots = ("snapshot_time", "x")
    arrays: dict[str, tuple[tuple[str, ...], Any]] = {
        "seed": (("run",), result.seed),
        "outcome": (("run",), np.array(result.outcome, dtype=object)),
        "energy": (("run", "time"), result.energy),
        "weight": (("x",), result.weight),
        "prediction_mean": (snapshots, result.prediction.mean),
        "prediction_squares": (snapshots, result.prediction.squares),
    }
    if several:
        axes["component"] = np.arange(1, result.inputs.shape[1] + 1)
        arrays["inputs"] = (("x", "component"), result.inputs)
    attributes = {**result.attributes, "format": FORMAT}
    if result.mean_field is not None:
        arrays["mean_field_energy"] = (("time",), result.mean_field.energy)
        arrays["mean_field_prediction"] = (snapshots, result.mean_field.prediction)
        attributes[MEAN_FIELD] = result.mean_field.case
    set_attributes(file, attributes)
    for name, values in axes.items():
        file.create_dataset(name, data=values)
        file[name].make_scale(name)
    for name, (along, values) in arrays.items():
        kind = h5py.string_dtype() if values.dtype == object else values.dtype
        dataset = file.create_dataset(name, data=values, dtype=kind)
        for dimension, axis in zip(dataset.dims, along, strict=True):
            dimension.attach_scale(file[axis])


def read_ensemble(path: str | Path) -> EnsembleResult:
    """Read an ensemble.

    Raises
    ------
    InputError
        If there is no such file, or it is none of an ensemble, or damaged.
    """
    with opened(path) as file:
        return ensemble_in(file)


def ensemble_in(file: h5py.File) -> EnsembleResult:
    """The ensemble in an open file.

    Raises
    ------
    InputError
        If the file is none of an ensemble, or lacks a part of one.
    """
    if file.attrs.get("format") != FORMAT:
        raise InputError(f"it is HDF5 but not a {FORMAT}")
    time, snapshot_time, x = (get_values(file, name) for name in ("time", "snapshot_time", "x"))
    runs = get_values(file, "run").size
    snapshots = (snapshot_time.size, x.size)

    def values(name: str, *shape: int, kind: type = float) -> NDArray[Any]:
        array = get_values(file, name)
        if array.shape != shape:
            raise InputError(f"its {name!r} does not fit its axes")
        return array.astype(kind)

    attributes = get_attributes(file)
    case = attributes.pop(MEAN_FIELD, None)
    mean_field = None
    if case is not None:
        mean_field = MeanField(
            energy=values("mean_field_energy", time.size),
            prediction=values("mean_field_prediction", *snapshots),
            case=case,
        )
    outcome = tuple(values("outcome", runs, kind=str).tolist())
    several = "inputs" in file
    return EnsembleResult(
        time=time,
        energy=values("energy", runs, time.size),
        seed=values("seed", runs, kind=np.int64),
        outcome=outcome,
        snapshot_time=snapshot_time,
        inputs=values("inputs", x.size, get_values(file, "component").size) if several else x,
        weight=values("weight", x.size),
        prediction=Moments(
            count=outcome.count(FINISHED),
            mean=values("prediction_mean", *snapshots),
            squares=values("prediction_squares", *snapshots),
        ),
        mean_field=mean_field,
        attributes={"equation": str(file.attrs.get("equation", "")), **attributes},
    )
