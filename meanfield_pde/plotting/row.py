"""Where the parts of a row of panels go on the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from meanfield_pde.plotting.style import PAGE

MARGINAL = 0.21
GAP = 0.03
BETWEEN = 0.13
LEFT = 0.42
BELOW = 0.4
ABOVE = 0.2
BAR = 0.72
LARGEST = 2.0


@dataclass(frozen=True)
class Row:
    """Panels side by side, with or without marginals on top and on the right; sizes in inches.

    Attributes
    ----------
    count : int
        Number of panels: up to four, the page is then full.
    bar : bool
        Whether to keep room for a colour scale on the right.
    marginals : bool
        Whether to keep room for a marginal on top and on the right of each panel.
    """

    count: int
    bar: bool
    marginals: bool = True
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        figure = Figure(figsize=(self.width, self.height))
        FigureCanvasAgg(figure)
        object.__setattr__(self, "figure", figure)

    @property
    def edge(self) -> float:
        """Width of a marginal and of the gap before it."""
        return GAP + MARGINAL if self.marginals else 0.0

    @property
    def right(self) -> float:
        """Room on the right of the last marginal."""
        return BAR if self.bar else 0.08

    @property
    def side(self) -> float:
        """Width of a panel."""
        room = PAGE - LEFT - self.right + BETWEEN
        return min(room / self.count - self.edge - BETWEEN, LARGEST)

    @property
    def tall(self) -> float:
        """Height of a panel."""
        return min(1.25 * self.side, LARGEST)

    @property
    def width(self) -> float:
        """Width of the figure."""
        return self._left(self.count) - BETWEEN + self.right

    @property
    def height(self) -> float:
        """Height of the figure."""
        return BELOW + self.tall + self.edge + ABOVE

    def _left(self, i: int) -> float:
        return LEFT + i * (self.side + self.edge + BETWEEN)

    def _place(self, left: float, bottom: float, width: float, height: float) -> Axes:
        w, h = self.width, self.height
        return self.figure.add_axes((left / w, bottom / h, width / w, height / h))

    def panel(self, i: int) -> Axes:
        """New axes of panel i."""
        return self._place(self._left(i), BELOW, self.side, self.tall)

    def marginal(self, i: int, k: int) -> Axes:
        """New axes of the marginal of panel i on top (k = 0) or on the right (k = 1)."""
        left, bottom = self._left(i), BELOW
        if k == 0:
            return self._place(left, bottom + self.tall + GAP, self.side, MARGINAL)
        return self._place(left + self.side + GAP, bottom, MARGINAL, self.tall)

    def scale(self) -> Axes:
        """New axes of the colour scale."""
        return self._place(self.width - self.right + 0.12, BELOW, 0.09, self.tall)

    def title(self, i: int, words: str) -> None:
        """Words over panel i."""
        self._write(self._left(i), words, ha="left")

    def note(self, words: str) -> None:
        """Words over the right end of the row."""
        self._write(self.width - 0.06, words, ha="right", fontsize=8)

    def _write(self, at: float, words: str, **look: Any) -> None:
        bottom = (self.height - ABOVE + 0.05) / self.height
        self.figure.text(at / self.width, bottom, words, va="bottom", **look)
