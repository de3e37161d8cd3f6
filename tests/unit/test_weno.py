"""The fifth-order kernels: orders on exact averages, positivity, conservation, symmetries."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanfield_pde.kernels import averages, weno

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = 0.5 * (NODES + 1.0), 0.5 * WEIGHTS
PERIODIC = [(a, b) for a in (False, True) for b in (False, True)]


def inside(edges):
    """Gauss points of each cell, (cells, 8)."""
    return edges[:-1, None] + np.diff(edges)[:, None] * NODES


def cell_averages(function, *edges):
    """On the line or in the plane."""
    if len(edges) == 1:
        return function(inside(edges[0])) @ WEIGHTS
    x, y = (inside(e) for e in edges)
    values = function(x[:, None, :, None], y[None, :, None, :])
    return np.einsum("ijkl,k,l->ij", values, WEIGHTS, WEIGHTS)


def centres(edges):
    return 0.5 * (edges[1:] + edges[:-1])


def assert_order(errors, order, tolerance, largest):
    """Each halving of the width, and the error on the finest grid."""
    observed = np.log2(np.divide(errors[:-1], errors[1:]))
    assert observed == pytest.approx(order, abs=tolerance), errors
    assert errors[-1] <= largest, errors


def divergence(u, slopes0, slopes1, widths, periodic):
    """div(u grad V) as the scheme sees it."""
    out = np.empty_like(u)
    scales = tuple(1.0 / h for h in widths)
    weno.stage(u, u, out, slopes0, slopes1, (0.0, 0.0, 1.0), scales, periodic)
    return out


# density, V', mean error at 320 cells; each with one periodic axis of length 2 pi
LINES = {
    "contracting": (lambda x: np.exp(4 * np.cos(x) - 4), np.sin, 5e-9),
    "expanding": (lambda x: np.exp(4 * np.cos(x) - 4), lambda x: -np.sin(x), 5e-9),
    "passing": (lambda x: 1 + 0.5 * np.sin(x), lambda x: 2 + np.cos(x), 5e-11),
    "inflection": (lambda x: 1.01 + np.sin(x) ** 3, lambda x: -np.sin(x + 0.3), 5e-9),
    "faint": (lambda x: 1e-100 * (1.01 + np.sin(x) ** 3), lambda x: -np.sin(x + 0.3), 5e-109),
}


@pytest.mark.parametrize("name", LINES)
def test_divergence_on_a_line_is_of_fifth_order(name):
    """Also in the largest error, that of a critical point."""
    density, slope, largest = LINES[name]
    means, worst = [], []
    for n in (320, 640):
        edges = np.linspace(0, 2 * np.pi, n + 1)
        width = 2 * np.pi / n
        u = cell_averages(density, edges)[None]
        found = divergence(u, np.empty((0, n)), slope(edges)[None], (1.0, width), (False, True))
        error = np.abs(found - np.diff(density(edges) * slope(edges)) / width)
        means.append(error.mean())
        worst.append(error.max())
    assert_order(means, 5, 0.1, largest / 25)
    assert_order(worst, 5, 0.25, largest / 5)
    assert means[0] < largest


def plane(density, slope0, slope1, box, periodic, cells):
    """Edges, widths, averages, slopes at face centres and the exact divergence."""
    edges = [np.linspace(a, b, cells + 1) for a, b in box]
    widths = [(b - a) / cells for a, b in box]
    x, y = edges
    u = cell_averages(density, x, y)
    s0 = np.broadcast_to(slope0(x[:, None], centres(y)), (cells + 1, cells)).copy()
    s1 = np.broadcast_to(slope1(centres(x)[:, None], y), (cells, cells + 1)).copy()
    at0 = x[:, None, None], inside(y)
    at1 = inside(x)[:, None, :], y[:, None]
    flux0 = (density(*at0) * slope0(*at0)) @ WEIGHTS
    flux1 = (density(*at1) * slope1(*at1)) @ WEIGHTS
    if not periodic[0]:
        flux0[[0, -1]] = 0
    if not periodic[1]:
        flux1[:, [0, -1]] = 0
    exact = np.diff(flux0, axis=0) / widths[0] + np.diff(flux1, axis=1) / widths[1]
    return edges, widths, u, s0, s1, exact


def bump(x, y):
    return np.exp(-1.5 * x**2 - 2 * y**2 - x * y)


def wave(x, y):
    return 2 + np.sin(x + np.cos(y)) * np.cos(2 * y)


TORUS = ((-np.pi, np.pi), (-np.pi, np.pi))
# density, its gradient of V, box, periodic, mean error at 192^2
PLANES = {
    "torus": (
        wave,
        lambda x, y: np.cos(x - y) - np.sin(x + 0.3),
        lambda x, y: -np.cos(x - y),
        TORUS,
        (True, True),
        2.5e-7,
    ),
    "contracting": (
        bump,
        lambda x, y: x + 0.4 * y,
        lambda x, y: 0.4 * x + 0.6 * y,
        ((-4, 4), (-5, 5)),
        (False, False),
        6e-8,
    ),
    "expanding": (
        bump,
        lambda x, y: -x - 0.4 * y,
        lambda x, y: -0.4 * x - 0.6 * y,
        ((-4, 4), (-5, 5)),
        (False, False),
        9e-8,
    ),
    "even at walls": (
        lambda x, y: 2 + np.cos(x) * np.cos(2 * y),
        lambda x, y: np.sin(x) * (2 + np.sin(y)),
        lambda x, y: -np.cos(x) * np.cos(y),
        ((0, np.pi), (0, np.pi)),
        (False, False),
        8e-9,
    ),
}


@pytest.mark.parametrize("name", PLANES)
def test_divergence_in_the_plane_is_of_fourth_order(name):
    *problem, largest = PLANES[name]
    errors = []
    for n in (96, 192, 384):
        _, widths, u, s0, s1, exact = plane(*problem, n)
        errors.append(np.abs(divergence(u, s0, s1, widths, problem[-1]) - exact).mean())
    assert np.log2(errors[0] / errors[2]) / 2 > 3.95, errors
    assert np.log2(errors[1] / errors[2]) > 3.95, errors
    assert errors[1] < largest


def test_point_values_are_of_sixth_order_on_a_line_and_of_fourth_in_the_plane():
    line, square = [], []
    for n in (24, 48, 96):
        edges = np.linspace(0, 2 * np.pi, n + 1)
        u, out = cell_averages(np.cos, edges)[None] + 2, np.empty((1, n))
        averages.point_values(u, (False, True), out)
        line.append(np.abs(out - np.cos(centres(edges)) - 2).max())
    for n in (192, 384):
        (x, y), _, u, *_ = plane(*PLANES["torus"][:-1], n)
        out = np.empty_like(u)
        averages.point_values(u, (True, True), out)
        square.append(np.abs(out - wave(centres(x)[:, None], centres(y))).max())
    assert_order(line, 6, 0.1, 1.01 * 5 / 7168 * (2 * np.pi / 96) ** 6)  # the next term
    assert_order(square, 4, 0.1, 7e-10)


def test_products_with_a_smooth_factor_are_of_fourth_order():
    def factor(x, y):
        return np.sin(x + 2 * y)

    for name, largest in (("torus", 2e-7), ("contracting", 1e-7)):
        errors = []
        density, _, _, _, periodic, _ = PLANES[name]
        for n in (64, 128, 256):
            (x, y), _, u, *_ = plane(*PLANES[name][:-1], n)
            out = np.empty_like(u)
            averages.multiply(u, factor(centres(x)[:, None], centres(y)), periodic, out)
            exact = cell_averages(lambda x, y, f=density: factor(x, y) * f(x, y), x, y)
            errors.append(np.abs(out - exact).mean())
        assert_order(errors, 4, 0.1, largest)


def test_a_constant_factor_multiplies_exactly():
    u = np.random.default_rng(0).random((6, 9))
    out = np.empty_like(u)
    averages.multiply(u, np.full_like(u, 0.3), (True, False), out)
    assert np.array_equal(out, 0.3 * u)


def test_a_product_has_the_sum_of_the_product_of_point_values():
    """So that V less its mean, taken at the points, changes no mass; also next to walls."""
    rng = np.random.default_rng(4)
    u, factor = np.exp(3 * rng.normal(size=(6, 9))), rng.normal(size=(6, 9))
    for periodic in PERIODIC:
        points, out = np.empty_like(u), np.empty_like(u)
        averages.point_values(u, periodic, points)
        averages.multiply(u, factor, periodic, out)
        assert out.sum() == pytest.approx((factor * points).sum(), abs=1e-14 * u.sum())


def test_point_rates_are_the_derivatives_of_point_values():
    """Also where exchanges are held back, as next to a jump."""
    rng = np.random.default_rng(5)
    u, rates = np.exp(3 * rng.normal(size=(6, 9))), rng.normal(size=(6, 9))
    found, low, high = (np.empty_like(u) for _ in range(3))
    for periodic in PERIODIC:
        averages.point_rates(u, rates, periodic, found)
        averages.point_values(u - 1e-6 * rates, periodic, low)
        averages.point_values(u + 1e-6 * rates, periodic, high)
        assert (high - low) / 2e-6 == pytest.approx(found, abs=1e-7)
        assert found.sum() == pytest.approx(rates.sum(), abs=1e-13)


def test_a_stage_combines_what_its_weights_say():
    rng = np.random.default_rng(1)
    base, u, s0, s1 = (rng.random(s) for s in ((6, 8), (6, 8), (7, 8), (6, 9)))
    out = np.empty_like(u)
    scales, periodic = (0.7, 1.3), (True, False)
    rate = weno.stage(base, u, out, s0, s1, (0.9, 0.4, 0.05), scales, periodic)
    change = divergence(u, s0, s1, (1 / 0.7, 1 / 1.3), periodic)
    assert out == pytest.approx(0.9 * base + 0.4 * (u - base) + 0.05 * change, rel=1e-13)
    assert rate == weno.face_rate(s0, s1, scales, periodic)


def test_the_rate_of_a_uniform_flow_is_the_sum_of_its_velocities():
    slopes = np.full((6, 5), -2.0), np.full((5, 6), 3.0)
    assert weno.face_rate(*slopes, (0.5, 0.25), (True, True)) == pytest.approx(1.75, rel=1e-15)


@pytest.mark.parametrize("magnitude", [2.0**-800, 2.0**300])
def test_the_magnitude_of_a_density_does_not_matter(magnitude):
    rng = np.random.default_rng(2)
    u, s0, s1 = np.exp(rng.normal(size=(9, 9))), rng.normal(size=(10, 9)), rng.normal(size=(9, 10))
    plain = divergence(u, s0, s1, (1.0, 1.0), (True, False))
    scaled = divergence(magnitude * u, s0, s1, (1.0, 1.0), (True, False))
    assert np.array_equal(scaled, magnitude * plain)


def test_a_jump_is_carried_without_ringing():
    """Around the circle; the same five cells with fixed weights overshoot by a tenth."""
    start = np.repeat([0.0, 1.0, 0.0], [40, 60, 60])[None]
    slopes, nothing = np.full((1, 161), -1.0), np.empty((0, 160))
    u, first, second = start, np.empty_like(start), np.empty_like(start)
    for _ in range(400):
        weights = ((1.0, part, 0.4 * part) for part in (1.0, 0.25, 2 / 3))
        for source, out in ((u, first), (first, second), (second, first)):
            stage = source, out, nothing, slopes, next(weights)
            weno.stage(u, *stage, (0.0, 1.0), (False, True))
        u, first = first, np.empty_like(start)
    assert u.min() >= 0.0
    assert u.max() < 1.01
    assert np.abs(u - start).sum() < 3.5


def test_walls_take_no_part():
    """Whatever the slope there; and a slope that is not a number shows in the cells beside it."""
    rng = np.random.default_rng(3)
    u, s0, s1 = rng.random((9, 7)), rng.normal(size=(10, 7)), rng.normal(size=(9, 8))
    plain = divergence(u, s0, s1, (1.0, 1.0), (False, False))
    s0[[0, -1]], s1[:, [0, -1]] = np.nan, np.nan
    assert np.array_equal(divergence(u, s0, s1, (1.0, 1.0), (False, False)), plain)
    s1[4, 4] = np.nan
    spoiled = divergence(u, s0, s1, (1.0, 1.0), (False, False))
    assert np.isnan(spoiled[3:6, 3:5]).all()
    assert np.isnan(spoiled).sum() == 6


def rough(rng, shape, kind):
    """Densities that no scheme resolves."""
    u = np.exp({"mild": 0.1, "wild": 40.0}.get(kind, 1.0) * rng.normal(size=shape))
    if kind == "jumps":
        u *= np.where(rng.random(shape) < 0.5, 1e16, 1.0)
    if kind == "faint":
        u *= 1e-300
    if kind == "subnormal":
        u = 5e-324 * rng.integers(0, 9, size=shape)
    return np.where(rng.random(shape) < 0.3, 0.0, u)


@st.composite
def flows(draw):
    """A rough density with slopes, scales and periodic flags."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, n = draw(st.sampled_from([1, 4, 5, 11])), draw(st.integers(4, 12))
    kind = draw(st.sampled_from(["mild", "wild", "jumps", "faint", "subnormal"]))
    drift = draw(st.sampled_from([0.0, 3.0, -3.0]))
    slopes = drift + rng.normal(size=(rows + 1, n)), rng.normal(size=(rows, n + 1)) - drift
    scales = 10.0 ** rng.uniform(-3, 3, size=2)
    periodic = draw(st.sampled_from(PERIODIC))
    return rough(rng, (rows, n), kind), slopes, tuple(scales), periodic, rng


