"""Run a case: its methods one after the other, each into a file of its own."""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from meanfield_pde.case import Case, Method
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import MeanFieldError, NumericalFailure, require
from meanfield_pde.evolution import WALL_MASS, Progress, evolve
from meanfield_pde.observables import layout
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.gradients import compare_gradients
from meanfield_pde.problem.laws import mass_outside
from meanfield_pde.problem.lowest import SPACINGS
from meanfield_pde.problem.optimum import optimum
from meanfield_pde.problem.units import Charged, Gaussian
from meanfield_pde.representations.characteristics import CharacteristicsMeasure
from meanfield_pde.representations.fourier import FourierMeasure
from meanfield_pde.representations.grid import POSITIVITY_LIMIT, FiniteVolumes, GridMeasure
from meanfield_pde.representations.measure import Measure
from meanfield_pde.representations.particles import Particles
from meanfield_pde.representations.runge_kutta import ShuOsher
from meanfield_pde.results.hdf5 import Writer, read
from meanfield_pde.results.provenance import provenance
from meanfield_pde.results.solution import Solution
from meanfield_pde.timestepping.splitting import Lie, advance, emptying_rate
from meanfield_pde.timestepping.step_size import Fixed
from meanfield_pde.timestepping.unsplit import Unsplit

NANOSECONDS_PER_CELL_STEP = {"transport": 20.0, "birth_death": 40.0}
NANOSECONDS_PER_CELL_STAGE = 10.0
SECONDS_PER_STEP = 4e-4
EVALUATIONS_PER_STEP = 13
BYTES_PER_CELL = 96
ITERATIONS = 4
"""For what a run tells of min E."""

IDENTITY_DEFECT = 0.5
"""Part of the energy lost by which the energy identity may be broken without a warning."""


@dataclass(frozen=True)
class Job:
    """One method of a case and the file it writes."""

    case: Case
    method: Method
    path: Path

    @property
    def equation(self) -> Equation:
        """As this method takes it."""
        return self.case.equation(self.method)


def jobs(case: Case, stem: str, folder: Path) -> list[Job]:
    """The runs a case asks for: its method, and its companion if it has one.

    A grid writes <stem>.h5, particles <stem>_particles.h5: a second method beside the first.
    """
    methods = [case.method] if case.companion is None else [case.method, case.companion]
    names = [f"{stem}_particles" if isinstance(method, Particles) else stem for method in methods]
    if len(set(names)) < len(names):
        names[1] += "_companion"
    for method in methods:
        _check_memory(case, method)
    pairs = zip(methods, names, strict=True)
    return [Job(case, method, folder / f"{name}.h5") for method, name in pairs]


@contextmanager
def _recorded_outcome(writer: Writer, attributes: dict[str, Any]) -> Iterator[None]:
    """Whatever happens, the file says how the run ended."""
    try:
        yield
    except NumericalFailure as failure:
        writer.stop(str(failure).removeprefix("stopped "), attributes)
        raise
    except KeyboardInterrupt:
        writer.stop("interrupted", attributes)
        raise
    else:
        writer.finish(attributes)


def execute(job: Job, progress: Progress | None = None, optimal: bool = False) -> Solution:
    """Run one job, frame by frame into its file, and read it back.

    With `optimal` the file also holds what a few iterations find of min E over the measures of its
    certificate (`problem.optimum`): that of the best measure, and one that none is below.

    Raises
    ------
    InputError
        If the file cannot be written.
    NumericalFailure
        If the computation breaks; the file holds everything up to there and says why.
    """
    seconds: dict[str, float] = {}
    equation = job.equation
    mu = job.method.project(job.case.start(), job.case.space)
    attributes = {
        "title": job.case.title,
        "case": job.case.text(),
        "method": job.method.kind,
        "time stepping": "{splitting}, {step}".format(**job.case.numerics(job.method)),
        "gap": _bounded(job.case),
        "seed": job.method.seed if isinstance(job.method, Particles) else -1,
        "law_mass_outside": mass_outside(job.case.start(), job.case.space.axes),
        **digests(job.case),
        **provenance(),
        **(_least_energy(job.case) if optimal else {}),
    }
    endings: dict[str, Any] = {}
    with Writer(job.path, layout(equation, mu), attributes) as writer:
        frames = evolve(
            equation,
            mu,
            job.case.time.t_end,
            certificate=job.case.certificate,
            seconds=seconds,
            progress=progress,
            **job.case.numerics(job.method),
        )
        with _recorded_outcome(writer, endings):
            for frame in frames:
                endings.update({f"seconds {part}": value for part, value in seconds.items()})
                writer.append(frame)
    solution = read(job.path)
    _check_identity(solution)
    _check_resolved(solution, job.method)
    return solution


