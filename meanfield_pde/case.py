"""Case files: TOML tables to frozen values to the objects of a run.

Physics in [unit] [target] [data] [loss] [penalty] (or [potential]) [space] [initial] [[terms]];
numerics in [method] [time] [output]; [accuracy] refines them until error bars are small enough;
[certificate] says over which measures the gap bounds E - min E;
[companion] is a second method, run on the same physics to be compared. Tables that come in kinds
name theirs in `kind`; the keys of a kind are the arguments of its class. Paths are relative to the
case file.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import tomli_w
from pydantic import ConfigDict, Discriminator, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from meanfield_pde.accuracy import Accuracy
from meanfield_pde.dynamics.birth_death import BirthDeath, Free, Reinjection
from meanfield_pde.dynamics.equation import Equation, Term
from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.certificate import Certificate
from meanfield_pde.problem.data import Data
from meanfield_pde.problem.energy import AnyEnergy, Energy, PotentialEnergy
from meanfield_pde.problem.laws import AnyLaw, Law, mass_outside
from meanfield_pde.problem.losses import Loss, Squared
from meanfield_pde.problem.penalties import Penalty
from meanfield_pde.problem.potentials import Potential
from meanfield_pde.problem.spaces import Space
from meanfield_pde.problem.targets import Target
from meanfield_pde.problem.units import Unit
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.fourier import Fourier
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.representations.particles import Particles
from meanfield_pde.schedules import AtTimes, EveryTime, Schedule
from meanfield_pde.timestepping.choices import check_particles, check_steps, default_splitting
from meanfield_pde.timestepping.splitting import Splitting
from meanfield_pde.timestepping.step_size import Controlled, Fixed, Step
from meanfield_pde.variations import Study

IN_TOML = {
    "a valid array": "a list",
    "a valid tuple": "a list",
    "an object": "a table such as {kind = ...}",
}
"""What the checker of types calls things, in words for a case file."""

Method = Annotated[FiniteVolumes | Characteristics | Fourier | Particles, Discriminator("kind")]


@dataclass(frozen=True)
class Time:
    """[time]: how long, and how the terms are split and how long a step is.

    Without `splitting` each method takes its own: Strang on grids, unsplit steps of order 8 along
    characteristics and for Fourier series. Particles always take the steps of their algorithm: a
    Lie splitting, transport first, of fixed dt.
    """

    t_end: float
    splitting: Splitting | None = None
    step: Step = Controlled()

    def __post_init__(self) -> None:
        require(self.t_end > 0, "t_end", self.t_end, "a positive time")


@dataclass(frozen=True)
class Output:
    """[output]: when scalars are recorded and snapshots saved, and which figures are drawn.

    Without `record` there are 100 records; without `save` 5 snapshots. `figures` lists formats.
    A relative `folder` is relative to the case file; without one it is output/ in the current
    folder.
    """

    folder: str | None = None
    record: Schedule | None = None
    save: Schedule | None = None
    figures: tuple[Literal["png", "pdf"], ...] = ("png", "pdf")


@validated(frozen=True, config=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
class Case:
    """A whole case file as values."""

    title: str
    space: Space
    initial: Law
    terms: tuple[Term, ...]
    method: Method
    time: Time
    unit: Unit | None = None
    target: Target | None = None
    data: Data | None = None
    loss: Loss = Squared()
    penalty: Penalty | None = None
    potential: Potential | None = None
    companion: Particles | None = None
    output: Output = field(default_factory=Output)
    study: Study | None = None
    accuracy: Accuracy | None = None
    certificate: Certificate = Certificate()
    folder: Annotated[str, Field(exclude=True)] = field(default=".", compare=False)

    def energy(self) -> AnyEnergy:
        """The energy of [potential], or of [unit], [target], [data], [loss] and [penalty]."""
        interacting = {"unit": self.unit, "target": self.target, "data": self.data}
        given = [name for name, value in interacting.items() if value is not None]
        given += ["loss"] * (self.loss != Squared()) + ["penalty"] * (self.penalty is not None)
        if self.potential is not None:
            if given:
                raise InputError(f"[potential] and [{given[0]}]: expected one or the other")
            return PotentialEnergy(self.potential, self.space)
        wanted = "[unit], [target] and [data], or [potential]"
        if not self.loss.needs_target:
            wanted = f"[unit] and [data] for the loss {self.loss.kind!r}"
            interacting.pop("target")
        missing = [name for name, value in interacting.items() if value is None]
        if missing:
            raise InputError(f"[{missing[0]}] is missing: expected {wanted}")
        return Energy(
            unit=self._located("[unit]", self.unit),
            target=self._located("[target]", self.target),
            data=self._located("[data]", self.data),
            space=self.space,
            loss=self._located("[loss]", self.loss),
            penalty=self._located("[penalty]", self.penalty),
        )

    def _located(self, where: str, value: Any) -> Any:
        """A value with its paths resolved and its functions loaded."""
        try:
            return value.located(self.folder) if hasattr(value, "located") else value
        except InputError as error:
            raise InputError(f"{where} {error}") from None

    def start(self) -> AnyLaw:
        """The initial law."""
        law: AnyLaw = self._located("[initial]", self.initial)
        return law

    @property
    def free(self) -> bool:
        """Whether nothing holds the mass."""
        return any(
            isinstance(term, BirthDeath) and isinstance(term.balance, Free) for term in self.terms
        )

    def _located_term(self, term: Term) -> Term:
        if isinstance(term, BirthDeath) and isinstance(term.balance, Reinjection):
            law = self._located("[terms] birth_death balance", term.balance.law)
            return replace(term, balance=replace(term.balance, law=law))
        return term

    def equation(self, method: Method) -> Equation:
        """The equation, its terms in the order in which the method takes them."""
        equation = Equation(self.energy(), map(self._located_term, self.terms))
        return equation.transport_first() if isinstance(method, Particles) else equation

    def numerics(self, method: Method) -> dict[str, Any]:
        """The keyword arguments of `evolve` for a method."""
        particles = isinstance(method, Particles)
        t_end, equation = self.time.t_end, self.equation(method)
        given = None if particles else self.time.splitting
        splitting = given or default_splitting(method.kind, equation)
        step = Fixed(method.dt) if isinstance(method, Particles) else self.time.step
        return {
            "splitting": splitting,
            "step": step.completed(splitting.embedded) if isinstance(step, Controlled) else step,
            "record": self.output.record or EveryTime(t_end / 100.0),
            "save": self.output.save or AtTimes(tuple(k * t_end / 4.0 for k in range(5))),
        }

    def validate(self) -> None:
        """Build everything that is cheap, so that what does not fit is found before a run."""
        energy = self.energy()
        try:
            self.certificate.check(energy, self.free)
        except InputError as error:
            raise InputError(f"[certificate] {error}") from None
        axes = self.space.axes
        laws = {"[initial]": self.start()}
        for term in map(self._located_term, self.terms):
            if isinstance(term, BirthDeath) and isinstance(term.balance, Reinjection):
                laws["[terms] birth_death balance"] = term.balance.law
        for where, law in laws.items():
            try:
                mass_outside(law, axes)
            except InputError as error:
                raise InputError(f"{where} {error}") from None
        if self.accuracy is not None:
            self._check_accuracy(self.accuracy)
        methods = [self.method] if self.companion is None else [self.method, self.companion]
        for method in methods:
            equation = self.equation(method)
            equation.require_until(self.time.t_end)
            numerics = self.numerics(method)
            try:
                method.check(axes)
            except InputError as error:
                raise InputError(f"[method] {error}") from None
            try:
                check_steps(method.kind, equation, numerics["splitting"], numerics["step"])
            except InputError as error:
                raise InputError(f"[time] {error}") from None
            if not isinstance(method, Particles):
                continue
            check_particles(equation, method)

    def _check_accuracy(self, accuracy: Accuracy) -> None:
        where, energy = "[accuracy] ", self.energy()
        pairs = zip(energy.parameters, self.space.axes, strict=True)
        walls = [name for name, axis in pairs if not axis.periodic]
        for name in accuracy.walls or ():
            expected = f"parameters with walls, among {', '.join(walls) or 'which there is none'}"
            require(name in walls, f"{where}walls", accuracy.walls, expected)
        predicted = "prediction" not in accuracy.observables or isinstance(energy, Energy)
        expected = "no prediction, which a fixed potential has not"
        require(predicted, f"{where}observables", accuracy.observables, expected)

    def files(self) -> list[str]:
        """Names of the files beside the case that it reads.

        Where it names functions, every module there counts: they may import each other.
        """
        tables = tomllib.loads(self.text())
        beside = Path(self.folder)
        named = {text for text in _texts(tables) if (beside / text).is_file()}
        if any(True for _ in _code(tables)):
            named |= {path.name for path in beside.glob("*.py")}
        return sorted(named)

    def text(self) -> str:
        """The case as TOML, with every default written out."""
        values = TypeAdapter(Case).dump_python(self, mode="json", exclude_none=True)
        return tomli_w.dumps(values)


def load(path: str | Path, settings: Iterable[str] = (), allow_code: bool = False) -> Case:
    """Read a case file and change single values of it.

    Parameters
    ----------
    path : path of a TOML file
    settings : "table.key=value" strings
        Values as in TOML; a bare word is a string. Terms are named by kind or by number
        ("terms.birth_death.alpha=2"). Setting a `kind` to another one empties that table first.
    allow_code : bool
        Whether functions that the case names ("module:name") may be loaded and run.

    Raises
    ------
    InputError
        One sentence naming file, table, key, value and what was expected.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text in UTF-8") from None
    return parse(text, str(path), settings, str(Path(path).parent), allow_code)


