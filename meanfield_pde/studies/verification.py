"""Every problem with a known solution by every method that applies: errors, orders, verdicts.

What is compared is the density at t_end in L1 and the energy there, relative to the larger of its
sizes at both ends of the run; of a blow-up, the time at which it is seen (`BlowUp`). Finite volumes
are compared by cell averages, Fourier series at as many equispaced points as modes, characteristics
at 512 of them (128 x 128 in the plane). What each ladder must reach is data, `EXPECTED`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import iv

from meanfield_pde.dynamics.birth_death import BirthDeath, Free, Mean
from meanfield_pde.dynamics.equation import AnyTerm, Equation
from meanfield_pde.dynamics.forcing import Forcing
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.errors import NumericalFailure
from meanfield_pde.evolution import WALL_MASS, evolve, solve
from meanfield_pde.observables import layout
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.data import UniformCircle, UniformInterval
from meanfield_pde.problem.density_laws import DensityFunction
from meanfield_pde.problem.energy import Energy, PotentialEnergy
from meanfield_pde.problem.exact import UniformWaves
from meanfield_pde.problem.laws import AnyLaw, ProductLaw
from meanfield_pde.problem.manufactured import TravellingTorus
from meanfield_pde.problem.one_parameter_laws import Normal, Uniform
from meanfield_pde.problem.potentials import CosineWell, Quadratic
from meanfield_pde.problem.spaces import Box, Circle, Interval
from meanfield_pde.problem.targets import FormulaTarget, Teacher
from meanfield_pde.problem.units import Cosine, Linear, VonMises
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.fourier import Fourier
from meanfield_pde.representations.grid import FiniteVolumes, GridMeasure, Muscl, Upwind, Weno5
from meanfield_pde.representations.measure import Measure
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.studies.exact import ExactSolution, exact_solution
from meanfield_pde.studies.tables import orders, table
from meanfield_pde.studies.workers import WorkerDied, in_processes, processors
from meanfield_pde.timestepping.splitting import Splitting, Strang
from meanfield_pde.timestepping.step_size import Controlled, Fixed
from meanfield_pde.timestepping.unsplit import Unsplit

Array = NDArray[np.float64]
Method = FiniteVolumes | Characteristics | Fourier

TOLERANCE = 1e-12
"""Of the steps of methods that estimate their own error."""

END = AtTimes(())


@dataclass(frozen=True)
class Scheme:
    """A method of some size, and the steps that go with it."""

    method: Callable[[float], Method]
    splitting: Splitting


def _volumes(reconstruction: Any, cells: float) -> FiniteVolumes:
    return FiniteVolumes(round(cells), reconstruction)


SCHEMES = {
    "upwind": Scheme(partial(_volumes, Upwind()), Strang()),
    "MUSCL": Scheme(partial(_volumes, Muscl()), Strang()),
    "WENO": Scheme(partial(_volumes, Weno5()), Unsplit("ssp4")),
    "characteristics": Scheme(
        lambda nodes: Characteristics(round(nodes), redistribute=None), Unsplit("dop853")
    ),
    "redistributed": Scheme(lambda tail: Characteristics(64, redistribute=tail), Unsplit("dop853")),
    "Fourier": Scheme(lambda modes: Fourier(round(modes)), Unsplit("dop853")),
}
"""By size: cells, nodes or modes along each parameter, or the tail at which nodes move."""


@dataclass(frozen=True)
class Problem:
    """An equation, where it starts, and its solution.

    Attributes
    ----------
    steps : float
        Of finite volumes, for each cell along a parameter.
    """

    equation: Equation
    law: AnyLaw
    exact: ExactSolution
    t_end: float
    steps: float = 1.0

    def run(self, scheme: Scheme, size: float) -> tuple[float, float, float]:
        """Errors of the density and of the energy, and CPU seconds of the steps."""
        method = scheme.method(size)
        mu = method.project(self.law, self.equation.energy.space)
        if isinstance(mu, GridMeasure):
            mu = mu.with_density(self.exact.averages(0.0, mu.grid))
        fixed = Fixed(self.t_end / math.ceil(self.steps * size))
        step = Controlled(TOLERANCE) if scheme.splitting.embedded else fixed
        clock = [0.0]

        def note(time: float, energy: float) -> None:
            clock[0] = process_time()

        numerics: dict[str, Any] = {"splitting": scheme.splitting, "step": step}
        frames = evolve(
            self.equation, mu, self.t_end, record=END, save=END, progress=note, **numerics
        )
        first = next(frames)
        start = process_time()
        solution = Solution.from_frames(layout(self.equation, mu), [first, *frames], {})
        sizes = [abs(self.exact.energy(t)) for t in (0.0, self.t_end)]
        energy = float(abs(solution.energy[-1] - self.exact.energy(self.t_end))) / max(sizes)
        return self._density_error(solution, mu), energy, clock[0] - start

    def _density_error(self, solution: Solution, mu: object) -> float:
        centres = solution.layout.centres
        if isinstance(mu, GridMeasure):
            exact = self.exact.averages(self.t_end, mu.grid)
        else:
            exact = self.exact.density(self.t_end, tuple(np.meshgrid(*centres, indexing="ij")))
        volume = math.prod(float(c[1] - c[0]) for c in centres)
        return float(np.sum(np.abs(solution.measure[-1] - exact))) * volume


def _both(alpha: float, balance: Free | Mean = Mean()) -> list[AnyTerm]:  # noqa: B008
    return [BirthDeath(alpha, balance), Transport()] if alpha > 0.0 else [Transport()]


def _recognised(equation: Equation, law: AnyLaw, **sizes: float) -> Problem:
    return Problem(equation, law, exact_solution(equation, law), **sizes)


def _quadratic(t_end: float) -> Problem:
    energy = PotentialEnergy(Quadratic(((1.0,),)), Interval(-7.0, 7.0))
    law = Normal(0.8, 0.5**0.5)
    return _recognised(Equation(energy, _both(1.5)), law, t_end=t_end, steps=1.5)


def _quadratic_plane() -> Problem:
    bowl = Quadratic(((1.0, 0.4), (0.4, 0.6)))
    equation = Equation(PotentialEnergy(bowl, Box((-6.0,) * 2, (6.0,) * 2)), _both(1.5))
    law = ProductLaw((Normal(0.6, 0.6**0.5), Normal(-0.5, 0.4**0.5)))
    return _recognised(equation, law, t_end=0.5, steps=1.25)


def _well(terms: list[AnyTerm]) -> Problem:
    energy = PotentialEnergy(CosineWell(), Circle())
    return _recognised(Equation(energy, terms), Uniform(), t_end=1.5)


def _interacting(alpha: float, t_end: float) -> Problem:
    energy = Energy(Cosine(0.8), Teacher((0.0,), (1.25,)), UniformCircle(8), Circle())
    return _recognised(Equation(energy, _both(alpha)), Uniform(), t_end=t_end)


def _linear() -> Problem:
    target = FormulaTarget("1 + sin(3*x)")
    energy = Energy(Linear("exp(x)"), target, UniformInterval(-1.0, 1.0, 24), Interval(-7.0, 7.0))
    return _recognised(Equation(energy, _both(1.5)), Normal(-0.5, 0.7), t_end=0.4)


AMPLITUDE = 1e-5
"""Of waves on the uniform state: its square is what linearising leaves out."""


def _waves() -> Problem:
    kappa, alpha = 2.0, 2.0
    kernel = tuple(2.0 * float(iv(m, kappa) / iv(0, kappa)) ** 2 for m in (1, 2, 3))
    exact = UniformWaves(alpha, kernel, (AMPLITUDE, -0.7 * AMPLITUDE, 0.5 * AMPLITUDE))
    energy = Energy(VonMises(kappa), FormulaTarget("1"), UniformCircle(48), Circle())
    solution = ExactSolution(
        averages=lambda t, grid: exact.cell_averages(t, grid.edges[0]),
        density=lambda t, theta: exact.density(t, theta[0]),
        energy=exact.energy,
        mass=lambda t: 1.0,
        outside=lambda t: 0.0,
    )
    law = DensityFunction(lambda theta: exact.density(0.0, theta))
    return Problem(Equation(energy, _both(alpha)), law, solution, t_end=2.0)


def _manufactured() -> Problem:
    exact = TravellingTorus(alpha=1.5)
    terms = [*_both(exact.alpha), Forcing(exact.relative_rate)]

    def density(t: float, theta: Theta) -> Array:
        return exact.density(t, theta)

    solution = ExactSolution(
        averages=lambda t, grid: exact.cell_averages(t, grid.edges),
        density=density,
        energy=exact.energy,
        mass=lambda t: 1.0,
        outside=lambda t: 0.0,
    )
    law = DensityFunction(lambda a, b: exact.density(0.0, (a, b)))
    return Problem(Equation(exact.problem, terms), law, solution, t_end=0.5)


@dataclass(frozen=True)
class BlowUp:
    """A Gaussian in V = - theta^2 / 2, infinitely wide at t* = log(1 + 2 / alpha) / 2 on the line.

    Characteristics must stop before t*, the nearer to it the further they reach. Between walls mass
    comes to them, of which finite volumes must warn: about when there is as much beyond them on the
    line. (Walls further off would take densities below the range of numbers.)
    """

    alpha: float = 1.5
    half: float = 15.0

    @property
    def time(self) -> float:
        """t*, of a start with variance 1."""
        return 0.5 * math.log(1.0 + 2.0 / self.alpha)

    def run(self, scheme: Scheme, size: float) -> tuple[float, float, float]:
        """By how much the time is missed, relative to t*, no energy, and CPU seconds.

        The size is the reach of characteristics, or a number of cells. The error is nan if nothing
        was seen before t*.
        """
        method, law = scheme.method(size), Normal(0.3, 1.0)
        moving = isinstance(method, Characteristics)
        if moving:
            method = Characteristics(64, reach=size)
        space = Interval(-200.0, 200.0) if moving else Interval(-self.half, self.half)
        equation = Equation(PotentialEnergy(Quadratic(((-1.0,),)), space), _both(self.alpha))
        exact = exact_solution(equation, law)
        mu = method.project(law, space)
        start = process_time()
        seen = self._stopped(equation, mu) if moving else self._warned(equation, mu)
        seconds = process_time() - start
        due = self.time if moving else self._arrival(exact)
        error = abs(seen - due) / self.time if seen < self.time else math.nan
        return error, math.nan, seconds

    def _arrival(self, exact: ExactSolution) -> float:
        """When the line has as much mass beyond the walls as a run warns of."""
        latest = self.time * (1.0 - 1e-9)
        return float(brentq(lambda t: exact.outside(t) - WALL_MASS, 0.0, latest))

    def _stopped(self, equation: Equation, mu: Measure) -> float:
        try:
            solve(equation, mu, 2.0 * self.time, record=END, save=END)
        except NumericalFailure as failure:
            right = "the solution may blow up" in str(failure)
            return float(failure.solution.time[-1]) if right else math.nan
        return math.nan

    def _warned(self, equation: Equation, mu: Measure) -> float:
        every = EveryTime(self.time / 500.0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            solution = solve(equation, mu, self.time, record=every, save=END)
        if not any("mass gathers at the walls" in str(one.message) for one in caught):
            return math.nan
        return float(solution.time[np.argmax(solution.wall_mass > WALL_MASS)])


PROBLEMS: dict[str, Callable[[], Problem | BlowUp]] = {
    "quadratic": partial(_quadratic, 1.0),
    "quadratic, k t = 5": partial(_quadratic, 5.0),
    "quadratic, plane": _quadratic_plane,
    "concave, blow-up": BlowUp,
    "circle": lambda: _well(_both(1.0)),
    "circle, free mass": lambda: _well(_both(1.0, Free())),
    "circle, birth-death": lambda: _well([BirthDeath(2.0)]),
    "units, alpha = 0": partial(_interacting, 0.0, 1.5),
    "units, alpha = 1": partial(_interacting, 1.0, 1.5),
    "units, alpha = 1.7": partial(_interacting, 1.7, 1.5),
    "units collapse, alpha = 0": partial(_interacting, 0.0, 22.0),
    "units collapse, alpha = 1": partial(_interacting, 1.0, 22.0),
    "units collapse, alpha = 1.7": partial(_interacting, 1.7, 22.0),
    "linear unit": _linear,
    "waves on uniform": _waves,
    "manufactured, torus": _manufactured,
}


@dataclass(frozen=True)
class Expected:
    """What a ladder must reach.

    Attributes
    ----------
    sizes : tuple of float
        From coarse to fine (`SCHEMES`); of a blow-up reach, or half the width of the space.
    density, energy : float
        Largest errors at the last size; infinite where nothing is asked for.
    order : float or None
        Least order of the density between the last two sizes; None of what is not algebraic.
    """

    sizes: tuple[float, ...]
    density: float
    energy: float = math.inf
    order: float | None = None


FIRST, SECOND, FOURTH, FIFTH = 0.8, 1.8, 3.8, 4.5
"""Least orders of upwind, of MUSCL, of WENO, and of WENO in one parameter without birth and death.

