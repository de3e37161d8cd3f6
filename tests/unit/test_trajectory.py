"""Runs of the user's own: time units, orders of axes, weights, files."""

from itertools import permutations

import h5py
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.errors import InputError
from meanfield_pde.results.trajectory import AXES

TIMES, PARTICLES, PARAMETERS = 4, 7, 2
POSITIONS = np.random.default_rng(0).uniform(-1.0, 1.0, (TIMES, PARTICLES, PARAMETERS))
TIME = np.array([0.0, 0.5, 1.0, 2.5])
MEAN_FIELD = mf.TimeUnit("mean_field")


@pytest.mark.parametrize(
    ("output", "loss", "time"),
    [
        ("1/N", "1/2", 0.3 / 7),
        ("1/N", "1", 0.6 / 7),
        ("1/N", "case", 0.3 / 7),
        ("1/sqrt(N)", "1/2", 0.3),
        ("1/sqrt(N)", "1", 0.6),
    ],
)
def test_the_mean_field_time_of_a_step(output, loss, time):
    unit = mf.TimeUnit("steps", learning_rate=0.3, output=output, loss=loss)
    assert unit.time_of_step(7) == pytest.approx(time, rel=1e-15)
    run = mf.Trajectory.of(POSITIONS, unit, steps=[0, 10, 20, 50])
    assert run.time == pytest.approx(time * np.array([0, 10, 20, 50]), rel=1e-15)
    assert run.step == pytest.approx(time, rel=1e-15)
    same = mf.Trajectory.of(POSITIONS, unit, every=10)
    assert same.time == pytest.approx(time * np.array([0, 10, 20, 30]), rel=1e-15)


def test_charges_of_an_output_over_the_root_are_rescaled_and_nothing_else():
    unit = mf.TimeUnit("steps", learning_rate=0.3, output="1/sqrt(N)", loss="1")
    given = POSITIONS.copy()
    run = mf.Trajectory.of(given, unit, every=1)
    assert np.array_equal(run.positions[..., 0], POSITIONS[..., 0])
    assert run.positions[..., 1] == pytest.approx(np.sqrt(7.0) * POSITIONS[..., 1], rel=1e-15)
    assert np.array_equal(given, POSITIONS)


def test_steps_of_a_known_length_are_counted_too():
    unit = mf.TimeUnit("mean_field", step=0.25)
    run = mf.Trajectory.of(POSITIONS, unit, steps=[0, 2, 4, 10])
    assert run.time == pytest.approx(TIME, rel=1e-15)
    assert mf.Trajectory.of(POSITIONS, MEAN_FIELD, time=TIME).step is None


@pytest.mark.parametrize("order", list(permutations(AXES)))
def test_every_order_of_axes_that_is_named(order):
    turned = np.transpose(POSITIONS, [AXES.index(name) for name in order])
    weights = np.random.default_rng(1).dirichlet(np.ones(PARTICLES), TIMES)
    times_first = order.index("times") < order.index("particles")
    run = mf.Trajectory.of(
        turned,
        MEAN_FIELD,
        time=TIME,
        weights=weights if times_first else weights.T,
        order=", ".join(order),
    )
    assert np.array_equal(run.positions, POSITIONS)
    assert np.array_equal(run.weights, weights)


def test_one_parameter_needs_no_axis_where_the_order_says_so():
    flat = POSITIONS[..., 0]
    run = mf.Trajectory.of(flat.T, MEAN_FIELD, time=TIME, order=("particles", "times"))
    assert np.array_equal(run.positions, flat[..., np.newaxis])
    with pytest.raises(InputError, match=r"\(4, 7\): expected \(times, particles, parameters\)"):
        mf.Trajectory.of(flat, MEAN_FIELD, time=TIME)


def test_equal_weights_are_none_and_constant_ones_stay():
    equal = mf.Trajectory.of(POSITIONS, MEAN_FIELD, time=TIME, weights=np.full((4, 7), 1.0 / 7))
    assert equal.weights is None
    assert equal.weights_at(2) == pytest.approx(np.full(7, 1.0 / 7))
    single = np.full(7, 1.0 / 7, dtype=np.float32)
    assert mf.Trajectory.of(POSITIONS, MEAN_FIELD, time=TIME, weights=single).weights is None
    some = np.arange(1.0, 8.0) / 28.0
    run = mf.Trajectory.of(POSITIONS, MEAN_FIELD, time=TIME, weights=some)
    assert np.array_equal(run.weights_at(3), some)
    assert np.array_equal(run.thinned(2).weights, some)


