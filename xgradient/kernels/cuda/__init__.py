"""Kernels for CuPy arrays: C++ source by text, compiled for each signature of a sum of terms."""
