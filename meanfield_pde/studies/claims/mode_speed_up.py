r"""Around the uniform law, birth and death speed the m-th wave up by 1 + alpha / m^2.

On the circle with K = sum_m kappa_m cos m (theta - theta'), and the prediction of the uniform law
as the target, rho = (1 + a cos m theta) / (2 pi) makes V = kappa_m a cos(m theta) / 2, and to first
order in a::

    d_t rho = (V'' - alpha V) / (2 pi)    so that    a' = - (kappa_m / 2) (m^2 + alpha) a:

transport prefers short waves, birth and death treat all alike. A wave with kappa_m = 0 is not seen
by E and stays.

Measured with Fourier series from E, which is quadratic in a, over the time in which a falls by
exp(-FALL), for three amplitudes each half of the one before. Rates are even in the amplitude:
they are extrapolated to zero from the last two, and the bar is the difference from that of the
first two plus that of half the waves and looser steps. Speed-ups are ratios of measured rates
and know no kappa_m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.evolution import solve
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.density_laws import FormulaLaw
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.own_units import FormulaUnit
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.problem.targets import FormulaTarget
from meanfield_pde.problem.units import Dirichlet, ReluCircle, VonMises
from meanfield_pde.representations.fourier import Fourier
from meanfield_pde.results.evidence import Number
from meanfield_pde.results.solution import Solution
from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.laws import Limit
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

WAVES = (1, 2, 3, 4)
AMPLITUDES = (0.04, 0.02, 0.01)
FALL = 2.0
TIMES = 9
"""At which the energies of a figure are recorded."""

KAPPAS = (1.0, 0.6, 0.4, 0.3)
CONCENTRATION = 5.0
ORDER = 4


def _waves(kappas: tuple[float, ...]) -> str:
    """A unit with the kernel of these waves, as a formula."""
    return " + ".join(
        f"{math.sqrt(2.0 * kappa)!r}*cos({m}*(x - theta))" for m, kappa in enumerate(kappas, 1)
    )


UNITS: Mapping[str, Energy] = {
    "four waves": Energy(
        FormulaUnit(_waves(KAPPAS)), FormulaTarget("0*x"), UniformCircle(24), Circle()
    ),
    "von Mises": Energy(
        VonMises(CONCENTRATION), FormulaTarget("1 + 0*x"), UniformCircle(64), Circle()
    ),
    "Dirichlet": Energy(Dirichlet(ORDER), FormulaTarget("1 + 0*x"), UniformCircle(24), Circle()),
}
"""With the prediction of the uniform law as the target."""

BLIND = Energy(ReluCircle(), FormulaTarget("1/pi + 0*x"), UniformCircle(480), Circle())
"""Of these units waves 3, 5, 7, ... are not seen."""


def kappa(unit: str, m: int) -> float:
    """kappa_m of the kernel of a unit."""
    if unit == "four waves":
        return KAPPAS[m - 1] if m <= len(KAPPAS) else 0.0
    if unit == "von Mises":
        return float(2.0 * (ive(m, CONCENTRATION) / ive(0, CONCENTRATION)) ** 2)
    return 2.0 if m <= ORDER else 0.0


def law(unit: str, m: int, alpha: float) -> float:
    """(kappa_m / 2) (m^2 + alpha)."""
    return 0.5 * kappa(unit, m) * (m**2 + alpha)


@dataclass(frozen=True)
class Task:
    """A wave of a unit, under an alpha."""

    unit: str
    m: int
    alpha: float


@dataclass(frozen=True, eq=False)
class Decay:
    """What is measured of a wave.

    Attributes
    ----------
    rates : array (amplitudes,)
        Of the amplitude.
    rate : Limit
        Of an infinitely small one.
    times, energy : arrays (times,)
        E over E at the start, of the smallest amplitude.
    """

    task: Task
    rates: Array
    rate: Limit
    times: Array
    energy: Array


def run(
    energy: Energy, m: int, alpha: float, amplitude: float, times: Array, coarse: bool = False
) -> Solution:
    """Solve from a wave of an amplitude."""
    method = Fourier((12 if coarse else 24) * m)
    return solve(
        Equation(energy, [BirthDeath(alpha), Transport()]),
        method.project(FormulaLaw(f"1 + {amplitude!r}*cos({m}*theta)"), energy.space),
        float(times[-1]),
        step=Controlled(1e-11 if coarse else 1e-13),
        record=AtTimes(tuple(times.tolist())),
        save=AtTimes(()),
    )


def extrapolated(rates: Array) -> Limit:
    """To amplitude zero, of rates at amplitudes each half of the one before, even in them."""
    limits = (4.0 * rates[1:] - rates[:-1]) / 3.0
    return Limit(float(limits[-1]), float(abs(limits[-1] - limits[-2])))


def decay(task: Task) -> Decay:
    """Measure a wave."""
    last = FALL / law(task.unit, task.m, task.alpha)
    times = np.linspace(0.0, last, TIMES)[1:]

    def rates(coarse: bool) -> tuple[Array, Solution]:
        found = []
        for amplitude in AMPLITUDES:
            solution = run(UNITS[task.unit], task.m, task.alpha, amplitude, times, coarse)
            found.append(0.5 * math.log(solution.energy[0] / solution.energy[-1]) / last)
        return np.array(found), solution

    fine, solution = rates(coarse=False)
    value, other = extrapolated(fine), extrapolated(rates(coarse=True)[0])
    rate = Limit(value.value, value.bar + abs(value.value - other.value))
    return Decay(task, fine, rate, solution.time, solution.energy / solution.energy[0])


def speed_up(both: Limit, alone: Limit) -> Limit:
    """The ratio of two rates."""
    value = both.value / alone.value
    return Limit(value, value * (both.bar / both.value + alone.bar / alone.value))


def left_of_blind_wave(coarse: bool) -> float:
    """What is left of the amplitude of a wave that ReLU units do not see, at t = 10."""
    solution = run(BLIND, 3, 10.0, AMPLITUDES[-1], np.array([10.0]), coarse)
    waves = [
        abs(np.fft.rfft(density)[3]) for density in (solution.measure[0], solution.measure[-1])
    ]
    return float(waves[1] / waves[0])


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """Speed-ups of four waves over alpha, for three kernels."""
    alphas = (
        (0.1, 1.0, 10.0, 100.0) if quick else tuple((10.0 ** np.linspace(-1.0, 2.0, 13)).tolist())
    )
    tasks = [Task(u, m, a) for u in UNITS for m in WAVES for a in (0.0, *alphas)]
    found = {
        answer.task: answer
        for answer in all_answers(
            decay, tasks, lambda one: tell(f"{one.task.unit}, wave {one.task.m}")
        )
    }
    numbers, curves = [], {}
    off, bars, against_law, law_bars = [], [], [], []
    for unit in UNITS:
        rows = []
        for m in WAVES:
            alone = found[Task(unit, m, 0.0)]
            for alpha in alphas:
                one = found[Task(unit, m, alpha)]
                ratio = speed_up(one.rate, alone.rate)
                rows.append((m, alpha, ratio.value, ratio.bar))
                off.append(abs(ratio.value / (1.0 + alpha / m**2) - 1.0))
                bars.append(ratio.bar / ratio.value)
            for one in (found[Task(unit, m, a)] for a in (0.0, *alphas)):
                expected = law(unit, m, one.task.alpha)
                against_law.append(abs(one.rate.value / expected - 1.0))
                law_bars.append(one.rate.bar / expected)
        curves[f"speed-ups, {unit}"] = np.array(rows).T
    for m in WAVES:
        for alpha in (0.0, 10.0):
            nearest = min((0.0, *alphas), key=lambda value: abs(value - alpha))
            one = found[Task("four waves", m, nearest)]
            curves[f"energy, wave {m}, alpha {alpha:g}"] = np.stack([one.times, one.energy])
    ten = min(alphas, key=lambda value: abs(value - 10.0))
    for m in WAVES:
        pair = found[Task("von Mises", m, ten)], found[Task("von Mises", m, 0.0)]
        ratio = speed_up(pair[0].rate, pair[1].rate)
        what = f"speed-up of wave {m}, alpha = {ten:g}, von Mises units"
        numbers.append(Number(what, ratio.value, ratio.bar, 1.0 + ten / m**2, "="))
    worst, worst_law = int(np.argmax(off)), int(np.argmax(against_law))
    numbers += [
        Number(
            "speed-up, largest relative difference from its law", off[worst], bars[worst], 0.0, "="
        ),
        Number(
            "rate, largest relative difference from its law",
            against_law[worst_law],
            law_bars[worst_law],
            0.0,
            "=",
        ),
    ]
    amplitudes = 0.64 * 0.5 ** np.arange(9)
    task = Task("four waves", 1, ten)
    last = np.array([FALL / law(task.unit, task.m, task.alpha)])
    solutions = [run(UNITS[task.unit], task.m, task.alpha, a, last) for a in amplitudes.tolist()]
    rates = np.array([0.5 * math.log(s.energy[0] / s.energy[-1]) / last[0] for s in solutions])
    curves["amplitudes"] = np.stack(
        [amplitudes, np.abs(rates / law(task.unit, task.m, task.alpha) - 1.0)]
    )
    order = float(np.log2(curves["amplitudes"][1][-2] / curves["amplitudes"][1][-1]))
    change = abs(order - float(np.log2(curves["amplitudes"][1][-3] / curves["amplitudes"][1][-2])))
    numbers.append(Number("order in the amplitude of what is not linear", order, change, 2.0, "="))
    left, coarse = left_of_blind_wave(False), left_of_blind_wave(True)
    numbers.append(Number("wave 3 of ReLU units: part left at t = 10", left, abs(left - coarse)))
    sentences = (
        f"Drawn over alpha / m^2, the speed-ups of four waves and {len(UNITS)} kernels lie within "
        f"{off[worst]:.0e} of one line, 1 + alpha / m^2: short waves, which transport alone damps "
        "fast, gain least.",
        f"{len(off)} measured speed-ups differ from the law by at most {off[worst]:.1e}, relative "
        f"(bar {bars[worst]:.1e}: extrapolation to amplitude zero, waves and steps); wave 1 at "
        f"alpha = {ten:g} is {numbers[0].value:.8f} times as fast.",
        f"The law is linear: at an amplitude a it is off by a^{order:.2f}, "
        f"{100 * curves['amplitudes'][1][0]:.2g} % at a = {amplitudes[0]:g}, and a wave with "
        f"kappa_m = 0 never decays: {left:.4f} of wave 3 is left at t = 10 with ReLU units.",
    )
    return Findings(tuple(numbers), curves, sentences)


CLAIM = Claim(
    name="mode_speed_up",
    title="Near the uniform law, birth-death helps long waves most",
    statement=(
        "A small wave of number m on the uniform law decays at (kappa_m / 2) (m^2 + alpha): "
        "birth-death makes it 1 + alpha / m^2 times as fast as gradient descent."
    ),
    hypotheses=(
        "Circle, K = sum kappa_m cos m(theta - theta') with kappa_m > 0, the uniform law fits the "
        "target, small amplitude, mobility 1."
    ),
    source="derived",
    minutes=(0.1, 0.4),
    measure=measure,
)
