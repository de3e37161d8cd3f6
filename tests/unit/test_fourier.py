"""Fourier series: no aliasing, exponential accuracy, and an end when they no longer decay."""

import math

import numba
import numpy as np
import pytest
from scipy.special import i0

import meanfield_pde as mf
from meanfield_pde.cli import main
from meanfield_pde.errors import StepTooLong
from meanfield_pde.plotting.snapshots import described
from meanfield_pde.problem.exact import CircleBirthDeath, CircleFamily
from meanfield_pde.representations.fourier import RESOLVED, FourierMeasure
from meanfield_pde.representations.waves import Waves

CIRCLE, SMALL = mf.Circle(), mf.Circle(1.5)
TORUS = mf.Product((CIRCLE, CIRCLE))
AT_END = {"record": mf.AtTimes(()), "save": mf.AtTimes(())}
WELL = mf.PotentialEnergy(mf.CosineWell(), CIRCLE)


def random_series(waves, seed):
    """Coefficients of a random real function that has all the waves."""
    values = np.random.default_rng(seed).normal(size=[nodes.size for nodes in waves.nodes])
    return waves.coefficients(values)


def summed(waves, coefficients, *theta):
    """The series term by term, at the combinations of points along each axis."""
    total = np.zeros([t.size for t in theta])
    for index in np.ndindex(waves.shape):
        phase = 0.0
        for j, (axis, t) in enumerate(zip(waves.axes, theta, strict=True)):
            along = waves.numbers[j][index[j]] * (t - axis.lower) / axis.length
            phase = np.add.outer(phase, along) if j else along
        twice = 1.0 if index[-1] == 0 else 2.0  # with its conjugate
        total += twice * np.real(coefficients[index] * np.exp(2j * math.pi * phase))
    return total


WAVES = [
    Waves(CIRCLE.axes, (16,)),
    Waves(SMALL.axes, (17,)),
    Waves(TORUS.axes, (8, 14)),
    Waves(TORUS.axes, (9, 11)),
]


@pytest.mark.parametrize("waves", WAVES, ids=lambda w: str(w.modes))
def test_values_are_those_of_the_sum_of_waves(waves):
    c = random_series(waves, 0)
    assert max(int(abs(k).max()) for k in waves.numbers) < max(waves.modes) / 2
    assert waves.values(c) == pytest.approx(summed(waves, c, *waves.nodes), abs=1e-14)
    assert waves.at_centres(c) == pytest.approx(summed(waves, c, *waves.centres), abs=1e-14)
    assert waves.coefficients(waves.values(c)) == pytest.approx(c, abs=1e-15)


@pytest.mark.parametrize("waves", WAVES, ids=lambda w: str(w.modes))
def test_products_are_free_of_aliasing(waves):
    """Against the same product at many nodes; at as many nodes as modes it is far off."""
    one, two = random_series(waves, 1), random_series(waves, 2)

    def product(counts):
        along = [
            a.lower + a.length * np.arange(n) / n for a, n in zip(waves.axes, counts, strict=True)
        ]
        spectrum = np.fft.rfftn(
            summed(waves, one, *along) * summed(waves, two, *along), norm="forward"
        )
        return spectrum[np.ix_(*(k % n for k, n in zip(waves.numbers, counts, strict=True)))]

    exact = product([4 * n for n in waves.modes])
    padded = waves.coefficients(waves.values(one) * waves.values(two))
    assert np.abs(padded - exact).max() < 1e-15
    assert np.abs(product(waves.modes) - exact).max() > 0.1 * np.abs(exact).max()


