"""The case files of a folder."""

from __future__ import annotations

from pathlib import Path

from meanfield_pde.case import load
from meanfield_pde.errors import InputError


def listing(folder: Path) -> str:
    """One line a case: its name and its title, or what is wrong with it.

    Raises
    ------
    InputError
        If there are no case files.
    """
    paths = sorted(path for path in folder.glob("*.toml") if path.is_file())
    if not paths:
        raise InputError(f"{folder}: expected a folder with case files (*.toml)")
    width = max(len(path.stem) for path in paths)
    return "\n".join(f"{path.stem:<{width}}  {_title(path)}" for path in paths)


def _title(path: Path) -> str:
    try:
        return load(path).title
    except InputError as error:
        return f"error: {str(error).removeprefix(f'{path}: ')}"
