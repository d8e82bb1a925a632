"""Room 1: the operators that users call.

A new operator is a function here; see ``scalar`` for fields, ``vector`` for vector fields and
``transport`` for derivatives along a flow. Operators ask ``labels`` what names mean and
``geometry`` for the grid and its expressions, which the ``engine`` evaluates. Nothing below
imports this room.
"""
