"""Equations: how they print, what they are made of."""

import pytest

import meanfield_pde as mf

ENERGY = mf.Energy(mf.VonMises(2.0), mf.Teacher((1.0,), (1.0,)), mf.UniformCircle(16), mf.Circle())
WELL = mf.PotentialEnergy(mf.CosineWell(), mf.Product((mf.Circle(), mf.Circle())))


@pytest.mark.parametrize(
    ("terms", "right"),
    [
        ([mf.Transport()], "div(mu grad V)"),
        ([mf.Transport((0.5,))], "div(mu M grad V)"),
        ([mf.BirthDeath(2.0)], "- alpha (V - <V>) mu"),
        ([mf.BirthDeath(2.0, mf.Free())], "- alpha V mu"),
        ([mf.BirthDeath(2.0), mf.Transport()], "- alpha (V - <V>) mu + div(mu grad V)"),
        ([mf.Transport(), mf.BirthDeath(2.0)], "div(mu grad V) - alpha (V - <V>) mu"),
        (
            [mf.Transport(), mf.BirthDeath(2.0, mf.Reinjection(mf.Uniform()))],
            "div(mu grad V) - alpha V mu + alpha <V> (mu_b if <V> > 0 else mu)",
        ),
    ],
)
def test_printing_an_equation_prints_the_pde(terms, right):
    assert str(mf.Equation(ENERGY, terms)).splitlines()[0] == f"d_t mu = {right}"


def test_printing_tells_the_energy_and_the_symbols():
    lines = str(mf.Equation(ENERGY, [mf.BirthDeath(2.5), mf.Transport((0.5,))])).splitlines()
    assert lines[1] == "V = F + K * mu,  E = 1/2 int |f[mu] - f*|^2 dnu"
    assert "alpha = 2.5" in lines[2]
    assert "M = diag(0.5" in lines[2]
    lines = str(mf.Equation(WELL, [mf.Transport()])).splitlines()
    assert lines == ["d_t mu = div(mu grad V)", "V = V(theta) fixed,  E = int V dmu"]


def test_a_printed_law_of_reinjection_has_no_internals():
    term = mf.BirthDeath(2.0, mf.Reinjection(mf.Uniform(-1.0, 1.0)))
    text = str(mf.Equation(ENERGY, [term]))
    assert "mu_b" in text.splitlines()[-1]
    assert "kind=" not in text


def test_terms_are_found_by_what_they_are():
    transport, birth_death = mf.Transport(), mf.BirthDeath(1.0)
    equation = mf.Equation(ENERGY, iter([birth_death, transport]))
    assert equation.terms == (birth_death, transport)
    assert equation.transport is transport
    assert equation.birth_death is birth_death
    assert mf.Equation(ENERGY, [birth_death]).transport is None
    assert mf.Equation(ENERGY, [transport]).birth_death is None


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ([], "terms = "),
        ([mf.Transport(), mf.Transport()], "terms = "),
        ([mf.BirthDeath(1.0), mf.Transport(), mf.BirthDeath(2.0)], "terms = "),
        ([mf.Transport((1.0,))], r"mobility = \(1.0,\): expected 2"),
        ([mf.Transport((1.0, 1.0, 1.0))], "mobility = .*expected 2"),
    ],
)
def test_terms_that_do_not_fit_are_refused(terms, says):
    with pytest.raises(mf.InputError, match=says):
        mf.Equation(WELL, terms)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.BirthDeath(-1.0), "alpha"),
        (lambda: mf.BirthDeath(float("nan")), "alpha"),
        (lambda: mf.Transport((-1.0,)), "mobility"),
        (lambda: mf.Transport(()), "mobility"),
    ],
)
def test_wrong_coefficients_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()


def test_particles_know_the_mean_balance_only():
    mu = mf.Particles(number=8).project(mf.Uniform(), mf.Circle())
    equation = mf.Equation(ENERGY, [mf.BirthDeath(1.0, mf.Free())])
    with pytest.raises(mf.InputError, match="balance = 'free': expected 'mean'"):
        mf.solve(equation, mu, 0.1, step=mf.Fixed(0.1))


