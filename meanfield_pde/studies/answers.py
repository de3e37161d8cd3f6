"""Runs refined into files: values with error bars as a result file and as a table.

The refined runs are in <stem>_refined/. One that an earlier call finished is taken as it is, if the
same code made it from the same case and the same files: a smaller tolerance goes on from there.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from meanfield_pde.accuracy import Accuracy, rounding, with_bar
from meanfield_pde.case import Case
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.evolution import Progress
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.hdf5 import write
from meanfield_pde.results.solution import Solution
from meanfield_pde.run import Job, execute
from meanfield_pde.studies import convergence, particle_bars
from meanfield_pde.studies.convergence import Refined, directions
from meanfield_pde.studies.refinement import Run
from meanfield_pde.studies.tables import table

STALLED = 4.0
"""Times the steps of the runs before it after which a refined run stops: twice as many is usual."""

FEWEST = 100.0
"""Steps that every run may take."""

MOST_TIMES = 8
"""Rows of the table."""

TITLES = {
    "energy": "E",
    "mass": "mass",
    "mean_potential": "<V>",
    "prediction": "|f| in L2 of the data",
}


def converge(job: Job, tell: Callable[[Refined], None]) -> Refined:
    """Refine a job until its [accuracy] is reached, and write the finest run with its error bars.

    The file is written anew with every better answer, so that one that is interrupted is kept.

    Parameters
    ----------
    job : Job
        Of a case with [accuracy].
    tell : callable
        Called with the answer so far, after each refinement.

    Raises
    ------
    InputError
        If the case cannot be refined, or a file cannot be written.
    NumericalFailure
        If no run of the case comes to its end.
    """
    accuracy = job.case.accuracy
    if accuracy is None:
        raise InputError("[accuracy] is missing: expected one, with a tolerance")
    output = replace(job.case.output, folder=None, figures=())
    alone = replace(job.case, method=job.method, output=output, study=None, companion=None)
    chance = isinstance(job.method, Particles)
    refinements = particle_bars.refinements if chance else convergence.refinements
    for answer in refinements(alone, accuracy, _in_files(job)):
        write(with_bars(answer, "unfinished: refinement goes on, or was interrupted"), job.path)
        tell(answer)
    write(with_bars(answer, "finished"), job.path)
    if not answer.reached:
        reasons = "; ".join(f"{way}: {why}" for way, why in answer.ended.items())
        reached = f"{answer.error:.2g}" if math.isfinite(answer.error) else "no number yet"
        told = reasons or f"the rounding of numbers is {rounding(np.ones(1))[0]:.0e}"
        warnings.warn(
            f"{job.method.kind}: the error bars reach {reached} instead of {accuracy.tolerance:g} "
            f"of the largest values ({told}); [accuracy] most = {accuracy.most:g} allows that much "
            "work",
            RuntimeWarning,
            stacklevel=2,
        )
    return answer


def plan(case: Case, accuracy: Accuracy) -> str:
    """What [accuracy] will do, on one line."""
    ways = ", ".join(way.name for way in directions(case))
    return (
        f"refined in {ways} until error bars of {', '.join(accuracy.observables)} are below "
        f"{accuracy.tolerance:g} of the largest values, or a run takes {accuracy.most:g} times "
        "this work"
    )


def _in_files(job: Job) -> Callable[[Case], Solution]:
    """Runs with a file each, taken from there if they are known."""
    folder, numbers = job.path.with_name(f"{job.path.stem}_refined"), count(1)
    steps: list[float] = []

    def run(case: Case) -> Solution:
        number = next(numbers)
        plain = replace(case, accuracy=None)
        one = Run(f"run {number}", Job(plain, case.method, folder / f"run_{number:02d}.h5"))
        most = max(FEWEST, STALLED * max(steps)) if steps else math.inf
        solution = one.earlier() or execute(one.job, _at_most(most))
        steps.append(float(solution.steps[-1]))
        return solution

    return run


def _at_most(most: float) -> Progress:
    """A run of more steps stops."""
    steps = count(1)

    def progress(time: float, energy: float) -> None:
        if next(steps) > most:
            raise NumericalFailure(
                f"more than {most:.0f} steps, far more than the runs before it took: V may have "
                "kinks, or the solution blow up"
            )

    return progress


def with_bars(answer: Refined, outcome: str) -> Solution:
    """The finest run with its error bars, in words how they were found, and how that ended."""
    parts = [f"{way.name} {answer.count(way.name)} times" for way in answer.ways]
    how = (
        f"relative to the largest values {answer.error:.3g}, by {answer.runs} runs, refined in "
        + ", ".join(parts)
    )
    attributes = {**answer.solution.attributes, "error bars": how, "outcome": outcome}
    bars = {name: bar for name, bar in answer.bars.items() if np.all(np.isfinite(bar))}
    return replace(answer.solution, bars=bars, attributes=attributes)


def answer_table(answer: Refined) -> str:
    """Values with bars at the save times, and where the bars come from."""
    solution = answer.solution
    saved = solution.snapshot_time
    shown = np.unique(np.linspace(0, saved.size - 1, min(MOST_TIMES, saved.size)).round())
    rows = [
        [f"{saved[k]:.6g}", *(_entry(answer, name, k) for name in answer.accuracy.observables)]
        for k in shown.astype(int)
    ]
    header = ["t", *(TITLES[name] for name in answer.accuracy.observables)]
    text = table("Values with error bars in units of their last digits", header, rows)
    parts = [
        [way.name, str(answer.count(way.name)), *_part(answer, way.name)] for way in answer.ways
    ]
    found = table("The bars, relative to the largest values", ["", "refined", "bar", ""], parts)
    return f"{text}\n{found}\n{'sum':>5} {answer.error:.1e}, of {answer.runs} runs"


def _entry(answer: Refined, name: str, snapshot: int) -> str:
    """One number: a scalar is recorded at more times than are saved."""
    values, bars = answer.values(name), answer.bars[name]
    solution, index = answer.solution, snapshot
    if name != "prediction":
        index = int(np.argmin(np.abs(solution.time - solution.snapshot_time[snapshot])))
    return with_bar(float(values[index]), float(bars[index]))


def _part(answer: Refined, way: str) -> Iterator[str]:
    part = answer.part(way)
    yield f"{part:.1e}" if math.isfinite(part) else "unknown"
    yield answer.ended.get(way, "")
