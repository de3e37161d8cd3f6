"""The paper's experiment from full support: energies against reference values.

The reference comes from characteristics, five sets of nodes and steps agreeing to these digits.
"""

import numpy as np
import pytest

import meanfield_pde as mf

TIMES = (1.0, 2.0, 5.0, 10.0)
REFERENCE = {
    "gradient descent": (4.468774854e-2, 3.014063253e-2, 1.198728774e-2, 4.49248584e-3),
    "birth and death": (2.340736654e-2, 1.008729856e-2, 7.94892248e-4, 1.74348155e-4),
}
BORN = mf.ProductLaw((mf.Normal(), mf.Point(0.0)))


def run(cells, t_end, birth_death=None, y=None):
    """Run A on |y| <= 4, |c| <= 6; y uniform on [-2, 2] unless given."""
    energy = mf.Energy(
        mf.Charged(mf.Gaussian(0.5)),
        mf.Mixture((1 / 3, -2 / 3, 1 / 3), (-2.0, 0.0, 2.0), (0.5, 1.0, 0.5)),
        mf.Line(-10.0, 10.0, 81),
        mf.Box((-4.0, -6.0), (4.0, 6.0)),
    )
    terms = [*([birth_death] if birth_death else []), mf.Transport()]
    law = mf.ProductLaw((y or mf.Uniform(-2.0, 2.0), mf.Normal()))
    mu = mf.FiniteVolumes(cells).project(law, energy.space)
    times = mf.AtTimes(TIMES)
    return mf.solve(mf.Equation(energy, terms), mu, t_end, record=times, save=mf.AtTimes(()))


def errors(cells, kind, times):
    birth_death = mf.BirthDeath(5.0) if kind == "birth and death" else None
    solution = run(cells, times[-1], birth_death)
    return np.abs(solution.at("energy", times) - REFERENCE[kind][: len(times)])


@pytest.mark.parametrize("kind", REFERENCE)
def test_energies_on_a_coarse_grid(kind):
    """The jumps of the uniform law cost an order: halving the cells takes 2.5 off the error."""
    coarse, fine = errors((32, 32), kind, TIMES[:2]), errors((64, 64), kind, TIMES[:2])
    print(kind, coarse, fine)
    assert fine.max() < 6e-5
    assert fine.max() < coarse.max() / 2


def test_reinjection_is_the_mean_balance_here():
    """<V> <= 0 throughout, so nothing is ever reborn from elsewhere."""
    mean = run((48, 48), 2.0, mf.BirthDeath(5.0))
    reborn = run((48, 48), 2.0, mf.BirthDeath(5.0, mf.Reinjection(BORN)))
    assert np.all(mean.mean_potential < 1e-15)
    assert reborn.energy == pytest.approx(mean.energy, abs=1e-13)
    assert np.abs(reborn.measure - mean.measure).max() < 1e-13


@pytest.mark.long
@pytest.mark.parametrize("kind", REFERENCE)
def test_energies_on_a_fine_grid(kind):
    """At most 1e-5 on 256^2 up to t = 10, the accuracy the project promises: 10 s each."""
    error = errors((256, 256), kind, TIMES)
    print(kind, error)
    assert error.max() <= 1e-5
