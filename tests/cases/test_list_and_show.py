"""The commands `list` and `show`: what they say of cases and results, and of broken ones."""

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import load
from meanfield_pde.cli import main
from meanfield_pde.run import execute, jobs

CASES = Path(__file__).parents[2] / "cases"


def said(capsys, *words, code=0):
    """What a command prints; without errors, or as one sentence of error."""
    capsys.readouterr()
    assert main(words) == code
    output = capsys.readouterr()
    if code:
        assert output.out == ""
        assert re.fullmatch(r"error: [^\n]+\n", output.err), output.err
        return output.err
    assert output.err == ""
    return output.out


# list


def test_cases_are_listed_with_their_titles(capsys, monkeypatch):
    monkeypatch.chdir(CASES.parent)
    text = said(capsys, "list")
    assert text == said(capsys, "list", str(CASES))
    lines = text.splitlines()
    files = sorted(CASES.glob("*.toml"))
    assert len(lines) == len(files)
    column = max(len(path.stem) for path in files) + 2
    for line, path in zip(lines, files, strict=True):
        assert line[:column].strip() == path.stem
        assert line[column - 2 : column] == "  "
        assert line[column:] == load(path).title


def test_a_broken_case_is_listed_with_what_is_wrong(circle_case, capsys):
    folder = circle_case.parent
    (folder / "aa.toml").write_text(
        circle_case.read_text().replace("kappa = 2.0", "kapa = 2.0\nkappa = 2.0")
    )
    (folder / "no_toml_at_all.toml").write_text("alpha = [")
    (folder / "notes.txt").write_text("not a case")
    (folder / "folder.toml").mkdir()
    lines = said(capsys, "list", str(folder)).splitlines()
    assert lines[0] == "aa              error: [unit] kapa: unknown key; did you mean 'kappa'?"
    assert lines[1] == "circle          Three units on the circle"
    assert lines[2].startswith("no_toml_at_all  error: is not valid TOML: ")
    assert len(lines) == 3


def test_a_folder_without_cases_is_one_sentence(tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "nowhere"):
        error = said(capsys, "list", str(folder), code=2)
        assert f"{folder}: expected a folder with case files (*.toml)" in error


# show


@pytest.fixture
def result(circle_case):
    """The file of a finished run and its solution."""
    settings = ["output.save={kind = 'every', interval = 0.05}", "time.splitting.kind=lie"]
    (job,) = jobs(load(circle_case, settings), "circle", circle_case.parent / "made")
    return job.path, execute(job)


def value_of(text, name):
    """What a line says of a name."""
    return re.search(rf"^{name} +(.*(\n {{11}}.*)*)", text, re.MULTILINE)[1]


def test_a_run_fits_on_one_screen(result, capsys):
    path, solution = result
    text = said(capsys, "show", str(path))
    lines = text.splitlines()
    assert len(lines) <= 42
    assert max(map(len, lines)) <= 110
    assert lines[0] == "Three units on the circle"
    assert lines[1] == "d_t mu = - alpha (V - <V>) mu + div(mu grad V)"
    assert value_of(text, "outcome") == "finished"
    assert value_of(text, "times") == "t = 0 to 0.5, 101 records, 11 snapshots"
    assert value_of(text, "measure") == "32 cells, theta in [-3.142, 3.142] (circle)"
    assert value_of(text, "steps").startswith(f"{solution.steps[-1]:.0f}, ")
    assert "transport" in value_of(text, "seconds")
    assert value_of(text, "commit") == solution.attributes["commit"]
    assert f"numpy {np.__version__}" in value_of(text, "versions")
    assert value_of(text, "unit") == "von_mises (kappa = 2)"
    assert value_of(text, "method").startswith("finite_volumes (cells = 32, reconstruction = ")
    assert "t_end = 0.5, splitting = lie" in value_of(text, "time")
    rules = [index for index, line in enumerate(lines) if set(line) == {"-"}]
    header, _, *rows = [line.split("  ") for line in lines[rules[0] + 1 : rules[2]]]
    header, *rows = [[word.strip() for word in row if word.strip()] for row in (header, *rows)]
    assert header[:4] == ["t", "E", "mass", "<V>"]
    assert [float(row[0]) for row in rows] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    for row in rows:
        (energy,) = solution.at("energy", [float(row[0])])
        (defect,) = solution.at("identity_defect", [float(row[0])])
        assert float(row[1]) == pytest.approx(energy, rel=1e-7)
        assert float(row[header.index("defect")]) == pytest.approx(defect, rel=0.06, abs=1e-9)


def test_particles_and_unfinished_runs_can_be_shown(circle_case, capsys):
    settings = ["method={kind = 'particles', number = 30, dt = 0.05}"]
    (job,) = jobs(load(circle_case, settings), "circle", circle_case.parent)
    execute(job)
    with h5py.File(job.path, "r+") as file:
        file.attrs["outcome"] = "unfinished"
    text = said(capsys, "show", str(job.path))
    assert value_of(text, "outcome") == "unfinished"
    assert value_of(text, "measure").startswith("30 particles, theta in ")


