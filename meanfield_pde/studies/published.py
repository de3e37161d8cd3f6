r"""The runs that were published, 100 times: energies of 200 particles beside the mean field.

Run A starts from full support, run B from the bad initialisation; N = 200, dt = 0.01. A particle is
killed or cloned with probability 0.05 |V| a step, that is alpha = 5; the number is brought back to
N uniformly or by rebirth from y ~ N(0, 1), c = 0. The last 1000 steps are plain gradient descent.

Two things keep 200 particles from the mean field of run B. Birth and death lift the tails of its
start, and 200 draws have none: their mean field is that of a law cut where one draw of 200 is
expected. And where a step has less than one event, N alpha |V| dt < 1, every death is a rebirth and
every birth takes a particle from everywhere, so that neurons are reborn at the rate of the deaths,

    d_t mu = div(mu grad V) - alpha V mu - alpha <max(-V, 0)> mu + alpha <max(V, 0)> mu_b,

and not at alpha <V>, as under (D).

Source: the notebooks at github.com/rotskoff/neuron-birth-death; what they printed is read off the
figures stored in their revisions 822e6b3, 74706d5 and 4aa32fe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from meanfield_pde.dynamics.birth_death import Balance, BirthDeath, Mean, Reinjection
from meanfield_pde.dynamics.coefficients import PiecewiseLinear
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.plotting.published import MeanFieldCurve, Panel, save_published_figure
from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.laws import Law, ProductLaw
from meanfield_pde.representations.characteristics import Characteristics, CharacteristicsMeasure
from meanfield_pde.representations.initial_nodes import log_sum, tensor_log_weights, tensor_points
from meanfield_pde.representations.particles import Particles
from meanfield_pde.representations.rules import GaussPanels
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.studies import ancestors, paper
from meanfield_pde.studies.plateau import LEVEL, first_below
from meanfield_pde.studies.readings import (
    BAD,
    DESCENT,
    FULL,
    PRINTED_CONSTANT,
    PUBLISHED,
    READ_TO,
    REBORN,
    UNIFORM,
)
from meanfield_pde.studies.tables import table
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.splitting import Splitting, Strang
from meanfield_pde.timestepping.step_size import Fixed, Step

Array = NDArray[np.float64]

NUMBER, DT = 200, 0.01

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the quantiles over seeds."""

CHUNK = 5
"""Seeds a process is given at a time."""

CORNER = 1e-6
"""Before the quench, alpha falls to zero within this time."""

CHARGES, LOCATIONS = 12.0, 8.0
"""Walls that no particle meets."""

LIMIT_DT = 0.02
"""Of the mean field, where it has fixed steps."""

SCHEMES: dict[str, Balance | None] = {
    DESCENT: None,
    UNIFORM: Mean(),
    REBORN: Reinjection(paper.REBORN),
}


@dataclass(frozen=True)
class Setting:
    """A run that was published.

    Attributes
    ----------
    name : str
    law : ProductLaw
    t_end, quench : float
        Birth and death end at the time `quench`.
    interval : float
        Between records.
    """

    name: str
    law: ProductLaw
    t_end: float
    quench: float
    interval: float

    def equation(self, energy: AnyEnergy, balance: Balance | None) -> Equation:
        """Transport, then birth and death until the quench."""
        if balance is None:
            return Equation(energy, [Transport()])
        return Equation(energy, [Transport(), BirthDeath(self.alpha, balance)])

    @property
    def alpha(self) -> PiecewiseLinear:
        """Such that a step that begins at the quench is of plain gradient descent."""
        return PiecewiseLinear((self.quench - CORNER, self.quench), (paper.ALPHA, 0.0))

    @property
    def times(self) -> Array:
        """Of the records."""
        return np.array(EveryTime(self.interval).times(self.t_end))


RUN_A = Setting(FULL, paper.FULL_SUPPORT, 30.0, 20.0, 0.1)
RUN_B = Setting(BAD, paper.BAD_INITIALISATION, 100.0, 90.0, 0.25)

SHOWN = {
    RUN_A.name: (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0),
    RUN_B.name: (1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0, 90.0, 100.0),
}
"""Times of the tables."""

