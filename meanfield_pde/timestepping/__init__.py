"""Splitting of the terms, and the choice of steps."""
