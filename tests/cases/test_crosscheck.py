"""The commands `run --tolerance` and `crosscheck`: files, tables, exit codes, what is run again."""

import re

import h5py
import numpy as np
import pytest
from well import WELL

import meanfield_pde as mf
from meanfield_pde.cli import main
from meanfield_pde.errors import NumericalFailure
from meanfield_pde.problem.exact import CircleFamily
from meanfield_pde.studies import answers, convergence
from meanfield_pde.studies import crosscheck as module

EXACT = CircleFamily(1.0)


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "well.toml"
    path.write_text(WELL.partition("[study]")[0].replace("t_end = 0.8", "t_end = 0.4"))
    return path


@pytest.fixture
def executed(monkeypatch):
    """Names of the runs that are really executed."""
    names, execute = [], answers.execute
    monkeypatch.setattr(
        answers, "execute", lambda job, *rest: names.append(job.path.stem) or execute(job, *rest)
    )
    return names


def converge(case, tolerance, *settings, code=0):
    """Run the command in this process; its result."""
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", str(case), "--tolerance", str(tolerance), *options]) == code
    return mf.read(case.parent / "made" / "well.h5")


def test_a_run_with_a_tolerance_has_bars_that_hold(case, capsys):
    result = converge(case, 1e-4, "output.record={kind='every', interval=0.1}")
    assert result.time == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    error = np.abs(result.energy - [EXACT.energy(t) for t in result.time])
    bars = result.bars["energy"]
    assert np.all(error <= bars)
    assert np.all(bars[1:] <= 100.0 * error[1:])
    assert bars.max() <= 1e-4 * np.abs(result.energy).max()
    assert list(result.bars) == ["energy"]
    text = capsys.readouterr().out
    assert "Values with error bars" in text
    digits, units = re.search(r"0\.4 +-3\.(\d+)\((\d+)\)e-01", text).groups()
    assert abs(int("3" + digits) / 10 ** len(digits) + 10.0 * EXACT.energy(0.4)) <= float(
        f"{units}e-{len(digits)}"
    )
    assert "space" in str(result.attributes["error bars"])
    with h5py.File(case.parent / "made" / "well.h5") as file:
        assert file["energy_bar"].dims[0][0].name == "/time"


def test_bars_of_several_observables_survive_the_file(tmp_path):
    path = tmp_path / "well.toml"
    path.write_text(
        'title = "Cosine units"\n'
        "unit = {kind = 'cosine', kappa = 1.25}\n"
        "target = {kind = 'teacher', centres = [0.0], masses = [0.8]}\n"
        "data = {kind = 'uniform_circle', points = 8}\n"
        "space = {kind = 'circle'}\n"
        "initial = {kind = 'uniform'}\n"
        "terms = [{kind = 'birth_death', alpha = 1.0}, {kind = 'transport'}]\n"
        "method = {kind = 'fourier', modes = 16}\n"
        "time = {t_end = 0.6}\n"
        "output = {folder = 'made', figures = ['png'], save = {kind = 'at', values = [0.3]}}\n"
        "accuracy = {tolerance = 1e-6, observables = ['energy', 'mass', 'prediction']}\n"
    )
    assert main(["run", str(path)]) == 0
    result = mf.read(tmp_path / "made" / "well.h5")
    assert set(result.bars) == {"energy", "mass", "prediction"}
    assert result.bars["mass"].shape == result.time.shape
    assert result.bars["prediction"].shape == result.snapshot_time.shape == (3,)
    family = CircleFamily(1.0, 1.0, 1.25)
    size = [np.sqrt(1.25) * family.order_parameter(t) for t in result.snapshot_time]
    found = np.sqrt(np.mean(result.prediction**2, axis=1))
    assert np.all(np.abs(found - size) <= result.bars["prediction"])
    assert (tmp_path / "made" / "well_energy.png").stat().st_size > 1000


def test_a_smaller_tolerance_goes_on_from_earlier_runs(case, executed):
    first = converge(case, 1e-3)
    before = list(executed)
    assert before[:2] == ["run_01", "run_02"]
    again = converge(case, 1e-3)
    assert executed == before
    assert np.array_equal(again.bars["energy"], first.bars["energy"])
    finer = converge(case, 1e-5)
    assert len(executed) > len(before)
    assert set(executed[len(before) :]).isdisjoint(before)
    assert finer.bars["energy"].max() < 0.1 * first.bars["energy"].max()


@pytest.mark.filterwarnings("always")
def test_a_budget_that_ends_warns_and_keeps_the_answer(case, capsys):
    result = converge(case, 1e-6, "accuracy.most=5")
    assert "instead of 1e-06" in capsys.readouterr().err
    bars, errors = result.bars["energy"], result.energy - [EXACT.energy(t) for t in result.time]
    assert 1e-6 < bars.max() < 0.1
    assert np.all(np.abs(errors) <= bars)