Without transport upwind is of second order.
"""

EXPECTED: dict[str, dict[str, Expected]] = {
    "quadratic": {
        "upwind": Expected((256, 512, 1024), 5e-2, 6e-3, FIRST),
        "MUSCL": Expected((256, 512, 1024), 9e-4, 6e-5, SECOND),
        "WENO": Expected((128, 256, 512), 3e-6, 4e-8, FOURTH),
        "characteristics": Expected((16, 24, 40), 1e-10, 1e-10),
    },
    "quadratic, k t = 5": {
        "characteristics": Expected((16, 24, 40), 1e-10, 1e-10),
    },
    "quadratic, plane": {
        "upwind": Expected((64, 128, 256), 7e-2, 3e-2, FIRST),
        "MUSCL": Expected((64, 128, 256), 3e-3, 9e-4, SECOND),
        "WENO": Expected((64, 96, 144), 4e-5, 2e-6, FOURTH),
        "characteristics": Expected((16, 24, 36), 1e-10, 1e-10),
    },
    "concave, blow-up": {
        "MUSCL": Expected((240, 480, 960), 0.02),
        "characteristics": Expected((10, 20, 40), 0.02),
    },
    "circle": {
        "upwind": Expected((128, 256, 512), 3e-2, 4e-3, FIRST),
        "MUSCL": Expected((128, 256, 512), 2e-4, 3e-5, SECOND),
        "WENO": Expected((64, 128, 256), 1e-6, 6e-9, FOURTH),
        "characteristics": Expected((32, 64, 128), 1e-10, 1e-10),
        "Fourier": Expected((64, 96, 128), 1e-10, 1e-10),
    },
    "circle, free mass": {
        "upwind": Expected((128, 256, 512), 6e-2, 6e-3, FIRST),
        "MUSCL": Expected((128, 256, 512), 4e-4, 5e-5, SECOND),
        "WENO": Expected((64, 128, 256), 3e-6, 7e-9, FOURTH),
        "characteristics": Expected((32, 64, 128), 1e-10, 1e-10),
        "Fourier": Expected((64, 96, 128), 1e-10, 1e-10),
    },
    "circle, birth-death": {
        "upwind": Expected((128, 256, 512), 4e-5, 1e-12, SECOND),
        "MUSCL": Expected((128, 256, 512), 4e-5, 1e-12, SECOND),
        "WENO": Expected((64, 128, 256), 6e-8, 4e-9, FOURTH),
        "characteristics": Expected((32, 64, 128), 1e-10, 1e-10),
        "Fourier": Expected((64, 96, 128), 1e-10, 1e-10),
    },
    "units, alpha = 0": {
        "upwind": Expected((128, 256, 512), 6e-3, 2e-3, FIRST),
        "MUSCL": Expected((128, 256, 512), 3e-5, 2e-5, SECOND),
        "WENO": Expected((64, 128, 256), 3e-8, 6e-10, FIFTH),
        "characteristics": Expected((32, 64, 128), 1e-10, 1e-10),
        "Fourier": Expected((32, 64, 96), 1e-10, 1e-10),
    },
    "units, alpha = 1": {
        "upwind": Expected((128, 256, 512), 7e-3, 2e-3, FIRST),
        "MUSCL": Expected((128, 256, 512), 4e-5, 8e-6, SECOND),
        "WENO": Expected((64, 128, 256), 4e-8, 2e-10, FOURTH),
        "characteristics": Expected((32, 64, 128), 1e-10, 1e-10),
        "Fourier": Expected((32, 64, 96), 1e-10, 1e-10),
    },
    "units, alpha = 1.7": {
        "upwind": Expected((128, 256, 512), 7e-3, 1e-3, FIRST),
        "MUSCL": Expected((128, 256, 512), 5e-5, 7e-6, SECOND),
        "WENO": Expected((64, 128, 256), 4e-8, 6e-11, FOURTH),
        "characteristics": Expected((32, 64, 128), 1e-10, 1e-10),
        "Fourier": Expected((32, 64, 96), 1e-10, 1e-10),
    },
    "units collapse, alpha = 0": {
        "redistributed": Expected((1e-4, 1e-8, 1e-12), 1e-10, 1e-10),
    },
    "units collapse, alpha = 1": {
        "redistributed": Expected((1e-4, 1e-8, 1e-12), 1e-10, 1e-10),
    },
    "units collapse, alpha = 1.7": {
        "redistributed": Expected((1e-4, 1e-8, 1e-12), 1e-10, 1e-10),
    },
    "linear unit": {
        "upwind": Expected((128, 256, 512), 4e-2, 4e-3, FIRST),
        "MUSCL": Expected((128, 256, 512), 4e-4, 2e-5, SECOND),
        "WENO": Expected((64, 128, 256), 2e-6, 3e-8, FOURTH),
        "characteristics": Expected((16, 24, 32), 1e-10, 1e-10),
    },
    "waves on uniform": {
        "upwind": Expected((128, 256, 512), AMPLITUDE**2, AMPLITUDE),
        "MUSCL": Expected((128, 256, 512), AMPLITUDE**2, AMPLITUDE),
        "WENO": Expected((64, 128, 256), AMPLITUDE**2, AMPLITUDE),
        "characteristics": Expected((32, 48, 64), AMPLITUDE**2, AMPLITUDE),
        "Fourier": Expected((16, 24, 32), AMPLITUDE**2, AMPLITUDE),
    },
    "manufactured, torus": {
        "upwind": Expected((32, 64, 128), 6e-3, 2e-3, FIRST),
        "MUSCL": Expected((32, 64, 128), 3e-4, 3e-4, SECOND),
        "WENO": Expected((32, 64, 128), 8e-7, 2e-7, FOURTH),
        "characteristics": Expected((16, 24, 48), 1e-8, 1e-10),
        "Fourier": Expected((24, 36, 54), 1e-10, 1e-10),
    },
}
"""The ladders. Errors of finite volumes: twice what was found, so that a worse scheme is noticed.

