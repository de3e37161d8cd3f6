"""Forward differentiation: partial derivatives against differences, kinks, shapes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from meanfield_pde.errors import InputError
from meanfield_pde.problem.forward import EXTREMES, FLAT, FUNCTIONS, PARTIALS, Dual, derivatives

# where a function is smooth: intervals of its arguments, one row a domain; (-2, 2) where not listed
DOMAINS = {
    np.divide: [((-2, 2), (0.4, 3)), ((-2, 2), (-3, -0.4))],
    np.remainder: [
        ((2.1, 2.4), (0.95, 1.02)),
        ((-2.4, -2.1), (0.95, 1.02)),
        ((2.1, 2.4), (-4, -3)),
    ],
    np.power: [((0.3, 3), (-2, 2.5))],
    np.float_power: [((0.3, 3), (-2, 2.5))],
    np.sqrt: [((0.3, 3),)],
    np.cbrt: [((0.3, 3),), ((-3, -0.3),)],
    np.reciprocal: [((0.4, 3),), ((-3, -0.4),)],
    np.absolute: [((0.3, 3),), ((-3, -0.3),)],
    np.fabs: [((0.3, 3),), ((-3, -0.3),)],
    np.hypot: [((0.3, 3), (-2, 2)), ((-2, 2), (-3, -0.3))],
    np.log: [((0.3, 3),)],
    np.log2: [((0.3, 3),)],
    np.log10: [((0.3, 3),)],
    np.log1p: [((-0.6, 3),)],
    np.tan: [((-1.1, 1.1),), ((2.1, 4.2),)],
    np.arcsin: [((-0.8, 0.8),)],
    np.arccos: [((-0.8, 0.8),)],
    np.arctan2: [((0.3, 3), (-2, 2)), ((-3, -0.3), (-2, 2)), ((-2, 2), (0.3, 3))],
    np.arccosh: [((1.3, 4),)],
    np.arctanh: [((-0.8, 0.8),)],
    special.i0e: [((0.3, 3),), ((-3, -0.3),)],
}
CASES = [
    (function, domain)
    for function in PARTIALS
    for domain in DOMAINS.get(function, [((-2, 2),) * function.nin])
]
H = 1e-3
U = np.linspace(-1.9, 1.8, 13)
V = np.linspace(0.4, 2.2, 13)


def difference(function, arguments, k, h=H):
    """A central difference of fourth order in argument k."""

    def at(step):
        return function(*(a + step * (i == k) for i, a in enumerate(arguments)))

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def places(function, domain, count=23):
    """Arguments in a domain, those of several arguments not in step."""
    rng = np.random.default_rng(function.nin)
    lines = (np.linspace(low, high, count) for low, high in domain)
    return [rng.permutation(line) for line in lines]


def name(value):
    return value.__name__ if isinstance(value, np.ufunc) else None


def slope_at(function, *point):
    """The derivative in the first argument at one point."""
    (slope,) = derivatives(function, [np.array([float(p)]) for p in point], [0])
    return slope[0]


def test_tables_are_apart_and_their_domains_known():
    assert not set(PARTIALS) & set(EXTREMES)
    assert not FLAT & (set(PARTIALS) | set(EXTREMES))
    assert set(DOMAINS) <= set(PARTIALS)
    assert all(len(partials) == function.nin for function, partials in PARTIALS.items())


@pytest.mark.parametrize(("function", "domain"), CASES, ids=name)
def test_partial_derivatives_against_differences(function, domain):
    arguments = places(function, domain)
    slopes = derivatives(function, arguments, range(function.nin))
    for k, slope in enumerate(slopes):
        expected = difference(function, arguments, k)
        assert slope == pytest.approx(expected, rel=1e-8, abs=1e-9)
        assert derivatives(function, arguments, [k])[0] == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize(("function", "domain"), CASES, ids=name)
def test_the_chain_rule_through_every_argument(function, domain):
    """All arguments depend on the same two variables."""
    middles = [0.5 * (low + high) for low, high in domain]
    radii = [0.4 * (high - low) for low, high in domain]

    def chained(x, y):
        waves = [np.sin((k + 1) * x * y) for k in range(function.nin)]
        return function(*(m + r * w for m, r, w in zip(middles, radii, waves, strict=True)))

    point = [np.linspace(0.2, 1.4, 11), np.linspace(-1.1, 0.9, 11)]
    slopes = derivatives(chained, point, [0, 1])
    for k, slope in enumerate(slopes):
        expected = difference(chained, point, k)
        assert slope == pytest.approx(expected, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("function", EXTREMES, ids=name)
def test_extremes_take_the_slope_of_the_argument_chosen(function):
    u, v = U, U[::-1] + 0.05
    du, dv = derivatives(function, [u, v], [0, 1])
    chosen = function(u, v) == u
    assert du == pytest.approx(np.where(chosen, 1.0, 0.0))
    assert dv == pytest.approx(np.where(chosen, 0.0, 1.0))
    for order in (lambda x: function(0.3, 2 * x), lambda x: function(2 * x, 0.3)):
        assert derivatives(order, [u], [0])[0] == pytest.approx(difference(order, [u], 0))


def relu(x):
    return np.maximum(x, 0)


# a function, a point and the slope there
KINKS = [
    (relu, 0, 0),
    (relu, -0.0, 0),
    (relu, 1e-300, 1),
    (relu, -1e-300, 0),
    (lambda x: np.maximum(0, x), 0, 0),
    (lambda x: np.minimum(x, 0), 0, 0),
    (lambda x: np.maximum(-x, 0), 0, 0),
    (np.abs, 0, 0),
    (np.fabs, 0, 0),
    (abs, 0, 0),
    (lambda x: np.maximum(x, -x), 0, 0),
    (lambda x: np.maximum(-x, x), 0, 0),
    (lambda x: np.minimum(x, -x), 0, 0),
    (lambda x: np.fmax(x, -x), 0, 0),
    (lambda x: np.fmin(-x, x), 0, 0),
    (lambda x: np.maximum(2 * x, 5 * x), 0, 2),
    (lambda x: np.maximum(5 * x, 2 * x), 0, 2),
    (lambda x: np.minimum(2 * x, 5 * x), 0, 2),
    (lambda x: np.maximum(-2 * x, -5 * x), 0, -2),
    (lambda x: np.minimum(-5 * x, -2 * x), 0, -2),
    (lambda x: np.maximum(x, x), 0, 1),
    (lambda x: np.maximum(x, x), 3, 1),
    (lambda x: np.minimum(-3 * x, -3 * x), 2, -3),
    (lambda x: np.maximum(x**2, 2 * x - 1), 1, 2),
    (lambda x: np.clip(x, -1, 1), 1, 0),
    (lambda x: np.clip(x, -1, 1), -1, 0),
    (lambda x: np.hypot(x, 0.0), 0, 0),
    (lambda x: np.hypot(x, x), 0, 0),
    (lambda x: np.hypot(x, 0.0), -2, -1),
    (np.sqrt, 0, np.inf),
    (np.cbrt, 0, np.inf),
    (np.log, 0, np.inf),
    (np.sqrt, -1, np.nan),
    (lambda x: np.sqrt(x) ** 2, -1, np.nan),
]


@pytest.mark.parametrize(("function", "point", "slope"), KINKS)
def test_slopes_at_kinks_and_singular_points(function, point, slope):
    assert slope_at(function, point) == pytest.approx(slope, nan_ok=True)


@pytest.mark.parametrize("function", EXTREMES, ids=name)
def test_ties_in_either_order(function):
    u = np.zeros(3)
    for slopes in ((2.0, 5.0), (-2.0, -5.0), (-1.0, 3.0), (4.0, 4.0)):
        flattest = min(slopes, key=abs) if slopes[0] * slopes[1] > 0 else 0.0
        for a, b in (slopes, slopes[::-1]):
            (slope,) = derivatives(lambda x, a=a, b=b: function(a * x, b * x), [u], [0])
            assert slope == pytest.approx(np.full(3, flattest))


@pytest.mark.parametrize("function", sorted(FLAT, key=name), ids=name)
def test_flat_functions(function):
    arguments = [U, V][: function.nin]
    assert all(np.all(s == 0.0) for s in derivatives(function, arguments, range(function.nin)))
    seen = []

    def smooth(*duals):
        seen.append(function(*duals))
        return np.sin(duals[0]) * seen[0]

    (slope,) = derivatives(smooth, arguments, [0])
    assert type(seen[0]) is np.ndarray
    assert np.array_equal(seen[0], function(*arguments))
    assert slope == pytest.approx(np.cos(U) * function(*arguments))


def test_in_place_flat_function_forgets_the_slope():
    def floored(u):
        u //= 0.5
        return u + 0.0

    assert np.array_equal(derivatives(floored, [U], [0])[0], np.zeros_like(U))


# base, exponent, slope in the base, slope in the exponent
POWERS = [
    (-2.0, 3.0, 12.0, None),
    (-2.0, 2.0, -4.0, None),
    (-2.0, -1.0, -0.25, None),
    (-2.0, 0.0, 0.0, None),
    (0.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 1.0, 0.0),
    (0.0, 2.0, 0.0, 0.0),
    (0.0, 3.5, 0.0, 0.0),
    (0.0, 0.5, np.inf, 0.0),
    (3.0, 2.0, 6.0, 9.0 * math.log(3.0)),
    (2.0, -1.5, -1.5 * 2.0**-2.5, 2.0**-1.5 * math.log(2.0)),
]


@pytest.mark.parametrize(("base", "exponent", "in_base", "in_exponent"), POWERS)
@pytest.mark.parametrize("power", [np.power, np.float_power, lambda a, b: a**b])
def test_powers(power, base, exponent, in_base, in_exponent):
    a, b = np.array([base, 1.5]), np.array([exponent, 2.0])
    (slope,) = derivatives(power, [a, b], [0])
    assert slope == pytest.approx([in_base, 3.0], rel=1e-14)
    assert slope_at(lambda x: power(x, exponent), base) == pytest.approx(in_base, rel=1e-14)
    if in_exponent is not None:
        (slope,) = derivatives(power, [a, b], [1])
        assert slope == pytest.approx([in_exponent, 2.25 * math.log(1.5)], rel=1e-14)
        reversed_slope = slope_at(lambda x: power(base, x), exponent)
        assert reversed_slope == pytest.approx(in_exponent, rel=1e-14)


def test_integer_exponents_of_either_type_and_a_variable_in_both():
    for exponent in (2, 2.0, np.int64(2), np.array(2), np.full(U.shape, 2)):
        (slope,) = derivatives(lambda x, n=exponent: x**n, [U], [0])
        assert slope == pytest.approx(2 * U, rel=1e-15)
    (slope,) = derivatives(lambda x: x**x, [V], [0])
    assert slope == pytest.approx(V**V * (1 + np.log(V)), rel=1e-13)


def test_the_angle_and_the_distance():
    assert slope_at(np.arctan2, 0.0, 1.0) == 1.0
    assert slope_at(np.arctan2, 0.0, -1.0) == -1.0
    assert slope_at(lambda x: np.arctan2(1.0, x), 0.0) == -1.0
    assert slope_at(lambda x: np.arctan2(-1.0, x), 0.0) == 1.0
    t = np.linspace(-3.0, 3.0, 13)
    (slope,) = derivatives(lambda x: np.arctan2(np.sin(x), np.cos(x)), [t], [0])
    assert slope == pytest.approx(np.ones(13))
    slopes = derivatives(np.hypot, [np.array([0.0, 3.0]), np.array([0.0, -4.0])], [0, 1])
    assert np.array_equal(slopes, [[0.0, 0.6], [0.0, -0.8]])


def test_where_takes_the_slope_of_its_branch():
    def f(x, y):
        return np.where(x < y, x * y, np.sin(x))

    slopes = derivatives(f, [U, V], [0, 1])
    assert slopes[0] == pytest.approx(np.where(U < V, V, np.cos(U)))
    assert slopes[1] == pytest.approx(np.where(U < V, U, 0.0))
    (slope,) = derivatives(lambda x: np.where(x, 2 * x, 5.0), [np.array([0.0, 1.0])], [0])
    assert np.array_equal(slope, [0.0, 2.0])
    (slope,) = derivatives(lambda x: np.where(U > 0, 1.0, x), [np.array(3.0)], [0])
    assert np.array_equal(slope, np.where(U > 0, 0.0, 1.0))
    (slope,) = derivatives(lambda x: np.where(x > 0, 1.0, 2.0), [U], [0])
    assert np.array_equal(slope, np.zeros_like(U))


def test_no_nan_from_the_branch_not_taken():
    u = np.array([-1.0, 0.0, 1.0])
    for other in (np.log, np.sqrt, lambda x: 1 / x, lambda x: np.exp(1000 * (1 - x)) * np.log(x)):
        (slope,) = derivatives(lambda x, g=other: np.where(x > 0.5, x**2, 0 * x), [u], [0])
        assert np.array_equal(slope, [0.0, 0.0, 2.0])
        (slope,) = derivatives(lambda x, g=other: np.where(x > 0.5, x**2, g(2 - x)), [u + 3], [0])
        assert np.array_equal(slope, 2 * (u + 3))
        (slope,) = derivatives(lambda x, g=other: np.where(x <= 0.5, x, g(x)), [u], [0])
        assert np.array_equal(slope[:2], [1.0, 1.0])


def test_clip_with_one_bound_or_two():
    for low, high in ((-1.0, 0.5), (None, 0.5), (-1.0, None)):
        (slope,) = derivatives(lambda x, a=low, b=high: np.clip(x, a, b) * x, [U], [0])
        inside = np.clip(U, low, high) == U
        assert slope == pytest.approx(np.where(inside, 2 * U, np.clip(U, low, high)))
    slopes = derivatives(
        np.clip, [np.array([-2.0, 0.0, 2.0]), np.array(-1.0), np.array(1.0)], [0, 2]
    )
    assert np.array_equal(slopes, [[0, 1, 0], [0, 0, 1]])


def test_likes_are_plain():
    assert set(FUNCTIONS) == {np.where, np.clip, np.zeros_like, np.ones_like}
    (slope,) = derivatives(lambda x: np.ones_like(x) * x + np.zeros_like(x), [U], [0])
    assert np.array_equal(slope, np.ones_like(U))
    assert np.array_equal(derivatives(np.ones_like, [U], [0])[0], np.zeros_like(U))


# operators between a dual and a number or array, in both orders, and their slope
OPERATORS = [
    (lambda u, c: u + c, lambda u, c: 1 + 0 * u),
    (lambda u, c: c + u, lambda u, c: 1 + 0 * u),
    (lambda u, c: u - c, lambda u, c: 1 + 0 * u),
    (lambda u, c: c - u, lambda u, c: -1 + 0 * u),
    (lambda u, c: u * c, lambda u, c: c + 0 * u),
    (lambda u, c: c * u, lambda u, c: c + 0 * u),
    (lambda u, c: u / c, lambda u, c: 1 / c + 0 * u),
    (lambda u, c: c / u, lambda u, c: -c / u**2),
    (lambda u, c: u**c, lambda u, c: c * u ** (c - 1.0)),
    (lambda u, c: c**u, lambda u, c: np.log(c) * c**u),
    (lambda u, c: u % c, lambda u, c: 1 + 0 * u),
    (lambda u, c: c % u, lambda u, c: -np.floor(c / u)),
    (lambda u, c: u // c, lambda u, c: 0 * u),
    (lambda u, c: c // u, lambda u, c: 0 * u),
    (lambda u, c: -u * +u, lambda u, c: -2 * u),
    (lambda u, c: abs(u - c), lambda u, c: np.sign(u - c)),
    (lambda u, c: (u < c) * u + (u >= c) * 2 * u, lambda u, c: np.where(u < c, 1, 2) + 0 * u),
    (lambda u, c: (c > u) * u + (c <= u) * 2 * u, lambda u, c: np.where(u < c, 1, 2) + 0 * u),
    (lambda u, c: (u == c) * u + (u != c) * 2 * u, lambda u, c: 2 + 0 * u),
]


@pytest.mark.parametrize(("function", "slope"), OPERATORS)
def test_operators_in_both_orders(function, slope):
    u = V
    constants = (1.3, 3, np.float64(1.3), np.array(1.3), np.linspace(1.25, 3.05, V.size))
    for c in constants:
        (found,) = derivatives(lambda x, c=c: function(x, c), [u], [0])
        assert found == pytest.approx(slope(u, c), rel=1e-13)
        assert found.shape == u.shape


def test_operators_in_place():
    def f(x, y):
        z = x * 1.0
        z += y
        z *= x
        z -= 0.5
        z /= y
        z **= 2
        return z

    def plain(x, y):
        return (((x + y) * x - 0.5) / y) ** 2

    found = derivatives(f, [U, V], [0, 1])
    expected = derivatives(plain, [U, V], [0, 1])
    for k in (0, 1):
        assert found[k] == pytest.approx(expected[k], rel=1e-14)
        assert found[k] == pytest.approx(difference(plain, [U, V], k), rel=1e-8, abs=1e-9)


def test_in_place_operators_leave_other_names_alone():
    """z = x; z += 1 changes x too, as with arrays, but not the caller's array."""

    def f(x):
        y = x + 0.0
        x += x
        return x * y

    given = U.copy()
    (slope,) = derivatives(f, [given], [0])
    assert slope == pytest.approx(4 * U)
    assert np.array_equal(given, U)


