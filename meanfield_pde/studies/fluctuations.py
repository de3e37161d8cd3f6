"""Fluctuations of particles about the mean field: predicted on characteristics, and measured.

The paper's experiment from full support. Every run of N particles is compared with the mean field
of steps of the same length, and with its own linear term, int p_0 d(mu_N - mu_0): less that, what
is left is what jumps bring in, and in gradient descent only what is of second order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest, kurtosis, skew

from meanfield_pde.dynamics.birth_death import Balance
from meanfield_pde.evolution import solve
from meanfield_pde.fluctuations import (
    Influence,
    Observable,
    PredictionAt,
    TotalEnergy,
    influence,
)
from meanfield_pde.plotting.fluctuations import (
    Histogram,
    Measured,
    Spread,
    save_fluctuation_figure,
)
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.particles import Particles
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.splitting import Lie
from meanfield_pde.timestepping.step_size import Controlled, Fixed

Array = NDArray[np.float64]

ENERGY = paper.energy(charge_range=12.0, location_range=8.0, points=101)
DRAWN = np.flatnonzero(np.abs(ENERGY.inputs) < 4.01)
"""The data points at which f is watched; E is the last observable."""

PLACES = ENERGY.inputs[DRAWN]
CHOSEN = [int(np.argmin(np.abs(PLACES - x))) for x in (-2.0, -1.0, 0.0, 1.0, 2.0)]
MIDDLE = CHOSEN[2]
SHOWN = {**{f"f({PLACES[k]:.0f})": k for k in CHOSEN}, "E": PLACES.size}

NUMBER, DT = 400, 0.02
"""Of the runs that are looked at most closely."""

COARSE, FINE = (32, 48), (48, 64)
"""Nodes of y and c."""


class Plan(NamedTuple):
    """N, dt and seeds of runs, and the times at which they are looked at."""

    number: int
    dt: float
    seeds: int
    times: tuple[float, ...]


DESCENT = (Plan(NUMBER, DT, 2000, (1.0, 5.0)), Plan(NUMBER, 0.5 * DT, 500, (1.0, 5.0)))
JUMPING = (
    Plan(NUMBER, DT, 2000, (1.0,)),
    Plan(1600, DT, 1500, (1.0,)),
    Plan(6400, DT, 400, (1.0,)),
    Plan(100, 0.005, 3000, (0.25,)),
    Plan(NUMBER, 0.005, 3000, (0.25,)),
    Plan(NUMBER, 0.05, 3000, (0.25,)),
    Plan(NUMBER, DT, 600, (5.0,)),
    Plan(6400, DT, 150, (5.0,)),
)
QUICK_DESCENT = (Plan(NUMBER, DT, 150, (1.0,)), Plan(NUMBER, 0.5 * DT, 50, (1.0,)))
QUICK_JUMPING = (Plan(NUMBER, DT, 150, (1.0,)), Plan(NUMBER, 0.005, 150, (0.25,)))


def start(number: tuple[int, int]) -> CharacteristicsMeasure:
    """mu_0 on nodes."""
    method = Characteristics(number, redistribute=None, picture=0)
    return method.project(paper.FULL_SUPPORT, ENERGY.space)


def predicted(
    balance: Balance | None, t: float, number: tuple[int, int], places: Array
) -> Influence:
    """Of f at places, and of E."""
    observables: list[Observable] = [*(PredictionAt(float(x)) for x in places), TotalEnergy()]
    return influence(paper.equation(ENERGY, balance), start(number), t, observables)


@dataclass(frozen=True, eq=False)
class Sample:
    """Runs at one time.

    Attributes
    ----------
    plan : Plan
    time : float
    found : Influence
    changes : array (runs, observables)
        f_N at `PLACES` and E_N, less the mean field.
    linear : array (runs, observables)
        Their linear terms.
    """

    plan: Plan
    time: float
    found: Influence
    changes: Array
    linear: Array

    @property
    def rest(self) -> Array:
        """What the linear terms leave."""
        return self.changes - self.linear

    @cached_property
    def control(self) -> Array:
        """The part of N times the variance that a constant number of particles takes."""
        return self.found.control(self.plan.number, self.plan.dt)

    @cached_property
    def predicted(self) -> Array:
        """N times the variance, (observables,)."""
        return self.found.initial + self.found.jumps + self.control

    @property
    def jumps_a_step(self) -> float:
        """N alpha int |V - Vbar| dmu dt, its mean over the time."""
        rate = float(np.sum(self.found.turnover * self.found.weights)) / self.time
        return self.plan.number * self.plan.dt * rate

    def squares(self, changes: Array) -> Array:
        """N times squares whose mean over the runs is N times the variance."""
        count = changes.shape[0]
        squares = (changes - changes.mean(axis=0)) ** 2 * (count / (count - 1))
        return np.asarray(self.plan.number * squares)

    def standardised(self, observable: int) -> Array:
        """Changes over their predicted deviation, (runs,)."""
        deviation = np.sqrt(self.predicted[observable] / self.plan.number)
        return np.asarray(self.changes[:, observable] / deviation)


def mean_and_error(values: Array) -> tuple[Array, Array]:
    """Over the runs, (runs, ...), with the standard error."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(values.shape[0])


