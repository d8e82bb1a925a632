"""NumPy arrays: loops that numba compiles and keeps on disk, and NumPy in place of them."""
