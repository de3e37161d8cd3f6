"""Runs of the user's own beside the mean field: `compare` in Python and on the command line."""

import re
from dataclasses import replace
from itertools import permutations

import h5py
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import parse
from meanfield_pde.cli import main
from meanfield_pde.errors import InputError
from meanfield_pde.results.trajectory import AXES
from meanfield_pde.timestepping.particle_limit import ParticleLimit

KAPPA, TARGET = 1.25, 0.8
CIRCLE = f"""
title = "Cosine units on the circle"
unit = {{kind = "cosine", kappa = {KAPPA}}}
target = {{kind = "teacher", centres = [0.0], masses = [{TARGET}]}}
data = {{kind = "uniform_circle", points = 16}}
space = {{kind = "circle"}}
initial = {{kind = "von_mises", mean = 1.5, concentration = 3.0}}
terms = [{{kind = "transport"}}]
method = {{kind = "characteristics", nodes = 48}}
time = {{t_end = 9.0}}
output = {{folder = "made", figures = ["png"]}}
"""
JUMPS = CIRCLE.replace("]\nmethod", ', {kind = "birth_death", alpha = 2.0}]\nmethod')
TIME = np.array([0.0, 0.4, 0.8, 1.2, 1.6])
NUMBER = 100


def own(text, seed=0, dt=0.02, t_end=1.6, **method):
    """Particles of the package."""
    case = parse(text, "case")
    particles = mf.Particles(NUMBER, dt, seed, **method)
    schedule = mf.AtTimes(tuple(TIME * t_end / 1.6))
    start = particles.project(case.start(), case.space)
    return mf.solve(case.equation(particles), start, t_end, record=schedule, save=schedule)


def off(compared):
    """Names of the measures that are off somewhere."""
    return {gap.name for gap in compared.gaps if np.any(gap.excess > 1.0)}


def training(eta, steps, seed=5, factor=2.0):
    """Gradient descent in a few lines: L = factor / 2 int |f - f*|^2 dnu, f = 1/N sum phi."""
    rng = np.random.default_rng(seed)
    theta = rng.vonmises(1.5, 3.0, NUMBER)
    x = 2.0 * np.pi * np.arange(16) / 16
    saved = []
    for step in range(steps[-1] + 1):
        if step in steps:
            saved.append(theta.copy())
        phase = x[:, None] - theta
        f = np.sqrt(2.0 * KAPPA) * np.cos(phase).mean(axis=1)
        residual = f - TARGET * np.sqrt(2.0 * KAPPA) * np.cos(x)
        slope = np.sqrt(2.0 * KAPPA) * (residual @ np.sin(phase)) / 16 / NUMBER
        theta = theta - eta * factor * slope
    return np.array(saved)[..., np.newaxis]


@pytest.fixture(scope="module")
def jumping():
    return own(JUMPS)


@pytest.fixture(scope="module")
def compared(jumping):
    return mf.compare(parse(JUMPS, "case"), jumping, runs=12)


def test_a_faithful_run_is_as_sampled(compared, jumping):
    assert compared.as_sampled
    assert off(compared) == set()
    assert compared.time == pytest.approx(TIME)
    names = ["energy", "prediction", "mean of theta", "variance of theta", "W1", "W2"]
    assert [gap.name for gap in compared.gaps] == names
    assert compared["energy"].run == pytest.approx(jumping.energy, rel=1e-12)
    assert compared.particles.number == NUMBER
    assert compared.particles.dt == pytest.approx(0.02, rel=1e-12)


def test_the_mean_field_and_its_parts_are_what_they_say(compared, jumping):
    case = parse(JUMPS, "case")
    start = mf.Characteristics(96).project(case.start(), case.space)
    schedule = mf.AtTimes(tuple(TIME))
    exact = mf.solve(case.equation(case.method), start, 1.6, record=schedule, save=schedule)
    terms = (mf.Transport(), mf.BirthDeath(2.0))
    limit = mf.solve(
        mf.Equation(case.energy(), terms),
        *(start, 1.6),
        splitting=ParticleLimit("jumps"),
        step=mf.Fixed(0.02),
        record=schedule,
        save=schedule,
    )
    gap = compared["energy"]
    assert gap.mean_field == pytest.approx(exact.energy, rel=1e-8)
    assert gap.gap == pytest.approx(jumping.energy - exact.energy, rel=1e-6)
    assert gap.time_step == pytest.approx(limit.energy - exact.energy, abs=1e-7)
    assert np.all(np.abs(gap.time_step[1:]) > 1e-5)
    assert np.all(np.abs(gap.solver) < 1e-7)
    apart = jumping.prediction - exact.prediction
    assert compared["prediction"].gap == pytest.approx(np.sqrt(np.mean(apart**2, axis=1)), rel=1e-6)


