"""Broken case files as users would write them: one sentence that names the place, nothing run."""

import re

import pytest

from meanfield_pde.cli import main

CASE = """\
title = "A case of everything"

[unit]
kind = "formula"
expression = "tanh(w*x + b)"
parameters = ["w", "b"]

[target]
kind = "column"
name = "y"

[data]
kind = "file"
path = "points.csv"
x = ["x"]

[loss]
kind = "huber"
width = 0.5

[penalty]
kind = "weight_decay"
strength = 0.1

[space]
kind = "box"
lower = [-3.0, -3.0]
upper = [3.0, 3.0]

[initial]
kind = "product"
factors = [{kind = "normal"}, {kind = "normal"}]

[[terms]]
kind = "birth_death"
alpha = {kind = "formula", expression = "2*exp(-t)"}

[[terms]]
kind = "transport"
mobility = [1.0, {kind = "piecewise_linear", times = [0.0, 1.0], values = [1.0, 2.0]}]

[method]
kind = "finite_volumes"
cells = 16

[time]
t_end = 0.1
splitting = {kind = "unsplit", method = "ssp3"}

[output]
figures = []
"""

POINTS = "x,y\n-1.0,0.2\n0.0,0.1\n1.0,-0.4\n"

# text of the case, what stands there instead, and what the sentence must mention
BROKEN = [
    ('"tanh(w*x + b)"', '"tanh(w*x + c)"', ["[unit]", "'c'"]),
    ('"tanh(w*x + b)"', "\"__import__('os').system('touch here')\"", ["[unit]"]),
    ('"tanh(w*x + b)"', '"().__class__.__bases__[0]"', ["[unit]"]),
    ('"tanh(w*x + b)"', '"tahn(w*x + b)"', ["[unit]", "tahn", "tanh"]),
    ('"tanh(w*x + b)"', '"tanh(w*x + b"', ["[unit]"]),
    ('"tanh(w*x + b)"', '"1/(w - w)"', ["unit", "x ="]),
    ('"tanh(w*x + b)"', "3", ["[unit] expression", "3"]),
    ('parameters = ["w", "b"]', 'parameters = ["w", "w"]', ["[unit]", "w"]),
    ('parameters = ["w", "b"]', "parameters = []", ["[unit] parameters"]),
    ('parameters = ["w", "b"]', 'parameters = ["w", "import"]', ["[unit]", "import"]),
    ('name = "y"', 'name = "z"', ["target", "points.csv", "z", "y"]),
    ('name = "y"', "", ["[target] name", "missing"]),
    ('path = "points.csv"', 'path = "nowhere.csv"', ["nowhere.csv", "cannot be read"]),
    ('path = "points.csv"', 'path = "points.txt"', ["points.txt", ".csv"]),
    ('x = ["x"]', 'x = ["X"]', ["X", "x"]),
    ('x = ["x"]', 'x = ["x", "y"]', ["data", "1 input"]),
    ('x = ["x"]', 'x = ["x"]\nweights = "w"', ["w", "points.csv"]),
    ('kind = "huber"', 'kind = "hubber"', ["[loss] kind", "'huber'"]),
    ("width = 0.5", "width = -0.5", ["[loss] width", "-0.5"]),
    ('kind = "huber"\nwidth = 0.5', 'kind = "logistic"', ["labels -1 and 1"]),
    ('kind = "huber"\nwidth = 0.5', 'kind = "formula"\nexpression = "f - z"', ["[loss]", "z"]),
    ('kind = "huber"\nwidth = 0.5', 'kind = "negative_log_likelihood"', ["target"]),
    ("strength = 0.1", "strength = [0.1]", ["strength", "2"]),
    ("strength = 0.1", "strength = -0.1", ["[penalty] strength", "-0.1"]),
    (
        'kind = "weight_decay"\nstrength = 0.1',
        'kind = "formula"\nexpression = "w**2 + q"',
        ["q"],
    ),
    ("upper = [3.0, 3.0]", "upper = [3.0]", ["[space]", "upper"]),
    ("upper = [3.0, 3.0]", "upper = [3.0, -4.0]", ["[space]", "upper", "-4.0"]),
    (
        'kind = "box"\nlower = [-3.0, -3.0]\nupper = [3.0, 3.0]',
        'kind = "interval"\nlower = -3.0\nupper = 3.0',
        ["space", "2 parameter"],
    ),
    ('factors = [{kind = "normal"}, {kind = "normal"}]', "factors = []", ["[initial]"]),
    ('{kind = "normal"}]', '{kind = "norml"}]', ["[initial]", "'norml'", "'normal'"]),
    (
        'kind = "product"\nfactors = [{kind = "normal"}, {kind = "normal"}]',
        'kind = "formula"\nexpression = "-1 + theta_1"',
        ["[initial]", "theta_1"],
    ),
    ('"2*exp(-t)"', '"2*exp(-s)"', ["alpha", "s"]),
    ('"2*exp(-t)"', '"1 - 20*t"', ["alpha", "t ="]),
    ("times = [0.0, 1.0]", "times = [1.0, 0.0]", ["mobility", "times"]),
    ("values = [1.0, 2.0]", "values = [1.0]", ["mobility", "values"]),
    ("mobility = [1.0, ", "mobility = [", ["mobility", "2"]),
    ('method = "ssp3"', 'method = "ssp5"', ["[time] splitting", "ssp5", "ssp3"]),
    ('kind = "unsplit", method = "ssp3"', 'kind = "unspilt"', ["unspilt", "unsplit"]),
    ("cells = 16", 'cells = 16\nreconstruction = {kind = "weno"}', ["weno", "weno5"]),
    ('[penalty]\nkind = "weight_decay"', '[penalty]\nkind = "function"', ["--allow-code"]),
    ("[loss]", "[lossy]", ["lossy", "loss"]),
    ("[data]", 'folder = "elsewhere"\n[data]', ["folder"]),
    ('title = "A case of everything"', 'title = "A\nB"', ["TOML"]),
    ('[data]\nkind = "file"', "[data]", ["[data] kind", "missing"]),
]