@pytest.mark.filterwarnings("always")
def test_a_refinement_that_stops_keeps_the_answer(case, capsys, monkeypatch):
    execute, calls = answers.execute, []

    def stopping(job, progress):
        calls.append(job)
        if len(calls) == 5:
            raise NumericalFailure("stopped on purpose")
        return execute(job, progress)

    monkeypatch.setattr(answers, "execute", stopping)
    result = converge(case, 1e-8, "accuracy.most=1e5")
    assert "stopped on purpose" in capsys.readouterr().err
    assert np.all(np.isfinite(result.bars["energy"]))


def test_an_interrupted_refinement_keeps_the_best_answer_so_far(case, monkeypatch):
    execute, calls = answers.execute, []

    def interrupted(job, progress):
        calls.append(job)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return execute(job, progress)

    monkeypatch.setattr(answers, "execute", interrupted)
    kept = converge(case, 1e-8, "accuracy.most=1e5", code=130)
    assert kept.attributes["outcome"] == "unfinished: refinement goes on, or was interrupted"
    assert np.all(np.isfinite(kept.energy_bar))


@pytest.mark.filterwarnings("always")
def test_a_refinement_that_takes_ever_more_steps_ends(case, capsys, monkeypatch):
    """Steps of the first run count; a limit of half as many again stops the next but one."""
    monkeypatch.setattr(answers, "FEWEST", 1.0)
    monkeypatch.setattr(answers, "STALLED", 1.5)
    result = converge(case, 1e-6, "accuracy.most=1e5", "output.record={kind='at', values=[]}")
    assert re.search(r"stopped at t = .*: more than \d+ steps", capsys.readouterr().err)
    assert result.attributes["outcome"] == "finished"


@pytest.mark.filterwarnings("always")
def test_particles_have_bars_too(case, capsys):
    """The mean of several runs; positions are those of the first."""
    particles = "method={kind='particles', number=100, dt=0.1, seed=3}"
    times = "output.record={kind='at', values=[]}"
    assert main(["run", str(case), "--tolerance=0.3", "--set", particles, "--set", times]) == 0
    result = mf.read(case.parent / "made" / "well_particles.h5")
    error = np.abs(result.energy - [EXACT.energy(t) for t in result.time])
    assert np.all(error <= result.bars["energy"])
    assert result.measure.shape == (2, result.layout.particles, 1)
    assert result.bars["energy"].max() <= 0.3 * np.abs(result.energy).max()
    assert re.search(r"of \d+ runs, seeds from 3 on", str(result.attributes["mean"]))
    text = capsys.readouterr().out
    assert all(word in text for word in ("number", "time", "seeds"))


@pytest.mark.parametrize("tolerance", ["0", "2", "-1"])
def test_a_wrong_tolerance_is_refused_before_anything_is_written(case, tolerance, capsys):
    assert main(["run", str(case), f"--tolerance={tolerance}"]) == 2
    assert "[accuracy] tolerance = " in capsys.readouterr().err
    assert not (case.parent / "made").exists()


# Several methods


def test_all_methods_agree_with_each_other_and_the_exact_solution(case, capsys):
    assert (
        main(["crosscheck", str(case), "--tolerance", "1e-4", "--set", "output.figures=['png']"])
        == 0
    )
    text = capsys.readouterr().out
    for name in ("MUSCL", "WENO", "characteristics", "Fourier", "exact"):
        assert name in text
    assert text.count(" yes") == 10
    assert " no\n" not in text
    made = case.parent / "made"
    assert (made / "well_crosscheck.png").stat().st_size > 1000
    for name in ("MUSCL", "WENO", "characteristics", "Fourier"):
        assert "energy" in mf.read(made / "well_crosscheck" / f"{name}.h5").bars


def test_a_method_that_is_wrong_is_found(case, capsys, monkeypatch):
    """An exact solution that is off by a thousandth, ten times the tolerance."""
    exact = module.exact_solution

    def wrong(*arguments):
        right = exact(*arguments)
        return module.replace(right, energy=lambda t: 1.001 * right.energy(t))

    monkeypatch.setattr(module, "exact_solution", wrong)
    assert main(["crosscheck", str(case), "--tolerance", "1e-4"]) == 1
    text = capsys.readouterr().out
    assert text.count(" no\n") == 4
    assert text.count(" yes\n") == 6


@pytest.mark.filterwarnings("always")
def test_methods_without_an_answer_are_named(tmp_path, capsys):
    """Mass that sits in a point has no Fourier series."""
    path = tmp_path / "point.toml"
    text = WELL.partition("[study]")[0].replace(
        'kind = "uniform"', 'kind = "point"\nlocation = 1.0'
    )
    path.write_text(
        text.replace("t_end = 0.8", "t_end = 0.2").replace("values = [0.4]", "values = []")
    )
    code = main(["crosscheck", str(path), "--tolerance", "0.02", "--set", "accuracy.most=40"])
    text = capsys.readouterr().out
    assert "Fourier has no answer: " in text
    assert code == 0


def test_one_method_alone_is_no_comparison(case, capsys, monkeypatch):
    def stop(*_):
        raise NumericalFailure("stopped on purpose")

    monkeypatch.setattr(convergence, "_first", stop)
    assert main(["crosscheck", str(case)]) == 2
    assert "nothing to compare" in capsys.readouterr().err
