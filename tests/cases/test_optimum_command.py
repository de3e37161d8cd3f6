"""The command that finds the minimum of a case, and the certificate of a run, as typed."""

import tomllib

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.cli import main
from meanfield_pde.plotting.certificate import certificate_figure, has_certificate, least_energy
from meanfield_pde.plotting.optimum import optimum_figure
from meanfield_pde.problem.optimum import optimum
from meanfield_pde.studies import law_problems

SPIKES = "cases/spikes_torus.toml"


def test_atoms_are_printed_written_and_drawn(tmp_path, capsys):
    assert main(["optimum", SPIKES, "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "min E over probability measures" in out
    with (tmp_path / "spikes_torus_optimum.toml").open("rb") as file:
        read = tomllib.load(file)
    assert sorted(atom["mass"] for atom in read["atoms"]) == pytest.approx([0.2, 0.3, 0.5])
    assert read["gap"] < 1e-10
    assert read["made"]["numpy_version"]
    assert (tmp_path / "spikes_torus_optimum.png").stat().st_size > 5000


def test_units_and_signed_measures(tmp_path, capsys):
    arguments = ["optimum", SPIKES, "--over", "signed", "--units", "2", "--output", str(tmp_path)]
    assert main([*arguments, "--set", "penalty={kind = 'constant', price = 0.1}"]) == 0
    out = capsys.readouterr().out
    assert "signed measures of total variation" in out
    assert "The best of few units" in out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["certificate.charge=2.0"], "[certificate] charge = 2.0: expected none, for units"),
        (["certificate.mass=2.0"], "[certificate] mass = 2.0: expected none, for a mass"),
        (["certificate.mass=-1.0"], "[certificate] mass = -1.0: expected a positive number"),
        (["certificate.masss=1.0"], "masss"),
    ],
)
def test_a_wrong_certificate_is_one_sentence(tmp_path, capsys, settings, words):
    options = [part for setting in settings for part in ("--set", setting)]
    assert main(["optimum", SPIKES, "--output", str(tmp_path), *options]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_charges_on_the_whole_line_have_no_minimum(tmp_path, capsys):
    case = ["cases/paper_full_support.toml", "--set", "certificate.charge='unbounded'"]
    assert main(["optimum", *case, "--output", str(tmp_path)]) == 2
    assert "[certificate] charge = 'unbounded'" in capsys.readouterr().err


def test_a_run_tells_gap_and_minimum(tmp_path):
    few = ["--set", "method.cells=128", "--set", "time.t_end=3.0"]
    few += ["--set", "output.save={kind = 'every', interval = 1.0}"]
    assert main(["run", SPIKES, "--output", str(tmp_path), *few]) == 0
    solution = mf.read(tmp_path / "spikes_torus.h5")
    assert has_certificate(solution)
    assert least_energy(solution) == pytest.approx(0.0, abs=1e-10)
    assert np.all(solution.gap >= solution.energy)
    assert (tmp_path / "spikes_torus_certificate.png").exists()
    assert len(certificate_figure(solution).axes) == 1


def test_an_optimum_in_the_plane_is_a_map():
    found = optimum(law_problems.PLANE)
    (axes,) = optimum_figure(found, ("x", "y")).axes
    assert len(axes.images) == 1
    assert len(axes.lines) == 2


def test_a_largest_mass_is_typed(tmp_path, capsys):
    typed = ["optimum", SPIKES, "--output", str(tmp_path), "--over", "nonnegative", "--mass", "0.5"]
    assert main(typed) == 0
    assert "of mass at most 0.5 is 0.39" in capsys.readouterr().out
    assert main(["optimum", SPIKES, "--output", str(tmp_path), "--mass", "0.5"]) == 2
    assert "--mass = 0.5: expected none" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--tolerance", "nan"], ["--tolerance", "-1"], ["--units", "0"], ["--units", "99"]]
)
def test_impossible_requests_are_one_sentence(tmp_path, capsys, wrong):
    assert main(["optimum", SPIKES, "--output", str(tmp_path), *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1
