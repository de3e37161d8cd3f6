"""Solve the equation: `evolve` is a generator of frames, `solve` only collects them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Free, Reinjection
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import (
    InputError,
    NumericalFailure,
    StepTooLong,
    require,
    require_type,
)
from meanfield_pde.kernels.memory import keep_freed_memory
from meanfield_pde.observables import Tally, frame, layout
from meanfield_pde.problem.certificate import Certificate
from meanfield_pde.problem.landscape import Discrete, Field, Landscape
from meanfield_pde.representations.following import Sampling
from meanfield_pde.representations.grid import POSITIVITY_LIMIT
from meanfield_pde.representations.measure import (
    CharacteristicsMeasure,
    FourierMeasure,
    Gridded,
    GridMeasure,
    Measure,
    Moved,
    ParticleMeasure,
)
from meanfield_pde.results.solution import Frame, Solution
from meanfield_pde.schedules import AtTimes, EveryTime, Schedule
from meanfield_pde.timestepping.choices import (
    check_particles,
    check_steps,
    default_splitting,
    estimate_order,
)
from meanfield_pde.timestepping.clock import Seconds, clocked
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.splitting import (
    Lie,
    Splitting,
    Strang,
    advance,
    emptying_rate,
)
from meanfield_pde.timestepping.step_size import Controlled, Fixed, Step
from meanfield_pde.timestepping.unsplit import Unsplit

WALL_MASS = 1e-3
"""Mass at the walls above which, if it has doubled since the start, a run warns."""

Array = NDArray[np.float64]
Progress = Callable[[float, float], None]


class _Remembering:
    """A landscape that keeps its last field: a step begins where the one before it ended."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._last: tuple[Discrete, Field] | None = None
        self.image, self.norm = landscape.image, landscape.norm

    def at(self, mu: Discrete) -> Field:
        """The field at mu, formed once for the same value in a row."""
        if self._last is None or self._last[0] is not mu:
            self._last = (mu, self._landscape.at(mu))
        return self._last[1]

    def sampled(self, generator: np.random.Generator, batch: int) -> Landscape:
        """By a batch of the data; nothing of it is kept."""
        return cast(Sampling, self._landscape).sampled(generator, batch)