def test_particles_take_fixed_steps_only():
    """Their own ones, unless others are given."""
    mu = mf.Particles(number=8, dt=0.02).project(mf.Uniform(), mf.Circle())
    equation, end = mf.Equation(ENERGY, [mf.Transport()]), mf.AtTimes(())
    assert mf.solve(equation, mu, 0.1, record=end, save=end).steps[-1] == 5
    step = mf.Fixed(0.05)
    assert mf.solve(equation, mu, 0.1, step=step, record=end, save=end).steps[-1] == 2
    with pytest.raises(mf.InputError, match="expected 'fixed'"):
        mf.solve(equation, mu, 0.1, step=mf.Controlled())


def test_particles_are_split():
    mu = mf.Particles(number=8).project(mf.Uniform(), mf.Circle())
    equation = mf.Equation(ENERGY, [mf.Transport()])
    with pytest.raises(mf.InputError, match="expected 'lie', not 'unsplit', for particles"):
        mf.solve(equation, mu, 0.1, splitting=mf.Unsplit())


def test_an_unsplit_method_has_a_name():
    with pytest.raises(mf.InputError, match="method = 'rk4': expected one of ssp3, ssp4, dop853"):
        mf.Unsplit("rk4")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", 0.01),
        ("splitting", "strang"),
        ("splitting", mf.Strang),
        ("record", [0.0, 0.1]),
        ("save", 0.05),
        ("mu", mf.Uniform()),
        ("equation", "d_t mu = 0"),
    ],
)
def test_arguments_of_another_kind_are_refused(name, value):
    arguments = {
        "equation": mf.Equation(ENERGY, [mf.Transport()]),
        "mu": mf.FiniteVolumes(8).project(mf.Uniform(), mf.Circle()),
        "t_end": 0.1,
        name: value,
    }
    with pytest.raises(mf.InputError, match=f"^{name} = .*expected"):
        mf.solve(**arguments)


@pytest.mark.parametrize("method", [mf.FiniteVolumes(8), mf.Particles(number=8)])
def test_a_measure_on_another_space_is_refused(method):
    mu = method.project(mf.Uniform(), mf.Interval(0.0, 1.0))
    with pytest.raises(mf.InputError, match="expected the space of the energy"):
        mf.solve(mf.Equation(ENERGY, [mf.Transport()]), mu, 0.1)


@pytest.mark.parametrize("t_end", [0.0, -1.0, float("inf"), float("nan")])
def test_a_run_needs_a_positive_end(t_end):
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), mf.Circle())
    with pytest.raises(mf.InputError, match=r"t_end = .*expected a positive time"):
        mf.solve(mf.Equation(ENERGY, [mf.Transport()]), mu, t_end)


def test_feedback_rate_weighs_the_norms_of_the_unit():
    """alpha int int phi^2 + sum_k M_k int int (d_k phi)^2 over the data and mu."""
    space = mf.Product((mf.Circle(), mf.Interval(-2.0, 2.0)))
    energy = mf.Energy(
        mf.Charged(mf.VonMises(2.0)), mf.Teacher((1.0,), (1.0,)), mf.UniformCircle(24), space
    )
    mu = mf.FiniteVolumes((12, 9)).project(mf.Uniform(), space)
    field = mu.landscape(energy).at(mu)
    square, (along, charge) = field.mean_square_norms
    move, jump = mf.Transport((0.25, 3.0)), mf.BirthDeath(7.0)
    assert mf.Equation(energy, [move]).feedback_rate(field, 0.0) == pytest.approx(
        0.25 * along + 3.0 * charge
    )
    assert mf.Equation(energy, [jump, move]).feedback_rate(field, 0.0) == pytest.approx(
        7.0 * square + 0.25 * along + 3.0 * charge
    )


def test_mobility_is_a_factor_of_time():
    mu, end = mf.FiniteVolumes(24).project(mf.Uniform(-1.0, 2.0), mf.Circle()), mf.AtTimes(())
    slow, fast = (
        mf.solve(mf.Equation(ENERGY, [term]), mu, t_end, step=step, record=end, save=end)
        for term, t_end, step in [
            (mf.Transport((0.25,)), 2.0, mf.Fixed(0.04)),
            (mf.Transport(), 0.5, mf.Fixed(0.01)),
        ]
    )
    assert slow.measure[-1] == pytest.approx(fast.measure[-1], rel=1e-12)
    assert slow.transport_dissipation[-1] == pytest.approx(fast.transport_dissipation[-1] / 4)
