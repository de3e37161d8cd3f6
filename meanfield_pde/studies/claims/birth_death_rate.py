r"""Birth and death alone converge like 1/t, with constants that are known.

From a density that is positive around the minimisers, without transport, d parameters::

    fixed V, minimum of order p               alpha t (E - E*) -> d / p
    interacting, atoms fitted, kernel with
    a first visible term of order p           alpha t E        -> d / (2 p):  d/8 if smooth, p = 4
    interacting, E* > 0                       alpha t (E - E*) -> d / 2
    atoms at a wall with a slope there        1 in place of 1/p for that parameter, by their masses

The first two are one computation: mu is self-similar around an atom, see `studies.kinks`; the last
two are in `studies.misfits`. Two more facts hold at all times::

    the curve depends on alpha t alone,
    E(mu_t) - E(nu) <= KL(nu | mu_0) / (alpha t)        for any nu,

since d/dt KL(nu | mu_t) = alpha (int V dnu - Vbar) <= alpha (E(nu) - E(mu_t)), E being convex, and
E falls. With nu the optimal atoms made smooth, of width chosen for each t, the bound is of order
log(t) / t: it loses a logarithm.

Measured in the exponential family the density stays in, which is compared with runs of the equation
along characteristics; constants by least squares in the powers of t that the corrections have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.results.evidence import Number
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.law_problems import PER_DECADE, Curve
from meanfield_pde.studies.theory.local_exponent import local_exponent
from meanfield_pde.studies.theory.one_over_t import (
    ALPHAS,
    FEW_UNTIL,
    TOLERANCES,
    Bound,
    Collapse,
    Course,
    Few,
    answer,
    tasks,
)
from meanfield_pde.studies.workers import all_answers

Array = NDArray[np.float64]

WORDS = {
    "unfitted": "E* > 0",
    "wall": "E* > 0, atoms at walls",
    "fitted": "E* = 0",
    "kinked": "E* = 0, kinks",
    "fixed": "fixed V",
}
"""Of the groups, in the order in which they are told."""

SPACING = 10.0 ** (1.0 / PER_DECADE) - 1.0
"""Of times, relative: how well the begin of a window is known."""


def constant(course: Course) -> Number:
    """The limit of alpha t (E - E*)."""
    what = f"limit of alpha t (E - E*), {WORDS[course.group]}: {course.name}"
    return Number(what, course.limit.value, course.limit.bar, course.law, "=")


def begins(courses: Sequence[Course]) -> list[Number]:
    """When the law begins, at the earliest and at the latest, in each group."""
    numbers = []
    for group, words in WORDS.items():
        those = [course for course in courses if course.group == group]
        if not those:
            continue
        ordered = sorted(those, key=lambda course: np.nan_to_num(course.begin, nan=np.inf))
        for kind, course in {"first": ordered[0], "last": ordered[-1]}.items():
            which = "" if len(those) == 1 else f", the {kind} of {len(those)}"
            what = f"alpha t at which 1/t begins, {words}{which}: {course.name}"
            numbers.append(Number(what, course.begin, SPACING * course.begin))
            if len(those) == 1:
                break
    return numbers


def collapse(curves: Mapping[Collapse, Curve]) -> Number:
    """How far curves of several alpha are apart, and what a tolerance changes in them."""
    fine, loose = ({a: curves[Collapse(a, tolerance)] for a in ALPHAS} for tolerance in TOLERANCES)
    apart = max(fine[alpha].difference(fine[1.0]) for alpha in ALPHAS)
    bar = 2.0 * max(loose[alpha].difference(fine[alpha]) for alpha in ALPHAS)
    what = f"largest difference of E - E* at equal alpha t, alpha = {ALPHAS[0]:g} to {ALPHAS[-1]:g}"
    return Number(what, apart, bar, 0.0, "=")


def bounded(fine: Array, coarse: Array) -> Number:
    """The largest part of the bound by KL that E - E* takes."""
    value, other = (float(np.max(rows[1] / rows[2])) for rows in (fine, coarse))
    what = "largest (E - E*) over its bound by KL / (alpha t)"
    return Number(what, value, abs(value - other), 1.0, "<")


def drawn(courses: Sequence[Course]) -> dict[str, Array]:
    """Curves of the figure: see `plotting.claims.birth_death_rate`."""
    curves = {}
    for k, course in enumerate(courses):
        times, values = course.curve.times, course.curve.values
        local = local_exponent(times, values / times)
        known = not np.isnan(course.begin)
        height = np.exp(np.interp(np.log(course.begin), np.log(times), np.log(values)))
        curves[f"curve/{course.group} {k}"] = np.stack([times, values])
        curves[f"exponent/{course.group} {k}"] = np.stack([local.times, local.values])
        curves[f"law/{course.group} {k}"] = np.array([course.law])
        curves[f"begin/{course.group} {k}"] = (
            np.array([course.begin, height]) if known else np.full(2, np.nan)
        )
    return curves


def sentences(
    courses: Sequence[Course], numbers: Sequence[Number], same: Number, least: Number, few: Number
) -> tuple[str, ...]:
    """What was found."""
    count = len(courses)
    headline = numbers[0]
    held = sum(number.holds for number in numbers)
    off = max(abs(number.value / number.expected - 1.0) for number in numbers)
    times = [course.begin for course in courses if not np.isnan(course.begin)]
    kinked = [course for course in courses if course.group == "kinked"]
    wall = [course for course in courses if course.group == "wall"]
    return (
        f"In {len(times)} of {count} problems alpha t (E - E*) becomes level: the local exponent "
        f"of E - E* comes within 0.05 of 1, and stays there, from alpha t = {min(times):.2g} for "
        f"the first to {max(times):.2g} for the last, and curves of alpha = {ALPHAS[0]:g} to "
        f"{ALPHAS[-1]:g} are the same in alpha t to {same.value:.0e}.",
        f"With noisy samples the constant is {headline.value:.5f} +- {headline.bar:.0e}, its law "
        f"{headline.expected:g}, and {held} of {count} constants agree with their laws within bars "
        "made of the windows of the fit, coarser quadratures, looser tolerances and the difference "
        f"from a run of the equation (the largest relative difference from a law is {off:.0e}); "
        f"E - E* takes at most {least.value:.3f} of its bound by KL, which loses a logarithm.",
        f"The constant changes where a condition fails: kinks of ReLU units make it "
        f"{kinked[0].limit.value:.5f} in place of 1/8 (derived: 1/6), atoms held by walls "
        f"{wall[0].limit.value:.5f} in place of 1/2 (derived: {wall[0].law:.5f}), and with 5 data "
        f"points, which other densities fit as well as the atoms, alpha t E is {few.value:.1e} at "
        f"alpha t = {FEW_UNTIL:.0e}: there E does not decay like 1/t.",
    )


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """See the module."""
    asked = tasks(quick)

    def ended(found: object) -> None:
        if isinstance(found, Course):
            tell(f"{found.name}: {found.limit}, law {found.law:.5f}")

    answers = dict(zip(asked, all_answers(answer, asked, ended), strict=True))
    found = [one for one in answers.values() if isinstance(one, Course)]
    courses = [course for group in WORDS for course in found if course.group == group]
    runs = {task: curve for task, curve in answers.items() if isinstance(task, Collapse)}
    constants = [constant(course) for course in courses]
    same, least = collapse(runs), bounded(answers[Bound(0)], answers[Bound(1)])
    last, other = (float(answers[Few(coarser)].values[-1]) for coarser in (0, 1))
    what = f"alpha t E at alpha t = {FEW_UNTIL:.0e}, 5 data points: no law"
    few = Number(what, last, abs(last - other))
    curves = drawn(courses)
    for alpha in ALPHAS:
        run = runs[Collapse(alpha, TOLERANCES[0])]
        curves[f"alpha/{alpha:g}"] = np.stack([run.times, run.values / run.times])
    curves["bound"] = answers[Bound(0)]
    return Findings(
        numbers=(*constants, same, least, few, *begins(courses)),
        curves=curves,
        sentences=sentences(courses, constants, same, least, few),
    )


CLAIM = Claim(
    name="birth_death_rate",
    title="Birth and death alone: 1/t",
    statement=(
        "Under birth and death alone E - E* decays like c / (alpha t), c known: d/2 in a fixed "
        "potential and wherever the best measure leaves an error, d/8 where atoms are fitted, "
        "d/6 where they are and the kernel has a term |theta - theta'|^3."
    ),
    hypotheses=(
        "A density that is positive around the optimal atoms, of which there are finitely many, "
        "inside the space; non-degenerate minima of V* = dE/dmu exactly at the atoms if E* > 0; if "
        "E* = 0 a kernel in C^4 (or the term above), and phi with its first and second derivatives "
        "at the atoms linearly independent in L2(nu)."
    ),
    source="its poster; derived; found with this solver",
    minutes=(0.5, 2.6),
    measure=measure,
)
