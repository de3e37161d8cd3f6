"""The command `study`: errors and orders, what is run again, what is compared, what fails."""

import contextlib
import math
import os
import re
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import xarray

import meanfield_pde as mf
from meanfield_pde.case import load, parse
from meanfield_pde.cli import main
from meanfield_pde.errors import InputError
from meanfield_pde.plotting.refinement import has_curves, study_figure
from meanfield_pde.problem.exact import CircleBirthDeath, CircleFamily, QuadraticGaussian
from meanfield_pde.results.provenance import code
from meanfield_pde.results.study import StudyResult, write_study
from meanfield_pde.studies import refinement
from meanfield_pde.studies.exact import exact_solution
from meanfield_pde.studies.summary import read_result
from meanfield_pde.studies.tables import orders
from meanfield_pde.studies.workers import WorkerDied, in_processes

WELL = """\
title = "A cosine well"

[potential]
kind = "cosine_well"

[space]
kind = "circle"

[initial]
kind = "uniform"

[[terms]]
kind = "birth_death"
alpha = 1.0

[[terms]]
kind = "transport"

[method]
kind = "finite_volumes"
cells = 32

[time]
t_end = 0.8

[output]
folder = "made"
figures = []
save = {kind = "at", values = [0.4]}

[study]
refine.method.cells = [16, 32, 64]
against.kind = "exact"
processes = 1
"""


@pytest.fixture
def well(tmp_path):
    path = tmp_path / "well.toml"
    path.write_text(WELL)
    return path


def study(case, *settings, code=0):
    """Run the command in this process; its result."""
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["study", str(case), *options]) == code
    return read_result(case.parent / "made" / f"{case.stem}_study.h5")


def instead(**tables):
    """The setting that gives a case another [study]."""
    rest = ", ".join(f"{name} = {value}" for name, value in tables.items())
    return f"study={{{rest}, processes = 1}}"


@pytest.fixture
def executed(monkeypatch):
    """Names of the runs that are really executed."""
    names, execute = [], refinement.execute
    monkeypatch.setattr(
        refinement, "execute", lambda job: names.append(job.path.stem) or execute(job)
    )
    return names


# Errors and orders


def test_errors_and_orders_against_the_exact_solution(well, capsys):
    result = study(well, "output.figures=['png', 'pdf']")
    assert result.values == {"method.cells": ("16", "32", "64")}
    assert result.time.tolist() == [0.0, 0.4, 0.8]
    exact = CircleFamily(1.0)
    for row, cells in enumerate((16, 32, 64)):
        run = mf.read(well.parent / "made" / "well_study" / f"cells_{cells}.h5")
        assert run.time.tolist() == [0.0, 0.4, 0.8]
        width = 2 * np.pi / cells
        edges = np.linspace(-np.pi, np.pi, cells + 1)
        for index, t in enumerate(result.time):
            assert result.observed["energy"][row, index] == run.energy[index]
            error = abs(run.energy[index] - exact.energy(t))
            assert result.errors["energy"][row, index] == pytest.approx(error, rel=1e-12, abs=1e-16)
            apart = np.abs(run.measure[index] - exact.cell_averages(t, edges)).sum() * width
            assert result.errors["density"][row, index] == pytest.approx(apart, rel=1e-12)
    assert result.reference["energy"][1:] == pytest.approx([exact.energy(0.4), exact.energy(0.8)])
    assert result.errors["energy"][2, 1:] == pytest.approx([1.86e-4, 4.33e-4], rel=0.01)
    assert result.orders["energy"][1:, 1:] == pytest.approx(2.0, abs=0.12)
    assert result.orders["density"][1:, 2] == pytest.approx(1.9, abs=0.3)
    assert np.isnan(result.orders["energy"][0]).all()
    ratio = result.errors["energy"][1, 2] / result.errors["energy"][2, 2]
    assert result.orders["energy"][2, 2] == pytest.approx(math.log2(ratio))
    text = capsys.readouterr().out
    assert "d_t mu = - alpha (V - <V>) mu + div(mu grad V)" in text
    assert "Error of the energy, against the exact solution" in text
    assert re.search(r"64 +\d\.\d\de-04 +2\.0\d +4\.33e-04 +2\.0\d", text)
    for ending in ("h5", "png", "pdf"):
        assert f"well_study.{ending}" in text
        assert (well.parent / "made" / f"well_study.{ending}").stat().st_size > 1000