def _bounded(case: Case) -> str:
    """What the recorded gap bounds, in words."""
    return f"of E - min E {case.certificate.words(case.energy(), case.free)}"


def _least_energy(case: Case) -> dict[str, float]:
    """What is known of min E, as attributes of a result; nothing where nothing is."""
    energy, certificate = case.energy(), case.certificate
    unbounded = certificate.charge == "unbounded" or (case.free and certificate.mass is None)
    if unbounded or len(case.space.axes) > len(SPACINGS):
        return {}
    assert certificate.charge != "unbounded"
    try:
        with np.errstate(all="ignore"):
            found = optimum(
                energy,
                "nonnegative" if case.free else "probability",
                charge=certificate.charge,
                mass=certificate.mass,
                most=ITERATIONS,
            )
    except (MeanFieldError, np.linalg.LinAlgError) as error:
        warnings.warn(f"min E is not told: {error}", RuntimeWarning, stacklevel=3)
        return {}
    return {"optimal_energy": found.energy, "least_energy": found.least}


def _check_identity(solution: Solution) -> None:
    """Warn if a grid's energy went elsewhere than its terms say they took it.

    Mass held at a wall breaks the identity too; the run has warned of that.
    """
    if solution.layout.particles or solution.wall_mass[-1] > WALL_MASS:
        return
    lost = abs(float(solution.energy[0] - solution.energy[-1]))
    defect = abs(float(solution.identity_defect[-1]))
    if defect > IDENTITY_DEFECT * lost + 1e-9 * abs(float(solution.energy[0])):
        warnings.warn(
            f"the energy changed by {lost:.2g}, and {defect:.2g} of it is not what transport and "
            "birth and death took: the solution is not resolved; refine the grid or the steps",
            RuntimeWarning,
            stacklevel=2,
        )


def _check_resolved(solution: Solution, method: Method) -> None:
    """Warn if nodes along characteristics are too few at the end, and were not redistributed."""
    tail = float(solution.unresolved[-1])
    limit = getattr(method, "redistribute", None)
    if limit is not None and tail > limit:
        warnings.warn(
            f"nodes no longer resolve what is integrated (largest tail {tail:.1g}, errors of E are "
            "about its square or less): take more nodes",
            RuntimeWarning,
            stacklevel=2,
        )


def digests(case: Case) -> dict[str, str]:
    """SHA-256 of each file beside the case that it reads, as attributes of a result."""
    return {
        f"sha256 {name}": hashlib.sha256(Path(case.folder, name).read_bytes()).hexdigest()
        for name in case.files()
    }


def describe(job: Job, say: Callable[[str], None]) -> None:
    """Print the equation, sizes and estimated cost of a job without running it."""
    case, method = job.case, job.method
    equation = job.equation
    say(str(equation))
    axes = case.space.axes
    for name, axis in zip(equation.energy.parameters, axes, strict=True):
        ends = "circle" if axis.periodic else "walls"
        say(f"  {name} in [{axis.lower:g}, {axis.upper:g}] ({ends})")
    say(f"initial law: {mass_outside(case.start(), axes):.2g} of its mass lies outside the space")
    mu = method.project(case.start(), case.space)
    mu.landscape(equation.energy).at(mu)
    if isinstance(equation.energy, Energy):
        _describe_data(equation.energy, mu, say)
    worst = max(compare_gradients(equation.energy), key=lambda found: found.deviation)
    say(f"gradients against differences: at most {worst.deviation:.1e} off ({worst.name})")
    if isinstance(method, Particles):
        steps = math.ceil(case.time.t_end / method.dt)
        say(f"method: {method.number} particles, {steps} steps of dt = {method.dt:g}")
        say(f"estimated cost: {steps * _seconds_a_step(equation, mu, method.dt):.2g} s")
    elif isinstance(mu, CharacteristicsMeasure):
        tail = mu.unresolved(mu.landscape(equation.energy).at(mu))
        say(f"method: {mu.values.size} nodes; largest tail at the start {tail:.1e}")
        say(_cost_of_evaluations(job, mu))
    elif isinstance(mu, FourierMeasure):
        modes, nodes = (" x ".join(map(str, n)) for n in (mu.waves.modes, mu.values.shape))
        tail = mu.waves.tail(mu.coefficients)
        say(f"method: {modes} Fourier modes on {nodes} nodes; tail at the start {tail:.1e}")
        say(_cost_of_evaluations(job, mu))
    else:
        assert isinstance(mu, GridMeasure)
        _describe_grid(job, mu, say)
    say(f"gap: a bound {_bounded(case)}")
    say(f"writes: {job.path}")