def mean_square(compared):
    """Of the distance of predictions of the runs of the package, at the start."""
    gap = compared["prediction"]
    return gap.sampling[0] ** 2 + gap.spread[0] ** 2


def test_chance_is_of_the_size_that_particles_have(jumping):
    many = mf.compare(parse(JUMPS, "case"), jumping, runs=60)
    theta = np.random.default_rng(0).vonmises(1.5, 3.0, 200_000)
    phi = np.sqrt(2.0 * KAPPA) * np.cos(2.0 * np.pi * np.arange(16)[:, None] / 16 - theta)
    # Two modes make it: its relative deviation is about 60^-1/2.
    assert mean_square(many) == pytest.approx(phi.var(axis=1).mean() / NUMBER, rel=0.4)
    # The limit of many particles has no bias of their number, of E half of that.
    bias = 0.5 * phi.var(axis=1).mean() / NUMBER
    error = many["energy"].spread[0] / np.sqrt(60.0)
    assert many["energy"].sampling[0] == pytest.approx(bias, abs=3.0 * error)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_another_learning_rate_is_off(speed, jumping):
    fast = own(JUMPS, t_end=1.6 * speed)
    run = replace(mf.Trajectory.from_solution(fast), time=TIME)
    compared = mf.compare(parse(JUMPS, "case"), run, runs=12)
    assert not compared.as_sampled
    assert {"prediction", "W1"} <= off(compared)
    assert all(gap.excess[0] <= 1.0 for gap in compared.gaps)
    assert "The run is off the mean field, first at t = " in str(compared)


def test_a_wrong_initial_law_is_off_at_once(jumping):
    shifted = replace(mf.Trajectory.from_solution(jumping), positions=jumping.measure + 0.5)
    compared = mf.compare(parse(JUMPS, "case"), shifted, runs=12)
    assert compared["mean of theta"].excess[0] > 1.0
    assert compared["W2"].excess[0] > 1.0


def test_training_by_hand_is_as_sampled_in_its_own_unit_alone():
    steps = [0, 20, 40, 60, 80]
    case = parse(CIRCLE, "case")
    positions = training(1.0, steps)
    right = mf.TimeUnit("steps", learning_rate=1.0, output="1/N", loss="1")
    run = mf.Trajectory.of(positions, right, steps=steps)
    assert run.step == pytest.approx(0.02)
    assert mf.compare(case, run, runs=12).as_sampled
    half = mf.TimeUnit("steps", learning_rate=1.0, output="1/N", loss="1/2")
    compared = mf.compare(case, mf.Trajectory.of(positions, half, steps=steps), runs=12)
    assert "prediction" in off(compared)


CHARGED = """
title = "Charges over the root of their number"
unit = {kind = "charged", base = {kind = "gaussian", variance = 0.5}}
target = {kind = "mixture", weights = [2.0], means = [0.5], variances = [0.8]}
data = {kind = "uniform_interval", lower = -4.0, upper = 4.0, points = 24}
space = {kind = "box", lower = [-6.0, -80.0], upper = [6.0, 80.0]}
initial = {kind = "product", factors = [FACTORS]}
terms = [{kind = "transport", mobility = [MOBILITY, 1.0]}]
method = {kind = "characteristics", nodes = [24, 16]}
time = {t_end = 9.0}
"""
FACTORS = (
    "{kind = 'uniform', lower = -2.0, upper = 2.0}, {kind = 'normal', mean = 0.0, deviation = 8.0}"
)


def over_the_root(eta, steps, number):
    """f = N^-1/2 sum c psi(x, y), L = 1/2 int |f - f*|^2 dnu, y ~ U(-2, 2), c ~ N(0, 1)."""
    rng = np.random.default_rng(7)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    x, w = 4.0 * nodes, 0.5 * weights
    target = 2.0 * np.exp(-((x - 0.5) ** 2) / 1.6) / np.sqrt(1.6 * np.pi)
    y, c = rng.uniform(-2.0, 2.0, number), rng.normal(size=number)
    saved = []
    for step in range(steps[-1] + 1):
        if step in steps:
            saved.append(np.column_stack([y, c]))
        apart = x[:, None] - y
        psi = np.exp(-(apart**2)) / np.sqrt(np.pi)
        error = w * (psi @ c / np.sqrt(number) - target)
        slope_y = c * (error @ (2.0 * apart * psi)) / np.sqrt(number)
        slope_c = error @ psi / np.sqrt(number)
        y, c = y - eta * slope_y, c - eta * slope_c
    return np.array(saved)