Of the other methods 1e-10, but for the density along characteristics on the torus, whose Jacobian
is interpolated. Waves: what linearising leaves out. Blow-up: two per cent of its time.
"""

TWO_PARAMETERS = ("quadratic, plane", "manufactured, torus")


@dataclass(frozen=True)
class Ladder:
    """A problem by a scheme of growing size: errors, CPU seconds, and what was expected.

    Attributes
    ----------
    failure : str
        Why there are no errors, if there are none.
    """

    problem: str
    scheme: str
    expected: Expected
    density: tuple[float, ...] = ()
    energy: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    failure: str = ""

    @property
    def label(self) -> str:
        """As it is called while it runs."""
        return f"{self.problem} by {self.scheme}"

    @property
    def of_time(self) -> bool:
        """Whether the errors are of the time of a blow-up, not of a density."""
        return PROBLEMS[self.problem] is BlowUp

    @property
    def spectral(self) -> bool:
        """Whether errors fall faster than any power of the size."""
        return SCHEMES[self.scheme].splitting.embedded and not self.of_time

    @property
    def orders(self) -> list[float]:
        """Of the density, from size to size."""
        return orders(self.density, self.expected.sizes)

    @property
    def shortfalls(self) -> list[str]:
        """Each expectation that was missed, in words."""
        if self.failure:
            return [self.failure]
        wanted, missed = self.expected, []
        what = "time" if self.of_time else "density"
        if not self.density[-1] <= wanted.density:
            missed.append(f"{what} {self.density[-1]:.1e}, expected {wanted.density:.0e}")
        if math.isfinite(wanted.energy) and not self.energy[-1] <= wanted.energy:
            missed.append(f"energy {self.energy[-1]:.1e}, expected {wanted.energy:.0e}")
        if wanted.order is not None and not self.orders[-1] >= wanted.order:
            missed.append(f"order {self.orders[-1]:.2f}, expected {wanted.order:g}")
        return missed

    @property
    def passed(self) -> bool:
        """Whether all expectations are met."""
        return not self.shortfalls


def climb(task: tuple[str, str, Expected]) -> Ladder:
    """All sizes of one ladder; the first twice, so that no kernel is loaded while one is timed."""
    name, scheme, expected = task
    problem = PROBLEMS[name]()
    try:
        problem.run(SCHEMES[scheme], expected.sizes[0])
        rows = [problem.run(SCHEMES[scheme], size) for size in expected.sizes]
    except NumericalFailure as failure:
        return Ladder(name, scheme, expected, failure=str(failure))
    density, energy, seconds = zip(*rows, strict=True)
    return Ladder(name, scheme, expected, density, energy, seconds)


def tasks(quick: bool) -> list[tuple[str, str, Expected]]:
    """All ladders, those that take longest first; quick: of one parameter alone."""
    chosen = [name for name in EXPECTED if not (quick and name in TWO_PARAMETERS)]
    ordered = sorted(chosen, key=lambda name: name not in TWO_PARAMETERS)
    return [(name, scheme, want) for name in ordered for scheme, want in EXPECTED[name].items()]


def verify(quick: bool, ended: Callable[[Ladder, str], None]) -> list[Ladder]:
    """Climb all ladders, in as many processes as there are processors, and tell of each."""
    work = tasks(quick)
    ladders: dict[int, Ladder] = {}
    for index, answer in in_processes(climb, work, processors()):
        if isinstance(answer, WorkerDied):
            answer = Ladder(*work[index], failure=str(answer))
        ladders[index] = answer
        ended(answer, "passed" if answer.passed else "failed")
    names = list(EXPECTED)
    return sorted((ladders[k] for k in range(len(work))), key=lambda row: names.index(row.problem))


def verdicts(ladders: Sequence[Ladder]) -> str:
    """The table, and what was missed beneath it."""
    header = ["problem", "method", "sizes", "density in L1", "order", "E", "CPU s", "verdict"]
    passed = sum(row.passed for row in ladders)
    lines = [table("Errors at t_end against exact solutions", header, [_row(x) for x in ladders])]
    lines += [f"{row.label}: {'; '.join(row.shortfalls)}" for row in ladders if not row.passed]
    lines.append(f"{passed} of {len(ladders)} ladders are as expected")
    return "\n".join(lines)


def _row(ladder: Ladder) -> list[str]:
    verdict = "passed" if ladder.passed else "FAILED"
    sizes = " ".join(f"{size:g}" for size in ladder.expected.sizes)
    if ladder.failure:
        return [ladder.problem, ladder.scheme, sizes, "", "", "", "", verdict]
    found = " ".join(f"{order:.2f}" for order in ladder.orders)
    return [
        ladder.problem,
        ladder.scheme,
        sizes,
        " ".join(f"{error:.1e}" for error in ladder.density),
        "spectral" if ladder.spectral else found,
        "" if ladder.of_time else f"{ladder.energy[-1]:.1e}",
        f"{ladder.seconds[-1]:.2f}",
        verdict,
    ]