NODES = Characteristics((64, 64), redistribute=None, picture=0)
REBIRTH = Characteristics((24, 4), reach=6.0, redistribute=None, picture=0)
PANELS = ancestors.Panels(core=(5, 16))


def offset() -> float:
    """How much less than E the notebooks print."""
    energy = paper.energy()
    exact = 0.5 * float(np.sum(energy.data_weights * energy.target_values**2))
    return exact - PRINTED_CONSTANT


@dataclass(frozen=True)
class Chunk:
    """Some seeds of one scheme of one run."""

    setting: Setting
    scheme: str
    seeds: tuple[int, ...]


def energies(chunk: Chunk) -> Array:
    """E of each seed at the records, (seeds, times)."""
    energy = paper.energy(CHARGES, LOCATIONS)
    equation = chunk.setting.equation(energy, SCHEMES[chunk.scheme])
    rows = []
    for seed in chunk.seeds:
        mu = Particles(NUMBER, DT, seed, "notebook").project(chunk.setting.law, energy.space)
        record = EveryTime(chunk.setting.interval)
        rows.append(solve(equation, mu, chunk.setting.t_end, record=record, save=AtTimes(())))
    return np.array([solution.energy for solution in rows])


Ensembles = dict[tuple[str, str], Array]
"""By run and scheme: (seeds, times)."""


def ensembles(settings: Sequence[Setting], seeds: int) -> Ensembles:
    """All runs, the same draws for all schemes."""
    from tqdm import tqdm

    chunks = [
        Chunk(setting, scheme, tuple(range(first, min(first + CHUNK, seeds))))
        for setting in settings
        for scheme in SCHEMES
        for first in range(0, seeds, CHUNK)
    ]
    with tqdm(total=len(chunks) * CHUNK, desc="runs", disable=None) as bar:
        answers = all_answers(energies, chunks, lambda answer: bar.update(len(answer)))
    found: dict[tuple[str, str], list[Array]] = {}
    for answer, chunk in zip(answers, chunks, strict=True):
        found.setdefault((chunk.setting.name, chunk.scheme), []).append(answer)
    return {key: np.concatenate(parts) for key, parts in found.items()}


def leaving_times(time: Array, energy: Array) -> Array:
    """When E (seeds, times) first falls below `LEVEL`, linear between records; or infinity."""
    return np.array([first_below(time, row) for row in energy])


def mean_field(
    setting: Setting,
    balance: Balance | None,
    mu: CharacteristicsMeasure,
    energy: AnyEnergy,
    splitting: Splitting | None = None,
    step: Step | None = None,
) -> Array:
    """E at the records, along characteristics from mu."""
    return solve(
        setting.equation(energy, balance),
        mu,
        setting.t_end,
        splitting=splitting,
        step=step,
        record=EveryTime(setting.interval),
        save=AtTimes(()),
    ).energy


def each_death_reborn(
    setting: Setting, law: Law, mu: CharacteristicsMeasure, energy: AnyEnergy, dt: float
) -> Array:
    """E at the records where steps have less than one event; transport, then births and deaths.

    A measure of mass 1. Of first order in dt.
    """
    transport, alpha = Transport(), setting.alpha
    landscape = mu.landscape(energy)
    found, time = [landscape.at(mu).energy], 0.0
    for record in setting.times[1:]:
        steps = max(1, round((record - time) / dt))
        length = (record - time) / steps
        for moment in time + length * np.arange(steps):
            moved = transport.flow(mu, landscape, float(moment), length).measure
            mu = cast(CharacteristicsMeasure, moved)
            exposure = float(alpha.at(np.array([moment]))[0]) * length
            field = landscape.at(mu)
            if exposure > 0.0:
                born, _ = mu.born(law, field)
                gained = float(mu.values @ np.maximum(-field.potential, 0.0))
                left = mu.reweighted(field.potential, -exposure, shift=-gained)
                mu = left.injected(born, 1.0 - left.mass).maintained(field)
        time = float(record)
        found.append(landscape.at(mu).energy)
    return np.array(found)


