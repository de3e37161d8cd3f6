"""Sizes of a method along each parameter: one number for all, or one each."""

from __future__ import annotations

from numbers import Integral
from typing import TypeVar

from meanfield_pde.errors import require

T = TypeVar("T")
Sizes = int | tuple[int, ...]


def checked(name: str, value: object, least: int) -> Sizes:
    """The sizes as integers of Python; an integer of NumPy is none to HDF5 or TOML.

    Raises
    ------
    InputError
        If they are not whole numbers of at least so much.
    """
    several = isinstance(value, tuple | list)
    each = tuple(value) if isinstance(value, tuple | list) else (value,)
    whole = len(each) > 0 and all(isinstance(n, Integral) for n in each)
    require(whole, name, value, "a whole number, or one for each parameter")
    require(all(n >= least for n in each), name, value, f"at least {least} along each parameter")
    sizes = tuple(int(n) for n in each)
    return sizes if several else sizes[0]


def one_each(name: str, value: T | tuple[T, ...], parameters: int) -> tuple[T, ...]:
    """One a parameter; `InputError` if there are as many as there are not parameters."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * parameters
    expected = f"one for all parameters, or {parameters}, one for each"
    require(len(values) == parameters, name, value, expected)
    return values
