"""Room 4: the numerics of one axis.

Turns positions (``nodes``) into rows of coefficients (``table``), with windows next to missing
values (``masked``) and for positions that differ by column (``columns``). This room knows NumPy
and nothing else.
"""