def test_transport_is_differentiated_exactly():
    """(rho V')' for rho and V of few waves, on a circle of another period."""
    turn = 2.0 * math.pi / 1.5
    potential = f"cos({turn!r}*theta) + 0.3*sin({2 * turn!r}*theta)"
    energy = mf.PotentialEnergy(mf.FormulaPotential(potential), SMALL)
    law = mf.FormulaLaw(f"1 + 0.5*sin({turn!r}*theta)")
    mu = mf.Fourier(12).project(law, SMALL)
    rate = mu.transport_rate(mu.landscape(energy).at(mu), (2.0,))
    t = turn * mu.centres[0]
    density, slope = (1 + 0.5 * np.sin(t)) / 1.5, turn * (0.6 * np.cos(2 * t) - np.sin(t))
    curvature = turn**2 * (-1.2 * np.sin(2 * t) - np.cos(t))
    exact = 2.0 * (turn * 0.5 * np.cos(t) / 1.5 * slope + density * curvature)
    assert mu.with_state(rate).snapshot == pytest.approx(exact, abs=1e-12)
    assert mu.with_state(rate).mass == 0.0


def test_laws_are_known_by_their_values():
    law = mf.MixtureLaw((1.0, 3.0), (mf.CircularNormal(0.5, 3.0), mf.FormulaLaw("exp(sin(theta))")))
    mu = mf.Fourier(64).project(law, CIRCLE)
    theta = mu.centres[0]
    first = np.exp(3 * np.cos(theta - 0.5)) / i0(3)
    second = np.exp(np.sin(theta)) / i0(1)
    assert mu.snapshot == pytest.approx((first + 3 * second) / (8 * math.pi), abs=1e-15)
    assert mu.mass == pytest.approx(1.0, abs=1e-15)
    both = mf.Fourier((64, 32)).project(mf.ProductLaw((law, mf.Uniform())), TORUS)
    assert both.snapshot == pytest.approx(
        np.multiply.outer(mu.snapshot, np.full(32, 0.5 / math.pi)), abs=1e-15
    )


@pytest.mark.parametrize(
    ("law", "says"),
    [
        (mf.Uniform(-1.0, 2.0), r"uniform on \[-1.0, 2.0\].*smooth on the whole circle"),
        (mf.Point(0.3), "all at 0.3.*smooth on the whole circle"),
        (mf.FormulaLaw("4 + theta"), r"4 \+ theta.*64 modes resolve.*finite volumes"),
        (mf.CircularNormal(0.0, 500.0), "von Mises.*64 modes resolve.*take more modes"),
        (mf.Normal(0.0, 0.1), "on an interval, not on a circle"),
    ],
)
def test_laws_that_are_not_smooth_are_refused(law, says):
    with pytest.raises(mf.InputError, match=says):
        mf.Fourier(64).project(law, CIRCLE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mf.Fourier(64.0), "modes = 64.0: expected a whole number"),
        (lambda: mf.Fourier(4), "modes = 4: expected at least 8"),
        (lambda: mf.Fourier((8, 8, 8)).project(mf.Uniform(), TORUS), "modes = .*or 2, one for"),
        (lambda: mf.Fourier(8).project(mf.Uniform(), mf.Interval(0.0, 1.0)), "circles alone"),
        (lambda: mf.Fourier(8).project(mf.Uniform(), (0.0, 1.0)), "space = .*expected a space"),
        (lambda: FourierMeasure(Waves(CIRCLE.axes, (8,)), np.ones(8)), "coefficients' shape"),
        (lambda: mf.Fourier(8).check(CIRCLE.axes * 3), "parameters = 3"),
    ],
)
def test_what_does_not_fit_is_refused(make, says):
    with pytest.raises(mf.InputError, match=says):
        make()


def problem(exact, balance=None):
    """The equation of an exact solution on the circle."""
    energy = WELL
    if getattr(exact, "coupling", 0.0):
        target = mf.Teacher((0.0,), (exact.force / exact.coupling,))
        energy = mf.Energy(mf.Cosine(exact.coupling), target, mf.UniformCircle(16), CIRCLE)
    terms = [mf.BirthDeath(exact.alpha, balance or mf.Mean())] if exact.alpha else []
    terms += [mf.Transport()] if isinstance(exact, CircleFamily) else []
    return mf.Equation(energy, terms)