def test_orders_use_the_ratio_of_the_sizes():
    for power in (1, 2, 0.5):
        for sizes in ([10, 30, 40], [0.4, 0.1, 0.01]):
            width = [1 / size if sizes[0] < sizes[-1] else size for size in sizes]
            errors = [3 * h**power for h in width]
            assert orders(errors, sizes) == pytest.approx([power, power])
    assert orders([1.0, 0.25]) == pytest.approx([2.0])
    assert np.isnan(orders([0.0, 1.0, math.nan], [1, 2, 3])).all()


def test_the_finest_run_has_no_row_and_bends_the_last_order(well):
    """Errors C dt^2 against a run of step 0.002: differences C (dt^2 - 0.002^2)."""
    steps = (0.02, 0.008, 0.004)
    settings = [
        "time.step={kind = 'fixed', dt = 0.1}",
        "method.reconstruction={kind = 'muscl', limiter = 'none'}",
        instead(refine="{time.step.dt = [0.02, 0.008, 0.004, 0.002]}"),
    ]
    result = study(well, *settings)
    assert result.values == {"time.step.dt": ("0.02", "0.008", "0.004")}
    folder = well.parent / "made" / "well_study"
    finest = mf.read(folder / "dt_0.002.h5")
    assert result.attributes["against"] == "the run with time.step.dt = 0.002, taken as exact"
    assert np.array_equal(result.reference["energy"], finest.energy)
    for row, dt in enumerate(steps):
        run = mf.read(folder / f"dt_{dt}.h5")
        assert run.steps[-1] == round(0.8 / dt)
        assert result.errors["energy"][row] == pytest.approx(np.abs(run.energy - finest.energy))
        apart = np.abs(run.measure - finest.measure).sum(axis=1) * 2 * np.pi / 32
        assert result.errors["density"][row] == pytest.approx(apart)
    gaps = [math.log(dt**2 - 0.002**2) for dt in steps]
    expected = -np.diff(gaps) / [math.log(2.5), math.log(2.0)]
    assert expected[1] == pytest.approx(math.log2(5))
    for quantity in ("energy", "density"):
        assert result.orders[quantity][1:, 2] == pytest.approx(expected, abs=0.04)


def test_finer_densities_are_averaged_to_the_coarser_grid(well):
    wanted = instead(
        refine="{method.cells = [16, 64]}", against="{kind = 'method', method = {cells = 32}}"
    )
    result = study(well, wanted)
    folder = well.parent / "made" / "well_study"
    other = mf.read(folder / "reference.h5").measure
    coarse, fine = (mf.read(folder / f"cells_{n}.h5").measure for n in (16, 64))
    left = np.abs(coarse - 0.5 * (other[:, ::2] + other[:, 1::2])).sum(axis=1) * 2 * np.pi / 16
    right = np.abs(other - 0.5 * (fine[:, ::2] + fine[:, 1::2])).sum(axis=1) * 2 * np.pi / 32
    assert result.errors["density"] == pytest.approx(np.array([left, right]))


def test_grids_in_two_parameters_and_a_prediction(tmp_path):
    case = tmp_path / "plane.toml"
    case.write_text(
        'title = "Charged units"\n'
        "unit = {kind = 'charged', base = {kind = 'von_mises', kappa = 1.0}}\n"
        "target = {kind = 'teacher', centres = [0.5], masses = [1.0]}\n"
        "data = {kind = 'uniform_circle', points = 12}\n"
        "space = {kind = 'product', factors = [{kind = 'circle'}, "
        "{kind = 'interval', lower = -3.0, upper = 3.0}]}\n"
        "initial = {kind = 'product', factors = [{kind = 'uniform'}, "
        "{kind = 'normal', deviation = 0.7}]}\n"
        "terms = [{kind = 'transport'}]\n"
        "method = {kind = 'finite_volumes', cells = 16}\n"
        "time = {t_end = 0.2}\n"
        "output = {folder = 'made', figures = [], save = {kind = 'at', values = []}}\n"
        "study = {refine = {method = {cells = [[8, 12], [16, 24], [32, 24]]}}, processes = 1}\n"
    )
    result = study(case)
    folder = tmp_path / "made" / "plane_study"
    runs = [mf.read(folder / f"cells_{n}.h5") for n in ("8_12", "16_24", "32_24")]
    assert list(result.errors) == ["density", "energy", "prediction"]
    assert result.size == pytest.approx([96**0.5, 384**0.5])
    for row in (0, 1):
        square = (runs[row].prediction - runs[2].prediction) ** 2
        assert result.errors["prediction"][row] == pytest.approx(np.sqrt(square.mean(axis=1)))
    finest = runs[2].measure[1].reshape(8, 4, 12, 2).mean(axis=(1, 3))
    apart = np.abs(runs[0].measure[1] - finest).sum() * (2 * np.pi / 8) * 0.5
    assert result.errors["density"][0, 1] == pytest.approx(apart)
    assert (result.orders["prediction"][1, 1], result.orders["energy"][1, 1]) > (1.0, 1.0)