def parse(
    text: str,
    name: str,
    settings: Iterable[str] = (),
    folder: str = ".",
    allow_code: bool = False,
) -> Case:
    """Read a case from its text, with paths relative to a folder; see `load`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name}: is not valid TOML: {error}") from None
    for setting in settings:
        _set(tables, setting)
    if not allow_code:
        for where, reference in _code(tables):
            raise InputError(
                f"{name}: [{where}] function = {reference!r}: expected --allow-code on the command "
                "line (allow_code=True in Python), since it runs the code of that module"
            )
    # The folder of a case is not one of its keys.
    if "folder" in tables:
        raise InputError(f"{name}: folder: unknown key; did you mean [output] folder?")
    tables = {**tables, "folder": folder}
    try:
        case = TypeAdapter(Case).validate_json(json.dumps(tables, default=str))
    except ValidationError as error:
        raise InputError(f"{name}: {_sentence(error, tables)}") from None
    try:
        case.validate()
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return case


def _texts(tables: Any) -> Iterator[str]:
    """Every text in tables that may name a file."""
    if isinstance(tables, dict | list):
        for value in tables.values() if isinstance(tables, dict) else tables:
            yield from _texts(value)
    elif isinstance(tables, str) and tables.lower().endswith((".csv", ".npz")):
        yield tables


def _code(tables: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every table of kind "function": where it stands, and what it names."""
    if isinstance(tables, dict):
        if tables.get("kind") == "function":
            yield where, tables.get("function")
        for key, value in tables.items():
            yield from _code(value, f"{where}.{key}" if where else str(key))
    elif isinstance(tables, list):
        for index, value in enumerate(tables):
            yield from _code(value, f"{where}.{index}")


