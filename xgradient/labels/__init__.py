"""Names in and names out: coordinates, positions, times, units and attributes.

A name becomes a `CoordRef` in ``coordinates`` and an `Axis` in ``axis``. Results get their names,
units and attributes in ``results``. This room imports ``stencils`` and no other room.

* A new kind of position, such as a calendar: ``times``, which ``axis`` calls.
* A new unit or prefix: a row in ``unit_table``.
* A new standard name of a derivative: a row in ``standard_names``.
"""
