"""Case files: settings from the command line, defaults, and what becomes of them."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import load, parse
from meanfield_pde.run import execute, jobs


def test_a_case_is_values(circle_case):
    case = load(circle_case)
    assert case.unit == mf.VonMises(2.0)
    assert case.target == mf.Teacher((1.0, 2.5, -1.8), (0.5, 0.2, 0.3))
    assert case.terms == (mf.BirthDeath(5.0), mf.Transport())
    assert case.method == mf.FiniteVolumes(32, mf.Muscl("van_leer"))
    assert case.time.t_end == 0.5
    assert case.time.splitting is None
    assert case.numerics(case.method)["splitting"] == mf.Strang()
    assert case.time.step == mf.Controlled()
    assert case.companion is None
    assert case.energy() == mf.Energy(case.unit, case.target, case.data, mf.Circle())
    numerics = case.numerics(case.method)
    assert numerics["record"].times(0.5) == pytest.approx([0.005 * k for k in range(101)])
    assert numerics["save"].times(0.5) == (0.0, 0.125, 0.25, 0.375, 0.5)


@pytest.mark.parametrize(
    ("setting", "read", "value"),
    [
        ("unit.kappa=3.5", lambda case: case.unit.kappa, 3.5),
        ("unit.kappa=3", lambda case: case.unit.kappa, 3.0),
        ("method.cells=[48]", lambda case: case.method.cells, (48,)),
        ("terms.birth_death.alpha=2", lambda case: case.terms[0].alpha, 2.0),
        ("terms.0.alpha=2", lambda case: case.terms[0].alpha, 2.0),
        ("terms.transport.mobility=[0.1]", lambda case: case.terms[1].mobility, (0.1,)),
        (
            "terms.birth_death.alpha={kind = 'formula', expression = '5*exp(-t)'}",
            lambda case: case.terms[0].alpha,
            mf.FormulaOfTime("5*exp(-t)"),
        ),
        (
            "terms.transport.mobility=[{kind='piecewise_linear', times=[0, 1], values=[2, 0]}]",
            lambda case: case.terms[1].mobility,
            (mf.PiecewiseLinear((0.0, 1.0), (2.0, 0.0)),),
        ),
        (
            "time.splitting={kind = 'unsplit', method = 'ssp4'}",
            lambda case: case.time.splitting,
            mf.Unsplit("ssp4"),
        ),
        ("time.splitting.kind=lie", lambda case: case.time.splitting, mf.Lie()),
        ('title="A = B"', lambda case: case.title, "A = B"),
        ("title=bare words", lambda case: case.title, "bare words"),
        ("output.figures=['pdf']", lambda case: case.output.figures, ("pdf",)),
        ("terms.birth_death.balance={kind='free'}", lambda case: case.terms[0].balance, mf.Free()),
        (" unit.kappa = 4.0 ", lambda case: case.unit.kappa, 4.0),
    ],
)
def test_settings_change_single_values(circle_case, setting, read, value):
    assert read(load(circle_case)) != value
    assert read(load(circle_case, [setting])) == value


def test_another_kind_starts_from_an_empty_table(circle_case):
    case = load(circle_case, ["unit.kind=cosine"])
    assert case.unit == mf.Cosine()
    same = load(circle_case, ["unit.kind=von_mises"])
    assert same.unit == mf.VonMises(2.0)


def test_settings_are_taken_in_order(circle_case):
    settings = ["method.kind=particles", "method.number=50", "method.number=60"]
    assert load(circle_case, settings).method == mf.Particles(number=60)


def test_particles_take_transport_first_and_a_lie_splitting(circle_case):
    case = load(circle_case, ["method.kind=particles", "method.dt=0.05"])
    assert [term.kind for term in case.terms] == ["birth_death", "transport"]
    assert [term.kind for term in case.equation(case.method).terms] == ["transport", "birth_death"]
    numerics = case.numerics(case.method)
    assert numerics["splitting"] == mf.Lie()
    assert numerics["step"] == mf.Fixed(0.05)


def test_a_potential_replaces_unit_target_and_data(circle_case):
    text = circle_case.read_text()
    start, end = text.index("[unit]"), text.index("[space]")
    circle_case.write_text(text[:start] + '[potential]\nkind = "cosine_well"\n' + text[end:])
    assert load(circle_case).energy() == mf.PotentialEnergy(mf.CosineWell(), mf.Circle())


def test_a_case_with_coefficients_of_time_runs_and_is_written_back(circle_case):
    text = circle_case.read_text()
    text = text.replace("alpha = 5.0", 'alpha = {kind = "formula", expression = "5*exp(-t)"}')
    text = text.replace("t_end = 0.5", 't_end = 0.5\nsplitting = {kind = "unsplit"}')
    circle_case.write_text(text)
    (job,) = jobs(load(circle_case), "circle", circle_case.parent)
    solution = execute(job)
    assert "alpha = 5*exp(-t)" in solution.layout.equation
    assert parse(solution.attributes["case"], "the result").terms == job.case.terms
    alpha, energy = mf.FormulaOfTime("5*exp(-t)"), job.case.energy()
    mu = mf.FiniteVolumes(32).project(mf.Uniform(), mf.Circle())
    equation = mf.Equation(energy, [mf.BirthDeath(alpha), mf.Transport()])
    expected = mf.solve(equation, mu, 0.5, splitting=mf.Unsplit())
    assert solution.measure[-1] == pytest.approx(expected.measure[-1], rel=1e-12)
    constant = mf.Equation(energy, [mf.BirthDeath(5.0), mf.Transport()])
    assert mf.solve(constant, mu, 0.5).energy[-1] < 0.99 * solution.energy[-1]
    # the last of the dissipations is that of the last alpha
    field = mu.landscape(energy).at(mu.with_density(expected.measure[-1]))
    lost = 5 * np.exp(-0.5) * (field.mean_square - field.integral**2)
    assert expected.birth_death_dissipation[-1] == pytest.approx(lost, rel=1e-10)


def test_a_setting_in_a_table_that_is_left_out_takes_the_default_kind(circle_case):
    case = load(circle_case, ["time.step.tolerance=1e-8", "method.reconstruction.limiter=minmod"])
    assert case.time.step == mf.Controlled(tolerance=1e-8)
    assert case.method.reconstruction == mf.Muscl("minmod")
    with pytest.raises(mf.InputError, match="dt: unknown key"):
        load(circle_case, ["time.step.dt=0.1"])
