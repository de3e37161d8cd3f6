"""The duality gap bounds E - min E, for every measure, loss and method."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meanfield_pde as mf
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.studies import law_problems, paper

LOSSES = {
    "squared": (mf.Squared(), mf.FormulaTarget("cos(x) + 0.4*sin(2*x) + 1")),
    "huber": (mf.Huber(0.3), mf.FormulaTarget("cos(x) + 0.4*sin(2*x) + 1")),
    "logistic": (mf.Logistic(), mf.FormulaTarget("sign(sin(x) + 0.2)")),
}


class Masses:
    """Point masses."""

    def __init__(self, values):
        self.values, self.weight = np.asarray(values, dtype=float), 1.0


def circle(loss, target):
    return mf.Energy(mf.VonMises(2.0), target, mf.UniformCircle(24), mf.Circle(), loss)


ENERGIES = {name: circle(*parts) for name, parts in LOSSES.items()}
LEAST = {name: mf.optimum(energy) for name, energy in ENERGIES.items()}
BOUNDS = {name: mf.Certificate().bound(energy, False) for name, energy in ENERGIES.items()}


@pytest.mark.parametrize("name", LOSSES)
@given(data=st.data())
def test_no_measure_is_nearer_than_its_gap_says(name, data):
    count = data.draw(st.integers(1, 5))
    numbers = st.floats(0.05, 1.0)
    masses = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)))
    places = data.draw(st.lists(st.floats(-3.0, 3.0), min_size=count, max_size=count))
    field = (
        ENERGIES[name].on(PointNodes(np.array(places)[:, None])).at(Masses(masses / masses.sum()))
    )
    assert field.energy >= LEAST[name].least - 1e-14
    assert field.energy - LEAST[name].energy <= BOUNDS[name].gap(field) + 1e-12


METHODS = [
    mf.FiniteVolumes(64),
    mf.Fourier(64),
    mf.Characteristics(32),
    mf.Particles(50, 0.02, 1),
    mf.Particles(50, 0.02, 1, "weights"),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.kind)
def test_every_method_records_a_gap_that_holds_and_falls(method):
    energy = ENERGIES["squared"]
    term = mf.BirthDeath(1.0, mf.Mean())
    start = method.project(mf.Uniform(), energy.space)
    solution = mf.solve(
        mf.Equation(energy, [mf.Transport(), term]),
        start,
        2.0,
        record=mf.EveryTime(0.5),
        certificate=mf.Certificate(),
    )
    assert np.all(solution.gap >= solution.energy - LEAST["squared"].energy - 1e-12)
    assert solution.gap[-1] < 0.5 * solution.gap[0]
    assert np.all(np.isfinite(solution.gap))


def test_without_a_certificate_there_is_no_gap():
    energy = ENERGIES["squared"]
    start = mf.Fourier(24).project(mf.Uniform(), energy.space)
    assert np.all(np.isnan(mf.solve(mf.Equation(energy, [mf.Transport()]), start, 0.01).gap))


def test_free_mass_needs_a_budget():
    """The gap is int V dmu - most min(min V, 0), infinite without one while V < 0 somewhere."""
    energy = law_problems.BUMPS
    start = mf.Characteristics(32).project(mf.Uniform(), energy.space)
    equation = mf.Equation(energy, [mf.BirthDeath(1.0, mf.Free())])
    gaps = {}
    for most in (None, 1.0, 3.0):
        certificate = mf.Certificate(mass=most)
        gaps[most] = mf.solve(equation, start, 0.5, certificate=certificate).gap
    assert np.all(np.isinf(gaps[None]))
    assert np.all(gaps[3.0] > gaps[1.0])
    field = start.landscape(energy).at(start)
    lowest = float(field.potential.min())
    assert gaps[3.0][0] == pytest.approx(field.integral - 3.0 * lowest, rel=1e-3)


def test_charges_are_bounded_by_what_is_said():
    """V = c v(y): over |c| <= C the gap is Vbar + C max |v|, over all c it is infinite."""
    energy = paper.energy(6.0)
    start = mf.Characteristics((24, 24)).project(paper.FULL_SUPPORT, energy.space)
    field = start.landscape(energy).at(start)
    gaps = {
        charge: mf.Certificate(charge=charge).bound(energy, False).gap(field)
        for charge in (2.0, 8.0, "unbounded")
    }
    assert math.isinf(gaps["unbounded"])
    # The nodes of mu reach further than 2, and V at them counts.
    largest = (gaps[8.0] - field.integral) / 8.0
    assert gaps[8.0] > gaps[2.0]
    y = np.linspace(-4.0, 4.0, 2001)
    v = field.potential_at(PointNodes(np.stack([y, np.ones_like(y)], axis=1)))
    assert largest == pytest.approx(float(np.abs(v).max()), rel=1e-5)


@pytest.mark.parametrize(
    ("values", "words"),
    [({"charge": -1.0}, "charge = -1.0"), ({"mass": 0.0}, "mass = 0.0"), ({"mass": "x"}, "mass")],
)
def test_a_certificate_that_makes_no_sense_is_refused(values, words):
    with pytest.raises(mf.InputError, match=words):
        mf.Certificate(**values)


@pytest.mark.parametrize(
    ("certificate", "words"),
    [(mf.Certificate(charge=1.0), "without charges"), (mf.Certificate(mass=1.0), "not free")],
)
def test_a_certificate_must_fit_the_problem(certificate, words):
    with pytest.raises(mf.InputError, match=words):
        certificate.bound(law_problems.BUMPS, False)


def test_the_lowest_of_many_nearly_equal_dips_is_found():
    """Wells of a fast wave under a slow one: the lowest node is not in the lowest well."""
    formula = mf.FormulaPotential("-cos(40*theta)*(1 + 0.003*cos(theta - 2))", 1)
    energy = mf.PotentialEnergy(formula, mf.Circle())
    theta = np.linspace(-math.pi, math.pi, 400001)
    lowest = float(np.min(formula.value((theta,))))
    assert mf.optimum(energy).energy <= lowest
    assert mf.optimum(energy).energy == pytest.approx(lowest, abs=1e-9)


def test_a_unit_that_is_infinite_where_no_mass_goes_has_no_gap():
    unit = mf.FormulaUnit("x/a", ("a",))
    energy = mf.Energy(
        unit, mf.FormulaTarget("x"), mf.UniformInterval(0.0, 1.0, 8), mf.Interval(-1.0, 1.0)
    )
    start = mf.Characteristics(16).project(mf.Uniform(0.5, 0.9), energy.space)
    equation = mf.Equation(energy, [mf.BirthDeath(1.0)])
    solution = mf.solve(equation, start, 0.1, certificate=mf.Certificate())
    assert np.all(np.isinf(solution.gap))


def test_units_between_the_places_of_the_scan_are_warned_of():
    narrow = mf.VonMises(1e6)
    data = mf.UniformCircle(64)
    energy = mf.Energy(narrow, mf.Teacher((0.1,), (1.0,)), data, mf.Circle())
    with pytest.warns(RuntimeWarning, match="512 places of theta"):
        mf.Certificate().bound(energy, False)
