"""Signed spikes at a price for mass: certificates, gaps and rates."""

import math
from dataclasses import replace

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.plotting.claims import signed_spikes as drawn
from meanfield_pde.problem.optimum import optimum
from meanfield_pde.studies.claims import signed_spikes
from meanfield_pde.studies.theory import signed_circles
from meanfield_pde.studies.theory.signed_circles import ANGLES, LAMBDA, Run


@pytest.fixture(scope="module")
def best():
    return optimum(signed_circles.circle(), "signed", tolerance=1e-13)


def test_the_certificate_of_nothing_is_that_of_the_target():
    """Without mass eta = <f*, psi> / lambda, and K is the Dirichlet kernel itself."""
    energy = signed_circles.circle()
    theta = np.array([0.7])
    distance = 0.7 - np.array(signed_circles.PLACES)
    kernel = 1.0 + 2.0 * np.sum([np.cos(k * distance) for k in range(1, 6)], axis=0)
    expected = float(kernel @ np.array(signed_circles.WEIGHTS)) / LAMBDA
    found = signed_circles.certificate(-energy.target_values, theta)
    assert found[0] == pytest.approx(expected, rel=1e-12)


def test_the_largest_certificate_is_not_that_of_the_scan():
    """A spike between nodes of the scan is highest, one on a node looks it."""
    x = signed_circles.circle().inputs
    step = ANGLES[1] - ANGLES[0]
    unit = signed_circles.UNIT.value(x, (np.array([0.5 * step, ANGLES[0]]),))
    assert signed_circles.largest(-unit[:, 0]) == pytest.approx(11.0 / LAMBDA, rel=1e-13)
    residual = -unit @ np.array([1.0, -1.0 + 1e-6])
    dense = np.linspace(0.0, step, 20001)
    expected = np.max(np.abs(signed_circles.certificate(residual, dense)))
    scanned = np.abs(signed_circles.certificate(residual, ANGLES))
    assert np.argmax(scanned) == 0
    assert signed_circles.largest(residual) == pytest.approx(expected, rel=1e-11)
    assert expected > scanned.max() * (1.0 + 1e-7)


def test_the_certificate_of_the_optimum_touches_one_at_its_spikes(best):
    residual = signed_circles.optimal_residual(best, signed_circles.circle())
    eta = signed_circles.certificate(residual, best.points[:, 0])
    assert eta == pytest.approx(np.sign(best.masses), abs=1e-9)
    assert signed_circles.largest(residual) == pytest.approx(1.0, abs=1e-9)


def test_the_bias_is_that_of_the_first_order(best):
    """To first order in lambda H (dm, d theta) = - lambda (1, 0), H the Hessian."""
    matrix, _ = signed_circles.hessian(best)
    count = best.masses.size
    right = -LAMBDA * np.concatenate([np.ones(count), np.zeros(count)])
    change = np.linalg.solve(matrix, right)
    less, moved, _ = signed_spikes.bias(LAMBDA)
    assert np.max(np.abs(change[:count])) == pytest.approx(less, rel=0.1)
    assert np.max(np.abs(change[count:])) == pytest.approx(moved, rel=0.2)


def test_the_curvature_of_a_cosine():
    residual = -np.cos(signed_circles.circle().inputs)
    curvature = signed_circles._curvature(residual, 0.0, price=1.0)
    assert curvature == pytest.approx(-1.0, rel=1e-8)


def test_the_limit_of_two_exponentials():
    time = np.linspace(0.0, 50.0, 101)
    excess = np.exp(-0.3 * time) + 2.0 * np.exp(-0.42 * time)
    value, bar = signed_spikes.limiting_rate(time, excess)
    assert abs(value - 0.3) < bar < 1e-3


def test_the_gap_bounds_the_distance(best, monkeypatch):
    monkeypatch.setattr(signed_circles, "T_END", 4.0)
    path = signed_circles.solved(Run(1.0, 1.0, 64, 1e-8))
    excess = path.energy - best.energy
    assert np.all(np.diff(path.energy) < 0.0)
    assert np.all(signed_circles.gaps(path) > excess)
    assert 0.0 < excess[-1] < 0.05


def test_cells_of_charge_are_both_signs(monkeypatch):
    """Finite volumes with mass in the cells of c about -1 and 1 follow the same path."""
    monkeypatch.setattr(signed_circles, "T_END", 1.0)
    path = signed_circles.solved(Run(1.0, 1.0, 64, 1e-8))
    space = mf.Product((mf.Circle(), mf.Interval(-4.0, 4.0)))
    energy = replace(signed_circles.both_signs(), space=space)
    terms = [mf.BirthDeath(1.0, mf.Free()), mf.Transport((signed_circles.MOBILITY, 0.0))]
    signs = mf.MixtureLaw((1.0, 1.0), (mf.Point(-1.0), mf.Point(1.0)))
    law = mf.ProductLaw((mf.Uniform(), signs))
    mu = mf.FiniteVolumes((256, 4)).project(law, space)
    solution = mf.solve(mf.Equation(energy, terms), mu, 1.0)
    assert solution.energy[-1] == pytest.approx(path.energy[-1], rel=2e-3)


def test_gradient_descent_keeps_its_mass(monkeypatch):
    monkeypatch.setattr(signed_circles, "T_END", 1.0)
    path = signed_circles.solved(Run(0.0, 1.7, 32, 1e-6))
    assert path.mass == pytest.approx(np.full(path.time.size, 1.7), rel=1e-12)


def test_the_rates_of_the_optimum(best):
    """The widths of spikes: 2 M V'' with V'' = lambda |eta''|, the lowest of them."""
    rates = signed_circles.rates(best)
    theta = best.points[0, 0] + np.array([-1e-3, 0.0, 1e-3])
    residual = signed_circles.optimal_residual(best, signed_circles.circle())
    eta = signed_circles.certificate(residual, theta)
    bent = abs(eta[0] - 2.0 * eta[1] + eta[2]) / 1e-6
    assert rates["widths"] <= 2.0 * signed_circles.MOBILITY * LAMBDA * bent * (1.0 + 1e-4)
    assert min(rates.values()) > 0.0


def test_the_figure_is_drawn():
    theta, time = np.linspace(-math.pi, math.pi, 16), np.linspace(0.0, 50.0, 11)
    curves = {
        "theta": theta,
        "certificate_time": np.array([0.5, 1.0, 4.0]),
        "certificates": np.array([np.cos(k * theta) for k in (1, 2, 3)]),
        "optimal_certificate": np.cos(theta),
        "optimum": np.array([[0.0, 1.0], [0.5, -0.5]]),
        "true": np.array([[0.0, 1.0], [0.6, -0.6]]),
        "found": np.array([[0.0, 1.0], [0.5, -0.5]]),
        "time": time,
        "excess": np.exp(-0.3 * time),
        "gap": 2.0 * np.exp(-0.3 * time),
        "descent_excess": np.full(11, 2.0),
        "rate": np.array([0.3]),
    }
    figure = drawn.figure(curves)
    figure.draw_without_rendering()
    assert len(figure.axes) == 3


@pytest.mark.long
def test_the_claim_holds():
    findings = signed_spikes.measure(quick=True, tell=lambda text: None)
    assert len(findings.sentences) == 3
    assert all(number.holds for number in findings.numbers)