def assert_same_sum(one, other):
    assert one.sum() == pytest.approx(other.sum(), rel=1e-14, abs=1e-305)


@given(flows())
def test_steps_within_the_bound_stay_positive_and_keep_the_mass(flow):
    u, slopes, scales, periodic, _ = flow
    dt = 0.4999 / weno.face_rate(*slopes, scales, periodic)
    for _ in range(5):
        out = np.empty_like(u)
        weno.stage(u, u, out, *slopes, (1.0, 1.0, dt), scales, periodic)
        assert out.min() >= 0.0
        assert_same_sum(out, u)
        u = out


def test_steps_stay_positive_where_rounding_is_no_longer_relative():
    """Next to subnormal averages; one of two hundred such flows would go below zero."""
    rng = np.random.default_rng(0)
    for _ in range(1500):
        shape, periodic = (rng.choice([1, 4, 5]), rng.integers(4, 12)), PERIODIC[rng.integers(4)]
        u = 1e-310 * np.exp(20 * rng.normal(size=shape))
        rows, n = shape
        slopes = rng.normal(size=(rows + 1, n)), rng.normal(size=(rows, n + 1))
        scales = tuple(10.0 ** rng.uniform(-3, 3, size=2))
        dt = 0.4999 / weno.face_rate(*slopes, scales, periodic)
        for _ in range(3):
            out = np.empty_like(u)
            weno.stage(u, u, out, *slopes, (1.0, 1.0, dt), scales, periodic)
            assert out.min() >= 0.0
            u = out


