"""The commands `ensemble` and `animate`."""

import os
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from fragile import square
from PIL import Image

import meanfield_pde as mf
from meanfield_pde.cli import main
from meanfield_pde.errors import NumericalFailure
from meanfield_pde.studies import ensembles
from meanfield_pde.studies.ensembles import Recipe, _in_order
from meanfield_pde.studies.workers import WorkerDied

PARTICLES = "companion={number = 30, dt = 0.05, seed = 5}"


def options(*settings):
    return [word for setting in settings for word in ("--set", setting)]


def run(case, runs, *settings, processes=1, folder=None, code=0):
    """The command in this process; its result, if there is one."""
    command = ["ensemble", str(case), "--runs", str(runs), "--processes", str(processes)]
    command += ["--output", str(folder)] if folder else []
    assert main([*command, *options(PARTICLES, *settings)]) == code
    path = (folder or case.parent / "made") / f"{case.stem}_ensemble.h5"
    return mf.read_ensemble(path) if path.exists() else None


def assert_same_bits(one, two):
    assert one.outcome == two.outcome
    assert np.array_equal(one.energy, two.energy, equal_nan=True)
    assert np.array_equal(one.seed, two.seed)
    assert np.array_equal(one.prediction.mean, two.prediction.mean)
    assert np.array_equal(one.prediction.squares, two.prediction.squares)
    assert np.array_equal(one.mean_field.energy, two.mean_field.energy)


@pytest.fixture
def made(monkeypatch):
    """Numbers of the runs that are really made; what is in `stops` is raised instead."""
    numbers, make = [], Recipe._made
    stops = {}

    def noted(recipe, number):
        if number in stops:
            raise stops[number]
        numbers.append(number)
        return make(recipe, number)

    monkeypatch.setattr(Recipe, "_made", noted)
    return SimpleNamespace(numbers=numbers, stops=stops)


# Bits, and going on


def test_bits_in_one_process_in_two_and_in_two_calls(circle_case, tmp_path):
    one = run(circle_case, 5)
    two = run(circle_case, 5, processes=2, folder=tmp_path / "two")
    run(circle_case, 2, folder=tmp_path / "later")
    later = run(circle_case, 5, folder=tmp_path / "later")
    assert one.runs == 5
    assert_same_bits(one, two)
    assert_same_bits(one, later)


def test_a_second_call_makes_what_is_new(circle_case, made, capsys):
    run(circle_case, 2)
    run(circle_case, 4)
    assert made.numbers == [0, 1, 2, 3]
    assert run(circle_case, 3).runs == 4
    assert made.numbers == [0, 1, 2, 3]
    assert "Energy of 4 runs of 30 particles" in capsys.readouterr().out


def test_a_run_is_what_the_command_run_makes_of_its_seed(circle_case):
    result = run(circle_case, 2)
    seed = f"companion.seed={result.seed[1]}"
    assert main(["run", str(circle_case), *options(PARTICLES, seed)]) == 0
    single = mf.read(circle_case.parent / "made" / "circle_particles.h5")
    assert np.array_equal(single.energy, result.energy[1])
    assert single.attributes["seed"] == result.seed[1]
    grid = mf.read(circle_case.parent / "made" / "circle.h5")
    assert np.array_equal(grid.energy, result.mean_field.energy)
    assert np.array_equal(grid.prediction, result.mean_field.prediction)


def test_the_mean_field_is_known_until_its_method_changes(circle_case, monkeypatch):
    run(circle_case, 1)
    evolve, methods = ensembles.evolve, []
    monkeypatch.setattr(
        ensembles, "evolve", lambda *a, **k: methods.append(a[1].representation) or evolve(*a, **k)
    )
    first = run(circle_case, 1)
    assert "finite_volumes" not in methods
    second = run(circle_case, 1, "method.cells=16")
    assert methods.count("finite_volumes") == 1
    assert not np.array_equal(first.mean_field.energy, second.mean_field.energy)
    assert np.array_equal(first.energy, second.energy)


