"""What is learnt: units, targets, data, losses, spaces, laws and the energy. No grid, no step."""
