"""Computations that break: what is said, and what is left in the file."""

import re

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.cli import main

ESCAPE = """\
title = "A concave potential drives mass to the walls"

[potential]
kind = "quadratic"
matrix = [[-1.0]]

[space]
kind = "interval"
lower = -3.0
upper = 3.0

[initial]
kind = "normal"
deviation = 0.5

[[terms]]
kind = "birth_death"
alpha = 1.0

[[terms]]
kind = "transport"

[method]
kind = "finite_volumes"
cells = 48

[time]
t_end = 2.0

[output]
folder = "made"
record = {kind = "every", interval = 0.1}
figures = []
"""

# Free mass grows a hundredfold towards a nearly uniform target: the slope of V, and with it the
# bound on the step, begins small and becomes sharper than any fixed step chosen at the start.
GROWTH = [
    "unit.kappa=0.5",
    "target={kind = 'teacher', centres = [0.0, 2.1, -2.1], masses = [40.0, 40.0, 40.0]}",
    "initial={kind = 'uniform', lower = -1.0, upper = 2.0}",
    "terms.birth_death.alpha=0.05",
    "terms.birth_death.balance={kind = 'free'}",
    "time.step={kind = 'fixed', dt = 0.1}",
    "time.t_end=2.0",
    "output.record={kind = 'every', interval = 0.1}",
]


@pytest.fixture
def escape_case(tmp_path):
    path = tmp_path / "escape.toml"
    path.write_text(ESCAPE)
    return path


def test_mass_at_a_wall_warns(escape_case):
    from meanfield_pde.case import load
    from meanfield_pde.run import execute, jobs

    (job,) = jobs(load(escape_case), "escape", escape_case.parent)
    with pytest.warns(RuntimeWarning, match=r"mass gathers at the walls .* at t = ") as warned:
        solution = execute(job)
    assert len(warned) == 1
    assert solution.attributes["outcome"] == "finished"
    assert solution.wall_mass[-1] > 0.1
    when = float(re.search(r"at t = ([0-9.]+)\)", str(warned[0].message))[1])
    at = np.searchsorted(solution.time, when - 1e-9)
    assert solution.wall_mass[at] > 1e-3 >= solution.wall_mass[at - 1]


def test_no_warning_where_mass_began_at_the_wall():
    """A uniform law touches the walls from the start."""
    space = mf.Interval(-1.0, 1.0)
    equation = mf.Equation(mf.PotentialEnergy(mf.Quadratic(((0.01,),)), space), [mf.Transport()])
    mu = mf.FiniteVolumes(16).project(mf.Uniform(), space)
    assert mf.solve(equation, mu, 1.0).wall_mass[-1] > 0.1  # a warning would be an error


def stopped(case, capsys, *settings):
    """Run a case that stops; the sentence and the result."""
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["run", str(case), *options]) == 3
    error = capsys.readouterr().err
    assert re.fullmatch(r"error: stopped at t = [^\n]+\n", error), error
    return error, mf.read(case.parent / "made" / f"{case.stem}.h5")


def test_a_fixed_step_above_the_bound_stops_at_once(escape_case, capsys):
    error, solution = stopped(escape_case, capsys, "time.step={kind = 'fixed', dt = 0.1}")
    assert "t = 0:" in error
    limit = float(re.search(r"the step must be at most ([0-9.e+-]+)", error)[1])
    assert limit == pytest.approx(0.5 / (3.0 - 0.125) * 0.125, rel=0.01)
    assert solution.attributes["outcome"].startswith("stopped")
    assert solution.measure[0].shape == (48,)
    within = f"time.step={{kind = 'fixed', dt = {0.99 * limit}}}"
    assert main(["run", str(escape_case), "--set", within, "--set", "time.t_end=0.2"]) == 0


def test_times_of_a_stopped_run_increase(escape_case, capsys):
    """The state at which a run stops is one record, also where it had just been recorded."""
    _, solution = stopped(escape_case, capsys, "time.step={kind = 'fixed', dt = 0.1}")
    assert np.all(np.diff(solution.time) > 0)
    assert np.all(np.diff(solution.snapshot_time) > 0)


def test_frames_up_to_the_stop_are_kept(circle_case, capsys):
    error, solution = stopped(circle_case, capsys, *GROWTH)
    when = float(re.search(r"stopped at t = ([0-9.]+):", error)[1])
    assert "transport would empty a cell: the step must be at most" in error
    assert 0.1 <= when < 2.0
    assert solution.attributes["outcome"].startswith("stopped")
    assert solution.time[-1] == pytest.approx(when)
    assert solution.snapshot_time[-1] == pytest.approx(when)
    assert solution.time[:3] == pytest.approx([0.0, 0.1, 0.2])
    assert np.all(np.isfinite(solution.measure))
    assert np.all(solution.measure >= 0)
    assert solution.mass[-1] > 10 * solution.mass[0]


def test_a_failed_solve_carries_its_solution():
    space = mf.Interval(-3.0, 3.0)
    energy = mf.PotentialEnergy(mf.Quadratic(((-1.0,),)), space)
    equation = mf.Equation(energy, [mf.Transport()])
    mu = mf.FiniteVolumes(48).project(mf.Normal(0.0, 0.4), space)
    with pytest.raises(mf.NumericalFailure, match="stopped at t = 0") as failure:
        mf.solve(equation, mu, 1.0, step=mf.Fixed(0.5), record=mf.AtTimes(()), save=mf.AtTimes(()))
    solution = failure.value.solution
    assert solution.attributes["outcome"].startswith("stopped")
    assert np.array_equal(solution.measure[-1], mu.density)
    assert solution.energy[-1] == mu.landscape(energy).at(mu).energy


@pytest.mark.filterwarnings("always:the energy changed")
def test_an_energy_that_goes_elsewhere_warns(circle_case, capsys):
    """Two hundred waves on 32 cells: the grid does not see the slopes there are."""
    text = circle_case.read_text()
    start, end = text.index("[unit]"), text.index("[[terms]]")
    steep = (
        '[potential]\nkind = "formula"\nexpression = "sin(200*theta)"\n'
        '[space]\nkind = "circle"\n[initial]\nkind = "uniform"\n'
    )
    circle_case.write_text(text[:start] + steep + text[end:])
    assert main(["run", str(circle_case)]) == 0
    warned = capsys.readouterr().err
    assert "of it is not what transport and birth and death took" in warned
    assert warned.count("\n") == 1
