r"""Particles against the mean field: how errors fall with N, with dt, and grow and fade in time.

The paper's experiment from full support, alpha = 5. Particles are compared with the limit
N -> infinity of their own steps at the same dt (`ParticleLimit`, f and E), so that what is left is
sampling alone:

    distance    (mean over runs of |f_N - f|^2)^(1/2), the norm in L2(nu): the distance of mu_N and
                mu in the kernel K of the energy; also |f_N - f| at x = 0 and |E_N - E|
    bias        the mean of E_N - E = int (f - f*) (f_N - f) dnu + |f_N - f|^2 / 2

The square of the distance is that of the bias of f and its variance. The bias of E is small beside
the fluctuations of E_N, N^-1 beside N^-1/2, so what is known to be noise is subtracted from each
run (`noisy_runs`). Slopes are +- 95 per cent, all other values +- a standard error.

Algorithm 2 refills by chance a deficit that its mean field has not. Where births and deaths in a
step are Poisson numbers with means N b and N d, the mass reborn in a step is E max(D - B, 0) / N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from meanfield_pde.evolution import solve
from meanfield_pde.plotting.rates import Curves, Points, save_rates_figure
from meanfield_pde.problem.energy import Energy
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.jumps import probabilities
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.noisy_runs import (
    METHODS,
    Sample,
    Task,
    equation,
    samples,
    seeds,
)
from meanfield_pde.studies.power_laws import (
    Estimate,
    PowerLaw,
    controlled,
    expansion,
    power_law,
    smoothed,
)
from meanfield_pde.studies.tables import orders, table
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.step_size import Controlled, Fixed, Step

Array = NDArray[np.float64]

DT = 0.04
TIMES = (1.0, 5.0, 20.0)
LOOKS = tuple(
    DT * step for step in (5, 8, 13, 18, 25, 38, 50, 70, 95, 125, 165, 215, 280, 370, 435, 500)
)
"""Times at which distances are seen, `TIMES` among them."""

FEW, MANY = 1600, 800
"""Slopes are fitted to all numbers, to those up to FEW, and from MANY on."""

SHORT = dict(zip(METHODS, ("A", "1", "2"), strict=True))

DRAWN = (100, 400, 1600, 6400)
"""Numbers of particles whose distance is drawn in time."""

NODES = 48


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes
    ----------
    runs : mapping of int to int
        How many of each number of particles, from the smallest on.
    times : tuple of float
        At which slopes are fitted, among `LOOKS`.
    steps : tuple of float
        Steps whose error is measured, at `step_times`, by `step_runs` of two numbers of particles.
    """

    runs: Mapping[int, int]
    times: tuple[float, ...]
    steps: tuple[float, ...]
    step_runs: Mapping[int, int]
    step_times: tuple[float, ...]


FULL = Plan(
    runs={100 * 2**k: 192 for k in range(5)} | {3200: 96, 6400: 96, 12800: 32, 25600: 32},
    times=TIMES,
    steps=(0.04, 0.02, 0.01),
    step_runs={800: 256, 6400: 96},
    step_times=(1.0, 2.0),
)
QUICK = Plan(
    runs={100: 48, 200: 48, 400: 48, 800: 48},
    times=TIMES[:2],
    steps=(0.04, 0.02),
    step_runs={200: 48, 800: 48},
    step_times=(1.0,),
)


@dataclass(frozen=True)
class Size:
    """So many runs of so many particles, and what they have the limit of."""

    task: Task
    sample: Sample
    limit: Solution

    @property
    def number(self) -> int:
        """Of particles."""
        return self.task.number

    def look(self, time: float) -> int:
        """The place of a time among those looked at."""
        return int(np.argmin(np.abs(np.array(self.task.times) - time)))

    @cached_property
    def apart(self) -> Array:
        """f_N - f, (runs, times, data points)."""
        return np.asarray(self.sample.prediction - self.limit.prediction[1:])

    @cached_property
    def squares(self) -> Array:
        """|f_N - f|^2 in L2(nu), (runs, times)."""
        return np.asarray(self.apart**2 @ _energy().data_weights)

    @cached_property
    def excess(self) -> Array:
        """E_N - E, (runs, times)."""
        return np.asarray(self.sample.energy - self.limit.energy[1:])

    def distance(self, time: float) -> Estimate:
        """The root mean square of |f_N - f|."""
        return Estimate.of(self.squares[:, self.look(time)]).root

    def shift(self, time: float) -> float:
        """The part of the mean of |f_N - f|^2 that the mean of f_N - f is, without bias."""
        look, weights = self.look(time), _energy().data_weights
        shift = self.apart[:, look].mean(axis=0)
        chance = self.apart[:, look].var(axis=0, ddof=1) / len(self.apart)
        square = float((shift**2 - chance) @ weights)
        return max(square / float(self.squares[:, look].mean()), 0.0)

    def pointwise(self, time: float) -> Estimate:
        """The root mean square of f_N - f at x = 0."""
        middle = int(np.argmin(np.abs(_energy().inputs)))
        return Estimate.of(self.apart[:, self.look(time), middle] ** 2).root

    def deviation(self, time: float) -> Estimate:
        """The root mean square of E_N - E."""
        return Estimate.of(self.excess[:, self.look(time)] ** 2).root