def observed(solution: Solution, times: Sequence[float]) -> Array:
    """f at `PLACES` and E, (times, observables)."""
    rows = [int(np.argmin(np.abs(solution.snapshot_time - t))) for t in times]
    return np.column_stack([solution.prediction[rows][:, DRAWN], solution.at("energy", times)])


def samples(
    balance: Balance | None, plan: Plan, predictions: Mapping[float, Influence]
) -> list[Sample]:
    """Runs of gradient descent or of Algorithm 1, one sample a time."""
    equation = paper.equation(ENERGY, balance)
    schedule = AtTimes(plan.times)
    field = solve(
        *(equation, Characteristics(FINE, picture=0).project(paper.FULL_SUPPORT, ENERGY.space)),
        plan.times[-1],
        splitting=ParticleLimit(),
        step=Fixed(plan.dt),
        record=schedule,
        save=schedule,
    )
    mean = observed(field, plan.times)
    changes, linear = [], []
    for seed in range(plan.seeds):
        mu = Particles(plan.number, plan.dt, seed).project(paper.FULL_SUPPORT, ENERGY.space)
        run = solve(
            *(equation, mu, plan.times[-1]),
            splitting=Lie(),
            step=Fixed(plan.dt),
            record=schedule,
            save=schedule,
        )
        changes.append(observed(run, plan.times) - mean)
        linear.append([predictions[t].linear_term(mu.points) for t in plan.times])
    by_time = zip(plan.times, np.swapaxes(changes, 0, 1), np.swapaxes(linear, 0, 1), strict=True)
    return [Sample(plan, t, predictions[t], rows, terms) for t, rows, terms in by_time]


def adjoint_table() -> str:
    """Influences against the solver, for three nodes."""
    rows = []
    mu = start((8, 24))
    heavy = np.flatnonzero(mu.values > 6e-3)[[0, 9, 18]]
    for name, balance in paper.METHODS.items():
        found = predicted(balance, 1.0, (8, 24), PLACES)
        deviations = [
            np.abs(_by_solver(balance, mu, int(node)) - found.influences[:, node]) for node in heavy
        ]
        largest = np.max(deviations, axis=0)
        size = np.abs(found.influences[:, heavy]).max(axis=1)
        columns = (largest[:-1].max(), size[:-1].max(), largest[-1], size[-1])
        rows.append([name, *(f"{value:.1e}" for value in columns)])
    header = ["", "f: deviation", "of at most", "E: deviation", "of at most"]
    title = "Influences p_0, t = 1, against differences of the solver in masses of single nodes"
    return table(title, header, rows)


def _by_solver(balance: Balance | None, mu: CharacteristicsMeasure, node: int) -> Array:
    """Differences of order 4 in the mass of a node."""
    equation, step, total = paper.equation(ENERGY, balance), 2e-3, np.zeros(PLACES.size + 1)
    for places, weight in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)):
        masses = mu.values.copy()
        masses[node] += places * step
        changed = replace(mu, log_masses=np.log(masses))
        solution = solve(equation, changed, 1.0, step=Controlled(1e-13))
        total += weight / step * observed(solution, (1.0,))[0]
    return total