def error(exact, solution, mass=1.0):
    """L1 distance of the densities at the end."""
    t, theta = solution.snapshot_time[-1], solution.layout.centres[0]
    apart = np.abs(solution.measure[-1] - mass * exact.density(t, theta))
    return apart.sum() * 2.0 * math.pi / theta.size


def solved(equation, modes, t_end, **options):
    mu = mf.Fourier(modes).project(mf.Uniform(), equation.energy.space)
    return mf.solve(equation, mu, t_end, **{**AT_END, **options})


@pytest.mark.parametrize(
    "exact",
    [
        CircleFamily(0.0),
        CircleFamily(0.7),
        CircleFamily(1.0),
        CircleBirthDeath(2.0),
        CircleFamily(0.0, 1.5, 1.0),
        CircleFamily(1.0, 1.5, 1.0),
        CircleFamily(1.7, 1.0, 1.25),
    ],
    ids=str,
)
def test_known_solutions_while_resolved(exact):
    """In the default steps, of tolerance 1e-10, none of which is rejected."""
    solution = solved(problem(exact), 256, 2.0)
    assert error(exact, solution) < 1e-11
    assert abs(solution.energy[-1] - exact.energy(2.0)) < 1e-12
    assert abs(solution.mass[-1] - 1.0) < 1e-15
    assert abs(solution.identity_defect[-1]) < 1e-12
    assert solution.unresolved[-1] < 1e-9
    assert solution.smallest_density[-1] > 0.0
    assert solution.rejections[-1] == 0


def test_a_free_mass():
    exact = CircleFamily(0.7)
    solution = solved(problem(exact, mf.Free()), 256, 2.0)
    mass = exact.free_mass(2.0)
    assert solution.mass[-1] == pytest.approx(mass, rel=1e-13)
    assert error(exact, solution, mass) < 1e-12 * mass


@pytest.mark.parametrize("exact", [CircleFamily(1.0), CircleFamily(0.7, 1.5, 1.0)], ids=str)
def test_exponential_convergence(exact):
    """Errors fall like the coefficients do, as tanh(chi / 2)^k."""
    modes, steps = np.array([32, 40, 48, 56, 64]), mf.Fixed(0.02)
    runs = [solved(problem(exact), n, 0.8, step=steps) for n in modes.tolist()]
    errors = [error(exact, run) for run in runs]
    observed = np.polyfit(modes / 2, np.log(errors), 1)[0]
    assert observed == pytest.approx(math.log(math.tanh(0.5 * exact.chi(0.8))), rel=0.1), errors


@pytest.mark.parametrize(("splitting", "order"), [(mf.Strang(), 2), (mf.Lie(), 1)])
@pytest.mark.parametrize("balance", [mf.Mean(), mf.Free()])
def test_splitting(splitting, order, balance):
    exact = CircleFamily(0.7)
    mass = exact.free_mass(0.8) if balance == mf.Free() else 1.0
    equation, errors = problem(exact, balance), []
    for dt in (0.02, 0.01, 0.005):
        solution = solved(equation, 64, 0.8, splitting=splitting, step=mf.Fixed(dt))
        errors.append(error(exact, solution, mass))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders == pytest.approx(order, abs=0.1), errors
    if balance == mf.Mean():
        assert abs(solution.mass[-1] - 1.0) < 1e-14


def test_steps_of_a_splitting_are_controlled():
    exact = CircleFamily(0.7, 1.5, 1.0)
    options = {"splitting": mf.Strang(), "step": mf.Controlled(tolerance=1e-7)}
    solution = solved(problem(exact), 64, 0.8, **options)
    assert error(exact, solution) < 1e-5
    assert solution.steps[-1] < 400