def test_a_result_from_python_can_be_shown(tmp_path, capsys):
    """It has no case, no title and no command."""
    space = mf.Interval(-4.0, 4.0)
    equation = mf.Equation(mf.PotentialEnergy(mf.Quadratic(((1.0,),)), space), [mf.Transport()])
    mu = mf.FiniteVolumes(32).project(mf.Normal(0.5, 0.5), space)
    path = mf.solve(equation, mu, 0.1).write(tmp_path / "line.h5")
    text = said(capsys, "show", str(path))
    assert "d_t mu = div(mu grad V)" in text
    assert value_of(text, "outcome") == "finished"


def test_a_study_can_be_shown(circle_case, capsys):
    lists = "study={refine = {method.cells = [8, 16, 32]}, processes = 1}"
    assert main(["study", str(circle_case), "--set", lists]) == 0
    printed = capsys.readouterr().out
    path = circle_case.parent / "made" / "circle_study.h5"
    text = said(capsys, "show", str(path))
    table = printed[printed.index("Error of the energy") : printed.index("wrote")]
    assert table in text
    assert "against the run with method.cells = 32" in table
    assert text.startswith("Three units on the circle\nd_t mu = - alpha")
    assert "refine = {method.cells = [8, 16, 32]}" in value_of(text, "study")
    assert said(capsys, "plot", str(path), "--format", "png").endswith("circle_study.png\n")
    new = str(path.parent / "new" / "folder")
    said(capsys, "plot", str(path), "--output", new, "--format", "png")
    assert (path.parent / "new" / "folder" / "circle_study.png").is_file()
    error = said(capsys, "plot", str(path), str(path), code=2)
    assert "circle_study.h5" in error


def test_a_command_as_typed_is_shown(circle_case):
    def typed(*words):
        return subprocess.run(
            [sys.executable, "-m", "meanfield_pde", *words],
            cwd=circle_case.parent,
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert typed("run", "circle.toml", "--set", "time.t_end=0.1").returncode == 0
    done = typed("show", "made/circle.h5")
    assert done.returncode == 0
    assert done.stderr == ""
    command = "python -m meanfield_pde run circle.toml --set time.t_end=0.1"
    assert value_of(done.stdout, "command") == command
    assert typed("list", ".").stdout == "circle  Three units on the circle\n"


# Broken files


@pytest.fixture(params=["run", "study"])
def whole(request, circle_case):
    """A result file of either kind."""
    folder = circle_case.parent / "made"
    if request.param == "run":
        (job,) = jobs(load(circle_case), "circle", folder)
        execute(job)
        return job.path
    lists = "study={refine = {method.cells = [8, 16, 32]}, processes = 1}"
    assert main(["study", str(circle_case), "--set", lists]) == 0
    return folder / "circle_study.h5"


def test_files_that_are_no_results(circle_case, tmp_path, capsys):
    assert "there is no such file" in said(capsys, "show", str(tmp_path / "nowhere.h5"), code=2)
    assert "it is not a file" in said(capsys, "show", str(tmp_path), code=2)
    assert "it is not an HDF5 file" in said(capsys, "show", str(circle_case), code=2)
    h5py.File(tmp_path / "empty.h5", "w").close()
    error = said(capsys, "show", str(tmp_path / "empty.h5"), code=2)
    assert "it is HDF5 but not a meanfield_pde run" in error


def test_a_file_without_one_of_its_parts(whole, capsys):
    """Each data set and each attribute missing, or another thing: shown, or one sentence."""
    before = whole.read_bytes()
    with h5py.File(whole) as file:
        names, attributes = list(file), list(file.attrs)
    refused = 0
    for name in names:
        for how in ("missing", "group", "text", "short"):
            whole.write_bytes(before)
            with h5py.File(whole, "r+") as file:
                del file[name]
                if how == "group":
                    file.create_group(name)
                elif how == "text":
                    file[name] = "nothing"
                elif how == "short":
                    file[name] = np.zeros(0)
            code = main(["show", str(whole)])
            error = capsys.readouterr().err
            refused += code == 2
            assert code == 2 if how == "group" else code in (0, 2)
            assert error == "" or re.fullmatch(r"error: [^\n]+\n", error)
    assert refused > 2 * len(names)
    for name in attributes:
        for value in (None, 3.5, "other", [1, 2]):
            whole.write_bytes(before)
            with h5py.File(whole, "r+") as file:
                del file.attrs[name]
                if value is not None:
                    file.attrs[name] = value
            assert main(["show", str(whole)]) in (0, 2)
            error = capsys.readouterr().err
            assert error == "" or re.fullmatch(r"error: [^\n]+\n", error)


def test_a_file_that_is_cut(whole, capsys):
    before = whole.read_bytes()
    for length in np.linspace(0, len(before) - 1, 40).astype(int):
        whole.write_bytes(before[:length])
        assert "cannot be read" in said(capsys, "show", str(whole), code=2)
