"""Claims that are measured in a moment, for the tests of what is done with claims."""

import sys
from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure

from meanfield_pde.results.evidence import Number
from meanfield_pde.studies import claims
from meanfield_pde.studies.claims.claim import Claim, Findings

HALF = Number("alpha t E", 0.50002, 0.00043, 0.5, "=")

TOO_LARGE = Number("rate", -2.5, 0.031, -3.0, "<")


def claim(name, *numbers, told=None, **texts):
    """One whose numbers are these; `told` is appended to at each measurement."""

    def measure(quick, tell):
        if told is not None:
            told.append((name, quick))
        tell("one curve")
        curves = {"time": np.arange(1.0, 4.0), "values": np.array([1.0, np.nan, 0.25])}
        return Findings(numbers or (HALF,), curves, ("One sees it.", "It is a half.", "Not at 0."))

    about = {
        "title": f"About {name}",
        "statement": f"It is claimed that {name}.",
        "hypotheses": "none",
        "source": "derived",
        **texts,
    }
    return Claim(name=name, minutes=(0.5, 4.0), measure=measure, **about)


def figure(curves):
    drawn = Figure(figsize=(2.0, 1.0))
    drawn.add_subplot().plot(curves["time"], curves["values"])
    return drawn


def install(monkeypatch, *all_claims):
    """Make these the claims there are."""
    by_name = {one.name: one for one in all_claims}
    monkeypatch.setattr(claims, "NAMES", tuple(by_name))
    monkeypatch.setattr(claims, "claim", by_name.__getitem__)
    for name in by_name:
        module = f"meanfield_pde.plotting.claims.{name}"
        monkeypatch.setitem(sys.modules, module, SimpleNamespace(figure=figure))
