"""Nanoseconds per particle and step, and the plain loop over all pairs that people write first.

A step of Algorithm 1 sees the energy twice, before transport and before the jumps: each time a sum
of some 55 polynomials over the particles, V and its slope. What two such sights of the energy take
alone is printed beside the whole step, which also draws random numbers, moves particles in memory
and records the energy identity.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from time import perf_counter

import numba
import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Balance, Mean, Reinjection
from meanfield_pde.evolution import solve
from meanfield_pde.problem.energy import Energy
from meanfield_pde.representations.jumps import Algorithm
from meanfield_pde.representations.particles import ParticleMeasure, Particles
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.tables import table

Array = NDArray[np.float64]

DT = 0.01
SCHEMES: dict[str, tuple[Balance | None, Algorithm]] = {
    "gradient descent": (None, "jumps"),
    "Algorithm 1": (Mean(), "jumps"),
    "Algorithm 2": (Reinjection(paper.REBORN), "jumps"),
    "as published": (Mean(), "notebook"),
    "weights": (Mean(), "weights"),
}

ATOMS = ((1 / 3, -2.0, 1.0), (-2 / 3, 0.0, 1.5), (1 / 3, 2.0, 1.0))
"""Weights, means and variances of the target seen through the units."""


def main(quick: bool = False) -> None:
    """Print the tables."""
    available = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        _schemes((200, 10_000) if quick else (200, 1600, 10_000, 100_000, 1_000_000))
        _plain((100,) if quick else (200, 400))
    finally:
        numba.set_num_threads(available)


def seconds_a_step(number: int, balance: Balance | None, algorithm: Algorithm = "jumps") -> float:
    """Of the best of three runs, as `solve` runs it, recorded at the ends."""
    energy = paper.energy(charge_range=12.0, location_range=8.0)
    equation = paper.equation(energy, balance)
    mu = Particles(number, DT, 0, algorithm).project(paper.FULL_SUPPORT, energy.space)
    ends = AtTimes(())
    steps = max(10, min(400, 2_000_000 // number))

    def run() -> None:
        solve(equation, mu, steps * DT, record=ends, save=ends)

    return _best(run) / steps


def _best(work: Callable[[], object], repeats: int = 3) -> float:
    work()
    seconds = []
    for _ in range(repeats):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds)


def _sight(energy: Energy, mu: ParticleMeasure) -> None:
    """The energy, V and grad V once."""
    field = mu.landscape(energy).at(mu)
    assert field.potential.size == field.gradient[0].size


def _schemes(sizes: tuple[int, ...]) -> None:
    energy = paper.energy(charge_range=12.0, location_range=8.0)
    times = {name: [seconds_a_step(n, *s) for n in sizes] for name, s in SCHEMES.items()}
    times["two fields alone"] = []
    for number in sizes:
        mu = Particles(number, DT).project(paper.FULL_SUPPORT, energy.space)
        times["two fields alone"].append(2.0 * _best(partial(_sight, energy, mu), 20))
    rows = []
    for name, seconds in times.items():
        exponent = math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])
        cells = [f"{1e9 * s / n:.0f}" for s, n in zip(seconds, sizes, strict=True)]
        rows.append([name, *cells, f"{exponent:.2f}"])
    title = f"ns per particle and step, charged units, one core; load {os.getloadavg()[0]:.2f}"
    print(table(title, ["N", *map(str, sizes), "last exponent"], rows))


def _normal(x: float, variance: float) -> float:
    return math.exp(-0.5 * x * x / variance) / math.sqrt(2.0 * math.pi * variance)


def pairwise_field(points: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """V, dV/dy and dV/dc of each particle by a loop over all of them, K = N(y - y'; 0, 1)."""
    fields = []
    for y, c in points:
        value = slope = 0.0
        for weight, mean, variance in ATOMS:
            density = _normal(y - mean, variance)
            value -= weight * density
            slope += weight * density * (y - mean) / variance
        for other, charge in points:
            density = _normal(y - other, 1.0) * charge / len(points)
            value += density
            slope -= density * (y - other)
        fields.append((c * value, c * slope, value))
    return fields


def pairwise_step(
    points: list[tuple[float, float]], alpha: float, dt: float, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """A step of Algorithm 1, particle by particle."""
    triples = zip(points, pairwise_field(points), strict=True)
    moved = [(y - dt * slope, c - dt * value) for (y, c), (_, slope, value) in triples]
    fields = pairwise_field(moved)
    mean = sum(field[0] for field in fields) / len(fields)
    kept: list[tuple[float, float]] = []
    for point, (potential, _, _) in zip(moved, fields, strict=True):
        exponent = alpha * (potential - mean) * dt
        jumps = generator.random() < 1.0 - math.exp(-abs(exponent))
        kept += [point] * (1 if not jumps else 0 if exponent > 0.0 else 2)
    while len(kept) > len(points):
        kept.pop(int(generator.integers(len(kept))))
    while len(kept) < len(points):
        kept.append(kept[int(generator.integers(len(kept)))])
    return kept


def array_field(points: Array) -> Array:
    """As `pairwise_field`, (particles, 3); a loop over particles, arrays over their partners."""
    rows = np.empty((len(points), 3))
    for i, (y, c) in enumerate(points):
        apart = y - points[:, 0]
        pair = np.exp(-0.5 * apart * apart) * points[:, 1] / (len(points) * math.sqrt(2 * math.pi))
        value, slope = float(np.sum(pair)), -float(np.sum(pair * apart))
        for weight, mean, variance in ATOMS:
            density = _normal(y - mean, variance)
            value -= weight * density
            slope += weight * density * (y - mean) / variance
        rows[i] = c * value, c * slope, value
    return rows


def _plain(sizes: tuple[int, ...]) -> None:
    rows = []
    for number in sizes:
        energy = paper.energy(charge_range=12.0, location_range=8.0)
        start = Particles(number, DT).project(paper.FULL_SUPPORT, energy.space).points
        points = [(float(y), float(c)) for y, c in start]
        generator = np.random.default_rng(0)
        loop = _best(partial(pairwise_step, points, paper.ALPHA, DT, generator), 3)
        # Both sights of the energy, without moving anything.
        arrays = 2.0 * _best(partial(array_field, start), 5)
        ours = seconds_a_step(number, Mean())
        for name, seconds in (
            ("this package", ours),
            ("a loop over all pairs", loop),
            ("a loop over particles, arrays over partners (fields alone)", arrays),
        ):
            rows.append([f"{number}", name, f"{1e3 * seconds:.3g}", f"{seconds / ours:.0f}"])
    header = ["N", "Algorithm 1", "ms a step", "ratio"]
    print(table("Plain Python with a kernel of N x N, side by side", header, rows))
