"""Many runs of particles from one seed: seeds, bits, statistics, files, figures."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray

import meanfield_pde as mf
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.plotting.ensemble import ensemble_figure, save_ensemble_figure
from meanfield_pde.results.ensemble import MeanField, Moments
from meanfield_pde.studies.ensembles import Answer, Recipe, check_finished, seed_of
from meanfield_pde.studies.summary import ensemble_table

METHOD = mf.Particles(number=40, dt=0.05, seed=7)
RUNS, T_END = 6, 0.5
RECORD, SAVE = mf.EveryTime(0.1), mf.AtTimes((0.0, 0.2))
AGREE = {"rtol": 1e-13, "atol": 1e-15}


def equation():
    target = mf.Teacher(centres=(1.0, 2.5), masses=(0.4, 0.6))
    energy = mf.Energy(mf.VonMises(2.0), target, mf.UniformCircle(16), mf.Circle())
    return mf.Equation(energy, (mf.Transport(), mf.BirthDeath(3.0)))


def made(runs=RUNS, **options):
    options = {"record": RECORD, "save": SAVE, **options}
    return mf.ensemble(equation(), METHOD, mf.Uniform(), T_END, runs, **options)


def alone(number):
    """The run of a number by itself."""
    method = replace(METHOD, seed=seed_of(METHOD.seed, number))
    start = method.project(mf.Uniform(), equation().energy.space)
    return mf.solve(equation(), start, T_END, record=RECORD, save=SAVE)


@pytest.fixture(scope="module")
def six():
    return made()


@pytest.fixture(scope="module")
def runs():
    return [alone(number) for number in range(RUNS)]


def failing(monkeypatch, numbers, error):
    """Runs of these numbers raise."""
    make = Recipe._made

    def broken(recipe, number):
        if number in numbers:
            raise error
        return make(recipe, number)

    monkeypatch.setattr(Recipe, "_made", broken)


# Seeds and bits


def test_seeds_are_those_of_a_spawned_sequence_and_fit_64_bits_with_a_sign():
    seeds = [seed_of(3, number) for number in range(50)]
    for count in (50, 80):
        children = np.random.SeedSequence(3).spawn(count)[:50]
        words = [int(child.generate_state(1, np.uint64)[0]) for child in children]
        assert seeds == [word // 2 for word in words]
    assert len(set(seeds)) == 50
    assert max(seeds) > 2**62
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeds[0] != seed_of(4, 0)


def test_every_bit_of_a_seed_counts():
    large = seed_of(7, 0)
    draws = [
        mf.Particles(4, 0.1, seed).project(mf.Uniform(), mf.Circle()).points.tobytes()
        for seed in (large, large ^ 1, large ^ 2**62)
    ]
    assert len(set(draws)) == 3


def test_a_run_is_the_run_of_its_seed_alone(six, runs):
    assert six.outcome == ("finished",) * RUNS
    assert six.seed.tolist() == [seed_of(7, number) for number in range(RUNS)]
    for row, run in zip(six.energy, runs, strict=True):
        assert np.array_equal(row, run.energy)
    assert np.array_equal(six.time, runs[0].time)
    assert np.array_equal(six.snapshot_time, [0.0, 0.2, 0.5])
    assert len(np.unique(six.energy[:, 0])) == RUNS


def test_bits_do_not_depend_on_processes_and_threads(six, set_threads):
    set_threads(1)
    for other in (made(processes=2), made()):
        assert np.array_equal(six.energy, other.energy)
        assert np.array_equal(six.prediction.mean, other.prediction.mean)
        assert np.array_equal(six.prediction.squares, other.prediction.squares)


def test_fewer_runs_are_the_first_ones(six):
    assert np.array_equal(made(runs=2).energy, six.energy[:2])


# Statistics


def test_statistics_are_those_of_all_runs(six, runs):
    energy = np.array([run.energy for run in runs])
    np.testing.assert_allclose(six.mean, energy.mean(axis=0), **AGREE)
    np.testing.assert_allclose(six.deviation, energy.std(axis=0, ddof=1), **AGREE)
    np.testing.assert_allclose(six.standard_error, six.deviation / np.sqrt(RUNS), **AGREE)
    np.testing.assert_allclose(six.quantiles([0.5])[0], np.median(energy, axis=0), **AGREE)
    prediction = np.array([run.prediction for run in runs])
    variance = prediction.var(axis=0, ddof=1)
    np.testing.assert_allclose(six.prediction.mean, prediction.mean(axis=0), **AGREE)
    np.testing.assert_allclose(six.prediction.variance, variance, **AGREE)
    np.testing.assert_allclose(six.spread, np.sqrt(variance.mean(axis=1)), **AGREE)
    off = prediction.mean(axis=0) - 0.1
    limit = MeanField(six.energy[0], np.full_like(off, 0.1), "")
    distance = np.sqrt((off**2).mean(axis=1))
    np.testing.assert_allclose(replace(six, mean_field=limit).distance, distance, **AGREE)
    assert np.isnan(six.distance).all()


def test_the_mean_energy_is_that_of_the_mean_prediction_and_half_the_spread(six):
    """Of a squared loss: the mean over R runs of |f - f*|^2 / 2, its variance with R, not R - 1."""
    off = six.prediction.mean - equation().energy.target_values
    energy = 0.5 * off**2 @ six.weight + 0.5 * six.spread**2 * (RUNS - 1) / RUNS
    at = np.searchsorted(six.time, six.snapshot_time)
    np.testing.assert_allclose(six.mean[at], energy, rtol=1e-12)


def test_streamed_moments_keep_their_digits_beside_a_large_mean():
    values = 1e8 + np.random.default_rng(0).normal(size=(1000, 3))
    moments = Moments(0, np.empty(0), np.empty(0))
    for row in values:
        moments = moments.and_of(row)
    assert moments.count == 1000
    np.testing.assert_allclose(moments.mean, values.mean(axis=0), rtol=1e-13)
    # The values themselves are 1e-8 apart; a difference of their squares would have no digit left.
    np.testing.assert_allclose(moments.variance, values.var(axis=0, ddof=1), rtol=1e-7)


def test_one_run_has_no_deviation():
    one = made(runs=1)
    assert np.isnan(one.deviation).all()
    assert np.isnan(one.prediction.variance).all()
    assert np.array_equal(one.mean, one.energy[0])
    assert " - " in ensemble_table(one)
    assert len(ensemble_figure([one]).axes) == 1


def test_the_prediction_at_the_start_spreads_as_a_mean_of_independent_draws():
    """Var f = (int phi^2 dmu - f^2) / N; within 4 standard deviations of a variance of 400 runs."""
    case = equation()
    many = mf.ensemble(case, METHOD, mf.Uniform(), 0.05, 400, record=SAVE, save=SAVE)
    theta = np.linspace(-np.pi, np.pi, 512, endpoint=False)
    features = case.energy.unit.value(case.energy.inputs, (theta,))
    variance = features.var(axis=1) / METHOD.number
    found = many.prediction.variance[0]
    assert found == pytest.approx(variance, rel=4 * np.sqrt(2 / 400))
    assert found.mean() == pytest.approx(variance.mean(), rel=0.1)


# Runs that fail


def test_a_run_that_fails_is_told_and_left_out(monkeypatch, six):
    failing(monkeypatch, {2}, NumericalFailure("stopped at t = 0.3: a reason"))
    result = made()
    assert result.outcome[2] == "stopped at t = 0.3: a reason"
    assert np.isnan(result.energy[2]).all()
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(result.energy[others], six.energy[others])
    assert result.prediction.count == 5
    np.testing.assert_allclose(result.mean, six.energy[others].mean(axis=0), **AGREE)
    assert ensemble_table(result).endswith("run 2: stopped at t = 0.3: a reason")
    with pytest.raises(NumericalFailure, match="1 of 6 runs did not finish; run 2: stopped"):
        check_finished(result)


def test_memory_that_ends_is_an_outcome(monkeypatch):
    failing(monkeypatch, {0}, MemoryError())
    assert made(runs=2).outcome == ("not enough memory", "finished")


def test_an_ensemble_of_failures_is_one(monkeypatch):
    failing(monkeypatch, range(RUNS), NumericalFailure("a reason"))
    with pytest.raises(NumericalFailure, match="no run of the ensemble finished; run 0: a reason"):
        made()


def test_warnings_of_all_runs_are_one(monkeypatch):
    answer = Recipe.__call__

    def noted(recipe, number):
        return replace(answer(recipe, number), notes=("walls",) if number in (1, 3) else ())

    monkeypatch.setattr(Recipe, "__call__", noted)
    with pytest.warns(RuntimeWarning, match="2 of 6 runs, the first of them 1: walls") as caught:
        made()
    assert len(caught) == 1
    assert Answer("finished").notes == ()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"runs": 0}, "runs = 0: expected at least 1"),
        ({"runs": 2.5}, r"runs = 2\.5: expected at least 1"),
        ({"processes": 0}, "processes = 0: expected at least 1"),
        ({"record": 0.1}, r"record = 0\.1: expected EveryTime"),
    ],
)
def test_wrong_arguments(options, match):
    with pytest.raises(InputError, match=match):
        made(**options)


def test_methods_without_chance_are_refused():
    with pytest.raises(InputError, match=r"method = FiniteVolumes.*: expected Particles"):
        mf.ensemble(equation(), mf.FiniteVolumes(8), mf.Uniform(), 1.0, 2)


# Files and figures


@pytest.mark.parametrize("limit", [False, True])
def test_a_file_holds_all(six, tmp_path, limit):
    mean_field = MeanField(six.energy[0], 2.0 * six.prediction.mean, "a case")
    result = replace(six, mean_field=mean_field if limit else None)
    found = mf.read_ensemble(result.write(tmp_path / "new" / "a.h5"))
    for name in ("time", "energy", "seed", "snapshot_time", "inputs", "weight"):
        assert np.array_equal(getattr(found, name), getattr(six, name)), name
    assert found.outcome == six.outcome
    assert found.prediction.count == RUNS
    assert np.array_equal(found.prediction.mean, six.prediction.mean)
    assert np.array_equal(found.prediction.squares, six.prediction.squares)
    assert found.attributes["particles"] == 40
    assert found.attributes == six.attributes
    if limit:
        assert found.mean_field.case == "a case"
        assert np.array_equal(found.mean_field.prediction, mean_field.prediction)
    else:
        assert found.mean_field is None
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.h5"]


def test_a_file_opens_as_a_labelled_data_set(six, tmp_path):
    with xarray.open_dataset(six.write(tmp_path / "a.h5"), engine="h5netcdf") as found:
        assert found["energy"].dims == ("run", "time")
        assert found["prediction_mean"].dims == ("snapshot_time", "x")
        assert float(found["energy"].sel(run=2, time=0.5)) == six.energy[2, -1]


def test_a_fixed_potential_has_no_prediction(tmp_path):
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    case = mf.Equation(energy, (mf.Transport(),))
    result = mf.ensemble(case, METHOD, mf.Uniform(), 0.2, 3, record=SAVE, save=SAVE)
    found = mf.read_ensemble(result.write(tmp_path / "a.h5"))
    assert np.array_equal(found.energy, result.energy)
    assert found.prediction.mean.shape == (2, 0)
    assert "of f" not in ensemble_table(found)


def test_inputs_of_two_components_are_kept(tmp_path):
    data = mf.ProductData((mf.UniformCircle(4), mf.UniformCircle(4)))
    energy = mf.Energy(
        mf.Ridge("tanh", inputs=2, bias=False),
        mf.FormulaTarget("sin(x_1)"),
        data,
        mf.Box((-9.0, -9.0), (9.0, 9.0)),
    )
    law = mf.ProductLaw((mf.Uniform(-1.0, 1.0), mf.Uniform(-1.0, 1.0)))
    result = mf.ensemble(mf.Equation(energy, (mf.Transport(),)), METHOD, law, 0.1, 2)
    found = mf.read_ensemble(result.write(tmp_path / "a.h5"))
    assert found.inputs.shape == (16, 2)
    assert np.array_equal(found.inputs, energy.inputs)


def test_other_files_are_refused(six, runs, tmp_path):
    run = runs[0].write(tmp_path / "run.h5")
    with pytest.raises(
        InputError, match=r"run\.h5 cannot be read: it is HDF5 but not a .* ensemble"
    ):
        mf.read_ensemble(run)
    with pytest.raises(InputError, match=r"a\.h5 cannot be read: it is HDF5 but not a .* run"):
        mf.read(six.write(tmp_path / "a.h5"))
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["energy"]
    with pytest.raises(InputError, match=r"a\.h5 cannot be read: it has no 'energy'"):
        mf.read_ensemble(tmp_path / "a.h5")
    with pytest.raises(InputError, match="cannot be written: it is not a file"):
        six.write(tmp_path)


def test_bands_lie_where_the_quantiles_are(six, tmp_path):
    limit = MeanField(six.mean, six.prediction.mean, "")
    figure = ensemble_figure([replace(six, mean_field=limit)])
    axes = figure.axes[0]
    wide = axes.collections[1].get_paths()[0].vertices
    at = np.isclose(wide[:, 0], 0.5)
    ends = six.quantiles([0.05, 0.95])[:, -1]
    assert sorted(set(wide[at, 1])) == pytest.approx(ends.tolist(), rel=1e-12)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [
        "6 runs of 40 particles",
        "half of the runs",
        "90 % of the runs",
        "mean field",
    ]
    (file,) = save_ensemble_figure([six, six], tmp_path, "two", ("png",))
    assert file.stat().st_size > 1000
    with pytest.raises(InputError, match="ensembles = 4: expected up to three"):
        ensemble_figure([six] * 4)
