"""Four problems from which gradient descent and birth and death start alike: E in time.

    spikes    three spikes on the circle of period 1, Dirichlet units, mobility 0.01, alpha = 1
    blobs    kernel distance to three blobs in the plane, alpha = 20
    Run A    the mixture of Rotskoff et al. (2019), y uniform on [-2, 2], alpha = 5
    Run B    the same, y normal about -2 with deviation 0.1

The first, third and fourth go along characteristics, the second on a grid: there neurons meet the
walls. Each is done more than once, coarser and finer. Where Vbar <= 0 all the time nothing is
reborn, and (D) is (C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from meanfield_pde.dynamics.birth_death import BirthDeath, Mean
from meanfield_pde.dynamics.equation import AnyTerm, Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.laws import AnyLaw
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.studies import paper, reinjection
from meanfield_pde.studies.ancestors import History, Panels, ancestors, core, energy
from meanfield_pde.studies.cases import named
from meanfield_pde.studies.tail import BASE, COARSE
from meanfield_pde.studies.theory.descent import Descent, descend
from meanfield_pde.timestepping.splitting import Strang
from meanfield_pde.timestepping.step_size import Controlled, Fixed

COARSER = replace(COARSE, core=(5, 14), points=(8, 6), tail_panel=5.0)
COARSEST = replace(COARSER, core=(4, 12), growth=2.5)

LEVELS = (1e-2, 1e-3, 1e-4)
"""Of E, in Runs A and B."""

SPIKES, BLOBS, RUN_A, RUN_B = PROBLEMS = ("spikes", "blobs", "Run A", "Run B")

COARSE_RECORDS, FINE_RECORDS = 16, 28
"""In each factor 10 of t: not the same, so that bars hold what lies between records."""

MOBILITY = 0.01
"""Of the spikes."""

ENDS = {SPIKES: 30.0, BLOBS: 50.0, RUN_A: 400.0, RUN_B: 100.0}
QUICK_ENDS = {**ENDS, RUN_A: 90.0, RUN_B: 40.0}

STALLED, QUICK_STALLED = 200.0, 100.0
"""Until when gradient descent is given in Run B."""


@dataclass(frozen=True)
class Task:
    """One problem under (A), (C) or (D)."""

    problem: str
    dynamics: str
    quick: bool

    @property
    def end(self) -> float:
        """The last time."""
        if (self.problem, self.dynamics) == (RUN_B, "A"):
            return QUICK_STALLED if self.quick else STALLED
        return (QUICK_ENDS if self.quick else ENDS)[self.problem]


@dataclass(frozen=True, eq=False)
class Runs:
    """The same run, and coarser ones."""

    task: Task
    fine: Descent
    coarser: tuple[Descent, ...]

    @classmethod
    def of(cls, task: Task, runs: Iterable[Descent]) -> Runs:
        """From all runs, the finest last."""
        *coarser, fine = runs
        return cls(task, fine, tuple(coarser))

    def seen(self, quantity: Callable[[Descent], float]) -> tuple[float, float]:
        """Of the finest, and how far those of coarser ones are from it."""
        value = quantity(self.fine)
        others = [quantity(run) for run in self.coarser]
        return value, max(0.0 if other == value else abs(other - value) for other in others)

    def at(self, time: float) -> tuple[float, float]:
        """E, with its bar."""
        return self.seen(lambda run: float(run.at(time)))

    def below(self, level: float) -> tuple[float, float]:
        """When E falls below a level, with its bar."""
        return self.seen(lambda run: run.first_below(level))


def tasks(quick: bool) -> list[Task]:
    """All, the longest first."""
    first = [Task(RUN_B, dynamics, quick) for dynamics in ("D", "C", "A")]
    others = [Task(name, dynamics, quick) for name in (RUN_A, SPIKES, BLOBS) for dynamics in "AC"]
    return [*first, *others, Task(SPIKES, "F", quick)]


def followed(task: Task) -> Runs:
    """The two runs of a task; "F" stands for birth and death alone."""
    return FOLLOW[task.problem](task)


def case(name: str) -> tuple[AnyEnergy, AnyLaw]:
    """The energy and the initial law of a case file."""
    read = named(name)
    return read.equation(read.method).energy, read.start()


def _spikes(task: Task) -> Runs:
    on, _ = case("spikes_torus")
    transport, birth_death = Transport((MOBILITY,)), BirthDeath(1.0)
    choices: dict[str, list[AnyTerm]] = {
        "A": [transport],
        "C": [birth_death, transport],
        "F": [birth_death],
    }
    runs = (
        descend(
            Equation(on, choices[task.dynamics]),
            Characteristics(nodes, picture=0).project(Uniform(), on.space),
            *(task.end, Controlled(tolerance)),
            per_decade=records,
        )
        for nodes, tolerance, records in ((64, 1e-7, COARSE_RECORDS), (96, 1e-8, FINE_RECORDS))
    )
    return Runs.of(task, runs)


def _blobs(task: Task) -> Runs:
    on, law = case("mmd_blobs")
    transport, birth_death = Transport(), BirthDeath(20.0)
    terms: list[AnyTerm] = [transport] if task.dynamics == "A" else [birth_death, transport]
    runs = (
        descend(
            Equation(on, terms),
            FiniteVolumes(cells).project(law, on.space),
            *(task.end, Controlled(1e-6)),
            per_decade=records,
        )
        for cells, records in zip(
            (48, 72) if task.quick else (100, 150), (COARSE_RECORDS, FINE_RECORDS), strict=True
        )
    )
    return Runs.of(task, runs)


def _full_support(task: Task) -> Runs:
    on = paper.energy(charge_range=60.0, location_range=20.0, points=81)
    equation = paper.equation(on, None if task.dynamics == "A" else Mean())
    limits, tolerances = (1e-5, 1e-6, 1e-6), (1e-7, 1e-8, 1e-9)
    records = (COARSE_RECORDS, COARSE_RECORDS, FINE_RECORDS)
    sizes = ((16, 24), (24, 32), (24, 48)) if task.quick else ((24, 32), (32, 48), (48, 64))
    runs = (
        descend(
            equation,
            Characteristics(nodes, redistribute=limit, picture=0).project(
                paper.FULL_SUPPORT, on.space
            ),
            *(task.end, Controlled(tolerance)),
            per_decade=number,
        )
        for nodes, limit, tolerance, number in zip(sizes, limits, tolerances, records, strict=True)
    )
    return Runs.of(task, runs)


def _bad_initialisation(task: Task) -> Runs:
    if task.dynamics == "D":
        return _reborn(task)
    panels: tuple[Panels, Panels] = (COARSEST, COARSER) if task.quick else (COARSER, BASE)
    on = energy()
    balance = None if task.dynamics == "A" else Mean()
    history = COARSER if task.quick else COARSE
    line = None if balance is None else History.of(history, on).line
    runs = (
        descend(
            paper.equation(on, balance),
            core(these, on) if line is None else ancestors(these, on, line),
            *(task.end, Controlled(1e-8)),
            per_decade=records,
        )
        for these, records in zip(panels, (COARSE_RECORDS, FINE_RECORDS), strict=True)
    )
    return Runs.of(task, runs)


def _reborn(task: Task) -> Runs:
    equation, _, _ = reinjection.problem()
    runs = (
        descend(
            equation,
            Characteristics((nodes, 32), picture=0).project(
                paper.BAD_INITIALISATION, equation.energy.space
            ),
            *(task.end, Fixed(dt)),
            splitting=Strang(),
        )
        for dt, nodes in (((0.4, 32), (0.2, 32)) if task.quick else ((0.2, 48), (0.1, 64)))
    )
    return Runs.of(task, runs)


FOLLOW: dict[str, Callable[[Task], Runs]] = {
    SPIKES: _spikes,
    BLOBS: _blobs,
    RUN_A: _full_support,
    RUN_B: _bad_initialisation,
}
