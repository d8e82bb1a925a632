"""Room 5: sums of terms, in memory or in chunks.

Evaluates sums of weighted stencils on whole arrays and on dask chunks, with halos and polar caps.
Only this room names dask. It imports ``kernels`` and ``stencils``.
"""