def test_particles_are_compared_with_a_grid(well):
    lists = instead(
        refine="{method.number = [50, 200]}",
        against="{kind = 'method', method = {kind = 'finite_volumes', cells = 48}}",
    )
    result = study(well, "method={kind = 'particles', seed = 3, dt = 0.05}", lists)
    assert list(result.errors) == ["energy"]
    folder = well.parent / "made" / "well_study"
    reference = mf.read(folder / "reference.h5")
    assert reference.layout.measure_shape == (48,)
    run = mf.read(folder / "number_200_particles.h5")
    assert result.errors["energy"][1] == pytest.approx(np.abs(run.energy - reference.energy))


def test_a_method_of_comparison_may_have_other_steps(well):
    against = "{kind = 'method', method = {}, time = {step = {kind = 'fixed', dt = 0.01}}}"
    controlled = "time.step={kind = 'controlled'}"
    study(well, controlled, instead(refine="{time.step.tolerance=[1e-2, 1e-5]}", against=against))
    run = mf.read(well.parent / "made" / "well_study" / "reference.h5")
    assert run.steps[-1] == 80


def test_steps_are_not_cut_by_record_times(well):
    """A hundred records would make a hundred steps of any longer dt."""
    settings = ["time.step={kind = 'fixed', dt = 0.1}", "method.cells=16"]
    lists = instead(refine="{time.step.dt = [0.1, 0.05]}", against="{kind = 'exact'}")
    study(well, *settings, "output.record={kind = 'every', interval = 0.008}", lists)
    run = mf.read(well.parent / "made" / "well_study" / "dt_0.1.h5")
    assert run.steps[-1] == 8


def test_varied_values_are_tabled(well, capsys):
    compare = '["energy", "mass"]'
    free = "terms.birth_death.balance={kind = 'free'}"
    result = study(
        well,
        free,
        "output.figures=['png']",
        instead(vary="{terms.birth_death.alpha = [0.0, 0.5, 2.0]}", compare=compare),
    )
    assert not result.refines
    assert result.size.tolist() == [0.0, 0.5, 2.0]
    assert list(result.observed) == ["energy", "mass"]
    for row, alpha in enumerate((0.0, 0.5, 2.0)):
        mass = CircleFamily(alpha).free_mass(0.8)
        assert result.observed["mass"][row, 2] == pytest.approx(mass, rel=3e-3)
    text = capsys.readouterr().out
    assert "order" not in text
    assert re.search(r"terms\.birth_death\.alpha +t = 0\.4 +t = 0\.8", text)
    assert (well.parent / "made" / "well_study.png").exists()


def test_values_that_are_no_numbers_can_be_varied(well):
    kinds = "[{kind = 'upwind'}, {kind = 'muscl', limiter = 'minmod'}]"
    result = study(well, instead(vary=f"{{method.reconstruction = {kinds}}}"))
    assert np.isnan(result.size).all()
    assert result.values["method.reconstruction"][1] == '{kind = "muscl", limiter = "minmod"}'
    assert result.observed["energy"][0, 2] > result.observed["energy"][1, 2]
    figure = study_figure(result)
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert labels == ["upwind", "muscl, minmod"]


# What is run again


def test_a_second_call_runs_nothing(well, executed):
    first = study(well)
    assert executed == ["cells_64", "cells_32", "cells_16"]
    executed.clear()
    second = study(well)
    assert executed == []
    for quantity, errors in first.errors.items():
        assert np.array_equal(errors, second.errors[quantity])


