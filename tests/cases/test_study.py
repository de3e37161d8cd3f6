"""The command `study`: errors and orders, varied values, what is run again."""

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
from well import instead, study

import meanfield_pde as mf
from meanfield_pde.errors import InputError
from meanfield_pde.plotting.refinement import study_figure
from meanfield_pde.problem.exact import CircleFamily
from meanfield_pde.results.provenance import code
from meanfield_pde.studies.summary import read_result
from meanfield_pde.studies.tables import orders

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


def test_a_file_deep_in_a_case_counts_whatever_its_time_stamp(circle_case, executed):
    law = circle_case.parent / "law.csv"
    law.write_text("theta,density\n-3.0,0.1\n0.0,1.0\n3.0,0.1\n")
    part = "{kind = 'table', path = 'law.csv'}"
    settings = [
        f"initial={{kind = 'mixture', weights = [1, 1], parts = [{{kind = 'uniform'}}, {part}]}}",
        instead(refine="{method.cells = [8, 16, 32]}"),
    ]
    study(circle_case, *settings)
    executed.clear()
    study(circle_case, *settings)
    assert executed == []
    law.write_text("theta,density\n-3.0,0.1\n0.0,2.0\n3.0,0.1\n")
    os.utime(law, (1e9, 1e9))
    study(circle_case, *settings)
    assert sorted(executed) == ["cells_16", "cells_32", "cells_8"]


def test_runs_on_other_data_are_made_again(circle_case, executed):
    """Whatever the time stamps of the file say."""
    data = circle_case.parent / "points.csv"
    data.write_text("x,y\n0.0,1.0\n1.0,0.5\n2.0,-1.0\n")
    table = "{kind = 'file', path = 'points.csv', x = ['x'], input_period = 6.283185307179586}"
    settings = [
        f"data={table}",
        "target={kind = 'column', name = 'y'}",
        instead(refine="{method.cells = [8, 16, 32]}"),
    ]
    study(circle_case, *settings)
    executed.clear()
    os.utime(data)
    study(circle_case, *settings)
    assert executed == []
    data.write_text("x,y\n0.0,1.0\n1.0,0.5\n2.0,-2.0\n")
    os.utime(data, (1e9, 1e9))
    study(circle_case, *settings)
    assert executed == ["cells_32", "cells_16", "cells_8"]


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


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(signal.SIGINT, id="interrupted"),
        pytest.param(signal.SIGKILL, id="killed", marks=pytest.mark.long),
    ],
)
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
        assert error == "interrupted; what had been written is kept\n"
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
