"""The same bits with one thread and with two, in every kernel that knows about threads."""

import numba
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.kernels import finite_volumes, reaction

pytestmark = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread only"
)

SMALL = [(4, 5), (50, 51), (1, 20001)]
LARGE = [(181, 182), (17, 1931), (3, 10923), (32771, 4)]


@pytest.mark.parametrize("limiter", [finite_volumes.UPWIND, finite_volumes.VAN_LEER])
@pytest.mark.parametrize("periodic", [(a, b) for a in (False, True) for b in (False, True)])
@pytest.mark.parametrize("shape", [*SMALL, *LARGE])
def test_transport(shape, periodic, limiter, set_threads, monkeypatch):
    rng = np.random.default_rng(0)
    base, current, potential = rng.random(shape), rng.random(shape), rng.normal(size=shape)
    results = []
    for threads in (1, 2):
        set_threads(threads)
        if threads == 2 and shape in LARGE:  # nothing but the parallel kernel may be used
            monkeypatch.setattr(finite_volumes, "_stage_serial", None)
        out = np.empty(shape)
        weights, scales = (1.0, 2 / 3, 0.01), (0.7, 1.3)
        rate = finite_volumes.stage(
            base, current, out, potential, weights, scales, periodic, limiter
        )
        results.append((out, rate))
    (one, one_rate), (two, two_rate) = results
    assert np.array_equal(one, two)
    assert one_rate == two_rate


@pytest.mark.parametrize("size", [1, 999, reaction.PARALLEL_CELLS + 1, 40001])
def test_reaction(size, set_threads):
    values, potential = np.random.default_rng(0).random((2, size))
    results = []
    for threads in (1, 2):
        set_threads(threads)
        results.append(np.empty(size))
        reaction.reweight(values, potential, -0.7, 0.3, results[-1])
    assert np.array_equal(*results)


def test_a_whole_run(set_threads):
    """On a grid above both thresholds, steps controlled by sums over all cells."""
    energy = mf.Energy(
        mf.Charged(mf.VonMises(2.0)),
        mf.Teacher((1.0, -2.0), (1.0, -1.0)),
        mf.UniformCircle(24),
        mf.Product((mf.Circle(), mf.Interval(-4.0, 4.0))),
    )
    equation = mf.Equation(energy, [mf.BirthDeath(2.0), mf.Transport()])
    law = mf.ProductLaw((mf.Uniform(), mf.Normal(0.0, 0.8)))
    runs = []
    for threads in (1, 2, 2):
        set_threads(threads)
        mu = mf.FiniteVolumes((192, 180)).project(law, energy.space)
        runs.append(mf.solve(equation, mu, 0.02, record=mf.EveryTime(0.01)))
    for other in runs[1:]:
        assert np.array_equal(runs[0].measure, other.measure)
        for name, values in runs[0].scalars.items():
            assert np.array_equal(values, other.scalars[name]), name