@given(flows())
def test_point_values_are_positive_with_the_sum_of_the_averages(flow):
    u, _, _, periodic, _ = flow
    points = np.empty_like(u)
    averages.point_values(u, periodic, points)
    slack = 1e-12 * u + 1e-322
    assert (points >= u / 2 - slack).all()
    assert (points <= 1.5 * u + slack).all()
    assert_same_sum(points, u)


@given(flows())
def test_products_are_means_of_the_factor(flow):
    u, _, _, periodic, rng = flow
    out = np.empty_like(u)
    for factor in (np.exp(30 * rng.normal(size=u.shape)), rng.normal(size=u.shape)):
        averages.multiply(u, factor, periodic, out)
        slack = 1e-12 * np.abs(factor).max() * (u + 1e-300)
        assert (out >= factor.min() * u - slack).all()
        assert (out <= factor.max() * u + slack).all()
    averages.multiply(u, np.exp(30 * rng.normal(size=u.shape)), periodic, out)
    assert out.min() >= 0.0


def everything(u, s0, s1, factor, periodic, scales=(0.7, 1.3)):
    """What the three kernels make of random fields."""
    out, points, product = (np.empty_like(u) for _ in range(3))
    arrays = [np.ascontiguousarray(a) for a in (u, s0, s1, factor)]
    weno.stage(arrays[0], arrays[0], out, *arrays[1:3], (1.0, 1.0, 0.03), scales, periodic)
    averages.point_values(arrays[0], periodic, points)
    averages.multiply(arrays[0], arrays[3], periodic, product)
    return np.array([out, points, product])


