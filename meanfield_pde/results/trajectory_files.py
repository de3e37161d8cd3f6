"""Runs of the user's own, from files."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.files import read_arrays
from meanfield_pde.results import schema
from meanfield_pde.results.hdf5 import opened, solution_in
from meanfield_pde.results.time_unit import TimeUnit
from meanfield_pde.results.trajectory import AXES, Trajectory, numbers

Array = NDArray[np.float64]

SUFFIXES = (".npz", ".npy", ".csv", ".h5", ".hdf5")


def read_trajectory(
    path: str | Path,
    unit: TimeUnit | None = None,
    *,
    every: float | None = None,
    order: str | Sequence[str] | None = None,
) -> Trajectory:
    """A run from a file; other arguments as in `Trajectory.of`.

    .npz, .h5   arrays `positions`, `time` or `steps`, `weights` if there are some, and
                `parameters`, their names, if they are in another order than the case has them
    .npy        positions alone: `every` says how many steps apart they are
    .csv        one particle at one time a row: columns `time` or `steps`, `particle`, `weight` if
                there are some, and one for each parameter, by name
    .h5         a result of particles of this package, and no other argument

    Raises
    ------
    InputError
        If the file cannot be read, or as `Trajectory.of`: one sentence that names the file.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    require(suffix in SUFFIXES, "run", str(path), f"a file {', '.join(SUFFIXES)}")
    try:
        if suffix in (".h5", ".hdf5"):
            return _from_hdf5(path, unit, every, order)
        if suffix == ".csv":
            return _from_csv(path, unit, every, order)
        if suffix == ".npz":
            return _from_arrays(_npz(path), unit, every, order, _npz_parameters(path))
        return _from_arrays({"positions": _npy(path)}, unit, every, order)
    except InputError as error:
        told = str(error)
        raise InputError(told if told.startswith(str(path)) else f"{path}: {told}") from None


def _from_arrays(
    arrays: dict[str, Array],
    unit: TimeUnit | None,
    every: float | None,
    order: str | Sequence[str] | None,
    parameters: tuple[str, ...] = (),
) -> Trajectory:
    return Trajectory.of(
        arrays["positions"],
        unit,
        time=arrays.get("time"),
        steps=arrays.get("steps"),
        every=every,
        weights=arrays.get("weights"),
        order=order,
        parameters=parameters,
    )


def _npz(path: Path) -> dict[str, Array]:
    (positions,) = read_arrays(str(path), ("positions",))
    with zipfile.ZipFile(path) as archive:
        there = {name.removesuffix(".npy") for name in archive.namelist()}
    names = [name for name in ("time", "steps", "weights") if name in there]
    others = zip(names, read_arrays(str(path), names), strict=True)
    return {"positions": positions, **dict(others)}


def _npz_parameters(path: Path) -> tuple[str, ...]:
    """Their names, where the file has them."""
    with np.load(path, allow_pickle=False) as archive:
        names = archive["parameters"] if "parameters" in archive.files else np.array([], dtype=str)
    return _names(names)


def _names(names: NDArray[Any]) -> tuple[str, ...]:
    texts = names.ndim == 1 and all(isinstance(name, str) for name in names.tolist())
    require(texts, "parameters", names.tolist(), "their names, a list of texts")
    return tuple(names.tolist())


def _npy(path: Path) -> Array:
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})") from None
    except (ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"is not a npy file of plain numbers, or cut off ({reason})") from None
    require(isinstance(array, np.ndarray), "file", "named arrays", "one array, or the ending .npz")
    return numbers("positions", array)


def _from_hdf5(
    path: Path, unit: TimeUnit | None, every: float | None, order: str | Sequence[str] | None
) -> Trajectory:
    with opened(path) as file:
        if file.attrs.get("format") == schema.FORMAT:
            if any(given is not None for given in (unit, every, order)):
                raise InputError(
                    "is a result of this package, which knows its times: expected no time unit, "
                    "'every' or 'order' beside it"
                )
            return Trajectory.from_solution(solution_in(file))
        # Asking the file itself for a name would already follow a link out of it.
        there = file.id.links.exists
        names = [n for n in ("positions", "time", "steps", "weights") if there(n.encode())]
        if "positions" not in names:
            listed = ", ".join(list(file)[:10]) or "nothing"
            raise InputError(f"there is no data set 'positions'; it has {listed}")
        arrays = {name: numbers(name, schema.get_values(file, name)) for name in names}
        named = schema.get_values(file, "parameters") if there(b"parameters") else np.empty(0)
    return _from_arrays(arrays, unit, every, order, _names(named))


def _from_csv(
    path: Path, unit: TimeUnit | None, every: float | None, order: str | Sequence[str] | None
) -> Trajectory:
    require(order is None and every is None, "order, every", (order, every), "none for CSV")
    header = _header(path)
    clock = [name for name in ("time", "steps") if name in header]
    if len(clock) != 1 or "particle" not in header:
        found = ", ".join(header) or "none"
        raise InputError(
            "expected columns 'particle', either 'time' or 'steps', and one for each parameter, "
            f"not {found}"
        )
    names = tuple(name for name in header if name not in (*clock, "particle", "weight"))
    require(len(names) > 0, "columns", ", ".join(header), "one for each parameter besides")
    table = dict(zip(header, read_arrays(str(path), header), strict=True))
    when, counts = np.unique(table[clock[0]], return_counts=True)
    whole = np.flatnonzero(counts != counts[0])
    if whole.size:
        raise InputError(
            f"at {clock[0]} {when[whole[0]]:g} there are {counts[whole[0]]} particles: expected "
            f"{counts[0]}, as at {when[0]:g}"
        )
    rows = np.lexsort((table["particle"], table[clock[0]])).reshape(when.size, counts[0])
    numbers = table["particle"][rows]
    if not np.all(numbers == numbers[0]) or np.any(np.diff(numbers[0]) == 0.0):
        raise InputError("expected each particle once at each time, by the same numbers")
    return Trajectory.of(
        np.stack([table[name][rows] for name in names], axis=2),
        unit,
        time=when if "time" in table else None,
        steps=when if "steps" in table else None,
        weights=table["weight"][rows] if "weight" in table else None,
        order=AXES,
        parameters=names,
    )


def _header(path: Path) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return [cell.strip() for cell in next(csv.reader(file), [])]
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError("is not CSV in UTF-8") from None
