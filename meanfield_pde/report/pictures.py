"""Figures as parts of a page: vectors while they are small, else pixels."""

from __future__ import annotations

import base64
from io import BytesIO

import matplotlib
from matplotlib.figure import Figure

from meanfield_pde.plotting.style import styled

LARGEST_VECTORS = 240_000
"""Bytes up to which a figure is kept as vectors."""

PIXELS_PER_INCH = 220


@styled
def picture(figure: Figure) -> tuple[str, int, int]:
    """A figure as a data URI, which no other part of a page can collide with.

    Returns
    -------
    str, int, int
        The URI, and width and height in CSS pixels, 96 to the inch.
    """
    wide, tall = (round(96 * inches) for inches in figure.get_size_inches())
    with matplotlib.rc_context({"svg.hashsalt": "report"}):
        data = _saved(figure, "svg", {"Date": None})
    kind = "svg+xml"
    if len(data) > LARGEST_VECTORS:
        pixels = _saved(figure, "png", {"Software": None})
        kind, data = ("png", pixels) if len(pixels) < len(data) else (kind, data)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}", wide, tall


def _saved(figure: Figure, form: str, metadata: dict[str, None]) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format=form, dpi=PIXELS_PER_INCH, metadata=metadata)
    return stream.getvalue()
