"""The file of a run: round trips, labels, kills, full disks, files that are not ours."""

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.results import disk
from meanfield_pde.results.hdf5 import Writer, read, write
from meanfield_pde.results.provenance import _command, _commit, provenance
from meanfield_pde.results.solution import SCALARS, Frame, Layout, Snapshot, Solution

NOTHING = np.empty(0)

LAYOUTS = {
    "grid_1d": Layout(
        representation="finite_volumes",
        parameters=("theta",),
        lower=(-np.pi,),
        upper=(np.pi,),
        periodic=(True,),
        centres=(np.linspace(-3.0, 3.0, 16),),
        particles=0,
        inputs=np.linspace(0.0, 1.0, 5),
        target=np.linspace(1.0, 2.0, 5) ** 2,
        equation="d_t mu = div(mu grad V)",
    ),
    "grid_2d": Layout(
        representation="finite_volumes",
        parameters=("y", "c"),
        lower=(0.0, -1.0),
        upper=(1.0, 1.0),
        periodic=(True, False),
        centres=(np.linspace(0.0, 1.0, 6), np.linspace(-1.0, 1.0, 4)),
        particles=0,
        inputs=np.linspace(0.0, 1.0, 5),
        target=np.linspace(1.0, 2.0, 5),
        equation="d_t mu = - alpha (V - <V>) mu",
    ),
    "particles": Layout(
        representation="particles",
        parameters=("y", "c"),
        lower=(0.0, -1.0),
        upper=(1.0, 1.0),
        periodic=(True, False),
        centres=(),
        particles=7,
        inputs=np.linspace(0.0, 1.0, 5),
        target=np.linspace(1.0, 2.0, 5),
        equation="d_t mu = div(mu grad V)",
    ),
    "fixed_potential": Layout(
        representation="finite_volumes",
        parameters=("x", "y"),
        lower=(0.0, 0.0),
        upper=(1.0, 1.0),
        periodic=(False, False),
        centres=(np.linspace(0.0, 1.0, 6), np.linspace(0.0, 1.0, 4)),
        particles=0,
        inputs=NOTHING,
        target=NOTHING,
        equation="d_t mu = div(mu grad V)",
    ),
}
# Samples of two inputs without a target.
LAYOUTS["samples"] = dataclasses.replace(
    LAYOUTS["grid_2d"],
    inputs=np.linspace(0.0, 1.0, 10).reshape(5, 2) ** 2,
    target=NOTHING,
    sample_weights=np.arange(5) / 10,
)
LAYOUTS["names_of_absent_data"] = dataclasses.replace(
    LAYOUTS["fixed_potential"], parameters=("prediction", "inputs")
)
ATTRIBUTES = {
    "case": "[unit]\nkind = 'µ'",
    "seed": 3,
    "tolerance": 1e-3,
    "quiet": True,
    "n": [1, 2],
}


def frame(layout: Layout, k: int, every: int = 3) -> Frame:
    """Frame number k, every number in it a function of k."""
    shape = tuple(map(len, layout.centres)) or (layout.particles, len(layout.parameters))
    values = k + np.arange(np.prod(shape)).reshape(shape) / 1000
    prediction = k + np.arange(len(layout.inputs)) / 7
    snapshot = Snapshot(values, prediction) if k % every == 0 else None
    moments = k + np.arange(len(layout.parameters)) / 10
    scalars = {name: k + i / 100 for i, name in enumerate(SCALARS)}
    return Frame(0.25 * k, scalars, moments, 2 * moments, snapshot)


def run(layout: Layout, frames: int, every: int = 3, **attributes: object) -> Solution:
    return Solution.from_frames(
        layout, (frame(layout, k, every) for k in range(frames)), {**ATTRIBUTES, **attributes}
    )


def assert_same(one: Solution, other: Solution) -> None:
    for part in dataclasses.fields(Layout):
        np.testing.assert_equal(getattr(one.layout, part.name), getattr(other.layout, part.name))
    for part in dataclasses.fields(Solution):
        if part.name not in ("layout", "attributes"):
            np.testing.assert_equal(getattr(one, part.name), getattr(other, part.name))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.h5"


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    return LAYOUTS[request.param]


