"""Influences against the solver itself, closed forms and particles; what they predict of noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import skellam

import meanfield_pde as mf
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.fluctuations import PredictionAt, TotalEnergy, influence, mean_excess
from meanfield_pde.plotting.fluctuations import (
    Histogram,
    Measured,
    Spread,
    save_fluctuation_figure,
)
from meanfield_pde.studies import paper

PAPER = paper.energy(charge_range=12.0, location_range=8.0)
LABELS = mf.Energy(
    unit=mf.Ridge("tanh"),
    target=mf.OwnTarget(lambda x: np.where(x > 0.2, 1.0, -1.0)),
    data=mf.UniformInterval(-1.0, 1.0, 9),
    space=mf.Box((-9.0, -9.0), (9.0, 9.0)),
    loss=mf.Logistic(),
    penalty=mf.WeightDecay((0.02, 0.05)),
)
CIRCLE = mf.Energy(
    unit=mf.VonMises(2.0),
    target=mf.Teacher((1.0, 2.5), (0.6, 0.4)),
    data=mf.UniformCircle(24),
    space=mf.Circle(),
)
MIXTURE = mf.Energy(
    unit=mf.Gaussian(0.3),
    target=None,
    data=mf.UniformInterval(-1.0, 1.0, 8),
    space=mf.Interval(-4.0, 4.0),
    loss=mf.NegativeLogLikelihood(),
)
NORMAL = mf.ProductLaw((mf.Normal(0.3, 0.8), mf.Normal(-0.2, 0.5)))
SLOW = mf.Transport((mf.FormulaOfTime("0.5 + t"), 0.3))

PROBLEMS = {
    "gradient descent": (PAPER, [mf.Transport()], paper.FULL_SUPPORT, (8, 24)),
    "birth and death": (
        PAPER,
        [mf.BirthDeath(5.0), mf.Transport()],
        paper.FULL_SUPPORT,
        (8, 24),
    ),
    "alone": (PAPER, [mf.BirthDeath(5.0)], paper.FULL_SUPPORT, (8, 24)),
    "free mass": (PAPER, [mf.BirthDeath(2.0, mf.Free()), mf.Transport()], NORMAL, (16, 16)),
    "loss, penalty, mobility in time": (LABELS, [mf.BirthDeath(2.0), SLOW], NORMAL, (16, 16)),
    "circle": (CIRCLE, [mf.BirthDeath(3.0), mf.Transport()], mf.Uniform(), (32,)),
    "likelihood": (MIXTURE, [mf.BirthDeath(1.0), mf.Transport()], mf.Uniform(-2.0, 2.0), (24,)),
}


def nodes(energy, law, number, reach=8.0):
    method = mf.Characteristics(number, reach=reach, redistribute=None, picture=0)
    return method.project(law, energy.space)


def observed(energy):
    """The prediction at a point of the data, and the energy."""
    return [PredictionAt(float(energy.inputs[len(energy.inputs) // 3])), TotalEnergy()]


def by_solver(equation, mu, node, t_end, step=2e-3):
    """Differences of order 4 of what the solver says, in the mass of one node."""
    total = np.zeros(2)
    for places, weight in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)):
        masses = mu.values.copy()
        masses[node] += places * step
        changed = replace(mu, log_masses=np.log(masses))
        solution = mf.solve(
            equation, changed, t_end, step=mf.Controlled(1e-13), record=mf.AtTimes(())
        )
        place = len(equation.energy.inputs) // 3
        total += weight / step * np.array([solution.prediction[-1, place], solution.energy[-1]])
    return total


@pytest.mark.parametrize("name", PROBLEMS)
def test_influences_are_derivatives_of_the_solver(name):
    energy, terms, law, number = PROBLEMS[name]
    equation = mf.Equation(energy, terms)
    mu = nodes(energy, law, number)
    found = influence(equation, mu, 1.0, observed(energy))
    heavy = np.flatnonzero(mu.values > 6e-3)
    for node in heavy[[0, heavy.size // 3]]:
        expected = by_solver(equation, mu, node, 1.0)
        assert found.influences[:, node] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("name", ["gradient descent", "birth and death", "circle"])
def test_gradients_are_those_of_moved_nodes(name):
    energy, terms, law, number = PROBLEMS[name]
    equation = mf.Equation(energy, terms)
    mu = nodes(energy, law, number)
    found = influence(equation, mu, 1.0, observed(energy))
    node, step = int(np.argmax(mu.values)), 1e-4
    for k in range(mu.parameters):
        ends = []
        for sign in (1.0, -1.0):
            points = mu.points.copy()
            points[node, k] += sign * step
            moved = replace(mu, points=points)
            ends.append(influence(equation, moved, 1.0, observed(energy)).values)
        expected = (ends[0] - ends[1]) / (2.0 * step) / mu.values[node]
        assert found.gradients[:, node, k] == pytest.approx(expected, abs=1e-7)


# ------------------------------------------------------- the linear unit phi = theta psi(x)

START, VARIANCE, TARGET = 0.3, 0.64, 1.7
LINEAR = mf.Energy(
    unit=mf.Linear("1 + x"),
    target=mf.FormulaTarget(f"{TARGET} * (1 + x)"),
    data=mf.UniformInterval(0.0, 1.0, 4),
    space=mf.Interval(-20.0, 20.0),
)
SQUARE = float(LINEAR.data_weights @ (1 + LINEAR.inputs) ** 2)
X = 0.4
TIME = 0.6


def exact_influence(theta, alpha, mean, span):
    """On m(t) a time later, from N(mean, v), less its mean: displacement A, m = -A + kappa'.

    kappa' is the mean of the initial law tilted by e^(lambda theta), lambda = - alpha A, and
    A' = K1 (m - m*).
    """
    rate = SQUARE * (1.0 + alpha * VARIANCE)

    def tilted(time):
        shift = (mean - TARGET) * -np.expm1(-rate * time) / (1.0 + alpha * VARIANCE)
        slope = -alpha * shift
        tilt = np.exp(slope * (theta - mean) - 0.5 * VARIANCE * slope**2)
        return (theta - mean - VARIANCE * slope) * tilt

    unit, weights = np.polynomial.legendre.leggauss(40)
    times, weights = 0.5 * span * (1.0 + unit), 0.5 * span * weights
    pushed = sum(
        w * np.exp(-rate * (span - s)) * SQUARE * tilted(s)
        for s, w in zip(times, weights, strict=True)
    )
    return tilted(span) - (1.0 + alpha * VARIANCE) * pushed


def linear_case(alpha, number=48):
    terms = [mf.Transport(), mf.BirthDeath(alpha)] if alpha else [mf.Transport()]
    mu = nodes(LINEAR, mf.Normal(START, VARIANCE**0.5), number, reach=9.0)
    return influence(mf.Equation(LINEAR, terms), mu, TIME, [PredictionAt(X), TotalEnergy()])


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_the_linear_unit_has_influences_in_closed_form(alpha):
    found = linear_case(alpha)
    theta, masses = found.start.points[:, 0], found.start.values
    exact = exact_influence(theta, alpha, START, TIME)
    end = (START - TARGET) * np.exp(-SQUARE * (1.0 + alpha * VARIANCE) * TIME)
    near = masses > 1e-12
    for row, factor in zip(found.influences, (1.0 + X, SQUARE * end), strict=True):
        centred = row - row @ masses
        assert centred[near] == pytest.approx(factor * exact[near], rel=1e-9, abs=1e-9)
    assert found.values == pytest.approx([(1.0 + X) * (TARGET + end), 0.5 * SQUARE * end**2])
    if alpha == 0.0:
        spread = VARIANCE * np.exp(-2.0 * SQUARE * TIME)
        assert found.initial[0] == pytest.approx((1.0 + X) ** 2 * spread, rel=1e-9)
        assert found.kurtosis[0] == pytest.approx(3.0, rel=1e-9)
        assert found.variance(100, 0.1) == pytest.approx(found.initial, rel=1e-12)
        constant = -(START - TARGET) * SQUARE * TIME * np.exp(-SQUARE * TIME)
        mean = (1.0 + X) * (START * np.exp(-SQUARE * TIME) + constant)
        assert found.mean[0] == pytest.approx(mean, rel=1e-9)


def test_what_jumps_add_to_the_linear_unit():
    alpha = 2.0
    found = linear_case(alpha, 480)  # |V - <V>| has a corner, which nodes must resolve
    theta = np.linspace(-9.0, 9.0, 20001) * VARIANCE**0.5
    density = np.exp(-0.5 * theta**2 / VARIANCE)
    density /= density.sum()
    for index in (0, 13, 31):
        s = found.times[index]
        mean = TARGET + (START - TARGET) * np.exp(-SQUARE * (1.0 + alpha * VARIANCE) * s)
        rate = alpha * SQUARE * abs(mean - TARGET) * np.abs(theta)
        squares = ((1.0 + X) * exact_influence(mean + theta, alpha, mean, TIME - s)) ** 2
        assert found.turnover[index] == pytest.approx(rate @ density, rel=1e-3)
        assert found.spreads[0, index] == pytest.approx(squares @ density, rel=1e-9)
        assert found.jump_spreads[0, index] == pytest.approx((rate * squares) @ density, rel=1e-3)


# ------------------------------------------------------------------ between nodes


def test_influences_between_nodes():
    """Nodes of hardly any mass are carried along: their influences need no interpolation."""
    equation = mf.Equation(PAPER, [mf.BirthDeath(5.0), mf.Transport()])
    mu = nodes(PAPER, paper.FULL_SUPPORT, (24, 40), reach=9.0)
    points = mf.Particles(30).project(paper.FULL_SUPPORT, PAPER.space).points
    carried = replace(
        mu,
        points=np.concatenate([mu.points, points]),
        log_masses=np.append(mu.log_masses, np.full(30, -200.0)),
    )
    found = influence(equation, carried, 1.0, observed(PAPER))
    assert found.at(points) == pytest.approx(found.influences[:, -30:], abs=1e-6)
    expected = found.at(points).mean(axis=1) - found.mean
    assert found.linear_term(points) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(InputError, match="expected one within the nodes"):
        found.at(np.array([[2.5, 0.0]]))


def test_influences_between_nodes_of_a_mixture():
    law = mf.MixtureLaw((0.5, 0.5), (mf.Uniform(-2.0, 0.0), mf.Uniform(0.0, 1.0)))
    equation = mf.Equation(CIRCLE, [mf.Transport()])
    found = influence(equation, nodes(CIRCLE, law, 24), 0.5, [PredictionAt(0.3)])
    places = np.array([[-1.5], [-1e-9], [1e-9], [0.7]])
    values = found.at(places)[0]
    assert values[1] == pytest.approx(values[2], abs=1e-7)
    assert found.at(found.start.points) == pytest.approx(found.influences, abs=1e-12)


# ------------------------------------------------------------------ particles


@pytest.mark.parametrize("jumps", [1e-3, 1.0, 7.3, 40.0])
def test_births_less_deaths(jumps):
    counts = np.arange(-400, 401)
    expected = np.sum(np.abs(counts) * skellam.pmf(counts, 0.5 * jumps, 0.5 * jumps))
    assert mean_excess(jumps) == pytest.approx(expected, rel=1e-9)


def test_control_of_few_jumps_nearly_doubles_their_noise():
    assert 1.0 + mean_excess(1.0) == pytest.approx(1.67, abs=0.005)
    assert mean_excess(1e-6) / 1e-6 == pytest.approx(1.0, abs=1e-5)
    assert mean_excess(1e6) == pytest.approx((2e6 / np.pi) ** 0.5, rel=1e-6)


def runs(number, dt, seeds, t_end, birth_death, algorithm="jumps"):
    """The prediction; f_N and E_N at the end less the mean field, and their linear terms."""
    terms = [mf.Transport(), *([mf.BirthDeath(5.0)] if birth_death else [])]
    equation = mf.Equation(PAPER, terms)
    places = [15, 20, 25, 30]
    watched = [*(PredictionAt(float(PAPER.inputs[place])) for place in places), TotalEnergy()]
    mu = nodes(PAPER, paper.FULL_SUPPORT, (24, 40), reach=9.0)
    found = influence(equation, mu, t_end, watched)
    changes, linear = [], []
    for seed in range(seeds):
        start = mf.Particles(number, dt, seed, algorithm).project(paper.FULL_SUPPORT, PAPER.space)
        last = mf.solve(
            *(equation, start, t_end),
            splitting=mf.Lie(),
            step=mf.Fixed(dt),
            record=mf.AtTimes(()),
            save=mf.AtTimes(()),
        )
        seen = np.append(last.prediction[-1, places], last.energy[-1])
        changes.append(seen - found.values)
        linear.append(found.linear_term(start.points))
    return found, np.array(changes), np.array(linear)


@pytest.mark.parametrize("algorithm", ["gradient descent", "weights"])
def test_the_linear_term_is_the_fluctuation_where_only_the_start_is_random(algorithm):
    """What is left is of second order: its square times N falls as 1 / N, eight times here.

    Its tails are heavy (a kurtosis of 10 to 30), hence medians.
    """
    birth_death = algorithm == "weights"
    kind = algorithm if birth_death else "jumps"
    shares = []
    for number in (250, 2000):
        found, changes, linear = runs(number, 0.02, 40, 0.5, birth_death, kind)
        rest = changes - linear
        squares = number * (rest - np.median(rest, axis=0)) ** 2 / found.initial
        shares.append(np.median(squares, axis=0).mean())
    assert shares[0] < 0.05
    assert shares[1] < 0.4 * shares[0]


def test_the_noise_of_jumps():
    number, dt, seeds = 200, 0.0125, 300
    found, changes, linear = runs(number, dt, seeds, 0.25, True)
    rest = changes - linear
    weights = 1.0 / (found.jumps + found.control(number, dt))
    squares = number * (rest - rest.mean(axis=0)) ** 2 @ weights / weights.size
    error = squares.std(ddof=1) / seeds**0.5
    assert squares.mean() == pytest.approx(1.0, abs=3.0 * error)
    without = np.mean(found.jumps * weights)
    assert without < squares.mean() - 3.0 * error


# ------------------------------------------------------------------ wrong input


def test_what_is_not_known_is_refused():
    mu = nodes(CIRCLE, mf.Uniform(), 16)
    equation = mf.Equation(CIRCLE, [mf.Transport()])
    watched = [TotalEnergy()]
    reborn = mf.Equation(CIRCLE, [mf.BirthDeath(1.0, mf.Reinjection(mf.Uniform()))])
    fixed = mf.Equation(
        mf.PotentialEnergy(mf.FormulaPotential("-cos(theta)"), mf.Circle()), [mf.Transport()]
    )
    grid = mf.FiniteVolumes(16).project(mf.Uniform(), CIRCLE.space)
    wrong = [
        (lambda: influence(reborn, mu, 1.0, watched), "balance = 'reinjection'"),
        (lambda: influence(fixed, mu, 1.0, watched), "fixed potential"),
        (lambda: influence(equation, grid, 1.0, watched), "expected what Characteristics"),
        (lambda: influence(equation, mu, 0.0, watched), "t_end = 0.0"),
        (lambda: influence(equation, mu, 1.0, []), "observables"),
    ]
    for call, message in wrong:
        with pytest.raises(InputError, match=message):
            call()


def test_walls_and_tails_stop_it():
    narrow = paper.energy(charge_range=8.0, location_range=2.05)
    equation = mf.Equation(narrow, [mf.Transport()])
    with pytest.raises(NumericalFailure, match="a node is on a wall at t"):
        influence(equation, nodes(narrow, paper.FULL_SUPPORT, (16, 16)), 2.0, [TotalEnergy()])
    equation = mf.Equation(PAPER, [mf.BirthDeath(5.0), mf.Transport()])
    with pytest.raises(NumericalFailure, match="larger `reach`"):
        influence(equation, nodes(PAPER, paper.FULL_SUPPORT, 16, 3.5), 2.0, [TotalEnergy()])


def test_the_figure_is_written(tmp_path):
    x = np.linspace(-1.0, 1.0, 5)
    histogram = Histogram(np.random.default_rng(0).normal(size=50), "runs")
    spread = Spread(
        "noise", x, {"predicted": 1.0 - 0.5 * x**2}, [Measured(x, 1.0 - x**2, 0.1 + x**2)]
    )
    files = save_fluctuation_figure([histogram], [spread, spread], tmp_path, ("png", "pdf"))
    assert [file.name for file in files] == ["fluctuations.png", "fluctuations.pdf"]
    assert all(file.stat().st_size > 5000 for file in files)


@pytest.mark.parametrize(
    ("observables", "words"),
    [
        ([0.0], "observable = 0.0: expected a list of PredictionAt"),
        (TotalEnergy(), "observables = .*: expected a list of PredictionAt"),
        ([PredictionAt((0.0, 1.0))], r"x = \(0.0, 1.0\): expected 1 number"),
    ],
)
def test_what_cannot_be_observed_is_one_sentence(observables, words):
    mu = mf.Characteristics(nodes=16).project(mf.Uniform(), mf.Circle())
    with pytest.raises(InputError, match=words):
        influence(mf.Equation(CIRCLE, [mf.Transport()]), mu, 0.1, observables)
