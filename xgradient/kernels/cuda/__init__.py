"""CuPy arrays: CUDA kernels, written as text and compiled for each signature of a sum."""
