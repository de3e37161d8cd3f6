"""A case run once for each of a few values: errors and orders of a refinement, or observables.

Every run is an ordinary run of the case with values set, in <stem>_study/. One that an earlier call
finished is taken as it is, if the same code made it from the same case and the same files. In a
study runs record at save times only: the times of [output] `record` would cut the steps.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.case import Case, load
from meanfield_pde.errors import InputError, MeanFieldError, NumericalFailure, require
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.results.disk import check_writable
from meanfield_pde.results.hdf5 import read
from meanfield_pde.results.provenance import code, provenance
from meanfield_pde.results.solution import SCALARS, Solution
from meanfield_pde.results.study import FINISHED, StudyResult, write_study
from meanfield_pde.run import Job, digests, execute, jobs
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.exact import exact_solution
from meanfield_pde.studies.quantities import distance, quantities
from meanfield_pde.studies.tables import orders
from meanfield_pde.studies.workers import WorkerDied, in_processes, processors
from meanfield_pde.timestepping.step_size import Fixed
from meanfield_pde.variations import EXAMPLE, Exact, Finest, OtherMethod, Study, as_toml

Array = NDArray[np.float64]

CHANGED = "a file that it reads changed while it ran"
"""The outcome of a run that finished and cannot be used."""


@dataclass(frozen=True)
class Run:
    """One run of a study, its values in words and what the words stand for."""

    label: str
    job: Job

    def earlier(self) -> Solution | None:
        """The result of this very run, if there is one."""
        case, path = self.job.case, self.job.path
        if not path.exists():
            return None
        try:
            solution = read(path)
        except InputError:
            return None
        made_by = {**code(), "case": case.text(), "outcome": FINISHED}
        same = made_by.items() <= solution.attributes.items()
        return solution if same and _reads_the_same(case, solution) else None


def _reads_the_same(case: Case, solution: Solution) -> bool:
    """Whether the files that the case reads are those that the result was made from."""
    known = {k: v for k, v in solution.attributes.items() if k.startswith("sha256 ")}
    return digests(case) == known


@dataclass(frozen=True)
class Plan:
    """A study that has been checked and can be run.

    Attributes
    ----------
    case : Case
    study : Study
    path : Path
        Of the result.
    rows : tuple of Run
        What is compared.
    reference : Run or None
        The run it is compared with; none if that is an exact solution, or nothing.
    compare : tuple of str
        By which quantities.
    against : str
        The reference in words.
    """

    case: Case
    study: Study
    path: Path
    rows: tuple[Run, ...]
    reference: Run | None
    compare: tuple[str, ...]
    against: str

    @property
    def equation(self) -> str:
        """Of the case without the values of its study."""
        return str(self.case.equation(self.case.method))

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, those that take longest first: the reference, then from fine to coarse."""
        return (*((self.reference,) if self.reference else ()), *reversed(self.rows))


def plan(source: Path, settings: Sequence[str], folder: Path, allow_code: bool = False) -> Plan:
    """Load the runs of a case's [study] and check that they can be made and compared.

    Raises
    ------
    InputError
        If there is no [study], a value does not fit the case, or runs cannot be compared.
    """
    case = load(source, settings, allow_code)
    study = case.study
    if study is None:
        example = f"for example by --set study.{EXAMPLE}"
        raise InputError(f"{source}: [study] is missing: expected one, {example}")
    path = folder / f"{source.stem}_study.h5"

    def run(label: str, changes: tuple[str, ...], name: str) -> Run:
        try:
            changed = load(source, (*settings, *changes), allow_code)
            return Run(label, jobs(_alone(changed), name, folder / path.stem)[0])
        except InputError as error:
            reason = str(error).removeprefix(f"{source}: ")
            raise InputError(f"{label}: {reason}") from None

    try:
        changes = [study.settings(index) for index in range(study.count)]
        rows = [run(_label(c), c, n) for c, n in zip(changes, _names(changes), strict=True)]
        reference, against = None, ""
        if isinstance(study.reference, Finest):
            reference = rows.pop()
            against = f"the run with {reference.label}, taken as exact"
        elif isinstance(study.reference, OtherMethod):
            other = study.reference.settings
            reference = run("against", other, "reference")
            against = f"the run with {_label(other)}, taken as exact"
        elif isinstance(study.reference, Exact):
            against = _exact(rows)
        made = tuple(row.job for row in rows)
        compare = study.compare or ("energy",)
        if study.reference is not None:
            _check_steps(made)
            compare = quantities(study.compare, made, reference.job if reference else None)
        checked = Plan(case, study, path, tuple(rows), reference, compare, against)
        _check_times([entry.job for entry in checked.runs])
    except InputError as error:
        raise InputError(f"{source}: [study] {error}") from None
    for place in (path, *(entry.job.path for entry in checked.runs)):
        check_writable(place)
    return checked


