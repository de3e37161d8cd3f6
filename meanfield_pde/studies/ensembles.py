"""Ensembles: independent runs of particles, the seeds of all from one.

The seed of a run depends on that one and on the number of the run alone: runs can be added later,
and any of them is the run of its seed made alone. They are gathered in the order of their numbers,
whichever is finished first, so that the bits are the same for any number of processes. Energies
are kept of every run; of predictions only moments are, whose size does not grow.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.case import Case, load
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import (
    InputError,
    MeanFieldError,
    NumericalFailure,
    require,
    require_type,
)
from meanfield_pde.evolution import Progress, evolve
from meanfield_pde.observables import layout
from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.laws import AnyLaw
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.disk import check_writable
from meanfield_pde.results.ensemble import EnsembleResult, MeanField, Moments, read_ensemble
from meanfield_pde.results.provenance import code, provenance
from meanfield_pde.results.solution import Solution
from meanfield_pde.results.study import FINISHED
from meanfield_pde.run import Job, digests, jobs
from meanfield_pde.schedules import Schedule
from meanfield_pde.studies.workers import WorkerDied, in_processes, processors
from meanfield_pde.timestepping.step_size import Controlled
from meanfield_pde.variations import as_toml

Array = NDArray[np.float64]

SECONDS = 5.0
"""Between two writings of the file, at least."""

SHARE = 0.05
"""Part of the time that writing the file may take."""


def seed_of(seed: int, number: int) -> int:
    """The seed of a run: 63 bits of `numpy.random.SeedSequence(seed).spawn(...)[number]`.

    So many fit into the integers of a case file and of a result, which have a sign.
    """
    child = np.random.SeedSequence(seed, spawn_key=(number,))
    return int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass(frozen=True)
class Answer:
    """How a run ended, the warnings on the way, and the run without positions if it finished."""

    outcome: str
    notes: tuple[str, ...] = ()
    solution: Solution | None = None


@dataclass(frozen=True)
class Recipe:
    """What the runs of an ensemble have in common; called with the number of one, it makes it."""

    equation: Equation
    method: Particles
    law: AnyLaw
    t_end: float
    numerics: Mapping[str, Any]

    def __call__(self, number: int) -> Answer:
        """Make a run; one that fails has an answer too."""
        solution = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                solution, outcome = self._made(number), FINISHED
            except MeanFieldError as error:
                outcome = str(error)
            except MemoryError:
                outcome = "not enough memory"
        return Answer(outcome, tuple(str(warning.message) for warning in caught), solution)

    def _made(self, number: int) -> Solution:
        method = replace(self.method, seed=seed_of(self.method.seed, number))
        start = method.project(self.law, self.equation.energy.space)
        frames = evolve(self.equation, start, self.t_end, **self.numerics)
        solution = Solution.from_frames(layout(self.equation, start), frames)
        return replace(solution, measure=np.empty(0), nodes=())

    def check(self) -> None:
        """Begin a run, and raise `InputError` if that cannot be."""
        start = replace(self.method, number=1).project(self.law, self.equation.energy.space)
        next(evolve(self.equation, start, self.t_end, **self.numerics))


@dataclass(frozen=True)
class CaseRecipe:
    """The recipe of a case of particles, made where it is needed: its functions cannot be sent."""

    case: Case

    @cached_property
    def recipe(self) -> Recipe:
        """From the tables of the case."""
        case, method = self.case, self.case.method
        assert isinstance(method, Particles)
        numerics = case.numerics(method)
        return Recipe(case.equation(method), method, case.start(), case.time.t_end, numerics)

    def __call__(self, number: int) -> Answer:
        """Make a run."""
        return self.recipe(number)


@dataclass
class _Gathered:
    """The runs so far, in the order of their numbers.

    Attributes
    ----------
    seed : int
        Of all.
    times : Solution or EnsembleResult, or None
        Something with the times of the runs, once one is known.
    energies : list of array (times,)
        Empty arrays for runs that did not finish.
    outcomes : list of str
    prediction : Moments
    notes : dict of str by number
        The first warning of each run that gave one.
    """

    seed: int
    times: Solution | EnsembleResult | None = None
    energies: list[Array] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    prediction: Moments = Moments(0, np.empty(0), np.empty(0))
    notes: dict[int, str] = field(default_factory=dict)

    @classmethod
    def going_on(cls, seed: int, earlier: EnsembleResult | None) -> _Gathered:
        """What is known of an earlier call."""
        if earlier is None:
            return cls(seed)
        return cls(seed, earlier, list(earlier.energy), list(earlier.outcome), earlier.prediction)

    def add(self, answer: Answer | WorkerDied) -> None:
        """The next run."""
        if isinstance(answer, WorkerDied):
            answer = Answer(str(answer))
        if answer.notes:
            self.notes[len(self.outcomes)] = answer.notes[0]
        energy, solution = np.empty(0), answer.solution
        if solution is not None:
            self.times = self.times or solution
            self.prediction = self.prediction.and_of(solution.prediction)
            energy = solution.energy
        self.energies.append(energy)
        self.outcomes.append(answer.outcome)

    def result(
        self, energy: AnyEnergy, mean_field: MeanField | None, attributes: dict[str, Any]
    ) -> EnsembleResult | None:
        """All of it; none if no run has finished."""
        if self.times is None:
            return None
        missing = np.full(self.times.time.size, np.nan)
        rows = [row if row.size else missing for row in self.energies]
        return EnsembleResult(
            time=self.times.time,
            energy=np.array(rows),
            seed=np.array([seed_of(self.seed, number) for number in range(len(rows))]),
            outcome=tuple(self.outcomes),
            snapshot_time=self.times.snapshot_time,
            inputs=energy.inputs,
            weight=energy.data_weights if isinstance(energy, Energy) else np.empty(0),
            prediction=self.prediction,
            mean_field=mean_field,
            attributes=attributes,
        )

    def warn(self) -> None:
        """One warning for all."""
        if self.notes:
            number, note = next(iter(self.notes.items()))
            runs = f"{len(self.notes)} of {len(self.outcomes)} runs, the first of them {number}"
            warnings.warn(f"{runs}: {note}", RuntimeWarning, stacklevel=3)


def _in_order(
    work: Callable[[int], Answer], numbers: range, processes: int
) -> Iterator[tuple[int, Answer | WorkerDied]]:
    """Runs by their numbers; what is finished early waits for those before it."""
    early: dict[int, Answer | WorkerDied] = {}
    due = 0
    with closing(in_processes(work, numbers, processes)) as answers:
        for index, answer in answers:
            early[index] = answer
            while due in early:
                yield numbers[due], early.pop(due)
                due += 1


def ensemble(
    equation: Equation,
    method: Particles,
    law: AnyLaw,
    t_end: float,
    runs: int,
    *,
    record: Schedule | None = None,
    save: Schedule | None = None,
    processes: int = 1,
) -> EnsembleResult:
    """Independent runs of particles, all from the seed of one method.

    Parameters
    ----------
    equation : Equation
    method : Particles
    law : law
        Where particles start.
    t_end : float
    runs : int
    record, save : Schedule, optional
        As in `solve`.
    processes : int
        At a time; with more than one a script needs its `if __name__ == "__main__":`.

    Returns
    -------
    EnsembleResult
        The same bits for any number of processes; its `write` writes a file.

    Raises
    ------
    InputError
        If the arguments do not fit together.
    NumericalFailure
        If no run comes to its end; `outcome` tells of single ones that did not.
    """
    require_type("method", method, Particles, "Particles(...)")
    _check_counts(runs, processes)
    recipe = Recipe(equation, method, law, t_end, {"record": record, "save": save})
    recipe.check()
    gathered = _Gathered(method.seed)
    for _, answer in _in_order(recipe, range(runs), processes):
        gathered.add(answer)
    gathered.warn()
    attributes = {"equation": str(equation), "particles": method.number, **provenance()}
    result = gathered.result(equation.energy, None, attributes)
    if result is None:
        raise NumericalFailure(f"no run of the ensemble finished; run 0: {gathered.outcomes[0]}")
    return result


def _check_counts(runs: int, processes: int) -> None:
    for name, count in (("runs", runs), ("processes", processes)):
        require(isinstance(count, int) and count >= 1, name, count, "at least 1")


@dataclass(frozen=True)
class Plan:
    """An ensemble that has been checked and can be run.

    Attributes
    ----------
    case : Case
        Of the particles, without what says nothing of them.
    path : Path
        Of the result.
    runs : int
        How many there shall be.
    processes : int
    earlier : EnsembleResult or None
        What an earlier call has left.
    limit : Job or None
        The mean field, of a case that has a deterministic method; it writes no file.
    """

    case: Case
    path: Path
    runs: int
    processes: int
    earlier: EnsembleResult | None
    limit: Job | None

    @property
    def method(self) -> Particles:
        """Of all runs, with the seed of all."""
        assert isinstance(self.case.method, Particles)
        return self.case.method

    @property
    def done(self) -> int:
        """How many runs there are."""
        return 0 if self.earlier is None else self.earlier.runs


def plan(
    source: Path,
    settings: Sequence[str],
    folder: Path,
    runs: int,
    processes: int | None = None,
    allow_code: bool = False,
) -> Plan:
    """Load a case, find its particles and what an earlier call has left of the same ensemble.

    Raises
    ------
    InputError
        If the case has no particles, or the file holds something else.
    """
    processes = processors() if processes is None else processes
    _check_counts(runs, processes)
    case = load(source, settings, allow_code)
    table = "method" if isinstance(case.method, Particles) else "companion"
    particles = getattr(case, table)
    if particles is None:
        raise InputError(
            f"{source}: [method] is {case.method.kind}: expected particles there or in a table "
            "[companion], for example by --set companion.number=1000"
        )
    output = replace(case.output, folder=None, figures=())
    bare = replace(case, study=None, accuracy=None, companion=None, output=output)
    # Splitting and step are for other methods.
    time = replace(case.time, splitting=None, step=Controlled())
    alone = replace(bare, method=particles, time=time)
    path = folder / f"{source.stem}_ensemble.h5"
    check_writable(path)
    earlier = None
    if path.exists():
        earlier = read_ensemble(path)
        other = _difference(alone, table, earlier.attributes)
        if other:
            held = "1 run" if earlier.runs == 1 else f"{earlier.runs} runs"
            raise InputError(
                f"{path} holds {held} with {other}: delete it, or name another folder by --output"
            )
    CaseRecipe(alone).recipe.check()
    limit = jobs(bare, source.stem, folder)[0] if table == "companion" else None
    return Plan(alone, path, runs, processes, earlier, limit)


def _difference(case: Case, table: str, known: Mapping[str, Any]) -> str:
    """What known runs were made from that those of a case are not; nothing if they may go on."""
    old = dict(_values(tomllib.loads(str(known.get("case", "")))))
    new = dict(_values(tomllib.loads(case.text())))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) and key != "title":
            named = f"{table}.{rest}" if (rest := key.removeprefix("method.")) != key else key
            return f"{named} = {old.get(key, 'nothing')}, not {new.get(key, 'nothing')}"
    for name, value in {**code(), **digests(case)}.items():
        if known.get(name) != value:
            named = name.removeprefix("sha256 ").replace("_", " ")
            return "another version of this package" if name == "sources" else f"another {named}"
    return ""


def _values(table: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of what is in a table, and in those in it."""
    if isinstance(table, list) and any(isinstance(entry, dict) for entry in table):
        table = {str(index): entry for index, entry in enumerate(table)}
    if not isinstance(table, dict):
        yield name, as_toml(table)
        return
    for key, value in table.items():
        yield from _values(value, f"{name}.{key}" if name else key)


