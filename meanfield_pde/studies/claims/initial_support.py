r"""Reaction never enlarges the support of mu, and needs no way between its parts.

    d_t mu = - alpha (V - Vbar) mu     =>     mu_t = mu_0 exp(- alpha int (V - Vbar) dt),

so that from an arc that misses a spike E falls to the minimum over measures on that arc alone,

    E_arc = min { E[nu] : nu a probability measure on the arc }            (`problem.optimum`)

and no lower. At any time E - gap <= E_arc <= E, with the gap Vbar - min V over the arc. A weight
epsilon elsewhere grows like exp(alpha gap t), where the gap of that minimum is taken over the whole
space, and has the plateau left at

    t = log(1 / epsilon) / (alpha gap) + O(log t).

And mass goes from one well to another with none in between (`double_well`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import BirthDeath, Reinjection
from meanfield_pde.dynamics.equation import AnyTerm, Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.problem.data import Line
from meanfield_pde.problem.energy import Energy, unit_value
from meanfield_pde.problem.laws import MixtureLaw
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.optimum import Optimum, optimum
from meanfield_pde.problem.spaces import Interval
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Gaussian
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.theory.descent import Descent, descend
from meanfield_pde.studies.theory.double_well import (
    Wells,
    exact_between_at_half,
    exact_masses,
    wells,
)
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

ARC = Interval(-2.5, 1.0)
"""It misses the spike at 2."""

SPACE = Interval(-3.0, 3.0)

ALPHA = 1.0

LEVEL = 0.05
"""Of E: half of the minimum over the arc."""

WEIGHTS = tuple(10.0**-power for power in (10, 20, 40, 80, 160))
"""Of the uniform law, besides that on the arc."""

MOBILITIES = (0.01, 0.1)

UNTIL = 100.0
"""Of the runs with transport and with rebirth."""


def spikes(space: Interval) -> Energy:
    """Narrow units on a line, spikes of mass 0.4, 0.3, 0.3 at -1.5, 0 and 2."""
    target = Teacher((-1.5, 0.0, 2.0), (0.4, 0.3, 0.3))
    return Energy(Gaussian(0.02), target, Line(-3.8, 3.8, 77), space)


@dataclass(frozen=True)
class Task:
    """One run on the line.

    Parameters
    ----------
    weight : float
        Of the uniform law on the whole space.
    mobility : float
    reborn : bool
        From the uniform law.
    end, below : float
        The last time, and the E at which a run is over.
    fine : bool
    """

    weight: float = 0.0
    mobility: float = 0.0
    reborn: bool = False
    end: float = UNTIL
    below: float = 0.0
    fine: bool = True


def followed(task: Task) -> Descent:
    """E in time."""
    energy = spikes(SPACE)
    on_arc = Uniform(ARC.lower, ARC.upper)
    law = MixtureLaw((1.0, task.weight), (on_arc, Uniform())) if task.weight else on_arc
    terms: list[AnyTerm] = [BirthDeath(ALPHA)]
    if task.reborn:
        # Nothing moves, and cells are as good as nodes.
        terms = [BirthDeath(ALPHA, Reinjection(Uniform()))]
        cells, tolerance = (600, 1e-7) if task.fine else (300, 1e-6)
        grid = FiniteVolumes(cells).project(law, SPACE)
        return descend(Equation(energy, terms), grid, task.end, Controlled(tolerance))
    if task.mobility:
        terms.append(Transport((task.mobility,)))
    nodes, limit, tolerance = (160, 1e-4, 1e-9) if task.fine else (96, 1e-3, 1e-8)
    start = Characteristics(nodes, redistribute=limit, picture=0).project(law, SPACE)
    step = Controlled(tolerance)
    return descend(Equation(energy, terms), start, task.end, step, below=task.below)


def gap_over(space: Interval, prediction: Array, mean_potential: float) -> float:
    """Vbar - min V over a space, from f[mu]."""
    energy = spikes(space)
    residual = energy.data_weights * (prediction - energy.target_values)
    places = np.linspace(space.lower, space.upper, 12001)
    potential = residual @ unit_value(energy.unit, energy.inputs, (places,))
    return float(mean_potential - potential.min())


def whole_gap(best: Optimum) -> float:
    """That of the optimum over the arc, over the whole space."""
    energy = spikes(SPACE)
    atoms = unit_value(energy.unit, energy.inputs, (best.points[:, 0],))
    return gap_over(SPACE, atoms @ best.masses, float(best.masses @ best.potential))


def slopes(logarithms: Array, times: Array) -> Array:
    """d t / d log(1/epsilon), between neighbours."""
    return np.diff(times) / np.diff(logarithms)


def slope_limit(found: Array) -> tuple[float, float]:
    """For epsilon -> 0, where log(1/epsilon) doubles: 1/t terms removed; the bar is what they were.

    The terms of the form log t / t that remain are smaller than those that were removed.
    """
    limit = float(2.0 * found[-1] - found[-2])
    return limit, abs(limit - float(found[-1]))


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """The arc, the weights, rebirth and transport, the double well."""
    end = 1e3 if quick else 1e4
    tasks = [
        *(Task(end=end, fine=fine) for fine in (True, False)),
        *(Task(weight=w, end=1000.0, below=LEVEL, fine=f) for f in (True, False) for w in WEIGHTS),
        *(Task(reborn=True, fine=fine) for fine in (True, False)),
        *(Task(mobility=m, fine=fine) for m in MOBILITIES for fine in (True, False)),
    ]
    answers = all_answers(followed, tasks, lambda run: tell(f"to t = {run.time[-1]:.4g}"))
    arc, weighted, reborn = answers[:2], answers[2:12], answers[12:14]
    moved = {m: answers[14 + 2 * k : 16 + 2 * k] for k, m in enumerate(MOBILITIES)}
    best = optimum(spikes(ARC))
    gap = whole_gap(best)
    logs = -np.log(WEIGHTS)
    when = np.array([run.first_below(LEVEL) for run in weighted]).reshape(2, -1)
    cells = 300 if quick else 600
    pure, both, coarse = (wells(n, True, m) for n, m in ((cells, 0.0), (cells, 0.1), (150, 0.1)))
    descent = [wells(n, False, 0.1) for n in (cells, 150)]
    tell("double well")
    numbers = _arc_numbers(arc, best, logs, when, gap)
    slope = numbers[2].value
    numbers += _other_numbers(best, reborn, moved)
    numbers += _well_numbers(pure, both, coarse, descent)
    curves = _curves(arc, weighted, reborn, moved, best)
    curves |= {"logarithms": logs, "times": when[0], "gap": np.array([gap])}
    curves |= {"wells": np.vstack([pure.time, pure.masses])}
    late = float(reborn[0].energy[-1])
    left = float(arc[0].energy[-1]) - best.energy
    first = (
        f"From the arc E falls to {float(arc[0].energy[-1]):.6f}; from a weight of 1e-160 "
        f"elsewhere it stays near there until t = {when[0, -1]:.1f} and then falls; with rebirth "
        f"everywhere it is {late:.2e} at t = {UNTIL:g}; in the double well mass changes sides "
        "while that between falls."
    )
    lower = float(arc[0].energy[-1]) - 2.0 * (float(arc[0].energy[-1]) - numbers[0].value)
    second = (
        f"At t = {end:g} it is {left:.1e} above the minimum over the arc, {best.energy:.8f}, which "
        f"E less its gap, {lower:.6f}, bounds from below; the plateau lasts {slope:.4f} "
        f"log(1/epsilon) / (alpha gap), gap = {gap:.6f}, with the 1/t terms that were removed by "
        "extrapolation as the bar, and the differences from coarser runs."
    )
    values = [float(moved[m][0].energy[-1]) for m in MOBILITIES]
    third = (
        "Transport moves the support, and what it helps depends on how far the force reaches: with "
        f"mobility {MOBILITIES[0]:g} E is {values[0]:.4f} at t = {UNTIL:g}, with {MOBILITIES[1]:g} "
        f"it is {values[1]:.1e}; rebirth helps only where Vbar > 0, as here, and no weight at all "
        "is not the limit of small weights at any fixed E below that of the arc."
    )
    return Findings(tuple(numbers), curves, (first, second, third))


def _arc_numbers(
    arc: Sequence[Descent], best: Optimum, logs: Array, when: Array, gap: float
) -> list[Number]:
    run, other = arc
    end, last = float(run.time[-1]), float(run.energy[-1])
    half = 0.5 * gap_over(ARC, run.prediction, run.last_mean_potential)
    error = float(abs(last - other.energy[-1])) + best.gap
    fine, coarse = (slope_limit(slopes(logs, row) * ALPHA * gap) for row in when)
    bar = fine[1] + abs(fine[0] - coarse[0])
    scaled = ALPHA * end * (last - best.energy)
    what = f"arc, E at t = {end:g} less half of its gap"
    numbers = [
        Number(what, last - half, half + error, best.energy, "="),
        Number("arc, alpha t (E - E_arc) then, below 1", scaled, ALPHA * end * error, 1.0, "<"),
        Number("alpha gap d t / d log(1/epsilon), limit", fine[0], bar, 1.0, "="),
        Number("arc, E - E_arc then", last - best.energy, error, 0.0, ">"),
        Number("gap of the best on the arc, over the whole space", gap, best.gap),
    ]
    for weight, time, coarser in zip(WEIGHTS, *when, strict=True):
        what = f"weight {weight:.0e} elsewhere, E = {LEVEL:g} at t"
        numbers.append(Number(what, float(time), float(abs(time - coarser))))
    return numbers


def _other_numbers(
    best: Optimum, reborn: Sequence[Descent], moved: Mapping[float, Sequence[Descent]]
) -> list[Number]:
    value, bar = (
        float(reborn[0].energy[-1]),
        float(abs(reborn[0].energy[-1] - reborn[1].energy[-1])),
    )
    numbers = [Number(f"rebirth, E at t = {UNTIL:g}", value, bar, best.least, "<")]
    for mobility, (fine, coarse) in moved.items():
        bar = float(abs(fine.energy[-1] - coarse.energy[-1]))
        what = f"transport of mobility {mobility:g}, E at t = {UNTIL:g}"
        numbers.append(Number(what, float(fine.energy[-1]), bar, best.least, "<"))
    return numbers


def _well_numbers(
    pure: Wells, both: Wells, coarse: Wells, descent: Sequence[Wells]
) -> list[Number]:
    first, last = (exact_masses(float(pure.time[k])) for k in (1, -1))
    off = float(abs(pure.most_kept - first[1] / exact_masses(0.0)[1]))
    at_half = exact_between_at_half()
    bar = float(abs(pure.masses[2, -1] - last[2]))
    words = "mass between, largest part left after 1/4 of time"
    right = [float(run.masses[2, -1]) for run in descent]
    change = abs(both.most_kept - coarse.most_kept)
    return [
        Number(f"double well, {words}", pure.most_kept, off, 1.0, "<"),
        Number("with transport too", both.most_kept, change, 1.0, "<"),
        Number(
            "double well, mass between over the first, when half is right",
            *(pure.between_at_half, abs(pure.between_at_half - at_half), 1.0, "<"),
        ),
        Number("double well, mass right at the start", float(pure.masses[2, 0]), 0.0),
        Number("double well, mass right at the end", float(pure.masses[2, -1]), bar, 0.99, ">"),
        Number("by gradient descent", right[0], abs(right[0] - right[1]), 0.01, "<"),
    ]


def _curves(
    arc: Sequence[Descent],
    weighted: Sequence[Descent],
    reborn: Sequence[Descent],
    moved: Mapping[float, Sequence[Descent]],
    best: Optimum,
) -> dict[str, Array]:
    def drawn(run: Descent, last: float) -> Array:
        time = np.geomspace(0.3, min(last, float(run.time[-1])), 300)
        return np.stack([time, run.at(time)])

    return {
        "arc": drawn(arc[0], 1000.0),
        "reborn": drawn(reborn[0], 1000.0),
        **{f"weight {k}": drawn(weighted[k], 1000.0) for k in range(len(WEIGHTS))},
        **{f"transport {k}": drawn(moved[m][0], 1000.0) for k, m in enumerate(MOBILITIES)},
        "least": np.array([best.energy]),
    }


CLAIM = Claim(
    name="initial_support",
    title="The support at the start",
    statement=(
        "Birth and death never enlarge the support: from a law that misses a place they reach the "
        "minimum over the measures on its support; any weight elsewhere, however small, or rebirth "
        "is enough for the global one, after a time of log(1/weight) / (alpha gap)."
    ),
    hypotheses="No transport, or one that does not reach; E convex in mu.",
    source="Rotskoff et al. (2019), derived, found with this solver",
    minutes=(0.6, 1.3),
    measure=measure,
)
