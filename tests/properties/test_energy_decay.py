"""Gradient flows never gain energy, whatever the target, with the steps the package chooses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meanfield_pde as mf


@st.composite
def energies(draw):
    """A few von Mises units of either sign, as sharp as the grids below can hold."""
    count = draw(st.integers(1, 4))
    centres = draw(st.tuples(*[st.floats(-3.1, 3.1)] * count))
    masses = draw(st.tuples(*[st.floats(0.05, 1.0) | st.floats(-0.5, -0.05)] * count))
    return mf.Energy(
        mf.VonMises(draw(st.floats(0.3, 8.0))),
        mf.Teacher(centres, masses),
        mf.UniformCircle(48),
        mf.Circle(),
    )


def energies_of_all_steps(equation, mu, t_end, splitting):
    """E after every step, the start included."""
    start = mu.landscape(equation.energy).at(mu).energy
    steps = [start]
    frames = mf.evolve(
        equation,
        mu,
        t_end,
        splitting=splitting,
        record=mf.AtTimes(()),
        save=mf.AtTimes(()),
        progress=lambda _, energy: steps.append(energy),
    )
    *_, last = frames
    assert len(steps) == last.scalars["steps"] + 1
    return np.array(steps)


@pytest.mark.parametrize(
    "splitting", [mf.Strang(), mf.Lie(), mf.Unsplit("ssp3"), mf.Unsplit("ssp4")], ids=str
)
@pytest.mark.parametrize("with_birth_death", [False, True])
@settings(max_examples=8)
@given(energy=energies(), alpha=st.floats(0.1, 50.0), uniform=st.booleans())
def test_energy_never_increases(energy, alpha, uniform, splitting, with_birth_death):
    birth_death = [mf.BirthDeath(alpha)] if with_birth_death else []
    equation = mf.Equation(energy, [*birth_death, mf.Transport()])
    law = mf.Uniform() if uniform else mf.Uniform(-1.0, 1.5)
    mu = mf.FiniteVolumes(32).project(law, energy.space)
    steps = energies_of_all_steps(equation, mu, 4.0, splitting)
    assert np.diff(steps).max() <= 1e-14 * energy.constant
    assert steps[-1] >= 0


@pytest.mark.parametrize("splitting", [mf.Strang(), mf.Unsplit("ssp4")], ids=str)
@pytest.mark.parametrize("with_birth_death", [False, True])
def test_energy_never_increases_for_charged_units(with_birth_death, splitting):
    energy = mf.Energy(
        mf.Charged(mf.Gaussian(0.5)),
        mf.Mixture((1 / 3, -2 / 3, 1 / 3), (-2.0, 0.0, 2.0), (0.5, 1.0, 0.5)),
        mf.Line(-10.0, 10.0, 81),
        mf.Box((-4.0, -6.0), (4.0, 6.0)),
    )
    birth_death = [mf.BirthDeath(5.0)] if with_birth_death else []
    equation = mf.Equation(energy, [*birth_death, mf.Transport()])
    law = mf.ProductLaw((mf.Uniform(-2.0, 2.0), mf.Normal()))
    mu = mf.FiniteVolumes((24, 24)).project(law, energy.space)
    steps = energies_of_all_steps(equation, mu, 10.0, splitting)
    assert np.diff(steps).max() <= 1e-14 * energy.constant
    assert steps[-1] < 0.2 * steps[0]
