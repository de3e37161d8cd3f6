"""The published runs and the student of ReLU neurons: what their studies are made of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

import meanfield_pde as mf
from meanfield_pde.case import load
from meanfield_pde.studies import published, student_teacher
from meanfield_pde.studies.published import REBORN, RUN_A, RUN_B, UNIFORM, Chunk

CASE = Path(__file__).parents[2] / "cases" / "relu_teacher.toml"
END = mf.AtTimes(())


def test_the_offset_of_what_was_printed():
    """C_f = 0.06886827 against 0.206 / 3 (THEORY, section 6)."""
    assert published.offset() == pytest.approx(0.06886827 - 0.206 / 3, abs=5e-9)


def test_birth_and_death_ends_at_the_quench():
    """The last step of alpha = 5 begins one dt before it, whatever is lost by rounding."""
    steps = np.array([RUN_A.quench - published.DT, RUN_A.quench, np.nextafter(RUN_A.quench, 0.0)])
    last, at, rounded = RUN_A.alpha.at(steps)
    assert (last, at) == (5.0, 0.0)
    assert rounded < 1e-7


@pytest.mark.parametrize("scheme", [UNIFORM, REBORN])
def test_what_follows_the_quench_is_gradient_descent(scheme):
    """From then on no particle is cloned or reborn: the energy falls at every record."""
    short = replace(RUN_A, t_end=0.4, quench=0.1, interval=0.05)
    (run,) = published.energies(Chunk(short, scheme, (3,)))
    (longer,) = published.energies(Chunk(replace(short, quench=0.3), scheme, (3,)))
    assert np.all(np.diff(run[2:]) < 0.0)
    assert np.array_equal(run[:3], longer[:3])
    assert run[-1] > longer[-1]


def test_published_energies_of_gradient_descent():
    """Of 24 seeds the mean is the mean field's; single runs of the notebooks are such runs."""
    short = replace(RUN_B, t_end=5.0, interval=5.0)
    runs = published.energies(Chunk(short, published.DESCENT, tuple(range(24))))[:, -1]
    printed = np.array(published.PUBLISHED[RUN_B.name, published.DESCENT][5.0])
    printed = printed[np.isfinite(printed)] + published.offset()
    deviation = runs.std(ddof=1)
    assert np.all(np.abs(printed - runs.mean()) < 4.0 * deviation)
    assert abs(runs.mean() - 4.5906e-2) < 3.0 * deviation / np.sqrt(24) + 0.01 * 4.5906e-2


def test_leaving_times():
    time = np.array([0.0, 1.0, 2.0])
    rows = np.array([[0.02, 0.010, 0.004], [0.02, 0.02, 0.02], [0.001, 0.02, 0.02]])
    assert published.leaving_times(time, rows) == pytest.approx([1.5, np.inf, 0.0])


def test_the_cut_law_is_the_law_where_it_is():
    for setting, spread in ((RUN_A, 2.0 / 3.0**0.5), (RUN_B, 0.1)):
        mu = published.cut_law(setting, published.ancestors.energy())
        mean, variance = mu.moments()
        assert mu.mass == pytest.approx(1.0, abs=1e-12)
        assert mean == pytest.approx([0.0 if setting is RUN_A else -2.0, 0.0], abs=1e-10)
        # Of a normal law cut at z: 1 - 2 z phi(z) / (2 Phi(z) - 1), with z = 2.807.
        cut = 1.0 - 2.0 * 2.807034 * np.exp(-(2.807034**2) / 2.0) / np.sqrt(2.0 * np.pi) / 0.995
        first = spread**2 if setting is RUN_A else spread**2 * cut
        assert variance == pytest.approx([first, cut], rel=1e-6)


def test_rebirth_of_each_death_is_reinjection_where_nothing_is_born():
    """V > 0 everywhere: the deaths are what (D) injects. First order, so halving halves."""
    potential = mf.FormulaPotential("1 + theta**2")
    energy = mf.PotentialEnergy(potential, mf.Interval(-4.0, 4.0))
    law = mf.Normal(0.5, 0.3)
    method = mf.Characteristics(24, redistribute=None, picture=0)
    mu = method.project(mf.Normal(-0.5, 0.4), energy.space)
    setting = replace(RUN_A, t_end=0.4, quench=9.0, interval=0.2)
    equation = mf.Equation(energy, [mf.Transport(), mf.BirthDeath(5.0, mf.Reinjection(law))])
    exact = mf.solve(equation, mu, 0.4, step=mf.Fixed(0.005), record=END, save=END).energy[-1]
    coarse, fine = (
        published.each_death_reborn(setting, law, mu, energy, dt)[-1] - exact for dt in (0.02, 0.01)
    )
    assert coarse / fine == pytest.approx(2.0, abs=0.15)
    assert abs(fine) < 0.02 * exact


