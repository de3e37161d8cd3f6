"""A user's own Python functions: called with arrays, checked, differentiated.

A function may be written with NumPy, compiled by Numba, or be of another array library, as long as
it takes NumPy arrays and returns what NumPy can make an array of 64-bit floats. A derivative is
given, or taken forward through NumPy operations (`forward`).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, MeanFieldError, require
from meanfield_pde.problem.forward import derivatives

Array = NDArray[np.float64]


def as_floats(what: str, result: Any, shape: tuple[int, ...], whole: bool = True) -> Array:
    """What a user's function returned as an array of floats of a shape.

    Unless `whole`, axes of length one will do, and a number: of a constant derivative.

    Raises
    ------
    InputError
        If it is none, or has less than 64 bits: errors of 1e-7 would look like the solver's.
    """
    array = np.asarray(result)
    if array.dtype not in (np.float64, np.int64, np.bool_):
        hint = " (in JAX: jax_enable_x64)" if array.dtype == np.float32 else ""
        raise InputError(f"{what} returned {array.dtype}: expected 64-bit floats{hint}")
    fits = array.shape == shape
    if not (fits or whole):
        pairs = zip(array.shape, shape, strict=False)
        fits = array.ndim == 0 or (array.ndim == len(shape) and all(n in (1, m) for n, m in pairs))
    if not fits:
        raise InputError(f"{what} returned shape {array.shape}: expected {shape}")
    return np.broadcast_to(array.astype(np.float64, copy=False), shape)


@dataclass(frozen=True)
class Own:
    """A function of arrays and its partial derivatives, under the name they have in messages."""

    name: str
    function: Callable[..., Any]
    gradient: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        require(callable(self.function), f"the {self.name}", self.function, "a function")
        given = self.gradient is None or callable(self.gradient)
        require(given, f"the gradient of the {self.name}", self.gradient, "a function")

    def value(self, arguments: Sequence[Array], shape: tuple[int, ...]) -> Array:
        """The function, of a shape."""
        return as_floats(f"the {self.name}", self._call(self.function, arguments), shape)

    def derivative(
        self, arguments: Sequence[Array], which: int, component: int, shape: tuple[int, ...]
    ) -> Array:
        """The derivative in argument `which`, component `component` of a given gradient."""
        if self.gradient is None:
            (result,) = self._call(
                lambda *given: derivatives(self.function, given, (which,)), arguments
            )
        else:
            result = self._call(self.gradient, arguments)
            if isinstance(result, tuple | list):
                enough = len(result) > component
                what = f"the gradient of the {self.name}"
                require(enough, what, f"{len(result)} arrays", "one for each parameter")
                result = result[component]
            else:
                require(component == 0, f"the gradient of the {self.name}", "one array", "a tuple")
        return as_floats(f"the gradient of the {self.name}", result, shape, whole=False)

    def _call(self, function: Callable[..., Any], arguments: Sequence[Array]) -> Any:
        try:
            return function(*(_read_only(argument) for argument in arguments))
        except MeanFieldError:
            raise
        except (Exception, SystemExit) as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise InputError(
                f"the {self.name} failed on arrays of shapes "
                f"{', '.join(str(np.shape(a)) for a in arguments)}: {text}"
            ) from error


def _read_only(array: Array) -> Array:
    """A view that a function cannot write through."""
    view = array.view()
    view.setflags(write=False)
    return view


def load_function(reference: str, folder: str | Path) -> Callable[..., Any]:
    """The function "module:name" of module.py in a folder, or of an installed module.

    Raises
    ------
    InputError
        If there is none, or loading it fails.
    """
    module_name, colon, name = reference.partition(":")
    if not (colon and module_name and name):
        raise InputError(f"function = {reference!r}: expected 'module:name'")
    path = Path(folder) / f"{module_name}.py"
    try:
        module = _module(path) if path.is_file() else importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"function = {reference!r}: cannot be loaded ({text})") from None
    function = getattr(module, name, None)
    if not callable(function):
        raise InputError(f"function = {reference!r}: the module has no function {name!r}")
    return function


def _module(path: Path) -> Any:
    return _loaded(path, path.read_bytes())


@lru_cache(maxsize=64)
def _loaded(path: Path, source: bytes) -> Any:
    """A module run once for the same text."""
    # Under a name of its own, so that no file can take the place of an installed module.
    name = f"own_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Compilers look a function's module up by its name.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module
