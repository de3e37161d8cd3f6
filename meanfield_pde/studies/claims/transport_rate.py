r"""Transport with birth and death reaches a perfect fit like t^-2, birth and death alone like 1/t.

One atom is the target, K even, K4 = K''''(0), b the mobility. Near the atom mu is a Gaussian of
variance s, V'' = K4 s / 2 there and E = K4 s^2 / 8, so that transport and selection give::

    s' = - b K4 s^2 - (alpha / 2) K4 s^3.

In u = alpha s / (2 b) and tau = 2 b^2 K4 t / alpha this is one curve without parameters::

    du/dtau = - u^2 (1 + u),    tau = 1/u - log(1 + 1/u),    E = K4 b^2 / (2 alpha^2) u(tau)^2,

    tau << 1:  E = 1 / (8 alpha t),        tau >> 1:  E = 1 / (8 K4 b^2 t^2).

This needs the mass elsewhere to decay faster than 1/t. On the circle it sits opposite the atom and
decays like t^-q, with a threshold in alpha / b where q = 1 (`studies.laws`); below it, the mass
there and its own potential keep each other at t^-1, and the constant of t^-2 is larger. For
K = kappa cos, from the uniform law, all is explicit::

    8 kappa t^2 E -> 4 / (1 + 2 alpha)^2  (alpha <= 1/2),    1  (above),    q = alpha + 1/2.

Measured along characteristics; the threshold from q at two alphas above it, on the clock K4 s dt of
the atom, in which q is linear in alpha.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.exact import CircleFamily
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.law_problems import PER_DECADE, ROOTS, Curve, Terms, power
from meanfield_pde.studies.laws import Limit, extrapolated
from meanfield_pde.studies.theory.aitken import aitken
from meanfield_pde.studies.theory.local_exponent import window
from meanfield_pde.studies.theory.one_atom import UNITS, Course, Run, course, universal
from meanfield_pde.studies.workers import all_answers

Array = NDArray[np.float64]


def wave_limit(alpha: float) -> float:
    """Of 8 kappa t^2 E, for K = kappa cos."""
    return 4.0 / (1.0 + 2.0 * min(alpha, 0.5)) ** 2


def wave_terms(alpha: float) -> Terms:
    """How it is reached below the threshold."""
    slow = (1.0 - 2.0 * alpha) / (1.0 + 2.0 * alpha)
    return (power(-slow), power(-2.0 * slow), power(-3.0 * slow), power(-1.0))


@dataclass(frozen=True)
class Plan:
    """Which runs there are.

    Attributes
    ----------
    constants : tuple of (unit, alpha, end)
        Above their thresholds.
    waves : tuple of float
        alpha of runs with K = cos, over three decades.
    around : tuple of float
        alpha of von Mises units around their threshold.
    mobilities : tuple of float
        Falling.
    last : float
        The end of all other runs with b = 1.
    """

    constants: tuple[tuple[str, float, float], ...]
    waves: tuple[float, ...]
    around: tuple[float, ...]
    mobilities: tuple[float, ...]
    last: float


FULL = Plan(
    constants=(
        ("von Mises", 6.0, 1e5),
        ("von Mises", 4.0, 1e4),
        ("exp(cos)", 21.0, 1e4),
        ("exp(cos)", 14.0, 1e4),
    ),
    waves=(0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.5, 10.0, 100.0),
    around=(0.5, 1.0, 1.5, 2.0, 2.5),
    mobilities=(1.0, 0.1, 0.01, 0.001),
    last=1e4,
)
QUICK = Plan(
    constants=(("von Mises", 6.0, 1e4), ("exp(cos)", 21.0, 1e3)),
    waves=(0.1, 0.3, 0.5, 1.0, 1.5, 2.5, 10.0, 100.0),
    around=(1.0, 2.5),
    mobilities=(1.0, 0.1, 0.01),
    last=1e3,
)
REMOTE = {"von Mises": (4.0, 6.0), "exp(cos)": (14.0, 21.0), "cosine": (1.5, 2.5)}
"""Two alphas above each threshold, where q is about 2 and 3."""

CROSSING = 6.0
"""alpha of the runs with several mobilities."""

BEYOND = 10.0**1.5
"""Their last tau."""

STILL = Run("von Mises", CROSSING, 0.0, 1e5)


def moving(plan: Plan) -> list[Run]:
    """Runs with several mobilities."""
    runs = [Run("von Mises", CROSSING, b, 1.0) for b in plan.mobilities]
    return [replace(run, last=BEYOND * run.crossover) for run in runs]


def steady(plan: Plan) -> list[Run]:
    """Runs with b = 1."""
    runs = [Run(unit, alpha, 1.0, last) for unit, alpha, last in plan.constants]
    pairs = [("von Mises", alpha) for alpha in plan.around]
    pairs += [("cosine", alpha) for alpha in plan.waves]
    pairs += [(unit, alpha) for unit, both in REMOTE.items() for alpha in both]
    return list(
        dict.fromkeys([*runs, *(Run(unit, alpha, 1.0, plan.last) for unit, alpha in pairs)])
    )


@dataclass(frozen=True, eq=False)
class Found:
    """All runs, fine and coarse."""

    fine: Mapping[Run, Course]
    coarse: Mapping[Run, Course]

    def constant(self, run: Run, terms: Terms) -> Limit:
        """The limit of 8 K4 b^2 t^2 E."""
        root = extrapolated(self.fine[run].inverse_root, terms, [self.coarse[run].inverse_root])
        return Limit(root.value**-2, 2.0 * root.bar * root.value**-3)

    def exponent(self, run: Run) -> Limit:
        """The exponent q of the mass elsewhere."""
        other = [self.coarse[run].exponent]
        return extrapolated(self.fine[run].exponent, (power(-1.0), power(-2.0)), other)

    def threshold(self, unit: str, last: float) -> Limit:
        """Where q, linear in alpha, is one."""
        alphas = REMOTE[unit]
        low, high = (self.exponent(Run(unit, alpha, 1.0, last)) for alpha in alphas)
        slope = (high.value - low.value) / (alphas[1] - alphas[0])
        value = alphas[0] + (1.0 - low.value) / slope
        part = (value - alphas[0]) / (alphas[1] - alphas[0])
        return Limit(value, (abs(1.0 - part) * low.bar + abs(part) * high.bar) / slope)

    def exact(self, runs: list[Run]) -> Limit:
        """The largest relative difference of E from the closed form, for K = cos."""
        worst = bar = 0.0
        for run in runs:
            one, form = self.fine[run], CircleFamily(run.alpha, 1.0, 1.0)
            truth = np.array([form.energy(float(t)) for t in one.times])
            worst = max(worst, float(np.max(np.abs(one.energy / truth - 1.0))))
            bar = max(bar, float(np.max(np.abs(self.coarse[run].energy / one.energy - 1.0))))
        return Limit(worst, bar)


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """Constants, thresholds and the crossover in the mobility."""
    plan = QUICK if quick else FULL
    fine = [*moving(plan)[::-1], *steady(plan), STILL]
    runs = [run for one in fine for run in (one, replace(one, coarse=True))]
    courses = all_answers(
        course,
        runs,
        lambda one: tell(f"{one.run.unit}, alpha {one.run.alpha:g}, b {one.run.mobility:g}"),
    )
    found = Found(
        dict(zip(fine, courses[::2], strict=True)), dict(zip(fine, courses[1::2], strict=True))
    )
    numbers, curves = [], {}
    for unit, alpha, last in plan.constants:
        run = Run(unit, alpha, 1.0, last)
        limit = found.constant(run, run.one.terms)
        numbers.append(_number(f"8 K4 t^2 E, {unit} kernel, alpha = {alpha:g}", limit, 1.0))
    waves = [Run("cosine", alpha, 1.0, plan.last) for alpha in plan.waves]
    rows = []
    for run in waves:
        alpha, expected = run.alpha, wave_limit(run.alpha)
        limit = found.constant(run, wave_terms(alpha) if alpha < 0.5 else run.one.terms)
        if alpha == 0.5:
            continue
        rows.append((alpha, limit.value, limit.bar))
        if alpha in (0.1, 1.0, 10.0, 100.0):
            numbers.append(
                _number(f"8 K4 t^2 E, cosine kernel, alpha = {alpha:g}", limit, expected)
            )
    curves["constants, cosine"] = np.array(rows).T
    what = "E, cosine kernel, largest relative difference from the closed form"
    numbers.append(_number(what, found.exact(waves), 0.0))
    for unit in UNITS:
        limit = found.threshold(unit, plan.last)
        expected = replace(UNITS[unit], alpha=1.0).threshold
        numbers.append(_number(f"threshold in alpha / b, {unit} kernel", limit, expected))
        ran = [run for run in steady(plan) if run.unit == unit and run.last == plan.last]
        curves[f"elsewhere, {unit}"] = np.array(
            [
                (
                    run.alpha / expected,
                    found.fine[run].remote_exponent.values[-1],
                    run.one.exponent,
                )
                for run in ran
            ]
        ).T
    numbers += _crossover(found, moving(plan), curves)
    numbers.append(_window(found.fine[steady(plan)[0]]))
    return Findings(tuple(numbers), curves, _sentences(numbers))


def _number(what: str, limit: Limit, expected: float) -> Number:
    return Number(what, limit.value, limit.bar, expected, "=")


def _crossover(found: Found, runs: list[Run], curves: dict[str, Array]) -> list[Number]:
    """How well runs of several mobilities fall on the universal curve."""
    ratios = []
    for run in (*runs, STILL):
        one = found.fine[run]
        curves[f"energy, mobility {run.mobility:g}"] = np.stack([one.times, one.energy])
    for run in runs:
        tau, ratio = found.fine[run].scaled
        curves[f"ratio, mobility {run.mobility:g}"] = np.stack([tau, ratio])
        ratios.append(float(ratio[np.argmin(np.abs(np.log(tau)))]))
    slowest = runs[-1]
    tau, ratio = found.fine[slowest].scaled
    solver = float(np.max(np.abs(found.coarse[slowest].scaled[1] / ratio - 1.0)))
    limit = aitken(ratios[-3], ratios[-2], ratios[-1])
    flat, loose = (
        Curve(one.times, 8.0 * STILL.alpha * one.times * one.energy)
        for one in (found.fine[STILL], found.coarse[STILL])
    )
    return [
        _number(
            "E over the universal curve, tau = 1, b -> 0",
            Limit(limit, abs(limit - ratios[-1]) + solver),
            1.0,
        ),
        Number(
            f"largest distance from the universal curve, tau > 0.01, b = {slowest.mobility:g}",
            float(np.max(np.abs(ratio[tau > 0.01] - 1.0))),
            solver,
        ),
        _number("8 alpha t E, b = 0", extrapolated(flat, ROOTS, [loose]), 1.0),
    ]


def _window(one: Course) -> Number:
    """From when on the local exponent is 2, on the curve and measured."""
    tau = one.scaled[0]
    expected = window(tau, universal(tau) ** 2, 2.0)
    begins = window(tau, one.energy, 2.0)
    step = begins * (10.0 ** (1.0 / PER_DECADE) - 1.0)
    return Number(
        "tau from which on the local exponent is 2 within 0.05", begins, step, expected, "="
    )


def _sentences(numbers: list[Number]) -> tuple[str, str, str]:
    first = numbers[0]
    near = next(n for n in numbers if n.what.startswith("threshold"))
    largest = next(n for n in numbers if n.what.startswith("largest distance"))
    return (
        "However small the mobility b is, the 1/t of birth and death alone turns into t^-2; over "
        "tau = 2 b^2 K4 t / alpha runs of all mobilities become one curve as b falls: "
        f"{largest.what.rsplit(', ', 1)[1]} is {100 * largest.value:.2g} % off it at most.",
        f"{first.what} tends to {first.value:.5f} +- {first.bar:.0e} (1 by the law), extrapolated "
        "from late times; bars are the differences between three windows and from a run with "
        "fewer nodes and looser steps.",
        f"The constant 1 takes alpha / b above {near.value:.4f} +- {near.bar:.0e} with von Mises "
        f"units ({near.expected:.4f} by the law), so that mass elsewhere decays faster than 1/t; "
        "below, E still falls like t^-2 but stays larger, and near the threshold the limit is "
        "reached too slowly to be read.",
    )


CLAIM = Claim(
    name="transport_rate",
    title="With transport, a perfect fit is reached like 1/t^2",
    statement=(
        "Transport together with birth-death reaches E* = 0 like 1 / (8 K4 b^2 t^2), faster than "
        "the 1/t of birth-death alone, for every mobility b > 0; K4 is the fourth derivative of "
        "the kernel at 0."
    ),
    hypotheses=(
        "One even unit on the circle, one atom as target, full support at the start, K four times "
        "differentiable, alpha / b above a threshold that makes mass elsewhere decay faster than "
        "1/t."
    ),
    source="derived",
    minutes=(0.4, 2.4),
    measure=measure,
)