def _alone(case: Case) -> Case:
    """A case as one run of a study: recorded at its save times, the same wherever it is written."""
    output = replace(case.output, folder=None, record=AtTimes(()), figures=())
    return replace(case, study=None, accuracy=None, companion=None, output=output)


def _label(changes: tuple[str, ...]) -> str:
    return ", ".join(" = ".join(change.split("=", 1)) for change in changes)


def _names(changes: list[tuple[str, ...]]) -> list[str]:
    """Names of files: values behind the last parts of their keys."""
    names: list[str] = []
    for index, run in enumerate(changes):
        pairs = [change.split("=", 1) for change in run]
        words = "_".join(f"{key.rpartition('.')[2]}_{value}" for key, value in pairs)
        name = re.sub(r"[^A-Za-z0-9.+-]+", "_", words).strip("_")[:80]
        names.append(name if name not in names else f"{name}_{index}")
    return names


def _times(job: Job) -> tuple[float, ...]:
    save = job.case.numerics(job.method)["save"]
    return tuple(save.times(job.case.time.t_end))


def _check_times(made: list[Job]) -> None:
    for job in made:
        same = f"those of the other runs, {_times(made[0])}"
        require(_times(job) == _times(made[0]), "save times", _times(job), same)


def _check_steps(made: tuple[Job, ...]) -> None:
    """Refuse steps that would be shortened to land on save times: their ratios would be others."""
    steps = [job.case.numerics(job.method)["step"] for job in made]
    lengths = {step.dt for step in steps if isinstance(step, Fixed)}
    for dt in lengths if len(lengths) > 1 else ():
        for span in np.diff(_times(made[0])):
            even = abs(span / dt - round(span / dt)) <= 1e-6 * span / dt
            require(even, "dt", dt, f"a step that divides the times between saves, here {span:g}")


def _exact(rows: list[Run]) -> str:
    """The exact solution in words, after checking that each run has one."""
    outside = 0.0
    for row in rows:
        exact = exact_solution(row.job.equation, row.job.case.start())
        outside = max(outside, exact.check_walls(_times(row.job)))
    line = f" on the line ({outside:.1g} of its mass is beyond the walls)" if outside else ""
    return f"the exact solution{line}"


def conduct(plan: Plan, ended: Callable[[Run, str], None]) -> StudyResult:
    """Run what no earlier call has finished, compare, and write the result.

    Parameters
    ----------
    plan : Plan
    ended : callable
        Called with each run and its outcome as soon as it is known.

    Raises
    ------
    InputError
        If the result cannot be written.
    """
    origin = provenance()
    outcomes: dict[str, str] = {}
    missing = []
    for run in plan.runs:
        if run.earlier() is None:
            missing.append(run)
        else:
            outcomes[run.label] = FINISHED
            ended(run, FINISHED)
    processes = plan.study.processes or processors()
    with closing(in_processes(_outcome, [run.job for run in missing], processes)) as answers:
        for index, answer in answers:
            run = missing[index]
            outcome, notes = (str(answer), ()) if isinstance(answer, WorkerDied) else answer
            for note in notes:
                warnings.warn(f"{run.label}: {note}", RuntimeWarning, stacklevel=2)
            outcomes[run.label] = outcome
            ended(run, outcome)
    result = _compared(plan, outcomes)
    result.attributes.update(origin)
    write_study(result, plan.path)
    return result


