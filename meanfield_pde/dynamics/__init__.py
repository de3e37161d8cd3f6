"""The right-hand side of the equation, one file a term."""
