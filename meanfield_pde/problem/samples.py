"""Data measures of samples: points with weights, and columns of numbers that come with them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.files import InFile, read_vectors

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Points x_i with weights w_i / sum w, from arrays.

    Parameters
    ----------
    x : array (points,) or (points, inputs)
    weights : array (points,), optional
        At least 0, not all 0; equal where not given.
    columns : dict of arrays (points,)
        Numbers that come with the points, for the target `Column`.
    input_period : float, optional
        Length of the circle that x lives on; on the line where not given.
    """

    x: Any
    weights: Any = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    input_period: float | None = None

    kind: ClassVar[str] = "samples"

    def __post_init__(self) -> None:
        x = _numbers("x", self.x)
        fits = x.ndim == 1 or (x.ndim == 2 and x.shape[1] >= 2)
        expected = "(points,), or (points, inputs) for two inputs or more"
        require(fits and x.size > 0, "x's shape", x.shape, expected)
        number = x.shape[:1]
        columns = {name: _numbers(name, values) for name, values in self.columns.items()}
        for name, values in columns.items():
            require(values.shape == number, f"{name}'s shape", values.shape, f"{number}, as x has")
        _require_period(self.input_period)
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "weights", _probabilities(self.weights, number))

    @property
    def inputs(self) -> int:
        """Number of components of x."""
        return 1 if self.x.ndim == 1 else int(self.x.shape[1])

    @property
    def period(self) -> float:
        """Of the circle that x lives on; infinite on the line."""
        return math.inf if self.input_period is None else self.input_period

    def quadrature(self) -> tuple[Array, Array]:
        """The points and their weights."""
        return self.x, self.weights

    def column(self, name: str) -> Array:
        """A column (points,)."""
        if name not in self.columns:
            near = difflib.get_close_matches(name, self.columns, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"column {name!r}: expected one of {list(self.columns)}{hint}")
        values: Array = self.columns[name]
        return values

    def refined(self) -> None:
        """None: samples are what they are."""
        return


@dataclass(frozen=True)
class SampleFile(InFile):
    """Samples of a file: .csv with column names in its first row, or .npz with arrays (points,).

    Parameters
    ----------
    path : str
    x : tuple of str
        The columns of the components of x.
    weights : str, optional
        The column of the weights: at least 0, not all 0; equal where not given.
    input_period : float, optional
        Length of the circle that x lives on; on the line where not given.
    """

    path: str
    x: tuple[str, ...] = ("x",)
    weights: str | None = None
    input_period: float | None = None
    kind: Literal["file"] = "file"

    def __post_init__(self) -> None:
        require(len(self.x) > 0, "x", self.x, "at least one name of a column")
        _require_period(self.input_period)

    @property
    def inputs(self) -> int:
        """Number of components of x."""
        return len(self.x)

    @property
    def period(self) -> float:
        """Of the circle that x lives on; infinite on the line."""
        return math.inf if self.input_period is None else self.input_period

    @cached_property
    def _samples(self) -> Samples:
        names = self.x if self.weights is None else (*self.x, self.weights)
        columns = read_vectors(self.path, names)
        x = columns[0] if self.inputs == 1 else np.column_stack(columns[: self.inputs])
        try:
            return Samples(x, None if self.weights is None else columns[-1])
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None

    def quadrature(self) -> tuple[Array, Array]:
        """The points and their weights."""
        return self._samples.quadrature()

    def column(self, name: str) -> Array:
        """Another column (points,) of the file."""
        return read_vectors(self.path, (self.x[0], name))[1]

    def refined(self) -> None:
        """None: samples are what they are."""
        return


def _numbers(name: str, values: Any) -> Array:
    """A copy as an array of finite numbers."""
    try:
        array = np.array(values)
    except ValueError:
        raise InputError(f"{name}: expected an array, not rows of different lengths") from None
    require(array.dtype.kind in "iufb", name, array.dtype.name, "an array of real numbers")
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        value, place = array[tuple(bad[0])], tuple(bad[0].tolist())
        raise InputError(f"{name} is {value} at index {place}: expected finite numbers")
    return array.astype(np.float64)


def _probabilities(weights: Any, number: tuple[int, ...]) -> Array:
    if weights is None:
        return np.full(number, 1.0 / number[0])
    array = _numbers("weights", weights)
    require(array.shape == number, "weights' shape", array.shape, f"{number}, as x has")
    negative = array[array < 0].tolist()
    if negative:
        raise InputError(f"weights: expected numbers >= 0, but one is {negative[0]:g}")
    require(bool(np.any(array)), "weights", "all 0", "at least one above 0")
    return array / array.sum()


def _require_period(period: float | None) -> None:
    expected = "a positive number, or none for inputs on the line"
    require(period is None or 0 < period < math.inf, "input_period", period, expected)
