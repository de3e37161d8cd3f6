"""Measured numbers as text: value ± bar, what is expected, and whether it came out so."""

from __future__ import annotations

import math
import textwrap
from decimal import Decimal

from meanfield_pde.results.evidence import RELATIONS, Evidence, Number
from meanfield_pde.studies.claims.claim import Claim
from meanfield_pde.studies.tables import table

HEADER = ("", "measured", "expected", "verdict")
"""Of the columns that `row` fills."""

SMALLEST_BAR = 1e-6
"""A bar below this part of the unit of its value is written with a power of ten of its own."""

WIDTH = 100
"""Characters of a line."""

DIGITS = 15
"""Decimal digits that a number in double precision has."""


def with_bar(value: float, bar: float) -> str:
    """A value and its bar: two digits of the bar, and as many of the value as it allows.

    What is infinite is written as ∞, and a value with the bar 0 as exact. Numbers from 0.001 to
    100,000 are written in full, others with a power of ten.
    """
    if not math.isfinite(value):
        return plain(value)
    if not math.isfinite(bar):
        return f"{plain(value, 3)} ± {'∞' if math.isinf(bar) else 'unknown'}"
    if bar == 0.0:
        return f"{plain(value, DIGITS)} (exact)"
    largest = max(abs(value), bar)
    power = 0 if 1e-3 <= largest < 1e5 else _power(largest)
    decimals = min(1 - int(f"{bar:.1e}".partition("e")[2]), DIGITS - 1 - _power(largest)) + power
    left = _rounded(_scaled(value, power), decimals)
    if bar < SMALLEST_BAR * 10.0**power:
        return f"{left}{_ten(power)} ± {plain(float(f'{bar:.1e}'), 2, padded=True)}"
    right = _rounded(_scaled(bar, power), decimals)
    return f"({left} ± {right}){_ten(power)}" if power else f"{left} ± {right}"


def plain(value: float, digits: int = 6, padded: bool = False) -> str:
    """A number in so many digits, zeros at its end left out unless padded."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0.0 else "-∞"
    if value == 0.0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits}g}"
    factor, _, power = f"{value:.{digits - 1}e}".partition("e")
    factor = factor if padded or "." not in factor else factor.rstrip("0").rstrip(".")
    if factor in ("1", "-1"):
        return f"{factor}{_ten(int(power))}".replace("1 × ", "", 1)
    return f"{factor}{_ten(int(power))}"


def expectation(number: Number) -> str:
    """What a claim says of a number, in a digit more than its bar leaves; "-" if nothing."""
    if math.isnan(number.expected):
        return "-"
    digits = 6
    if math.isfinite(number.expected) and number.expected and math.isfinite(number.bar):
        if number.bar > 0.0:
            digits = 3 + _power(abs(number.expected)) - _power(number.bar)
        else:
            digits = DIGITS
    return RELATIONS[number.relation] + plain(number.expected, min(max(digits, 6), DIGITS))


def judgement(number: Number) -> str:
    """Whether a number is as the claim says: holds, off, or told where it says nothing."""
    if not number.relation:
        return "told"
    return "holds" if number.holds else "off"


def row(number: Number) -> tuple[str, str, str, str]:
    """Of a table of numbers, see `HEADER`."""
    measured = with_bar(number.value, number.bar)
    return number.what, measured, expectation(number), judgement(number)


def account(claim: Claim, evidence: Evidence) -> str:
    """A claim and what was found of it, as text."""
    sizes = "smaller sizes" if evidence.quick else "full sizes"
    numbers = table(f"Measured in {sizes}", HEADER, [row(n) for n in evidence.numbers])
    under = f"Hypotheses: {claim.hypotheses}"
    verdict = f"{claim.title}: {evidence.verdict}"
    parts = [claim.title, claim.statement, under, f"Source: {claim.source}"]
    wrapped = [textwrap.fill(part, WIDTH) for part in parts]
    found = [textwrap.fill(sentence, WIDTH) for sentence in evidence.sentences]
    return "\n".join([*wrapped, numbers, verdict, *found])


def _power(value: float) -> int:
    """The power of ten of the first digit."""
    return int(f"{value:e}".partition("e")[2])


def _scaled(value: float, power: int) -> float:
    """Without a power of ten, also one that no number in double precision is."""
    return float(Decimal(value).scaleb(-power))


def _rounded(value: float, decimals: int) -> str:
    """To so many decimals, or to tens and hundreds; never minus zero."""
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"


def _ten(power: int) -> str:
    """A factor that is a power of ten; nothing if it is one."""
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f" × 10{raised}" if power else ""