def fields(seed, shape):
    rng = np.random.default_rng(seed)
    rows, n = shape
    sizes = (shape, (rows + 1, n), (rows, n + 1), shape)
    u, s0, s1, factor = (rng.normal(size=size) for size in sizes)
    s0[-1], s1[:, -1] = s0[0], s1[:, 0]
    return np.exp(u), s0, s1, factor


shapes = st.tuples(st.integers(4, 11), st.integers(4, 11))
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("periodic", PERIODIC)
@given(shape=shapes, seed=seeds)
def test_reflected_and_transposed_fields_give_the_same_bits(periodic, shape, seed):
    u, s0, s1, factor = fields(seed, shape)
    plain = everything(u, s0, s1, factor, periodic)
    down = everything(u[::-1], -s0[::-1], s1[::-1], factor[::-1], periodic)
    assert np.array_equal(down, plain[:, ::-1])
    right = everything(u[:, ::-1], s0[:, ::-1], -s1[:, ::-1], factor[:, ::-1], periodic)
    assert np.array_equal(right, plain[:, :, ::-1])
    turned = everything(
        *(np.ascontiguousarray(a.T) for a in (u, s1, s0, factor)), periodic[::-1], (1.3, 0.7)
    )
    assert np.array_equal(turned, np.swapaxes(plain, 1, 2))


