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

    def flow(at, term, time):
        return term.flow(at, landscape, time).measure

    def step(splitting):
        seconds = {}
        moved = advance(splitting, equation(*terms), mu, landscape, dt, seconds)
        assert set(seconds) == {"transport", "birth_death"}
        return moved.measure.density

    lie = flow(flow(mu, first, dt), last, dt)
    strang = flow(flow(flow(mu, first, dt / 2), last, dt), first, dt / 2)
    assert np.array_equal(step(mf.Lie()), lie.density)
    assert np.array_equal(step(mf.Strang()), strang.density)
    assert not np.array_equal(lie.density, strang.density)


@pytest.mark.parametrize("term", [BIRTH_DEATH, TRANSPORT], ids=lambda term: term.kind)
@pytest.mark.parametrize("splitting", [mf.Lie(), mf.Strang()], ids=lambda s: s.kind)
def test_one_term_alone_is_its_own_step(splitting, term):
    mu = start()
    landscape = mu.landscape(ENERGY)
    moved = advance(splitting, equation(term), mu, landscape, 0.02, {})
    expected = term.flow(mu, landscape, 0.02).measure
    assert np.array_equal(moved.measure.density, expected.density)


def test_proposed_steps_follow_the_error_within_bounds():
    control = mf.Controlled(tolerance=1e-6)
    for order in (1, 2):
        assert control.next_step(0.1, 0.0, order) == pytest.approx(0.2)
        assert control.next_step(0.1, 1e-30, order) == pytest.approx(0.2)
        assert control.next_step(0.1, 1e6, order) == pytest.approx(0.02)
        assert control.next_step(0.1, 1e-6, order) == pytest.approx(0.09)
        assert control.next_step(0.1, 8e-6, order) == pytest.approx(0.09 / 8 ** (1 / (order + 1)))


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
        advance(splitting, equation(*terms), mu, landscape, 10.0, {})
    halved = splitting == mf.Strang() and terms[0] is TRANSPORT
    rate = mu.face_rate(landscape.at(mu), (1.0,))
    if terms[0] is TRANSPORT:
        assert refusal.value.limit == pytest.approx((1.0 if halved else 0.5) / rate)
    moved = advance(splitting, equation(*terms), mu, landscape, 0.5 * refusal.value.limit, {})
    assert moved.measure.smallest >= 0


def test_controlled_steps_keep_their_bounds_and_their_tolerance():
    """Every step: dt * rate <= courant and dt * feedback <= 1; the errors add up as recorded."""
    eq, mu, control = equation(BIRTH_DEATH, TRANSPORT), start(), mf.Controlled(tolerance=1e-5)
    times, before = [0.0], [mu]
    frames = mf.evolve(
        eq, mu, 3.0, step=control, record=mf.EveryTime(0.02), save=mf.EveryTime(0.02)
    )
    for frame in list(frames)[1:]:
        at = before[-1]
        field = at.landscape(ENERGY).at(at)
        rate = at.face_rate(field, (1.0,))
        dt = frame.scalars["step"]
        if frame.scalars["steps"] == len(times):  # one step since the last record
            assert dt * rate <= control.courant * (1 + 1e-12)
            assert dt * eq.feedback_rate(field) <= 1 + 1e-12
        assert dt <= frame.time - times[-1] + 1e-12
        times.append(frame.time)
        before.append(at.with_density(frame.snapshot.measure))
    scalars = frame.scalars
    assert 0 < scalars["time_error"] <= scalars["steps"] * control.tolerance


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
    feedback = eq.feedback_rate(mu.landscape(ENERGY).at(mu.with_density(solution.measure[-1])))
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