def test_an_output_over_the_root_has_charges_and_mobilities_of_its_own():
    number, steps = 64, [0, 10, 30, 100]
    unit = mf.TimeUnit("steps", learning_rate=0.4, output="1/sqrt(N)", loss="1/2")
    run = mf.Trajectory.of(over_the_root(0.4, steps, number), unit, steps=steps)
    text = CHARGED.replace("FACTORS", FACTORS)
    case = parse(text.replace("MOBILITY", str(1.0 / number)), "case")
    compared = mf.compare(case, run, runs=12)
    assert compared.as_sampled
    energy = compared["energy"]
    assert energy.run[-1] < 0.2 * energy.run[0]
    with pytest.raises(InputError, match=r"mobility = \[0\.015625, 1\], one for y, c"):
        mf.compare(parse(text.replace("MOBILITY", "1.0"), "case"), run)


def test_the_same_run_in_every_order_and_kind_of_file_has_the_same_answer(tmp_path):
    case = parse(JUMPS, "case")
    solution = own(JUMPS, seed=1)
    unit = mf.TimeUnit("mean_field", step=0.02)
    given = mf.Trajectory.from_solution(solution)
    solution.write(tmp_path / "result.h5")
    rows = [
        f"{t!r},{p},{solution.measure[k, p, 0]!r}"
        for k, t in enumerate(TIME.tolist())
        for p in range(NUMBER)
    ]
    text = "\n".join(["time,particle,theta", *rows]).replace("np.float64(", "").replace(")", "")
    (tmp_path / "run.csv").write_text(text)
    np.savez(tmp_path / "run.npz", positions=solution.measure, time=TIME)
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file.update({"positions": solution.measure, "time": TIME})
    runs = [mf.read_trajectory(tmp_path / f"run.{kind}", unit) for kind in ("csv", "npz", "h5")]
    runs.append(mf.read_trajectory(tmp_path / "result.h5"))
    for order in permutations(AXES):
        turned = np.transpose(solution.measure, [AXES.index(name) for name in order])
        np.savez(tmp_path / "turned.npz", positions=turned, time=TIME)
        runs.append(mf.read_trajectory(tmp_path / "turned.npz", unit, order=order))
    answer = str(mf.compare(case, given, runs=8))
    for run in runs:
        assert np.array_equal(run.positions, given.positions)
        assert run.time == pytest.approx(TIME, rel=1e-15)
        assert run.step == pytest.approx(0.02, rel=1e-12)
    assert str(mf.compare(case, runs[0], runs=8)) == answer


def test_a_solution_is_compared_at_its_own_times(jumping, tmp_path):
    case = parse(JUMPS, "case")
    law, equation = case.start(), case.equation(case.method)
    save = mf.AtTimes((0.4, 0.7, 1.2))
    start = mf.Characteristics(48).project(law, case.space)
    solution = mf.solve(equation, start, 2.0, record=save, save=save)
    # Another seed for the draws of the density: only chance may differ.
    for keywords in ({"start": law}, {}):
        compared = mf.compare(solution, jumping, runs=12, **keywords)
        assert compared.time == pytest.approx([0.0, 0.4, 1.2])
        assert compared.as_sampled
        assert compared["energy"].mean_field == pytest.approx(solution.energy[[0, 1, 3]], rel=1e-12)
        assert np.all(np.abs(compared["energy"].time_step[1:]) > 1e-5)
    read = mf.read(solution.write(tmp_path / "solution.h5"))
    with pytest.raises(InputError, match=r"equation of the solution = None.* what solve\(\) ret"):
        mf.compare(read, jumping)
    with pytest.raises(InputError, match=r"save times of the solution \(0, 0.4, 0.7, 1.2, 2\)"):
        mf.compare(solution, replace(mf.Trajectory.from_solution(jumping), time=TIME + 0.05))