def test_unstable_steps_of_transport_are_refused():
    """A wave of the highest number may turn by the square root of 3 a step."""
    mu = mf.Fourier(64).project(mf.Uniform(), CIRCLE)
    landscape, limit = mu.landscape(WELL), math.sqrt(3.0) / 31
    mu.transported(landscape, lambda time: (1.0,), 0.0, 0.99 * limit)
    with pytest.raises(StepTooLong, match="amplify the shortest waves") as refusal:
        mu.transported(landscape, lambda time: (1.0,), 0.0, 1.01 * limit)
    assert refusal.value.limit == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize("modes", [16, 32, 64])
@pytest.mark.parametrize("exact", [CircleFamily(0.0), CircleFamily(1.0, 1.5, 1.0)], ids=str)
def test_a_spectrum_that_no_longer_decays_stops_the_run(exact, modes):
    """What was computed is kept, and is right to three digits."""
    says = f"stopped at t = .*no longer decays over {modes} modes.*take more modes.*stop earlier"
    with pytest.raises(mf.NumericalFailure, match=says) as failure:
        solved(problem(exact), modes, 4.0)
    kept = failure.value.solution
    assert 0.2 < kept.time[-1] < 3.0
    assert kept.unresolved[-1] <= RESOLVED
    assert error(exact, kept) < 1e-3
    assert abs(kept.energy[-1] - exact.energy(kept.time[-1])) < 1e-9
    assert abs(kept.identity_defect[-1]) < 1e-9


def test_a_product_on_the_torus():
    """V is a sum, so that both parameters go their own ways."""
    potential = mf.FormulaPotential("-cos(theta_1) - 0.5*cos(theta_2)", 2)
    terms = [mf.BirthDeath(1.3), mf.Transport()]
    equation = mf.Equation(mf.PotentialEnergy(potential, TORUS), terms)
    factors = CircleFamily(1.3), CircleFamily(1.3, 0.5)
    solution = solved(equation, (128, 64), 1.2)
    exact = np.multiply.outer(
        *(f.density(1.2, c) for f, c in zip(factors, solution.layout.centres, strict=True))
    )
    assert np.abs(solution.measure[-1] - exact).mean() * 4 * math.pi**2 < 1e-11
    assert abs(solution.energy[-1] - sum(f.energy(1.2) for f in factors)) < 1e-12
    assert abs(solution.mass[-1] - 1.0) < 1e-14


@pytest.mark.parametrize("balance", [mf.Mean(), mf.Free()])
def test_interacting_units_on_the_torus_against_characteristics(balance):
    unit = mf.FormulaUnit(
        "0.5*exp(cos(x_1 - a) + 0.7*cos(x_2 - b) + 0.3*cos(a - b))", ("a", "b"), 2
    )
    data = mf.ProductData((mf.UniformCircle(8), mf.UniformCircle(8)))
    target = mf.Teacher(((1.0, -0.5), (-1.5, 1.0)), (0.6, 0.4))
    terms = [mf.BirthDeath(2.0, balance), mf.Transport((0.8, 0.5))]
    equation = mf.Equation(mf.Energy(unit, target, data, TORUS), terms)
    ours = solved(equation, (48, 40), 0.5)
    mu = mf.Characteristics(24).project(mf.Uniform(), TORUS)
    theirs = mf.solve(equation, mu, 0.5, **AT_END)
    assert ours.energy[-1] < 0.95 * ours.energy[0]
    assert ours.energy[-1] == pytest.approx(theirs.energy[-1], abs=1e-10)
    assert ours.mass[-1] == pytest.approx(theirs.mass[-1], abs=1e-10)
    assert ours.prediction[-1] == pytest.approx(theirs.prediction[-1], abs=1e-9)
    assert ours.mean[-1] == pytest.approx(theirs.mean[-1], abs=1e-9)