class _Stepper:
    """One measure on its way: the current state, and how to take it to a given time."""

    def __init__(
        self, equation: Equation, mu: Measure, splitting: Splitting, step: Step, seconds: Seconds
    ) -> None:
        self.equation, self.splitting, self.step, self.seconds = equation, splitting, step, seconds
        self.mu = mu
        self.time = self._seen = 0.0
        with clocked("preparation", seconds):
            self.landscape: Landscape = _Remembering(mu.landscape(equation.energy))
            self.field: Field = self.landscape.at(mu)
            self.dissipation = sum(equation.dissipation(mu, self.field, self.time))
        self.tally = Tally(self.field.energy, smallest=mu.smallest)
        self._image_rate = self._rate(mu, self.field, self.time)
        self._proposed = math.inf

    def _rate(self, mu: Measure, field: Field, time: float) -> Array:
        if isinstance(self.step, Fixed) or self.splitting.embedded:
            return np.empty(0)
        assert isinstance(mu, Gridded)
        with clocked("step control", self.seconds):
            return self.equation.image_rate(mu, field, self.landscape, time)

    def _accept(self, moved: Moved, field: Field, time: float, dt: float, error: float) -> None:
        mu = moved.measure
        with clocked("redistribution", self.seconds):
            kept = mu.maintained(field)
        dissipation = sum(self.equation.dissipation(mu, field, time))
        tally = self.tally
        trapezoid = 0.5 * (time - self._seen) * (self.dissipation + dissipation)
        self._seen = time
        tally.dissipated += trapezoid if moved.dissipated is None else moved.dissipated
        tally.mass_drift = max(tally.mass_drift, moved.mass_drift)
        tally.time_error += error
        tally.smallest = min(tally.smallest, mu.smallest)
        tally.step = dt
        tally.steps += 1
        if kept is not mu:
            with clocked("redistribution", self.seconds):
                before, field = field, self.landscape.at(kept)
                change = field.prediction - before.prediction
                if not change.size:
                    change = np.array([field.energy - before.energy])
                tally.redistributed += self.landscape.norm(change, field)
        self.mu, self.field, self.time, self.dissipation = kept, field, time, dissipation

    def _trial(self, dt: float) -> tuple[Moved, Field]:
        moved = advance(
            self.splitting, self.equation, self.mu, self.landscape, self.time, dt, self.seconds
        )
        with clocked("energy", self.seconds):
            return moved, self.landscape.at(moved.measure)

    def advance_to(self, target: float, progress: Progress | None) -> None:
        """Step until exactly `target`."""
        fixed = isinstance(self.step, Fixed)
        remaining = target - self.time
        if remaining <= 0.0:
            return
        if fixed:
            assert isinstance(self.step, Fixed)
            steps = max(1, math.ceil(remaining / self.step.dt - 1e-9))
            start = self.time
            for index in range(1, steps + 1):
                end = target if index == steps else start + remaining * index / steps
                if index < steps and self._sees_batches:
                    self._blind_step(end, remaining / steps)
                    continue
                self._fixed_step(end, remaining / steps)
                if progress:
                    progress(self.time, self.field.energy)
        else:
            # What an estimate of the error of a long step cannot see are coefficients with corners.
            for stop in (*self.equation.corners(self.time, target), target):
                while self.time < stop:
                    self._controlled_step(stop)
                    if progress:
                        progress(self.time, self.field.energy)

    @property
    def _sees_batches(self) -> bool:
        return isinstance(self.mu, ParticleMeasure) and self.mu.method.batch is not None

    def _blind_step(self, end: float, dt: float) -> None:
        """A step without a look at all data, which a batch is there to spare."""
        moved = advance(
            self.splitting, self.equation, self.mu, self.landscape, self.time, dt, self.seconds
        )
        self.mu, self.time = moved.measure, end
        self.tally.steps += 1

    def _fixed_step(self, end: float, dt: float) -> None:
        moved, field = self._trial(dt)
        if not _alive(field):
            raise NumericalFailure(
                f"the energy is {field.energy:g} and the mass {field.mass:g}: take a shorter step"
            )
        self._accept(moved, field, end, dt, moved.error)

    def _bound(self, control: Controlled, proposed: float) -> float:
        """The longest step within the one proposed that positivity and stability allow."""
        assert not isinstance(self.mu, ParticleMeasure)
        if isinstance(self.mu, CharacteristicsMeasure):
            return proposed
        feedback = self.equation.feedback_rate(self.field, self.time, proposed)
        if feedback > 0.0:
            proposed = min(proposed, self.splitting.coefficient * control.feedback / feedback)
        state = (self.equation, self.mu, self.field, self.time, proposed)
        emptying = emptying_rate(self.splitting, *state)
        if emptying > 0.0:
            proposed = min(proposed, control.courant / POSITIVITY_LIMIT / emptying)
        return proposed

    def _controlled_step(self, target: float) -> None:
        control = self.step
        assert isinstance(control, Controlled)
        order = estimate_order(self.splitting)
        remaining = target - self.time
        proposed = self._proposed
        if self.tally.steps == 0:
            proposed = self._first_step(control, remaining)
        with clocked("step control", self.seconds):
            longest = math.inf if control.longest is None else control.longest
            proposed = self._bound(control, min(proposed, remaining, longest))
        for _ in range(control.rejections):
            if proposed < control.smallest:
                raise NumericalFailure(
                    f"the step fell below its floor {control.smallest:g}: the solution may blow "
                    "up; refine the grid or bound the space"
                )
            lands = proposed >= remaining * (1.0 - 1e-12)
            dt = remaining if lands else min(proposed, 0.5 * remaining)
            try:
                moved, field = self._trial(dt)
            except StepTooLong as limit:
                proposed = min(0.5 * dt, 0.9 * limit.limit)
            else:
                end = target if lands else self.time + dt
                image_rate = self._rate(moved.measure, field, end)
                error = moved.error
                if not self.splitting.embedded:
                    change = field.image - self.field.image
                    defect = change - 0.5 * dt * (self._image_rate + image_rate)
                    error = self.landscape.norm(defect, field)
                if error <= control.limit and _alive(field):
                    grown = control.next_step(dt, error, order)
                    self._proposed = max(grown, self._proposed) if lands else grown
                    self._accept(moved, field, end, dt, error)
                    self._image_rate = image_rate
                    return
                usable = math.isfinite(error) and _alive(field)
                proposed = control.next_step(dt, error, order) if usable else 0.2 * dt
            self.tally.rejections += 1
        raise NumericalFailure(
            f"a step was rejected {control.rejections} times in a row (last length {dt:.3g}): "
            "loosen the tolerance or refine the grid"
        )

    def _first_step(self, control: Controlled, remaining: float) -> float:
        """By which what is controlled would move by a root of the tolerance."""
        mu = self.mu
        if self.splitting.embedded:
            assert not isinstance(mu, ParticleMeasure)
            speed = mu.error(self.equation.rate(mu, self.field, self.time), mu.state)
            share = control.limit ** (1.0 / self.splitting.order)
        else:
            speed = self.landscape.norm(self._image_rate, self.field)
            share = control.limit**0.5
        return share / speed if speed > 0.0 else remaining