def test_particles_may_be_the_method_and_have_no_mean_field(circle_case, capsys):
    method = "method={kind = 'particles', number = 20, dt = 0.05}"
    command = ["ensemble", str(circle_case), "--runs", "2", "--processes", "1"]
    assert main([*command, "--set", method]) == 0
    result = mf.read_ensemble(circle_case.parent / "made" / "circle_ensemble.h5")
    assert result.mean_field is None
    assert result.attributes["particles"] == 20
    assert "mean field" not in capsys.readouterr().out


def test_what_is_interrupted_is_kept(circle_case, tmp_path, made, capsys):
    made.stops[3] = KeyboardInterrupt()
    half = run(circle_case, 5, code=130)
    assert half.runs == 3
    assert capsys.readouterr().err == "interrupted; what had been written is kept\n"
    made.stops.clear()
    whole = run(circle_case, 5)
    assert made.numbers == [0, 1, 2, 3, 4]
    assert_same_bits(whole, run(circle_case, 5, folder=tmp_path / "other"))


def test_the_file_is_written_on_the_way(circle_case, monkeypatch):
    monkeypatch.setattr(ensembles, "SECONDS", 0.0)
    monkeypatch.setattr(ensembles, "SHARE", 1e9)
    path, found = circle_case.parent / "made" / "circle_ensemble.h5", []
    make = Recipe._made

    def looked(recipe, number):
        found.append(mf.read_ensemble(path).runs if path.exists() else 0)
        return make(recipe, number)

    monkeypatch.setattr(Recipe, "_made", looked)
    run(circle_case, 4)
    assert found == [0, 1, 2, 3]


def test_a_run_that_fails_has_its_number_told_and_others_go_on(circle_case, made, capsys):
    made.stops[1] = NumericalFailure("stopped at t = 0.2: every particle was killed")
    result = run(circle_case, 3, code=3)
    assert [outcome == "finished" for outcome in result.outcome] == [True, False, True]
    told = capsys.readouterr()
    assert "run 1: stopped at t = 0.2: every particle was killed" in told.out
    assert told.err.startswith("error: 1 of 3 runs did not finish; run 1: stopped")
    made.stops.clear()
    assert run(circle_case, 4, code=3).outcome.count("finished") == 3
    assert made.numbers == [0, 2, 3]


def test_a_process_that_dies_takes_one_run_and_order_is_kept():
    answers = list(_in_order(square, range(1, 6), 2))
    assert [number for number, _ in answers] == [1, 2, 3, 4, 5]
    assert isinstance(answers[1][1], WorkerDied)
    assert [answer for number, answer in answers if number != 2] == [1, 9, 16, 25]
    gathered = ensembles._Gathered(0)
    gathered.add(answers[1][1])
    assert gathered.outcomes == ["its process was ended by the signal SIGKILL"]


# What is shown


def test_table_figure_plot_and_show(circle_case, capsys):
    run(circle_case, 4, "output.figures=['png']")
    told = capsys.readouterr().out
    assert "d_t mu = div(mu grad V) - alpha (V - <V>) mu" in told
    for word in ("mean E", "s.e.", "5 %", "95 %", "mean field", "off/s.e.", "sd of f", "<f> off"):
        assert word in told
    folder = circle_case.parent / "made"
    assert (folder / "circle_ensemble.png").stat().st_size > 1000
    result = str(folder / "circle_ensemble.h5")
    assert main(["show", result]) == 0
    shown = capsys.readouterr().out
    assert "Energy of 4 runs of 30 particles" in shown
    assert "particles (number = 30, dt = 0.05, seed = 5" in shown
    assert main(["plot", result, result, "--format", "pdf"]) == 0
    assert (folder / "circle_ensemble.pdf").stat().st_size > 1000


# What is refused


