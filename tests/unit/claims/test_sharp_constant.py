"""The sharp constant of the law 1 / t^2: exact special cases, and the runs against each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from meanfield_pde.plotting.claims.sharp_constant import figure
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import Cosine, Dirichlet
from meanfield_pde.studies.claims.sharp_constant import (
    CLAIM,
    Answer,
    Task,
    limit,
    package_run,
)
from meanfield_pde.studies.law_problems import Curve
from meanfield_pde.studies.theory.sharp_law import certificate, local
from meanfield_pde.studies.theory.sharp_problems import (
    LINE,
    PLANE,
    REMOTE,
    SHARPER,
    TORUS,
    TWO_ATOMS,
    Problem,
)
from meanfield_pde.studies.theory.sharp_runs import clusters, flow


def _dirichlet(order: int, free: bool = False, mobility: float = 1.0) -> Problem:
    energy = Energy(Dirichlet(order), Teacher((0.3,), (1.0,)), UniformCircle(16), Circle())
    return Problem("one", energy, 50.0, (mobility,), free)


@pytest.mark.parametrize("mobility", [1.0, 0.3])
def test_one_atom_has_the_constant_of_the_fourth_derivative(mobility: float) -> None:
    fourth = 2.0 * (1.0 + 16.0)
    found = local(_dirichlet(2, mobility=mobility))
    assert found.constant == pytest.approx(1.0 / (8.0 * mobility**2 * fourth), rel=1e-9)


def test_free_mass_subtracts_what_the_second_derivative_shares_with_the_kernel() -> None:
    zeroth, second, fourth = 5.0, -10.0, 34.0
    expected = 1.0 / (8.0 * (fourth - second**2 / zeroth))
    assert local(_dirichlet(2, free=True)).constant == pytest.approx(expected, rel=1e-9)


def test_cosines_have_the_threshold_one_half() -> None:
    energy = Energy(Cosine(0.7), Teacher((0.3,), (1.0,)), UniformCircle(8), Circle())
    found = local(Problem("cosine", energy, 2.0))
    (place,) = found.places()
    assert place.height == pytest.approx(1.0, abs=1e-9)
    assert place.leaving == pytest.approx(0.5, abs=1e-9)
    assert found.threshold() == pytest.approx(0.5, abs=1e-9)
    assert found.exponent() == pytest.approx(2.5, abs=1e-9)


def test_neither_weights_nor_alpha_matter() -> None:
    teacher = TWO_ATOMS.energy.target
    assert isinstance(teacher, Teacher)
    other = replace(TWO_ATOMS.energy, target=replace(teacher, masses=(0.1, 0.9)))
    found = certificate(replace(TWO_ATOMS, energy=other, alpha=20.0))
    assert found.constant == pytest.approx(certificate(TWO_ATOMS).constant, rel=1e-9)


def test_conserving_the_mass_is_faster() -> None:
    assert certificate(LINE[1]).constant > 1.1 * certificate(LINE[0]).constant


@pytest.mark.parametrize("problem", [*LINE, SHARPER], ids=lambda problem: problem.name)
def test_a_certificate_has_what_it_is_named_for(problem: Problem) -> None:
    found = certificate(problem)
    theta = np.linspace(-np.pi, np.pi, 401)
    assert np.min(found.value((theta,))) > -1e-9
    near = found.value((problem.atoms[:, 0] + 1e-3,)) + found.value((problem.atoms[:, 0] - 1e-3,))
    assert np.all(near / 1e-6 > 0.5 - 1e-4)
    assert np.all(found.covariances >= 0.0)
    # |rho|^2 = sum of multipliers times what they ask for, that is of w tr(M^-1 Y) / 4.
    total = 0.25 * np.sum(problem.masses * found.covariances[:, 0, 0])
    assert found.rho @ found.rho == pytest.approx(total, rel=1e-6)
    assert found.exponent() > 1.4


def test_where_a_variance_would_be_negative_the_equality_is_given_up() -> None:
    assert np.min(local(SHARPER).covariances) < 0.0
    found = certificate(SHARPER)
    assert found.constant < 0.5 * local(SHARPER).constant
    assert list(found.covariances[:, 0, 0] > 0.0) == [False, True, False]


@pytest.mark.parametrize("problem", REMOTE[1:], ids=lambda problem: problem.name)
def test_mass_stays_where_v_is_as_low_as_it_may_be(problem: Problem) -> None:
    found = certificate(problem)
    assert found.remote.shape[0] > 0
    heights = found.value((found.remote[:, 0],))
    assert heights == pytest.approx(np.full(heights.shape, 1.0 / problem.alpha), rel=1e-3)
    assert found.constant > 1.5 * local(problem).constant


def test_in_the_plane_the_hessian_is_half_the_inverse_mobility() -> None:
    for problem in PLANE:
        found, step = certificate(problem), 1e-3
        assert np.all(np.linalg.eigvalsh(found.covariances) > 0.0)
        a, b = problem.atoms[0]
        along = [(a + step, b), (a, b + step)]
        heights = [float(found.value((np.array([x]), np.array([y])))[0]) for x, y in along]
        expected = 0.25 * step**2 / np.array(problem.mobility)
        assert np.array(heights) == pytest.approx(expected, rel=2e-2)
    assert certificate(TORUS).constant < certificate(PLANE[1]).constant


def test_the_implicit_flow_is_that_of_the_package() -> None:
    times = np.array([1.0, 10.0])
    run = package_run(LINE[3], 10.0, 48)
    found = flow(LINE[3], times, 48, 1e-8)
    ours = times**2 * found.energies / certificate(LINE[3]).constant
    assert ours == pytest.approx(run.values[[0, 8]], rel=1e-5)


def test_clusters_reach_the_constant() -> None:
    times = np.array([1e7, 1e8])
    found = clusters(TWO_ATOMS, times, 0.1, 1e-6)
    ratio = times**2 * found.energies / certificate(TWO_ATOMS).constant
    assert ratio == pytest.approx(np.ones(2), abs=1e-3)


def test_a_limit_is_found_from_a_curve_of_predicted_powers() -> None:
    times = 10.0 ** np.linspace(0.0, 5.0, 41)
    slow = certificate(TWO_ATOMS).corrections()[0]
    curve = Curve(times, 1.0 - 0.3 * times**-slow + 2.0 / times)
    found = limit(Answer(Task(0, 1e5, 0), curve, curve))
    assert found.value == pytest.approx(1.0, abs=1e-6)


def test_the_figure_is_drawn() -> None:
    theta = np.linspace(-np.pi, np.pi, 61)
    times = 10.0 ** np.linspace(0.0, 4.0, 9)
    curves = {
        "theta": theta,
        "three": 1.0 - np.cos(theta),
        "three_atoms": np.zeros(1),
        "one": 1.0 - np.cos(theta),
        "one_local": 0.5 - 0.5 * np.cos(theta),
        "one_atoms": np.zeros(1),
        "one_remote": np.array([2.0]),
        "one_least": np.array([0.5]),
        "balanced_0": np.stack([times, times / (1.0 + times)]),
        "below_1": np.stack([times, 2.0 * times / (1.0 + times)]),
    }
    page = figure(curves)
    assert len(page.axes) == 3
    legend = page.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "balanced",
        r"$\alpha$ below its threshold",
    ]


@pytest.mark.long
def test_the_claim_holds() -> None:
    findings = CLAIM.measure(True, lambda words: None)
    assert all(number.holds for number in findings.numbers)
    assert len(findings.sentences) == 3
