"""The clock of a run: parts of the work, and compilation apart."""

import time

import numba
import pytest

from meanfield_pde.timestepping.clock import clocked


def test_compilation_is_reported_apart():
    @numba.njit
    def inner(x):
        return x + 1.0

    @numba.njit
    def outer(x):
        return inner(x) ** 2

    seconds = {}
    start = time.perf_counter()
    with clocked("work", seconds):
        assert outer(1.0) == 4.0
        time.sleep(0.02)
    elapsed = time.perf_counter() - start
    assert set(seconds) == {"work", "compilation"}
    assert 0.02 <= seconds["work"] < 0.5 * elapsed
    assert sum(seconds.values()) == pytest.approx(elapsed, rel=0.05)
    with clocked("work", seconds):
        assert outer(2.0) == 9.0
    assert sum(seconds.values()) < elapsed + 0.02


def test_time_is_kept_when_the_work_fails():
    seconds = {"work": 1.0}
    with pytest.raises(ZeroDivisionError), clocked("work", seconds):
        _ = 1 / 0
    assert seconds["work"] > 1.0
