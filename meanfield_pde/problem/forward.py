"""Forward differentiation of NumPy functions by dual numbers: arrays that carry their slopes.

Element by element, with the partial derivatives f_u, f_v of each function in one table::

    d f(u, v) = f_u du + f_v dv

At a kink each function takes the slope nearest to zero between its two one-sided slopes, the step a
gradient flow takes there: |u|, relu(u) = max(u, 0) and max(u, -u) have slope 0 at u = 0. Functions
that are piecewise constant have slope 0 everywhere, and `numpy.where` the slope of the branch it
takes. Where a slope is infinite (sqrt at 0) or undefined, it is inf or nan, without a warning.

Source: Griewank & Walther (2008), Evaluating Derivatives, chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray
from scipy import special

from meanfield_pde.errors import InputError, MeanFieldError

Array = NDArray[np.float64]
Partial = Callable[..., Any]


def _one(value: Array, *arguments: Array) -> float:
    return 1.0


def _power_in_base(value: Array, a: Array, b: Array) -> Array:
    # Where b = 0 the exponent b - 1 would make 0 * inf of a = 0; a scalar one keeps squares fast.
    exponent = np.where(b == 0.0, 1.0, b - 1.0)
    return b * a ** (exponent if exponent.ndim else float(exponent))


def _power_in_exponent(value: Array, a: Array, b: Array) -> Array:
    return value * np.log(np.where(a == 0.0, 1.0, a))


def _hypot_in(a: Array, value: Array) -> Array:
    return a / np.where(value == 0.0, 1.0, value)


PARTIALS: dict[np.ufunc, tuple[Partial, ...]] = {
    np.positive: (_one,),
    np.negative: (lambda v, a: -1.0,),
    np.add: (_one, _one),
    np.subtract: (_one, lambda v, a, b: -1.0),
    np.multiply: (lambda v, a, b: b, lambda v, a, b: a),
    np.divide: (lambda v, a, b: 1.0 / b, lambda v, a, b: -v / b),
    np.remainder: (_one, lambda v, a, b: -np.floor(a / b)),
    np.power: (_power_in_base, _power_in_exponent),
    np.float_power: (_power_in_base, _power_in_exponent),
    np.square: (lambda v, a: 2.0 * a,),
    np.sqrt: (lambda v, a: 0.5 / v,),
    np.cbrt: (lambda v, a: 1.0 / (3.0 * v * v),),
    np.reciprocal: (lambda v, a: -v * v,),
    np.absolute: (lambda v, a: np.sign(a),),
    np.fabs: (lambda v, a: np.sign(a),),
    np.hypot: (lambda v, a, b: _hypot_in(a, v), lambda v, a, b: _hypot_in(b, v)),
    np.exp: (lambda v, a: v,),
    np.exp2: (lambda v, a: math.log(2.0) * v,),
    np.expm1: (lambda v, a: v + 1.0,),
    np.log: (lambda v, a: 1.0 / a,),
    np.log2: (lambda v, a: 1.0 / (math.log(2.0) * a),),
    np.log10: (lambda v, a: 1.0 / (math.log(10.0) * a),),
    np.log1p: (lambda v, a: 1.0 / (1.0 + a),),
    np.logaddexp: (lambda v, a, b: np.exp(a - v), lambda v, a, b: np.exp(b - v)),
    np.sin: (lambda v, a: np.cos(a),),
    np.cos: (lambda v, a: -np.sin(a),),
    np.tan: (lambda v, a: 1.0 + v * v,),
    np.arcsin: (lambda v, a: 1.0 / np.sqrt((1.0 - a) * (1.0 + a)),),
    np.arccos: (lambda v, a: -1.0 / np.sqrt((1.0 - a) * (1.0 + a)),),
    np.arctan: (lambda v, a: 1.0 / (1.0 + a * a),),
    np.arctan2: (lambda v, a, b: b / (a * a + b * b), lambda v, a, b: -a / (a * a + b * b)),
    np.sinh: (lambda v, a: np.cosh(a),),
    np.cosh: (lambda v, a: np.sinh(a),),
    np.tanh: (lambda v, a: 1.0 - v * v,),
    np.arcsinh: (lambda v, a: 1.0 / np.sqrt(1.0 + a * a),),
    np.arccosh: (lambda v, a: 1.0 / np.sqrt((a - 1.0) * (a + 1.0)),),
    np.arctanh: (lambda v, a: 1.0 / ((1.0 - a) * (1.0 + a)),),
    special.expit: (lambda v, a: v * (1.0 - v),),
    special.log_expit: (lambda v, a: special.expit(-a),),
    special.erf: (lambda v, a: 2.0 / math.sqrt(math.pi) * np.exp(-a * a),),
    special.ndtr: (lambda v, a: np.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi),),
    special.i0e: (lambda v, a: special.i1e(a) - np.sign(a) * v,),
}
"""The partial derivatives of each function, from its value and its arguments."""

EXTREMES: dict[np.ufunc, np.ufunc] = {
    np.maximum: np.greater,
    np.minimum: np.less,
    np.fmax: np.greater,
    np.fmin: np.less,
}
"""Functions that choose an argument, with the comparison by which they do."""

FLAT: frozenset[np.ufunc] = frozenset(
    {
        np.sign,
        np.heaviside,
        np.floor,
        np.ceil,
        np.rint,
        np.floor_divide,
        np.less,
        np.less_equal,
        np.greater,
        np.greater_equal,
        np.equal,
        np.not_equal,
        np.isfinite,
        np.isnan,
    }
)
"""Piecewise constant functions; their results are plain arrays."""


def derivatives(
    function: Callable[..., Any], arguments: Sequence[Array], which: Sequence[int]
) -> tuple[Array, ...]:
    """Partial derivatives of a function of arrays, element by element.

    Parameters
    ----------
    function : callable
        Written with Python's operators, NumPy's functions and those of SciPy in `PARTIALS`.
    arguments : sequence of arrays
    which : sequence of int
        The positions of the arguments to differentiate in.

    Returns
    -------
    tuple of arrays
        One for each entry of `which`, of the shape of the function's result.

    Raises
    ------
    InputError
        If the function does anything else with these arguments.
    """
    given: list[Any] = [np.asarray(argument, dtype=np.float64) for argument in arguments]
    for k in which:
        given[k] = Dual(np.asarray(arguments[k], dtype=np.float64), {k: np.ones(())})
    try:
        with np.errstate(all="ignore"):
            result = function(*given)
    except (MeanFieldError, MemoryError):
        raise
    except Exception as error:
        name = getattr(function, "__name__", "the function")
        reason = " ".join(f"{type(error).__name__}: {error}".splitlines()[:1])
        raise _refused(f"{name} ({reason})") from error
    value, slopes = (result.value, result.slopes) if isinstance(result, Dual) else (result, {})
    shape = np.shape(value)
    return tuple(_of_shape(shape, slopes.get(k, np.zeros(()))) for k in which)


@dataclass(eq=False)
class Dual(NDArrayOperatorsMixin):
    """An array with its slopes in some directions, by number; the others are zero.

    Slopes broadcast to the shape of the value: one that does not vary is not stored in full.
    """

    value: Array
    slopes: dict[int, Array]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the value."""
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        """Of the value."""
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        """Of the value."""
        return np.size(self.value)

    def __getitem__(self, index: Any) -> Dual:
        slopes = {k: np.broadcast_to(s, self.shape)[index] for k, s in self.slopes.items()}
        return Dual(self.value[index], slopes)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (None,), **options: Any
    ) -> Any:
        target = out[0]
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if method != "__call__" or not (ufunc in PARTIALS or ufunc in EXTREMES or ufunc in FLAT):
            raise _refused(name)
        if options or not (target is None or isinstance(target, Dual)):
            raise _refused(f"{name} with out, where or another option")
        if ufunc in FLAT:
            result = Dual(ufunc(*map(_plain, inputs)), {})
            if target is None:
                return result.value
        else:
            result = _chosen(ufunc, *inputs) if ufunc in EXTREMES else _chained(ufunc, *inputs)
        if target is None:
            return result
        target.value, target.slopes = result.value, result.slopes
        return target

    def __array_function__(
        self, function: Callable[..., Any], types: Any, arguments: Any, options: Any
    ) -> Any:
        if function not in FUNCTIONS:
            raise _refused(f"{function.__module__}.{function.__name__}")
        return FUNCTIONS[function](*arguments, **options)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise _refused("a conversion to a plain array")

    def __bool__(self) -> bool:
        raise _refused("a truth value (if, and, or, not)")