def mean_field(plan: Plan, progress: Progress | None = None) -> MeanField | None:
    """The limit of infinitely many particles: run once, or known from an earlier call.

    Raises
    ------
    NumericalFailure
        If the computation breaks.
    """
    if plan.limit is None:
        return None
    case, method, equation = plan.limit.case, plan.limit.method, plan.limit.equation
    known, text = plan.earlier and plan.earlier.mean_field, case.text()
    if known and known.case == text:
        return known
    start = method.project(case.start(), case.space)
    frames = evolve(equation, start, case.time.t_end, progress=progress, **case.numerics(method))
    solution = Solution.from_frames(layout(equation, start), frames)
    return MeanField(solution.energy, solution.prediction, text)


def conduct(
    plan: Plan, limit: MeanField | None, ended: Callable[[int, str], None]
) -> EnsembleResult:
    """Make the runs that are missing; the file is written on the way, and whatever happens.

    A run that did not finish stays so: made again out of its turn, it would change the bits.

    Parameters
    ----------
    plan : Plan
    limit : MeanField or None
    ended : callable
        Called with the number and the outcome of each run, in order.

    Raises
    ------
    InputError
        If the file cannot be written.
    NumericalFailure
        If the disk refuses, or no run finishes.
    """
    gathered = _Gathered.going_on(plan.method.seed, plan.earlier)
    energy = plan.case.energy()
    attributes = {
        "title": plan.case.title,
        "equation": str(plan.case.equation(plan.method)),
        "case": plan.case.text(),
        "particles": plan.method.number,
        **digests(plan.case),
        **provenance(),
    }

    def written() -> EnsembleResult | None:
        result = gathered.result(energy, limit, attributes)
        if result is not None:
            result.write(plan.path)
        return result

    due = perf_counter() + SECONDS
    missing = range(plan.done, plan.runs)
    try:
        for number, answer in _in_order(CaseRecipe(plan.case), missing, plan.processes):
            gathered.add(answer)
            ended(number, gathered.outcomes[-1])
            began = perf_counter()
            if began >= due:
                written()
                due = perf_counter() + max(SECONDS, (perf_counter() - began) / SHARE)
    finally:
        result = written()
    gathered.warn()
    if result is None:
        raise NumericalFailure(f"no run of the ensemble finished; run 0: {gathered.outcomes[0]}")
    return result


def check_finished(result: EnsembleResult) -> None:
    """Raise `NumericalFailure` if some run did not finish: one sentence for all of them."""
    failed = [k for k, outcome in enumerate(result.outcome) if outcome != FINISHED]
    if failed:
        runs = f"{len(failed)} of {result.runs} runs did not finish"
        raise NumericalFailure(f"{runs}; run {failed[0]}: {result.outcome[failed[0]]}")