def refused(capsys, *command):
    """The one sentence that a command ends with."""
    assert main([str(word) for word in command]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told.removeprefix("error: ").rstrip("\n")


def test_a_case_without_particles(circle_case, capsys):
    told = refused(capsys, "ensemble", circle_case, "--runs", 2)
    assert told == (
        f"{circle_case}: [method] is finite_volumes: expected particles there or in a table "
        "[companion], for example by --set companion.number=1000"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--runs", "0"], "runs = 0: expected at least 1"),
        (["--runs", "2", "--processes", "0"], "processes = 0: expected at least 1"),
    ],
)
def test_wrong_counts(circle_case, capsys, words, expected):
    assert refused(capsys, "ensemble", circle_case, *words, *options(PARTICLES)) == expected
    assert not (circle_case.parent / "made").exists()


def test_runs_of_another_case_are_not_mixed_in_nor_replaced(circle_case, capsys):
    before = run(circle_case, 2)
    capsys.readouterr()
    command = ["ensemble", circle_case, "--runs", 3, *options(PARTICLES)]
    told = refused(capsys, *command, *options("companion.number=31"))
    assert told.endswith(
        "circle_ensemble.h5 holds 2 runs with companion.number = 30, not 31: delete it, or name "
        "another folder by --output"
    )
    told = refused(capsys, *command, *options("terms.birth_death.alpha=4.0"))
    assert "holds 2 runs with terms.0.alpha = 5.0, not 4.0: " in told
    told = refused(capsys, *command, *options("companion.seed=6"))
    assert "holds 2 runs with companion.seed = 5, not 6: " in told
    assert_same_bits(before, run(circle_case, 2, "title='Another title'"))


def test_parts_of_one_kind_are_told_apart(circle_case, capsys):
    def start(first, second):
        parts = ", ".join(f"{{kind = 'point', location = {at}}}" for at in (first, second))
        return f"initial={{kind = 'mixture', weights = [1, 3], parts = [{parts}]}}"

    run(circle_case, 1, start(0.0, 1.0))
    command = ["ensemble", circle_case, "--runs", 2]
    told = refused(capsys, *command, *options(PARTICLES, start(2.0, 1.0)))
    assert ".parts.0." in told
    told = refused(capsys, *command, *options(PARTICLES, start(1.0, 0.0)))
    assert ".parts.0." in told


def test_runs_by_other_code_or_data_are_not_mixed_in(circle_case, capsys, monkeypatch):
    law = circle_case.parent / "law.csv"
    law.write_text("theta,density\n-3.0,0.1\n0.0,1.0\n3.0,0.1\n")
    start = "initial={kind = 'table', path = 'law.csv'}"
    run(circle_case, 1, start)
    command = ["ensemble", circle_case, "--runs", 2, *options(PARTICLES, start)]
    law.write_text("theta,density\n-3.0,0.1\n0.0,2.0\n3.0,0.1\n")
    assert "holds 1 run with another law.csv: delete" in refused(capsys, *command)
    law.write_text("theta,density\n-3.0,0.1\n0.0,1.0\n3.0,0.1\n")
    other = {**ensembles.code(), "numpy_version": "0.1"}
    monkeypatch.setattr(ensembles, "code", lambda: other)
    assert "holds 1 run with another numpy version: delete" in refused(capsys, *command)


def test_a_file_of_another_kind_is_not_replaced(circle_case, capsys):
    folder = circle_case.parent / "made"
    folder.mkdir()
    place = folder / "circle_ensemble.h5"
    place.write_text("mine")
    told = refused(capsys, "ensemble", circle_case, "--runs", 2, *options(PARTICLES))
    assert told == f"{place} cannot be read: it is not an HDF5 file"
    assert place.read_text() == "mine"


