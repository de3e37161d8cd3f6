"""The algorithms of particles: in the mean, against their limit, in any dimension, by batches."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meanfield_pde as mf
from meanfield_pde.representations.jumps import log_mean_copies

ENERGY = mf.Energy(
    mf.VonMises(3.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(32), mf.Circle()
)
END = mf.AtTimes(())
MEAN, REBORN = mf.Mean(), mf.Reinjection(mf.CircularNormal(1.0, 4.0))
START = mf.CircularNormal(-1.0, 0.5)
ALGORITHMS = [("jumps", MEAN), ("jumps", REBORN), ("notebook", MEAN), ("weights", MEAN)]
ALGORITHMS += [("notebook", REBORN), ("weights", mf.Free())]


def equation(balance, alpha=8.0, energy=ENERGY):
    return mf.Equation(energy, [mf.Transport(), mf.BirthDeath(alpha, balance)])


def limit(balance, algorithm, dt, t_end=0.6):
    mu = mf.Characteristics(nodes=64).project(START, mf.Circle())
    steps = {"splitting": mf.ParticleLimit(algorithm), "step": mf.Fixed(dt)}
    return mf.solve(equation(balance), mu, t_end, **steps, record=END, save=END)


def particles(balance, method, t_end=0.6):
    mu = method.project(START, mf.Circle())
    return mf.solve(equation(balance), mu, t_end, record=END, save=END)


@given(
    st.lists(st.floats(-30.0, 3.0), min_size=1),
    st.sampled_from(["jumps", "notebook", "weights"]),
)
def test_mean_copies_are_the_flow_to_first_order(factors, algorithm):
    small = 1e-4 * np.array(factors)
    copies = np.exp(log_mean_copies(algorithm, small))
    assert copies == pytest.approx(1.0 + small, abs=1e-5)
    assert np.all(np.exp(log_mean_copies(algorithm, np.array(factors))) >= 0.0)


@pytest.mark.parametrize("x", [0.7, -0.4, -1.1])
def test_mean_copies_of_jumps(x):
    """e^-x of those that die, 2 - e^x of those that are born."""
    expected = np.exp(-x) if x > 0 else 2.0 - np.exp(x)
    assert np.exp(log_mean_copies("jumps", np.array([-x])))[0] == pytest.approx(expected, rel=1e-14)
    assert np.exp(log_mean_copies("notebook", np.array([-x])))[0] == pytest.approx(
        np.clip(1.0 - x, 0.0, 2.0), rel=1e-14
    )


@pytest.mark.parametrize(("algorithm", "balance"), ALGORITHMS)
def test_many_particles_are_their_limit(algorithm, balance):
    """f at all data points within five standard errors of 16 runs, at a dt of visible bias."""
    dt, runs = 0.1, 16
    expected = limit(balance, algorithm, dt)
    found = [particles(balance, mf.Particles(4000, dt, k, algorithm)) for k in range(runs)]
    sample = np.array([run.prediction[-1] for run in found])
    error = sample.std(axis=0, ddof=1) / np.sqrt(runs)
    apart = np.abs(sample.mean(axis=0) - expected.prediction[-1])
    assert np.all(apart < 5.0 * error + 2e-4)
    exact = limit(balance, algorithm, 0.002).prediction[-1]
    assert np.max(np.abs(expected.prediction[-1] - exact) / error) > 5.0


@pytest.mark.parametrize(("algorithm", "balance"), ALGORITHMS)
def test_the_limit_is_of_first_order(algorithm, balance):
    if balance is REBORN:
        mu = mf.Characteristics(nodes=64).project(START, mf.Circle())
        exact = mf.solve(
            equation(balance), mu, 0.6, step=mf.Fixed(0.001), record=END, save=END
        ).energy[-1]
    else:
        mu = mf.Characteristics(nodes=64).project(START, mf.Circle())
        exact = mf.solve(equation(balance), mu, 0.6, record=END, save=END).energy[-1]
    errors = [abs(limit(balance, algorithm, dt).energy[-1] - exact) for dt in (0.01, 0.005)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1.0, abs=0.1)


def test_reborn_particles_come_from_the_law():
    law = mf.CircularNormal(0.5, 1e4)
    mu = mf.Particles(number=1000, seed=4).project(START, mf.Circle())
    moved = mu.jumped(np.full(1000, -0.5), law)
    assert moved.points.shape == mu.points.shape
    fresh = ~np.isin(moved.points[:, 0], mu.points[:, 0])
    assert np.count_nonzero(fresh) == moved.reborn
    assert moved.reborn == pytest.approx(1000 * (1.0 - np.exp(-0.5)), abs=5 * 15.5)
    assert np.all(np.abs(moved.points[fresh, 0] - 0.5) < 0.06)
    again = moved.jumped(np.full(1000, 0.5), law)
    assert again.reborn == moved.reborn


def test_weights_are_those_of_the_nodes_they_move_with():
    """Weighted particles and characteristics from the same places: the same mean field."""
    energy = mf.PotentialEnergy(mf.Quadratic(((2.0,),)), mf.Interval(-4.0, 4.0))
    mu = mf.Particles(50, 0.1, 2, "weights").project(mf.Normal(0.3, 0.5), energy.space)
    solution = mf.solve(
        mf.Equation(energy, [mf.BirthDeath(3.0)]), mu, 1.0, step=mf.Fixed(0.1), record=END, save=END
    )
    weights = np.exp(-3.0 * mu.points[:, 0] ** 2)
    weights /= weights.sum()
    assert np.exp(solution.nodes[-1][:, 1]) == pytest.approx(weights, rel=1e-12)
    assert solution.energy[-1] == pytest.approx(weights @ mu.points[:, 0] ** 2, rel=1e-12)
    assert solution.mass[-1] == pytest.approx(1.0, abs=1e-14)


def test_five_parameters():
    """Gradient descent of a quadratic in R^5, by Euler steps; birth and death keeps the number."""
    space = mf.Product((mf.Interval(-9.0, 9.0),) * 5)
    matrix = tuple(tuple(float(i == j) * (i + 1) for j in range(5)) for i in range(5))
    energy = mf.PotentialEnergy(mf.Quadratic(matrix), space)
    law = mf.ProductLaw((mf.Normal(),) * 5)
    mu = mf.Particles(2000, 0.05).project(law, space)
    moved = mf.solve(mf.Equation(energy, [mf.Transport()]), mu, 0.5, record=END, save=END)
    shrunk = (1.0 - 0.05 * np.arange(1, 6)) ** 10
    assert moved.measure[-1] == pytest.approx(mu.points * shrunk, abs=1e-13)
    both = mf.Equation(energy, [mf.Transport(), mf.BirthDeath(1.0)])
    jumped = mf.solve(both, mu, 0.5, record=END, save=END)
    assert jumped.measure.shape == (2, 2000, 5)
    assert jumped.energy[-1] < moved.energy[-1]


def test_batches_are_right_in_the_mean():
    """On data whose weights differ, and do not sum to one."""
    box = mf.Box((-4.0, -6.0), (4.0, 6.0))
    line = mf.Line(-5.0, 5.0, 6)
    energy = mf.Energy(mf.Charged(mf.Gaussian(0.5)), mf.Mixture((1.0,), (0.0,), (1.0,)), line, box)
    law = mf.ProductLaw((mf.Normal(), mf.Normal()))
    mu = mf.Particles(30, seed=1, batch=3).project(law, box)
    landscape = mu.landscape(energy)
    exact = np.array(landscape.at(mu).gradient)
    fields = [replace(mu, draws=k).seen(landscape)[1] for k in range(4000)]
    seen = np.array([field.gradient for field in fields])
    error = seen.std(axis=0) / np.sqrt(len(seen))
    assert np.all(np.abs(seen.mean(axis=0) - exact) < 5.0 * error)
    means = np.array([field.integral for field in fields])
    apart = means.mean() - landscape.at(mu).integral
    assert abs(apart) < 5.0 * means.std() / np.sqrt(len(means))


def test_runs_by_batches_repeat_and_are_recorded_by_all_data():
    one, two = (particles(MEAN, mf.Particles(30, 0.1, 1, batch=4)) for _ in range(2))
    assert np.array_equal(one.measure, two.measure)
    assert not np.array_equal(one.measure, particles(MEAN, mf.Particles(30, 0.1, 1)).measure)
    assert one.steps[-1] == 6
    last = replace(mf.Particles(30).project(START, mf.Circle()), points=one.measure[-1])
    assert one.energy[-1] == pytest.approx(last.landscape(ENERGY).at(last).energy, rel=1e-12)


def test_a_batch_of_one_point_is_all_data_where_there_is_but_one():
    data = mf.UniformCircle(1)
    energy = mf.Energy(mf.VonMises(3.0), mf.Teacher((1.0,), (1.0,)), data, mf.Circle())
    runs = []
    for batch in (None, 5):
        mu = mf.Particles(40, 0.1, batch=batch).project(START, mf.Circle())
        line = mf.Equation(energy, [mf.Transport()])
        runs.append(mf.solve(line, mu, 1.0, record=END, save=END))
    assert runs[0].measure[-1] == pytest.approx(runs[1].measure[-1], abs=1e-12)


def test_particles_move_first_whatever_the_order_of_the_terms():
    terms = [mf.Transport(), mf.BirthDeath(8.0)]
    mu = mf.Particles(50, 0.1, 2).project(START, mf.Circle())
    one, two = (
        mf.solve(mf.Equation(ENERGY, order), mu, 0.6, record=END, save=END)
        for order in (terms, terms[::-1])
    )
    assert np.array_equal(one.measure, two.measure)


def test_weighted_particles_survive_a_file(tmp_path):
    solution = particles(MEAN, mf.Particles(20, 0.1, 3, "weights"))
    again = mf.read(solution.write(tmp_path / "weighted.h5"))
    assert again.layout.representation == "weighted_particles"
    assert np.array_equal(again.measure, solution.measure)
    assert all(map(np.array_equal, again.nodes, solution.nodes))


@pytest.mark.parametrize(
    ("algorithm", "balance", "words"),
    [
        ("jumps", mf.Free(), "'free': expected 'mean' or 'reinjection'"),
        ("weights", REBORN, "'reinjection': expected 'mean' or 'free'"),
    ],
)
def test_what_an_algorithm_cannot_balance(algorithm, balance, words):
    with pytest.raises(mf.InputError, match=words):
        particles(balance, mf.Particles(5, 0.1, 0, algorithm))
    with pytest.raises(mf.InputError, match=words):
        limit(balance, algorithm, 0.1)


def test_what_no_particles_have():
    energy = mf.PotentialEnergy(mf.Quadratic(((2.0,),)), mf.Interval(-1.0, 1.0))
    mu = mf.Particles(5, 0.1, batch=2).project(mf.Uniform(), energy.space)
    with pytest.raises(mf.InputError, match="batch = 2: expected none for a fixed potential"):
        mf.solve(mf.Equation(energy, [mf.Transport()]), mu, 1.0)
    forced = mf.Equation(ENERGY, [mf.Transport(), mf.Forcing(lambda t, theta: 1.0)])
    nodes = mf.Characteristics(nodes=16).project(START, mf.Circle())
    steps = {"splitting": mf.ParticleLimit(), "step": mf.Fixed(0.1)}
    with pytest.raises(mf.InputError, match="'forcing': expected transport or birth_death"):
        mf.solve(forced, nodes, 0.5, **steps)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": 10.5}, "number = 10.5: expected a whole number"),
        ({"seed": 2**70}, "seed = .*: expected a whole number >= 0, below 2"),
        ({"batch": 2.5}, "batch = 2.5: expected a whole number"),
        ({"algorithm": "leaps"}, "algorithm = 'leaps': expected one of jumps, notebook, weights"),
    ],
)
def test_wrong_settings_of_particles(wrong, words):
    with pytest.raises(mf.InputError, match=words):
        mf.Particles(**wrong)


def test_weights_beyond_all_numbers_stay_a_measure():
    """Factors of e^-5000 between particles, and of e^-5000 for all of them."""
    mu = mf.Particles(3, 0.1, 0, "weights").project(START, mf.Circle())
    moved = mu.reweighted(np.array([-5000.0, -5000.0, -9000.0]), 1.0)
    assert moved.mass == pytest.approx(1.0, rel=1e-12)
    assert moved.values == pytest.approx([1.5, 1.5, 0.0], rel=1e-11)
    assert moved.log_weights[2] == pytest.approx(moved.log_weights[0] - 4000.0, rel=1e-12)