def parts_table(predictions: Mapping[str, Mapping[float, Influence]]) -> str:
    """What N Var is made of; what finer nodes change of the sum."""
    rows = []
    for name, balance in paper.METHODS.items():
        for t, found in predictions[name].items():
            shown = list(SHOWN.values())
            finer = predicted(balance, t, FINE, PLACES[CHOSEN]).variance(NUMBER, DT)
            parts = (found.initial, found.jumps, found.control(NUMBER, DT))
            whole = np.sum(parts, axis=0)[shown]
            for k, word in enumerate(SHOWN):
                values = [f"{part[shown[k]]:.4e}" for part in parts]
                change = f"{finer[k] / whole[k] - 1.0:+.1e}"
                rare = f"{found.kurtosis[shown[k]]:.3g}"
                rows.append([name, f"{t:g}", word, *values, f"{whole[k]:.4e}", change, rare])
    header = ["", "t", "", "initial", "jumps", "control", "N Var", "finer nodes", "kurtosis"]
    title = f"Predicted N Var; control for N = {NUMBER}, dt = {DT:g}; kurtosis of p_0"
    return table(title, header, rows)


def descent_table(found: Sequence[Sample]) -> str:
    """Gradient descent: what is predicted, measured, and left."""
    rows = []
    for sample in found:
        mean, error = mean_and_error(sample.squares(sample.changes))
        left = sample.squares(sample.rest).mean(axis=0)
        for word, k in SHOWN.items():
            rows.append(
                [
                    *(f"{sample.time:g}", f"{sample.plan.dt:g}", f"{sample.plan.seeds}", word),
                    *(f"{sample.predicted[k]:.4e}", f"{mean[k]:.4e}", f"{error[k]:.1e}"),
                    f"{(mean[k] - sample.predicted[k]) / error[k]:+.2f}",
                    f"{left[k] / sample.predicted[k]:.1e}",
                ]
            )
    header = ["t", "dt", "runs", "", "predicted", "measured", "s.e.", "diff. / s.e.", "left"]
    title = f"Gradient descent, N Var of {NUMBER} particles; the part left without the linear term"
    return table(title, header, rows)


def step_table(found: Sequence[Sample]) -> str:
    """The same starts with shorter steps."""
    rows = []
    for long in found:
        for short in found:
            if long.time == short.time and long.plan.dt > short.plan.dt:
                count = min(long.plan.seeds, short.plan.seeds)
                both = [s.squares(s.changes[:count]).mean(axis=0) for s in (long, short)]
                ratios = both[0] / both[1]
                rows.append([f"{long.time:g}", *(f"{ratios[k]:.4f}" for k in SHOWN.values())])
    title = f"Gradient descent, the same starts: variance for dt = {DT:g} over dt = {0.5 * DT:g}"
    return table(title, ["t", *SHOWN], rows)


def jump_table(found: Sequence[Sample]) -> str:
    """Birth and death: sums over five x of N Var, with and without control, and E."""
    rows = []
    for sample in found:
        with_control, bare = sample.predicted, sample.predicted - sample.control
        measured, error = mean_and_error(sample.squares(sample.changes)[:, CHOSEN].sum(axis=1))
        left, left_error = mean_and_error(sample.squares(sample.rest)[:, CHOSEN].sum(axis=1))
        by_jumps = (with_control - sample.found.initial)[CHOSEN].sum()
        energy, energy_error = mean_and_error(sample.squares(sample.changes)[:, -1])
        rows.append(
            [
                *(f"{sample.time:g}", f"{sample.plan.number}", f"{sample.plan.dt:g}"),
                *(f"{sample.plan.seeds}", f"{sample.jumps_a_step:.2f}"),
                f"{with_control[CHOSEN].sum():.4f}",
                _ratio(measured, error, with_control[CHOSEN].sum()),
                _ratio(measured, error, bare[CHOSEN].sum()),
                _ratio(left, left_error, by_jumps),
                _ratio(left, left_error, sample.found.jumps[CHOSEN].sum()),
                _ratio(energy, energy_error, with_control[-1]),
            ]
        )
    header = ["t", "N", "dt", "runs", "jumps a step", "predicted", "measured over it"]
    header += ["without control", "by jumps", "without control", "E"]
    title = "Birth and death, N Var f summed over x = -2, -1, 0, 1, 2: measured over predicted"
    return table(title, header, rows)


