"""What a study leaves behind: one HDF5 file of labelled arrays.

    run      numbers of the runs
    time     save times of the case

    set <key>          (run)         the value of a varied key, as TOML
    value              (run)         that of the first key as a number; nan if it is none
    outcome            (run)         "finished", or why not
    seconds            (run)         time in the steps
    <scalar>           (run, time)   as recorded; nan of a run that did not finish
    <scalar>_reference (time)        of a refinement: what it is compared with, if there is one
    <quantity>_error   (run, time)   of a refinement: the distance to the reference
    <quantity>_order   (run, time)   of a refinement: observed between a run and the one before

The varied keys in order (`keys`), the case, the reference in words (`against`) and the versions are
attributes of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.results.disk import replaced
from meanfield_pde.results.schema import get_attributes, get_values, set_attributes

Array = NDArray[np.float64]

FORMAT = "meanfield_pde study, version 1"
"""The attribute `format` of every file of a study."""

FINISHED = "finished"
"""The outcome of a run without trouble."""

SETTING, REFERENCE, ERROR, ORDER = "set ", "_reference", "_error", "_order"


@dataclass(frozen=True)
class StudyResult:
    """Runs of one case that differ in a few values, and how they compare.

    Attributes
    ----------
    values : mapping of str to tuple of str
        The varied keys, each with its value in every run as TOML.
    size : array (runs,)
        The value of the first key as a number; nan if it is none.
    outcome : tuple of str
        "finished", or the sentence that says why not.
    seconds : array (runs,)
        Time in the steps.
    time : array (times,)
        Save times of the case.
    observed : mapping of str to array (runs, times)
        Recorded scalars; nan of a run that did not finish.
    reference : mapping of str to array (times,)
        The same of what a refinement is compared with.
    errors, orders : mapping of str to array (runs, times)
        Of a refinement: distances to the reference, and the orders observed between a run and the
        one before; nan where there are none. Empty if values are varied, not refined.
    attributes : dict
        title, case, against (in words), versions, commit ...
    """

    values: Mapping[str, tuple[str, ...]]
    size: Array
    outcome: tuple[str, ...]
    seconds: Array
    time: Array
    observed: Mapping[str, Array]
    reference: Mapping[str, Array]
    errors: Mapping[str, Array]
    orders: Mapping[str, Array]
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The first of the varied keys."""
        return next(iter(self.values))

    @property
    def labels(self) -> tuple[str, ...]:
        """The values of each run in words."""
        runs = zip(*self.values.values(), strict=True)
        pairs = [zip(self.values, run, strict=True) for run in runs]
        return tuple(", ".join(f"{key} = {value}" for key, value in pair) for pair in pairs)

    @property
    def refines(self) -> bool:
        """Whether there are errors and orders."""
        return bool(self.errors)

    def shown(self, most: int = 4) -> list[int]:
        """Indices of the times in tables and figures: the last and others evenly, not t = 0."""
        later = np.flatnonzero(self.time > 0.0)
        picked = np.linspace(later.size - 1, 0, min(most, later.size)).round().astype(int)
        return sorted(int(later[index]) for index in picked)


def write_study(result: StudyResult, path: Path) -> None:
    """Write a study; a file of the same name is replaced when the new one is whole.

    Raises
    ------
    InputError
        If nothing can be written at the path.
    NumericalFailure
        If the disk refuses.
    """
    with replaced(path) as file:
        _create(file, result)


def _create(file: h5py.File, result: StudyResult) -> None:
    set_attributes(file, {**result.attributes, "format": FORMAT, "keys": list(result.values)})
    rows: dict[str, Any] = {f"{SETTING}{key}": texts for key, texts in result.values.items()}
    rows |= {"value": result.size, "outcome": result.outcome, "seconds": result.seconds}
    tables = dict(result.observed)
    tables |= {f"{name}{ERROR}": values for name, values in result.errors.items()}
    tables |= {f"{name}{ORDER}": values for name, values in result.orders.items()}
    references = {f"{name}{REFERENCE}": values for name, values in result.reference.items()}
    axes = {"run": np.arange(len(result.outcome)), "time": result.time}
    for name, values in axes.items():
        file.create_dataset(name, data=values)
        file[name].make_scale(name)
    along: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [
        (("run",), rows),
        (("run", "time"), tables),
        (("time",), references),
    ]
    for dimensions, arrays in along:
        for name, values in arrays.items():
            kind = h5py.string_dtype() if isinstance(values, tuple) else float
            dataset = file.create_dataset(name, data=values, dtype=kind)
            for dimension, axis in zip(dataset.dims, dimensions, strict=True):
                dimension.attach_scale(file[axis])


def study_in(file: h5py.File) -> StudyResult:
    """The study in an open file; `InputError` if it holds none.

    Raises
    ------
    InputError
        If the file is no study, or lacks a part of one.
    """
    if file.attrs.get("format") != FORMAT:
        raise InputError(f"it is HDF5 but not a {FORMAT}")
    keys = np.atleast_1d(file.attrs["keys"]).tolist()
    time = get_values(file, "time")
    runs = get_values(file, "run").size
    axes = ("run", "time")

    def values(name: str, *shape: int, kind: type = float) -> NDArray[Any]:
        array = get_values(file, name)
        if array.shape != shape:
            raise InputError(f"its {name!r} does not fit its axes")
        return array.astype(kind)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(values(name, runs, kind=str).tolist())

    single = ("value", "outcome", "seconds", *(f"{SETTING}{key}" for key in keys))
    named = [name for name in file if name not in axes + single]
    references = [name for name in named if name.endswith(REFERENCE)]
    tables = {name: values(name, runs, time.size) for name in named if name not in references}

    def ending(suffix: str) -> dict[str, Array]:
        return {n.removesuffix(suffix): v for n, v in tables.items() if n.endswith(suffix)}

    errors, orders = ending(ERROR), ending(ORDER)
    if errors.keys() != orders.keys():
        raise InputError("it has an error without an order, or an order without an error")
    return StudyResult(
        values={key: texts(f"{SETTING}{key}") for key in keys},
        size=values("value", runs),
        outcome=texts("outcome"),
        seconds=values("seconds", runs),
        time=values("time", time.size),
        observed={n: v for n, v in tables.items() if not n.endswith((ERROR, ORDER))},
        reference={n.removesuffix(REFERENCE): values(n, time.size) for n in references},
        errors=errors,
        orders=orders,
        attributes={
            "equation": str(file.attrs.get("equation", "")),
            **{name: v for name, v in get_attributes(file).items() if name != "keys"},
        },
    )
