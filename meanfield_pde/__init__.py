"""meanfield_pde: the mean-field equation of neural network training, with birth and death.

    d_t mu = div(mu grad V) - alpha (V - <V>) mu,        V = F + K * mu

`import meanfield_pde as mf` offers the names listed in `__all__`; each is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "problem.units": (
        "Gaussian",
        "Cosine",
        "VonMises",
        "ReluCircle",
        "Dirichlet",
        "Linear",
        "Charged",
    ),
    "problem.ridge": ("Ridge",),
    "problem.own_units": ("FormulaUnit", "OwnUnit"),
    "problem.targets": (
        "Teacher",
        "Mixture",
        "FormulaTarget",
        "Column",
        "TableTarget",
        "OwnTarget",
    ),
    "problem.data": ("Line", "UniformInterval", "GaussHermite", "UniformCircle", "ProductData"),
    "problem.samples": ("SampleFile", "Samples"),
    "problem.spaces": ("Interval", "Circle", "Box", "Product"),
    "problem.one_parameter_laws": ("Uniform", "Normal", "CircularNormal", "Point"),
    "problem.density_laws": ("FormulaLaw", "DensityFunction", "TableLaw"),
    "problem.laws": ("ProductLaw", "MixtureLaw"),
    "problem.potentials": ("Quadratic", "CosineWell", "DoubleWell", "FormulaPotential"),
    "problem.losses": (
        "Squared",
        "Logistic",
        "Huber",
        "NegativeLogLikelihood",
        "FormulaLoss",
        "OwnLoss",
    ),
    "problem.penalties": ("WeightDecay", "ConstantPenalty", "FormulaPenalty", "OwnPenalty"),
    "problem.gradients": ("compare_gradients",),
    "problem.certificate": ("Certificate",),
    "problem.optimum": ("optimum", "Optimum"),
    "problem.energy": ("Energy", "PotentialEnergy"),
    "representations.grid": ("FiniteVolumes", "Upwind", "Muscl", "Weno5"),
    "representations.characteristics": ("Characteristics",),
    "representations.fourier": ("Fourier",),
    "representations.particles": ("Particles",),
    "dynamics.coefficients": ("FormulaOfTime", "PiecewiseLinear"),
    "dynamics.transport": ("Transport",),
    "dynamics.birth_death": ("BirthDeath", "Free", "Mean", "Reinjection"),
    "dynamics.forcing": ("Forcing",),
    "dynamics.equation": ("Equation",),
    "timestepping.splitting": ("Lie", "Strang"),
    "timestepping.unsplit": ("Unsplit",),
    "timestepping.particle_limit": ("ParticleLimit",),
    "timestepping.step_size": ("Fixed", "Controlled"),
    "schedules": ("EveryTime", "AtTimes"),
    "evolution": ("solve", "evolve"),
    "fluctuations": ("influence", "Influence", "PredictionAt", "TotalEnergy"),
    "results.solution": ("Solution",),
    "results.hdf5": ("read",),
    "results.time_unit": ("TimeUnit",),
    "results.trajectory": ("Trajectory",),
    "results.trajectory_files": ("read_trajectory",),
    "case": ("load",),
    "distances": ("Cloud", "wasserstein", "sliced_wasserstein", "kernel_distance"),
    "studies.comparison": ("compare",),
    "results.ensemble": ("EnsembleResult", "read_ensemble"),
    "studies.ensembles": ("ensemble",),
    "errors": ("MeanFieldError", "InputError", "NumericalFailure"),
}

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = list(_MODULE_OF)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