def main(quick: bool = False) -> None:
    """Print the tables and draw the figure."""
    report(QUICK if quick else FULL, Path("output"))


def report(plan: Plan, folder: Path) -> None:
    """Print the tables of a plan, and draw its figure into a folder."""
    times = plan.times
    looks = tuple(time for time in LOOKS if time <= times[-1] + 1e-9)
    sizes = conducted([(method, DT) for method in METHODS], plan.runs, looks)
    _print_references(sizes, times)
    _print_distances(sizes, times)
    _print_growth(sizes)
    _print_biases(sizes, times)
    _print_rebirths(sizes["Algorithm 2", DT], times)
    _print_steps(plan)
    drawn = [_curves(method, sizes[method, DT], times) for method in METHODS]
    for path in save_rates_figure(drawn, folder):
        print("wrote", path)


@lru_cache
def _energy() -> Energy:
    energy = equation("gradient descent").energy
    assert isinstance(energy, Energy)
    return energy


def along_characteristics(
    method: str, times: Sequence[float], step: Step, limit: bool = True, nodes: int = NODES
) -> Solution:
    """The limit of the steps of particles, or the equation they stand for."""
    terms = equation(method)
    start = Characteristics((nodes, nodes), picture=0).project(paper.FULL_SUPPORT, _energy().space)
    return solve(
        terms,
        start,
        times[-1],
        splitting=ParticleLimit() if limit else None,
        step=step,
        record=AtTimes(tuple(times)),
        save=AtTimes(tuple(times)),
    )


Sizes = Mapping[tuple[str, float], list[Size]]
"""By method and dt."""


def conducted(
    what: Sequence[tuple[str, float]], runs: Mapping[int, int], times: tuple[float, ...]
) -> Sizes:
    """Runs of methods with their dt, so many of each number of particles, seen at times."""
    from tqdm import tqdm

    plan = [
        Task(method, number, dt, times, seeds(method, number, dt, count))
        for method, dt in what
        for number, count in runs.items()
    ]
    limits = {(method, dt): along_characteristics(method, times, Fixed(dt)) for method, dt in what}
    with tqdm(total=sum(len(task.seeds) for task in plan), desc="runs", disable=None) as bar:
        found = samples(plan, 8, bar.update)
    sizes: dict[tuple[str, float], list[Size]] = {key: [] for key in what}
    for task, sample in zip(plan, found, strict=True):
        key = task.method, task.dt
        sizes[key].append(Size(task, sample, limits[key]))
    return sizes


def biases(sizes: Sequence[Size], time: float) -> list[Estimate]:
    """Means of E_N - E less its noise, of all sizes with known noise, from the smallest on."""
    known = [size for size in sizes if size.task.controlled]
    groups = [(s.excess[:, s.look(time)], s.sample.variates(time)) for s in known]
    return [Estimate.of(rest) for rest in controlled(groups, [size.number for size in known])]


