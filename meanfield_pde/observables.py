"""What is recorded of a measure: one frame of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.problem.certificate import Bound
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.landscape import Field
from meanfield_pde.problem.samples import SampleFile, Samples
from meanfield_pde.representations.measure import CharacteristicsMeasure, Measure, ParticleMeasure
from meanfield_pde.results.solution import Frame, Layout, Snapshot


@dataclass
class Tally:
    """What a run accumulates from step to step."""

    initial_energy: float
    dissipated: float = 0.0
    mass_drift: float = 0.0
    time_error: float = 0.0
    redistributed: float = 0.0
    smallest: float = 0.0
    step: float = 0.0
    steps: int = 0
    rejections: int = 0


def layout(equation: Equation, mu: Measure) -> Layout:
    """What the arrays of a run are indexed by."""
    energy = equation.energy
    axes = energy.space.axes
    target = weights = np.empty(0)
    if isinstance(energy, Energy) and energy.target is not None:
        target = energy.target_values
    if isinstance(energy, Energy) and isinstance(energy.data, Samples | SampleFile):
        weights = energy.data_weights
    return Layout(
        representation=mu.representation,
        parameters=energy.parameters,
        lower=tuple(axis.lower for axis in axes),
        upper=tuple(axis.upper for axis in axes),
        periodic=tuple(axis.periodic for axis in axes),
        centres=mu.centres,
        particles=mu.points.shape[0] if isinstance(mu, ParticleMeasure) else 0,
        inputs=energy.inputs,
        target=target,
        equation=str(equation),
        sample_weights=weights,
    )


def frame(
    time: float,
    equation: Equation,
    mu: Measure,
    field: Field,
    tally: Tally,
    snapshot: bool,
    bound: Bound | None = None,
) -> Frame:
    """All scalars and moments at one time, with a snapshot and the gap if asked for."""
    transport, birth_death, _ = equation.dissipation(mu, field, time)
    mean, variance = mu.moments()
    return Frame(
        time=time,
        scalars={
            "energy": field.energy,
            "mean_potential": field.integral / field.mass,
            "mass": field.mass,
            "gap": math.nan if bound is None else bound.gap(field),
            "transport_dissipation": transport,
            "birth_death_dissipation": birth_death,
            "identity_defect": field.energy - tally.initial_energy + tally.dissipated,
            "mass_drift": tally.mass_drift,
            "time_error": tally.time_error,
            "redistribution_change": tally.redistributed,
            "unresolved": mu.unresolved(field),
            "wall_mass": mu.wall_mass(),
            "smallest_density": min(tally.smallest, mu.smallest),
            "step": tally.step,
            "steps": float(tally.steps),
            "rejections": float(tally.rejections),
        },
        mean=mean,
        variance=variance,
        snapshot=_snapshot(mu, field) if snapshot else None,
    )


def _snapshot(mu: Measure, field: Field) -> Snapshot:
    weighted = isinstance(mu, ParticleMeasure) and mu.log_weights is not None
    if isinstance(mu, CharacteristicsMeasure) or weighted:
        return Snapshot(mu.snapshot, field.prediction, mu.state)
    return Snapshot(mu.snapshot, field.prediction)