def test_a_folder_that_cannot_be_written(circle_case, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    told = refused(capsys, "ensemble", circle_case, "--runs", 2, *options(PARTICLES))
    assert told.endswith("circle_ensemble.h5 cannot be written: Permission denied")


# Animations


def animate(folder, *names, code=0):
    assert main(["animate", *(str(folder / name) for name in names)]) == code
    return folder / names[0].replace(".h5", ".gif")


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """A folder with a density over two parameters, and particles."""
    folder = tmp_path_factory.mktemp("plane")
    save = "output.save={kind = 'every', interval = 0.5}"
    small = ["method.cells=[48, 48]", "companion.number=300", "companion.dt=0.05"]
    settings = options(save, *small, "output.figures=[]")
    assert main(["run", "cases/quickstart.toml", "--output", str(folder), *settings]) == 0
    return folder


def test_a_density_and_particles_side_by_side(plane):
    """One frame a snapshot, of which only what moves is stored again."""
    path = animate(plane, "quickstart.h5", "quickstart_particles.h5")
    times = mf.read(plane / "quickstart.h5").snapshot_time
    with Image.open(path) as picture:
        assert picture.n_frames == times.size == 21
        assert picture.info["loop"] == 0
        frames = []
        for index in (0, 10, 20):
            picture.seek(index)
            frames.append(np.asarray(picture.convert("RGB")).astype(int))
    assert path.stat().st_size < 500_000
    assert frames[0][3, 3].tolist() == [255, 255, 255]
    middle = frames[0].shape[1] // 2
    for before, after in pairwise(frames):
        moved = np.abs(after - before).sum(axis=2) > 0
        assert moved[30:240, :middle].mean() > 0.01
        assert moved[30:240, middle:].mean() > 0.01
        assert moved[300:].any()
    assert not list(plane.glob(".*.part"))


@pytest.mark.parametrize("name", ["quickstart.h5", "quickstart_particles.h5"])
def test_an_animation_of_one_result(plane, name):
    with Image.open(animate(plane, name)) as picture:
        assert picture.n_frames == 21
        assert picture.size[0] < 500


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_an_animation_over_one_parameter(circle_case, alpha):
    save = "output.save={kind = 'every', interval = 0.1}"
    settings = options(PARTICLES, save, f"terms.birth_death.alpha={alpha}")
    assert main(["run", str(circle_case), *settings]) == 0
    path = animate(circle_case.parent / "made", "circle.h5", "circle_particles.h5")
    with Image.open(path) as picture:
        assert picture.n_frames == 6


def test_animations_that_cannot_be(plane, circle_case, tmp_path, capsys):
    once = options(PARTICLES, "output.save={kind = 'at', values = []}")
    for t_end in (0.1, 0.2):
        folder = str(tmp_path / str(t_end))
        command = ["run", str(circle_case), *once, "--set", f"time.t_end={t_end}"]
        assert main([*command, "--output", folder]) == 0
    capsys.readouterr()
    grid, particles = plane / "quickstart.h5", plane / "quickstart_particles.h5"
    one, other = tmp_path / "0.1" / "circle.h5", tmp_path / "0.2" / "circle_particles.h5"
    assert refused(capsys, "animate", grid, other).startswith(
        "parameters of the second result = ('theta',): expected those of the first, ('y', 'c')"
    )
    assert refused(capsys, "animate", particles, grid).startswith(
        "result = 'particles': expected a density first"
    )
    assert refused(capsys, "animate", grid, grid).startswith(
        "second result = 'finite_volumes': expected particles"
    )
    assert refused(capsys, "animate", one, other).startswith(
        "snapshots = 1: expected two or more, of all results at the same times"
    )
    assert refused(capsys, "animate", tmp_path / "no.h5").endswith("there is no such file")


def test_three_parameters_are_not_animated(tmp_path, capsys):
    energy = mf.Energy(
        mf.Ridge("tanh", inputs=2, bias=True),
        mf.FormulaTarget("x_1"),
        mf.ProductData((mf.UniformCircle(3), mf.UniformCircle(3))),
        mf.Box((-9.0,) * 3, (9.0,) * 3),
    )
    law = mf.ProductLaw((mf.Normal(),) * 3)
    start = mf.Particles(5, 0.1).project(law, energy.space)
    path = mf.solve(mf.Equation(energy, (mf.Transport(),)), start, 0.2).write(tmp_path / "a.h5")
    assert refused(capsys, "animate", path).endswith("expected one or two to animate")
