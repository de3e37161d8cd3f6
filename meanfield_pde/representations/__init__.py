"""How a measure is stored: cell averages on a grid, or particles."""