def _alive(field: Field) -> bool:
    """Whether a measure is one: a finite energy, and some mass."""
    return math.isfinite(field.energy) and math.isfinite(field.mass) and field.mass > 0.0


def _merged(record: tuple[float, ...], save: tuple[float, ...]) -> list[tuple[float, bool]]:
    """All times in order and whether a snapshot is due; times apart by a rounding are one."""
    merged: list[tuple[float, bool]] = []
    for time_, saved in sorted([(t, False) for t in record] + [(t, True) for t in save]):
        if merged and time_ - merged[-1][0] <= 1e-12 * time_:
            merged[-1] = (time_, merged[-1][1] or saved)
        else:
            merged.append((time_, saved))
    return merged


def evolve(
    equation: Equation,
    mu: Measure,
    t_end: float,
    *,
    splitting: Splitting | None = None,
    step: Step | None = None,
    record: Schedule | None = None,
    save: Schedule | None = None,
    certificate: Certificate | None = None,
    seconds: Seconds | None = None,
    progress: Progress | None = None,
) -> Iterator[Frame]:
    """Frames of a run, from time 0 to t_end; arguments as in `solve`.

    Parameters
    ----------
    seconds : dict, optional
        Wall time spent per part of the work is added to it.
    progress : callable, optional
        Called with (time, energy) after each step.

    Raises
    ------
    InputError
        If the arguments do not fit together, or mu lives on another space than the energy.
    NumericalFailure
        If the computation breaks; the last good state was yielded as a frame before.
    """
    finite = isinstance(t_end, int | float) and math.isfinite(t_end)
    require(finite and t_end > 0, "t_end", t_end, "a positive time")
    require_type("equation", equation, Equation, "an Equation")
    kinds = (GridMeasure, CharacteristicsMeasure, FourierMeasure, ParticleMeasure)
    require_type("mu", mu, kinds, "what a method's project() returns")
    optional: list[tuple[str, object, tuple[type, ...], str]] = [
        (
            "splitting",
            splitting,
            (Lie, Strang, Unsplit, ParticleLimit),
            "Lie(), Strang(), Unsplit() or ParticleLimit()",
        ),
        ("step", step, (Fixed, Controlled), "Fixed(dt) or Controlled()"),
        ("record", record, (EveryTime, AtTimes), "EveryTime(interval) or AtTimes(times)"),
        ("save", save, (EveryTime, AtTimes), "EveryTime(interval) or AtTimes(times)"),
        ("certificate", certificate, (Certificate,), "Certificate()"),
    ]
    for name, value, types, expected in optional:
        if value is not None:
            require_type(name, value, types, expected)
    space = equation.energy.space
    if mu.axes != space.axes:
        raise InputError(f"mu lives on {mu.axes}: expected the space of the energy, {space}")
    equation.require_until(t_end)
    splitting = default_splitting(mu.representation, equation) if splitting is None else splitting
    if step is None:
        step = Fixed(mu.dt) if isinstance(mu, ParticleMeasure) else Controlled()
    check_steps(mu.representation, equation, splitting, step)
    if isinstance(mu, ParticleMeasure):
        check_particles(equation, mu.method)
        equation = equation.transport_first()
    balance = getattr(equation.birth_death, "balance", None)
    if isinstance(balance, Reinjection) and not isinstance(mu, ParticleMeasure):
        mu.project(balance.law)  # refused here if it does not fit, and not when neurons are reborn
    if isinstance(step, Controlled):
        step = step.completed(splitting.embedded)
    bound = None
    if certificate is not None:
        bound = certificate.bound(equation.energy, isinstance(balance, Free))
    record = EveryTime(t_end / 100.0) if record is None else record
    save = EveryTime(t_end / 4.0) if save is None else save
    keep_freed_memory()
    times = _merged(record.times(t_end), save.times(t_end))
    stepper = _Stepper(equation, mu, splitting, step, {} if seconds is None else seconds)
    walls_at_start = mu.wall_mass()
    warned = False
    recorded = -1.0
    for target, snapshot in times:
        try:
            stepper.advance_to(target, progress)
        except NumericalFailure as failure:
            if stepper.time > recorded:
                state = (stepper.mu, stepper.field, stepper.tally)
                yield frame(stepper.time, equation, *state, snapshot=True, bound=bound)
            raise NumericalFailure(f"stopped at t = {stepper.time:.6g}: {failure}") from failure
        state = (stepper.mu, stepper.field, stepper.tally)
        result = frame(target, equation, *state, snapshot, bound)
        walls = result.scalars["wall_mass"]
        if not warned and walls > WALL_MASS and walls > 2.0 * walls_at_start:
            warned = True
            warnings.warn(
                f"mass gathers at the walls of the space ({walls:.2g} at t = {target:.4g}): "
                "the space may be too small for this solution, or birth and death have lifted a "
                "tail that the method made itself",
                RuntimeWarning,
                stacklevel=2,
            )
        yield result
        recorded = target


