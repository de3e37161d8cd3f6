"""Formulas a user writes as text, such as "c*exp(-(x - y)**2)": parsed, checked, evaluated.

Text becomes a tree of numbers, variables and the functions listed here, and nothing else: it is
parsed by Python's grammar, and whatever is not on these lists is refused. It never becomes code.

    numbers     2, 0.5, 1e-3; pi and e
    operators   + - * / **
    functions   those of `FUNCTIONS`, with NumPy's names and meanings
    choices     where(x < y, a, b), by one comparison < <= > >=
"""

from __future__ import annotations

import ast
import difflib
import math
import re
import string
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from keyword import iskeyword
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import special

from meanfield_pde.errors import InputError, require, require_type
from meanfield_pde.problem import forward

Array = NDArray[np.float64]

CONSTANTS = {"pi": math.pi, "e": math.e}

FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "abs": (np.absolute, 1),
    "arccos": (np.arccos, 1),
    "arcsin": (np.arcsin, 1),
    "arctan": (np.arctan, 1),
    "arctan2": (np.arctan2, 2),
    "cos": (np.cos, 1),
    "cosh": (np.cosh, 1),
    "erf": (special.erf, 1),
    "exp": (np.exp, 1),
    "expit": (special.expit, 1),
    "expm1": (np.expm1, 1),
    "log": (np.log, 1),
    "log1p": (np.log1p, 1),
    "max": (np.maximum, 2),
    "min": (np.minimum, 2),
    "relu": (partial(np.maximum, 0.0), 1),
    "sigmoid": (special.expit, 1),
    "sign": (np.sign, 1),
    "sin": (np.sin, 1),
    "sinh": (np.sinh, 1),
    "softplus": (partial(np.logaddexp, 0.0), 1),
    "sqrt": (np.sqrt, 1),
    "tan": (np.tan, 1),
    "tanh": (np.tanh, 1),
    "where": (np.where, 3),
}
"""The functions of formulas, with their number of arguments."""

OPERATORS: dict[type[ast.AST], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}

PARTS = "numbers, variables, functions, + - * / ** and one comparison in where(x < y, a, b)"
LONGEST = 1000
MOST_NODES = 300
DEEPEST = 40
CHARACTERS = frozenset(string.ascii_letters + string.digits + "_ .,+-*/()<>=")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

BLOCK = 32768
"""Entries evaluated at a time: intermediate arrays stay in cache."""


