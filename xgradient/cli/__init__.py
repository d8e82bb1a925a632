"""The command line, a client of the operators.

``commands`` reads arguments and reports errors. ``files`` opens and writes NetCDF files and Zarr
stores, and ``outputs`` gives an output its name when it is complete. ``demo`` plots two sample
fields. This room may import every other room; only ``__main__`` imports it. Add an option in
``commands``.
"""
