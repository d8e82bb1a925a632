"""Room 2: names in and names out.

Resolves names of dimensions and coordinates, reads positions, times, units and attributes, and
labels results. A new kind of coordinate is read here, in ``times`` or ``axis``. This room imports
``stencils`` only.
"""
