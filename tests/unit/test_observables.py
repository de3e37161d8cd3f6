"""What is recorded: moments, walls, both dissipations, and where it can be found again."""

import numpy as np
import pytest
from scipy.special import i0, i1

import meanfield_pde as mf
from meanfield_pde.observables import layout
from meanfield_pde.representations.moments import axis_moments

LAWS = mf.ProductLaw((mf.Normal(0.3, 0.5), mf.Uniform(-1.0, 0.5)))
BOX = mf.Box((-4.0, -2.0), (4.0, 2.0))


@pytest.mark.parametrize("centre", [0.0, 1.3, -2.9, 3.1])
def test_circular_moments_of_a_von_mises_density(centre):
    """Also where the peak lies across the ends of the range."""
    cells, kappa = 64, 4.0
    theta = -np.pi + (np.arange(cells) + 0.5) * 2 * np.pi / cells
    share = np.exp(kappa * np.cos(theta - centre))
    (axis,) = mf.Circle().axes
    mean, variance = axis_moments(theta, share / share.sum(), axis)
    assert mean == pytest.approx(centre, abs=1e-12)
    assert variance == pytest.approx(1 - i1(kappa) / i0(kappa), abs=1e-12)


def test_moments_on_a_grid():
    """Averages over cells of width h add h^2 / 12 to the variance of a smooth density."""
    mu = mf.FiniteVolumes((80, 80)).project(LAWS, BOX)
    mean, variance = mu.moments()
    assert mean == pytest.approx([0.3, -0.25], abs=1e-12)
    assert variance[0] == pytest.approx(0.25 + 0.1**2 / 12, abs=1e-10)
    assert variance[1] == pytest.approx(1.5**2 / 12 - 0.05**2 / 12, abs=1e-12)


def test_moments_of_particles():
    mu = mf.Particles(number=4).project(LAWS, BOX)
    mean, variance = mu.moments()
    assert mean == pytest.approx(mu.points.mean(axis=0), abs=1e-14)
    assert variance == pytest.approx(mu.points.var(axis=0), abs=1e-14)


def test_wall_mass():
    space = mf.Product((mf.Circle(), mf.Interval(0.0, 1.0)))
    mu = mf.FiniteVolumes((4, 10)).project(mf.Uniform(), space)
    assert mu.wall_mass() == pytest.approx(0.2)
    corner = np.zeros((4, 5))
    corner[0, 0] = 5.0
    mu = mf.FiniteVolumes((4, 5)).project(mf.Uniform(), mf.Box((0.0, 0.0), (4.0, 1.0)))
    assert mu.with_density(corner).wall_mass() == pytest.approx(2.0)
    points = mf.Particles(number=10).project(mf.Point(1.0), mf.Interval(0.0, 1.0))
    assert points.wall_mass() == 1.0
    assert mf.Particles(number=10).project(mf.Point(0.5), mf.Interval(0.0, 1.0)).wall_mass() == 0


def problem(mean_potential):
    """An equation's energy and a measure, V shifted so that its mean is as given."""
    space = mf.Interval(-3.0, 3.0)
    mu = mf.FiniteVolumes(60).project(mf.Normal(0.7, 0.5), space)
    plain = mf.PotentialEnergy(mf.Quadratic(((1.0,),)), space)
    offset = mean_potential - mu.landscape(plain).at(mu).energy
    return mf.PotentialEnergy(mf.Quadratic(((1.0,),), offset), space), mu


@pytest.mark.parametrize("mean_potential", [0.8, -0.8])
@pytest.mark.parametrize(
    "balance", [mf.Free(), mf.Mean(), mf.Reinjection(mf.Normal(-0.3, 0.6))], ids=lambda b: b.kind
)
def test_birth_death_dissipation_is_what_its_rate_takes_from_the_energy(balance, mean_potential):
    energy, mu = problem(mean_potential)
    field = mu.landscape(energy).at(mu)
    term = mf.BirthDeath(1.7, balance)
    rate = term.rate(mu, field, 0.0)
    change = np.sum(field.potential * rate) * mu.weight
    assert change == pytest.approx(-term.dissipation(field, mu, 0.0), rel=1e-12)
    lost_mass = np.sum(rate) * mu.weight
    expected = -1.7 * mean_potential if balance.kind == "free" else 0.0
    assert lost_mass == pytest.approx(expected, abs=1e-12)