def test_thinned_times_are_even_with_both_ends():
    long = mf.Trajectory.of(
        np.zeros((101, 3, 2)), mf.TimeUnit("mean_field", step=0.1), every=1, order=AXES
    )
    assert long.thinned(5).time == pytest.approx([0.0, 2.5, 5.0, 7.5, 10.0])
    assert long.thinned(1000).time.size == 101


def test_parameters_with_names_are_put_in_order():
    run = mf.Trajectory.of(POSITIONS, MEAN_FIELD, time=TIME, parameters=("c", "y"))
    assert np.array_equal(run.arranged(("y", "c")).positions, POSITIONS[..., ::-1])
    with pytest.raises(InputError, match="parameters = 'c, y': expected y, a"):
        run.arranged(("y", "a"))
    with pytest.raises(InputError, match="number of parameters of positions = 2: expected 1"):
        run.arranged(("theta",))


def write_csv(path, clock, values, weights=None):
    rows = [
        [repr(float(values[t])), str(p + 10), *map(repr, map(float, POSITIONS[t, p]))]
        + ([] if weights is None else [repr(float(weights[t, p]))])
        for t in range(TIMES)
        for p in range(PARTICLES)
    ]
    np.random.default_rng(2).shuffle(rows)
    header = f"{clock},particle,y,c" + ("" if weights is None else ",weight")
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")


def test_all_kinds_of_files_hold_the_same_run(tmp_path):
    weights = np.random.default_rng(1).dirichlet(np.ones(PARTICLES), TIMES)
    unit = mf.TimeUnit("mean_field", step=0.25)
    steps = TIME / 0.25
    wanted = mf.Trajectory.of(POSITIONS, unit, steps=steps, weights=weights)
    np.savez(tmp_path / "run.npz", positions=POSITIONS, steps=steps, weights=weights, other=[1])
    write_csv(tmp_path / "run.csv", "steps", steps, weights)
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file.update({"positions": POSITIONS, "steps": steps, "weights": weights})
    for name in ("run.npz", "run.csv", "run.h5"):
        run = mf.read_trajectory(tmp_path / name, unit)
        assert np.array_equal(run.time, wanted.time)
        assert np.array_equal(run.positions, wanted.positions)
        assert np.array_equal(run.weights, wanted.weights)
    assert mf.read_trajectory(tmp_path / "run.csv", unit).parameters == ("y", "c")
    np.save(tmp_path / "run.npy", POSITIONS)
    run = mf.read_trajectory(tmp_path / "run.npy", unit, every=2)
    assert np.array_equal(run.positions, POSITIONS)
    assert run.time == pytest.approx([0.0, 0.5, 1.0, 1.5])


def test_arrays_of_an_npz_file_are_read_once(tmp_path, monkeypatch):
    np.savez(tmp_path / "run.npz", positions=POSITIONS, time=TIME, weights=np.full(7, 1.0 / 7))
    read, original = [], np.lib.npyio.NpzFile.__getitem__

    def counted(archive, name):
        read.append(name)
        return original(archive, name)

    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", counted)
    mf.read_trajectory(tmp_path / "run.npz", MEAN_FIELD)
    assert sorted(read) == ["positions", "time", "weights"]


def test_names_of_parameters_in_a_file_arrange_them(tmp_path):
    swapped = {"positions": np.arange(24.0).reshape(2, 6, 2), "time": [0.0, 1.0]}
    np.savez(tmp_path / "run.npz", **swapped, parameters=["c", "y"])
    with h5py.File(tmp_path / "run.h5", "w") as file:
        for name, values in swapped.items():
            file[name] = values
        file["parameters"] = ["c", "y"]
    for name in ("run.npz", "run.h5"):
        run = mf.read_trajectory(tmp_path / name, MEAN_FIELD, order=AXES)
        assert run.parameters == ("c", "y")
        there = run.arranged(("y", "c")).positions
        assert np.array_equal(there, swapped["positions"][..., ::-1])
    np.savez(tmp_path / "wrong.npz", **swapped, parameters=[1.0, 2.0])
    with pytest.raises(InputError, match="expected their names, a list of texts"):
        mf.read_trajectory(tmp_path / "wrong.npz", MEAN_FIELD, order=AXES)


