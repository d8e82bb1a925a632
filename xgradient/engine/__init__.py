"""Room 5: sums of terms, in memory or in chunks.

``evaluate`` computes sums of weighted stencils (``terms``) on whole arrays and on dask chunks.
``halo`` and ``plan`` find the cells that a block needs from others. ``dask_graph`` makes the tasks
that send them, and ``block`` and ``pole_rows`` do the work on one block. ``chunked`` has checks
and conversions of arrays in memory or in chunks.

Only this room names dask. It may import ``kernels`` and ``stencils``. For a new kind of term,
change ``terms`` and ``block``; for cells that a block needs from elsewhere, change ``halo``.
"""