def _ratio(value: Array, error: Array, expected: float) -> str:
    return f"{value / expected:.3f} +- {error / expected:.3f}"


def law_table(found: Mapping[str, Sequence[Sample]]) -> str:
    """The law of what was measured against the normal one with the predicted variance."""
    rows = []
    for name, every in found.items():
        for sample in every:
            for word in ("f(0)", "E"):
                z = sample.standardised(SHOWN[word])
                centred = z - z.mean()
                rows.append(
                    [
                        *(name, f"{sample.time:g}", f"{sample.plan.number}", word, f"{z.size}"),
                        f"{z.mean():+.3f}",
                        *(f"{z.std(ddof=1):.3f}", f"{skew(z):+.2f}", f"{kurtosis(z):+.2f}"),
                        *(f"{kstest(one, 'norm').pvalue:.2g}" for one in (z, centred)),
                    ]
                )
    header = ["", "t", "N", "", "runs", "mean", "deviation", "skewness", "excess kurtosis"]
    header += ["p", "p, centred"]
    title = (
        "(f_N - f) and (E_N - E) over the predicted deviation; Kolmogorov-Smirnov against N(0, 1)"
    )
    return table(title, header, rows)


def draw(descent: Sequence[Sample], jumping: Sample) -> list[Path]:
    """The figure, in output/."""
    histograms = [
        Histogram(descent[0].standardised(MIDDLE), "gradient descent"),
        Histogram(jumping.standardised(MIDDLE), "birth and death"),
    ]
    initial, jumps = jumping.found.initial[:-1], jumping.found.jumps[:-1]
    parts = {
        "initial draw": initial,
        "and jumps": initial + jumps,
        "and control of $N$": jumping.predicted[:-1],
    }
    times = {f"$t = {one.time:g}$": one.predicted[:-1] for one in descent}
    spreads = [
        Spread("gradient descent", PLACES, times, [_measured(one) for one in descent]),
        Spread(f"birth and death, $t = {jumping.time:g}$", PLACES, parts, [_measured(jumping)]),
    ]
    return save_fluctuation_figure(histograms, spreads, Path("output"))


def _measured(sample: Sample) -> Measured:
    every = slice(0, PLACES.size, 2)
    mean, error = mean_and_error(sample.squares(sample.changes)[:, :-1][:, every])
    return Measured(PLACES[every], mean, error)


def main(quick: bool = False) -> None:
    """Print the tables and draw the figure, output/fluctuations.png and .pdf."""
    print(adjoint_table())
    descent_plans, jump_plans = (QUICK_DESCENT, QUICK_JUMPING) if quick else (DESCENT, JUMPING)
    plans = dict(zip(paper.METHODS, (descent_plans, jump_plans), strict=True))
    predictions = {
        name: {
            t: predicted(balance, t, COARSE, PLACES)
            for t in sorted({t for plan in plans[name] for t in plan.times})
        }
        for name, balance in paper.METHODS.items()
    }
    print(parts_table(predictions))
    found = {
        name: [
            sample for plan in plans[name] for sample in samples(balance, plan, predictions[name])
        ]
        for name, balance in paper.METHODS.items()
    }
    descent, jumping = found.values()
    print(descent_table(descent))
    print(step_table(descent))
    print(jump_table(jumping))
    print(law_table({n: [s for s in every if s.plan.dt == DT] for n, every in found.items()}))
    for path in draw([s for s in descent if s.plan is descent_plans[0]], jumping[0]):
        print(f"wrote {path}")