@dataclass(frozen=True)
class Formula:
    """A formula in variables.

    Parameters
    ----------
    expression : str
        At most `LONGEST` characters in one line.
    variables : tuple of str
        The names that may stand in it.

    Raises
    ------
    InputError
        If the expression is no formula in these variables, or a constant in it is not finite.
    """

    expression: str
    variables: tuple[str, ...]

    def __post_init__(self) -> None:
        require_type("formula", self.expression, str, "text")
        taken = {*CONSTANTS, *FUNCTIONS}
        require_type("variables", self.variables, tuple, "a tuple of names")
        for name in self.variables:
            letters = isinstance(name, str) and NAME.fullmatch(name) is not None
            usable = letters and not iskeyword(name) and name not in taken
            expected = "letters, digits and _, and no constant, function or word of Python"
            require(usable, "variable", name, expected)
        unique = len(set(self.variables)) == len(self.variables)
        require(unique, "variables", self.variables, "each name once")
        _ = self._tree

    @cached_property
    def _tree(self) -> _Node:
        return _Reader(self.expression, self.variables).tree()

    def value(self, arguments: Sequence[Array]) -> Array:
        """The formula at arrays, one a variable in their order, of their common shape.

        It is inf or nan where the formula is not defined, without a warning.
        """
        (value,) = self._in_blocks(lambda *given: (self._tree.at(given),), arguments, 1)
        return value

    def derivatives(self, arguments: Sequence[Array], names: Sequence[str]) -> tuple[Array, ...]:
        """Partial derivatives in the variables of these names, each of the common shape.

        At kinks, and where the formula is not defined: see `forward`.
        """
        for name in names:
            require(name in self.variables, "name", name, f"one of {', '.join(self.variables)}")
        which = [self.variables.index(name) for name in names]
        return self._in_blocks(
            lambda *given: forward.derivatives(lambda *duals: self._tree.at(duals), given, which),
            arguments,
            len(which),
        )

    def _in_blocks(
        self, function: Callable[..., Sequence[Any]], arguments: Sequence[Array], count: int
    ) -> tuple[Array, ...]:
        expected = f"{len(self.variables)}, one a variable"
        require(len(arguments) == len(self.variables), "arguments", len(arguments), expected)
        arrays = [np.asarray(argument, dtype=np.float64) for argument in arguments]
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        results = tuple(np.empty(shape or (1,)) for _ in range(count))
        length = shape[-1] if shape else 1
        width = max(1, BLOCK * length // max(1, math.prod(shape)))
        for start in range(0, length, width):
            block = slice(start, start + width)
            given = [a[..., block] if a.ndim and a.shape[-1] > 1 else a for a in arrays]
            with np.errstate(all="ignore"):
                for result, part in zip(results, function(*given), strict=True):
                    result[..., block] = part
        return tuple(result.reshape(shape) for result in results)

    def __str__(self) -> str:
        return self.expression


@lru_cache(maxsize=256)
def parsed(expression: str, variables: tuple[str, ...]) -> Formula:
    """A formula, parsed once for the same text."""
    return Formula(expression, variables)


@dataclass(frozen=True)
class _Number:
    value: float

    def at(self, arguments: Sequence[Any]) -> Any:
        return self.value


@dataclass(frozen=True)
class _Variable:
    index: int

    def at(self, arguments: Sequence[Any]) -> Any:
        return arguments[self.index]


@dataclass(frozen=True)
class _Call:
    function: Callable[..., Any]
    operands: tuple[_Node, ...]

    def at(self, arguments: Sequence[Any]) -> Any:
        return self.function(*[operand.at(arguments) for operand in self.operands])


_Node = _Number | _Variable | _Call


@dataclass(frozen=True)
class _Reader:
    """From text to tree, or to the sentence that says why not."""

    expression: str
    variables: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.expression.strip()

    def tree(self) -> _Node:
        syntax = self.syntax()
        count = sum(isinstance(node, ast.expr) for node in ast.walk(syntax))
        if count > MOST_NODES:
            self.refuse(f"at most {MOST_NODES} numbers, names and operations", str(count))
        return self.node(syntax, 0)

    def syntax(self) -> ast.expr:
        length = len(self.expression)
        if length > LONGEST:
            self.refuse(f"at most {LONGEST} characters", str(length))
        for character in self.expression:
            if character not in CHARACTERS:
                expected = "** for powers" if character == "^" else "letters, digits, _.,+-*/()<>="
                self.refuse(expected, f"the character {character!r} (U+{ord(character):04X})")
        if not self.text:
            self.refuse(PARTS, "nothing")
        try:
            with warnings.catch_warnings(action="ignore"):
                return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            reason = f"{error.msg.partition('.')[0]} at character {error.offset}"
        except (MemoryError, RecursionError):
            reason = "too many parentheses or signs inside each other"
        self.refuse("a formula such as 'c*exp(-(x - y)**2)'", reason)

    def node(self, node: ast.expr, depth: int) -> _Node:
        if depth > DEEPEST:
            self.refuse(f"at most {DEEPEST} operations inside each other", "more")
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                largest = float(np.finfo(np.float64).max)
                return self.number(node, float(number) if number <= largest else math.inf)
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return self.call(node, OPERATORS[type(op)], self.node(operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                # A sum of many terms is deep on its left, and no harder to read for it.
                sides = self.node(left, depth), self.node(right, depth + 1)
                return self.call(node, OPERATORS[type(op)], *sides)
            case ast.Call():
                return self.function(node, depth)
        self.refuse(PARTS, repr(self.part(node)))

    def name(self, name: str) -> _Node:
        if name in self.variables:
            return _Variable(self.variables.index(name))
        if name in CONSTANTS:
            return _Number(CONSTANTS[name])
        if name in FUNCTIONS:
            self.refuse(f"arguments after it, {name}(...)", f"the function {name!r} alone")
        known = (*self.variables, *CONSTANTS)
        expected = f"one of the names {', '.join(known)}"
        self.refuse(expected, f"the name {name!r}{_hint(name, (*known, *FUNCTIONS))}")

    def function(self, node: ast.Call, depth: int) -> _Node:
        name = self.part(node.func)
        if name not in FUNCTIONS:
            expected = f"a function ({', '.join(FUNCTIONS)}), or * between factors"
            self.refuse(expected, f"{name!r} before a parenthesis{_hint(name, tuple(FUNCTIONS))}")
        function, count = FUNCTIONS[name]
        if len(node.args) != count or node.keywords:
            expected = f"{count} argument{'s' if count > 1 else ''} of {name}"
            self.refuse(expected, repr(self.part(node)))
        read = [self.condition if name == "where" else self.node, self.node, self.node]
        operands = [one(given, depth + 1) for one, given in zip(read, node.args, strict=False)]
        return self.call(node, function, *operands)

    def condition(self, node: ast.expr, depth: int) -> _Node:
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
                sides = self.node(left, depth + 1), self.node(right, depth + 1)
                return _Call(OPERATORS[type(op)], sides)
        self.refuse(
            "one comparison first in where, such as where(x < y, a, b)", repr(self.part(node))
        )

    def call(self, node: ast.expr, function: Callable[..., Any], *operands: _Node) -> _Node:
        values = [operand.value for operand in operands if isinstance(operand, _Number)]
        if len(values) < len(operands):
            return _Call(function, operands)
        with np.errstate(all="ignore"):
            return self.number(node, float(function(*values)))

    def number(self, node: ast.expr, value: float) -> _Node:
        if not math.isfinite(value):
            self.refuse("finite numbers", f"{self.part(node)!r}, which is {value}")
        return _Number(value)

    def part(self, node: ast.expr) -> str:
        return _short(self.text[node.col_offset : node.end_col_offset])

    def refuse(self, expected: str, found: str) -> NoReturn:
        formula = _short(self.expression)
        raise InputError(f"formula = {formula!r}: expected {expected}; found {found}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
