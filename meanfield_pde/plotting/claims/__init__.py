"""Figures of the claims, a module each: `figure(curves)`."""