def _set(tables: dict[str, Any], setting: str) -> None:
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise InputError(f"--set {setting}: expected table.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table: Any = tables
    near: list[str] = []
    for depth, key in enumerate(keys[:-1]):
        if isinstance(table, list):
            named = {str(t.get("kind")): t for t in table if isinstance(t, dict)}
            numbered = {str(index): entry for index, entry in enumerate(table)}
            table = {**named, **numbered}.get(key)
            near = difflib.get_close_matches(key, named, n=1)
        elif isinstance(table, dict):
            table = table.setdefault(key, _fresh_table(keys[: depth + 1]))
        if not isinstance(table, dict | list):
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"--set {setting}: there is no table {key!r} in {path!r}{hint}")
    if isinstance(table, list):
        raise InputError(f"--set {setting}: expected {keys[-2]}.<kind or number>.key=value")
    if keys[-1] == "kind" and table.get("kind") != value:
        table.clear()
    table[keys[-1]] = value


def _fresh_table(keys: list[str]) -> dict[str, Any]:
    """What a table begins with that the file leaves out: the kind of its default, if it has one."""
    holders: list[Any] = [Case]
    kind = None
    for key in keys:
        entries = [entry for holder in holders for entry in fields(holder) if entry.name == key]
        kind = next((getattr(entry.default, "kind", None) for entry in entries), None)
        holders = _held(holders, key)
    return {} if kind is None else {"kind": kind}


