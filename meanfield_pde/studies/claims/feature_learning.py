r"""Learning features against learning charges alone, for units c psi(x, y).

    d_t mu = d_y(b mu d_y V) + d_c(mu d_c V) - alpha (V - Vbar) mu,      V = c v(y),    b = 0 or 1

With b = 0 the features y stay where the initial law has put them. By gradient descent that is
kernel learning with random features, and E decays mode by mode; with birth and death charges are
learnt 1 + alpha times as fast, and features still selected by their weights (`frozen_features`).
All runs go along characteristics of the plane (y, c).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import AnyTerm, Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies import paper
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.theory.descent import Descent, descend
from meanfield_pde.studies.theory.frozen_features import Frozen, problems
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

END = 30.0

TIMES = (10.0, 30.0)
"""At which energies are compared."""

ROUNDING = 1e4 * float(np.finfo(float).eps)
"""Relative, of E: sums over some thousand nodes, in some hundred steps."""

NAMES = ("Run A", "Run B", "narrow units")


@dataclass(frozen=True)
class Task:
    """One run: frozen or learnt features, with or without birth and death."""

    problem: str
    alpha: float
    frozen: bool
    nodes: tuple[int, int]
    reach: float
    redistribute: float
    tolerance: float


def followed(task: Task) -> Descent:
    """E in time."""
    problem = problems()[task.problem]
    terms: list[AnyTerm] = [BirthDeath(task.alpha)] if task.alpha else []
    terms.append(Transport((0.0 if task.frozen else 1.0, 1.0)))
    method = Characteristics(
        task.nodes, reach=task.reach, redistribute=task.redistribute, picture=0
    )
    start = method.project(problem.law, problem.energy.space)
    step = Controlled(task.tolerance)
    equation = Equation(problem.energy, terms)
    return descend(equation, start, END, step, per_decade=12, extra=TIMES)


def tasks(quick: bool) -> list[Task]:
    """Pairs, the coarser first."""
    coarse: tuple[Any, ...] = ((16, 24), 9.0, 1e-2, 1e-6)
    fine: tuple[Any, ...] = ((24, 32), 9.0, 1e-3, 1e-7)
    if not quick:
        coarse, fine = ((24, 32), 9.0, 1e-3, 1e-7), ((32, 48), 9.0, 2e-4, 1e-8)
    # What birth and death select from frozen features comes from the far tail of their law.
    tail: list[tuple[Any, ...]] = [((60, 60), 20.0, 1e-4, 1e-7), ((72, 72), 22.0, 1e-4, 1e-8)]
    found = []
    for name in reversed(NAMES):
        for alpha in (0.0, paper.ALPHA):
            for frozen in (False, True):
                far = name == "Run B" and frozen and alpha > 0.0
                pair = tail if far else [coarse, fine]
                found += [Task(name, alpha, frozen, *sizes) for sizes in pair]
    return found


def exponent(run: Descent, first: float, last: float) -> float:
    """- d log E / d log t, between two times."""
    energies = run.at(np.array([first, last]))
    return float(-np.log(energies[1] / energies[0]) / np.log(last / first))


Runs = Mapping[tuple[str, float, bool], tuple[Descent, Descent]]


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """All runs, then what the frozen ones must be."""
    every = tasks(quick)
    answers = all_answers(followed, every, lambda run: tell("features"))
    runs: Runs = {
        (task.problem, task.alpha, task.frozen): (answers[k + 1], answers[k])
        for k, task in enumerate(every)
        if k % 2 == 0
    }
    numbers = [*_ratios(runs), *_checks(runs), *_exponents(runs)]
    return Findings(tuple(numbers), _curves(runs), _sentences(runs, numbers))


def _value(runs: tuple[Descent, Descent], time: float) -> tuple[float, float]:
    value = float(runs[0].at(time))
    return value, float(abs(runs[1].at(time) - value))


def _words(alpha: float) -> str:
    return "(C)" if alpha else "(A)"


def _ratios(runs: Runs) -> list[Number]:
    """E of frozen features over that of learnt ones."""
    numbers = []
    for name in NAMES:
        for alpha in (0.0, paper.ALPHA):
            for time in reversed(TIMES):
                above, bar = _value(runs[name, alpha, True], time)
                below, error = _value(runs[name, alpha, False], time)
                value = above / below
                what = f"{name} {_words(alpha)}, E frozen over learnt at t = {time:g}"
                bar = value * (bar / above + error / below)
                numbers.append(Number(what, value, bar, 1.0, ">"))
    return numbers


def _checks(runs: Runs) -> list[Number]:
    """Frozen features against the equations for m and w."""
    numbers = []
    time = np.array([TIMES[0]])
    for name, problem in problems().items():
        fine, coarse = (Frozen.of(problem, nodes) for nodes in (160, 120))
        for alpha in (0.0, paper.ALPHA):
            one, other = (
                float((it.energies(alpha, time, tolerance) if alpha else it.linear(time))[0])
                for it, tolerance in ((fine, 1e-11), (coarse, 1e-9))
            )
            value, bar = _value(runs[name, alpha, True], TIMES[0])
            what = f"{name} {_words(alpha)} frozen, E at t = {TIMES[0]:g}, against "
            what += "equations for m and w" if alpha else "the sum over modes"
            bar += abs(one - other) + ROUNDING * one
            numbers.append(Number(what, value, bar, one, "="))
    return numbers


def _exponents(runs: Runs) -> list[Number]:
    """How fast E falls at the end; the bar is how this changes with the window."""
    numbers = []
    for (name, alpha, frozen), (run, _) in runs.items():
        value, longer = exponent(run, 20.0, END), exponent(run, 15.0, END)
        words = "frozen" if frozen else "learnt"
        what = f"{name} {_words(alpha)} {words}, - d log E / d log t at t = 20 to 30"
        numbers.append(Number(what, value, abs(value - longer)))
    return numbers


def _curves(runs: Runs) -> dict[str, Array]:
    curves: dict[str, Array] = {}
    time = np.geomspace(0.1, END, 240)
    for (name, alpha, frozen), (run, _) in runs.items():
        words = "frozen" if frozen else "learnt"
        curves[f"{name} {_words(alpha)} {words}"] = np.stack([time, run.at(time)])
    for name, problem in problems().items():
        frozen_features = Frozen.of(problem, 160)
        curves[f"{name} modes"] = np.stack(frozen_features.spectrum())
        curves[f"{name} linear"] = np.stack([time, frozen_features.linear(time)])
    return curves


def _sentences(runs: Runs, numbers: list[Number]) -> tuple[str, str, str]:
    late = {
        (name, alpha): float(
            runs[name, alpha, True][0].at(END) / runs[name, alpha, False][0].at(END)
        )
        for name in NAMES
        for alpha in (0.0, paper.ALPHA)
    }
    plain = ", ".join(f"{late[name, 0.0]:.3g} ({name})" for name in NAMES)
    both = ", ".join(f"{late[name, paper.ALPHA]:.3g} ({name})" for name in NAMES)
    off = max(abs(n.value / n.expected - 1.0) for n in numbers if n.relation == "=")
    start = float(runs["Run B", 0.0, True][0].at(END))
    selected = float(runs["Run B", paper.ALPHA, True][0].at(END))
    return (
        f"At t = {END:g} E with frozen features is above that with learnt ones by the factors "
        f"{plain} by gradient descent and {both} with birth and death.",
        f"Frozen runs agree with the sum over modes, or the equations for m and w, to {off:.0e}; "
        "bars are the differences from coarser runs, of exponents those between two windows.",
        "Frozen features are no fixed kernel once there is birth and death, which selects them by "
        f"weight: in Run B E at t = {END:g} is {start:.3f} without and {selected:.4f} with it, "
        "from features in the far tail of the law at the start, which a finite number of neurons "
        "has not; and while learnt features are on a plateau, as there, ratios tell little.",
    )


CLAIM = Claim(
    name="feature_learning",
    title="Learnt features against frozen ones",
    statement=(
        "With frozen features E decays mode by mode, as in kernel learning; learning them, E falls "
        "lower in the same time, with birth and death and without."
    ),
    hypotheses="Units c psi(x, y) in one dimension, c standard normal at the start, alpha = 5.",
    source="derived, found with this solver",
    minutes=(0.4, 1.7),
    measure=measure,
)
