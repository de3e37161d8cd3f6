"""Laws, data and targets by their tables in a case file: what they become, and what is refused."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import load, parse

LINE = """\
title = "One parameter on the line"

[unit]
kind = "gaussian"
variance = 0.5

[target]
kind = "teacher"
centres = [0.5]
masses = [1.0]

[data]
kind = "line"
lower = -4.0
upper = 4.0
points = 41

[space]
kind = "interval"
lower = -4.0
upper = 4.0

[initial]
kind = "normal"

[[terms]]
kind = "transport"

[method]
kind = "finite_volumes"
cells = 40

[time]
t_end = 0.1
"""
RANGE = mf.Interval(-4.0, 4.0)


@pytest.fixture
def read(tmp_path):
    """Load a case of one parameter with tables of it replaced; files lie beside it."""
    np.savez(tmp_path / "f.npz", x=np.linspace(-5, 5, 101), f=np.cos(np.linspace(-5, 5, 101)))
    (tmp_path / "start.csv").write_text("theta,density\n-1,0\n0,1\n1,0\n")
    (tmp_path / "points.csv").write_text("x,y,w,half\n-1,2,1,1\n0.5,3,3,2\n")
    (tmp_path / "bump.py").write_text("def bump(x):\n    return 1 / (1 + x**2)\n")

    def from_tables(**tables):
        text = LINE
        for name, table in tables.items():
            start = text.index(f"[{name}]")
            end = text.index("\n\n", start)
            text = f"{text[:start]}[{name}]\n{table}{text[end:]}"
        (tmp_path / "case.toml").write_text(text)
        return load(tmp_path / "case.toml", allow_code=True)

    return from_tables


TENT = mf.DensityFunction(lambda theta: np.clip(1 - abs(theta), 0, 1))
LAWS = {
    "kind = 'formula'\nexpression = 'exp(-theta**2)'": mf.Normal(0.0, np.sqrt(0.5)),
    "kind = 'mixture'\nweights = [1, 3]\nparts = [{kind = 'normal'}, {kind = 'uniform'}]": (
        mf.MixtureLaw((1.0, 3.0), (mf.Normal(), mf.Uniform()))
    ),
    "kind = 'product'\nfactors = [{kind = 'formula', expression = 'exp(-theta**2/2)'}]": (
        mf.Normal()
    ),
    "kind = 'table'\npath = 'start.csv'": TENT,
    "kind = 'mixture'\nweights = [1]\nparts = [{kind = 'table', path = 'start.csv'}]": TENT,
}


@pytest.mark.parametrize(("table", "law"), LAWS.items(), ids=lambda part: str(part)[:40])
def test_laws(read, table, law):
    case = read(initial=table)
    found = case.method.project(case.start(), case.space)
    expected = mf.FiniteVolumes(40).project(law, RANGE)
    assert found.density == pytest.approx(expected.density, rel=1e-6, abs=1e-14)


def test_a_von_mises_law(circle_case):
    settings = ["initial.kind=von_mises", "initial.concentration=3", "initial.mean=0.5"]
    assert load(circle_case, settings).start() == mf.CircularNormal(0.5, 3.0)


def test_a_law_from_which_neurons_are_born(circle_case):
    (circle_case.parent / "born.csv").write_text("theta,density\n-1,1\n1,1\n")
    balance = "terms.birth_death.balance={kind='reinjection', law={kind='table', path='born.csv'}}"
    case = load(circle_case, [balance])
    (law,) = (
        term.balance.law
        for term in case.equation(case.method).terms
        if isinstance(term, mf.BirthDeath)
    )
    assert case.method.project(law, case.space).mass == pytest.approx(1.0)


DATA = {
    "kind = 'gauss_hermite'\nmean = 0.1\ndeviation = 2.0\npoints = 9": mf.GaussHermite(0.1, 2.0, 9),
    "kind = 'file'\npath = 'points.csv'": mf.Samples([-1.0, 0.5]),
    "kind = 'file'\npath = 'points.csv'\nx = ['y']\nweights = 'w'": mf.Samples([2, 3], [1, 3]),
}


@pytest.mark.parametrize(("table", "data"), DATA.items(), ids=lambda part: str(part)[:30])
def test_data(read, table, data):
    energy = read(data=table).energy()
    x, w = data.quadrature()
    assert np.array_equal(energy.inputs, x)
    assert np.array_equal(energy.data_weights, w)


def test_data_on_a_circle(circle_case):
    (circle_case.parent / "angles.csv").write_text("x\n0.1\n3\n")
    settings = ["data.kind=file", "data.path=angles.csv"]
    with pytest.raises(mf.InputError, match="data = 'file': expected data on the circle"):
        load(circle_case, settings)
    energy = load(circle_case, [*settings, f"data.input_period={2 * np.pi!r}"]).energy()
    assert np.array_equal(energy.inputs, [0.1, 3.0])


def test_data_of_two_inputs():
    text = LINE.replace("variance = 0.5", "variance = 0.5\ndimension = 2")
    text = text.replace("centres = [0.5]", "centres = [[0.5, 1.0]]")
    for name in ("data", "space"):
        start = text.index(f"[{name}]")
        text = text[:start] + text[text.index("\n\n", start) + 2 :]
    factor = "{kind = 'line', lower = -4.0, upper = 4.0, points = 9}"
    text += f"[data]\nkind = 'product'\nfactors = [{factor}, {factor}]\n"
    text += "[space]\nkind = 'box'\nlower = [-4.0, -4.0]\nupper = [4.0, 4.0]\n"
    formula = "kind = 'formula'\nexpression = 'exp(-theta_1**2 - theta_2**2 - theta_1*theta_2)'"
    text = text.replace('kind = "normal"', formula)
    case = parse(text, "plane")
    assert case.energy().inputs.shape == (81, 2)
    mean, _ = case.method.project(case.start(), case.space).moments()
    assert mean == pytest.approx([0.0, 0.0], abs=1e-12)


TARGETS = {
    "kind = 'formula'\nexpression = 'cos(2*x)'": lambda x: np.cos(2 * x),
    "kind = 'table'\npath = 'f.npz'": np.cos,
    "kind = 'function'\nfunction = 'bump:bump'": lambda x: 1 / (1 + x**2),
}


@pytest.mark.parametrize(("table", "target"), TARGETS.items(), ids=lambda part: str(part)[:20])
def test_targets(read, table, target):
    energy = read(target=table).energy()
    assert energy.target_values == pytest.approx(target(energy.inputs), abs=2e-6)


def test_a_column_as_target(read):
    tables = {"data": "kind = 'file'\npath = 'points.csv'", "target": "kind = 'column'\nname = 'y'"}
    assert np.array_equal(read(**tables).energy().target_values, [2.0, 3.0])


@pytest.mark.parametrize("table", LAWS, ids=lambda table: table[:40])
def test_the_text_of_a_case_is_the_case(read, table):
    """Also after files were read: what was read is no part of the case."""
    case = read(
        initial=table,
        data="kind = 'file'\npath = 'points.csv'",
        target="kind = 'column'\nname = 'half'",
    )
    case.method.project(case.start(), case.space)
    assert parse(case.text(), "again", folder=case.folder) == case


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"initial": "kind = 'formula'\nexpression = 'theta'"}, "[initial] law 'density theta'"),
        ({"initial": "kind = 'formula'\nexpression = 'exp(y)'"}, "[initial] formula = 'exp(y)'"),
        ({"initial": "kind = 'table'\npath = 'no.csv'"}, "no.csv: cannot be read"),
        ({"initial": "kind = 'table'\npath = 'start.txt'"}, "expected a file .csv or .npz"),
        ({"initial": "kind = 'von_mises'"}, "[initial] law 'von Mises"),
        ({"initial": "kind = 'mixture'\nweights = [1]\nparts = []"}, "[initial] parts = ()"),
        ({"initial": "kind = 'own'"}, "[initial] kind = 'own': expected one of"),
        ({"data": "kind = 'samples'"}, "[data] kind = 'samples': expected one of"),
        ({"data": "kind = 'file'\npath = 'no.csv'"}, "no.csv: cannot be read"),
        ({"data": "kind = 'file'\npath = 'points.csv'\nx = ['z']"}, "there is no column 'z'"),
        ({"data": "kind = 'file'\npath = 'points.csv'\nx = ['x', 'y']"}, "data = 'file'"),
        ({"target": "kind = 'column'\nname = 'y'"}, "column 'y': expected data of samples"),
        ({"target": "kind = 'table'\npath = 'start.csv'"}, "there is no column 'x'"),
        ({"target": "kind = 'formula'\nexpression = '1/x'"}, "target is"),
        (
            {"target": "kind = 'teacher'\ncentres = [[1, 2]]\nmasses = [1]"},
            "centres = ((1.0, 2.0),)",
        ),
        ({"target": "kind = 'teacher'\ncentres = ['a']\nmasses = [1]"}, "[target] centres"),
    ],
    ids=lambda part: "" if isinstance(part, str) else next(iter(part.values()))[:40],
)
def test_what_does_not_fit_is_refused(read, tables, says):
    with pytest.raises(mf.InputError) as refused:
        read(**tables)
    sentence = str(refused.value)
    assert says in sentence
    assert "case.toml: " in sentence
    assert "\n" not in sentence
