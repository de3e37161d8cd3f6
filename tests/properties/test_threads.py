"""The same bits with one thread and with two, in every kernel that knows about threads."""

import numba
import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.cli import main
from meanfield_pde.errors import StepTooLong
from meanfield_pde.kernels import finite_volumes, reaction
from meanfield_pde.problem.energy import PotentialLandscape

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
        finite_volumes.stage(base, current, out, potential, weights, scales, periodic, limiter)
        results.append(out)
    assert np.array_equal(*results)


@pytest.mark.parametrize("size", [1, 999, reaction.PARALLEL_CELLS + 1, 40001])
def test_reaction(size, set_threads):
    values, potential = np.random.default_rng(0).random((2, size))
    results = []
    for threads in (1, 2):
        set_threads(threads)
        results.append(np.empty(size))
        reaction.reweight(values, potential, -0.7, 0.3, results[-1])
    assert np.array_equal(*results)


def test_steps_are_refused_alike(set_threads):
    """Whether a step breaks its bound, and what the bound is, must not depend on threads."""
    mu = mf.FiniteVolumes((182, 181)).project(mf.Uniform(), mf.Box((-1.0, -1.0), (1.0, 1.0)))
    landscape = PotentialLandscape(np.random.default_rng(1).random(mu.density.shape), (), ())
    limits = []
    for threads in (1, 2):
        set_threads(threads)
        with pytest.raises(StepTooLong) as refusal:
            mu.transported(landscape, lambda time: (1.0, 1.0), 0.0, 1.0)
        limits.append(refusal.value.limit)
    assert limits[0] == limits[1]


def test_a_whole_run(circle_case, set_threads):
    """In the plane, above both thresholds, with steps controlled by sums over all cells."""
    settings = [
        'unit={kind = "charged", base = {kind = "von_mises", kappa = 2.0}}',
        "space.kind=product",
        'space.factors=[{kind = "circle"}, {kind = "interval", lower = -5.0, upper = 5.0}]',
        "initial.kind=product",
        'initial.factors=[{kind = "uniform"}, {kind = "normal"}]',
        "method.cells=[192, 180]",
        "time.t_end=0.01",
        "output.record={kind = 'every', interval = 0.005}",
    ]
    words = [word for setting in settings for word in ("--set", setting)]
    runs = []
    for threads in (1, 2, 2):
        assert main(["run", str(circle_case), "--threads", str(threads), *words]) == 0
        runs.append(mf.read(circle_case.parent / "made" / "circle.h5"))
        assert runs[-1].attributes["threads"] == threads
    assert runs[0].steps[-1] >= 3
    thresholds = (finite_volumes.PARALLEL_CELLS, reaction.PARALLEL_CELLS)
    assert runs[0].measure[-1].size > max(thresholds)
    for other in runs[1:]:
        assert np.array_equal(runs[0].measure, other.measure)
        for name, values in runs[0].scalars.items():
            assert np.array_equal(values, other.scalars[name], equal_nan=True), name
