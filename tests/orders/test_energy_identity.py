"""dE/dt = - dissipation: the defect tends to zero as the square of the width and the step."""

import numpy as np
import pytest
from convergence import assert_order

import meanfield_pde as mf

ENERGY = mf.Energy(
    mf.VonMises(2.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(48), mf.Circle()
)
WELL = mf.PotentialEnergy(mf.DoubleWell(barrier=0.3, tilt=0.1), mf.Interval(-2.5, 2.5))


@pytest.mark.parametrize(
    ("energy", "law", "terms", "largest"),
    [
        (ENERGY, mf.Uniform(), [mf.Transport()], 8e-6),
        (ENERGY, mf.Uniform(), [mf.BirthDeath(3.0), mf.Transport()], 8e-6),
        (ENERGY, mf.Uniform(), [mf.BirthDeath(3.0, mf.Free()), mf.Transport()], 8e-6),
        (WELL, mf.Normal(0.4, 0.4), [mf.BirthDeath(3.0), mf.Transport()], 7e-5),
        (
            WELL,
            mf.Normal(0.4, 0.4),
            [mf.BirthDeath(3.0, mf.Reinjection(mf.Normal(-0.3, 0.4))), mf.Transport()],
            7e-5,
        ),
    ],
)
def test_defect_of_the_energy_identity(energy, law, terms, largest):
    cells, defects = (64, 128, 256), []
    for n in cells:
        mu = mf.FiniteVolumes(n).project(law, energy.space)
        equation = mf.Equation(energy, terms)
        rate = mu.face_rate(mu.landscape(energy).at(mu), (1.0,))
        solution = mf.solve(equation, mu, 0.5, step=mf.Fixed(0.3 / rate))
        defects.append(np.abs(solution.identity_defect).max())
        lost = solution.energy[0] - solution.energy[-1]
    assert lost > 100 * defects[-1]
    assert_order([1 / n for n in cells], defects, 2, 0.2, largest)
