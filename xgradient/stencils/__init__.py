"""Room 4: the numerics of one axis.

Values of a coordinate are checked (``positions``) and become ``nodes``; a ``scheme`` turns nodes
into a stencil, which is a ``table`` of coefficients made with Fornberg's weights (``fornberg``).
``masked`` has the windows next to missing values, ``columns`` those for positions that differ by
column.

This room knows NumPy and nothing else. For another accuracy or boundary rule, change ``table``,
``masked`` and ``columns`` together; for another check of coordinates, change ``positions``.
"""
