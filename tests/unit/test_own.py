"""Own Python functions: checked at the border, differentiated, loaded only when told to."""

import re

import numba
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import load, parse
from meanfield_pde.cli import main

X, Y = np.linspace(-2.0, 2.0, 7), np.linspace(-1.5, 1.5, 5)


def bump(x, y):
    return np.exp(-((x - y) ** 2))


def bump_slope(x, y):
    return 2 * (x - y) * np.exp(-((x - y) ** 2))


def test_a_given_gradient_and_a_forward_one_agree():
    forward, given = mf.OwnUnit(bump, ("y",)), mf.OwnUnit(bump, ("y",), bump_slope)
    value = forward.value(X, (Y,))
    assert forward.derivative(0, X, (Y,), value) == pytest.approx(
        given.derivative(0, X, (Y,), value), rel=1e-13
    )


def test_a_compiled_function_runs_with_its_gradient_given():
    compiled = numba.vectorize(["float64(float64, float64)"])(lambda x, y: np.exp(-((x - y) ** 2)))
    unit = mf.OwnUnit(compiled, ("y",), bump_slope)
    value = unit.value(X, (Y,))
    assert value == pytest.approx(bump(X[:, None], Y), rel=1e-14)
    assert unit.derivative(0, X, (Y,), value) == pytest.approx(bump_slope(X[:, None], Y))


def test_a_function_runs_as_a_built_in_unit_does():
    space, data = mf.Interval(-4.0, 4.0), mf.UniformInterval(-2.0, 2.0, 20)
    target = mf.FormulaTarget("exp(-x**2)")

    def final(unit):
        energy = mf.Energy(unit, target, data, space)
        mu = mf.FiniteVolumes(32).project(mf.Normal(0.5, 0.8), space)
        equation = mf.Equation(energy, [mf.BirthDeath(2.0), mf.Transport()])
        return mf.solve(equation, mu, 0.5)

    own = final(mf.OwnUnit(lambda x, y: np.exp(-((x - y) ** 2)) / np.sqrt(np.pi), ("y",)))
    built_in = final(mf.Gaussian(0.5))
    assert own.energy == pytest.approx(built_in.energy, rel=1e-12)
    assert own.measure[-1] == pytest.approx(built_in.measure[-1], rel=1e-9)


def test_another_object_is_not_another_compilation():
    space, data = mf.Interval(-4.0, 4.0), mf.UniformInterval(-2.0, 2.0, 12)
    mu = mf.FiniteVolumes(24).project(mf.Normal(0.5, 0.8), space)

    def seconds(width):
        unit = mf.OwnUnit(lambda x, y: np.exp(-((x - y) ** 2) / width), ("y",))
        loss = mf.OwnLoss(lambda f, y: np.cosh((f - y) / width))
        energy = mf.Energy(unit, mf.FormulaTarget("cos(x)"), data, space, loss)
        equation = mf.Equation(energy, [mf.BirthDeath(1.0), mf.Transport()])
        return mf.solve(equation, mu, 0.1).attributes

    seconds(1.0)
    assert "seconds compilation" not in seconds(2.0)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda x, y: bump(x, y).astype(np.float32), "the unit returned float32: expected 64-bit"),
        (lambda x, y: np.ones((3, 3)), r"returned shape \(3, 3\): expected \(7, 5\)"),
        (lambda x, y: 1j * bump(x, y), "complex128"),
        (lambda x, y: "text", "expected 64-bit floats"),
        (lambda x, y: 1 / 0, "the unit failed .*ZeroDivisionError"),
        (lambda x: x, "the unit failed .*TypeError"),
    ],
)
def test_wrong_results_are_one_sentence(result, words):
    with pytest.raises(mf.InputError, match=words) as error:
        mf.OwnUnit(result, ("y",)).value(X, (Y,))
    assert "\n" not in str(error.value)


def test_a_gradient_that_cannot_be_taken_forward_says_to_give_one():
    unit = mf.OwnUnit(lambda x, y: np.vectorize(lambda a, b: a * b)(x, y), ("y",))
    with pytest.raises(mf.InputError, match="gradient"):
        unit.derivative(0, X, (Y,), unit.value(X, (Y,)))


def test_a_unit_that_is_not_finite_names_the_place():
    unit = mf.OwnUnit(lambda x, y: 1.0 / np.where(np.abs(y) < 0.2, 0.0, y) + 0 * x, ("y",))
    energy = mf.Energy(
        unit, mf.FormulaTarget("x"), mf.UniformInterval(-1.0, 1.0, 4), mf.Interval(-1.0, 1.0)
    )
    mu = mf.FiniteVolumes(32).project(mf.Uniform(), energy.space)
    with (
        np.errstate(divide="ignore"),
        pytest.raises(mf.InputError, match=r"the unit 'own' is .*inf at x = .*\(y\) = \(-0.1"),
    ):
        mu.landscape(energy).at(mu)


MODULE = """\
import numpy as np
from pathlib import Path

Path("loaded").write_text("yes")


def bump(x, y):
    return np.exp(-((x - y) ** 2))


def loss(f, y):
    return np.cosh(f - y) - 1.0


def density(y):
    return np.exp(-(y**2))


def broken(x, y):
    raise RuntimeError("two\\nlines")
"""