def test_a_solution_from_the_file_of_a_case_knows_its_law_and_bars(tmp_path, jumping):
    path = tmp_path / "case.toml"
    path.write_text(JUMPS.replace("9.0", "1.6").replace('["png"]', "[]"))
    tables = "accuracy.tolerance=1e-3", "output.save={kind='at', values=[0.4, 0.8, 1.2]}"
    settings = [word for setting in tables for word in ("--set", setting)]
    assert main(["run", str(path), *settings]) == 0
    solution = mf.read(tmp_path / "made" / "case.h5")
    compared = mf.compare(solution, jumping, runs=12)
    assert compared.as_sampled
    bars = solution.bars["energy"][[np.argmin(np.abs(solution.time - t)) for t in TIME]]
    assert np.array_equal(compared["energy"].solver, bars)


def test_a_solution_whose_case_reads_files_says_what_to_do(tmp_path, monkeypatch, jumping):
    x = 2.0 * np.pi * np.arange(65) / 64
    rows = np.column_stack([x, TARGET * np.sqrt(2.0 * KAPPA) * np.cos(x)])
    csv = {"delimiter": ",", "header": "x,f", "comments": ""}
    np.savetxt(tmp_path / "target.csv", rows, **csv)
    path = tmp_path / "case.toml"
    table = 'target = {kind = "table", path = "target.csv"}'
    text = re.sub("target = .*", table, JUMPS).replace("9.0", "1.6").replace('["png"]', "[]")
    path.write_text(text)
    assert main(["run", str(path), "--set", "output.save={kind='at', values=[0.8]}"]) == 0
    solution = mf.read(tmp_path / "made" / "case.h5")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(InputError, match=r"target.csv: cannot be read .*mf\.load\(.*\)"):
        mf.compare(solution, jumping)
    np.savetxt(elsewhere / "target.csv", rows * [1.0, 0.5], **csv)
    with pytest.raises(InputError, match=r"target.csv is not the one .*mf\.load\(.*\)"):
        mf.compare(solution, jumping)
    case = mf.load(path)
    known = replace(solution, equation=case.equation(case.method))
    compared = mf.compare(known, jumping, runs=12, start=case.start())
    assert compared.as_sampled
    monkeypatch.chdir(tmp_path)
    assert str(mf.compare(solution, jumping, runs=12)) == str(compared)


def test_few_runs_are_refused_and_the_width_is_said(compared, jumping):
    with pytest.raises(InputError, match="runs = 7: expected at least 8"):
        mf.compare(parse(JUMPS, "case"), jumping, runs=7)
    # The Student quantile with 11 degrees of freedom, at 0.01 over both sides of 30 entries.
    assert compared.width == pytest.approx(5.32, abs=0.01)
    assert "within 5.3 deviations of 12 runs" in compared.verdict


def test_weighted_particles_are_compared_with_weighted_ones():
    case = parse(JUMPS, "case")
    run = mf.Trajectory.from_solution(own(JUMPS, algorithm="weights"))
    assert run.weights is not None
    compared = mf.compare(case, run, runs=12)
    assert compared.particles.algorithm == "weights"
    assert compared.as_sampled
    # Without its weights the same run is none of this equation.
    assert not mf.compare(case, replace(run, weights=None), runs=12).as_sampled


def test_weights_that_stay_belong_to_transport():
    case = parse(CIRCLE, "case")
    weights = np.random.default_rng(0).dirichlet(np.full(NUMBER, 2.0))
    start = mf.Particles(NUMBER, 0.02, algorithm="weights").project(case.start(), case.space)
    start = replace(start, log_weights=np.log(NUMBER * weights))
    schedule = mf.AtTimes(tuple(TIME))
    solution = mf.solve(case.equation(case.method), start, 1.6, record=schedule, save=schedule)
    unit = mf.TimeUnit("mean_field", step=0.02)
    run = mf.Trajectory.of(solution.measure, unit, time=TIME, weights=weights)
    compared = mf.compare(case, run, runs=12)
    assert compared.as_sampled
    # As few particles count as the squares of the weights say.
    uneven, even = (mf.compare(case, r, runs=60) for r in (run, replace(run, weights=None)))
    ratio = mean_square(uneven) / mean_square(even)
    assert ratio == pytest.approx(NUMBER * np.sum(weights**2), rel=0.4)