LINE = LAYOUTS["grid_1d"]
WIDE = dataclasses.replace(LINE, centres=(np.linspace(-3.0, 3.0, 8192),))


def test_a_solution_comes_back_as_it_was(layout: Layout, path: Path) -> None:
    solution = run(layout, 8)
    assert solution.write(path) == path
    back = read(path)
    assert_same(solution, back)
    expected = {**ATTRIBUTES, "outcome": "finished"}
    assert {name: back.attributes[name] for name in expected} == expected
    assert {"commit", "numpy_version", "threads"} <= back.attributes.keys()


def test_frame_by_frame_gives_the_same(layout: Layout, path: Path) -> None:
    with Writer(path, layout, ATTRIBUTES) as writer:
        for k in range(8):
            writer.append(frame(layout, k))
            assert_same(read(path), run(layout, k + 1))
            assert read(path).attributes["outcome"] == "unfinished"
        writer.finish({"seconds": 1.5})
    back = read(path)
    assert_same(back, run(layout, 8))
    assert back.attributes == {**ATTRIBUTES, "seconds": 1.5, "outcome": "finished"}


@pytest.mark.parametrize("outcome", ["unfinished", "stopped: V is not finite"])
def test_writing_keeps_the_outcome(path: Path, outcome: str) -> None:
    assert read(run(LINE, 2, outcome=outcome).write(path)).attributes["outcome"] == outcome


def test_a_run_can_stop_and_its_file_is_left_alone_then(path: Path) -> None:
    writer = Writer(path, LINE)
    writer.append(frame(LINE, 0))
    writer.stop("the step is below 1e-12", {"seconds": 2.0})
    assert read(path).attributes == {"outcome": "stopped: the step is below 1e-12", "seconds": 2.0}
    with pytest.raises(NumericalFailure, match="the run has ended"):
        writer.append(frame(LINE, 1))
    assert len(read(path).time) == 1


def test_a_run_without_snapshots(path: Path) -> None:
    with Writer(path, LINE) as writer:
        writer.append(dataclasses.replace(frame(LINE, 0), snapshot=None))
    solution = read(path)
    assert solution.measure.shape == (0, 16)
    assert solution.prediction.shape == (0, 5)
    assert [f.snapshot for f in solution.frames()] == [None]


