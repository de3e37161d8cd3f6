"""Error bars from sequences of refinements, and what is refined."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.accuracy import SAFETY, SLOWEST, Accuracy, enough, remaining, with_bar
from meanfield_pde.case import parse
from meanfield_pde.errors import InputError
from meanfield_pde.problem.exact import CircleFamily
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.fourier import Fourier
from meanfield_pde.representations.grid import FiniteVolumes, Muscl, Upwind, Weno5
from meanfield_pde.studies import particle_bars
from meanfield_pde.studies.convergence import directions, refinements
from meanfield_pde.studies.error_bars import METHODS, problems, rows, run
from meanfield_pde.timestepping.step_size import Controlled, Fixed

WELL = """
title = "Well"
potential = {kind = "quadratic", matrix = [[1.0]]}
space = {kind = "interval", lower = -5.0, upper = 6.0}
initial = {kind = "normal", mean = 0.8, deviation = 0.7}
terms = [{kind = "birth_death", alpha = 1.5}, {kind = "transport"}]
method = {kind = "finite_volumes", cells = 32}
time = {t_end = 0.5}
output = {record = {kind = "at", values = []}, save = {kind = "at", values = []}}
"""

LINE = """
title = "Linear unit on a line"
unit = {kind = "linear", psi = "exp(-x**2/2)"}
target = {kind = "formula", expression = "exp(-(x - 1)**2)"}
data = {kind = "line", lower = -5.0, upper = 5.0, points = 17}
space = {kind = "interval", lower = -7.0, upper = 7.0}
initial = {kind = "uniform", lower = -1.0, upper = 1.0}
terms = [{kind = "transport"}]
method = {kind = "characteristics", nodes = 12}
time = {t_end = 0.5}
"""


# From moves to bars


@pytest.mark.parametrize("ratio", [0.6, 0.25, 1 / 32, 1e-3])
def test_a_geometric_sequence_is_summed_exactly(ratio):
    """v_k = v + c ratio^k: what is missing after v_2 is c ratio^2."""
    size = np.array([0.0, 0.3, -2.0, 0.7])
    values = [1.0 + size * ratio**k for k in range(3)]
    moves = [np.abs(b - a) for a, b in pairwise(values)]
    missing = np.abs(values[-1] - 1.0)
    assert remaining(moves, 1e4) / SAFETY == pytest.approx(missing, rel=1e-12)


def test_a_decay_that_only_begins_is_not_believed():
    """Moves of a rough density on a grid, 1 then 1.3 then 0.1: the last is small by chance."""
    moves = [np.array([0.0, size]) for size in (1.0, 1.3, 0.1)]
    slow = SLOWEST / (1.0 - SLOWEST)
    assert remaining(moves, 4.0)[1] == pytest.approx(SAFETY * SLOWEST * 1.3 * slow)
    steady = [np.array([0.0, size]) for size in (1.0, 0.25, 0.0625)]
    assert remaining(steady, 4.0)[1] == pytest.approx(SAFETY * 0.0625 / 3.0)


def test_neither_too_fast_nor_too_slow_a_decay_is_believed():
    before, last = np.array([0.0, 1.0]), np.array([0.0, 1e-6])
    assert remaining([4.0 * before, before, last], 4.0)[1] == pytest.approx(SAFETY * 0.25 / 3.0)
    assert remaining([before, before], 4.0)[1] == pytest.approx(SAFETY * SLOWEST / (1.0 - SLOWEST))
    assert remaining([before, 100.0 * before], 4.0)[1] > 100.0


def test_two_moves_that_shrink_too_fast_are_not_enough():
    """1 then 1/40 by a fourth of 16: the next may be 1/100, by what the fast part had hidden."""
    moves = [np.array([0.0, size]) for size in (1.0, 1 / 40, 1 / 100)]
    assert enough(moves[:2], 40.0)
    assert not enough(moves[:2], 16.0)
    assert enough(moves, 16.0)
    # Half the order is believed: a ratio of 1/4, not 1/16.
    assert remaining(moves[:2], 16.0)[1] == pytest.approx(SAFETY / 16.0 / 3.0)
    assert not enough(moves[:1], 16.0)


def test_one_move_is_taken_whole_and_no_move_is_nothing():
    assert remaining([np.array([0.5, 0.1, 0.2])], 1e3) == pytest.approx(
        SAFETY * np.array([0.5, 0.2, 0.2])
    )
    nothing = np.zeros(3)
    assert not remaining([nothing], 4.0).any()
    assert not remaining([nothing, nothing], 4.0).any()


def test_a_zero_of_the_move_is_no_zero_of_the_error():
    """Where the sign changes a move is small by chance: neighbours and earlier moves speak up."""
    before = np.array([0.0, 4.0, 0.4, 4.0])
    last = np.array([0.0, 1.0, 0.0, 1.0])
    bars = remaining([before, last], 16.0)
    assert bars[2] == pytest.approx(bars[1] / 10.0)


@pytest.mark.parametrize(
    ("value", "bar", "text"),
    [
        (0.01234567, 1.2e-6, "1.2346(2)e-02"),
        (-0.01234567, 1.2e-8, "-1.234567(2)e-02"),
        (123.456, 0.9, "1.23(1)e+02"),
        (1.0 - 1e-15, 2e-13, "1.0000000000000(2)e+00"),
        (3.0, 2.0, "3 +- 2"),
        (0.0, 1e-14, "0 +- 1e-14"),
        (1.0, math.inf, "1 +- inf"),
    ],
)
def test_digits_are_cut_at_the_bar(value, bar, text):
    assert with_bar(value, bar) == text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tolerance": 0.0}, "tolerance = 0.0: expected a number between 0 and 1"),
        ({"tolerance": 1e-3, "observables": ()}, "observables = "),
        ({"tolerance": 1e-3, "observables": ("step",)}, "some of energy, mass"),
        ({"tolerance": 1e-3, "most": 0.5}, "most = 0.5: expected a number of at least 1"),
    ],
)
def test_a_wrong_table_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Accuracy(**wrong)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("[accuracy]\ntolerance = 1e-3\nwalls = ['y']", r"walls = \('y',\).*among theta"),
        ("[accuracy]\ntolerance = 1e-3\nobservables = ['prediction']", "a fixed potential"),
        ("[accuracy]\ntolerance = 1e-3\nnodes = 3", "nodes: unknown key"),
    ],
)
def test_a_table_that_does_not_fit_the_case_is_refused(lines, message):
    with pytest.raises(InputError, match=message):
        parse(WELL + lines, "well")


PARTICLES = WELL.replace(
    '{kind = "finite_volumes", cells = 32}', '{kind = "particles", number = 200, dt = 0.1}'
)


# What is refined


def test_finer_methods_fit_their_space():
    line, plane = mf.Interval(-1.0, 1.0).axes, mf.Box((-1.0, -1.0), (1.0, 1.0)).axes
    torus = mf.Product((mf.Circle(), mf.Circle())).axes
    assert FiniteVolumes(32).finer(line).cells == (64,)
    assert FiniteVolumes((32, 50)).finer(plane).cells == (48, 76)
    assert Characteristics(32).finer(plane).nodes == (40, 40)
    assert Fourier(32).finer(torus).modes == (40, 40)
    assert Characteristics(12).finer(line).redistribute < Characteristics(12).redistribute
    numbers = [40]
    for _ in range(5):
        (number,) = Characteristics(numbers[-1]).finer(line).nodes
        numbers.append(number)
    assert all(b > a and b % 16 == 0 for a, b in pairwise(numbers))
    assert [scheme.order for scheme in (Upwind, Muscl, Weno5)] == [1, 2, 4]


def test_finer_particles_are_more_with_shorter_steps_and_wider_walls():
    case = parse(PARTICLES, "well")
    ways = {way.name: way for way in directions(case)}
    assert ways["number"].finer(case).method.number == 400
    assert ways["time"].finer(case).method.dt == 0.05
    # No step is longer than to the next record.
    long = replace(case, method=replace(case.method, dt=3.0))
    assert ways["time"].finer(long).method.dt == 0.25
    assert ways["cuts"].finer(case).space.axes[0].length == pytest.approx(1.25 * 11.0)


@pytest.mark.parametrize("cells", [32, 33])
def test_wider_grids_keep_their_cells(cells):
    case = parse(WELL + "[accuracy]\ntolerance = 1e-3", "well", [f"method.cells={cells}"])
    way = {way.name: way for way in directions(case)}["cuts"]
    wider = way.finer(case)
    old = case.method.grid(case.space.axes)
    new = wider.method.grid(wider.space.axes)
    added = (new.cells[0] - old.cells[0]) // 2
    assert added == 4
    assert new.centres[0][added:-added] == pytest.approx(old.centres[0], abs=1e-13)


def test_wider_nodes_of_a_normal_law_stay_where_they_are():
    space, law = mf.Interval(-40.0, 40.0), mf.Normal(0.3, 0.8)
    method = Characteristics(24)
    wider, factors = method.wider(space.axes, (True,))
    old, new = (m.project(law, space).points[:, 0] for m in (method, wider))
    assert factors == (30 / 24,)
    assert new[3:-3] == pytest.approx(old, abs=1e-12)
    assert wider.reach == pytest.approx(9.0 * 30 / 24)


@pytest.mark.parametrize(
    ("step", "record"),
    [
        (Controlled(1e-8), 1.0),  # the error bounds the steps
        (Controlled(1e9), 1.0),  # the cells do
        (Controlled(1e9), 0.02),  # the record times do
        (Fixed(0.01), 1.0),
        (Fixed(0.1), 0.02),
    ],
    ids=["error", "cells", "records", "fixed", "fixed, records"],
)
def test_shorter_steps_are_shorter_whatever_bounds_them(step, record):
    case = parse(WELL, "well", [f"output.record={{kind='every', interval={record}}}"])
    case = replace(case, time=replace(case.time, step=step))
    finer = {way.name: way for way in directions(case)}["time"].finer
    counts = [run(c).steps[-1] for c in (case, finer(case), finer(finer(case)))]
    assert all(1.5 <= b / a <= 2.5 for a, b in pairwise(counts))


def test_tolerances_of_steps_end_at_rounding():
    step = Controlled(1e-12)
    for _ in range(5):
        step = step.shorter(2.0, 3, 1.0)
    assert step.tolerance == 1e-13
    assert step.longest == 1.0 / 32


def test_only_what_applies_is_refined():
    def names(text, *settings):
        return [way.name for way in directions(parse(text, "case", settings))]

    assert names(WELL) == ["space", "time", "cuts"]
    assert names(WELL, "accuracy.tolerance=1e-3", "accuracy.walls=[]") == ["space", "time"]
    assert names(LINE) == ["space", "time", "data", "range"]
    assert names(PARTICLES) == ["number", "time", "cuts"]
    cosine = next(p for p in problems() if p.circle and "data" in p.tables)
    found = directions(cosine.case(METHODS["fourier"]))
    assert [way.name for way in found] == ["space", "time", "data"]


def test_a_line_of_data_grows_by_whole_steps():
    case = parse(LINE, "line")
    way = {way.name: way for way in directions(case)}["range"]
    wider = way.finer(case)
    old, new = (c.data.quadrature()[0] for c in (case, wider))
    assert new[2:-2] == pytest.approx(old, abs=1e-13)
    assert wider.data.points == 21


# Answers


def test_an_answer_comes_with_a_bar_that_holds_its_error():
    case = parse(WELL, "well")
    answers = list(refinements(case, Accuracy(1e-4, ("energy", "mean_potential")), run))
    last = answers[-1]
    assert last.reached
    assert not any(answer.reached for answer in answers[:-1])
    assert not np.isfinite(answers[0].error)
    known = math.exp(-2 * 0.5)
    # m = m0 (P0 / P) e^t and E = (1 / P + m^2) / 2 with P = (P0 + alpha / 2) e^2t - alpha / 2.
    p0 = 1 / 0.49
    p = (p0 + 0.75) / known - 0.75
    mean = 0.8 * (p0 / p) * math.exp(0.5)
    exact = 0.5 * (1 / p + mean**2)
    error = abs(last.solution.energy[-1] - exact)
    assert 1e-7 < error <= last.bars["energy"][-1] <= 1e-4 * last.solution.energy.max()
    assert last.bars["energy"] == pytest.approx(last.bars["mean_potential"])
    finest = last.case.method.grid(last.case.space.axes)
    assert finest.cells[0] > 32 * 2**3


def test_a_budget_that_ends_leaves_an_honest_bar():
    case = parse(WELL, "well")
    *_, last = refinements(case, Accuracy(1e-6, most=20.0), run)
    assert not last.reached
    assert "times what `most` allows" in last.ended["space"]
    assert 1e-6 < last.error < 0.1


def test_a_first_run_that_stops_is_refined():
    """Too few modes to begin with: the spectrum does not decay over them."""
    problem = next(p for p in problems() if p.name == "well 2")
    case = problem.case(METHODS["fourier"])
    coarse = parse(case.text(), "well", ["method.modes=10", "time.t_end=1.2"])
    with pytest.raises(mf.NumericalFailure, match="the spectrum no longer decays"):
        run(coarse)
    *_, last = refinements(coarse, Accuracy(1e-6), run)
    assert last.reached
    assert last.case.method.modes[0] > 12


@pytest.mark.parametrize("method", METHODS)
def test_bars_of_exact_problems_hold_and_are_not_idle(method):
    """Two of the problems by which no factor was chosen; `measure error_bars` has them all."""
    found = []
    for name in ("well 2", "cosine units, alpha = 1, kappa = 1.5, f0 = 1"):
        problem = next(p for p in problems() if p.name == name)
        found += list(rows(problem, method))
    assert len(found) >= 12
    assert all(row.honest for row in found)
    assert sum(row.tight for row in found) >= 0.9 * len(found)


# Particles


def cosine_particles(seed, number=100, dt=0.1, alpha=1.7):
    """Interacting units with a known solution."""
    text = (
        "title = 'Cosine units'\n"
        "unit = {kind = 'cosine', kappa = 1.25}\n"
        "target = {kind = 'teacher', centres = [0.0], masses = [0.8]}\n"
        "data = {kind = 'uniform_circle', points = 6}\n"
        "space = {kind = 'circle'}\n"
        "initial = {kind = 'uniform'}\n"
        f"terms = [{{kind = 'birth_death', alpha = {alpha}}}, {{kind = 'transport'}}]\n"
        f"method = {{kind = 'particles', number = {number}, dt = {dt}, seed = {seed}}}\n"
        "time = {t_end = 1.0}\n"
        "output = {record = {kind = 'at', values = []}, save = {kind = 'at', values = [0.5]}}\n"
    )
    return parse(text, "cosine")


@pytest.mark.parametrize("seed", [0, 100, 200, 300])
def test_bars_of_particles_hold(seed):
    accuracy = Accuracy(0.1, ("energy", "prediction"), most=100.0)
    *_, answer = particle_bars.refinements(cosine_particles(seed), accuracy, run)
    family, solution = CircleFamily(1.7, 1.0, 1.25), answer.solution
    error = np.abs(solution.energy - [family.energy(t) for t in solution.time])
    assert np.all(error <= answer.bars["energy"])
    size = np.sqrt(2.5) * np.array([family.order_parameter(t) for t in solution.snapshot_time])
    exact = size[:, None] * np.cos(solution.layout.inputs)
    error = np.sqrt(np.mean((solution.prediction - exact) ** 2, axis=1))
    assert np.all(error <= answer.bars["prediction"])
    assert np.all(answer.bars["energy"] <= 0.3 * solution.energy[0])


def test_chance_is_refined_by_seeds_and_runs_are_used_again():
    made = []

    def counted(case):
        made.append((case.method, len(case.data.quadrature()[0])))
        return run(case)

    case = cosine_particles(0, alpha=0.0)
    first, second, *_, last = particle_bars.refinements(case, Accuracy(1e-3, most=60.0), counted)
    # The answer, half the number, steps twice as long, coarser data: eight seeds each.
    assert first.runs == 4 * 8
    sizes = {(method.number, method.dt, points) for method, points in made[:32]}
    assert sizes == {(100, 0.1, 11), (50, 0.1, 11), (100, 0.2, 11), (100, 0.1, 6)}
    assert first.part("seeds") > max(first.part(way) for way in ("number", "time", "data"))
    assert second.count("seeds") == 1
    assert second.runs == 2 * first.runs
    assert last.runs == len(made) == len(set(made))
    assert second.part("seeds") < first.part("seeds")


def test_a_bias_of_the_steps_is_seen_and_ends_with_the_budget():
    """Steps of 0.5: V moves much in one of them."""
    *_, answer = particle_bars.refinements(
        cosine_particles(0, number=400, dt=0.5), Accuracy(1e-6, most=10.0), run
    )
    assert not answer.reached
    assert answer.part("time") > 0.01
    assert all("times what `most` allows" in why for why in answer.ended.values())
    exact = CircleFamily(1.7, 1.0, 1.25).energy(1.0)
    assert abs(answer.solution.energy[-1] - exact) <= answer.bars["energy"][-1]


def test_nodes_that_resolve_nothing_are_refined():
    """Their moves may be small by chance: whatever the bar says, space is not known yet."""
    problem = next(p for p in problems() if p.name == "quadratic 1")
    answers = list(refinements(problem.case(METHODS["characteristics"]), Accuracy(1e-3), run))
    last = answers[-1]
    assert last.reached
    tail = np.full_like(last.solution.time, 0.1)
    solution = replace(last.solution, scalars={**last.solution.scalars, "unresolved": tail})
    assert replace(last, solution=solution).unknown == ("space",)