def likely_reach() -> float:
    """The deviation beyond which one of 200 normal draws is expected: 2.81."""
    return float(ndtri(1.0 - 0.5 / NUMBER))


def cut_law(setting: Setting, energy: Energy) -> CharacteristicsMeasure:
    """The start of a run within `likely_reach`, its density there unchanged, of mass 1."""
    reach = likely_reach()
    uniform = setting.law == paper.FULL_SUPPORT
    half = 2.0 if uniform else ancestors.DEVIATION * reach
    middle = 0.0 if uniform else ancestors.MEAN
    rules = (
        GaussPanels(np.linspace(middle - half, middle + half, 5), 10),
        GaussPanels(np.linspace(-reach, reach, 7), 10),
    )
    points = tensor_points(rules)
    location, charge = points.T
    steepness = 0.0 if uniform else ancestors.DEVIATION**-2
    log_density = -0.5 * (charge**2 + steepness * (location - middle) ** 2)
    log_masses = tensor_log_weights(rules) + log_density
    return CharacteristicsMeasure(
        axes=energy.space.axes,
        rules=(rules,),
        points=points,
        log_masses=log_masses - log_sum(log_masses),
        method=REBIRTH,
    )


def mean_fields(setting: Setting, scheme: str) -> Iterator[MeanFieldCurve]:
    """The curves of a panel, the exact mean field first."""
    energy = ancestors.energy()
    balance = SCHEMES[scheme]
    curves: dict[str, Array] = {}
    if setting.law == paper.FULL_SUPPORT:
        mu = NODES.project(setting.law, energy.space)
        # <V> <= 0 all along: nothing is reborn in the mean field.
        balance = Mean() if balance is not None else None
        curves["exact"] = mean_field(setting, balance, mu, energy)
    else:
        curves["exact"] = _from_bad_initialisation(setting, balance, energy, LIMIT_DT)
    if balance is not None:
        cut = cut_law(setting, energy)
        steps = (
            (Strang(), Fixed(2.0 * LIMIT_DT)) if isinstance(balance, Reinjection) else (None, None)
        )
        curves["cut law"] = mean_field(setting, balance, cut, energy, *steps)
    if scheme == REBORN:
        each = each_death_reborn(setting, paper.REBORN, cut, energy, LIMIT_DT)
        curves["each death reborn"] = each
    for words, values in curves.items():
        yield MeanFieldCurve(words, setting.times, values)


def _from_bad_initialisation(
    setting: Setting, balance: Balance | None, energy: Energy, dt: float
) -> Array:
    """On the whole plane; with all of the tails that (C) lifts, see `studies.ancestors`."""
    if isinstance(balance, Mean):
        line = ancestors.History.of(PANELS, energy).line
        mu = ancestors.ancestors(PANELS, energy, line)
        return mean_field(setting, balance, mu, energy, step=ancestors.TOLERANCE)
    mu = replace(ancestors.core(PANELS, energy), method=REBIRTH)
    if balance is None:
        return mean_field(setting, balance, mu, energy)
    return mean_field(setting, balance, mu, energy, Strang(), Fixed(2.0 * dt))


def panel(setting: Setting, scheme: str, runs: Array) -> Panel:
    """What a panel of the figure shows."""
    readings = PUBLISHED[setting.name, scheme]
    printed = np.array([[t, e] for t, row in readings.items() for e in row]).T
    printed = printed[:, (printed[1] > READ_TO) & (printed[0] <= setting.t_end)]
    return Panel(
        title=f"{setting.name}, {scheme}",
        time=setting.times,
        quantiles=np.quantile(runs, LEVELS, axis=0),
        curves=list(mean_fields(setting, scheme)),
        published=printed + np.array([[0.0], [offset()]]),
        offset=offset(),
        quench=np.inf if scheme == DESCENT else setting.quench,
    )


