"""Splitting and the choice of steps."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.errors import StepTooLong
from meanfield_pde.timestepping.splitting import advance

ENERGY = mf.Energy(
    mf.VonMises(2.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(24), mf.Circle()
)
BIRTH_DEATH, TRANSPORT = mf.BirthDeath(3.0), mf.Transport()


def start(cells=24):
    return mf.FiniteVolumes(cells).project(mf.Uniform(-1.0, 2.0), mf.Circle())


def equation(*terms):
    return mf.Equation(ENERGY, terms)


@pytest.mark.parametrize("terms", [(BIRTH_DEATH, TRANSPORT), (TRANSPORT, BIRTH_DEATH)])
def test_splittings_are_sequences_of_flows(terms):
    """Lie: A(dt) B(dt); Strang: A(dt/2) B(dt) A(dt/2); A is the first term of the equation."""
    first, last = terms
    mu, dt = start(), 0.02
    landscape = mu.landscape(ENERGY)

    def flow(at, term, length):
        return term.flow(at, landscape, 0.0, length).measure

    def step(splitting):
        seconds = {}
        moved = advance(splitting, equation(*terms), mu, landscape, 0.0, dt, seconds)
        assert set(seconds) - {"compilation"} == {"transport", "birth_death"}
        return moved.measure.density

    lie = flow(flow(mu, first, dt), last, dt)
    strang = flow(flow(flow(mu, first, dt / 2), last, dt), first, dt / 2)
    assert np.array_equal(step(mf.Lie()), lie.density)
    assert np.array_equal(step(mf.Strang()), strang.density)
    assert not np.array_equal(lie.density, strang.density)


@pytest.mark.parametrize("transport_first", [False, True])
def test_every_term_has_its_own_clock(transport_first):
    """Strang: first [t, t + dt/2], last [t, t + dt], first [t + dt/2, t + dt]."""
    alpha, mobility = mf.FormulaOfTime("3*exp(6 - 20*t)"), mf.FormulaOfTime("4*t")
    terms = (mf.BirthDeath(alpha), mf.Transport((mobility,)))
    first, last = reversed(terms) if transport_first else terms
    mu, time, dt = start(), 0.3, 0.02
    landscape = mu.landscape(ENERGY)
    step = advance(mf.Strang(), equation(first, last), mu, landscape, time, dt, {}).measure
    half = first.flow(mu, landscape, time, dt / 2).measure
    whole = last.flow(half, landscape, time, dt).measure
    expected = first.flow(whole, landscape, time + dt / 2, dt / 2).measure
    assert np.array_equal(step.density, expected.density)
    wrong = first.flow(whole, landscape, time, dt / 2).measure
    assert np.abs(step.density - wrong.density).max() > 1e-5


@pytest.mark.parametrize("term", [BIRTH_DEATH, TRANSPORT], ids=lambda term: term.kind)
@pytest.mark.parametrize("splitting", [mf.Lie(), mf.Strang()], ids=lambda s: s.kind)
def test_one_term_alone_is_its_own_step(splitting, term):
    mu = start()
    landscape = mu.landscape(ENERGY)
    moved = advance(splitting, equation(term), mu, landscape, 0.0, 0.02, {})
    expected = term.flow(mu, landscape, 0.0, 0.02).measure
    assert np.array_equal(moved.measure.density, expected.density)


@pytest.mark.parametrize("method", ["ssp3", "ssp4"])
def test_an_unsplit_step_is_its_runge_kutta_method(method):
    """Written out as Shu & Osher and Ketcheson have it, on the right-hand side of the equation."""
    eq, mu, dt = equation(BIRTH_DEATH, TRANSPORT), start(), 0.01
    landscape = mu.landscape(ENERGY)

    def euler(u, length):
        at = mu.with_density(u)
        return u + length * eq.rate(at, landscape.at(at), 0.0)

    u0 = mu.density
    if method == "ssp3":
        u1 = euler(u0, dt)
        u2 = 3 / 4 * u0 + 1 / 4 * euler(u1, dt)
        expected = 1 / 3 * u0 + 2 / 3 * euler(u2, dt)
    else:
        u4 = u0
        for _ in range(4):
            u4 = euler(u4, dt / 6)
        u9 = 3 / 5 * u0 + 2 / 5 * euler(u4, dt / 6)
        for _ in range(4):
            u9 = euler(u9, dt / 6)
        expected = 1 / 25 * u0 + 9 / 25 * euler(u4, dt / 6) + 3 / 5 * euler(u9, dt / 6)
    seconds = {}
    moved = advance(mf.Unsplit(method), eq, mu, landscape, 0.0, dt, seconds)
    assert moved.measure.density == pytest.approx(expected, rel=1e-13)
    assert set(seconds) - {"compilation"} == {"unsplit"}
    assert np.abs(expected - u0).max() > 1e-3


def test_proposed_steps_follow_the_error_within_bounds():
    """The order is the power of dt with which the estimate falls."""
    control = mf.Controlled(tolerance=1e-6)
    for order in (2, 3, 8):
        assert control.next_step(0.1, 0.0, order) == pytest.approx(0.2)
        assert control.next_step(0.1, 1e-30, order) == pytest.approx(0.2)
        assert control.next_step(0.1, 1e6, order) == pytest.approx(0.02)
        assert control.next_step(0.1, 1e-6, order) == pytest.approx(0.09)
        assert control.next_step(0.1, 8e-6, order) == pytest.approx(0.09 / 8 ** (1 / order))


def test_fixed_steps_are_shortened_evenly_to_land():
    solution = mf.solve(
        equation(TRANSPORT),
        start(),
        0.1,
        step=mf.Fixed(0.03),
        record=mf.AtTimes((0.04,)),
        save=mf.AtTimes(()),
    )
    assert solution.steps.tolist() == [0, 2, 4]
    assert solution.step.tolist() == pytest.approx([0.0, 0.02, 0.03])


@pytest.mark.parametrize("terms", [(BIRTH_DEATH, TRANSPORT), (TRANSPORT, BIRTH_DEATH)])
@pytest.mark.parametrize("splitting", [mf.Lie(), mf.Strang()], ids=lambda s: s.kind)
def test_the_longest_step_that_is_told_is_a_whole_step(splitting, terms):
    """Where Strang takes transport by halves, the step may be twice as long."""
    mu = start()
    landscape = mu.landscape(ENERGY)
    with pytest.raises(StepTooLong) as refusal:
        advance(splitting, equation(*terms), mu, landscape, 0.0, 10.0, {})
    halved = splitting == mf.Strang() and terms[0] is TRANSPORT
    rate = mu.face_rate(landscape.at(mu), (1.0,))
    if terms[0] is TRANSPORT:
        assert refusal.value.limit == pytest.approx((1.0 if halved else 0.5) / rate)
    limit = refusal.value.limit
    moved = advance(splitting, equation(*terms), mu, landscape, 0.0, 0.5 * limit, {})
    assert moved.measure.smallest >= 0


@pytest.mark.parametrize(
    "splitting", [mf.Lie(), mf.Strang(), mf.Unsplit("ssp3"), mf.Unsplit("ssp4")], ids=str
)
def test_controlled_steps_keep_their_bounds_and_their_tolerance(splitting):
    """Every step: dt * rate <= courant and dt * feedback <= 1; the errors add up as recorded.

    Unsplit, both for a third or a tenth of its Euler steps, and death counts beside transport.
    """
    unsplit = splitting.kind == "unsplit"
    eq, mu, control = equation(BIRTH_DEATH, TRANSPORT), start(), mf.Controlled(tolerance=1e-5)
    euler_steps = {"ssp3": 1, "ssp4": 6}[splitting.method] if unsplit else 1
    times, before, steps, whole_steps = [0.0], [mu], 0, 0
    every = mf.EveryTime(0.02)
    frames = mf.evolve(eq, mu, 3.0, splitting=splitting, step=control, record=every, save=every)
    for frame in list(frames)[1:]:
        at = before[-1]
        field = at.landscape(ENERGY).at(at)
        rate = at.face_rate(field, (1.0,))
        if unsplit:
            rate += 0.5 * 3.0 * (field.potential.max() - field.integral / field.mass)
        dt = frame.scalars["step"] / euler_steps
        if frame.scalars["steps"] == steps + 1:  # one step since the last record
            assert dt * rate <= control.courant * (1 + 1e-12)
            assert dt * eq.feedback_rate(field, 0.0) <= 1 + 1e-12
            whole_steps += 1
        assert dt <= frame.time - times[-1] + 1e-12
        times.append(frame.time)
        steps = frame.scalars["steps"]
        before.append(at.with_density(frame.snapshot.measure))
    assert whole_steps > 3
    scalars = frame.scalars
    assert 0 < scalars["time_error"] <= scalars["steps"] * control.tolerance


@pytest.mark.parametrize("alpha", [3.0, 300.0, mf.FormulaOfTime("1 + 1000*t")], ids=str)
@pytest.mark.parametrize(
    "splitting", [mf.Lie(), mf.Strang(), mf.Unsplit("ssp3"), mf.Unsplit("ssp4")], ids=str
)
def test_the_first_step_is_as_long_as_the_bounds_allow(splitting, alpha):
    """Where the tolerance does not matter; with an alpha that grows, as long as its end allows."""
    eq, mu, times = equation(mf.BirthDeath(alpha), TRANSPORT), start(), []
    frames = mf.evolve(
        eq,
        mu,
        1.6,
        splitting=splitting,
        step=mf.Controlled(tolerance=1e9),
        record=mf.AtTimes(()),
        save=mf.AtTimes(()),
        progress=lambda time, _: times.append(time),
    )
    assert len(list(frames)) == 2
    field, first = mu.landscape(ENERGY).at(mu), times[0]
    unsplit = splitting.kind == "unsplit"
    euler_steps = 6 if unsplit and splitting.method == "ssp4" else 1

    def bound(alpha):
        square, (slope,) = field.mean_square_norms
        death = alpha * (field.potential.max() - field.integral / field.mass) * unsplit
        sweep = mu.face_rate(field, (1.0,)) / 0.5
        return euler_steps * min(1 / (alpha * square + slope), 0.9 / (sweep + death))

    if isinstance(alpha, float):
        assert first == pytest.approx(bound(alpha), rel=1e-12)
    else:
        assert first <= bound(1 + 1000 * first)
        assert first < 0.1 * bound(1.0)


def test_a_smaller_tolerance_takes_more_steps_and_gives_a_smaller_error():
    eq, mu = equation(BIRTH_DEATH, TRANSPORT), start()
    ends = {}
    for tolerance in (1e-4, 1e-6, 1e-9):
        step = mf.Controlled(tolerance=tolerance)
        ends[tolerance] = mf.solve(eq, mu, 2.0, step=step, record=mf.AtTimes(()))
    steps = [end.steps[-1] for end in ends.values()]
    assert steps == sorted(steps)
    assert steps[2] > 4 * steps[1]
    reference = ends[1e-9].measure[-1]
    coarse, fine = (np.abs(ends[t].measure[-1] - reference).sum() for t in (1e-4, 1e-6))
    assert fine < coarse / 4
    assert fine * mu.weight < 1e-3


def test_the_feedback_bound_holds_late():
    """As V goes to zero the bound by velocity alone lets dt grow for ever."""
    eq, mu = equation(mf.BirthDeath(50.0), TRANSPORT), start(16)
    solution = mf.solve(eq, mu, 60.0)
    field = mu.landscape(ENERGY).at(mu.with_density(solution.measure[-1]))
    feedback = eq.feedback_rate(field, 0.0)
    assert solution.step[-2] * feedback <= 1 + 1e-9
    assert np.diff(solution.energy).max() <= 1e-14 * ENERGY.constant


def test_a_floor_for_the_step_stops_the_run():
    eq, mu = equation(BIRTH_DEATH, TRANSPORT), start()
    with pytest.raises(mf.NumericalFailure, match=r"stopped at t = 0: .*fell below its floor"):
        mf.solve(eq, mu, 1.0, step=mf.Controlled(smallest=0.5))


def test_rejections_have_a_limit():
    """An error that no step can bring below the tolerance: that of summing in doubles."""
    eq, mu = equation(BIRTH_DEATH, TRANSPORT), start()
    step = mf.Controlled(tolerance=1e-19, smallest=1e-300, rejections=5)
    with pytest.raises(mf.NumericalFailure, match=r"rejected 5 times in a row"):
        mf.solve(eq, mu, 1.0, step=step)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.Fixed(0.0), "dt"),
        (lambda: mf.Fixed(float("nan")), "dt"),
        (lambda: mf.Controlled(tolerance=0.0), "tolerance"),
        (lambda: mf.Controlled(courant=0.0), "courant"),
        (lambda: mf.Controlled(courant=0.51), "courant"),
        (lambda: mf.Controlled(smallest=0.0), "smallest"),
        (lambda: mf.Controlled(rejections=0), "rejections"),
    ],
)
def test_wrong_steps_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()
