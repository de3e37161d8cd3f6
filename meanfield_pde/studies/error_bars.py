"""Exact problems: how often the true error lies within the error bar, and how much smaller it is.

Factors in `accuracy` were chosen with every other problem of the table; the rest tests them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from meanfield_pde.accuracy import Accuracy
from meanfield_pde.case import Case, parse
from meanfield_pde.evolution import solve
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.exact import CircleFamily
from meanfield_pde.results.solution import SCALARS, Solution
from meanfield_pde.studies.convergence import Refined, refinements
from meanfield_pde.studies.exact import exact_solution
from meanfield_pde.studies.tables import table

Array = NDArray[np.float64]
Formula = Callable[[float], Any]

BELOW = 1e-12
"""Bars below this may be as much too large as they like."""

WIDE = 100.0
"""Times the true error that a bar should not exceed."""

MOST = 300.0
"""Work of the largest run of a problem, over that of the first."""

EDGES = (0.0, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
COLUMNS = ("< 0.5", "< 1", "< 3", "< 10", "< 30", "< 100", "< 1000", "more")
"""Of the distribution of bar / error."""


@dataclass(frozen=True)
class Method:
    """A method as the tables of a case, and the tolerances at which its bars are looked at."""

    tables: str
    tolerances: tuple[float, ...]


METHODS = {
    "muscl": Method('method={kind="finite_volumes", cells=%(cells)s}', (1e-2, 1e-3, 1e-4)),
    "weno": Method(
        'method={kind="finite_volumes", cells=%(cells)s, reconstruction={kind="weno5"}}\n'
        'time.splitting={kind="unsplit", method="ssp4"}',
        (1e-3, 1e-5, 1e-7),
    ),
    "characteristics": Method(
        'method={kind="characteristics", nodes=%(nodes)s}', (1e-4, 1e-7, 1e-10)
    ),
    "fourier": Method('method={kind="fourier", modes=%(modes)s}', (1e-4, 1e-7, 1e-10)),
}


@dataclass(frozen=True)
class Problem:
    """A case without a method, and its solution: observables as functions of time.

    The prediction is one on the points x of the data: f(t)(x).
    """

    name: str
    tables: str
    observables: tuple[str, ...] = ("energy", "mean_potential")
    exact: Mapping[str, Formula] | None = None
    circle: bool = False
    plane: bool = False

    def case(self, method: Method) -> Case:
        """With a method."""
        sizes = {"cells": 64, "nodes": 12, "modes": 16}
        if self.plane:
            sizes = {"cells": 32, "nodes": 12, "modes": 16}
        text = f'title="{self.name}"\n{self.tables}\n{method.tables % sizes}\n'
        return parse(text, self.name)


def _quadratic(name: str, matrix: Any, law: str, t_end: float, **options: Any) -> Problem:
    half = options.pop("half", 7.0)
    plane = len(matrix) == 2
    walls = f"lower={[-half] * 2}, upper={[half] * 2}" if plane else f"lower={-half}, upper={half}"
    space = f'{{kind="{"box" if plane else "interval"}", {walls}}}'
    potential = f'{{kind="quadratic", matrix={matrix}, offset={options.pop("offset", 0.0)}}}'
    return _potential(name, potential, space, law, t_end, plane=plane, **options)


def _potential(
    name: str,
    potential: str,
    space: str,
    law: str,
    t_end: float,
    alpha: float,
    balance: str = "mean",
    transport: bool = True,
    **options: Any,
) -> Problem:
    terms = [f'{{kind="birth_death", alpha={alpha}, balance={{kind="{balance}"}}}}'] * (alpha > 0)
    terms += ['{kind="transport"}'] * transport
    tables = (
        f"potential={potential}\nspace={space}\ninitial={law}\nterms=[{', '.join(terms)}]\n"
        + _times(t_end)
    )
    free = ("energy", "mass", "mean_potential")
    observables = free if balance == "free" else ("energy",)
    return Problem(name, tables, observables, **options)


def _times(t_end: float) -> str:
    values = [round(f * t_end, 6) for f in (0.2, 0.5)]
    return (
        f'time.t_end={t_end}\noutput.record={{kind="at", values={values}}}\n'
        f'output.save={{kind="at", values={values}}}'
    )


def _well(name: str, t_end: float, depth: float, **options: Any) -> Problem:
    potential = f'{{kind="cosine_well", depth={depth}}}'
    return _potential(
        name, potential, '{kind="circle"}', '{kind="uniform"}', t_end, circle=True, **options
    )


def _interacting(alpha: float, kappa: float, force: float, t_end: float) -> Problem:
    terms = [f'{{kind="birth_death", alpha={alpha}}}'] * (alpha > 0) + ['{kind="transport"}']
    tables = (
        f'unit={{kind="cosine", kappa={kappa}}}\n'
        f'target={{kind="teacher", centres=[0.0], masses=[{force / kappa}]}}\n'
        'data={kind="uniform_circle", points=12}\nspace={kind="circle"}\n'
        f'initial={{kind="uniform"}}\nterms=[{", ".join(terms)}]\n' + _times(t_end)
    )
    family = CircleFamily(alpha, force, kappa)
    exact: dict[str, Formula] = {
        "energy": family.energy,
        "mean_potential": lambda t: (
            -(force - kappa * family.order_parameter(t)) * family.order_parameter(t)
        ),
        "prediction": lambda t: (
            lambda x: math.sqrt(2.0 * kappa) * family.order_parameter(t) * np.cos(x)
        ),
    }
    name = f"cosine units, alpha = {alpha:g}, kappa = {kappa:g}, f0 = {force:g}"
    return Problem(name, tables, tuple(exact), exact, circle=True)


def _linear(name: str, data: str, ends: tuple[float, float], alpha: float, t_end: float) -> Problem:
    """A linear unit from a normal law: m - m* falls as exp(-K1 (1 + alpha v) t)."""
    mean, deviation = -0.5, 0.8
    on_line = ends == (-math.inf, math.inf)
    psi_text, target_text = (
        ("exp(-x**2/2)", "exp(-(x - 1)**2)") if on_line else ("exp(x)", "1 + sin(3*x)")
    )

    def psi(x: Any) -> Any:
        return np.exp(-(x**2) / 2) if on_line else np.exp(x)

    def target(x: Any) -> Any:
        return np.exp(-((x - 1) ** 2)) if on_line else 1 + np.sin(3 * x)

    length = 1.0 if on_line else ends[1] - ends[0]

    def integral(function: Callable[[float], float]) -> float:
        return float(quad(function, *ends, epsabs=1e-14, epsrel=1e-13)[0]) / length

    k1 = integral(lambda x: psi(x) ** 2)
    best = integral(lambda x: psi(x) * target(x)) / k1
    constant = 0.5 * integral(lambda x: target(x) ** 2) - 0.5 * k1 * best**2

    def m(t: float) -> float:
        return best + (mean - best) * math.exp(-k1 * (1.0 + alpha * deviation**2) * t)

    exact: dict[str, Formula] = {
        "energy": lambda t: constant + 0.5 * k1 * (m(t) - best) ** 2,
        "mean_potential": lambda t: k1 * m(t) * (m(t) - best),
        "prediction": lambda t: lambda x: m(t) * psi(x),
    }
    tables = (
        f'unit={{kind="linear", psi="{psi_text}"}}\n'
        f'target={{kind="formula", expression="{target_text}"}}\ndata={data}\n'
        'space={kind="interval", lower=-7.0, upper=7.0}\n'
        f'initial={{kind="normal", mean={mean}, deviation={deviation}}}\n'
        f'terms=[{{kind="birth_death", alpha={alpha}}}, {{kind="transport"}}]\n' + _times(t_end)
    )
    return Problem(name, tables, tuple(exact), exact)


def _point(name: str, place: float, depth: float, alpha: float, t_end: float) -> Problem:
    """All mass in one point, that slides down: as rough as a density can be."""

    def energy(t: float) -> float:
        angle = 2.0 * math.atan(math.exp(-depth * t) * math.tan(0.5 * place))
        return -depth * math.cos(angle)

    law = f'{{kind="point", location={place}}}'
    well = f'{{kind="cosine_well", depth={depth}}}'
    return _potential(
        *(name, well, '{kind="circle"}', law, t_end), alpha=alpha, exact={"energy": energy}
    )


def _uniform(name: str, k: float, ends: tuple[float, float], alpha: float, t: float) -> Problem:
    """A law with jumps in V = k theta^2 / 2: weights exp(-alpha int V) along characteristics."""

    def energy(t: float) -> float:
        shrunk = math.exp(-2.0 * k * t)

        def weight(theta: float) -> float:
            return math.exp(-0.25 * alpha * theta**2 * (1.0 - shrunk))

        def value(theta: float) -> float:
            return 0.5 * k * theta**2 * shrunk * weight(theta)

        exact = {"epsabs": 1e-14, "epsrel": 1e-13}
        return float(quad(value, *ends, **exact)[0] / quad(weight, *ends, **exact)[0])

    law = f'{{kind="uniform", lower={ends[0]}, upper={ends[1]}}}'
    return _quadratic(name, [[k]], law, t, alpha=alpha, half=4.0, exact={"energy": energy})


def problems() -> list[Problem]:
    """In pairs: one to choose factors by, one to test them."""
    normal = '{kind="normal", mean=%g, deviation=%g}'
    both = '{kind="product", factors=[%s, %s]}'
    interval = '{kind="uniform_interval", lower=-1.0, upper=1.0, points=4}'
    line = '{kind="line", lower=-5.0, upper=5.0, points=15}'
    whole = (-math.inf, math.inf)
    return [
        _quadratic("quadratic 1", [[1.0]], normal % (0.8, 0.7), 1.0, alpha=1.5),
        _quadratic("quadratic 2", [[0.6]], normal % (-1.1, 0.9), 2.0, alpha=3.0),
        _quadratic("descent 1", [[1.3]], normal % (0.5, 1.0), 0.8, alpha=0.0),
        _quadratic("descent 2", [[0.7]], normal % (1.5, 0.6), 1.5, alpha=0.0),
        _quadratic(
            "free 1", [[1.0]], normal % (0.4, 0.8), 1.0, alpha=1.0, balance="free", offset=0.3
        ),
        _quadratic(
            "free 2", [[0.5]], normal % (-0.9, 0.6), 1.6, alpha=2.0, balance="free", offset=-0.2
        ),
        _quadratic("birth-death 1", [[1.0]], normal % (0.7, 0.9), 2.0, alpha=1.5, transport=False),
        _quadratic("birth-death 2", [[2.0]], normal % (-0.6, 0.7), 1.5, alpha=1.0, transport=False),
        _quadratic(
            "plane 1",
            [[1.0, 0.4], [0.4, 0.6]],
            both % (normal % (0.6, 0.8), normal % (-0.5, 0.7)),
            0.6,
            alpha=1.5,
            half=6.0,
        ),
        _quadratic(
            "plane 2",
            [[0.7, -0.3], [-0.3, 1.1]],
            both % (normal % (-0.4, 0.9), normal % (0.7, 0.6)),
            0.9,
            alpha=0.8,
            half=6.0,
        ),
        _well("well 1", 1.5, 1.0, alpha=1.0),
        _well("well 2", 1.2, 1.4, alpha=2.2),
        _well("well, free 1", 1.2, 1.0, alpha=1.0, balance="free"),
        _well("well, free 2", 1.8, 0.8, alpha=1.7, balance="free"),
        _well("well, descent 1", 1.5, 1.0, alpha=0.0),
        _well("well, descent 2", 1.0, 1.6, alpha=0.0),
        _well("well, birth-death 1", 1.5, 1.0, alpha=2.0, transport=False),
        _well("well, birth-death 2", 1.0, 1.5, alpha=4.0, transport=False),
        _interacting(0.0, 1.25, 1.0, 4.0),
        _interacting(0.0, 0.8, 1.0, 2.0),
        _interacting(1.0, 0.8, 1.0, 1.5),
        _interacting(1.0, 1.5, 1.0, 3.0),
        _interacting(1.7, 1.25, 1.0, 4.0),
        _interacting(1.7, 1.0, 1.2, 1.2),
        _linear("linear unit, interval 1", interval, (-1.0, 1.0), 1.0, 1.0),
        _linear("linear unit, interval 2", interval, (-1.0, 1.0), 2.5, 0.8),
        _linear("linear unit, line 1", line, whole, 1.0, 1.0),
        _linear("linear unit, line 2", line, whole, 3.0, 0.6),
        _uniform("uniform 1", 1.0, (-1.2, 2.0), 1.0, 0.8),
        _uniform("uniform 2", 0.8, (-0.7, 2.3), 2.0, 1.0),
        _point("point 1", 1.0, 1.0, 1.0, 0.4),
        _point("point 2", 2.0, 1.2, 0.7, 0.6),
    ]


def run(case: Case) -> Solution:
    """In memory."""
    mu = case.method.project(case.start(), case.space)
    numerics = case.numerics(case.method)
    return solve(case.equation(case.method), mu, case.time.t_end, **numerics)


def true_errors(problem: Problem, answer: Refined) -> dict[str, Array]:
    """By observable, at each time."""
    solution, exact = answer.solution, dict(problem.exact or {})
    if not exact:
        known = exact_solution(answer.case.equation(answer.case.method), answer.case.start())
        exact = {
            "energy": known.energy,
            "mass": known.mass,
            "mean_potential": lambda t: known.energy(t) / known.mass(t),
        }
    errors = {}
    for name in problem.observables:
        if name in SCALARS:
            values = np.array([exact[name](float(t)) for t in solution.time])
            errors[name] = np.abs(solution.scalars[name] - values)
        else:
            energy = answer.case.energy()
            assert isinstance(energy, Energy)
            rows = [exact[name](float(t))(solution.layout.inputs) for t in solution.snapshot_time]
            errors[name] = np.sqrt((solution.prediction - rows) ** 2 @ energy.data_weights)
    return errors


@dataclass(frozen=True)
class Row:
    """One number of the table: its bar, its true error."""

    problem: str
    method: str
    bar: float
    error: float

    @property
    def honest(self) -> bool:
        """Whether the error lies within the bar."""
        return self.error <= self.bar

    @property
    def tight(self) -> bool:
        """Whether the bar is not much larger."""
        return self.bar <= max(WIDE * self.error, BELOW)


def rows(problem: Problem, name: str) -> Iterator[Row]:
    """At each time after the start, of the first answers within each tolerance and of the last."""
    method = METHODS[name]
    accuracy = Accuracy(method.tolerances[-1], problem.observables, most=MOST)
    waiting = list(method.tolerances)
    for answer in refinements(problem.case(method), accuracy, run):
        last = answer
        if answer.known and waiting and answer.error <= waiting[0]:
            waiting = [tolerance for tolerance in waiting if answer.error > tolerance]
            yield from _looked_at(problem, name, answer)
    if waiting:
        yield from _looked_at(problem, name, last)


def _looked_at(problem: Problem, name: str, answer: Refined) -> Iterator[Row]:
    errors = true_errors(problem, answer)
    for observable, bars in answer.bars.items():
        for bar, error in zip(bars[1:], errors[observable][1:], strict=True):
            yield Row(problem.name, name, float(bar), float(error))


def main(quick: bool = False) -> None:
    """Print coverage and the distribution of bar / error, of both halves of the table."""
    halves: tuple[list[Row], list[Row]] = ([], [])
    for index, problem in enumerate(problems()):
        for name in METHODS:
            applies = problem.circle or name != "fourier"
            slow = problem.plane and (quick or name == "characteristics")
            if applies and not slow:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)
                    halves[index % 2].extend(rows(problem, name))
    header = ["", "method", "numbers", "within", "tight", *COLUMNS]
    lines = []
    for half, found in zip(("chosen by", "tested on"), halves, strict=True):
        for name in (*METHODS, "all"):
            chosen = [row for row in found if name in (row.method, "all")]
            lines.append([half, name, *_summary(chosen)])
    print(table("Error bars of exact problems: bar / true error", header, lines))
    print(f"within: error <= bar; tight: bar <= {WIDE:g} error, or bar <= {BELOW:g}")
    for row in (row for found in halves for row in found if not row.honest):
        print(f"too small: {row.problem}, {row.method}: bar {row.bar:.1e}, error {row.error:.1e}")


def _summary(found: list[Row]) -> list[str]:
    count = max(len(found), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.array([row.bar for row in found]) / np.array([row.error for row in found])
    histogram = np.histogram(ratios, [*EDGES, math.inf])[0]
    within = 100.0 * sum(row.honest for row in found) / count
    tight = 100.0 * sum(row.tight for row in found) / count
    return [str(len(found)), f"{within:.1f} %", f"{tight:.1f} %", *map(str, histogram)]
