"""Targets f*(x): what the network should learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.coordinates import component_names, components
from meanfield_pde.problem.data import AnyData
from meanfield_pde.problem.files import InFile, read_vectors
from meanfield_pde.problem.formula import Formula
from meanfield_pde.problem.own import Own, load_function
from meanfield_pde.problem.units import AnyUnit, Charged

Array = NDArray[np.float64]
Vector = float | tuple[float, ...]

CLOSED = 1e-6
"""Relative difference up to which both ends of a table on a circle are the same."""


def _rows(name: str, vectors: tuple[Vector, ...]) -> Array:
    """Numbers, or tuples of as many numbers each, as rows."""
    rows = [np.atleast_1d(vector) for vector in vectors]
    same = len({row.shape for row in rows}) <= 1
    require(same, name, vectors, "numbers, or as many numbers for each")
    return np.array(rows, dtype=float)


@dataclass(frozen=True)
class Teacher:
    """f*(x) = sum_k masses[k] psi(x, centres[k]), psi the unit itself, or what it charges.

    A centre is a number, or one number for each parameter of psi.
    """

    centres: tuple[Vector, ...]
    masses: tuple[float, ...]
    kind: Literal["teacher"] = "teacher"

    def __post_init__(self) -> None:
        same = len(self.centres) == len(self.masses)
        require(same, "masses", self.masses, f"{len(self.centres)} numbers, one a centre")
        _rows("centres", self.centres)

    def value(self, x: Array, unit: AnyUnit, data: AnyData) -> Array:
        """Sum of units."""
        if not self.centres:
            return np.zeros(len(x))
        base = unit.psi if isinstance(unit, Charged) else unit
        rows = _rows("centres", self.centres)
        names = ", ".join(base.parameters)
        require(
            rows.shape[1] == len(base.parameters),
            "centres",
            self.centres,
            f"{len(base.parameters)} number(s) each, ({names}), for the unit {base.kind!r}",
        )
        return base.value(x, tuple(rows.T)) @ np.array(self.masses)


@dataclass(frozen=True)
class Mixture:
    """f*(x) = sum_k weights[k] N(x; means[k], variances[k]), N of unit mass; any signs.

    For several inputs a mean is one number for each, and N has the variance in all directions.
    """

    weights: tuple[float, ...]
    means: tuple[Vector, ...]
    variances: tuple[float, ...]
    kind: Literal["mixture"] = "mixture"

    def __post_init__(self) -> None:
        count = len(self.weights)
        require(len(self.means) == count, "means", self.means, f"{count} of them, one a weight")
        _rows("means", self.means)
        require(
            len(self.variances) == count and all(v > 0 for v in self.variances),
            "variances",
            self.variances,
            f"{count} positive numbers, one a weight",
        )

    def value(self, x: Array, unit: AnyUnit, data: AnyData) -> Array:
        """Sum of normal densities; the unit plays no part."""
        rows, total = _rows("means", self.means), np.zeros(len(x))
        for weight, mean, variance in zip(self.weights, rows, self.variances, strict=True):
            require(len(mean) == data.inputs, "means", self.means, f"{data.inputs} number(s) each")
            pairs = zip(components(x), mean, strict=True)
            distance = np.sum([(component - m) ** 2 for component, m in pairs], axis=0)
            peak = (2.0 * math.pi * variance) ** (-0.5 * data.inputs)
            total += weight * peak * np.exp(-0.5 / variance * distance)
        return total


@dataclass(frozen=True)
class FormulaTarget:
    """f* as a formula in x, or in x_1, x_2, ... for several inputs."""

    expression: str
    kind: Literal["formula"] = "formula"

    def value(self, x: Array, unit: AnyUnit, data: AnyData) -> Array:
        """The formula."""
        return Formula(self.expression, component_names("x", data.inputs)).value(components(x))


@dataclass(frozen=True)
class Column:
    """f* at each sample: a column of the data."""

    name: str
    kind: Literal["column"] = "column"

    def value(self, x: Array, unit: AnyUnit, data: AnyData) -> Array:
        """The column."""
        return data.column(self.name)


@dataclass(frozen=True)
class TableTarget(InFile):
    """f* between the points of a file with columns x (increasing) and f: a cubic spline.

    On a circle the spline is periodic and the points fill one period, with or without its end. On
    the line inputs beyond the first and the last point are refused.
    """

    path: str
    kind: Literal["table"] = "table"

    @cached_property
    def _table(self) -> tuple[Array, Array]:
        x, f = read_vectors(self.path, ("x", "f"))
        if x.size < 2 or np.any(np.diff(x) <= 0):
            raise InputError(f"{self.path}: expected at least two points, 'x' increasing")
        return x, f

    def value(self, x: Array, unit: AnyUnit, data: AnyData) -> Array:
        """The spline."""
        # Imported here since it takes 0.2 s that most runs would spend for nothing.
        from scipy.interpolate import CubicSpline

        require(data.inputs == 1, "data", data.kind, "one input, for a target in a table")
        nodes, values = self._table
        if math.isfinite(data.period):
            nodes, values = self._closed(nodes, values, data.period)
            return CubicSpline(nodes, values, bc_type="periodic")(x)
        outside = x[(x < nodes[0]) | (x > nodes[-1])]
        if outside.size:
            raise InputError(
                f"{self.path}: has 'x' from {nodes[0]:g} to {nodes[-1]:g}: expected all inputs "
                f"between, but there is one at {outside[0]:g}"
            )
        return CubicSpline(nodes, values)(x)

    def _closed(self, nodes: Array, values: Array, period: float) -> tuple[Array, Array]:
        """With the first point once more at the end of the period."""
        gap = nodes[0] + period - nodes[-1]
        if math.isclose(gap, 0.0, abs_tol=CLOSED * period):
            if not math.isclose(values[0], values[-1], abs_tol=CLOSED * np.max(np.abs(values))):
                raise InputError(
                    f"{self.path}: 'f' is {values[0]:g} and {values[-1]:g} one period apart: "
                    "expected the same"
                )
            nodes, values = nodes[:-1], values[:-1]
        elif not 0.0 < gap <= (1.0 + CLOSED) * np.max(np.diff(nodes)):
            raise InputError(
                f"{self.path}: has 'x' from {nodes[0]:g} to {nodes[-1]:g}: expected one period, "
                f"{period:g}, with no gap wider than those inside"
            )
        return np.append(nodes, nodes[0] + period), np.append(values, values[0])


@dataclass(frozen=True)
class OwnTarget:
    """f* as a function of arrays (points,), one a component of x, to such an array."""

    function: Callable[..., Any]

    kind: ClassVar[str] = "own"

    def value(self, x: Array, unit: AnyUnit, data: AnyData) -> Array:
        """The function."""
        return Own("target", self.function).value(components(x), (len(x),))


@dataclass(frozen=True)
class FunctionTarget:
    """f* as a function "module:name", of a module beside the case file; see `OwnTarget`."""

    function: str
    kind: Literal["function"] = "function"

    def located(self, folder: str) -> OwnTarget:
        """With the function loaded from a folder."""
        return OwnTarget(load_function(self.function, folder))


Target = Annotated[
    Teacher | Mixture | FormulaTarget | Column | TableTarget | FunctionTarget,
    Discriminator("kind"),
]
AnyTarget = Teacher | Mixture | FormulaTarget | Column | TableTarget | OwnTarget
