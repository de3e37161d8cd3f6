"""What is known of a claim: numbers with bars, curves, sentences, and the file that keeps them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError
from meanfield_pde.results.disk import replaced

Array = NDArray[np.float64]

FORMAT = "meanfield_pde evidence, version 1"
"""The attribute `format` of the files."""

Relation = Literal["=", "<", ">", ""]

RELATIONS = {"=": "", "<": "less than ", ">": "more than ", "": ""}


@dataclass(frozen=True)
class Number:
    """A measured number, and what a claim says of it.

    Attributes
    ----------
    what : str
        In words and symbols, such as "alpha t E, 3 atoms".
    value, bar : float
        Measured, and how far it may be off: solver, fit and window together.
    expected : float
        What the claim says; nan where it says nothing.
    relation : "=", "<", ">" or ""
        How the value should stand to what is expected: equal within its bar, which must be finite,
        less or more than it by more than its bar; without a relation the number is only told.
    """

    what: str
    value: float
    bar: float
    expected: float = float("nan")
    relation: Relation = ""

    @property
    def holds(self) -> bool:
        """Whether it stands as it should."""
        if self.relation == "=":
            return math.isfinite(self.bar) and abs(self.value - self.expected) <= self.bar
        if self.relation == "<":
            return self.value + self.bar < self.expected
        if self.relation == ">":
            return self.value - self.bar > self.expected
        return True


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was measured of one claim.

    Attributes
    ----------
    claim : str
        Its name.
    numbers : tuple of Number
        The first is the one a table of claims shows.
    curves : mapping of str to array
        What its figure draws.
    sentences : tuple of str
        What was found, for a reader of the figure.
    quick : bool
        Whether from smaller sizes.
    attributes : mapping
        How it was made: versions, commit, command, seconds.
    """

    claim: str
    numbers: tuple[Number, ...]
    curves: Mapping[str, Array]
    sentences: tuple[str, ...]
    quick: bool
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> list[Number]:
        """The numbers of which the claim says something."""
        return [number for number in self.numbers if number.relation]

    @property
    def holds(self) -> bool:
        """Whether there are such numbers, and all of them stand as the claim says."""
        return bool(self.judged) and all(number.holds for number in self.judged)

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.judged:
            return "nothing judged"
        off = sum(not number.holds for number in self.judged)
        return "holds" if not off else f"{off} of {len(self.judged)} numbers are off"


def write_evidence(evidence: Evidence, path: Path) -> Path:
    """Write one HDF5 file; see `replaced` for what may be raised."""
    told = [asdict(number) for number in evidence.numbers]
    with replaced(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["claim"] = evidence.claim
        file.attrs["quick"] = evidence.quick
        file.attrs["numbers"] = json.dumps(told)
        file.attrs["sentences"] = json.dumps(evidence.sentences)
        file.attrs["attributes"] = json.dumps(dict(evidence.attributes))
        for name, values in evidence.curves.items():
            file.create_dataset(f"curves/{name}", data=np.asarray(values, dtype=float))
    return path


def _curves(file: h5py.File) -> dict[str, Array]:
    """All data sets under `curves`, by names that may have parts."""
    found: dict[str, Array] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item, dtype=float)

    if "curves" in file:
        group = file["curves"]
        _require(isinstance(group, h5py.Group))
        group.visititems(keep)
    return found


def _require(fits: bool) -> None:
    """Raise `TypeError` if a part of a file is not of its type."""
    if not fits:
        raise TypeError("not of its type")


def _loaded(text: Any, kind: type) -> Any:
    """A value written as JSON, of a kind, whose texts can be written again."""
    value = json.loads(text)
    _require(isinstance(value, kind))
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _number(told: dict[str, Any]) -> Number:
    """A number from its attributes by name."""
    number = Number(**told)
    sizes = (number.value, number.bar, number.expected)
    _require(isinstance(number.what, str) and number.relation in RELATIONS)
    _require(all(isinstance(n, int | float) and not isinstance(n, bool) for n in sizes))
    value, bar, expected = map(float, sizes)
    return Number(number.what, value, bar, expected, number.relation)


def _sentences(told: list[Any]) -> tuple[str, ...]:
    _require(all(isinstance(sentence, str) for sentence in told))
    return tuple(told)


def read_evidence(path: Path) -> Evidence:
    """Read such a file.

    Raises
    ------
    InputError
        If it is not one, or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise InputError(f"{path}: is not a file of evidence for a claim")
            attributes = {name: file.attrs[name] for name in file.attrs}
            curves = _curves(file)
        _require(isinstance(attributes["quick"], bool | np.bool_))
        return Evidence(
            claim=str(attributes["claim"]),
            numbers=tuple(map(_number, _loaded(attributes["numbers"], list))),
            curves=curves,
            sentences=_sentences(_loaded(attributes["sentences"], list)),
            quick=bool(attributes["quick"]),
            attributes=_loaded(attributes["attributes"], dict),
        )
    except (OSError, KeyError, ValueError, TypeError, OverflowError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read as evidence for a claim") from None
