"""What a run of the user's own is compared with.

The mean field, the same by other nodes, the limit of infinitely many particles at the steps of the
run, and independent runs of the package like it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.case import Case, Time, parse
from meanfield_pde.distances import Cloud, snapshot_cloud
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import InputError, NumericalFailure, require
from meanfield_pde.evolution import solve
from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.laws import AnyLaw
from meanfield_pde.problem.losses import Squared
from meanfield_pde.problem.units import Charged
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.following import FollowingLandscape
from meanfield_pde.representations.jumps import Algorithm
from meanfield_pde.representations.particles import ParticleMeasure, Particles
from meanfield_pde.representations.sizes import one_each
from meanfield_pde.results.solution import Solution
from meanfield_pde.results.trajectory import Trajectory
from meanfield_pde.run import digests
from meanfield_pde.schedules import AtTimes
from meanfield_pde.timestepping.choices import default_splitting
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.splitting import Lie, Splitting
from meanfield_pde.timestepping.step_size import Controlled, Fixed, Step

Array = NDArray[np.float64]

FIRST_SEED = 1_000_000
"""Of the runs of the package: one that the run compared has hardly had."""

MOST_STEPS = 5000
"""Of the runs of the package; where the run took more, theirs are longer."""

SAME_TIME = 1e-9
"""Relative difference of times that are the same."""

OUTSIDE = 1e-9
"""How far beyond a wall a particle may be, over the length between the walls."""

NODES = {1: 256, 2: 48, 3: 12}
"""Along each of so many parameters, of a mean field that has no nodes of its own."""

TAIL = 1e-3
"""At which those are redistributed: errors of integrals are its square, far below chance."""

FEWER = 0.8
"""Nodes of the mean field solved again, over those of one that has some."""

STEPS = 200
"""Of the mean field solved again where they are fixed."""

TOLERANCE, SHORTEST = 1e-6, 1e-5
"""Of its steps elsewhere, and their least part of all time: V may have kinks."""

FINER = 0.01
"""Tolerance of the mean field of a case by particles, over that."""


class State(NamedTuple):
    """What is measured, at one time."""

    cloud: Cloud
    energy: float
    prediction: Array


@dataclass(frozen=True)
class MeanField:
    """The mean field at some times, and what makes particle runs of the same equation.

    Attributes
    ----------
    equation : Equation
    states : list of State, one a time
    again : callable
        The initial measure along characteristics, to solve for the mean field once more.
    drawn : callable
        Particles of a method at the start.
    like : Particles
        Algorithm and batch of particles, and their steps where no others are known.
    bars : mapping of str to array (times,)
        Error bars of energy and prediction, of a solution that has some.
    """

    equation: Equation
    states: list[State]
    again: Callable[[], CharacteristicsMeasure]
    drawn: Callable[[Particles], ParticleMeasure]
    like: Particles
    bars: dict[str, Array] = field(default_factory=dict)


def mean_field_of_case(case: Case, time: Array) -> MeanField:
    """Solved at these times."""
    method, timing = case.method, replace(case.time, t_end=float(time[-1]))
    given = [m for m in (case.companion, method) if isinstance(m, Particles)]
    space, count = case.space, len(case.space.axes)
    again = _nodes(count)
    if isinstance(method, Particles):
        method = again
        steps = _stepping(case.equation(method), timing.t_end, FINER * TOLERANCE)
        timing = Time(timing.t_end, *steps)
    if isinstance(method, Characteristics):
        method = replace(method, picture=0)
        again = _fewer(method, count)
    changed = replace(case, method=method, time=timing, companion=None, accuracy=None, study=None)
    changed.validate()
    law, equation = changed.start(), changed.equation(method)
    numerics = {**changed.numerics(method), **_at(time)}
    solution = solve(equation, method.project(law, space), timing.t_end, **numerics)
    return MeanField(
        equation=equation,
        states=_states(solution, time),
        again=lambda: again.project(law, space),
        drawn=lambda particles: particles.project(law, space),
        like=given[0] if given else Particles(),
    )


def mean_field_of_solution(solution: Solution, time: Array, start: AnyLaw | None) -> MeanField:
    """A solution as it is, at some of its save times, with error bars if it has some.

    Its equation is its own, or that of the case it was written with.

    Raises
    ------
    InputError
        If neither is known, or the case reads files that are not there.
    """
    equation, like = solution.equation, Particles()
    if equation is None:
        case = _case_of(solution)
        equation, like = case.equation(case.method), case.companion or like
        start = start or case.start()
    space, law = equation.energy.space, start
    recorded = [int(np.argmin(np.abs(solution.time - t))) for t in time]
    saved = [int(np.argmin(np.abs(solution.snapshot_time - t))) for t in time]
    known = {"energy": recorded, "prediction": saved}

    def again() -> CharacteristicsMeasure:
        if law is None:
            return _loose_nodes(snapshot_cloud(solution, 0))
        return _nodes(len(space.axes)).project(law, space)

    def drawn(particles: Particles) -> ParticleMeasure:
        return _drawn(solution, particles) if law is None else particles.project(law, space)

    bars = {name: solution.bars[name][at] for name, at in known.items() if name in solution.bars}
    return MeanField(equation, _states(solution, time), again, drawn, like, bars)


def _case_of(solution: Solution) -> Case:
    """The case in the file of a solution; what it reads is in the working folder."""
    text = solution.attributes.get("case")
    if text is None:
        raise InputError(
            "equation of the solution = None: expected what solve() returned, a result file of a "
            "case, or in place of the solution the case itself, mf.load(its file)"
        )
    try:
        case = parse(str(text), "the case of the solution")
        for name, digest in digests(case).items():
            if solution.attributes.get(name, digest) != digest:
                raise InputError(f"{name.removeprefix('sha256 ')} is not the one it was made with")
    except InputError as error:
        raise InputError(
            f"{error}; expected to work in the folder of the case, or in place of the solution the "
            "case itself, mf.load(its file)"
        ) from None
    return case


def at_save_times(run: Trajectory, solution: Solution) -> Trajectory:
    """A run at those of its times that are save times of a solution.

    Raises
    ------
    InputError
        If there is none after 0.
    """
    apart = np.abs(np.subtract.outer(run.time, solution.snapshot_time)).min(axis=1)
    chosen = np.flatnonzero(apart <= SAME_TIME * np.maximum(1.0, run.time))
    if not chosen.size or run.time[chosen[-1]] <= 0.0:
        saved = ", ".join(f"{t:.6g}" for t in solution.snapshot_time[:8])
        raise InputError(
            f"times of the run, {run.time[0]:g} to {run.time[-1]:g}: expected some after 0 that "
            f"are save times of the solution ({saved}), or a case, which is solved at those of the "
            "run"
        )
    return run.at(chosen)


def fitted(run: Trajectory, equation: Equation) -> Trajectory:
    """A run with the parameters of an equation, in their order.

    Raises
    ------
    InputError
        If it cannot be a run of this equation.
    """
    energy = equation.energy
    run = run.arranged(energy.parameters)
    last = float(run.time[-1])
    require(last > 0.0, "last time of the run", last, "a time after 0")
    _require_inside(run, energy)
    require(
        equation.keeps_mass,
        "balance",
        getattr(getattr(equation.birth_death, "balance", None), "kind", "none"),
        "one that keeps the mass: weights of a run sum to one",
    )
    require(
        run.weights is None or run.weights.ndim == 2 or equation.birth_death is None,
        "shape of weights",
        getattr(run.weights, "shape", None),
        "(times, particles) with birth and death, or none where particles are killed and cloned",
    )
    _require_unit(run, equation)
    return run


def _require_inside(run: Trajectory, energy: AnyEnergy) -> None:
    for k, (name, axis) in enumerate(zip(energy.parameters, energy.space.axes, strict=True)):
        if axis.periodic:
            continue
        values, slack = run.positions[..., k], OUTSIDE * axis.length
        outside = np.argwhere((values < axis.lower - slack) | (values > axis.upper + slack))
        if outside.size:
            at, particle = outside[0]
            raise InputError(
                f"{name} of particle {particle + 1} at t = {run.time[at]:g} is "
                f"{values[at, particle]:g}: expected it in the space of the case, "
                f"[{axis.lower:g}, {axis.upper:g}]"
            )


def _require_unit(run: Trajectory, equation: Equation) -> None:
    """What was stated of loss and output must be so of the energy."""
    energy, unit = equation.energy, run.unit
    plain = isinstance(energy, Energy) and isinstance(energy.loss, Squared)
    plain = plain and getattr(energy, "penalty", None) is None
    expected = "'case', as the energy of the case is no squared loss alone"
    require(unit.loss in (None, "case") or plain, "loss", unit.loss, expected)
    if unit.output != "1/sqrt(N)":
        return
    charged = isinstance(energy, Energy) and isinstance(energy.unit, Charged)
    expected = "'1/N', as the unit of the case is no c psi(x, y)"
    require(charged, "output", unit.output, expected)
    count, last = len(energy.parameters), float(run.time[-1])
    wanted = (1.0 / run.particles,) * (count - 1) + (1.0,)
    transport = equation.transport
    known = transport is not None and all(
        np.allclose(transport.factors(count, t), wanted, rtol=1e-9, atol=0.0) for t in (0.0, last)
    )
    if not known:
        numbers = ", ".join(f"{factor:.9g}" for factor in wanted)
        raise InputError(
            f"output = '1/sqrt(N)' of {run.particles} particles: expected a case whose [[terms]] "
            f"transport has mobility = [{numbers}], one for {', '.join(energy.parameters)}, and "
            "whose initial law is that of sqrt(N) c, as the mean field of this output moves "
            f"{', '.join(energy.parameters[:-1])} 1 / N times as fast"
        )


def particles_like(run: Trajectory, like: Particles) -> Particles:
    """How the runs of the package go: by the steps of the run, if they are known and not many."""
    algorithm: Algorithm = "jumps" if like.algorithm == "weights" else like.algorithm
    if run.weights is not None:
        algorithm = "weights"
    own, shortest = run.step, float(run.time[-1]) / MOST_STEPS
    dt = max(like.dt if own is None else own, shortest)
    return replace(like, number=run.particles, dt=dt, seed=FIRST_SEED, algorithm=algorithm)


def solved_again(known: MeanField, time: Array) -> tuple[list[State] | None, str]:
    """The mean field by other nodes along characteristics; or None, and why."""
    equation, t_end = known.equation, float(time[-1])
    return _along(known, equation, *_stepping(equation, t_end, TOLERANCE), time)


def limit_of(
    known: MeanField, particles: Particles, run: Trajectory
) -> tuple[list[State] | None, str]:
    """Infinitely many particles at fixed steps, on the same nodes as above; or None, and why."""
    if run.step is None:
        return None, "steps of the run are not known"
    limit, step = ParticleLimit(particles.algorithm), Fixed(particles.dt)
    return _along(known, known.equation, limit, step, run.time)


def _along(
    known: MeanField, equation: Equation, splitting: Splitting, step: Step, time: Array
) -> tuple[list[State] | None, str]:
    try:
        mu, t_end = known.again(), float(time[-1])
        solution = solve(equation, mu, t_end, splitting=splitting, step=step, **_at(time))
    except (InputError, NumericalFailure) as error:
        return None, str(error)
    return _states(solution, time), ""


def sampled(known: MeanField, particles: Particles, run: Trajectory) -> list[State]:
    """One run of the package."""
    mu = known.drawn(particles)
    if particles.algorithm == "weights":
        first = run.time[0] == 0.0 or (run.weights is not None and run.weights.ndim == 1)
        masses = run.weights_at(0) if first else np.full(run.particles, 1.0 / run.particles)
        with np.errstate(divide="ignore"):
            mu = replace(mu, log_weights=np.log(run.particles * masses))
    equation, t_end = known.equation, float(run.time[-1])
    step = Fixed(particles.dt)
    solution = solve(equation, mu, t_end, splitting=Lie(), step=step, **_at(run.time))
    return _states(solution, run.time)


def states_of_run(run: Trajectory, energy: AnyEnergy) -> list[State]:
    """Of the particles themselves."""
    landscape = FollowingLandscape(energy)
    states = []
    for index, positions in enumerate(run.positions):
        cloud = Cloud(positions, run.weights_at(index), energy.space.axes)
        seen = landscape.at(cloud)
        states.append(State(cloud, seen.energy, seen.prediction))
    return states


def _states(solution: Solution, time: Array) -> list[State]:
    energies = solution.at("energy", time)
    places = [int(np.argmin(np.abs(solution.snapshot_time - t))) for t in time]
    return [
        State(snapshot_cloud(solution, k), float(energy), solution.prediction[k])
        for k, energy in zip(places, energies, strict=True)
    ]


def _at(time: Array) -> dict[str, Any]:
    schedule = AtTimes(tuple(float(t) for t in time))
    return {"record": schedule, "save": schedule}


def _nodes(parameters: int) -> Characteristics:
    return Characteristics(NODES.get(parameters, 8), redistribute=TAIL, picture=0)


def _stepping(equation: Equation, t_end: float, tolerance: float) -> tuple[Splitting, Step]:
    splitting = default_splitting("characteristics", equation)
    if splitting.embedded:
        return splitting, Controlled(tolerance, smallest=SHORTEST * t_end)
    return splitting, Fixed(t_end / STEPS)


def _fewer(method: Characteristics, parameters: int) -> Characteristics:
    numbers = one_each("nodes", method.nodes, parameters)
    return replace(method, nodes=tuple(max(4, round(FEWER * number)) for number in numbers))


def _loose_nodes(cloud: Cloud) -> CharacteristicsMeasure:
    """Points with masses, between which there is no map."""
    with np.errstate(divide="ignore"):
        masses = np.log(cloud.masses)
    return CharacteristicsMeasure(
        cloud.axes, (), cloud.points, masses, Characteristics(redistribute=None, picture=0)
    )


def _drawn(solution: Solution, particles: Particles) -> ParticleMeasure:
    """Particles drawn from the first snapshot: within its cells, or among its nodes."""
    layout = solution.layout
    cloud = snapshot_cloud(solution, 0)
    start = ParticleMeasure(cloud.axes, np.empty((0, 0)), particles)
    generator = start.generator()
    points, masses = cloud.points, cloud.masses
    widths = np.zeros(len(cloud.axes))
    if layout.on_grid:
        grids = np.meshgrid(*layout.centres, indexing="ij")
        points = np.stack([grid.ravel() for grid in grids], axis=1)
        masses = np.maximum(solution.measure[0].ravel(), 0.0)
        widths = np.array(
            [a.length / c.size for a, c in zip(cloud.axes, layout.centres, strict=True)]
        )
    chosen = generator.choice(masses.size, particles.number, p=masses / masses.sum())
    within = generator.random((particles.number, widths.size)) - 0.5
    weights = np.zeros(particles.number) if particles.algorithm == "weights" else None
    return replace(start, points=points[chosen] + within * widths, log_weights=weights, draws=1)
