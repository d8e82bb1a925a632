"""Loops for NumPy arrays, compiled by numba at their first call and cached on disk."""
