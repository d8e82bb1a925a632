"""Room 3: metrics and grids.

Builds the grid of a call (``build``) and writes operators as expressions: coefficients times
derivatives, without data. A new metric or grid is added here. This room imports ``labels``,
``engine``, ``kernels`` and ``stencils``.
"""