# contents of points.csv, and what the sentence must mention
BROKEN_DATA = [
    ("", ["points.csv"]),
    ("x,y\n", ["points.csv", "empty"]),
    ("x,y\n1.0\n", ["points.csv", "2"]),
    ("x,y\n1.0,two\n", ["points.csv", "two"]),
    ("x,y\n1.0,nan\n", ["points.csv", "nan"]),
    ("x,y\n1.0,1e999\n", ["points.csv", "1e999"]),
    ("x,x,y\n1.0,1.0,1.0\n", ["points.csv", "x"]),
    ("x;y\n1.0;2.0\n", ["points.csv"]),
    ("\x00\x01", ["points.csv"]),
]


@pytest.fixture
def refuse(tmp_path, capsys, monkeypatch):
    """Run and check a broken case in its folder; the sentence, after checking that it is one."""
    monkeypatch.chdir(tmp_path)

    def run(case, points=POINTS):
        (tmp_path / "points.csv").write_text(points)
        (tmp_path / "case.toml").write_text(case)
        before = sorted(tmp_path.rglob("*"))
        for command in ("run", "check"):
            capsys.readouterr()
            assert main([command, "case.toml"]) == 2
            error = capsys.readouterr().err
            assert re.fullmatch(r"error: [^\n]+\n", error), error
            assert "Traceback" not in error
            assert sorted(tmp_path.rglob("*")) == before
        return error

    return run


def test_the_case_itself_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "points.csv").write_text(POINTS)
    (tmp_path / "case.toml").write_text(CASE)
    assert main(["run", "case.toml"]) == 0


@pytest.mark.parametrize(("old", "new", "mentions"), BROKEN, ids=lambda part: str(part)[:30])
def test_a_broken_case_is_one_sentence(old, new, mentions, refuse):
    assert CASE.count(old) >= 1
    error = refuse(CASE.replace(old, new))
    for words in mentions:
        assert words in error


@pytest.mark.parametrize(("points", "mentions"), BROKEN_DATA, ids=lambda part: repr(part)[:20])
def test_a_broken_data_file_is_one_sentence(points, mentions, refuse):
    error = refuse(CASE, points)
    for words in mentions:
        assert words in error