def test_xarray_opens_a_labelled_data_set(layout: Layout, path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    solution = run(layout, 8)
    solution.write(path)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data.energy.dims == ("time",)
        assert data.energy.attrs["long_name"] == SCALARS["energy"]
        assert data["mean"].dims == ("time", "parameter")
        assert list(data.parameter.values) == list(layout.parameters)
        assert list(data.periodic.values) == list(layout.periodic)
        assert data.attrs["outcome"] == "finished"
        np.testing.assert_equal(data.time.values, solution.time)
        np.testing.assert_equal(data.snapshot_time.values, solution.snapshot_time)
        if layout.centres:
            assert data.density.dims == ("snapshot_time", *layout.parameters)
            for name, centres in zip(layout.parameters, layout.centres, strict=True):
                np.testing.assert_equal(data[name].values, centres)
            np.testing.assert_equal(data.density.values, solution.measure)
        else:
            assert data.position.dims == ("snapshot_time", "particle", "parameter")
            np.testing.assert_equal(data.position.sel(parameter="c"), solution.measure[..., 1])
        if layout.inputs.ndim == 2:
            assert data.inputs.dims == ("x", "component")
            np.testing.assert_equal(data.inputs.sel(component="x_2"), layout.inputs[:, 1])
            np.testing.assert_equal(data.x.values, np.arange(5))
        elif layout.inputs.size:
            np.testing.assert_equal(data.x.values, layout.inputs)
        if layout.inputs.size:
            assert data.prediction.dims == ("snapshot_time", "x")
            np.testing.assert_equal(data.prediction.values, solution.prediction)
        assert ("x" in data.sizes) == (layout.inputs.size > 0 or "x" in layout.parameters)
        present = {"target": layout.target, "sample_weight": layout.sample_weights}
        for name, values in present.items():
            assert (name in data) == (values.size > 0)
            if values.size:
                assert data[name].dims == ("x",)
                np.testing.assert_equal(data[name].values, values)
        for name, variable in data.variables.items():
            assert variable.attrs["long_name"]
            assert name in ("parameter", "component") or variable.attrs["units"] == "1"


def test_one_input_with_a_target_makes_the_data_sets_it_always_did(path: Path) -> None:
    run(LAYOUTS["grid_2d"], 2).write(path)
    with h5py.File(path) as file:
        assert file.attrs["format"] == "meanfield_pde run, version 2"
        assert set(file) - set(SCALARS) == {
            *("time", "snapshot_time", "parameter", "lower", "upper", "periodic", "mean"),
            *("variance", "y", "c", "density", "x", "target", "prediction"),
        }


def test_xarray_opens_a_run_that_goes_on(path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with Writer(path, LINE) as writer:
        for k in range(5):
            writer.append(frame(LINE, k))
        with xarray.open_dataset(path, engine="h5netcdf") as data:
            assert data.sizes["time"] == 5
        writer.append(frame(LINE, 5))
        writer.finish()
    assert len(read(path).time) == 6


# Kills


KILLED = """
    import itertools, os, sys
    sys.path[:0] = [{here!r}, {root!r}]
    from pathlib import Path
    from test_hdf5 import LINE, Writer, frame

    for path in sys.argv[1:]:
        if os.fork() == 0:
            writer = Writer(Path(path), LINE, {{"case": "text"}})
            for k in itertools.count():
                writer.append(frame(LINE, k, every=2))
                os.write(1, b"%d %d\\n" % (os.getpid(), k))  # whole or not at all
        os.wait()
        os.write(1, b"killed\\n")
"""


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    code = textwrap.dedent(code).format(here=str(here), root=str(here.parents[1]))
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_run_loses_at_most_its_last_frame(tmp_path: Path) -> None:
    chance = random.Random(0)
    paths = [tmp_path / f"{number}.h5" for number in range(10)]
    with python(KILLED, *map(str, paths)) as process:
        for path in paths:
            for _ in range(chance.randrange(1, 40)):
                pid, last = map(int, process.stdout.readline().split())
            time.sleep(chance.uniform(0.0, 0.01))
            os.kill(pid, signal.SIGKILL)
            while (line := process.stdout.readline()) != "killed\n":
                last = int(line.split()[1])
            solution = read(path)
            assert solution.attributes == {"case": "text", "outcome": "unfinished"}
            assert last + 1 <= len(solution.time) <= last + 2
            assert_same(solution, run(LINE, len(solution.time), every=2))


def test_every_state_a_kill_can_leave_is_readable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [frame(WIDE, k, every=2) for k in range(4)]
    operations: list[tuple[int, bytes | None]] = []
    put, truncate = disk._Disk._put, disk._Disk.truncate

    def recorded_put(self: disk._Disk, at: int, data: memoryview) -> None:
        operations.append((at, bytes(data)))
        put(self, at, data)

    def recorded_truncate(self: disk._Disk, size: int) -> int:
        operations.append((size, None))
        return truncate(self, size)

    monkeypatch.setattr(disk._Disk, "_put", recorded_put)
    monkeypatch.setattr(disk._Disk, "truncate", recorded_truncate)
    state = path.with_name("state.h5")
    with Writer(path, WIDE) as writer:
        writer.append(frames[0])
        shutil.copy(path, state)
        for done in range(1, 5):
            operations.clear()
            if done < 4:
                writer.append(frames[done])
            else:
                writer.finish({"note": "y" * 3000, "seconds": 2.0})
            for at, data in operations:
                with open(state, "r+b") as file:
                    if data is None:
                        file.truncate(at)
                    else:
                        file.seek(at)
                        file.write(data)
                solution = read(state)
                assert done <= len(solution.time) <= done + 1
                assert_same(solution, Solution.from_frames(WIDE, frames[: len(solution.time)]))
    assert state.read_bytes() == path.read_bytes()


def test_an_interrupt_waits_for_the_frame(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = disk._Disk._put

    def interrupted(self: disk._Disk, at: int, data: memoryview) -> None:
        signal.raise_signal(signal.SIGINT)
        put(self, at, data)

    with Writer(path, LINE) as writer:
        writer.append(frame(LINE, 0))
        monkeypatch.setattr(disk._Disk, "_put", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.append(frame(LINE, 1))
        monkeypatch.undo()
        writer.stop("interrupted")
    assert_same(read(path), run(LINE, 2))
    assert read(path).attributes["outcome"] == "stopped: interrupted"


# Trouble with the disk


FULL = """
    import sys
    sys.path[:0] = [{here!r}, {root!r}]
    import resource, signal
    from pathlib import Path
    from test_hdf5 import WIDE, Writer, frame

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    writer = Writer(Path(sys.argv[1]), WIDE)
    try:
        for k in range(10_000):
            writer.append(frame(WIDE, k, every=1))
    except Exception as error:
        print(k, type(error).__name__, error)
    writer.stop("no room")
"""


@pytest.mark.parametrize("limit", [30_000, 400_000])
def test_a_full_disk_is_one_sentence_and_loses_nothing(path: Path, limit: int) -> None:
    pytest.importorskip("resource")
    told, noise = (process := python(FULL, str(path), str(limit))).communicate()
    frames, kind, sentence = told.split(maxsplit=2)
    assert (process.returncode, noise, kind) == (0, "", "NumericalFailure")
    assert sentence.startswith(f"{path} cannot be written: File too large; make room")
    if limit < 100_000:
        assert frames == "0"
        assert not list(path.parent.iterdir())
    else:
        solution = read(path)
        assert int(frames) <= len(solution.time) <= int(frames) + 1
        assert_same(solution, run(WIDE, len(solution.time), every=1))


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (".", "is not a file"),
        ("file/run.h5", "is not a folder"),
        ("n" * 300, "File name too long"),
        ("closed/run.h5", "Permission denied"),
    ],
)
def test_places_nothing_can_be_written_to(tmp_path: Path, place: str, sentence: str) -> None:
    if place.startswith("closed") and os.geteuid() == 0:
        pytest.skip("the administrator may write anywhere")
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(InputError, match=rf"cannot be written: .*({sentence})"):
        Writer(tmp_path / place, LINE)


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert run(LINE, 1).write(tmp_path / "some" / "where" / "run.h5").exists()


def test_a_run_without_a_frame_leaves_the_file_before_it(path: Path) -> None:
    run(LINE, 3).write(path)
    before = path.read_bytes()
    with Writer(path, LINE) as writer:
        writer.stop("the first step failed")
    with Writer(path, LINE, {"bad": object()}) as writer, pytest.raises(InputError, match="'bad'"):
        writer.append(frame(LINE, 0))
    with pytest.raises(InputError, match="the solution has no frame"):
        write(Solution.from_frames(LINE, []), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    with Writer(path, LINE) as writer:
        writer.append(frame(LINE, 0))
    assert_same(read(path), run(LINE, 1))


@pytest.mark.parametrize("name", ["energy", "time", "x", "parameter", "density", "a/b", "", "y"])
def test_parameters_cannot_have_the_names_of_data_sets(path: Path, name: str) -> None:
    layout = dataclasses.replace(LAYOUTS["grid_2d"], parameters=("y", name))
    with pytest.raises(InputError, match="parameter name"):
        Writer(path, layout)


@pytest.mark.parametrize("name", ["inputs", "component", "sample_weight", "x", "prediction"])
def test_parameters_cannot_have_the_names_of_the_data_of_samples(path: Path, name: str) -> None:
    layout = dataclasses.replace(LAYOUTS["samples"], parameters=("y", name))
    with pytest.raises(InputError, match=f"parameter name '{name}'"):
        Writer(path, layout)


def test_attributes_cannot_have_the_names_of_the_layout(path: Path) -> None:
    with pytest.raises(InputError, match="attribute name 'equation'"):
        Writer(path, LINE, {"equation": "mine"})


# Files that are not ours


def assert_refused(path: Path, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_runs(path: Path) -> None:
    assert_refused(path, "there is no such file")
    assert_refused(path.parent, "it is not a file")
    path.write_bytes(b"")
    assert_refused(path, "it is not an HDF5 file")
    path.write_text("time,energy\n0,1\n")
    assert_refused(path, "it is not an HDF5 file")
    h5py.File(path, "w").close()
    assert_refused(path, "it is HDF5 but not a meanfield_pde run")


def test_a_file_cut_short(path: Path) -> None:
    run(LINE, 8).write(path)
    whole = path.read_bytes()
    for length in range(100, len(whole), len(whole) // 20):
        path.write_bytes(whole[:length])
        assert_refused(path, "cannot be read")


def test_a_file_without_a_complete_frame(path: Path) -> None:
    run(LINE, 8).write(path)
    with h5py.File(path, "r+") as file:
        file["time"].resize(0, axis=0)
    assert_refused(path, "it has no complete frame")


def test_a_damaged_file(path: Path) -> None:
    run(LINE, 8).write(path)
    with h5py.File(path, "r+") as file:
        file["energy"].resize(3, axis=0)
    assert_refused(path, "'energy' is shorter than its axis")
    with h5py.File(path, "r+") as file:
        del file["energy"]
    assert_refused(path, "it has no 'energy'")
    with h5py.File(path, "r+") as file:
        del file.attrs["equation"]
    assert_refused(path, "cannot be read")


@pytest.mark.parametrize("name", ["energy", "target", "theta", "time"])
@pytest.mark.parametrize("how", ["link", "soft link", "storage", "virtual"])
def test_values_outside_the_file_are_refused(path: Path, name: str, how: str) -> None:
    run(LINE, 8).write(path)
    other = path.with_name("other.h5")
    shutil.copy(path, other)
    with h5py.File(path, "r+") as file:
        shape = file[name].shape
        if how == "soft link":
            file.move(name, "elsewhere")
        else:
            del file[name]
        if how == "link":
            file[name] = h5py.ExternalLink(other, name)
        elif how == "soft link":
            file[name] = h5py.SoftLink("/elsewhere")
        elif how == "storage":
            external = [(str(other), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset(name, shape, dtype=float, external=external)
        else:
            virtual = h5py.VirtualLayout(shape, dtype=float)
            virtual[:] = h5py.VirtualSource(str(other), name, shape)
            file.create_virtual_dataset(name, virtual)
    assert_refused(path, f"'{name}' (is a link|lies in another file)")


# Provenance


def test_provenance_goes_into_the_file(path: Path) -> None:
    origin = provenance()
    assert {"commit", "threads", "numpy_version", "started", "command"} <= origin.keys()
    assert all(isinstance(value, str | int) for value in origin.values())
    run(LINE, 1, **origin).write(path)
    assert read(path).attributes == {**ATTRIBUTES, **origin, "outcome": "finished"}


def test_the_commit_is_that_of_the_package(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git")

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        command = ["git", *who, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    package = tmp_path / "package"
    installed = tmp_path / "environment" / "package"
    for folder in (package, installed):
        folder.mkdir(parents=True)
        (folder / "module.py").write_text("one = 1\n")
    assert _commit(package) == "not a checkout"
    git("init", "-q")
    assert _commit(package) == "no commit-dirty"
    git("add", "package")
    git("commit", "-q", "-m", "one")
    commit = git("rev-parse", "HEAD")
    assert _commit(package) == commit
    assert _commit(installed) == "not a checkout"
    (package / "module.py").write_text("two = 2\n")
    assert _commit(package) == commit + "-dirty"


@pytest.mark.parametrize(
    ("home", "arguments", "line"),
    [
        ("/srv/ada", ["/srv/ada/x/__main__.py", "run"], "python -m meanfield_pde run"),
        (
            "/srv/ada",
            ["/srv/ada/bin/tool", "/srv/ada/a b.toml", "/srv/adam/c"],
            "tool '~/a b.toml' /srv/adam/c",
        ),
        ("/root", ["tool", "--out=/home/someone/c.h5", "a/home/b"], "tool --out=~/c.h5 a/home/b"),
        ("/", ["tool", "/a", "/Users/someone"], "tool /a ~"),
    ],
)
def test_the_command_names_no_home(
    monkeypatch: pytest.MonkeyPatch, home: str, arguments: list[str], line: str
) -> None:
    monkeypatch.setenv("HOME", home)
    assert _command(arguments) == line