def _chained(ufunc: np.ufunc, *inputs: Any) -> Dual:
    """d f(u, v) = f_u du + f_v dv."""
    plain = [_plain(given) for given in inputs]
    value = ufunc(*plain)
    slopes: dict[int, Array] = {}
    for partial, given in zip(PARTIALS[ufunc], inputs, strict=True):
        if isinstance(given, Dual) and given.slopes:
            factor = partial(value, *plain)
            for k, slope in given.slopes.items():
                term = slope if partial is _one else factor * slope
                slopes[k] = slopes[k] + term if k in slopes else term
    return Dual(value, slopes)


def _chosen(ufunc: np.ufunc, u: Any, v: Any) -> Dual:
    """The slope of the argument that is chosen; where both are, the flattest slope between."""
    a, b = _plain(u), _plain(v)
    first, second = EXTREMES[ufunc](a, b), EXTREMES[ufunc](b, a)
    du, dv = _slopes(u), _slopes(v)
    slopes = {}
    for k in du | dv:
        if k not in dv:
            slopes[k] = np.where(first, du[k], 0.0)
        elif k not in du:
            slopes[k] = np.where(second, dv[k], 0.0)
        else:
            low, high = np.minimum(du[k], dv[k]), np.maximum(du[k], dv[k])
            flattest = np.minimum(np.maximum(low, 0.0), high)
            slopes[k] = np.where(first, du[k], np.where(second, dv[k], flattest))
    return Dual(ufunc(a, b), slopes)