def test_figures_are_written(tmp_path):
    time = np.linspace(0.0, 1.0, 5)
    energy = np.geomspace(0.1, 1e-3, 5) * np.ones((5, 1))
    curve = published.MeanFieldCurve("cut law", time, energy[0])
    panel = published.Panel("A", time, energy, [curve], np.array([[0.5], [0.01]]), 2e-4, 0.7)
    (path,) = published.save_published_figure([panel] * 6, tmp_path, ("png",))
    line = student_teacher.Line.of("(A)", time, energy, energy)
    lines = [line] * 5
    parts = (lines, lines[1:], [line.since(0.4) for line in lines[1:]])
    (other,) = student_teacher.save_student_teacher_figure(*parts, tmp_path, ("png",))
    assert path.stat().st_size > 10_000
    assert other.stat().st_size > 10_000


def test_students_start_from_the_same_draws():
    group = student_teacher.Group(0.0, seeds=2, number=30, t_end=1.0)
    both = replace(group, alpha=8.0)
    plain, cloned, ended = (
        student_teacher.conduct([one])[one] for one in (group, both, replace(both, quench=0.5))
    )
    assert np.array_equal(plain.energy[:, 0], cloned.energy[:, 0])
    assert plain.energy[0, 0] != plain.energy[1, 0]
    assert np.all(plain.energy[:, -1] != cloned.energy[:, -1])
    assert list(plain.neurons) == [30, 30]
    assert np.all(cloned.neurons < 30)
    before = ended.time < 0.55
    assert np.array_equal(ended.energy[:, before], cloned.energy[:, before])
    assert np.all(ended.energy[:, -1] != cloned.energy[:, -1])


def test_the_interval_of_a_median():
    """Order statistics that cover the median with at least 95 %, and would not if narrower."""
    values = np.random.default_rng(0).permutation(50) + 1.0
    median, low, high = student_teacher.median_interval(values)
    k = int(low)
    assert (median, high) == (25.5, 51 - k)
    assert 1.0 - 2.0 * binom.cdf(k - 1, 50, 0.5) >= 0.95
    assert 1.0 - 2.0 * binom.cdf(k, 50, 0.5) < 0.95


def test_few_seeds_have_no_interval():
    median, low, high = student_teacher.median_interval(np.arange(5.0))
    assert (median, low, high) == (2.0, -np.inf, np.inf)


def test_without_a_lead_there_is_no_crossing_to_find():
    time = np.array([1.0, 2.0, 3.0])
    base = student_teacher.Runs(time, np.ones((1, 3)), np.ones(1))
    runs = student_teacher.Runs(time, np.array([[1.0, 1.2, 1.3]]), np.ones(1))
    assert student_teacher.crossing(runs, base) == (1.0, 1.0, 1.0)


def test_from_when_on_gradient_descent_is_ahead():
    time = np.array([0.0, 1.0, 2.0, 4.0])
    base = student_teacher.Runs(time, np.ones((1, 4)), np.ones(1))
    runs = student_teacher.Runs(time, np.array([[1.0, 0.5, 0.25, 4.0]]), np.ones(1))
    assert student_teacher.crossing(runs, base) == pytest.approx((0.25, 2.0, 2.0 * 2.0**0.5))


def test_the_case_is_the_problem_of_the_study():
    case = load(CASE)
    mu = mf.Particles(20, seed=1).project(case.initial, case.space)
    study = student_teacher.problem()
    other = mf.Particles(20, seed=1).project(student_teacher.START, study.space)
    assert np.array_equal(mu.points, other.points)
    here, there = case.energy(), study
    assert mu.landscape(here).at(mu).energy == pytest.approx(
        other.landscape(there).at(other).energy, rel=1e-5
    )
