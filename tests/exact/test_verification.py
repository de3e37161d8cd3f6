"""Solutions that verify the methods: linear units, small waves, a manufactured one; verdicts."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import iv

import meanfield_pde as mf
from meanfield_pde.problem.exact import LinearUnitGaussian, UniformWaves
from meanfield_pde.problem.manufactured import TravellingTorus
from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.studies import verification
from meanfield_pde.studies.exact import exact_solution
from meanfield_pde.studies.verification import Expected, Ladder, climb, verdicts

END = mf.AtTimes(())


# ------------------------------------------------------------------ linear units

LINEAR = mf.Energy(
    mf.Linear("x"),
    mf.FormulaTarget("1 + 2*x"),
    mf.UniformInterval(0.0, 1.0, 8),
    mf.Interval(-9.0, 9.0),
)


@pytest.mark.parametrize("transport", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 2.5])
def test_linear_units_against_weighted_characteristics(alpha, transport):
    """Of 60 Gauss-Hermite nodes, V from their own mean; K = 1/3, m* = 7/2, residual 1/8."""
    exact = LinearUnitGaussian(1 / 3, 3.5, -0.5, 0.49, alpha, transport, residual=0.125)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def mean(theta, log_weight):
        law = weights * np.exp(log_weight)
        return law @ theta / law.sum()

    def rate(_, state):
        theta, log_weight = np.split(state, 2)
        slope = (mean(theta, log_weight) - 3.5) / 3
        return np.concatenate([np.full(60, -slope * transport), -alpha * slope * theta])

    start = np.concatenate([-0.5 + 0.7 * nodes, np.zeros(60)])
    end = solve_ivp(rate, (0.0, 1.2), start, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    theta, log_weight = np.split(end, 2)
    m = mean(theta, log_weight)
    law = weights * np.exp(log_weight)
    assert exact.mean(1.2) == pytest.approx(m, abs=1e-10)
    assert law @ (theta - m) ** 2 / law.sum() == pytest.approx(0.49, abs=1e-10)
    f = 0.5 * np.polynomial.polynomial.Polynomial([-1.0, m - 2.0]) ** 2
    assert exact.energy(1.2) == pytest.approx(f.integ()(1.0) - f.integ()(0.0), abs=1e-10)


def test_linear_units_are_recognised():
    equation = mf.Equation(LINEAR, [mf.BirthDeath(2.5), mf.Transport()])
    found = exact_solution(equation, mf.Normal(-0.5, 0.7))
    known = LinearUnitGaussian(1 / 3, 3.5, -0.5, 0.49, 2.5, residual=0.125)
    theta = np.linspace(-3.0, 5.0, 7)
    assert found.energy(0.8) == pytest.approx(known.energy(0.8), rel=1e-12)
    assert found.density(0.8, (theta,)) == pytest.approx(
        np.exp(-((theta - known.mean(0.8)) ** 2) / 0.98) / math.sqrt(0.98 * math.pi), rel=1e-10
    )
    assert found.check_walls((0.0, 0.8)) < 1e-12
    mu = mf.Characteristics(48).project(mf.Normal(-0.5, 0.7), LINEAR.space)
    solution = mf.solve(equation, mu, 0.8, record=END, save=END)
    assert solution.energy[-1] == pytest.approx(found.energy(0.8), abs=1e-9)


@pytest.mark.parametrize(
    ("energy", "terms"),
    [
        (LINEAR, [mf.BirthDeath(1.0, mf.Free())]),
        (replace(LINEAR, loss=mf.Huber(1.0)), [mf.Transport()]),
        (replace(LINEAR, penalty=mf.WeightDecay(0.1)), [mf.Transport()]),
    ],
)
def test_other_linear_units_are_not(energy, terms):
    with pytest.raises(mf.InputError, match="linear units of squared loss"):
        exact_solution(mf.Equation(energy, terms), mf.Normal(-0.5, 0.7))


# ------------------------------------------------------------------ waves on the uniform state

KERNEL = tuple(2.0 * float(iv(m, 2.0) / iv(0, 2.0)) ** 2 for m in (1, 2, 3))
FLAT = mf.Energy(mf.VonMises(2.0), mf.FormulaTarget("1"), mf.UniformCircle(48), mf.Circle())


def waves_after(size, alpha, t):
    """Amplitudes of waves 1, 2, 3, and the energy, by Fourier series."""
    start = UniformWaves(alpha, KERNEL, (size, -0.6 * size, 0.4 * size))
    law = mf.DensityFunction(lambda theta: start.density(0.0, theta))
    equation = mf.Equation(FLAT, [mf.BirthDeath(alpha), mf.Transport()])
    mu = mf.Fourier(32).project(law, FLAT.space)
    step = mf.Controlled(tolerance=1e-13)
    solution = mf.solve(equation, mu, t, step=step, record=END, save=END)
    theta = solution.layout.centres[0]
    found = [2.0 * np.mean(2 * np.pi * solution.measure[-1] * np.cos(m * theta)) for m in (1, 2, 3)]
    return start, np.array(found), solution.energy[-1]


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_each_wave_decays_at_its_own_rate(alpha):
    """Up to the square of the amplitudes: a tenth of the size, a hundredth of the error."""
    errors = []
    for size in (1e-3, 1e-4):
        exact, found, energy = waves_after(size, alpha, 1.5)
        errors.append(float(np.max(np.abs(found - exact.at(1.5)))))
        assert errors[-1] < size**2
        assert energy == pytest.approx(exact.energy(1.5), rel=10 * size)
    assert errors[0] / errors[1] == pytest.approx(100.0, rel=0.05)


def test_birth_and_death_speed_wave_m_up_by_alpha_over_its_square():
    slow, fast = (UniformWaves(alpha, KERNEL, (1e-3,) * 3).rates() for alpha in (0.0, 6.0))
    assert fast / slow == pytest.approx([7.0, 2.5, 1.0 + 6.0 / 9.0], rel=1e-14)


def test_cells_of_waves_have_mass_one():
    exact = UniformWaves(1.0, KERNEL, (0.2, 0.1, 0.05))
    averages = exact.cell_averages(0.4, np.linspace(-np.pi, np.pi, 33))
    assert averages.sum() * 2 * np.pi / 32 == pytest.approx(1.0, abs=1e-13)


# ------------------------------------------------------------------ the manufactured solution

HILL = TravellingTorus(alpha=1.5)
BOTH = [mf.BirthDeath(1.5), mf.Transport()]
FORCED = mf.Equation(HILL.problem, [*BOTH, mf.Forcing(HILL.relative_rate)])
HILL_LAW = mf.DensityFunction(lambda a, b: HILL.density(0.0, (a, b)))


def test_the_manufactured_density_satisfies_its_equation():
    """V from the package at 64 x 64 nodes, derivatives by FFT and by differences in time."""
    size, t, h = 64, 0.3, 1e-3
    axis = 2 * np.pi * np.arange(size) / size
    theta = tuple(np.meshgrid(axis, axis, indexing="ij"))

    class Mu:
        values, weight = HILL.density(t, theta), (2 * np.pi / size) ** 2

    field = HILL.problem.on(GridNodes((axis, axis))).at(Mu)
    wave = 1j * np.fft.fftfreq(size, 1 / size)
    right = (HILL.relative_rate(theta, t) - 1.5 * (field.potential - field.integral)) * Mu.values
    for k, slope in enumerate(field.gradient):
        along = wave[:, None] if k == 0 else wave
        right += np.fft.ifft(along * np.fft.fft(Mu.values * slope, axis=k), axis=k).real
    near, far = (
        HILL.density(t + step, theta) - HILL.density(t - step, theta) for step in (h, 2 * h)
    )
    assert right == pytest.approx((8 * near - far) / (12 * h), abs=1e-11)
    assert field.energy == pytest.approx(HILL.energy(t), abs=1e-14)
    assert field.mass == pytest.approx(1.0, abs=1e-13)
    edges = np.linspace(-np.pi, np.pi, 13)
    cells = HILL.cell_averages(t, (edges, edges))
    assert cells.sum() * (2 * np.pi / 12) ** 2 == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize(
    ("method", "splitting", "sizes", "order", "bound"),
    [
        (lambda n: mf.FiniteVolumes(n, mf.Upwind()), mf.Strang(), (16, 32), 0.9, 1.5e-2),
        (lambda n: mf.FiniteVolumes(n), mf.Strang(), (16, 32), 1.8, 4e-3),
        (lambda n: mf.FiniteVolumes(n), mf.Unsplit("ssp3"), (16, 32), 1.8, 4e-3),
        (
            lambda n: mf.FiniteVolumes(n, mf.Weno5()),
            mf.Unsplit("ssp4"),
            (16, 32),
            3.8,
            2e-4,
        ),
        (lambda n: mf.Fourier(n), mf.Unsplit("dop853"), (24, 36), 10.0, 2e-7),
        (lambda n: mf.Fourier(n), mf.Strang(), (36,), None, 1e-3),
    ],
)
def test_methods_reach_the_manufactured_solution(method, splitting, sizes, order, bound):
    errors = []
    for size in sizes:
        mu = method(size).project(HILL_LAW, HILL.problem.space)
        embedded = splitting == mf.Unsplit("dop853")
        step = mf.Controlled() if embedded else mf.Fixed(0.5 / size)
        solution = mf.solve(FORCED, mu, 0.5, splitting=splitting, step=step, record=END, save=END)
        exact = HILL.density(0.5, tuple(np.meshgrid(*mu.centres, indexing="ij")))
        if mu.representation == "finite_volumes":
            exact = HILL.cell_averages(0.5, mu.grid.edges)
        volume = (2 * np.pi / size) ** 2
        errors.append(float(np.sum(np.abs(solution.measure[-1] - exact))) * volume)
    assert errors[-1] < bound
    if order is not None:
        assert math.log(errors[0] / errors[1]) / math.log(sizes[1] / sizes[0]) > order, errors


def test_characteristics_carry_the_forcing_along():
    mu = mf.Characteristics(24, redistribute=None).project(HILL_LAW, HILL.problem.space)
    solution = mf.solve(FORCED, mu, 0.5, record=END, save=END)
    assert solution.energy[-1] == pytest.approx(HILL.energy(0.5), abs=1e-9)
    assert abs(solution.identity_defect[-1]) < 1e-9


# ------------------------------------------------------------------ the forcing term


@pytest.mark.parametrize(
    "method", [mf.FiniteVolumes(48), mf.Characteristics(32), mf.Fourier(32)], ids=lambda m: m.kind
)
@pytest.mark.parametrize("splitting", [mf.Strang(), None], ids=["strang", "default"])
def test_a_constant_rate_multiplies_the_mass(method, splitting):
    """Though birth and death balance theirs: exp(int s dt), s = -0.7 + 2 t, until t = 1."""
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    forcing = mf.Forcing(lambda theta, t: np.full(theta[0].shape, -0.7 + 2.0 * t))
    equation = mf.Equation(energy, [mf.BirthDeath(1.0), forcing, mf.Transport()])
    mu = method.project(mf.Uniform(), energy.space)
    split = method.kind == "finite_volumes" or splitting is not None
    step = mf.Fixed(0.05) if split else mf.Controlled()
    solution = mf.solve(equation, mu, 1.0, splitting=splitting, step=step, record=END, save=END)
    assert solution.mass[-1] == pytest.approx(math.exp(0.3), rel=1e-9)


def test_strang_takes_three_terms_symmetrically():
    fractions = mf.Strang().fractions(3)
    assert fractions == ((0, 0.5), (1, 0.5), (2, 1.0), (1, 0.5), (0, 0.5))


@pytest.mark.parametrize(("splitting", "order"), [(mf.Lie(), 1), (mf.Strang(), 2)])
def test_splittings_of_three_terms_have_their_orders(splitting, order):
    """Against unsplit steps on the same waves."""
    mu = mf.Fourier(32).project(HILL_LAW, HILL.problem.space)
    best = mf.solve(FORCED, mu, 0.5, record=END, save=END).measure[-1]
    errors = []
    for dt in (0.0125, 0.00625):
        numerics = {"splitting": splitting, "step": mf.Fixed(dt), "record": END, "save": END}
        found = mf.solve(FORCED, mu, 0.5, **numerics).measure[-1]
        errors.append(float(np.max(np.abs(found - best))))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_a_forced_equation_prints_as_one():
    assert str(FORCED).splitlines()[0] == "d_t mu = - alpha (V - <V>) mu + div(mu grad V) + s mu"


def test_wrong_forcings_are_refused():
    with pytest.raises(mf.InputError, match=r"relative_rate = 3\.0: expected a function"):
        mf.Forcing(3.0)
    mu = mf.Particles(number=8).project(mf.Uniform(), HILL.problem.space)
    with pytest.raises(mf.InputError, match="expected transport or birth_death for a particle"):
        mf.solve(FORCED, mu, 0.1)


@pytest.mark.parametrize("rate", [lambda theta, t: 1.0, lambda theta, t: theta[0] * np.nan])
def test_a_rate_of_another_shape_or_not_finite_stops_the_run(rate):
    equation = mf.Equation(HILL.problem, [mf.Forcing(rate)])
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), HILL.problem.space)
    with pytest.raises(mf.NumericalFailure, match="relative rate of the forcing"):
        mf.solve(equation, mu, 0.1)


# ------------------------------------------------------------------ verdicts

SMALL = Expected((64, 128), 2e-3, 1e-3, 1.5)


def test_a_ladder_as_expected_passes():
    ladder = climb(("units, alpha = 1", "MUSCL", SMALL))
    assert ladder.passed
    assert ladder.orders[0] > 1.5
    assert min(ladder.seconds) > 0.0
    assert "1 of 1 ladders are as expected" in verdicts([ladder])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"density": 1e-6}, "density .*, expected 1e-06"),
        ({"energy": 1e-8}, "energy .*, expected 1e-08"),
        ({"order": 3.5}, r"order 1\.\d\d, expected 3.5"),
    ],
)
def test_a_missed_expectation_is_a_failure_in_words(changed, says):
    measured = climb(("units, alpha = 1", "MUSCL", SMALL))
    ladder = replace(measured, expected=replace(SMALL, **changed))
    assert not ladder.passed
    assert len(ladder.shortfalls) == 1
    text = verdicts([measured, ladder])
    assert "FAILED" in text
    assert "1 of 2 ladders are as expected" in text
    assert re.search(f"units, alpha = 1 by MUSCL: {says}", text)


def test_errors_that_are_not_known_are_a_failure():
    found = Ladder("circle", "MUSCL", SMALL, (1.0, math.nan), (1.0, math.nan), (1.0, 1.0))
    assert len(found.shortfalls) == 3


def test_a_run_that_stops_is_a_failure_that_says_why():
    ladder = climb(("units, alpha = 1", "Fourier", Expected((8, 16), 1.0)))
    assert not ladder.passed
    assert "spectrum no longer decays" in verdicts([ladder])


@pytest.mark.parametrize(("scheme", "size"), [("characteristics", 10.0), ("MUSCL", 240.0)])
def test_a_blow_up_is_seen_in_time(scheme, size):
    problem = verification.BlowUp()
    assert problem.time == pytest.approx(math.log(1.0 + 2.0 / 1.5) / 2.0)
    error, _, _ = problem.run(verification.SCHEMES[scheme], size)
    assert 0.0 < error < 0.15


def test_no_blow_up_is_seen_where_none_is():
    """In V = + theta^2 / 2 nothing stops or is warned of: no time, hence no error, hence failed."""
    energy = mf.PotentialEnergy(mf.Quadratic(((1.0,),)), mf.Interval(-15.0, 15.0))
    equation = mf.Equation(energy, [mf.BirthDeath(1.5), mf.Transport()])
    problem = verification.BlowUp()
    for seen, method in (
        (problem._stopped, mf.Characteristics(64)),
        (problem._warned, mf.FiniteVolumes(60)),
    ):
        assert math.isnan(seen(equation, method.project(mf.Normal(0.3, 1.0), energy.space)))


def test_all_problems_have_expectations():
    assert set(verification.EXPECTED) == set(verification.PROBLEMS)
    names = {name for name, _, _ in verification.tasks(quick=True)}
    assert names == set(verification.PROBLEMS) - set(verification.TWO_PARAMETERS)
    for name in verification.TWO_PARAMETERS:
        assert len(verification.PROBLEMS[name]().equation.energy.parameters) == 2