def _where(condition: Any, u: Any, v: Any) -> Dual:
    condition = condition.value if isinstance(condition, Dual) else condition
    du, dv = _slopes(u), _slopes(v)
    slopes = {k: np.where(condition, du.get(k, 0.0), dv.get(k, 0.0)) for k in du | dv}
    return Dual(np.where(condition, _plain(u), _plain(v)), slopes)


def _clip(u: Any, a_min: Any = None, a_max: Any = None) -> Any:
    above = u if a_min is None else np.maximum(u, a_min)
    return above if a_max is None else np.minimum(above, a_max)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: _where,
    np.clip: _clip,
    np.zeros_like: lambda u: np.zeros_like(u.value),
    np.ones_like: lambda u: np.ones_like(u.value),
}
"""What stands for the functions of NumPy that are not ufuncs."""


def _plain(given: Any) -> Array:
    return given.value if isinstance(given, Dual) else np.asarray(given, dtype=np.float64)


def _slopes(given: Any) -> dict[int, Array]:
    return given.slopes if isinstance(given, Dual) else {}


def _of_shape(shape: tuple[int, ...], slope: Array) -> Array:
    full = slope if np.shape(slope) == shape else np.broadcast_to(slope, shape)
    return np.require(full, np.float64, ["C", "W"])


def _refused(what: str) -> InputError:
    return InputError(
        f"{what} cannot be differentiated forward: expected operators and elementwise functions of "
        "NumPy; a gradient can be given instead"
    )
