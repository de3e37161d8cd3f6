"""Broken runs of the user's own: one clear sentence each, exit code 2, nothing written."""

import h5py
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import load
from meanfield_pde.cli import main

TIME = np.array([0.0, 0.1, 0.2])
POSITIONS = np.random.default_rng(0).uniform(-3.0, 3.0, (3, 5, 1))
UNIT = ["--time-unit", "mean_field"]


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


def arrays(**changes):
    return {"positions": POSITIONS, "time": TIME, **changes}


ARRAYS = {
    "nan": (
        arrays(positions=changed(POSITIONS, (1, 2, 0), np.nan)),
        "'positions' is nan at entry 2, 3, 1: expected a number",
    ),
    "infinite": (arrays(time=[0.0, 0.1, np.inf]), "'time' is inf at entry 3"),
    "wrong dimension": (
        arrays(positions=np.zeros((3, 5, 2))),
        "number of parameters of positions = 2: expected 1, of theta",
    ),
    "no axis": (arrays(positions=np.zeros((3, 5))), "expected (times, particles, parameters)"),
    "times that fall": (arrays(time=[0.0, 0.2, 0.1]), "time number 3 = 0.1: expected more than"),
    "times that stay": (arrays(time=[0.0, 0.1, 0.1]), "time number 3 = 0.1: expected more than"),
    "negative times": (arrays(time=[-0.1, 0.1, 0.2]), "first time = -0.1: expected a time >= 0"),
    "another number of times": (arrays(time=[0.0, 0.1]), "with 2 times"),
    "weights of another sum": (arrays(weights=np.full(5, 0.3)), "sum of weights = 1.5: expected 1"),
    "weights of another number": (arrays(weights=np.full(4, 0.25)), "shape of weights = (4,)"),
    "weights that stay": (
        arrays(weights=np.arange(1.0, 6.0) / 15.0),
        "expected (times, particles) with birth and death",
    ),
    "no positions": ({"position": POSITIONS, "time": TIME}, "there is no array 'positions'"),
    "no times": ({"positions": POSITIONS}, "times are missing: expected one of 'time', 'steps'"),
    "both": (arrays(steps=[0, 1, 2]), "times by = 'time and steps': expected one of"),
    "text": (arrays(positions=np.full((3, 5, 1), "a")), "expected real numbers"),
    "one time": ({"positions": POSITIONS[:1], "time": TIME[:1]}, "last time of the run = 0.0"),
}


@pytest.fixture
def refused(circle_case, capsys):
    """The sentence with which a run is refused."""

    def sentence(path, *options):
        assert main(["compare", str(circle_case), str(path), *options]) == 2
        text = capsys.readouterr()
        assert text.out == ""
        assert text.err.startswith("error: ")
        assert text.err.count("\n") == 1
        assert not (circle_case.parent / "made").exists()
        return text.err

    return sentence


@pytest.mark.parametrize("name", ARRAYS)
def test_broken_arrays(name, tmp_path, refused):
    given, words = ARRAYS[name]
    np.savez(tmp_path / "run.npz", **given)
    assert words in refused(tmp_path / "run.npz", *UNIT)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "the time unit is missing: expected 'mean_field'"),
        (["--time-unit", "steps"], "learning_rate of the time unit is missing"),
        (["--learning-rate", "0.1", "--loss", "1"], "output of the time unit is missing"),
        (["--learning-rate", "0.1", "--neurons-output", "1/N"], "loss of the time unit is missing"),
        (["--learning-rate", "0.1", "--neurons-output", "N", "--loss", "1"], "output = 'N'"),
        (
            ["--learning-rate", "0.1", "--neurons-output", "1/N", "--loss", "1"],
            "times by = 'time': expected 'steps'",
        ),
        ([*UNIT, "--step", "-1"], "step = -1.0: expected a positive time"),
        ([*UNIT, "--order", "time,particle"], "order = 'time, particle'"),
        ([*UNIT, "--order", "particles,times,parameters"], "shape of times = (3,): expected (5,)"),
        ([*UNIT, "--runs", "7"], "runs = 7: expected at least 8"),
        (["--step", "0.1"], "step = 0.1: expected a --time-unit with it"),
        (["--learning-rate", "0"], "output of the time unit is missing"),
        ([*UNIT, "--times", "1"], "times = 1: expected at least 2"),
    ],
)
def test_missing_and_wrong_options(options, words, tmp_path, refused):
    np.savez(tmp_path / "run.npz", **arrays())
    assert words in refused(tmp_path / "run.npz", *options)


def test_an_output_over_the_root_takes_charges(tmp_path, refused):
    np.savez(tmp_path / "run.npz", positions=POSITIONS, steps=[0, 1, 2])
    options = ["--learning-rate", "0.1", "--neurons-output", "1/sqrt(N)", "--loss", "1"]
    assert "output = '1/sqrt(N)': expected '1/N'" in refused(tmp_path / "run.npz", *options)


