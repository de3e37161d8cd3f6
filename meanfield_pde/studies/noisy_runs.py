"""Runs of particles of the paper's experiment, with control variates of all that is random in them.

Of known mean zero, exactly, whatever the number of particles and the time step, are

    drawn     (1 / N) sum_i p(theta_i) at the start, p orthonormal polynomials under mu_0
    jumps     (1 / N) sum_i (n_i - E n_i) (g(theta_i) - <g>), by births and deaths in a step, and
              <g> after all is back to N particles, less what is expected of it given all n_i

with n_i copies of particle i and g = c^p exp(-(y - y_j)^2 / (2 w^2)). What jumps do is summed over
the steps of a span of time. To first order in N^-1/2 all that a run fluctuates by is a sum of such
terms, weighted with the influence of noise on what is observed later: `power_laws.controlled` fits
the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
from numpy.polynomial.hermite_e import hermevander
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Balance, BirthDeath, Mean, Reinjection
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.representations.jumps import probabilities
from meanfield_pde.representations.particles import ParticleMeasure, Particles
from meanfield_pde.studies import paper
from meanfield_pde.studies.workers import all_answers

Array = NDArray[np.float64]

METHODS: dict[str, Balance | None] = {
    "gradient descent": None,
    "Algorithm 1": Mean(),
    "Algorithm 2": Reinjection(paper.REBORN),
}
"""(A), (C), and what has the mean field of (C) while the mean of V is negative, as it is here."""

SPANS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
"""Ends of the spans of time over which noise of jumps is summed."""

MOST = (8, 5)
"""Degrees of polynomials in y and c; of products no more than the first."""

DEGREES = tuple(
    (i, j) for i in range(MOST[0] + 1) for j in range(MOST[1] + 1) if 0 < i + j <= MOST[0]
)

BUMPS, WIDTH, POWERS = 7, 0.8, 3
"""g: bumps at y = -3, ..., 3, and powers of c from 0 on."""


MOST_CONTROLLED = 6400
"""Particles above which noise of jumps is not recorded: no bias is seen there."""


class Task(NamedTuple):
    """Runs of a method in steps of dt, each with its seed, seen at times that are multiples."""

    method: str
    number: int
    dt: float
    times: tuple[float, ...]
    seeds: tuple[int, ...]

    @property
    def controlled(self) -> bool:
        """Whether all noise is known."""
        return self.number <= MOST_CONTROLLED


@dataclass(frozen=True)
class Sample:
    """What independent runs were seen to do.

    Attributes
    ----------
    energy : array (runs, times)
    prediction : array (runs, times, data points)
    drawn : array (runs, polynomials)
    jumps : array (runs, spans, functions)
    reborn : array (runs, times)
        Births from a law so far, a particle.
    """

    energy: Array
    prediction: Array
    drawn: Array
    jumps: Array
    reborn: Array

    def variates(self, time: float) -> Array:
        """All noise up to a time, (runs, variates)."""
        spans = sum(end <= time for end in SPANS[1:])
        return np.column_stack([self.drawn, self.jumps[:, :spans].reshape(len(self.drawn), -1)])


@lru_cache
def equation(method: str) -> Equation:
    """Transport first, then birth and death; walls where no neuron gets."""
    energy = paper.energy(charge_range=12.0, location_range=8.0)
    balance = METHODS[method]
    jumps = [] if balance is None else [BirthDeath(paper.ALPHA, balance)]
    return Equation(energy, [Transport(), *jumps])


def seeds(method: str, number: int, dt: float, runs: int) -> tuple[int, ...]:
    """Of independent runs, other ones for each method, number and time step."""
    key = (list(METHODS).index(method), number, round(1e6 * dt))
    return tuple(map(int, np.random.SeedSequence(0, spawn_key=key).generate_state(runs, np.uint64)))


def polynomials(points: Array) -> Array:
    """Means over particles of polynomials, orthonormal under the law of the start, (degrees,)."""
    y = legvander(0.5 * points[:, 0], MOST[0]) * np.sqrt(2.0 * np.arange(MOST[0] + 1) + 1.0)
    c = hermevander(points[:, 1], MOST[1])
    c /= np.sqrt([math.factorial(j) for j in range(MOST[1] + 1)])
    means = y.T @ c / len(points)
    return np.array([means[i, j] for i, j in DEGREES])


def weighted_sums(points: Array, weights: Array) -> Array:
    """sum_i weights[i] g(theta_i), (functions,)."""
    y, c = points.T
    places = np.arange(BUMPS) - BUMPS // 2
    bumps = np.empty((BUMPS, y.size))
    # exp(-(y - j)^2 / (2 w^2)) by powers: two exponentials, not one a bump.
    growth = np.exp(y / WIDTH**2)
    bumps[0] = np.exp(-0.5 * (y / WIDTH) ** 2 + places[0] * y / WIDTH**2)
    for k in range(1, BUMPS):
        np.multiply(bumps[k - 1], growth, out=bumps[k])
    sums = bumps @ np.column_stack([weights * c**power for power in range(POWERS)])
    return np.asarray(sums.T * np.exp(-0.5 * (places / WIDTH) ** 2)).ravel()


def reborn_means() -> Array:
    """int g dmu_b, y standard normal and c = 0, (functions,)."""
    places = np.arange(BUMPS) - BUMPS // 2
    variance = 1.0 + WIDTH**2
    means = WIDTH / math.sqrt(variance) * np.exp(-0.5 * places**2 / variance)
    return np.concatenate([means, np.zeros((POWERS - 1) * BUMPS)])


def noise(before: ParticleMeasure, factors: Array, after: ParticleMeasure) -> Array:
    """What births and deaths did to <g> in a step, less what was expected, (functions,)."""
    number = len(before.points)
    chance = probabilities(before.method.algorithm, factors)
    # The same random numbers as those of the step.
    signs = np.where(before.generator().random(number) < chance, np.sign(factors), 0.0)
    copies = 1.0 + signs
    unexpected = (signs - np.sign(factors) * chance) / number
    weights, expected = unexpected - np.mean(unexpected), np.zeros(BUMPS * POWERS)
    born = after.reborn - before.reborn
    if born:
        weights -= copies / number
        expected = born / number * reborn_means()
    else:
        weights -= copies / np.sum(copies)
    both = np.concatenate([before.points, after.points])
    return weighted_sums(both, np.append(weights, np.full(number, 1.0 / number))) - expected


def follow(method: str, number: int, dt: float, times: Sequence[float], seed: int) -> Sample:
    """One run, bit for bit that of `solve`, and its noise: arrays without the first axis."""
    terms = equation(method)
    transport, birth_death = terms.transport, terms.birth_death
    assert transport is not None
    mu = Particles(number, dt, seed).project(paper.FULL_SUPPORT, terms.energy.space)
    landscape = mu.landscape(terms.energy)
    drawn = polynomials(mu.points)
    jumps = np.zeros((len(SPANS) - 1, BUMPS * POWERS if birth_death else 0))
    law = getattr(METHODS[method], "law", None)
    energies, predictions, reborn = [], [], []
    looks = {round(time / dt) for time in times}
    for step in range(max(looks)):
        before = cast(ParticleMeasure, transport.flow(mu, landscape, step * dt, dt).measure)
        mu = before
        if birth_death is not None:
            field = landscape.at(before)
            factors = birth_death.balance.factors(field, paper.ALPHA * dt, "jumps")
            mu = before.jumped(factors, law)
            if number <= MOST_CONTROLLED:
                span = int(np.searchsorted(SPANS, (step + 0.5) * dt)) - 1
                jumps[span] += noise(before, factors, mu)
        if step + 1 in looks:
            field = landscape.at(mu)
            energies.append(field.energy)
            predictions.append(field.prediction)
            reborn.append(mu.reborn / number)
    return Sample(*map(np.array, (energies, predictions, drawn, jumps, reborn)))


def sampled(task: Task) -> Sample:
    """All runs of a task."""
    runs = [follow(*task[:4], seed) for seed in task.seeds]
    return joined(runs, np.stack)


def joined(samples: Sequence[Sample], join: Callable[..., Array] = np.concatenate) -> Sample:
    """Samples one after the other."""
    return Sample(
        *(
            join([getattr(sample, name) for sample in samples])
            for name in ("energy", "prediction", "drawn", "jumps", "reborn")
        )
    )


def samples(plan: Sequence[Task], chunk: int, ended: Callable[[int], object]) -> list[Sample]:
    """One for each task; runs go to all processors by chunks, and the order is that of seeds."""
    parts = [
        (index, task._replace(seeds=task.seeds[first : first + chunk]))
        for index, task in enumerate(plan)
        for first in range(0, len(task.seeds), chunk)
    ]
    parts.sort(key=lambda part: -part[1].number * part[1].times[-1] / part[1].dt)
    tasks = [task for _, task in parts]
    answers = all_answers(sampled, tasks, lambda answer: ended(len(answer.energy)))
    found: list[list[Sample]] = [[] for _ in plan]
    for answer, (index, _) in zip(answers, parts, strict=True):
        found[index].append(answer)
    return [joined(part) for part in found]