def test_only_what_is_new_is_run(well, executed):
    study(well)
    executed.clear()
    result = study(well, "study.refine.method.cells=[16, 48, 64]", "output.figures=['png']")
    assert executed == ["cells_48"]
    assert result.values == {"method.cells": ("16", "48", "64")}
    assert orders(result.errors["energy"][:, 2], [16, 48, 64]) == pytest.approx(
        [2.0, 2.0], abs=0.15
    )
    executed.clear()
    study(well, "output.record={kind = 'every', interval = 0.1}", "study.compare=['energy']")
    assert executed == []
    study(well, "terms.birth_death.alpha=0.5")
    assert executed == ["cells_64", "cells_32", "cells_16"]


def test_what_other_code_made_is_made_again(well, executed):
    study(well)
    executed.clear()
    with h5py.File(well.parent / "made" / "well_study" / "cells_32.h5", "r+") as file:
        assert file.attrs["sources"] == code()["sources"]
        file.attrs["sources"] = "of another version"
    study(well)
    assert executed == ["cells_32"]


def test_damaged_and_unfinished_runs_are_made_again(well, executed):
    first = study(well)
    folder = well.parent / "made" / "well_study"
    (folder / "cells_16.h5").write_bytes(b"nothing")
    with h5py.File(folder / "cells_64.h5", "r+") as file:
        file.attrs["outcome"] = "unfinished"
    executed.clear()
    second = study(well)
    assert executed == ["cells_64", "cells_16"]
    assert np.array_equal(first.errors["density"], second.errors["density"])


def test_a_run_older_than_a_file_it_reads_is_made_again(well, executed):
    """The case's text is the same, what it names is not."""
    named = well.parent / "A cosine well"
    study(well)
    executed.clear()
    named.write_text("a file of the name of the title")
    os.utime(named, (1e9, 1e9))
    study(well)
    assert executed == []
    os.utime(named)
    study(well)
    assert executed == ["cells_64", "cells_32", "cells_16"]


def test_runs_in_parallel_have_the_same_bits(well):
    one = study(well)
    two = study(well, "study.processes=2", "output.folder=made2")
    assert two is not None
    for name in ("cells_16", "cells_32", "cells_64"):
        pair = [mf.read(well.parent / f / "well_study" / f"{name}.h5") for f in ("made", "made2")]
        assert np.array_equal(pair[0].measure, pair[1].measure)
        assert np.array_equal(pair[0].energy, pair[1].energy)
        assert pair[1].attributes["threads"] == 1
    result = read_result(well.parent / "made2" / "well_study.h5")
    for quantity, errors in one.errors.items():
        assert np.array_equal(errors, result.errors[quantity])


