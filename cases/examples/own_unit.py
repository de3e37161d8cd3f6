"""A unit of your own: Mexican hats with charges, which add up to a curve."""

import numpy as np

import meanfield_pde as mf


def mexican_hat(x, y):
    """What one neuron at y computes for the input x; both are arrays."""
    return (1.0 - (x - y) ** 2) * np.exp(-0.5 * (x - y) ** 2)


energy = mf.Energy(
    unit=mf.Charged(mf.OwnUnit(mexican_hat, parameters=("y",))),
    target=mf.FormulaTarget("sin(2*x)*exp(-x**2/4)"),
    data=mf.GaussHermite(mean=0.0, deviation=2.0, points=60),
    space=mf.Box(lower=(-5.0, -6.0), upper=(5.0, 6.0)),
)

# The derivative in y was taken forward, through the NumPy operations; is it right?
for comparison in mf.compare_gradients(energy):
    print(comparison)

# Gradient descent, with birth and death whose rate fades as training goes on.
fading = mf.FormulaOfTime("4*exp(-t/5)")
equation = mf.Equation(energy, terms=[mf.BirthDeath(alpha=fading), mf.Transport()])
gaussian = mf.ProductLaw((mf.Normal(deviation=1.0), mf.Normal()))
start = mf.FiniteVolumes(cells=64).project(gaussian, energy.space)
solution = mf.solve(equation, start, t_end=20.0)

print(equation)
print(f"E falls from {solution.energy[0]:.4f} to {solution.energy[-1]:.6f}")
