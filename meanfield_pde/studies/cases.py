"""Runs of case files in memory, for tables: where cases/ is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from meanfield_pde.case import Case, load
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import require
from meanfield_pde.evolution import solve
from meanfield_pde.problem.landscape import Field
from meanfield_pde.representations.grid import FiniteVolumes, GridMeasure
from meanfield_pde.results.solution import Solution

TRANSPORT_ONLY = "terms=[{kind = 'transport'}]"


class Solved(NamedTuple):
    """A run, its equation and its last measure."""

    solution: Solution
    equation: Equation
    final: GridMeasure

    @property
    def field(self) -> Field:
        """The energy and its potential at the end."""
        return self.final.landscape(self.equation.energy).at(self.final)


def named(name: str, *settings: str) -> Case:
    """The case of a name, with some values changed."""
    return load(Path("cases") / f"{name}.toml", settings)


def solved(name: str, *settings: str) -> Solved:
    """The case of a name on its grid, with some values changed."""
    case = named(name, *settings)
    method = case.method
    require(isinstance(method, FiniteVolumes), "method", method.kind, "finite volumes")
    assert isinstance(method, FiniteVolumes)
    equation = case.equation(method)
    start = method.project(case.start(), case.space)
    solution = solve(equation, start, case.time.t_end, **case.numerics(method))
    return Solved(solution, equation, start.with_density(solution.measure[-1]))