def solve(
    equation: Equation,
    mu: Measure,
    t_end: float,
    *,
    splitting: Splitting | None = None,
    step: Step | None = None,
    record: Schedule | None = None,
    save: Schedule | None = None,
    certificate: Certificate | None = None,
) -> Solution:
    """Solve the equation from mu at time 0 to t_end.

    Parameters
    ----------
    equation : Equation
    mu : Measure
        The initial measure, from `project` of a method such as `FiniteVolumes(...)`.
    t_end : float
    splitting : Splitting, optional
        `Strang()` on grids, `Unsplit("dop853")` on characteristics and for Fourier series, `Lie()`
        for particles.
    step : Step, optional
        `Controlled()` unless given; steps of their own `dt` for particles. Every step ends at the
        latest at the next time of `record` or `save`.
    record : Schedule, optional
        When scalars are recorded; every t_end / 100 unless given. At 0, t_end and the times of
        `save` they always are.
    save : Schedule, optional
        When snapshots are; every t_end / 4 unless given. At 0 and t_end they always are.
    certificate : Certificate, optional
        With one, the gap that bounds E - min E is recorded: `Certificate()`, over all measures on
        the space.

    Returns
    -------
    Solution
        Plain arrays.

    Raises
    ------
    InputError
        If the arguments do not fit together.
    NumericalFailure
        If the computation breaks; its attribute `solution` holds everything up to there.
    """
    seconds: Seconds = {}
    frames: list[Frame] = []
    attributes: dict[str, object] = {"outcome": "finished"}
    try:
        for result in evolve(
            equation,
            mu,
            t_end,
            splitting=splitting,
            step=step,
            record=record,
            save=save,
            certificate=certificate,
            seconds=seconds,
        ):
            frames.append(result)
    except NumericalFailure as failure:
        attributes["outcome"] = str(failure)
        stopped = Solution.from_frames(layout(equation, mu), frames, attributes)
        failure.solution = replace(stopped, equation=equation)
        raise
    attributes.update({f"seconds {part}": value for part, value in seconds.items()})
    solution = Solution.from_frames(layout(equation, mu), frames, attributes)
    return replace(solution, equation=equation)
