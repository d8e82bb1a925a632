"""Room 5: sums of terms, in memory or in chunks.

Evaluates weighted stencils (``terms``) on whole arrays and on dask chunks (``evaluate``): which
cells a block needs from others (``halo``, ``plan``), the tasks that hand them over
(``dask_graph``), and the work on one block (``block``, ``pole_rows``). ``chunked`` has checks and
conversions of arrays in memory or in chunks.

Only this room names dask. It may import ``kernels`` and ``stencils``. For a new kind of term,
change ``terms`` and ``block``; for cells that a block needs from elsewhere, change ``halo``.
"""