PROGRAM = [sys.executable, "-m", "meanfield_pde", "study", "well.toml"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_a_study_that_is_ended_keeps_its_finished_runs(well, sent, executed):
    """The signal reaches all its processes, as that of a terminal does."""
    slow = ["--set", "study.refine.method.cells=[16, 32, 16384]", "--set", "study.processes=2"]
    run = subprocess.Popen(
        [*PROGRAM, *slow],
        cwd=well.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    folder = well.parent / "made" / "well_study"
    names = ("cells_16", "cells_32")
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not all(finished(folder / f"{n}.h5") for n in names):
            time.sleep(0.05)
        os.killpg(run.pid, sent)
        _, error = run.communicate(timeout=30)
        gone(run.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    if sent == signal.SIGINT:
        assert run.returncode == 130
        assert error == "interrupted; what was computed is kept\n"
    assert not (well.parent / "made" / "well_study.h5").exists()
    study(well)
    assert executed == ["cells_64"]


def finished(path):
    """Whether a run has ended well."""
    try:
        return mf.read(path).attributes["outcome"] == "finished"
    except InputError:
        return False


def gone(group):
    """Wait until no process of a group is left."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("a process of the study is left")


# What fails


def test_a_run_that_stops_is_a_row(well, capsys):
    """The fixed step is too long for the finest grid."""
    fixed = "time.step={kind = 'fixed', dt = 0.05}"
    result = study(well, fixed, "output.figures=['png']", code=3)
    assert result.outcome[:2] == ("finished", "finished")
    assert result.outcome[2].startswith("stopped at t = 0: transport would empty a cell")
    assert np.isfinite(result.errors["energy"][:2]).all()
    assert np.isnan(result.errors["energy"][2]).all()
    said = capsys.readouterr()
    assert re.search(r"\n *64( +-){4}\n", said.out)
    assert "\nmethod.cells = 64: stopped at t = 0: transport would empty a cell" in said.out
    assert (well.parent / "made" / "well_study.png").exists()
    assert re.fullmatch(r"error: 1 run of the study did not finish: stopped [^\n]+\n", said.err)


def test_a_reference_that_stops_leaves_no_errors(well, capsys):
    fixed = "time.step={kind = 'fixed', dt = 0.05}"
    result = study(well, fixed, "study.against={kind = 'finest'}", "output.figures=['png']", code=3)
    assert result.outcome == ("finished", "finished")
    assert np.isnan(result.errors["energy"]).all()
    assert np.isfinite(result.observed["energy"]).all()
    said = capsys.readouterr().out
    assert "\nthe run with method.cells = 64, taken as exact: stopped at t = 0" in said
    assert not (well.parent / "made" / "well_study.png").exists()  # nothing to draw


def test_a_law_too_narrow_for_one_grid_is_a_row(well):
    settings = [
        "potential={kind = 'quadratic', matrix = [[1.0]]}",
        "space={kind = 'interval', lower = -5.0, upper = 5.0}",
        "initial={kind = 'normal', mean = 0.3, deviation = 0.02}",
    ]
    result = study(well, *settings, "study.refine.method.cells=[8, 256, 512]", code=3)
    assert "expected it to be wider than a cell" in result.outcome[0]
    assert result.outcome[1:] == ("finished", "finished")


@pytest.mark.filterwarnings("always:")
def test_warnings_name_their_run(well, capsys):
    settings = [
        "potential={kind = 'quadratic', matrix = [[-1.0]]}",
        "space={kind = 'interval', lower = -3.0, upper = 3.0}",
        "initial={kind = 'normal', deviation = 0.5}",
        "time.t_end=2.0",
        instead(vary="{terms.birth_death.alpha = [0.0, 1.0]}"),
    ]
    study(well, *settings)
    said = capsys.readouterr().err.splitlines()
    begins = [f"warning: terms.birth_death.alpha = {alpha}: mass gathers" for alpha in (1.0, 0.0)]
    assert [line[: len(begins[0])] for line in said] == begins


def fragile(number):
    """A task that one number kills."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def test_a_process_that_dies_takes_only_its_own_task():
    answers = dict(in_processes(fragile, [1, 2, 3, 4, 5], 2))
    died = answers.pop(1)
    assert isinstance(died, WorkerDied)
    assert "SIGKILL" in str(died)
    assert answers == {0: 1, 2: 9, 3: 16, 4: 25}


def no_study(text):
    return text[: text.index("[study]")]


WRONG_STUDIES = [
    (
        ["study.refine.method.cels=[16, 32]"],
        ["[study] refine", "method.cels = [16, 32]", "3 values"],
    ),
    ([instead(refine="{method.cels = [16, 32, 64]}")], ["cels", "unknown key", "'cells'"]),
    ([instead(refine="{metod.cells = [16, 32, 64]}")], ["metod", "unknown key", "'method'"]),
    ([instead(refine="{terms.diffusion.alpha = [1, 2, 3]}")], ["diffusion", "no table"]),
    ([instead(refine="{method.cells = [2, 16, 32]}")], ["method.cells = 2", "at least 4"]),
    ([instead(refine="{method.cells = ['a', 'b', 'c']}")], ["cells", "'a'", "positive numbers"]),
    ([instead(refine="{method.cells = 16}")], ["refine method.cells", "16", "list"]),
    (["study.refine.time.step.tolerance=[1e-3, 1e-4]"], ["tolerance", "3 values", "method.cells"]),
    (["study.refine.method.cells=[16]"], ["method.cells", "[16]", "at least 2"]),
    (["study.refine.method.cells=[16, 32]", "study.against.kind=finest"], ["at least 3"]),
    (["study.refine.method.cells=[64, 32, 16]"], ["[64, 32, 16]", "from coarse to fine"]),
    (["study.refine.method.cells=[16, 64, 32]"], ["from coarse to fine"]),
    (["study.refine.method.cells=[16, 16, 32]"], ["from coarse to fine"]),
    ([instead(refine="{time.step.tolerance = [1e-6, 1e-5, 1e-4]}")], ["from coarse to fine"]),
    ([instead(vary="{terms.birth_death.alpha = [1.0, 1.0]}")], ["alpha", "different values"]),
    (["study.vary.method.cells=[16, 32]"], ["refine, vary", "one of them"]),
    (["study={processes = 1}"], ["refine, vary", "one of them"]),
    ([instead(refine="{}")], ["refine", "a key and the list of its values"]),
    (["study.against.kind=exactly"], ["against kind", "'exactly'", "'exact'"]),
    (["study.against.cells=3"], ["against", "cells", "unknown key"]),
    (["study.against={kind = 'method'}"], ["against", "method", "is missing"]),
    (
        ["study.against={kind = 'method', method = {cels = 3}}"],
        ["[study] against: [method] cels: unknown key", "'cells'"],
    ),
    (["study.compare=['energie']"], ["compare", "energie", "energy, mass"]),
    (["study.compare=[]"], ["compare", "energy, mass"]),
    (["study.compare=['prediction']"], ["prediction", "no exact one is known"]),
    (["study.processes=0"], ["processes", "0", "at least 1"]),
    (["study.refin.method.cells=[1, 2]"], ["refin", "'refine'"]),
    (
        [instead(vary="{terms.birth_death.alpha = [0.0, 1.0]}", against="{kind = 'exact'}")],
        ["against", "varied"],
    ),
    ([instead(vary="{time.t_end = [1.0, 2.0]}")], ["save times", "1.0", "2.0"]),
    (
        [instead(refine="{method.cells = [16, 24, 36]}")],
        ["density", "36 cells", "16", "divide"],
    ),
    (
        [
            "time.step={kind = 'fixed', dt = 0.1}",
            instead(refine="{time.step.dt = [0.3, 0.2, 0.1]}"),
        ],
        ["dt", "0.3", "0.4", "divides"],
    ),
    (["study.refine.method.cells=[16, 2000000000]"], ["2000000000", "memory"]),
    (
        [
            "potential={kind = 'quadratic', matrix = [[-1.0]]}",
            "space={kind = 'interval', lower = -3.0, upper = 3.0}",
            "initial={kind = 'normal', deviation = 0.5}",
        ],
        ["mass beyond the walls", "wide enough", "on the line"],
    ),
]


@pytest.mark.parametrize(("settings", "mentions"), WRONG_STUDIES, ids=lambda part: str(part[0]))
def test_a_wrong_study_is_one_sentence(well, settings, mentions, capsys, executed):
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["study", str(well), *options]) == 2
    error = capsys.readouterr().err
    assert re.fullmatch(rf"error: {re.escape(str(well))}: [^\n]+\n", error), error
    for words in mentions:
        assert words in error
    assert executed == []
    assert not (well.parent / "made" / "well_study.h5").exists()


def test_a_case_without_a_study_says_how_to_get_one(well, capsys):
    well.write_text(no_study(WELL))
    assert main(["study", str(well)]) == 2
    assert "--set study.refine.method.cells=[64,128,256]" in capsys.readouterr().err
    result = study(well, instead(refine="{method.cells = [16, 32, 64]}"))
    assert result.orders["energy"][1, 2] == pytest.approx(2.3, abs=0.2)


def test_a_result_that_cannot_be_written_is_found_first(well, capsys, executed):
    (well.parent / "made" / "well_study" / "cells_16.h5").mkdir(parents=True)
    assert main(["study", str(well)]) == 2
    assert "cells_16.h5 cannot be written: it is not a file" in capsys.readouterr().err
    assert executed == []


def test_a_study_in_a_case_file_is_a_value(well):
    case = load(well)
    again = parse(case.text(), "text")
    assert again == case
    assert case.study.refine == {"method.cells": [16, 32, 64]}
    assert case.study.settings(1) == ("method.cells=32",)
    quoted = WELL.replace("refine.method.cells = ", 'refine."method.cells" = ')
    assert parse(quoted, "text") == case


# Which cases have an exact solution


def normal(space, *deviations, mean=0.0):
    factors = tuple(mf.Normal(mean, deviation) for deviation in deviations)
    return space, factors[0] if len(factors) == 1 else mf.ProductLaw(factors)


LINE, PLANE, CIRCLE = mf.Interval(-8.0, 8.0), mf.Box((-5.5,) * 2, (5.5,) * 2), mf.Circle()
BOWL = mf.Quadratic(((1.0, 0.4), (0.4, 0.6)), offset=0.3)
WELL_OF_2 = mf.PotentialEnergy(mf.CosineWell(2.0), CIRCLE)
UNITS = mf.Energy(mf.Cosine(0.8), mf.Teacher((0.0,), (1.25,)), mf.UniformCircle(8), CIRCLE)
BOTH, FREE = [mf.BirthDeath(1.5), mf.Transport()], [mf.BirthDeath(1.5, mf.Free()), mf.Transport()]


def bowl(terms, deviations=(0.7, 0.5)):
    return mf.Equation(mf.PotentialEnergy(BOWL, PLANE), terms), mf.ProductLaw(
        tuple(mf.Normal(0.3, deviation) for deviation in deviations)
    )


def gaussian(**changes):
    data = {"matrix": BOWL.matrix, "initial_mean": (0.3, 0.3), "offset": 0.3, "alpha": 1.5}
    return QuadraticGaussian(**data, initial_covariance=((0.49, 0.0), (0.0, 0.25)), **changes)


EXACT = {
    "plane": (bowl(BOTH), gaussian(), False),
    "plane, free": (bowl(FREE), gaussian(), True),
    "plane, birth-death": (bowl(BOTH[:1]), gaussian(transport=False), False),
    "line": (
        (
            mf.Equation(mf.PotentialEnergy(mf.Quadratic(((0.8,),)), LINE), [mf.Transport((1.0,))]),
            mf.Normal(0.5, 0.6),
        ),
        QuadraticGaussian(((0.8,),), (0.5,), ((0.36,),), 0.0),
        False,
    ),
    "well": ((mf.Equation(WELL_OF_2, BOTH), mf.Uniform()), CircleFamily(1.5, 2.0), False),
    "well, free": ((mf.Equation(WELL_OF_2, FREE), mf.Uniform()), CircleFamily(1.5, 2.0), True),
    "well, birth-death": (
        (mf.Equation(WELL_OF_2, FREE[:1]), mf.Uniform(-math.pi, math.pi)),
        CircleBirthDeath(1.5, 2.0),
        True,
    ),
    "units": ((mf.Equation(UNITS, BOTH), mf.Uniform()), CircleFamily(1.5, 1.0, 0.8), False),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_solutions_are_recognised(name):
    """Against what the problem's own class says, and against a run on a fine grid."""
    (equation, law), known, free = EXACT[name]
    found = exact_solution(equation, law)
    t = 0.3
    expected = 1.0
    if free:
        expected = known.mass(t) if hasattr(known, "mass") else known.free_mass(t)
    assert found.mass(t) == pytest.approx(expected, rel=1e-12)
    assert found.energy(t) == pytest.approx(expected * known.energy(t), rel=1e-12)
    cells = 160 if len(equation.energy.parameters) == 2 else 256
    mu = mf.FiniteVolumes(cells).project(law, equation.energy.space)
    end = mf.AtTimes(())
    solution = mf.solve(equation, mu, t, record=end, save=end)
    exact = found.in_place_of(solution, mu.grid)
    assert solution.mass == pytest.approx(exact.mass, rel=1e-3)
    assert solution.energy == pytest.approx(exact.energy, rel=2e-3, abs=1e-15)
    apart = np.abs(solution.measure - exact.measure).reshape(2, -1).sum(axis=1) * mu.weight
    assert np.all(apart < [1e-9, 5e-3])
    assert found.check_walls((0.0, t)) < 1e-12


UNKNOWN = {
    "mobility": (mf.Equation(WELL_OF_2, [mf.Transport((2.0,))]), mf.Uniform()),
    "reinjection": (
        mf.Equation(WELL_OF_2, [mf.BirthDeath(1.0, mf.Reinjection(mf.Uniform()))]),
        mf.Uniform(),
    ),
    "part of the circle": (mf.Equation(WELL_OF_2, BOTH), mf.Uniform(-1.0, 1.0)),
    "hill": (mf.Equation(mf.PotentialEnergy(mf.CosineWell(-1.0), CIRCLE), BOTH), mf.Uniform()),
    "double well": (mf.Equation(mf.PotentialEnergy(mf.DoubleWell(), LINE), BOTH), mf.Normal()),
    "uniform in a bowl": (
        mf.Equation(mf.PotentialEnergy(mf.Quadratic(((1.0,),)), LINE), BOTH),
        mf.Uniform(),
    ),
    "free units": (mf.Equation(UNITS, FREE), mf.Uniform()),
    "units, birth-death alone": (mf.Equation(UNITS, BOTH[:1]), mf.Uniform()),
    "teacher elsewhere": (
        mf.Equation(
            mf.Energy(mf.Cosine(), mf.Teacher((1.0,), (1.0,)), mf.UniformCircle(8), CIRCLE), BOTH
        ),
        mf.Uniform(),
    ),
    "two inputs": (
        mf.Equation(
            mf.Energy(mf.Cosine(), mf.Teacher((0.0,), (1.0,)), mf.UniformCircle(2), CIRCLE), BOTH
        ),
        mf.Uniform(),
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_has_no_exact_solution_is_told_what_has_one(name):
    with pytest.raises(InputError, match=r"expected a quadratic .* or cosine units .* mobility 1"):
        exact_solution(*UNKNOWN[name])


# The figure and the file


def made_up(sizes, power, key="method.cells", **others):
    sizes = np.array(sizes, dtype=float)
    time = np.array([0.0, 1.0, 2.0])
    errors = np.outer((sizes / sizes[0]) ** power, [0.0, 0.3, 1.0])
    return StudyResult(
        values={key: tuple(f"{size:g}" for size in sizes), **others},
        size=sizes,
        outcome=("finished",) * sizes.size,
        seconds=np.arange(sizes.size, dtype=float),
        time=time,
        observed={"energy": errors + 1.0},
        reference={"energy": np.ones(3)},
        errors={"energy": errors},
        orders={"energy": np.full(errors.shape, np.nan)},
        attributes={"against": "the exact solution", "equation": "d_t mu = 0"},
    )


@pytest.mark.parametrize(
    ("sizes", "power", "label"),
    [
        ([16, 32, 64], -2.0, "2.00"),
        ([0.4, 0.2, 0.05], 1.0, "1.00"),
        ([16, 32, 64], 0.5, "-0.50"),
        ([16, 64], -1.5, "1.50"),
    ],
)
def test_a_triangle_has_the_slope_of_the_errors(sizes, power, label):
    figure = study_figure(made_up(sizes, power))
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    (triangle,) = axes.patches
    corners = np.log(triangle.get_xy()[:3])
    assert (corners[1] - corners[0])[1] / (corners[1] - corners[0])[0] == pytest.approx(power)
    assert {text.get_text() for text in axes.texts} == {f"${label}$", "1"}
    assert axes.get_xticks() == pytest.approx(sizes)
    lines = [line for line in axes.lines if len(line.get_xdata()) == len(sizes)]
    for x, y in corners:
        for line in lines:
            data = np.log(np.array(line.get_xydata()))[np.argsort(sizes)]
            assert y < np.interp(x, data[:, 0], data[:, 1])
        assert axes.get_ylim()[0] < np.exp(y)
    assert [text.get_text() for text in axes.get_legend().texts] == ["$t = 1$", "$t = 2$"]


def test_many_values_and_rows_without_errors_can_be_drawn():
    result = made_up(range(10, 40), -2.0)
    result.errors["energy"][3] = np.nan
    (axes,) = study_figure(result).axes
    assert len(axes.get_xticks()) < 10
    assert [text.get_text() for text in axes.texts] == ["$2.00$", "1"]
    result.errors["energy"][:] = np.nan
    assert not has_curves(result)


def test_a_study_file_is_labelled_and_comes_back(tmp_path):
    path = tmp_path / "study.h5"
    others = {"time.step.dt": ("0.1", "0.05", "0.01")}
    result = made_up([16, 32, 64], -2.0, **others)
    write_study(result, path)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data["energy"].dims == data["energy_error"].dims == ("run", "time")
        assert data["energy_reference"].dims == ("time",)
        assert data["set time.step.dt"].values.tolist() == ["0.1", "0.05", "0.01"]
        assert data["value"].values.tolist() == [16.0, 32.0, 64.0]
        assert float(data["energy_error"].sel(time=2.0)[1]) == result.errors["energy"][1, 2]
    back = read_result(path)
    assert list(back.values) == ["method.cells", "time.step.dt"]
    for name, value in vars(result).items():
        other = getattr(back, name)
        if isinstance(value, dict) and name not in ("values", "attributes"):
            assert value.keys() == other.keys()
            assert all(np.array_equal(value[k], other[k], equal_nan=True) for k in value)
        else:
            assert np.array_equal(value, other) if isinstance(value, np.ndarray) else value == other


def test_a_study_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "study.h5"
    write_study(made_up([16, 32], -2.0), path)
    before = path.read_bytes()
    result = made_up([16, 32, 64], -2.0)
    result.attributes["case"] = object()
    with pytest.raises(InputError, match="attribute 'case'"):
        write_study(result, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.h5"]