def _outcome(job: Job) -> tuple[str, tuple[str, ...]]:
    """Run a job: how it ended, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            execute(job)
            outcome = FINISHED
        except MeanFieldError as error:
            outcome = str(error)
        except MemoryError:
            outcome = "not enough memory"
    return outcome, tuple(str(warning.message) for warning in caught)


def _compared(plan: Plan, outcomes: dict[str, str]) -> StudyResult:
    """Read all runs, one after the other, and compare each with the reference."""
    study, count = plan.study, len(plan.rows)
    times = np.array(_times(plan.rows[0].job))
    scalars = [n for n in dict.fromkeys(("energy", *plan.compare)) if n in SCALARS]
    observed = {name: np.full((count, times.size), np.nan) for name in scalars}
    compared = plan.compare if study.reference is not None else ()
    errors = {name: np.full((count, times.size), np.nan) for name in compared}
    seconds = np.full(count, np.nan)
    other = _solution(plan.reference, outcomes) if plan.reference else None
    for index, row in enumerate(plan.rows):
        solution = _solution(row, outcomes)
        if solution is None:
            continue
        seconds[index] = sum(v for k, v in solution.attributes.items() if k.startswith("seconds "))
        for name, values in observed.items():
            values[index] = solution.scalars[name]
        if isinstance(study.reference, Exact):
            other = _without_error(row.job, solution, "density" in errors)
        if other is not None:
            for name, values in errors.items():
                values[index] = distance(name, row.job, solution, other)
    sizes = study.sizes[:count]
    return StudyResult(
        values={key: tuple(map(as_toml, v[:count])) for key, v in study.lists.items()},
        size=np.array(sizes),
        outcome=tuple(outcomes[row.label] for row in plan.rows),
        seconds=seconds,
        time=times,
        observed=observed,
        reference={} if other is None else {name: other.scalars[name] for name in observed},
        errors=errors,
        orders={name: _orders(values, sizes) for name, values in errors.items()},
        attributes={
            "title": plan.case.title,
            "equation": plan.equation,
            "case": plan.case.text(),
            "against": plan.against,
            "reference_outcome": outcomes[plan.reference.label] if plan.reference else FINISHED,
        },
    )


def _solution(run: Run, outcomes: dict[str, str]) -> Solution | None:
    """The result of a run, if it has a usable one; its outcome is corrected if it has not."""
    solution = run.earlier()
    if solution is None and outcomes[run.label] == FINISHED:
        outcomes[run.label] = CHANGED
    return solution


def _without_error(job: Job, solution: Solution, density: bool) -> Solution:
    """The exact solution as this run would have it, the density only if it is asked for."""
    exact = exact_solution(job.equation, job.case.start())
    if density and isinstance(job.method, FiniteVolumes):
        return exact.in_place_of(solution, job.method.grid(job.case.space.axes))
    return exact.in_place_of(solution, None)


def _orders(errors: Array, sizes: list[float]) -> Array:
    """Between each run and the one before, at each time; nan for the first run."""
    columns = [[np.nan, *orders(column.tolist(), sizes)] for column in errors.T]
    return np.array(columns).T


def check_finished(result: StudyResult) -> None:
    """Raise `NumericalFailure` if some run did not finish: one sentence for all of them."""
    ended = [*result.outcome, str(result.attributes["reference_outcome"])]
    failed = [outcome for outcome in ended if outcome != FINISHED]
    if failed:
        runs = "1 run" if len(failed) == 1 else f"{len(failed)} runs"
        raise NumericalFailure(f"{runs} of the study did not finish: {failed[0]}")
