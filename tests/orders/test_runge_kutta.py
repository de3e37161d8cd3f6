"""The Runge-Kutta methods as data: convex, and of their orders where solutions are known."""

import numpy as np
import pytest
from convergence import assert_order

from meanfield_pde.representations.runge_kutta import SSP3, SSP4

METHODS = [SSP3, SSP4]

# rate(u, t), the solution from u = 1/2 at time 1, largest error of 80 steps by order 3 and by 4
EQUATIONS = {
    "linear": (lambda u, t: -1.5 * u, 0.5 * np.exp(-1.5), {3: 7e-8, 4: 1e-11}),
    "nonlinear": (lambda u, t: u - u**3, 1 / np.sqrt(1 + 3 * np.exp(-2.0)), {3: 8e-9, 4: 2e-11}),
    "of time": (lambda u, t: -3 * t**2 * u, 0.5 * np.exp(-1.0), {3: 3e-7, 4: 3e-10}),
    "both": (lambda u, t: u**2 * np.cos(t), 1 / (2 - np.sin(1.0)), {3: 2e-7, 4: 1e-11}),
}


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"ssp{m.order}")
@pytest.mark.parametrize("name", EQUATIONS)
def test_order(method, name):
    rate, exact, largest = EQUATIONS[name]
    errors, steps = [], (20, 40, 80)
    for number in steps:
        u, dt = np.array([0.5]), 1 / number
        for k in range(number):
            u = method.advance(u, k * dt, dt, lambda v, t, h: v + h * rate(v, t))
        errors.append(abs(u[0] - exact))
    order, bound = method.order, largest[method.order]
    assert_order([1 / n for n in steps], errors, order, 0.1, bound)


@pytest.mark.parametrize(("method", "coefficient"), [(SSP3, 1.0), (SSP4, 6.0)])
def test_stages_are_convex_combinations_of_short_euler_steps(method, coefficient):
    """Weights >= 0 of sum <= 1 (the start has the rest), and the length of the Euler steps."""
    for index, stage in enumerate(method.stages):
        weights = [stage.weight, *(weight for _, weight in stage.earlier)]
        assert all(weight > 0 for weight in weights)
        assert sum(weights) <= 1
        assert all(earlier < index for earlier, _ in stage.earlier)
    assert method.coefficient == coefficient
    assert max(stage.step for stage in method.stages) == 1 / coefficient


def test_times_of_the_stages():
    """As Shu & Osher (1988) and Ketcheson (2008) give them."""
    assert SSP3.times == pytest.approx((0, 1, 1 / 2))
    sixths = (0, 1, 2, 3, 4, 2, 3, 4, 5, 6)
    assert SSP4.times == pytest.approx([k / 6 for k in sixths])


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"ssp{m.order}")
def test_a_step_leaves_its_start_alone(method):
    start = np.array([0.3, 0.7])
    ended = method.advance(start, 0.0, 0.1, lambda u, t, h: u - h * u)
    assert start.tolist() == [0.3, 0.7]
    assert ended == pytest.approx(start * np.exp(-0.1), rel=1e-5)
