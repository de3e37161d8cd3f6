"""Wall time per part of the work, and what the compiler took of it, apart."""

from __future__ import annotations

from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

from numba.core import event

Seconds = MutableMapping[str, float]
"""Wall time per part of the work; under "compilation" what kernels and own functions took."""


class _Compiler(event.Listener):
    """Adds up the time between the start and the end of compilations, which may be nested."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._start = 0.0

    def on_start(self, event: Any) -> None:
        if self._depth == 0:
            self._start = perf_counter()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += perf_counter() - self._start


class clocked:
    """Add the wall time of a block to `seconds`, under its part and under "compilation"."""

    __slots__ = ("_compiler", "_part", "_seconds", "_start")

    def __init__(self, part: str, seconds: Seconds) -> None:
        self._part, self._seconds = part, seconds

    def __enter__(self) -> None:
        self._compiler = _Compiler()
        event.register("numba:compile", self._compiler)
        self._start = perf_counter()

    def __exit__(self, *error: object) -> None:
        elapsed = perf_counter() - self._start
        event.unregister("numba:compile", self._compiler)
        spent, seconds = self._compiler.seconds, self._seconds
        seconds[self._part] = seconds.get(self._part, 0.0) + elapsed - spent
        if spent > 0.0:
            seconds["compilation"] = seconds.get("compilation", 0.0) + spent