@given(shape=shapes, seed=seeds, shift=st.integers(1, 10))
def test_shifted_fields_give_shifted_bits_on_a_torus(shape, seed, shift):
    u, s0, s1, factor = fields(seed, shape)
    plain = everything(u, s0, s1, factor, (True, True))
    rolled = np.roll(s0[:-1], shift, 0)
    moved = everything(
        np.roll(u, shift, 0),
        np.concatenate([rolled, rolled[:1]]),
        np.roll(s1, shift, 0),
        np.roll(factor, shift, 0),
        (True, True),
    )
    assert np.array_equal(moved, np.roll(plain, shift, 1))


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="there is one thread only")
@pytest.mark.parametrize("periodic", PERIODIC)
@pytest.mark.parametrize("shape", [(181, 182), (17, 1931), (4, 8193), (9001, 4)])
def test_one_thread_and_two_give_the_same_bits(shape, periodic, set_threads, monkeypatch):
    arguments = fields(0, shape)
    results = []
    for threads in (1, 2):
        set_threads(threads)
        if threads == 2:  # nothing but the parallel kernels may be used
            serial = {weno: ["stage"], averages: ["point_rates", "multiply"]}
            for module, name in ((m, f"_{name}_serial") for m in serial for name in serial[m]):
                monkeypatch.setattr(module, name, None)
        results.append(everything(*arguments, periodic))
    assert np.array_equal(*results)