def test_steps_that_are_not_known_are_part_of_the_sampling(jumping):
    run = replace(mf.Trajectory.from_solution(jumping), unit=mf.TimeUnit("mean_field"))
    case = parse(JUMPS, "case")
    compared = mf.compare(case, run, runs=8, like=mf.Particles(dt=0.05))
    assert compared.particles.dt == 0.05
    assert np.all(np.isnan(compared["energy"].time_step))
    assert "(those of the run are not known)" in str(compared)


def test_in_the_plane_distances_are_exact_or_sliced(monkeypatch):
    from meanfield_pde.studies import measures

    text = CHARGED.replace("FACTORS", FACTORS.replace("8.0", "1.0")).replace("MOBILITY", "1.0")
    case = parse(text, "case")
    particles = mf.Particles(40, 0.05)
    mu = particles.project(case.start(), case.space)
    run = mf.solve(case.equation(particles), mu, 1.0, save=mf.EveryTime(0.5))
    compared = mf.compare(case, run, runs=8)
    assert [gap.name for gap in compared.gaps][-2:] == ["W1", "W2"]
    assert np.all(compared["W1"].gap < compared["W2"].gap)
    monkeypatch.setattr(measures, "MOST_PAIRS", 100)
    sliced = mf.compare(case, run, runs=8)
    assert [gap.name for gap in sliced.gaps][-2:] == ["sliced W1", "sliced W2"]
    assert np.all(sliced["sliced W1"].gap < compared["W1"].gap)
    assert "W1 and W2 are sliced" in str(sliced)


def test_a_case_by_particles_is_solved_along_characteristics(jumping):
    method = 'method = {kind = "particles", number = 10, dt = 0.02}'
    case = parse(re.sub("method = .*", method, JUMPS), "case")
    compared = mf.compare(case, jumping, runs=8)
    reference = mf.compare(parse(JUMPS, "case"), jumping, runs=8)
    assert compared["energy"].mean_field == pytest.approx(reference["energy"].mean_field, rel=1e-9)


def test_on_the_command_line(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(CIRCLE)
    steps = [0, 20, 40, 60, 80]
    positions = training(1.0, steps)
    np.savez(tmp_path / "good.npz", positions=positions, steps=steps)
    np.savez(tmp_path / "bad.npz", positions=positions, steps=2 * np.array(steps))
    unit = ["--learning-rate", "1", "--neurons-output", "1/N", "--loss", "1", "--runs", "12"]
    assert main(["compare", str(path), str(tmp_path / "good.npz"), *unit]) == 0
    text = capsys.readouterr().out
    assert "All gaps are as sampled" in text
    assert "of which sampling  time step" in text
    assert text.count("as sampled") == 5 * 6 + 1
    assert (tmp_path / "made" / "case_good_comparison.png").stat().st_size > 10_000
    both = [str(tmp_path / f"{name}.npz") for name in ("good", "bad")]
    assert main(["compare", str(path), *both, *unit]) == 1
    text = capsys.readouterr().out
    assert "The run is off the mean field" in text
    assert re.search(r"bad.npz beside the mean field", text)
    assert (tmp_path / "made" / "case_bad_comparison.png").exists()


def test_runs_of_one_name_have_figures_of_their_own_and_like_ones_share_their_chance(
    tmp_path, capsys, monkeypatch
):
    from meanfield_pde.studies import comparison

    path = tmp_path / "case.toml"
    path.write_text(CIRCLE)
    steps = [0, 20, 40, 60, 80]
    files = [tmp_path / name / "run.npz" for name in ("a", "b", "c")]
    for file, seed, kept in zip(files, (5, 6, 7), (steps, steps, steps[:3]), strict=True):
        file.parent.mkdir()
        np.savez(file, positions=training(1.0, kept, seed), steps=kept)
    seeds = []

    def counted(known, particles, run, sampled=comparison.sampled):
        seeds.append(particles.seed)
        return sampled(known, particles, run)

    monkeypatch.setattr(comparison, "sampled", counted)
    unit = ["--learning-rate", "1", "--neurons-output", "1/N", "--loss", "1", "--runs", "8"]
    assert main(["compare", str(path), *map(str, files), *unit]) == 0
    together = capsys.readouterr().out
    # The third has other times.
    assert len(seeds) == 2 * 8
    names = [f"case_run_{k}_comparison.png" for k in (1, 2, 3)]
    assert sorted(file.name for file in (tmp_path / "made").iterdir()) == names
    assert main(["compare", str(path), str(files[1]), *unit]) == 0
    alone = capsys.readouterr().out.replace("case_run_c", "case_run_2_c")
    assert alone in together
