"""Observed orders: exact problems on a sequence of grids, and the slope of their errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import meanfield_pde as mf
from meanfield_pde.problem.exact import CircleBirthDeath, CircleFamily, QuadraticGaussian


@dataclass(frozen=True)
class Problem:
    """An equation, its exact solution and the time at which both are compared."""

    name: str
    equation: mf.Equation
    exact: QuadraticGaussian | CircleFamily | CircleBirthDeath
    t_end: float
    free_mass: bool = False

    def exact_density(self, t, grid):
        """Exact cell averages."""
        edges = grid.edges if isinstance(self.exact, QuadraticGaussian) else grid.edges[0]
        mass = self.exact.free_mass(t) if self.free_mass else 1.0
        return mass * self.exact.cell_averages(t, edges)

    def start(self, cells, scheme):
        """Exact cell averages at time 0."""
        mu = mf.FiniteVolumes(cells, scheme).project(mf.Uniform(), self.equation.energy.space)
        return mu.with_density(np.ascontiguousarray(self.exact_density(0.0, mu.grid)))

    def run(self, cells, scheme, splitting=None, swept=0.4):
        """To t_end in fixed steps that sweep part of a cell: dt is proportional to the width."""
        mu = self.start(cells, scheme)
        field = mu.landscape(self.equation.energy).at(mu)
        step = mf.Fixed(swept / mu.face_rate(field, (1.0,) * mu.parameters))
        only_the_end = {"record": mf.AtTimes(()), "save": mf.AtTimes(())}
        arguments = {"splitting": splitting, "step": step, **only_the_end}
        solution = mf.solve(self.equation, mu, self.t_end, **arguments)
        return mu.with_density(solution.measure[-1]), solution


def gaussian(name, half_width, t_end, **data):
    """A Gaussian in a quadratic potential, in a box whose walls it does not see."""
    exact = QuadraticGaussian(**data)
    d = len(exact.initial_mean)
    space = mf.Box((-half_width,) * d, (half_width,) * d)
    terms = [mf.BirthDeath(exact.alpha)] if exact.alpha else []
    terms += [mf.Transport()] if exact.transport else []
    energy = mf.PotentialEnergy(mf.Quadratic(exact.matrix), space)
    return Problem(name, mf.Equation(energy, terms), exact, t_end)


def circle(name, exact, t_end, balance=None):
    """Mass on the circle drawn to 0: by a fixed potential, or by cosine units and their target."""
    if getattr(exact, "coupling", 0.0):
        target = mf.Teacher((0.0,), (exact.force / exact.coupling,))
        energy = mf.Energy(mf.Cosine(exact.coupling), target, mf.UniformCircle(16), mf.Circle())
    else:
        energy = mf.PotentialEnergy(mf.CosineWell(exact.force), mf.Circle())
    terms = [mf.BirthDeath(exact.alpha, balance or mf.Mean())] if exact.alpha else []
    terms += [mf.Transport()] if isinstance(exact, CircleFamily) else []
    return Problem(name, mf.Equation(energy, terms), exact, t_end, free_mass=balance is not None)


def density_error(problem, mu, solution):
    """L1 distance of the cell averages."""
    return np.abs(mu.density - problem.exact_density(problem.t_end, mu.grid)).sum() * mu.weight


def energy_error(problem, mu, solution):
    """Of E at the end."""
    return abs(solution.energy[-1] - problem.exact.energy(problem.t_end))


def mass_error(problem, mu, solution):
    """Of the free mass at the end."""
    return abs(solution.mass[-1] - problem.exact.free_mass(problem.t_end))


def slope(sizes: Sequence[float], errors: Sequence[float]) -> float:
    """Of log(error) over log(size), by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def assert_order(sizes, errors, order, tolerance, largest):
    """The slope and the error at the smallest size, with everything that was measured."""
    observed = slope(sizes, errors)
    steps = [slope(sizes[k : k + 2], errors[k : k + 2]) for k in range(len(sizes) - 1)]
    report = (
        f"errors {', '.join(f'{e:.3e}' for e in errors)}, orders between them "
        f"{', '.join(f'{s:.2f}' for s in steps)}: slope {observed:.3f}, expected {order} "
        f"+- {tolerance}; finest error {errors[-1]:.3e}, expected at most {largest:.3e}"
    )
    print(report)
    assert abs(observed - order) <= tolerance, report
    assert errors[-1] <= largest, report


ON_A_LINE = {"matrix": ((0.8,),), "initial_mean": (0.5,), "initial_covariance": ((0.7,),)}
IN_A_PLANE = {"initial_mean": (0.2, -0.1), "initial_covariance": ((0.6, -0.1), (-0.1, 0.6))}
SADDLE, VALLEY = ((0.3, 0.25), (0.25, -0.2)), ((0.4, 0.2), (0.2, 0.3))

WELL_A = circle("well, transport", CircleFamily(0.0), 0.8)
WELL_1 = circle("well, alpha = 1", CircleFamily(1.0), 0.8)
WELL_07 = circle("well, alpha = 0.7", CircleFamily(0.7), 0.8)
WELL_B = circle("well, free mass", CircleFamily(0.7), 0.8, mf.Free())
WELL_BD = circle("well, birth-death", CircleBirthDeath(2.0), 0.8)
UNITS_A = circle("units, transport", CircleFamily(0.0, 1.5, 1.0), 0.5)
UNITS_1 = circle("units, alpha = 1", CircleFamily(1.0, 1.5, 1.0), 0.5)
UNITS_07 = circle("units, alpha = 0.7", CircleFamily(0.7, 1.5, 1.0), 0.5)
UNITS_REST = circle("units, to a smooth state", CircleFamily(1.0, 0.6, 1.5), 1.0)