CASE = """\
title = "Own functions"
[unit]
kind = "function"
function = "mine:bump"
parameters = ["y"]
[loss]
kind = "function"
function = "mine:loss"
[target]
kind = "formula"
expression = "exp(-x**2)"
[data]
kind = "uniform_interval"
lower = -2.0
upper = 2.0
points = 10
[space]
kind = "interval"
lower = -3.0
upper = 3.0
[initial]
kind = "function"
function = "mine:density"
[[terms]]
kind = "transport"
[method]
kind = "finite_volumes"
cells = 24
[time]
t_end = 0.2
[output]
figures = []
"""


@pytest.fixture
def own_case(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "own.toml").write_text(CASE)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "own.toml"


def test_code_of_a_case_runs_only_with_the_flag(own_case, capsys):
    assert main(["run", str(own_case)]) == 2
    error = capsys.readouterr().err
    assert "[unit] function = 'mine:bump'" in error
    assert "--allow-code" in error
    assert error.count("\n") == 1
    assert not list(own_case.parent.rglob("loaded"))
    assert main(["run", str(own_case), "--allow-code"]) == 0
    assert list(own_case.parent.rglob("loaded"))


def test_functions_of_a_case_are_found_beside_it(own_case):
    case = load(own_case, allow_code=True)
    energy = case.energy()
    law = mf.FiniteVolumes(24).project(case.start(), case.space)
    normal = mf.FiniteVolumes(24).project(mf.Normal(0.0, 0.5**0.5), case.space)
    assert law.density == pytest.approx(normal.density, rel=1e-9)
    assert energy.unit.value(X, (Y,)) == pytest.approx(bump(X[:, None], Y))
    assert energy.loss.derivative(np.array([1.0]), np.zeros(1)) == pytest.approx(np.sinh(1.0))
    assert energy.loss.curvature(np.array([1.0]), np.zeros(1)) == pytest.approx(np.cosh(1.0))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("mine:bump", "mine", "expected 'module:name'"),
        ("mine:bump", "mine:bumb", "no function 'bumb'"),
        ("mine:bump", "other:bump", "cannot be loaded"),
        ("mine:bump", "mine:broken", "the unit failed .*RuntimeError: two lines"),
    ],
)
def test_functions_that_cannot_be_used(own_case, capsys, old, new, words):
    own_case.write_text(CASE.replace(old, new))
    assert main(["run", str(own_case), "--allow-code"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(words, error), error


def test_a_function_deep_in_a_case_needs_the_flag_too():
    text = CASE.replace('kind = "function"\nfunction = "mine:bump"', 'kind = "charged"')
    text = text.replace(
        'parameters = ["y"]',
        'base = {kind = "function", function = "mine:bump", parameters = ["y"]}',
    )
    with pytest.raises(mf.InputError, match=r"\[unit.base\] function = 'mine:bump'"):
        parse(text, "text")


def test_a_wrong_gradient_is_refused_before_anything_runs():
    line, data = mf.Interval(-3.0, 3.0), mf.UniformInterval(-2.0, 2.0, 12)
    target = mf.FormulaTarget("cos(x)")
    wrong = mf.OwnUnit(bump, ("y",), lambda x, y: -bump_slope(x, y))
    right = mf.OwnUnit(bump, ("y",), bump_slope)
    loss = mf.OwnLoss(lambda f, y: np.cosh(f - y), lambda f, y: 2 * np.sinh(f - y))
    penalty = mf.OwnPenalty(lambda y: y**2, lambda y: (y,))
    mf.Equation(mf.Energy(right, target, data, line), [mf.Transport()])
    for energy, name in (
        (mf.Energy(wrong, target, data, line), "unit, y"),
        (mf.Energy(right, target, data, line, loss), "loss, f"),
        (mf.Energy(right, target, data, line, penalty=penalty), "penalty, y"),
    ):
        with pytest.raises(mf.InputError, match=f"gradient given for the {name} is"):
            mf.Equation(energy, [mf.Transport()])
    with pytest.raises(mf.InputError, match="the gradient of the unit = 'no': expected a function"):
        mf.OwnUnit(bump, ("y",), "no")


def test_a_function_cannot_change_what_it_is_given():
    x = np.linspace(-1.0, 1.0, 6)
    samples = mf.Samples(x)
    with pytest.raises(mf.InputError, match="read-only"):
        mf.OwnTarget(lambda x: np.multiply(x, 2, out=x)).value(samples.x, None, samples)
    assert np.array_equal(samples.x, np.linspace(-1.0, 1.0, 6))


@pytest.mark.parametrize(
    "function", [lambda x, y: np.sum(x * y), lambda x, y: (x * y).sum(axis=0)], ids=["all", "one"]
)
def test_sums_are_not_spread_over_the_pairs(function):
    with pytest.raises(mf.InputError, match=r"expected \(7, 5\)"):
        mf.OwnUnit(function, ("y",)).value(X, (Y,))
