"""How a measure is stored: cell averages, characteristics, Fourier series, particles."""
