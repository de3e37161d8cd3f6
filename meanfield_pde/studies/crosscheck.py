"""A case by all methods that apply, each with its error bars: do they agree?

The methods share the problem and nothing that is discrete: finite volumes of second and of fifth
order, characteristics, Fourier series on circles, and the solution in closed form where one is
known. Each is refined on its own, from the same coarse sizes whatever the case says of methods and
steps. Two agree if at every save time they are no further apart than the sum of their error bars.
Particles are not among them: their bars fall with the root of the work alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.accuracy import Accuracy, rounding, with_bar
from meanfield_pde.case import Case, Method, Time
from meanfield_pde.errors import InputError, MeanFieldError, NumericalFailure
from meanfield_pde.problem.energy import PotentialEnergy
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.fourier import Fourier
from meanfield_pde.representations.grid import FiniteVolumes, Muscl, Weno5
from meanfield_pde.results.disk import check_writable
from meanfield_pde.results.solution import SCALARS
from meanfield_pde.run import Job
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.answers import converge
from meanfield_pde.studies.convergence import Refined
from meanfield_pde.studies.exact import exact_solution
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.splitting import Splitting
from meanfield_pde.timestepping.step_size import Controlled, Fixed
from meanfield_pde.timestepping.unsplit import Unsplit

Array = NDArray[np.float64]
Progress = Callable[[str], AbstractContextManager[Callable[[Refined], None]]]

DEFAULT = Accuracy(1e-3, most=100.0)
"""For a case without [accuracy]."""

CELLS, MODES = 64, 32
NODES = {1: 24, 2: 16, 3: 10}
"""Along each of so many parameters."""

STEPS = 100
"""Of a method that needs fixed ones, to begin with."""

STATE = 1e-2
"""First tolerance of the state, by steps that estimate its error and by nodes, over the answer's.

