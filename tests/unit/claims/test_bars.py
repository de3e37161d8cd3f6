"""Numbers with bars as text."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanfield_pde.results.evidence import Number
from meanfield_pde.studies.bars import expectation, judgement, plain, with_bar


@pytest.mark.parametrize(
    ("value", "bar", "text"),
    [
        (0.500021, 0.000043, "0.500021 ± 0.000043"),
        (-2.04, 0.031, "-2.040 ± 0.031"),
        (1.0, 0.0996, "1.00 ± 0.10"),
        (1234.0, 150.0, "1230 ± 150"),
        (7.0, 150.0, "10 ± 150"),
        (12345.6, 1.23, "12345.6 ± 1.2"),
        (1.7e-7, 2.2e-9, "(1.700 ± 0.022) × 10⁻⁷"),
        (3.1e-12, 8.8e-12, "(3.1 ± 8.8) × 10⁻¹²"),
        (-2.5e6, 3.1e5, "(-2.50 ± 0.31) × 10⁶"),
        (0.0, 2e-9, "(0.0 ± 2.0) × 10⁻⁹"),
        (-1e-9, 0.5, "0.00 ± 0.50"),
        (0.125, 3e-9, "0.1250000000 ± 3.0 × 10⁻⁹"),
        (0.125, 1e-19, "0.125000000000000 ± 1.0 × 10⁻¹⁹"),
        (1.25e-5, 3e-15, "1.25000000000 × 10⁻⁵ ± 3.0 × 10⁻¹⁵"),
        (3.0, 0.0, "3 (exact)"),
        (0.1, 0.0, "0.1 (exact)"),
        (math.inf, 0.0, "∞"),
        (-math.inf, 1.0, "-∞"),
        (math.nan, 1.0, "undefined"),
        (1.25, math.inf, "1.25 ± ∞"),
        (1.25, math.nan, "1.25 ± unknown"),
        (0.0, 5e-324, "(0.0 ± 4.9) × 10⁻³²⁴"),
        (1e308, 5e-324, "1.00000000000000 × 10³⁰⁸ ± 4.9 × 10⁻³²⁴"),
        (3e-323, 5e-324, "(2.96 ± 0.49) × 10⁻³²³"),
    ],
)
def test_two_digits_of_the_bar_and_as_many_of_the_value(value, bar, text):
    assert with_bar(value, bar) == text


def parsed(text):
    """Value and bar of a text."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    inner, _, power = text.partition(") × 10")
    scale = Fraction(10) ** int(power.translate(digits)) if power else 1
    left, _, right = inner.lstrip("(").partition(" ± ")

    def read(part):
        factor, _, ten = part.partition(" × 10")
        return Fraction(factor) * (Fraction(10) ** int(ten.translate(digits)) if ten else 1)

    return scale * read(left), scale * read(right)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.floats(-1e9, 1e9) | FINITE,
    st.floats(1e-12, 1e7) | st.floats(0.0, exclude_min=True, allow_infinity=False),
)
def test_what_is_written_is_what_was_measured(value, bar):
    """Also of the smallest and the largest numbers there are."""
    written, written_bar = parsed(with_bar(value, bar))
    value, bar = Fraction(value), Fraction(bar)
    assert abs(written_bar - bar) <= Fraction("0.051") * bar
    assert abs(written - value) <= Fraction("0.051") * bar + Fraction("1e-13") * abs(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.125, "0.125"), (1e-7, "10⁻⁷"), (-1e-7, "-10⁻⁷"), (2.5e6, "2.5 × 10⁶"), (0.0, "0")],
)
def test_plain_numbers(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(
    ("number", "expected", "verdict"),
    [
        (Number("a", 0.50002, 0.00043, 0.5, "="), "0.5", "holds"),
        (Number("a", 0.51, 0.00043, 0.5, "="), "0.5", "off"),
        (Number("a", 0.9, 0.01, 1.0, "<"), "less than 1", "holds"),
        (Number("a", 0.9, 0.2, 1.0, "<"), "less than 1", "off"),
        (Number("a", 3.0, 0.2, 1.0, ">"), "more than 1", "holds"),
        (Number("a", 3.0, 0.2), "-", "told"),
        (Number("a", 1 / 3, 1e-9, 1 / 3, "="), "0.33333333333", "holds"),
        (Number("a", 1 / 3, 1e-3, 1 / 3, "="), "0.333333", "holds"),
        (Number("a", 0.0, math.inf, math.inf, "<"), "less than ∞", "off"),
        (Number("a", 0.5, math.inf, 0.5, "="), "0.5", "off"),
        (Number("a", 0.5, math.nan, 0.5, "="), "0.5", "off"),
        (Number("a", math.inf, math.inf, 0.5, "="), "0.5", "off"),
        (Number("a", math.inf, 0.1, math.inf, "="), "∞", "off"),
        (Number("a", math.nan, 0.1, 0.5, "="), "0.5", "off"),
    ],
)
def test_what_is_expected_and_the_verdict(number, expected, verdict):
    assert expectation(number) == expected
    assert judgement(number) == verdict