def _seconds_a_step(equation: Equation, mu: Measure, dt: float) -> float:
    """Of the second of two steps, by Lie splitting."""
    landscape = mu.landscape(equation.energy)
    for _ in range(2):
        start = perf_counter()
        mu = advance(Lie(), equation, mu, landscape, 0.0, dt, {}).measure
        equation.dissipation(mu, landscape.at(mu), 0.0)
        seconds = perf_counter() - start
    return seconds


def _cost_of_evaluations(job: Job, mu: CharacteristicsMeasure | FourierMeasure) -> str:
    """By the time of one right-hand side, and steps as long as decay and records allow."""
    equation, t_end = job.equation, job.case.time.t_end
    numerics = job.case.numerics(job.method)
    splitting, step = numerics["splitting"], numerics["step"]
    landscape = mu.landscape(equation.energy)
    field = landscape.at(mu)
    start = perf_counter()
    equation.dissipation(mu, landscape.at(mu), 0.0)
    seconds = perf_counter() - start
    stops = {t for name in ("record", "save") for t in numerics[name].times(t_end)}
    fastest = equation.feedback_rate(field, 0.0) / splitting.coefficient
    steps = math.ceil(t_end / step.dt if isinstance(step, Fixed) else t_end * fastest)
    steps = max(steps, len(stops) - 1)
    evaluations = EVALUATIONS_PER_STEP * steps
    return f"estimated cost: {steps} steps, if nodes stay as many, {evaluations * seconds:.2g} s"


def _check_memory(case: Case, method: Method) -> None:
    """Refuse a run that this machine cannot hold, before anything is allocated."""
    if not isinstance(method, FiniteVolumes) or not hasattr(os, "sysconf"):
        return
    needed = (BYTES_PER_CELL + _table_bytes(case)) * math.prod(method.grid(case.space.axes).cells)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    require(
        needed < memory,
        "[method] cells",
        method.cells,
        f"cells that fit in memory: these need {1e-9 * needed:.3g} GB of {1e-9 * memory:.3g} GB",
    )


def _table_bytes(case: Case) -> int:
    """Of the feature tables of a unit of two parameters, a cell; others are small or compressed."""
    energy = case.energy()
    if not isinstance(energy, Energy) or isinstance(energy.unit, Charged | Gaussian):
        return 0
    parameters = len(energy.parameters)
    return 8 * energy.data_weights.size * (1 + parameters) if parameters > 1 else 0


def _describe_data(energy: Energy, mu: Measure, say: Callable[[str], None]) -> None:
    points = energy.data_weights.size
    value = mu.landscape(energy).at(mu).energy
    known = f"data: {points} points; E at the start is {value:.8g}"
    finer = energy.data.refined()
    if finer is not None:
        refined = replace(energy, data=finer)
        change = abs(mu.landscape(refined).at(mu).energy / value - 1.0) if value != 0.0 else 0.0
        known += f", and changes by {change:.1e} of itself with twice the points an input"
    say(known)


def _describe_grid(job: Job, mu: GridMeasure, say: Callable[[str], None]) -> None:
    equation, time = job.equation, job.case.time
    numerics = job.case.numerics(job.method)
    splitting, step = numerics["splitting"], numerics["step"]
    cells = mu.density.size
    widths = ", ".join(f"{width:.4g}" for width in mu.grid.widths)
    say(f"method: {' x '.join(map(str, mu.grid.cells))} cells of width {widths}")
    if isinstance(step, Fixed):
        stops = {t for name in ("record", "save") for t in numerics[name].times(time.t_end)}
        steps = max(math.ceil(time.t_end / step.dt), len(stops) - 1)
    else:
        field = mu.landscape(equation.energy).at(mu)
        emptying = emptying_rate(splitting, equation, mu, field, 0.0)
        feedback = equation.feedback_rate(field, 0.0) / splitting.coefficient
        positive = emptying * POSITIVITY_LIMIT / step.courant
        fastest = max(positive, feedback, 1.0 / time.t_end)
        steps = math.ceil(time.t_end * fastest)
    nanoseconds = sum(NANOSECONDS_PER_CELL_STEP[term.kind] for term in equation.terms)
    if isinstance(splitting, Unsplit) and isinstance(splitting.scheme, ShuOsher):
        nanoseconds = NANOSECONDS_PER_CELL_STAGE * len(splitting.scheme.stages)
    say(
        f"estimated cost: {steps} steps if the speed stays as it is at the start, "
        f"{steps * (SECONDS_PER_STEP + 1e-9 * nanoseconds * cells):.2g} s, "
        f"{1e-6 * (BYTES_PER_CELL + _table_bytes(job.case)) * cells:.3g} MB"
    )