def test_transport_dissipation_is_what_its_rate_takes_from_the_energy():
    """Up to the error of the scheme, which falls by four with the width of a cell."""
    space = mf.Box((-4.0, -4.0), (4.0, 4.0))
    energy = mf.PotentialEnergy(mf.Quadratic(((1.0, 0.3), (0.3, 0.5))), space)
    term = mf.Transport(mobility=(1.0, 2.0))
    law = mf.ProductLaw((mf.Normal(0.3, 0.6), mf.Normal(-0.2, 0.6)))
    defects = []
    for cells in (160, 320):
        mu = mf.FiniteVolumes(cells, mf.Muscl("none")).project(law, space)
        field = mu.landscape(energy).at(mu)
        change = np.sum(field.potential * term.rate(mu, field, 0.0)) * mu.weight
        defects.append(change / term.dissipation(field, 0.0) + 1)
    assert abs(defects[1]) < 4e-4
    assert defects[0] / defects[1] == pytest.approx(4.0, abs=0.2)


def test_scalars_of_a_run_are_those_of_its_measures():
    energy, mu = problem(0.4)
    equation = mf.Equation(energy, [mf.BirthDeath(2.0), mf.Transport()])
    solution = mf.solve(equation, mu, 0.4, record=mf.AtTimes((0.2,)), save=mf.AtTimes((0.2,)))
    for index, density in enumerate(solution.measure):
        at = mu.with_density(density)
        field = mu.landscape(energy).at(at)
        transport, birth_death, _ = equation.dissipation(at, field, 0.0)
        expected = {
            "energy": field.energy,
            "mean_potential": field.integral / field.mass,
            "mass": density.sum() * mu.weight,
            "transport_dissipation": transport,
            "birth_death_dissipation": birth_death,
            "wall_mass": density[[0, -1]].sum() * mu.weight,
        }
        for name, value in expected.items():
            assert solution.scalars[name][index] == pytest.approx(value, rel=1e-12, abs=1e-30)
        mean, variance = at.moments()
        assert solution.mean[index] == pytest.approx(mean, abs=1e-15)
        assert solution.variance[index] == pytest.approx(variance, abs=1e-15)
    assert solution.smallest_density[-1] == min(d.min() for d in solution.measure)
    assert solution.steps[0] == 0 < solution.steps[-1]


def test_identity_defect_is_the_trapezoidal_balance_of_the_steps():
    """With records at every step the dissipations of the records give the same sum."""
    energy, mu = problem(0.4)
    equation = mf.Equation(energy, [mf.BirthDeath(2.0), mf.Transport()])
    record, save = mf.EveryTime(0.01), mf.AtTimes(())
    solution = mf.solve(equation, mu, 0.2, step=mf.Fixed(0.01), record=record, save=save)
    lost = solution.transport_dissipation + solution.birth_death_dissipation
    sums = np.concatenate([[0.0], np.cumsum((lost[1:] + lost[:-1]) / 2 * np.diff(solution.time))])
    expected = solution.energy - solution.energy[0] + sums
    assert solution.steps[-1] == 20
    assert solution.identity_defect == pytest.approx(expected, abs=1e-14)
    assert np.abs(solution.identity_defect).max() < 1e-2 * sums[-1]


def test_solution_names_its_scalars():
    energy, mu = problem(0.4)
    solution = mf.solve(mf.Equation(energy, [mf.Transport()]), mu, 0.1)
    assert solution.energy is solution.scalars["energy"]
    with pytest.raises(AttributeError, match=r"no 'enrgy'.* scalars energy, "):
        _ = solution.enrgy
    with pytest.raises(mf.InputError, match=r"time = 0\.0123: expected one of the recorded"):
        solution.at("energy", [0.0123])


def test_a_layout_tells_samples_and_targets_from_quadratures():
    """Samples keep their weights; a loss without a target has none in the layout."""
    points = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, -1.0]])
    samples = mf.Samples(points, weights=[1.0, 2.0, 1.0], columns={"y": [1.0, -1.0, 0.5]})
    box = mf.Box((-4.0, -4.0), (4.0, 4.0))
    plane = mf.Gaussian(0.5, dimension=2)
    column = mf.Energy(plane, mf.Column("y"), samples, box)
    likelihood = mf.Energy(plane, None, samples, box, mf.NegativeLogLikelihood())
    mu = mf.FiniteVolumes((8, 8)).project(mf.Uniform(), box)
    layouts = [layout(mf.Equation(energy, [mf.Transport()]), mu) for energy in (column, likelihood)]
    for found in layouts:
        np.testing.assert_array_equal(found.inputs, points)
        np.testing.assert_array_equal(found.sample_weights, [0.25, 0.5, 0.25])
        assert found.input_names == ("x_1", "x_2")
    assert layouts[0].target.tolist() == [1.0, -1.0, 0.5]
    assert layouts[1].target.size == 0
    line = mf.Interval(-4.0, 4.0)
    quadrature = mf.Energy(mf.Gaussian(0.5), mf.Teacher((0.2,), (1.0,)), mf.Line(-5, 5, 41), line)
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), line)
    found = layout(mf.Equation(quadrature, [mf.Transport()]), mu)
    assert (found.inputs.shape, found.target.shape, found.sample_weights.size) == ((41,), (41,), 0)
    assert found.input_names == ("x",)