def _print_references(sizes: Sizes, times: Sequence[float]) -> None:
    rows = []
    for method in METHODS:
        limit = sizes[method, DT][0].limit
        finer = along_characteristics(method, times, Fixed(DT), nodes=NODES * 4 // 3)
        for time in times:
            energy = float(limit.at("energy", (time,))[0])
            moved = abs(float(finer.at("energy", (time,))[0]) - energy)
            rows.append([method, f"{time:g}", f"{energy:.7e}", f"{moved:.0e}"])
    title = f"the limit N -> infinity of steps of {DT:g}: E, and what a third more nodes change"
    print(table(title, ["", "t", "E", "change"], rows))


def _print_distances(sizes: Sizes, times: Sequence[float]) -> None:
    for method in METHODS:
        part = sizes[method, DT]
        rows = [
            [
                f"{size.number}",
                f"{len(size.task.seeds)}",
                *(f"{size.distance(time)} ({size.shift(time):.0%})" for time in times),
            ]
            for size in part
        ]
        header = ["N", "runs", *(f"t = {time:g}" for time in times)]
        title = f"{method}: distance of f_N and f (of its square, the part that is bias)"
        print(table(title, header, rows))
    rows = []
    for method in METHODS:
        part = sizes[method, DT]
        for time in times:
            cells = [method, f"{time:g}"]
            for measure in (Size.distance, Size.pointwise, Size.deviation):
                law = _law(part, [measure(size, time) for size in part])
                cells += [str(law), f"{law.chance:.2f}"]
            large = [size for size in part if size.number >= MANY]
            cells.append(_slope(large, [size.distance(time) for size in large]))
            rows.append(cells)
    title = f"slopes in N, {part[0].number} to {part[-1].number}; p: chance of a worse fit"
    header = ["", "t", "distance", "p", "|f_N - f|(0)", "p", "|E_N - E|", "p"]
    print(table(title, [*header, f"distance, N >= {MANY}"], rows))


def _law(sizes: Sequence[Size], means: Sequence[Estimate]) -> PowerLaw:
    numbers = [size.number for size in sizes]
    return power_law(numbers, smoothed(numbers, means))


def _slope(sizes: Sequence[Size], means: Sequence[Estimate]) -> str:
    """With its interval, where there are enough numbers for one."""
    return str(_law(sizes, means)) if len(sizes) > 2 else ""


def _print_growth(sizes: Sizes) -> None:
    columns = [
        (method, size)
        for method in METHODS
        for size in sizes[method, DT]
        if size.number in DRAWN and size.number <= FEW
    ]
    rows = [
        [
            f"{time:g}",
            *(f"{np.sqrt(s.number) * s.distance(time).value:.3f}" for _, s in columns),
        ]
        for time in columns[0][1].task.times
    ]
    header = ["t", *(f"{SHORT[method]}, {size.number}" for method, size in columns)]
    print(table("N^(1/2) times the distance in time: (A), Algorithms 1 and 2", header, rows))


def _print_biases(sizes: Sizes, times: Sequence[float]) -> None:
    slopes = []
    for method in METHODS:
        part = [size for size in sizes[method, DT] if size.task.controlled]
        columns = []
        for time in times:
            means = biases(part, time)
            columns.append(
                [_split(size, mean, time) for size, mean in zip(part, means, strict=True)]
            )
            few = sum(size.number <= FEW for size in part)
            many = sum(size.number < MANY for size in part)
            raw = [Estimate.of(size.excess[:, size.look(time)]) for size in part]
            law = _law(part[:few], means[:few])
            numbers = [size.number for size in part[:few]]
            terms = expansion(numbers, smoothed(numbers, means[:few]))
            slopes.append(
                [
                    method,
                    f"{time:g}",
                    str(_law(part[:few], raw[:few])),
                    str(law),
                    f"{law.chance:.2f}",
                    _slope(part[many:], means[many:]),
                    f"{terms.first:.3g} +- {terms.error:.1g}",
                    f"{terms.second / terms.first:+.0f}",
                    f"{terms.chance:.2f}",
                ]
            )
        rows = [
            [f"{size.number}", f"{len(size.task.seeds)}", *cells]
            for size, *cells in zip(part, *columns, strict=True)
        ]
        header = ["N", "runs", *(f"t = {time:g}" for time in times)]
        print(table(f"{method}: bias of E, and of it |f_N - f|^2 / 2", header, rows))
    title = f"bias of E: slopes in N, N <= {FEW} unless said; and fits of B / N + C / N^2"
    header = ["", "t", "raw", "noise subtracted", "p", f"N >= {MANY}", "B", "C / B", "p"]
    print(table(title, header, slopes))


def _split(size: Size, mean: Estimate, time: float) -> str:
    variance = 0.5 * float(np.mean(size.squares[:, size.look(time)]))
    return f"{mean}, {variance:.2e}"


def _print_rebirths(sizes: Sequence[Size], times: Sequence[float]) -> None:
    numbers = [size.number for size in sizes]
    expected = expected_rebirths(numbers, DT, times)
    columns, slopes = [[f"{number}" for number in numbers]], [f"slope, N >= {MANY}"]
    large = [size for size in sizes if size.number >= MANY]
    for k, time in enumerate(times):
        found = [Estimate.of(size.sample.reborn[:, size.look(time)]) for size in sizes]
        columns += [[str(mean) for mean in found], [f"{value:.3e}" for value in expected[:, k]]]
        slopes += [_slope(large, found[-len(large) :]), ""]
    rows = [*map(list, zip(*columns, strict=True)), *([slopes] if len(large) > 2 else [])]
    header = ["N", *(cell for time in times for cell in (f"until t = {time:g}", "expected"))]
    title = "Algorithm 2: births from the law a particle, and expected along the limit"
    print(table(title, header, rows))


def expected_rebirths(numbers: Sequence[int], dt: float, times: Sequence[float]) -> Array:
    """Births from the law of Algorithm 2, a particle, (numbers, times), along its limit."""
    terms = equation("Algorithm 2")
    transport, birth_death = terms.transport, terms.birth_death
    assert transport is not None
    assert birth_death is not None
    mu = Characteristics((NODES, NODES), picture=0).project(paper.FULL_SUPPORT, _energy().space)
    landscape = mu.landscape(terms.energy)
    so_far, found = np.zeros(len(numbers)), []
    looks = {round(time / dt) for time in times}
    for step in range(max(looks)):
        factors = transport.factors(mu.parameters, step * dt)
        moved = mu.with_state(mu.state + dt * mu.transport_rate(landscape.at(mu), factors))
        rates = paper.ALPHA * dt * landscape.at(moved).potential
        events = moved.values * probabilities("jumps", -rates)
        births, deaths = float(np.sum(events[rates < 0.0])), float(np.sum(events[rates > 0.0]))
        so_far += [deficit(number * births, number * deaths) / number for number in numbers]
        jumped = birth_death.mean_jump(moved, landscape, step * dt, dt, "jumps").measure
        assert isinstance(jumped, CharacteristicsMeasure)
        mu = jumped.maintained(landscape.at(jumped))
        if step + 1 in looks:
            found.append(so_far.copy())
    return np.array(found).T


def deficit(births: float, deaths: float) -> float:
    """E max(D - B, 0) of Poisson numbers B and D with these means."""
    most = max(births, deaths)
    counts = np.arange(int(most + 12.0 * np.sqrt(most) + 20.0))
    born, died = poisson.pmf(counts, births), poisson.pmf(counts, deaths)
    # sum_d P(D = d) E max(d - B, 0), and E max(d - B, 0) = sum_{k < d} P(B <= k).
    below = np.concatenate([[0.0], np.cumsum(np.cumsum(born))[:-1]])
    return float(died @ below)


def _print_steps(plan: Plan) -> None:
    steps, times = plan.steps, plan.step_times
    sizes = conducted([("Algorithm 1", dt) for dt in steps], plan.step_runs, times)
    exact = along_characteristics("Algorithm 1", times, Controlled(1e-10), limit=False)
    few, many = plan.step_runs
    rows = []
    for k, time in enumerate(times):
        true = float(exact.energy[1 + k])
        maps = [float(sizes["Algorithm 1", dt][0].limit.energy[1 + k]) for dt in steps]
        observed = [np.nan, *orders([value - true for value in maps])]
        for dt, value, order in zip(steps, maps, observed, strict=True):
            small, large = biases(sizes["Algorithm 1", dt], time)
            share = few / (many - few)
            left = (1.0 + share) * large.value - share * small.value
            error = float(np.hypot((1.0 + share) * large.error, share * small.error))
            rows.append(
                [
                    f"{time:g}",
                    f"{dt:g}",
                    f"{value - true:+.3e}",
                    "" if np.isnan(order) else f"{order:.2f}",
                    f"{left:+.1e} +- {error:.1e}",
                    f"{left / error:+.1f}",
                    f"{value + left - true:+.2e}",
                    f"{(value + left - true) / error:+.1f}",
                ]
            )
    title = (
        f"Algorithm 1: E of infinitely many particles, from {few} and {many}, "
        "against the limit of its steps and the equation"
    )
    header = ["t", "dt", "limit - equation", "order", "particles - limit", "in s.e."]
    print(table(title, [*header, "particles - equation", "in s.e."], rows))


def _curves(method: str, sizes: Sequence[Size], times: Sequence[float]) -> Curves:
    """What is drawn of a method."""
    numbers = np.array([size.number for size in sizes], dtype=float)

    def points(means: Sequence[Estimate]) -> Points:
        pairs = np.array([(mean.value, mean.error) for mean in means]).T
        return Points(numbers[: len(means)], *pairs)

    limit = sizes[0].limit
    shown = [size for size in sizes if size.number in DRAWN]
    return Curves(
        method,
        {time: points([size.distance(time) for size in sizes]) for time in times},
        {time: points(biases(sizes, time)) for time in times},
        limit.time[1:],
        {s.number: np.sqrt(np.mean(s.squares, axis=0)) for s in shown},
        np.sqrt(2.0 * limit.energy[1:]),
    )
