"""Many runs to one table: comparisons, and the measured numbers of the README."""
