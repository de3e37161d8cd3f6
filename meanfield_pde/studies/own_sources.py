"""The files of studies that a function is computed by, and their fingerprint.

The fingerprint of `results.provenance.code` leaves studies out, since results of runs do not depend
on them. What a study measures does: on its own file, and on those of studies that it imports; and
where one of these names cases, on the case files and their data in the current folder.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

STUDIES = Path(__file__).resolve().parent

PREFIX = "meanfield_pde.studies."

CASES = Path("cases")
"""Where case files are read from, in the current folder."""


def fingerprint(function: Callable[..., Any]) -> str:
    """SHA-256 of the files of studies, and of cases, that a function is computed by."""
    digest = hashlib.sha256()
    cases = case_files() if reads_cases(function) else {}
    sources = {path: path.read_bytes() for path in own_sources(Path(inspect.getfile(function)))}
    for path, content in {**sources, **cases}.items():
        digest.update(f"{path.name}\n".encode() + content + b"\0")
    return digest.hexdigest()


def reads_cases(function: Callable[..., Any]) -> bool:
    """Whether one of the files that a function is computed by names cases."""
    files = own_sources(Path(inspect.getfile(function)))
    return any(re.search(rb"\bcases\b", path.read_bytes()) for path in files)


def case_files() -> dict[Path, bytes]:
    """The case files in the current folder and their data, in order; none if there is no folder.

    One that cannot be read counts as empty: a claim that needs it says so when it is measured.
    """
    found = [*CASES.glob("*.toml"), *CASES.glob("data/*")]
    return {path: _content(path) for path in sorted(found) if path.is_file()}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def own_sources(start: Path) -> list[Path]:
    """A file of Python and all files of studies that it imports, directly or not, in order."""
    known: set[Path] = set()
    waiting = {start.resolve()}
    while waiting:
        path = waiting.pop()
        known.add(path)
        waiting |= _imported(path) - known
    return sorted(known)


def _imported(path: Path) -> set[Path]:
    """The files of studies that a file names in its imports, wherever in it they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    inside = [name.removeprefix(PREFIX).split(".") for name in names if name.startswith(PREFIX)]
    places = [STUDIES.joinpath(*parts) for parts in inside]
    files = [*(place.with_suffix(".py") for place in places), *(p / "__init__.py" for p in places)]
    return {file for file in files if file.is_file()}
