"""The command line, a client of the operators.

``commands`` reads arguments and reports errors. ``calls`` applies an operator. ``files`` opens and
writes NetCDF files and Zarr stores. ``locations`` finds them on this machine, ``remote`` at
addresses, and ``outputs`` gives an output its name when it is complete. ``schedulers`` computes.
``demo`` plots two sample fields. This room may import every other room; only ``__main__`` imports
it. Add an option in ``commands``.
"""
