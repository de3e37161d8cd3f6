"""Named arrays of numbers from files: CSV with column names in its first row, or NumPy's npz."""

from __future__ import annotations

import csv
import difflib
import math
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError

Array = NDArray[np.float64]


class InFile:
    """A value kept in a file: a frozen dataclass with a `path`."""

    path: str

    def located(self, folder: str) -> Self:
        """The same with a relative path taken from a folder."""
        return replace(self, path=str(Path(folder) / self.path))  # type: ignore[type-var]


def read_arrays(path: str, names: Sequence[str]) -> tuple[Array, ...]:
    """The arrays of these names: columns of a CSV file, or arrays of an npz file.

    Raises
    ------
    InputError
        If there is no such file, array or column, or it holds anything but finite numbers.
    """
    readers = {".csv": _read_csv, ".npz": _read_npz}
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise InputError(f"path = {path!r}: expected a file .csv or .npz")
    try:
        arrays = readers[suffix](path, names)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    for name, array in zip(names, arrays, strict=True):
        if array.size == 0:
            raise InputError(f"{path}: {name!r} is empty: expected at least one number")
        wrong = np.argwhere(~np.isfinite(array))
        if wrong.size:
            place = ", ".join(str(index + 1) for index in wrong[0])
            raise InputError(
                f"{path}: {name!r} is {array[tuple(wrong[0])]} at entry {place}: expected a number"
            )
    return arrays


def read_vectors(path: str, names: Sequence[str]) -> tuple[Array, ...]:
    """The arrays of these names, of one dimension and the same length; see `read_arrays`."""
    arrays = read_arrays(path, names)
    for name, array in zip(names, arrays, strict=True):
        if array.ndim != 1:
            raise InputError(
                f"{path}: {name!r} has shape {array.shape}: expected one dimension, (points,)"
            )
        if array.size != arrays[0].size:
            raise InputError(
                f"{path}: {name!r} has {array.size} entries: expected {arrays[0].size}, as "
                f"{names[0]!r} has"
            )
    return arrays


def missing(path: str, what: str, name: str, known: Sequence[str]) -> InputError:
    """There is no such column or array."""
    near = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known[:10]) + ", ..." * (len(known) > 10)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {listed}"
    return InputError(f"{path}: there is no {what} {name!r}; {hint}")


def _read_csv(path: str, names: Sequence[str]) -> tuple[Array, ...]:
    columns: list[list[float]] = [[] for _ in names]
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [cell.strip() for cell in next(rows, [])]
            where = [_column(path, name, header) for name in names]
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise InputError(
                        f"{path}: row {rows.line_num} has {len(row)} cells: expected "
                        f"{len(header)}, one a column"
                    )
                for column, index in zip(columns, where, strict=True):
                    column.append(_number(path, rows.line_num, header[index], row[index]))
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text in UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}: row {rows.line_num} is not CSV ({error})") from None
    return tuple(np.array(column, dtype=float) for column in columns)


def _column(path: str, name: str, header: list[str]) -> int:
    if not any(header):
        raise InputError(f"{path}: is empty: expected column names in the first row")
    if all(_is_number(cell) for cell in header):
        raise InputError(
            f"{path}: the first row is {', '.join(header)!r}: expected names of columns, {name!r} "
            "among them"
        )
    if name not in header:
        raise missing(path, "column", name, header)
    if header.count(name) > 1:
        raise InputError(f"{path}: column {name!r} is there {header.count(name)} times")
    return header.index(name)


def _number(path: str, row: int, column: str, cell: str) -> float:
    if not _is_number(cell):
        raise InputError(f"{path}: row {row}, column {column!r} is {cell!r}: expected a number")
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _read_npz(path: str, names: Sequence[str]) -> tuple[Array, ...]:
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{path}: is one array: expected named arrays (numpy.savez)")
            return tuple(_array(path, name, archive) for name in names)
    except (
        ValueError,
        EOFError,
        MemoryError,
        RuntimeError,
        tokenize.TokenError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: is not an npz file of plain numbers ({reason})") from None


def _array(path: str, name: str, archive: np.lib.npyio.NpzFile) -> Array:
    if name not in archive.files:
        raise missing(path, "array", name, archive.files)
    array = archive[name]
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iufb":
        held = getattr(array, "dtype", "something else")
        raise InputError(f"{path}: array {name!r} holds {held}: expected real numbers")
    return np.asarray(array, dtype=np.float64)