@pytest.mark.parametrize("algorithm", ["jumps", "weights"])
def test_a_result_of_particles_needs_nothing_else(tmp_path, algorithm):
    equation = mf.Equation(
        mf.PotentialEnergy(mf.CosineWell(), mf.Circle()), [mf.Transport(), mf.BirthDeath(1.0)]
    )
    method = mf.Particles(30, 0.02, algorithm=algorithm)
    start = method.project(mf.Uniform(), mf.Circle())
    solution = mf.solve(equation, start, 0.4, record=mf.EveryTime(0.1))
    solution.write(tmp_path / "result.h5")
    run = mf.read_trajectory(tmp_path / "result.h5")
    assert np.array_equal(run.positions, solution.measure)
    assert np.array_equal(run.time, solution.snapshot_time)
    assert run.step == pytest.approx(0.02)
    assert run.parameters == ("theta",)
    assert (run.weights is None) == (algorithm == "jumps")
    if run.weights is not None:
        assert run.weights[-1] == pytest.approx(np.exp(solution.nodes[-1][:, -1]))
    for given in ({"unit": MEAN_FIELD}, {"every": 2}, {"order": AXES}):
        with pytest.raises(InputError, match=r"result of this package.*expected no time unit"):
            mf.read_trajectory(tmp_path / "result.h5", **given)


@pytest.mark.parametrize(
    ("shape", "times", "words"),
    [
        ((5, 5, 2), 5, "'times, particles, parameters' or 'particles, times, parameters'"),
        ((3, 50, 3), 3, "'parameters, particles, times'"),
        ((6, 2, 2), 6, "'times, parameters, particles'"),
        ((50, 4, 2), 4, r"with 4 times, or as order 'particles, times, parameters'"),
        ((50, 4, 2), 9, "an axis of 9 times"),
    ],
)
def test_shapes_that_may_be_read_in_several_ways_are_not_guessed(shape, times, words):
    with pytest.raises(InputError, match=words):
        mf.Trajectory.of(np.zeros(shape), MEAN_FIELD, time=np.arange(times))


NAMED = {"learning_rate": 0.1, "output": "1/N", "loss": "1"}


@pytest.mark.parametrize("name", NAMED)
def test_a_unit_of_steps_takes_all_of_its_parts(name):
    rest = {key: value for key, value in NAMED.items() if key != name}
    choices = {"learning_rate": "eta", "output": r"'1/N'.*'1/sqrt\(N\)'", "loss": "'1/2'.*'case'"}
    with pytest.raises(InputError, match=f"{name} of the time unit is missing.*{choices[name]}"):
        mf.TimeUnit("steps", **rest)
    with pytest.raises(InputError, match=f"{name} = .*none with the time unit 'mean_field'"):
        mf.TimeUnit("mean_field", **{name: NAMED[name]})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": -1.0}, "learning_rate = -1.0.*positive"),
        ({"output": "N"}, "output = 'N': expected '1/N'"),
        ({"loss": "2"}, "loss = '2': expected '1/2'"),
        ({"kind": "epochs"}, "time unit = 'epochs': expected 'mean_field' or 'steps'"),
        ({"step": 0.1}, "step = 0.1: expected none"),
    ],
)
def test_other_units_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        mf.TimeUnit(**{"kind": "steps", **NAMED, **changes})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({}, "times are missing: expected one of 'time', 'steps' and 'every'"),
        ({"time": TIME, "every": 1}, "times by = 'time and every'"),
        ({"steps": TIME}, "step is missing"),
        ({"every": 1}, "step is missing"),
        ({"time": TIME, "order": "times, neurons"}, "order = 'times, neurons'"),
        ({"time": [0, 1, 2, "a"]}, "type of time"),
        ({"time": TIME, "weights": np.ones(7)}, "sum of weights = 7.0: expected 1"),
        ({"time": TIME, "weights": np.ones(5) / 5}, r"shape of weights = \(5,\)"),
        ({"time": TIME, "weights": [1.5, -0.5, 0, 0, 0, 0, 0]}, "smallest weight = -0.5"),
        ({"time": -TIME[::-1]}, "first time = -2.5"),
        ({"time": TIME[[0, 1, 1, 2]]}, "time number 3 = 0.5: expected more than"),
    ],
)
def test_what_does_not_fit_is_one_sentence(keywords, words):
    with pytest.raises(InputError, match=words) as caught:
        mf.Trajectory.of(POSITIONS, MEAN_FIELD, **keywords)
    assert "\n" not in str(caught.value)


def test_learning_rates_count_steps_not_times():
    unit = mf.TimeUnit("steps", learning_rate=0.1, output="1/N", loss="1")
    with pytest.raises(InputError, match="times by = 'time': expected 'steps'"):
        mf.Trajectory.of(POSITIONS, unit, time=TIME)
    with pytest.raises(InputError, match="the time unit is missing"):
        mf.Trajectory.of(POSITIONS, time=TIME)
