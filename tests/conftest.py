"""What the whole suite shares: one hypothesis profile, the thread count, a small case file."""

import numba
import pytest
from hypothesis import settings

settings.register_profile("suite", max_examples=20, deadline=None, derandomize=True)
settings.load_profile("suite")

CIRCLE = """\
title = "Three units on the circle"

[unit]
kind = "von_mises"
kappa = 2.0

[target]
kind = "teacher"
centres = [1.0, 2.5, -1.8]
masses = [0.5, 0.2, 0.3]

[data]
kind = "uniform_circle"
points = 32

[space]
kind = "circle"

[initial]
kind = "uniform"

[[terms]]
kind = "birth_death"
alpha = 5.0

[[terms]]
kind = "transport"

[method]
kind = "finite_volumes"
cells = 32

[time]
t_end = 0.5

[output]
folder = "made"
figures = []
"""


@pytest.fixture
def set_threads():
    """`numba.set_num_threads`, undone after the test."""
    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


@pytest.fixture
def circle_case(tmp_path):
    """The path of a case that runs in a moment, alone in its folder."""
    path = tmp_path / "circle.toml"
    path.write_text(CIRCLE)
    return path
