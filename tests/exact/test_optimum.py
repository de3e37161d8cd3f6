"""The minimum of E over measures, against minima that are known."""

from dataclasses import replace

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.problem.lowest import scan
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.optimum import best_units, optimum
from meanfield_pde.studies import law_problems, paper

THREE = law_problems.BUMPS


def sorted_atoms(found):
    order = np.argsort(found.points[:, 0])
    return found.points[order], found.masses[order]


@pytest.mark.parametrize(
    "energy", [THREE, law_problems.WAVES, law_problems.INTERVAL, law_problems.PLANE]
)
def test_a_teacher_is_found_with_its_masses(energy):
    found = optimum(energy)
    points, masses = sorted_atoms(found)
    target = energy.target
    centres = np.array([np.atleast_1d(c) for c in target.centres])
    order = np.argsort(centres[:, 0])
    np.testing.assert_allclose(points, centres[order], atol=1e-9)
    np.testing.assert_allclose(masses, np.array(target.masses)[order], atol=1e-9)
    assert found.gap < 1e-10
    assert found.energy < 1e-20


def test_noise_leaves_an_optimum_with_flat_potential_at_its_atoms():
    target = mf.FormulaTarget("0.6*cos(x) + 0.5*sin(3*x) + 1")
    energy = replace(THREE, target=target)
    found = optimum(energy)
    assert found.energy > 1e-3
    assert found.gap < 1e-10
    np.testing.assert_allclose(found.potential, found.potential.min(), atol=1e-8)
    # A fine grid of nodes, and no better: the same problem by non-negative least squares.
    nodes = np.linspace(-np.pi, np.pi, 2001)[:-1]
    from scipy.optimize import nnls

    unit, x, w = energy.unit, energy.inputs, energy.data_weights
    rows = np.sqrt(w)[:, None] * (unit.value(x, (nodes,)) - energy.target_values[:, None])
    matrix = np.concatenate([rows, np.ones((1, nodes.size))])
    masses, _ = nnls(matrix, np.concatenate([np.zeros(w.size), [1.0]]))
    masses /= masses.sum()
    on_grid = 0.5 * float(np.sum((rows @ masses) ** 2))
    assert found.energy - found.gap <= on_grid
    assert on_grid - found.energy < 1e-5


def test_one_unit_with_a_price_on_mass():
    """f = m phi(theta_0), target w phi(theta_0): m = w - price / |phi|^2, in closed form."""
    energy = replace(THREE, target=mf.Teacher((0.7,), (0.8,)), penalty=mf.ConstantPenalty(0.05))
    square = float(
        np.sum(
            energy.data_weights * energy.unit.value(energy.inputs, (np.array([0.7]),))[:, 0] ** 2
        )
    )
    mass = 0.8 - 0.05 / square
    found = optimum(energy, "nonnegative")
    np.testing.assert_allclose(found.points, [[0.7]], atol=1e-8)
    np.testing.assert_allclose(found.masses, [mass], rtol=1e-9)
    expected = 0.5 * square * (0.8 - mass) ** 2 + 0.05 * mass
    assert found.energy == pytest.approx(expected, rel=1e-12)
    negative = replace(energy, target=mf.Teacher((0.7,), (-0.8,)))
    signed = optimum(negative, "signed")
    np.testing.assert_allclose(signed.masses, [-mass], rtol=1e-9)
    assert optimum(negative, "nonnegative").energy == pytest.approx(negative.constant)


def test_a_potential_has_all_mass_at_its_lowest_place():
    found = optimum(law_problems.DOUBLE)
    np.testing.assert_allclose(found.points, [[law_problems.LOWEST]], atol=1e-9)
    with pytest.raises(mf.InputError, match="nowhere negative"):
        optimum(law_problems.DOUBLE, "nonnegative")


def test_few_units_of_the_mixture():
    energies = [found.energy for found in best_units(paper.energy(8.0), 3, starts=4)]
    np.testing.assert_allclose(energies, [2.773e-2, 1.37234e-2, 5.966e-4], rtol=2e-4)


def test_the_lowest_place_of_a_scan_is_between_its_nodes_and_at_walls():
    potential = mf.FormulaPotential("(theta - 0.12345)**2 - 3*exp(-(40*(theta + 0.5))**2)", 1)
    energy = mf.PotentialEnergy(potential, mf.Interval(-1.0, 1.0))
    here = energy.on(PointNodes(np.zeros((1, 1))))

    class Mass:
        values, weight = np.ones(1), 1.0

    points, values = scan(energy).lowest(here.at(Mass()))
    np.testing.assert_allclose(points[:2, 0], [-0.5, 0.12345], atol=2e-3)
    assert values[0] < -2.6
    assert values[1] == pytest.approx(0.0, abs=1e-14)
    sloped = mf.PotentialEnergy(mf.FormulaPotential("theta", 1), mf.Interval(-1.0, 1.0))
    here = sloped.on(PointNodes(np.zeros((1, 1))))
    assert scan(sloped).lowest(here.at(Mass()))[1][0] == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: optimum(paper.energy(), "signed"), "over = 'signed'"),
        (lambda: optimum(THREE, charge=1.0), "charge = 1.0"),
        (lambda: best_units(THREE, 0), "units = 0"),
        (lambda: optimum(THREE, "all"), "over = 'all'"),
        (lambda: optimum(THREE, mass=-1.0), "mass = -1.0"),
        (lambda: optimum(THREE, tolerance=float("nan")), "tolerance = nan"),
        (lambda: optimum(law_problems.DOUBLE, "signed"), "for a potential"),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(mf.InputError, match=words):
        call()


def test_a_largest_mass_is_kept_to():
    """More would be better, so that all of it is used: the same as fixed mass, in closed form."""
    energy = replace(THREE, target=mf.Teacher((0.7,), (0.8,)))
    square = 2.0 * energy.constant / 0.8**2
    found = optimum(energy, "nonnegative", mass=0.3)
    np.testing.assert_allclose(found.masses, [0.3], rtol=1e-9)
    assert found.energy == pytest.approx(0.5 * square * 0.5**2, rel=1e-10)
    assert found.gap < 1e-10
    assert optimum(energy, "nonnegative", mass=2.0).energy < 1e-20


def test_a_likelihood_that_one_atom_makes_zero_starts_from_many():
    x = np.array([-20.0, 0.0, 20.0])
    data = mf.Samples(x)
    energy = mf.Energy(
        mf.Gaussian(0.01), None, data, mf.Interval(-25.0, 25.0), mf.NegativeLogLikelihood()
    )
    found = optimum(energy)
    points, masses = sorted_atoms(found)
    np.testing.assert_allclose(points[:, 0], x, atol=1e-6)
    np.testing.assert_allclose(masses, 1.0 / 3.0, rtol=1e-6)
    with pytest.raises(mf.InputError, match="falls with the mass"):
        optimum(energy, "nonnegative")
