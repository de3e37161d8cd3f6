"""The errors this package raises on purpose, each a sentence for the person who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any


class MeanFieldError(Exception):
    """Base class: the message is one clear sentence."""


class InputError(MeanFieldError, ValueError):
    """A value given by the user is wrong: the sentence names it and what was expected."""


class NumericalFailure(MeanFieldError, ArithmeticError):
    """A computation broke: the sentence says what, when, and what to try.

    Attributes
    ----------
    solution : Solution or None
        What was computed up to there, where `solve` raised this.
    """

    solution: Any = None


class StepTooLong(NumericalFailure):
    """A time step above a limit of the scheme.

    Parameters
    ----------
    reason : str
        Which limit, in words.
    limit : float
        The longest step the limit allows.
    """

    def __init__(self, reason: str, limit: float) -> None:
        super().__init__(f"{reason}: the step must be at most {limit:.3e}")
        self.reason = reason
        self.limit = limit


def require_type(name: str, value: object, types: type | tuple[type, ...], expected: str) -> None:
    """Raise `InputError` unless the value is of one of the types."""
    if not isinstance(value, types):
        raise InputError(f"{name} = {value!r}: expected {expected}")


def require_numbers(name: str, value: object) -> None:
    """Raise `InputError` unless the value is a list or tuple of real numbers."""
    fits = isinstance(value, Sequence) and all(isinstance(n, Real) for n in value)
    require(fits, name, value, "a list of numbers")


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Raise `InputError` naming the value and what was expected, unless the condition holds."""
    if not condition:
        raise InputError(f"{name} = {value!r}: expected {expected}")
