"""Two-homogeneous neurons and what they project to."""

import math

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.plotting.claims import projection as drawn
from meanfield_pde.studies.claims import projection
from meanfield_pde.studies.theory import homogeneous, projections
from meanfield_pde.studies.theory.projections import Run, solved


@pytest.mark.parametrize(
    "energy", [homogeneous.PLANE, homogeneous.NETWORK, homogeneous.SIGNED_CIRCLES]
)
def test_derivatives_are_those_of_the_units(energy):
    assert all(found.deviation < 1e-6 for found in mf.compare_gradients(energy))


def test_the_waves_of_relu_have_its_kernel():
    """K(d) = ((pi - d) cos d + sin d) / (4 pi), to what waves beyond order 32 hold."""
    d = np.linspace(0.0, math.pi, 9)
    orders = homogeneous.ORDERS[:, None]
    here, there = (
        homogeneous.direction_value(orders, theta) for theta in (np.zeros((1, 1)), d[None, :])
    )
    kernel = np.mean(here * there, axis=0)
    exact = ((math.pi - d) * np.cos(d) + np.sin(d)) / (4.0 * math.pi)
    assert kernel == pytest.approx(exact, abs=2e-6)


def test_a_unit_in_the_plane_is_two_homogeneous():
    x, one = np.linspace(-3.0, 3.0, 5)[:, None], np.array([[0.3, -0.8]])
    w = (one, one[:, ::-1])
    longer = homogeneous.plane_value(x, *(3.0 * part for part in w))
    assert longer == pytest.approx(9.0 * homogeneous.plane_value(x, *w), rel=1e-13)


def test_the_image_of_the_blobs_has_their_second_moment():
    """int |w|^2 dmu_0 = 1 + 2 s^2, by the trapezoidal rule on the circle."""
    theta = 2.0 * math.pi * np.arange(256) / 256
    mass = 2.0 * math.pi * float(np.mean(projections.image_density(theta)))
    assert mass == pytest.approx(projections.IMAGE_MASS, rel=1e-13)


def test_the_image_of_the_blobs_is_that_of_their_nodes():
    """Its first Fourier mode, by nodes in the plane and by the formula."""
    mu = projections.SYSTEMS["plane"].start(Run("plane", 24, 1e-8))
    w = mu.points[:, 0] + 1j * mu.points[:, 1]
    theta = 2.0 * math.pi * np.arange(256) / 256
    density = projections.image_density(theta)
    mode = 2.0 * math.pi * np.mean(density * np.exp(1j * theta))
    assert np.sum(mu.values * np.abs(w) * w) == pytest.approx(mode, abs=1e-8)


@pytest.mark.parametrize(("one", "other"), [("rays", "directions"), ("neurons", "signs")])
def test_the_same_nodes_give_the_same_path(one, other):
    paths = [solved(Run(system, 8, 1e-10)) for system in (one, other)]
    assert paths[0].difference(paths[1]) < 1e-9
    assert paths[0].energy[-1] < 0.5 * paths[0].energy[0]


def test_another_alpha_is_no_projection():
    """The comparison can fail: (C) with alpha = 1 is on another path."""
    circle, mean = (solved(Run(system, 64, 1e-8)) for system in ("circle", "mean"))
    assert circle.difference(mean) > 0.01


def test_nodes_on_rays_stay_on_them_and_imbalance_decays():
    assert projection.ray_deviation(solved(Run("rays", 6, 1e-8))) < 1e-12
    path = solved(Run("unbalanced", 6, 1e-8))
    assert path.imbalance[0] == pytest.approx(4.0 - 0.25)
    assert projection.imbalance_rate(path) == pytest.approx(2.0 * homogeneous.LAMBDA, abs=1e-8)


def test_the_figure_is_drawn():
    time = np.geomspace(0.1, 10.0, 9)
    curves = {
        "time": time,
        "plane_energy": 0.1 / time,
        "circle_energy": 0.1 / time,
        "mean_energy": 0.2 / time,
        "differences": np.full((3, 9), 1e-11),
        "coarse_differences": np.full((3, 9), 1e-9),
        "ray_points": np.random.default_rng(0).normal(size=(9, 6, 2)),
        "target": np.array([0.3, 1.9]),
        "agreement": np.array([1e-8]),
        "relu_time": np.concatenate([[0.0], time]),
        "signs_excess": np.geomspace(0.1, 1e-4, 10),
        "neurons_excess": np.geomspace(0.1, 1e-4, 10),
        "unbalanced_excess": np.geomspace(0.2, 2e-4, 10),
        "imbalance": np.geomspace(1.0, 0.1, 10),
    }
    figure = drawn.figure(curves)
    figure.draw_without_rendering()
    assert len(figure.axes) == 4


@pytest.mark.long
def test_the_claim_holds():
    findings = projection.measure(quick=True, tell=lambda text: None)
    assert len(findings.sentences) == 3
    assert all(number.holds for number in findings.numbers)
