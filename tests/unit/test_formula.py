"""Formulas in text: the values NumPy gives, slopes against differences, shapes and limits."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special

from meanfield_pde.errors import InputError
from meanfield_pde.problem import formula as module
from meanfield_pde.problem.formula import CONSTANTS, FUNCTIONS, Formula, parsed

VARIABLES = ("x", "y", "theta_1")
POINT = tuple(np.random.default_rng(5).uniform(-1.5, 1.5, (3, 17)))


def value(text, **given):
    """A formula at numbers, or arrays, by the names of its variables."""
    return Formula(text, tuple(given)).value([np.asarray(v, float) for v in given.values()])


def slope(text, **given):
    """Its derivative in the first variable."""
    arguments = [np.asarray(v, float) for v in given.values()]
    return Formula(text, tuple(given)).derivatives(arguments, list(given)[:1])[0]


def difference(function, arguments, k, h=1e-3):
    """A central difference of fourth order in argument k."""

    def at(step):
        return function([a + step * (i == k) for i, a in enumerate(arguments)])

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


# text, and its value at x = 2, y = 3
VALUES = [
    ("1 + 2*3", 7.0),
    ("(1 + 2)*3", 9.0),
    ("x + y*x", 8.0),
    ("x - y - 1", -2.0),
    ("x - (y - 1)", 0.0),
    ("12/x/y", 2.0),
    ("12/(x/y)", 18.0),
    ("12/x*y", 18.0),
    ("x**y**2", 512.0),
    ("(x**y)**2", 64.0),
    ("2*x**y", 16.0),
    ("-x**2", -4.0),
    ("(-x)**2", 4.0),
    ("2**-x", 0.25),
    ("x**-1", 0.5),
    ("-x**-y", -0.125),
    ("x*-y", -6.0),
    ("x--y", 5.0),
    ("x-+-y", 5.0),
    ("+x", 2.0),
    ("--x", 2.0),
    ("---x", -2.0),
    ("-x*y", -6.0),
    ("-x + y", 1.0),
    ("  x  +  y  ", 5.0),
    ("(((x)))", 2.0),
    ("pi", math.pi),
    ("e", math.e),
    ("e**x", math.e**2),
    ("cos(pi)*y", -3.0),
    ("log(e)", 1.0),
    ("1e-3*x", 0.002),
    ("1E3", 1000.0),
    (".5 + 2.", 2.5),
    ("1_000*x", 2000.0),
    ("1/3", 1 / 3),
    ("7/2", 3.5),
    ("2**0.5", math.sqrt(2.0)),
    ("10**-2", 0.01),
    ("2**100", 2.0**100),
    ("max(x, y)", 3.0),
    ("min(x, y)", 2.0),
    ("max(min(x, 1), y)", 3.0),
    ("arctan2(x, -y)", math.atan2(2, -3)),
    ("where(x < y, x, y)", 2.0),
    ("where(x <= 2, 10, 20)", 10.0),
    ("where(x < 2, 10, 20)", 20.0),
    ("where(x > 2, 10, 20)", 20.0),
    ("where(x >= 2, 10, 20)", 10.0),
    ("where(x*y > 5, x - 1, log(-x))", 1.0),
    ("where(1 < 2, x, y)", 2.0),
    ("where(2 <= 1, 3, 4)", 4.0),
    ("where(x < y, where(y < x, 1, 2), 3)", 2.0),
    ("1 + where(x > y, 1, 0)*5", 1.0),
    ("1e308*10**0", 1e308),
    ("1e-400", 0.0),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_precedence_and_signs(text, expected):
    found = value(text, x=2.0, y=3.0)
    assert found.shape == ()
    assert found == pytest.approx(expected, rel=1e-15)


# meaning, interval of each argument on which it is smooth
MEANINGS = {
    "abs": (lambda x: math.fabs(x), [(-2, -0.1)]),
    "arccos": (math.acos, [(-0.8, 0.8)]),
    "arcsin": (math.asin, [(-0.8, 0.8)]),
    "arctan": (math.atan, [(-3, 3)]),
    "arctan2": (math.atan2, [(0.3, 3), (-3, 3)]),
    "cos": (math.cos, [(-3, 3)]),
    "cosh": (math.cosh, [(-2, 2)]),
    "erf": (math.erf, [(-2, 2)]),
    "exp": (math.exp, [(-3, 2)]),
    "expit": (lambda x: 1 / (1 + math.exp(-x)), [(-5, 5)]),
    "expm1": (math.expm1, [(-2, 2)]),
    "log": (math.log, [(0.3, 4)]),
    "log1p": (math.log1p, [(-0.6, 3)]),
    "max": (max, [(-2, 0), (0.1, 2)]),
    "min": (min, [(-2, 0), (0.1, 2)]),
    "relu": (lambda x: max(x, 0), [(0.1, 3)]),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), [(-5, 5)]),
    "sign": (lambda x: math.copysign(1, x), [(-3, -0.1)]),
    "sin": (math.sin, [(-3, 3)]),
    "sinh": (math.sinh, [(-2, 2)]),
    "softplus": (lambda x: math.log(1 + math.exp(x)), [(-5, 5)]),
    "sqrt": (math.sqrt, [(0.3, 4)]),
    "tan": (math.tan, [(-1.1, 1.1)]),
    "tanh": (math.tanh, [(-3, 3)]),
}


def call(name):
    """Text, and the variables, of a function of one or two variables."""
    variables = VARIABLES[: len(MEANINGS[name][1])]
    return f"{name}({', '.join(variables)})", variables


def test_every_function_is_known_here():
    assert {*MEANINGS, "where"} == set(FUNCTIONS)
    assert all(FUNCTIONS[name][1] == len(domain) for name, (_, domain) in MEANINGS.items())
    assert sorted(CONSTANTS.items()) == [("e", math.e), ("pi", math.pi)]


@pytest.mark.parametrize("name", MEANINGS)
def test_functions_have_their_meaning_and_slope(name):
    meaning, domain = MEANINGS[name]
    text, variables = call(name)
    rng = np.random.default_rng(2)
    arguments = [rng.uniform(low, high, 29) for low, high in domain]
    formula = Formula(text, variables)
    expected = [meaning(*one) for one in zip(*arguments, strict=True)]
    assert formula.value(arguments) == pytest.approx(expected, rel=1e-13)
    for k, found in enumerate(formula.derivatives(arguments, variables)):
        near = difference(formula.value, arguments, k)
        assert found == pytest.approx(near, rel=1e-8, abs=1e-9)
    constants = [float(a[0]) for a in arguments]
    folded = value(f"{name}({', '.join(map(repr, constants))})", x=0.0)
    assert folded == pytest.approx(meaning(*constants), rel=1e-13)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_number_of_arguments(name):
    count = FUNCTIONS[name][1]
    for wrong in {0, count - 1, count + 1}:
        with pytest.raises(InputError, match=rf"expected {count} arguments? of {name}; found"):
            Formula(f"{name}({', '.join(['x'] * wrong)})", ("x",))
    with pytest.raises(InputError, match=rf"expected arguments after it, {name}\(...\)"):
        Formula(name, ("x",))


# text, x and the slope there
KINKS = [
    ("relu(x)", 0.0, 0.0),
    ("relu(-x)", 0.0, 0.0),
    ("abs(x)", 0.0, 0.0),
    ("sign(x)", 0.0, 0.0),
    ("max(x, -x)", 0.0, 0.0),
    ("max(3*x, x)", 0.0, 1.0),
    ("max(x, x)", 1.0, 1.0),
    ("min(2, x)", 2.0, 0.0),
    ("where(x > 0, log(x), x)", -1.0, 1.0),
    ("where(x > 0, x**2, 3*x)", 0.0, 3.0),
    ("where(x >= 0, x**2, 3*x)", 0.0, 0.0),
    ("sqrt(x)", 0.0, np.inf),
    ("log(x)", -1.0, -1.0),
    ("sqrt(x)", -1.0, np.nan),
    ("x**2", 0.0, 0.0),
    ("x**3", -2.0, 12.0),
    ("x**0", 0.0, 0.0),
    ("softplus(x)", 1000.0, 1.0),
    ("softplus(x)", -1000.0, 0.0),
    ("sigmoid(x)", -1000.0, 0.0),
    ("3", 1.0, 0.0),
    ("where(x < 0, 1, 2)", 0.0, 0.0),
]


@pytest.mark.parametrize(("text", "point", "expected"), KINKS)
def test_slopes_at_kinks(text, point, expected):
    assert slope(text, x=point) == pytest.approx(expected, nan_ok=True)


def test_undefined_values_come_without_a_warning():
    x = np.array([-1.0, 0.0])
    assert np.isnan(value("sqrt(x)", x=x)).tolist() == [True, False]
    assert value("1/x", x=x).tolist() == [-1.0, np.inf]
    assert value("exp(1000 - x)", x=x).tolist() == [np.inf, np.inf]
    assert np.isnan(value("x/x", x=x)).tolist() == [False, True]


# A term is (text, precedence, its value from arrays, whether it is constant, whether it was ever a
# constant that is not finite). Precedence: sums 1, products 2, signs 3, powers 4, the rest 5.
def number(value):
    return repr(value), 5, lambda _: float(value), True, False


def variable(index):
    return VARIABLES[index], 5, lambda arguments: arguments[index], False, False


LEAVES = st.one_of(
    st.integers(0, 5).map(number),
    st.floats(0.0, 3.0).map(lambda v: number(round(v, 3))),
    st.sampled_from([0, 1, 2]).map(variable),
    st.sampled_from([("pi", 5, lambda _: math.pi, True, False)]),
    st.sampled_from([("e", 5, lambda _: math.e, True, False)]),
)


def combined(text, precedence, function, parts):
    """A term of terms, folded if they are constant."""
    constant, broken = all(p[3] for p in parts), any(p[4] for p in parts)

    def at(arguments):
        return function(*(p[2](arguments) for p in parts))

    if not constant or broken:
        return text, precedence, at, constant, broken
    with np.errstate(all="ignore"):
        value = float(at(None))
    return text, precedence, lambda _: value, True, not math.isfinite(value)


def within(term, lowest):
    """The text of a term, in parentheses only if it needs them."""
    return term[0] if term[1] >= lowest else f"({term[0]})"


# sign, function, precedence, the least precedence on its left and on its right
BINARY = [
    (" + ", np.add, 1, 1, 2),
    (" - ", np.subtract, 1, 1, 2),
    ("*", np.multiply, 2, 2, 3),
    ("/", np.divide, 2, 2, 3),
    ("**", np.power, 4, 5, 3),
]
UNARY = [("-", np.negative), ("+", np.positive)]
COMPARISONS = [("<", np.less), ("<=", np.less_equal), (">", np.greater), (">=", np.greater_equal)]
OF_ONE = {
    "abs": np.abs,
    "arccos": np.arccos,
    "arcsin": np.arcsin,
    "arctan": np.arctan,
    "cos": np.cos,
    "cosh": np.cosh,
    "erf": special.erf,
    "exp": np.exp,
    "expit": special.expit,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "relu": lambda x: np.maximum(0.0, x),
    "sigmoid": special.expit,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}
OF_TWO = {"max": np.maximum, "min": np.minimum, "arctan2": np.arctan2}


@st.composite
def binary(draw, terms, signs=BINARY):
    sign, function, precedence, on_left, on_right = draw(st.sampled_from(signs))
    left, right = draw(terms), draw(terms)
    text = f"{within(left, on_left)}{sign}{within(right, on_right)}"
    return combined(text, precedence, function, (left, right))


@st.composite
def unary(draw, terms):
    sign, function = draw(st.sampled_from(UNARY))
    term = draw(terms)
    return combined(f"{sign}{within(term, 3)}", 3, function, (term,))


@st.composite
def called(draw, terms, of_one=OF_ONE, of_two=OF_TWO):
    name = draw(st.sampled_from(sorted({**of_one, **of_two})))
    parts = [draw(terms) for _ in range(2 if name in of_two else 1)]
    text = f"{name}({', '.join(p[0] for p in parts)})"
    return combined(text, 5, {**of_one, **of_two}[name], parts)


@st.composite
def chosen(draw, terms):
    sign, function = draw(st.sampled_from(COMPARISONS))
    a, b, u, v = (draw(terms) for _ in range(4))
    text = f"where({a[0]} {sign} {b[0]}, {u[0]}, {v[0]})"
    broken = any(part[4] for part in (a, b, u, v))

    def at(arguments):
        left, right, first, second = (part[2](arguments) for part in (a, b, u, v))
        return np.where(function(left, right), first, second)

    return text, 5, at, False, broken


TERMS = st.recursive(
    LEAVES,
    lambda terms: st.one_of(
        binary(terms), binary(terms), unary(terms), called(terms), chosen(terms)
    ),
    max_leaves=12,
)


def fits(text):
    return len(text) <= module.LONGEST


@given(st.lists(TERMS, min_size=10, max_size=10))
def test_random_formulas_have_the_values_numpy_gives(terms):
    for text, _, function, _, broken in terms:
        assume(fits(text))
        if broken:
            with pytest.raises(InputError, match="expected finite numbers; found"):
                Formula(text, VARIABLES)
            continue
        with np.errstate(all="ignore"):
            expected = np.broadcast_to(function(POINT), POINT[0].shape)
        found = Formula(text, VARIABLES).value(POINT)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected, err_msg=text)


SMOOTH_ONE = {
    name: OF_ONE[name] for name in ("sin", "cos", "tanh", "arctan", "expit", "erf", "softplus")
}
SMOOTH_LEAVES = st.one_of(
    st.integers(1, 2).map(number),
    st.floats(0.1, 1.5).map(lambda v: number(round(v, 2))),
    st.sampled_from([0, 1, 2]).map(variable),
)


@st.composite
def quotient(draw, terms):
    top, bottom = draw(terms), draw(terms)
    text = f"{within(top, 2)}/(2.5 + cos({bottom[0]}))"
    return combined(text, 2, lambda a, b: a / (2.5 + np.cos(b)), (top, bottom))


@st.composite
def bump(draw, terms):
    term = draw(terms)
    text = f"exp(-{within(term, 5)}**2)"
    return combined(text, 5, lambda a: np.exp(-np.power(a, 2.0)), (term,))


SMOOTH = st.recursive(
    SMOOTH_LEAVES,
    lambda terms: st.one_of(
        binary(terms, BINARY[:3]), called(terms, SMOOTH_ONE, {}), quotient(terms), bump(terms)
    ),
    max_leaves=7,
)


@given(st.lists(SMOOTH, min_size=5, max_size=5))
def test_random_derivatives_against_differences(terms):
    point = [0.6 * a for a in POINT]
    for term in terms:
        formula = Formula(term[0], VARIABLES)
        slopes = formula.derivatives(point, VARIABLES)
        scale = 1.0 + np.max(np.abs(formula.value(point)))
        for k, found in enumerate(slopes):
            near = difference(formula.value, point, k, 2e-4)
            assert found == pytest.approx(near, rel=1e-6, abs=1e-7 * scale), term[0]


@pytest.mark.parametrize(("sign", "function"), COMPARISONS)
def test_where_with_each_comparison(sign, function):
    x = np.array([-1.0, 0.0, 0.0, 1.0, np.nan])
    y = np.array([0.0, 0.0, -0.0, -1.0, 0.0])
    text = f"where(x {sign} y, 2*x + 1, y - 3)"
    assert value(text, x=x, y=y) == pytest.approx(
        np.where(function(x, y), 2 * x + 1, y - 3), nan_ok=True
    )
    assert slope(text, x=x, y=y) == pytest.approx(np.where(function(x, y), 2.0, 0.0))
    assert value(f"where(0 {sign} 1, x, y)", x=3.0, y=4.0) == (3.0 if function(0, 1) else 4.0)


SHAPES = [
    ((), ()),
    ((3,), ()),
    ((), (2, 3)),
    ((4, 1), (1, 5)),
    ((4, 1), (4, 1)),
    ((3,), (4, 1)),
    ((2, 1, 3), (4, 1)),
    ((0,), (1,)),
    ((0, 3), (1, 3)),
    ((3, 0), (3, 1)),
    ((1,), (1,)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("text", ["3", "pi", "x", "y", "x*y", "relu(x - y)", "where(1 < 2, y, 1)"])
def test_results_have_the_common_shape(text, shapes):
    x, y = (np.random.default_rng(k).normal(size=shape) for k, shape in enumerate(shapes))
    x.flags.writeable = y.flags.writeable = False
    shape = np.broadcast_shapes(*shapes)
    formula = Formula(text, ("x", "y"))
    results = [formula.value((x, y)), *formula.derivatives((x, y), ("x", "y"))]
    for result in results:
        assert type(result) is np.ndarray
        assert result.shape == shape
        assert result.dtype == np.float64
        assert result.flags.writeable
        assert not np.shares_memory(result, x)
        assert not np.shares_memory(result, y)
    expected = {"x": (x, 1, 0), "y": (y, 0, 1), "x*y": (x * y, y, x), "3": (3, 0, 0)}
    for result, one in zip(results, expected.get(text, results), strict=True):
        assert np.array_equal(result, np.broadcast_to(one, shape))


@pytest.mark.parametrize("shape", [(7,), (3, 7), (2, 3, 5), (1, 1), (40, 3)], ids=str)
def test_blocks_do_not_show(shape, monkeypatch):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=shape), rng.normal(size=shape[-1:])
    formula = Formula("x*y + tanh(x)*where(x < y, x, 2)", ("x", "y"))
    whole = formula.value((x, y)), *formula.derivatives((x, y), ("y", "x"))
    monkeypatch.setattr(module, "BLOCK", 4)
    parts = formula.value((x, y)), *formula.derivatives((x, y), ("y", "x"))
    for one, other in zip(whole, parts, strict=True):
        assert other == pytest.approx(one, rel=1e-14)


def test_more_entries_than_a_block():
    x, y = np.linspace(-1.0, 1.0, 300)[:, None], np.linspace(0.0, 1.0, 251)
    assert x.size * y.size > 2 * module.BLOCK
    formula = Formula("sin(x)*y", ("x", "y"))
    assert formula.value((x, y)) == pytest.approx(np.sin(x) * y)
    dy, dx = formula.derivatives((x, y), ("y", "x"))
    assert dx == pytest.approx(np.cos(x) * y)
    assert dy == pytest.approx(np.sin(x) * np.ones_like(y))
    long = np.linspace(-1.0, 1.0, 2 * module.BLOCK + 1)
    assert value("x**2", x=long) == pytest.approx(long**2)


def test_formulas_of_no_variable_and_of_whole_numbers():
    assert Formula("2*pi", ()).value(()) == 2 * math.pi
    assert Formula("2*pi", ()).derivatives((), ()) == ()
    assert Formula("x**-1", ("x",)).value((np.array([2, 4]),)).tolist() == [0.5, 0.25]
    assert Formula("x/2", ("x",)).value(([1, 2],)).tolist() == [0.5, 1.0]


def test_variables_are_taken_by_their_order():
    x, y = np.array(2.0), np.array(3.0)
    assert Formula("x - 2*y", ("x", "y")).value((x, y)) == -4.0
    assert Formula("x - 2*y", ("y", "x")).value((x, y)) == -1.0
    slopes = Formula("x**2*y", ("y", "x")).derivatives((y, x), ("x", "y", "x"))
    assert [float(s) for s in slopes] == [12.0, 4.0, 12.0]


def test_wrong_arguments_and_names_are_refused():
    formula = Formula("x + y", ("x", "y"))
    with pytest.raises(InputError, match="arguments = 1: expected 2, one a variable"):
        formula.value((np.zeros(2),))
    with pytest.raises(InputError, match="arguments = 3: expected 2, one a variable"):
        formula.derivatives((np.zeros(2),) * 3, ("x",))
    with pytest.raises(InputError, match="name = 'z': expected one of x, y"):
        formula.derivatives((np.zeros(2),) * 2, ("x", "z"))


def test_equality_hash_and_text():
    one, two = Formula("x + 1", ("x",)), Formula("x + 1", ("x",))
    assert one == two
    assert hash(one) == hash(two)
    one.value((np.zeros(3),))
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two, Formula("x+1", ("x",)), Formula("x + 1", ("x", "y"))}) == 3
    assert str(one) == "x + 1"
    assert str(Formula(" x", ("x",))) == " x"
    with pytest.raises(FrozenInstanceError):
        one.expression = "x"


def test_parsed_is_kept():
    one = parsed("x*y + 0.125", ("x", "y"))
    assert one is parsed("x*y + 0.125", ("x", "y"))
    assert one is not parsed("x*y + 0.125", ("y", "x"))
    assert one == Formula("x*y + 0.125", ("x", "y"))
    for _ in range(2):
        with pytest.raises(InputError, match="the name 'z'"):
            parsed("z", ("x",))


# variables that are refused, and what the sentence must mention
WRONG_VARIABLES = [
    (("x", "x"), "each name once"),
    (("x", "y", "x"), "each name once"),
    (("pi",), "'pi'"),
    (("e",), "'e'"),
    (("x", "sin"), "'sin'"),
    (("where",), "'where'"),
    (("max", "x"), "'max'"),
    (("lambda",), "'lambda'"),
    (("None",), "'None'"),
    (("True",), "'True'"),
    (("if",), "'if'"),
    (("",), "''"),
    (("1x",), "'1x'"),
    (("_x",), "'_x'"),
    (("__class__",), "'__class__'"),
    (("x y",), "'x y'"),
    (("x.real",), "'x.real'"),
    (("x\n",), r"'x\n'"),
    (("θ",), "'θ'"),
    (("x", 1), "1"),
    (("x", None), "None"),
    ((b"x",), "b'x'"),
    ((["x"],), "['x']"),
    (["x"], "a tuple of names"),
    ("x", "a tuple of names"),
    (None, "a tuple of names"),
]


@pytest.mark.parametrize(("variables", "mention"), WRONG_VARIABLES)
def test_wrong_variables_are_refused(variables, mention):
    with pytest.raises(InputError) as caught:
        Formula("1", variables)
    assert mention in str(caught.value)
    assert "\n" not in str(caught.value)


def nested(opening, closing, count):
    return f"{opening * count}x{closing * count}"


# a text at a limit, one just beyond, and what the sentence must mention
LIMITS = [
    ("x" + " " * 999, "x" + " " * 1000, "at most 1000 characters; found 1001"),
    ("x+" * 149 + "-x", "x+" * 150 + "x", "at most 300 numbers, names and operations; found 301"),
    ("x-" * 149 + "(-1)", "x-" * 149 + "(--1)", "found 301"),
    ("-" * 40 + "x", "-" * 41 + "x", "at most 40 operations inside each other"),
    (nested("sin(", ")", 40), nested("sin(", ")", 41), "at most 40 operations"),
    (nested("(1+", ")", 40), nested("(1+", ")", 41), "at most 40 operations"),
    ("x**" * 40 + "x", "x**" * 41 + "x", "at most 40 operations"),
    (nested("where(1<2,3,", ")", 39), nested("where(1<2,3,", ")", 40), "at most 40"),
    (
        f"where({nested('-', '', 38)}<1,2,3)",
        f"where({nested('-', '', 39)}<1,2,3)",
        "at most 40 operations",
    ),
]


@pytest.mark.parametrize(("longest", "beyond", "mention"), LIMITS, ids=lambda t: t[:12])
def test_limits_exactly_and_just_beyond(longest, beyond, mention):
    formula = Formula(longest, ("x",))
    x = np.array([0.5, 1.0])
    assert formula.value((x,)).shape == (2,)
    assert formula.derivatives((x,), ("x",))[0].shape == (2,)
    with pytest.raises(InputError) as caught:
        Formula(beyond, ("x",))
    assert mention in str(caught.value)


def test_the_limits_are_those_documented():
    assert (module.LONGEST, module.MOST_NODES, module.DEEPEST) == (1000, 300, 40)
    assert value("x+" * 149 + "-x", x=1.0) == 148.0
    assert value("-" * 39 + "x", x=1.0) == -1.0
    assert slope(nested("(1+", ")", 40), x=1.0) == 1.0


# constants that are not finite, and the part and value named
NOT_FINITE = [
    ("1/0", "'1/0', which is inf"),
    ("x + 1/0", "'1/0', which is inf"),
    ("-1/0", "'-1/0', which is -inf"),
    ("0/0", "'0/0', which is nan"),
    ("x*log(0)", "'log(0)', which is -inf"),
    ("sqrt(-1)", "'sqrt(-1)', which is nan"),
    ("x + exp(1000)", "'exp(1000)', which is inf"),
    ("(-8)**(1/3)", "which is nan"),
    ("0**-1", "'0**-1', which is inf"),
    ("arccos(2)", "'arccos(2)', which is nan"),
    ("1e308*10", "'1e308*10', which is inf"),
    ("x*1e309", "'1e309', which is inf"),
    ("where(x < 1/0, 1, 2)", "'1/0', which is inf"),
    ("where(x < 1, log(-1), 2)", "'log(-1)', which is nan"),
    ("0*(1/0)", "'1/0', which is inf"),
    ("  x + 2/0", "'2/0', which is inf"),
]


@pytest.mark.parametrize(("text", "mention"), NOT_FINITE)
def test_constants_that_are_not_finite_are_refused(text, mention):
    with pytest.raises(InputError, match="expected finite numbers; found") as caught:
        Formula(text, ("x",))
    assert mention in str(caught.value)


def test_constants_are_folded():
    """The functions in a constant part are called once, when the formula is read."""
    calls = []

    def counted(a):
        calls.append(a)
        return np.sin(a)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FUNCTIONS, "sin", (counted, 1))
        formula = Formula("x*sin(pi/2 + 2*3 - 6)", ("x",))
        assert calls == [pytest.approx(math.pi / 2)]
        assert formula.value((np.array([3.0]),)) == pytest.approx([3.0])
        assert formula.derivatives((np.array([3.0]),), ("x",))[0] == pytest.approx([1.0])
        assert len(calls) == 1


def test_not_a_text_is_refused():
    for wrong in (3, None, b"x", ["x"], 1.5):
        with pytest.raises(InputError, match=r"^formula = .*: expected text$"):
            Formula(wrong, ("x",))