def test_indexing():
    x, y = np.linspace(0.1, 1.0, 4), np.linspace(-1.0, 1.0, 3)

    def outer(u, v):
        return u[:, None] * np.sin(v[None, :])

    slopes = derivatives(outer, [x, y], [0, 1])
    assert slopes[0] == pytest.approx(np.sin(y) * np.ones((4, 1)))
    assert slopes[1] == pytest.approx(x[:, None] * np.cos(y))
    (slope,) = derivatives(lambda u: u[..., 1:] * u[..., :-1], [np.arange(6.0).reshape(2, 3)], [0])
    assert np.array_equal(slope, [[1, 3], [7, 9]])
    (slope,) = derivatives(lambda u: (u**2)[::-1], [x], [0])
    assert slope == pytest.approx(2 * x[::-1])
    (slope,) = derivatives(lambda u: u[2], [x], [0])
    assert slope.shape == ()
    assert slope == 1.0


# shapes of two arguments
SHAPES = [
    ((), ()),
    ((3,), ()),
    ((1,), (3,)),
    ((4, 1), (1, 3)),
    ((1, 3), (4, 1)),
    ((3,), (4, 1)),
    ((2, 4, 1), (3,)),
    ((0,), ()),
    ((0, 1), (1, 3)),
]
# functions of two arguments, and their slopes
OF_TWO = [
    (lambda u, v: u * v, lambda u, v: (v, u)),
    (lambda u, v: u + v, lambda u, v: (1.0, 1.0)),
    (lambda u, v: u - np.exp(v), lambda u, v: (1.0, -np.exp(v))),
    (lambda u, v: np.maximum(u, v), lambda u, v: (u > v, v > u)),
    (lambda u, v: np.where(u > v, u * u, v), lambda u, v: (2 * u * (u > v), u <= v)),
    (lambda u, v: (u + v) * u, lambda u, v: (2 * u + v, u)),
    (lambda u, v: 0 * u + 0 * v + 3.0, lambda u, v: (0.0, 0.0)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize(("function", "slopes"), OF_TWO)
def test_broadcasting_and_shapes(shapes, function, slopes):
    rng = np.random.default_rng(3)
    u, v = (rng.normal(size=shape) for shape in shapes)
    shape = np.broadcast_shapes(*shapes)
    found = derivatives(function, [u, v], [0, 1])
    for slope, expected in zip(found, slopes(u, v), strict=True):
        assert slope.shape == shape
        assert slope.dtype == np.float64
        assert slope == pytest.approx(np.broadcast_to(expected, shape).astype(float))
        assert slope.flags.c_contiguous
        assert slope.flags.writeable


def test_constants_and_arguments_themselves():
    zero, one = np.zeros_like(U), np.ones_like(U)
    assert np.array_equal(derivatives(lambda x: x, [U], [0])[0], one)
    assert derivatives(lambda x: 3.0, [U], [0])[0].shape == ()
    assert np.array_equal(derivatives(lambda x: V, [U], [0])[0], zero)
    assert np.array_equal(derivatives(lambda x, y: y, [U, V], [0])[0], zero)
    slopes = derivatives(lambda x, y: x * y, [U, V], [1, 0, 1])
    assert [s.tolist() for s in slopes] == [U.tolist(), V.tolist(), U.tolist()]
    assert derivatives(lambda x, y: x * y, [U, V], []) == ()
    whole = np.arange(1, 4)
    assert derivatives(lambda x: 1 / x, [whole], [0])[0] == pytest.approx(-1 / whole**2)
    assert derivatives(lambda x: x**-1, [[1, 2]], [0])[0] == pytest.approx([-1.0, -0.25])


@pytest.mark.parametrize("function", [f for f, _ in OF_TWO])
def test_results_share_no_memory_with_the_arguments(function):
    u, v = np.linspace(-1.0, 1.0, 9), np.linspace(2.0, -1.5, 9)
    before = u.copy(), v.copy()
    u.flags.writeable = v.flags.writeable = False
    slopes = derivatives(function, [u, v], [0, 1])
    assert not any(np.shares_memory(slope, given) for slope in slopes for given in (u, v))
    assert not np.shares_memory(*slopes)
    for slope in slopes:
        slope += 1.0
    assert np.array_equal(u, before[0])
    assert np.array_equal(v, before[1])


def test_attributes_of_duals():
    dual = Dual(np.zeros((2, 3)), {0: np.ones(())})
    assert (dual.shape, dual.ndim, dual.size) == ((2, 3), 2, 6)
    (slope,) = derivatives(lambda x: x * x.size + x.ndim, [U], [0])
    assert slope == pytest.approx(np.full(U.shape, U.size))


def test_no_warning_is_raised_and_the_state_is_as_before():
    before = np.geterr()
    (slope,) = derivatives(lambda x: np.log(x) + 1 / x + np.exp(1e4 * x), [np.zeros(2)], [0])
    assert not np.any(np.isfinite(slope))
    assert np.geterr() == before


def own_if(x):
    if x:
        return x
    return -x


def set_item(x):
    x[0] = 1.0
    return x


def add_to_plain(x):
    total = np.zeros(U.shape)
    total += x
    return total


# a function that is refused, and what the sentence must mention
REFUSED = [
    (np.sum, "numpy.sum"),
    (np.mean, "numpy.mean"),
    (np.cumsum, "numpy.cumsum"),
    (np.dot, "dot"),
    (np.prod, "numpy.prod"),
    (np.stack, "stack"),
    (np.sort, "numpy.sort"),
    (lambda x: np.reshape(x, (13, 1)), "numpy.reshape"),
    (np.linalg.norm, "numpy.linalg.norm"),
    (np.linalg.inv, "numpy.linalg.inv"),
    (np.fft.fft, "numpy.fft.fft"),
    (np.interp, "interp"),
    (lambda x: x @ x, "matmul"),
    (lambda x: np.ones(13) @ x, "matmul"),
    (lambda x: np.matmul(x, x), "matmul"),
    (np.add.reduce, "add.reduce"),
    (lambda x: np.multiply.outer(x, x), "multiply.outer"),
    (lambda x: np.add.at(x, [0], 1.0), "add.at"),
    (np.modf, "modf"),
    (divmod, ""),
    (lambda x: divmod(x, 2), "divmod"),
    (lambda x: x & 1, "bitwise_and"),
    (lambda x: ~x, "invert"),
    (lambda x: np.nextafter(x, 1.0), "nextafter"),
    (special.gamma, "gamma"),
    (lambda x: np.exp(x, where=U > 0), "exp"),
    (lambda x: np.exp(x, dtype=np.float32), "exp"),
    (lambda x: np.exp(x, out=np.empty(13)), "exp"),
    (add_to_plain, "add"),
    (own_if, "truth value"),
    (lambda x: x and x, "truth value"),
    (lambda x: not x, "truth value"),
    (lambda x: -x if x else x, "truth value"),
    (np.asarray, "plain array"),
    (lambda x: np.array([x, x]), "plain array"),
    (np.where, "argument"),
    (lambda x: np.clip(x, 0, 1, out=x), "out"),
    (float, "float"),
    (math.exp, "exp"),
    (lambda x: x.sum(), "sum"),
    (lambda x: x.T, "T"),
    (set_item, "set_item"),
    (lambda x: x[99], "IndexError"),
    (lambda x: x + "one", "one"),
    (lambda x: x + np.ones(5), "shape"),
    (lambda x, y: x, "argument"),
    (lambda x: 1 // 0, "ZeroDivisionError"),
]


@pytest.mark.parametrize(("function", "mention"), REFUSED)
def test_refusals_are_one_sentence_that_names_the_way_out(function, mention):
    arguments = [U] * (2 if function in (np.dot, divmod) else 1)
    if function is np.interp:
        arguments = [U, U, U]
    with pytest.raises(InputError) as caught:
        derivatives(function, arguments, [0])
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert mention in sentence
    assert sentence.count("a gradient can be given instead") == 1


def test_errors_of_this_package_and_of_memory_pass():
    def wrong(x):
        raise InputError("width = -1: expected a positive number")

    def large(x):
        raise MemoryError

    with pytest.raises(InputError, match=r"^width = -1: expected a positive number$"):
        derivatives(wrong, [U], [0])
    with pytest.raises(MemoryError):
        derivatives(large, [U], [0])


SMOOTH = {
    "sin": np.sin,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "arcsinh": np.arcsinh,
    "expit": special.expit,
    "erf": special.erf,
    "square": np.square,
    "negative": np.negative,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "root": lambda x: np.sqrt(1.0 + x * x),
    "bump": lambda x: np.exp(-x * x),
}


@given(st.lists(st.sampled_from(sorted(SMOOTH)), min_size=1, max_size=5))
def test_compositions_against_differences(names):
    def f(x, y):
        inner = x * y
        for one in names:
            inner = SMOOTH[one](inner) + 0.5 * y
        return inner

    point = [np.linspace(-1.0, 1.0, 9), np.linspace(0.9, -0.7, 9)]
    for k, slope in enumerate(derivatives(f, point, [0, 1])):
        assert slope == pytest.approx(difference(f, point, k, 2e-4), rel=1e-6, abs=1e-7)