def _sentence(error: ValidationError, tables: dict[str, Any]) -> str:
    """The first error as a sentence: table, key, value, what was expected."""
    details = error.errors(include_url=False)
    first = details[0]
    kind, context = first["type"], first.get("ctx", {})
    where, value = _locate(first["loc"], tables)
    if kind in ("missing", "missing_argument"):
        key = first["loc"][-1]
        return f"{where}{key}: is missing"
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        known = _known_keys(first["loc"][:-1])
        key = str(first["loc"][-1])
        near = difflib.get_close_matches(key, known, n=1)
        if len(first["loc"]) == 1:
            where = ""
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
        table = where.removesuffix(f"{key} ")
        return f"{table}{key}: unknown key; {hint}"
    if kind == "union_tag_not_found":
        return f"{where}kind: is missing"
    if kind == "union_tag_invalid":
        expected = context["expected_tags"].replace("'", "")
        near = difflib.get_close_matches(str(context["tag"]), expected.split(", "), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{where}kind = {context['tag']!r}: expected one of {expected}{hint}"
    if kind == "value_error":
        return f"{where}{context['error']}"
    same = [d["msg"] for d in details if _locate(d["loc"], tables)[0] == where]
    told = (m.removeprefix("Input should be ") for m in same)
    expected = " or ".join(dict.fromkeys(IN_TOML.get(m, m) for m in told))
    return f"{where}= {value!r}: expected {expected}"


def _locate(location: tuple[int | str, ...], tables: Any) -> tuple[str, Any]:
    """The part of an error's location that exists in the file, in words, and its value."""
    words, value = "", tables
    depth = 0
    for step in location:
        if isinstance(value, dict) and step in value:
            value = value[step]
            inner = isinstance(value, dict | list) and depth == 0
            words += f"[{step}] " if inner else f"{step} "
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
            name = value.get("kind", step) if isinstance(value, dict) else step
            words += f"{name} "
        else:
            continue
        depth += 1
    return words, value


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at an error's location."""
    tables: list[Any] = [Case]
    for step in location:
        tagged = [t for t in tables if getattr(t, "kind", None) == step]
        if tagged:
            tables = tagged
        elif isinstance(step, str):
            tables = _held(tables, step)
    return sorted({entry.name for table in tables for entry in fields(table)})


def _held(tables: list[Any], key: str) -> list[Any]:
    """The dataclasses that a key of these dataclasses may hold."""
    hints = [get_type_hints(table).get(key) for table in tables]
    return [inner for hint in hints for inner in _dataclasses_in(hint)]


def _dataclasses_in(hint: Any) -> list[Any]:
    if is_dataclass(hint):
        return [hint]
    return [inner for part in get_args(hint) for inner in _dataclasses_in(part)]
