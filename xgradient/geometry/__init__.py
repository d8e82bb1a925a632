"""Room 3: metrics and grids.

``build`` makes the grid of a call; the grid writes each operator as an expression, a sum of
coefficients times derivatives without data; ``lowering`` turns it into terms of the engine.
A new metric is a subclass of ``Globe`` in ``metrics`` and a row of ``named_metrics``. A new kind of
grid is a subclass of ``Grid`` (see ``orthogonal`` and ``curvilinear``) and a case in ``build``.
This room imports ``labels``, ``engine``, ``kernels`` and ``stencils``.
"""
