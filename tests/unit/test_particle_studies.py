"""Reinjection by particles, and the plain loops that speed is measured against."""

import numpy as np
import pytest

from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.representations.particles import Particles
from meanfield_pde.studies import paper, reinjection
from meanfield_pde.studies.particle_speed import array_field, pairwise_field, pairwise_step
from meanfield_pde.timestepping.splitting import Lie, advance

ENERGY = paper.energy(charge_range=12.0, location_range=8.0)
CLOUD = Particles(60, seed=3).project(paper.FULL_SUPPORT, ENERGY.space)


def test_a_loop_over_all_pairs_sees_the_same_potential():
    field = ENERGY.on(PointNodes(CLOUD.points)).at(CLOUD)
    expected = np.column_stack([field.potential, *field.gradient])
    pairs = pairwise_field([(float(y), float(c)) for y, c in CLOUD.points])
    assert np.array(pairs) == pytest.approx(expected, abs=1e-12)
    assert array_field(CLOUD.points) == pytest.approx(expected, abs=1e-12)


def test_the_plain_step_descends_and_keeps_the_number():
    points = [(float(y), float(c)) for y, c in CLOUD.points]
    moved = pairwise_step(points, 0.0, 0.1, np.random.default_rng(0))
    step = [
        (y - 0.1 * s, c - 0.1 * v)
        for (y, c), (_, s, v) in zip(points, pairwise_field(points), strict=True)
    ]
    assert moved == step
    assert len(pairwise_step(points, 200.0, 0.1, np.random.default_rng(1))) == len(points)


def test_a_followed_run_is_that_of_the_terms():
    t_end, seed = 0.5, 5
    run = reinjection.follow(80, seed, t_end)
    equation, _, _ = reinjection.problem()
    method = Particles(80, reinjection.DT, seed)
    mu = method.project(paper.BAD_INITIALISATION, equation.energy.space)
    landscape = mu.landscape(equation.energy)
    for step in range(round(t_end / reinjection.DT)):
        mu = advance(
            Lie(), equation, mu, landscape, step * reinjection.DT, reinjection.DT, {}
        ).measure
    assert mu.reborn > 0
    assert run.mass("injected", t_end) == mu.reborn / 80
    assert run.time[-1] == pytest.approx(t_end)
    assert np.all(np.diff(run.injected) >= 0.0)
    assert np.isinf(run.leaves)


def test_few_particles_inject_by_chance_and_many_do_not():
    """Before Vbar is positive nothing is expected; the noise of counts falls with the number."""
    runs = {n: [reinjection.follow(n, seed, 0.5) for seed in range(1, 7)] for n in (100, 6400)}
    few, many = (np.mean([run.mass("injected") for run in part]) for part in runs.values())
    assert few > 2.0 * many > 0.0
    assert max(run.mass("expected") for run in runs[6400]) < 1e-3


def test_the_mean_field_injects_what_its_mean_potential_says():
    solution = reinjection.mean_field(reinjection.Strang(), 0.1, 24, 8.0)
    mass = reinjection.injected_mass(solution)
    assert np.all(mass[solution.time < 4.0] < 1e-15)
    assert 0.005 < mass[-1] < 0.012