Where V has kinks, as of ReLU units, a small one makes many short steps and very many nodes.
"""

SHORTEST = 1e-5
"""Such a step, over the length of the run, below which a method gives up."""

HALVINGS = 4
"""Of cells that an initial law is too narrow for."""


@dataclass(frozen=True)
class Witness:
    """What one method says.

    Attributes
    ----------
    name : str
    values, bars : mapping of str to array (times,)
        By observable.
    """

    name: str
    values: dict[str, Array]
    bars: dict[str, Array]

    def apart(self, other: Witness, observable: str) -> Array:
        """The distance to another over the sum of both bars, at each time."""
        distance = np.abs(self.values[observable] - other.values[observable])
        sums = self.bars[observable] + other.bars[observable]
        # Two zeros agree.
        return np.divide(distance, sums, out=np.zeros_like(distance), where=distance > 0.0)


@dataclass(frozen=True)
class Crosscheck:
    """What all methods say.

    Attributes
    ----------
    time : array (times,)
        Save times of the case.
    witnesses : tuple of Witness
    absent : mapping of str to str
        Methods without an answer, and why.
    """

    time: Array
    witnesses: tuple[Witness, ...]
    absent: dict[str, str]

    @property
    def observables(self) -> tuple[str, ...]:
        """Of all methods."""
        return tuple(self.witnesses[0].values)

    @property
    def pairs(self) -> list[tuple[Witness, Witness]]:
        """Of methods that can be compared."""
        return list(combinations(self.witnesses, 2))

    @property
    def agree(self) -> bool:
        """Whether all pairs do, of all observables at all times."""
        return all(
            bool(np.all(one.apart(other, name) <= 1.0))
            for one, other in self.pairs
            for name in self.observables
        )


def crosscheck(case: Case, folder: Path, progress: Progress) -> Crosscheck:
    """Refine a case by each method that applies.

    Parameters
    ----------
    case : Case
    folder : Path
        For the results, one file a method.
    progress : callable
        From the name of a method to a context in which refinements are told.

    Raises
    ------
    InputError
        If fewer than two methods have an answer, or a file cannot be written.
    """
    check_writable(folder / "MUSCL.h5")
    wanted = case.accuracy or DEFAULT
    scalars = tuple(name for name in wanted.observables if name in SCALARS)
    if not scalars:
        raise InputError("[accuracy] observables: expected a scalar, to compare methods by")
    accuracy = replace(wanted, observables=scalars)
    output = replace(case.output, folder=None, record=AtTimes(()), figures=())
    plain = replace(case, accuracy=accuracy, output=output, study=None, companion=None)
    witnesses, absent, time = [], {}, np.empty(0)
    for name, method, splitting in _methods(case, accuracy):
        try:
            job = _job(plain, method, splitting, folder / f"{name.replace(' ', '_')}.h5")
            with progress(name) as tell:
                answer = converge(job, tell)
        except (InputError, NumericalFailure) as error:
            absent[name] = str(error)
            continue
        if not np.isfinite(answer.error):
            absent[name] = "; ".join(f"{way}: {why}" for way, why in answer.ended.items())
            continue
        time = answer.solution.time
        values = {key: answer.values(key) for key in scalars}
        witnesses.append(Witness(name, values, answer.bars))
    witnesses += _exact(case, scalars, time)
    if len(witnesses) < 2:
        reasons = "; ".join(f"{name}: {why}" for name, why in absent.items())
        raise InputError(f"nothing to compare, of all methods {len(witnesses)} answered: {reasons}")
    return Crosscheck(time, tuple(witnesses), absent)


def _methods(case: Case, accuracy: Accuracy) -> Iterator[tuple[str, Method, Splitting | None]]:
    count = len(case.space.axes)
    # Errors of E are the square of the tail of what nodes resolve.
    tail = (STATE * accuracy.tolerance) ** 0.5
    yield "MUSCL", FiniteVolumes(CELLS, Muscl()), None
    yield "WENO", FiniteVolumes(CELLS, Weno5()), Unsplit("ssp4")
    yield "characteristics", Characteristics(NODES.get(count, 8), redistribute=tail), None
    if all(axis.periodic for axis in case.space.axes):
        yield "Fourier", Fourier(MODES), None


def _job(case: Case, method: Method, splitting: Splitting | None, path: Path) -> Job:
    """A case by another method, with steps that suit it."""
    t_end = case.time.t_end
    time = Time(t_end, splitting, Controlled())
    changed = replace(case, method=method, time=time)
    if not isinstance(method, FiniteVolumes):
        assert case.accuracy is not None
        embedded = changed.numerics(method)["splitting"].embedded
        controlled = Controlled(STATE * case.accuracy.tolerance, smallest=SHORTEST * t_end)
        step = controlled if embedded else Fixed(t_end / STEPS)
        changed = replace(changed, time=replace(time, step=step))
    changed.validate()
    for _ in range(HALVINGS if isinstance(method, FiniteVolumes) else 0):
        try:
            method.project(changed.start(), changed.space)
        except InputError:
            assert isinstance(method, FiniteVolumes)
            method = method.finer(changed.space.axes)
    return Job(replace(changed, method=method), method, path)


def _exact(case: Case, scalars: tuple[str, ...], time: Array) -> list[Witness]:
    """The solution in closed form, if there is one."""
    try:
        exact = exact_solution(case.equation(case.method), case.start())
    except MeanFieldError:
        return []
    known = {"energy": exact.energy, "mass": exact.mass}
    if isinstance(case.energy(), PotentialEnergy):
        known["mean_potential"] = lambda t: exact.energy(t) / exact.mass(t)
    if not set(scalars) <= set(known):
        return []
    values = {name: np.array([known[name](float(t)) for t in time]) for name in scalars}
    return [Witness("exact", values, {name: rounding(v) for name, v in values.items()})]


def agreement_table(check: Crosscheck) -> str:
    """Values with bars by method and time, and which pairs agree."""
    parts = []
    for observable in check.observables:
        header = ["t", *(witness.name for witness in check.witnesses)]
        rows = [
            [
                f"{t:.6g}",
                *(
                    with_bar(w.values[observable][k], w.bars[observable][k])
                    for w in check.witnesses
                ),
            ]
            for k, t in enumerate(check.time)
        ]
        parts.append(table(f"{observable.replace('_', ' ')}, with error bars", header, rows))
    lines = []
    for one, other in check.pairs:
        for observable in check.observables:
            ratio = one.apart(other, observable)
            worst = int(np.argmax(ratio))
            agree = "yes" if ratio[worst] <= 1.0 else "no"
            pair = f"{one.name}, {other.name}"
            lines.append(
                [pair, observable, f"{ratio[worst]:.2g}", f"{check.time[worst]:.4g}", agree]
            )
    header = ["pair", "observable", "distance / sum of bars", "at t", "agree"]
    parts.append(table("Agreement within error bars", header, lines))
    parts += [f"{name} has no answer: {why}" for name, why in check.absent.items()]
    return "\n".join(parts)
