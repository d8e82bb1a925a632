"""Tests of xgradient, by rooms of the package.

* ``operators``, ``labels``, ``geometry``, ``stencils``, ``engine``, ``kernels`` and ``cli`` test
  one room each. A file has the name of the module, or of the behaviour, that it tests.
* ``properties`` tests all operators at once: random calls, other array libraries, comparisons
  with other packages, real files, and errors.
* ``support`` holds helpers and no tests. ``operations`` lists calls of each operator, ``backends``
  the array libraries, ``comparisons`` calls of other packages, ``reference`` slow exact code,
  ``sphere_fields`` and ``curvilinear_grids`` analytic fields, ``strategies`` random arrays.
* Files of this folder test the package as a whole: its rooms, words, public names and README.
"""
