"""Compiled kernels: arrays in, arrays out, the same bits for any number of threads."""