@pytest.mark.parametrize("suffix", ["npz", "npy", "csv", "h5"])
@pytest.mark.parametrize("part", [0.0, 0.5])
def test_truncated_files(suffix, part, tmp_path, refused):
    path = tmp_path / f"run.{suffix}"
    many = np.random.default_rng(0).uniform(-3.0, 3.0, (3, 500, 1))
    if suffix == "npz":
        np.savez(path, positions=many, time=TIME)
    elif suffix == "npy":
        np.save(path, many)
    elif suffix == "h5":
        with h5py.File(path, "w") as file:
            file.update({"positions": many, "time": TIME})
    else:
        rows = [f"{t},{p},{many[k, p, 0]}" for k, t in enumerate(TIME) for p in range(500)]
        path.write_text("\n".join(["time,particle,theta", *rows]))
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    assert str(path) in refused(path, *UNIT)


CSV = {
    "no header": ("0,0,1\n", "expected columns 'particle'"),
    "no particle": ("time,theta\n0,1\n", "expected columns 'particle'"),
    "two clocks": ("time,steps,particle,theta\n0,0,0,1\n", "either 'time' or 'steps'"),
    "no parameter": ("time,particle\n0,0\n", "one for each parameter besides"),
    "a particle less": (
        "time,particle,theta\n0,0,1\n0,1,1\n0.1,0,1\n",
        "at time 0.1 there are 1 particles: expected 2, as at 0",
    ),
    "a particle twice": ("time,particle,theta\n0,0,1\n0,0,1\n", "each particle once"),
    "other particles": (
        "time,particle,theta\n0,0,1\n0,1,1\n0.1,0,1\n0.1,2,1\n",
        "by the same numbers",
    ),
    "no number": ("time,particle,theta\n0,0,x\n", "row 2, column 'theta' is 'x'"),
    "another name": ("time,particle,phi\n0,0,1\n0.1,0,1\n", "parameters = 'phi': expected theta"),
}


@pytest.mark.parametrize("name", CSV)
def test_broken_csv(name, tmp_path, refused):
    text, words = CSV[name]
    (tmp_path / "run.csv").write_text(text)
    assert words in refused(tmp_path / "run.csv", *UNIT)


def test_no_file_and_no_kind_of_file(tmp_path, refused):
    for suffix in (".npz", ".npy", ".csv", ".h5"):
        assert "run" in refused(tmp_path / f"run{suffix}", *UNIT)
    assert "expected a file .npz, .npy" in refused(tmp_path / "run.txt", *UNIT)


def test_pickles_are_not_loaded(tmp_path, refused):
    np.save(tmp_path / "run.npy", np.array([print], dtype=object), allow_pickle=True)
    assert "is not a npy file of plain numbers" in refused(tmp_path / "run.npy", *UNIT)


def test_links_out_of_a_file_are_refused(tmp_path, refused):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["positions"] = POSITIONS
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file["time"] = TIME
        file["positions"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "positions")
    assert "'positions' is a link" in refused(tmp_path / "run.h5", *UNIT)


def test_options_that_a_result_has_no_use_for(tmp_path, circle_case, refused):
    case = load(circle_case)
    start = mf.Particles(5, 0.02).project(case.start(), case.space)
    mf.solve(case.equation(mf.Particles()), start, 0.1).write(tmp_path / "run.h5")
    for options in (UNIT, ["--every", "2"], ["--order", "times,particles,parameters"]):
        words = "is a result of this package, which knows its times: expected no time unit"
        assert words in refused(tmp_path / "run.h5", *options)


def test_a_result_of_a_grid_is_no_run_of_particles(tmp_path, circle_case, refused):
    equation = mf.Equation(mf.PotentialEnergy(mf.CosineWell(), mf.Circle()), [mf.Transport()])
    solution = mf.solve(equation, mf.FiniteVolumes(16).project(mf.Uniform(), mf.Circle()), 0.1)
    solution.write(tmp_path / "grid.h5")
    words = "representation = 'finite_volumes': expected particles"
    assert words in refused(tmp_path / "grid.h5")


def test_particles_outside_the_space_and_masses_that_change(tmp_path, capsys):
    text = """
        title = "A well between walls"
        potential = {kind = "double_well"}
        space = {kind = "interval", lower = -2.0, upper = 2.0}
        initial = {kind = "uniform"}
        terms = [{kind = "transport"}, {kind = "birth_death", alpha = 1.0, balance = BALANCE}]
        method = {kind = "finite_volumes", cells = 32}
        time = {t_end = 1.0}
        output = {folder = "made"}
    """
    case = tmp_path / "well.toml"
    for balance, largest, words in [
        ("mean", 2.5, "theta of particle 4 at t = 0.1 is 2.5: expected it in the space"),
        ("free", 1.0, "balance = 'free': expected one that keeps the mass"),
    ]:
        case.write_text(text.replace("BALANCE", f"{{kind = '{balance}'}}"))
        positions = changed(np.zeros((3, 5, 1)), (1, 3, 0), largest)
        np.savez(tmp_path / "run.npz", positions=positions, time=TIME)
        assert main(["compare", str(case), str(tmp_path / "run.npz"), *UNIT]) == 2
        assert words in capsys.readouterr().err
