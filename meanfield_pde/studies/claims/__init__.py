"""The claims, in the order in which the report tells them; a module each, and one that draws it."""

from __future__ import annotations

from importlib import import_module

from meanfield_pde.studies.claims.claim import Claim

NAMES = (
    "certificates",
    "birth_death_rate",
    "transport_rate",
    "exponential_rates",
    "mode_speed_up",
    "global_convergence",
    "initial_support",
    "feature_learning",
    "projection",
    "signed_spikes",
    "sharp_constant",
)
"""As the command line takes them."""


def claim(name: str) -> Claim:
    """The claim of a name."""
    found: Claim = import_module(f"{__name__}.{name}").CLAIM
    return found
