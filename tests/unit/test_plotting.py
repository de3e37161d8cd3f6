"""Figures of made-up runs: which files are written, how large, and without a warning."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from meanfield_pde.errors import InputError
from meanfield_pde.plotting import density_figure, energy_figure, save_figures
from meanfield_pde.plotting.axes import number, symbol
from meanfield_pde.plotting.dissipation import has_dissipation
from meanfield_pde.plotting.snapshots import chosen, histogram
from meanfield_pde.results.solution import SCALARS, Layout, Solution

TIMES = np.array([0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
CENTRES = np.array([[-1.7, 2.1], [0.4, -1.3], [2.2, 3.4]])
X = np.linspace(-4.0, 4.0, 161)
TARGET = sum(c / 3 * np.exp(-((X - y) ** 2)) for y, c in CENTRES)


def records(transport=1.0, birth_death=1.0, negative=False):
    time = np.concatenate([[0.0], np.geomspace(1e-3, 30.0, 200)])
    a = transport * 0.4 * np.exp(-2.0 * time) / (1 + 20 * time)
    b = birth_death * (0.15 * np.exp(-0.25 * time) * time / (0.2 + time) + 1e-7 / (1 + time))
    lost = np.concatenate([[0.0], np.cumsum(0.5 * (a + b)[1:] * np.diff(time))])
    scalars = {name: np.zeros(time.size) for name in SCALARS}
    scalars["energy"] = (-2.0 if negative else lost[-1] + 1e-5) - lost
    scalars["mass"] = np.ones(time.size)
    scalars["transport_dissipation"] = a
    scalars["birth_death_dissipation"] = b
    scalars["identity_defect"] = 1e-4 * lost * np.cos(time / 3) - 1e-9
    return time, scalars


def solution(layout, measure, times=TIMES, data=True, **rates):
    time, scalars = records(**rates)
    size = layout.inputs.size
    share = (times / (1 + times))[:, None]
    prediction = share * TARGET + 0.1 * (1 - share) ** 2 * np.sin(2 * X) if data else None
    parameters = len(layout.parameters)
    return Solution(
        layout=layout,
        time=time,
        scalars=scalars,
        mean=np.zeros((time.size, parameters)),
        variance=np.ones((time.size, parameters)),
        snapshot_time=times,
        measure=measure,
        prediction=prediction if data else np.zeros((times.size, size)),
    )


def layout(parameters, lower, upper, periodic, cells=(), particles=0, data=True):
    centres = tuple(
        low + (np.arange(n) + 0.5) * (high - low) / n
        for low, high, n in zip(lower, upper, cells, strict=False)
    )
    return Layout(
        representation="particles" if particles else "finite_volumes",
        parameters=parameters,
        lower=lower,
        upper=upper,
        periodic=periodic,
        centres=centres,
        particles=particles,
        inputs=X if data else np.empty(0),
        target=TARGET if data else np.empty(0),
        equation="d_t mu = div(mu grad V) - alpha (V - Vbar) mu",
    )


def spread(time):
    """Width of the blobs and the share of mass in them."""
    return 0.04 + 0.6 / (1 + 2 * time), time / (0.3 + time)


def plane_particles(times=TIMES, count=1000, **rates):
    rng = np.random.default_rng(3)
    start = rng.normal(size=(count, 2)) * [1.4, 0.8]
    noise, which, order = rng.normal(size=(count, 2)), rng.integers(3, size=count), rng.random(count)
    measure = []
    for time in times:
        width, share = spread(time)
        moved = CENTRES[which] + width * noise
        measure.append(np.where((order < share)[:, None], moved, start))
    box = layout(("y", "c"), (-4.0, -6.0), (4.0, 6.0), (False, False), particles=count)
    return solution(box, np.array(measure), times, **rates)


def plane_grid(times=TIMES, cells=(160, 240), **rates):
    box = layout(("y", "c"), (-4.0, -6.0), (4.0, 6.0), (False, False), cells)
    y, c = np.meshgrid(*box.centres, indexing="ij")
    broad = np.exp(-((y / 1.4) ** 2) / 2 - (c / 0.8) ** 2 / 2) / (2 * np.pi * 1.4 * 0.8)
    measure = []
    for time in times:
        width, share = spread(time)
        blobs = [
            np.exp(-((y - a) ** 2 + (c - b) ** 2) / (2 * width**2)) / (6 * np.pi * width**2)
            for a, b in CENTRES
        ]
        measure.append(share * sum(blobs) + (1 - share) * broad)
    return solution(box, np.array(measure), times, **rates)


def circle_grid(times=TIMES, cells=256, bounds=(-np.pi, np.pi), sharp=1.0, **rates):
    box = layout(("theta",), bounds[:1], bounds[1:], (True,), (cells,), data=False)
    theta = box.centres[0]
    powers = 30 * sharp * times / (1 + times)
    bumps = np.exp(powers[:, None] * (np.cos(theta - 1.0) - 1))
    measure = bumps / (bumps.sum(axis=1, keepdims=True) * 2 * np.pi / cells)
    return solution(box, measure, times, data=False, **rates)


def circle_particles(times=TIMES, count=2000, **rates):
    rng = np.random.default_rng(5)
    powers = 30 * times / (1 + times)
    theta = np.array([rng.vonmises(1.0, power, count) for power in powers])
    box = layout(("theta",), (-np.pi,), (np.pi,), (True,), particles=count, data=False)
    return solution(box, theta[:, :, None], times, data=False, **rates)