def energy_table(setting: Setting, scheme: str, drawn: Panel) -> str:
    """Quantiles over seeds, the mean field, and what was printed, at some times."""
    shown = [t for t in SHOWN[setting.name] if t <= setting.t_end]
    readings = PUBLISHED[setting.name, scheme]
    rows = []
    for t in shown:
        low, median, high = (np.interp(t, drawn.time, drawn.quantiles[k]) for k in (0, 2, 4))
        printed = [f"{e:.4f}" for e in readings.get(t, ()) if np.isfinite(e)]
        numbers = [median, low, high, *(np.interp(t, c.time, c.values) for c in drawn.curves)]
        rows.append([f"{t:g}", *(f"{x:.3e}" for x in numbers), " ".join(printed)])
    header = ["t", "median", "5 %", "95 %", *(curve.words for curve in drawn.curves), "printed"]
    return table(drawn.title, header, rows)


def within_bands(panels: Sequence[Panel]) -> tuple[int, int]:
    """How many published energies, corrected, lie between 5 and 95 %, as far as they can be read.

    Returns
    -------
    int, int
        And how many there are.
    """
    inside = total = 0
    for drawn in panels:
        for t, e in drawn.published.T:
            low, high = (np.interp(t, drawn.time, drawn.quantiles[k]) for k in (0, 4))
            inside += bool(low - READ_TO <= e <= high + READ_TO)
            total += 1
    return inside, total


def leaving_table(setting: Setting, found: Ensembles, panels: Sequence[Panel]) -> str:
    """How many seeds of run B leave the plateau, when, and when mean fields do."""
    rows = []
    for drawn, scheme in zip(panels, SCHEMES, strict=True):
        times = leaving_times(setting.times, found[setting.name, scheme])
        quantiles = np.quantile(times, (0.05, 0.5, 0.95), method="inverted_cdf")
        left = f"{np.count_nonzero(np.isfinite(times))} of {len(times)}"
        rows.append([scheme, left, *(f"{q:.1f}" for q in quantiles)])
        for curve in drawn.curves:
            at = leaving_times(curve.time, curve.values[None])[0]
            rows.append([f"mean field, {curve.words}", "", "", f"{at:.1f}", ""])
    title = f"Run {setting.name}: E < {LEVEL:g} until t = {setting.t_end:g}"
    return table(title, ["", "seeds that leave", "5 %", "median", "95 %"], rows)


def step_table(setting: Setting) -> str:
    """What steps of dt make of the mean field of run A, with infinitely many particles."""
    energy = ancestors.energy()
    mu = NODES.project(setting.law, energy.space)
    shown = [t for t in SHOWN[setting.name] if t <= setting.t_end]
    rows = []
    for scheme in (DESCENT, UNIFORM):
        exact = mean_field(setting, SCHEMES[scheme], mu, energy)
        steps = ParticleLimit("notebook"), Fixed(DT)
        limit = mean_field(setting, SCHEMES[scheme], mu, energy, *steps)
        at = [int(np.argmin(np.abs(setting.times - t))) for t in shown]
        rows.append([scheme, *(f"{limit[k] - exact[k]:+.1e}" for k in at)])
    header = ["", *(f"t = {t:g}" for t in shown)]
    return table(f"Run A, mean field: change of E by steps of {DT:g}", header, rows)


def main(quick: bool = False) -> None:
    """Print the tables and draw the figure, output/published.png and output/published.pdf."""
    settings = [RUN_A, RUN_B]
    if quick:
        settings = [replace(RUN_A, t_end=8.0, quench=6.0), replace(RUN_B, t_end=34.0, quench=32.0)]
    found = ensembles(settings, 10 if quick else 100)
    panels = []
    for setting in settings:
        for scheme in SCHEMES:
            panels.append(panel(setting, scheme, found[setting.name, scheme]))
            print(energy_table(setting, scheme, panels[-1]))
    print(f"The notebooks print {offset():.3e} less than E.")
    inside, every = within_bands(panels)
    print(
        f"{inside} of {every} published energies: within 5 to 95 % of the seeds, or {READ_TO:g} off"
    )
    print(leaving_table(settings[1], found, panels[3:]))
    print(step_table(settings[0]))
    for path in save_published_figure(panels, Path("output"), ("png", "pdf")):
        print(f"wrote {path}")