UNITS = mf.Energy(
    mf.VonMises(2.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(64), CIRCLE
)


def reborn(law):
    return mf.Equation(UNITS, [mf.BirthDeath(3.0, mf.Reinjection(law)), mf.Transport()])


@pytest.mark.parametrize("splitting", [mf.Unsplit("dop853"), mf.Strang()])
def test_neurons_reborn_from_a_law(splitting):
    equation = reborn(mf.CircularNormal(0.5, 2.0))
    start = mf.CircularNormal(0.0, 4.0)
    runs = [
        mf.solve(equation, method.project(start, CIRCLE), 1.5, **AT_END, splitting=how)
        for method, how in ((mf.Fourier(96), splitting), (mf.FiniteVolumes(512), mf.Strang()))
    ]
    assert runs[0].mean_potential[0] > 0.0
    assert abs(runs[0].mass[-1] - 1.0) < 1e-14
    assert runs[0].energy[-1] == pytest.approx(runs[1].energy[-1], rel=1e-4)


def test_a_law_of_rebirth_that_is_not_smooth_is_refused_at_once():
    mu = mf.Fourier(64).project(mf.Uniform(), CIRCLE)
    with pytest.raises(mf.InputError, match="smooth on the whole circle"):
        mf.solve(reborn(mf.Uniform(0.0, 1.0)), mu, 1.0)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread only")
def test_the_same_bits_for_any_number_of_threads(set_threads):
    unit = mf.FormulaUnit("exp(cos(x_1 - a) + cos(x_2 - b))", ("a", "b"), 2)
    data = mf.ProductData((mf.UniformCircle(8), mf.UniformCircle(8)))
    energy = mf.Energy(unit, mf.Teacher(((1.0, -0.5),), (1.0,)), data, TORUS)
    equation = mf.Equation(energy, [mf.BirthDeath(1.0), mf.Transport()])
    runs = []
    for threads in (1, 2):
        set_threads(threads)
        runs.append(solved(equation, 128, 0.02))
    assert np.array_equal(runs[0].measure, runs[1].measure)
    assert np.array_equal(runs[0].energy, runs[1].energy)


def test_a_run_is_written_and_read(tmp_path):
    solution = solved(problem(CircleFamily(1.0)), 32, 0.5)
    read = mf.read(solution.write(tmp_path / "run.h5"))
    assert read.layout.representation == "fourier"
    assert np.array_equal(read.measure, solution.measure)
    assert np.array_equal(read.layout.centres, solution.layout.centres)
    for name, values in solution.scalars.items():
        assert np.array_equal(read.scalars[name], values, equal_nan=True), name
    width = 2.0 * math.pi / 32
    ends = pytest.approx([-math.pi + width / 2, math.pi - width / 2])
    assert read.layout.centres[0][[0, -1]] == ends
    assert described(read.layout) == "density, $32$ modes"


def test_a_case_takes_it_by_changing_the_method_alone(tmp_path, capsys):
    case = ["cases/cosine_interacting.toml", "--set", "method.kind=fourier"]
    case += ["--set", f"output.folder={tmp_path}", "--set", "output.figures=['png']"]
    assert main(["check", *case]) == 0
    assert "128 Fourier modes on 192 nodes" in capsys.readouterr().out
    assert main(["run", *case]) == 0
    solution = mf.read(tmp_path / "cosine_interacting.h5")
    exact = CircleFamily(1.7, 1.0, 1.25)
    assert solution.measure.shape == (5, 128)
    assert error(exact, solution) < 1e-10
    assert max(abs(solution.energy - [exact.energy(t) for t in solution.time])) < 1e-12
    assert (tmp_path / "cosine_interacting_density.png").exists()


def test_a_run_that_stops_keeps_its_file(tmp_path, circle_case, capsys):
    settings = ["method.kind=fourier", "method.modes=16", "time.t_end=2.0"]
    words = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", str(circle_case), *words]) == 3
    assert "no longer decays over 16 modes" in capsys.readouterr().err
    solution = mf.read(circle_case.parent / "made" / "circle.h5")
    assert 0.0 < solution.time[-1] < 2.0
    assert solution.attributes["outcome"].startswith("stopped: at t = ")
