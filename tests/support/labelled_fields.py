"""Fields with labels along one or two coordinates, and exact derivatives along one."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import xarray as xr

#: Seconds of a day.
DAY = 86400
#: Values of the field.
FIELD = [0.0, 1.0, 4.0, 9.0]

#: Positions in days, and dates of four days.
OFFSETS = [0, 1, 3, 4]
DATES = ["2000-01-01", "2000-01-02", "2000-01-03", "2000-01-04"]


def whole(sentence):
    """Return a pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


def slow(values, positions, period=None):
    """Return first derivatives of parabolas in exact arithmetic; one-sided at the ends."""
    f = [Fraction(float(v)) for v in values]
    x = [Fraction(p) for p in positions]
    n = len(f)
    if period is not None:
        period = Fraction(period) if x[-1] > x[0] else -Fraction(period)
        f, x = [f[-1], *f, f[0]], [x[-1] - period, *x, x[0] + period]

    def parabola(a, b, c):
        left = (x[b] - x[c]) / ((x[a] - x[b]) * (x[a] - x[c]))
        here = (2 * x[b] - x[a] - x[c]) / ((x[b] - x[a]) * (x[b] - x[c]))
        right = (x[b] - x[a]) / ((x[c] - x[a]) * (x[c] - x[b]))
        return left * f[a] + here * f[b] + right * f[c]

    inside = [float(parabola(i - 1, i, i + 1)) for i in range(1, len(f) - 1)]
    if period is not None:
        assert len(inside) == n
        return inside
    first, last = (f[1] - f[0]) / (x[1] - x[0]), (f[-1] - f[-2]) / (x[-1] - x[-2])
    return [float(first), *inside, float(last)]


def along(positions, units=None, name="x", values=None, index=True):
    """Return a field of kelvins along one coordinate; ``index=False`` keeps its dtype."""
    values = np.asarray(FIELD if values is None else values)
    attrs = {} if units is None else {"units": units}
    if index:
        coords = {name: (name, positions, attrs)}
        return xr.DataArray(values, coords, (name,), name="f", attrs={"units": "K"})
    coords = {name: ("i", positions, attrs)}
    return xr.DataArray(values, coords, ("i",), name="f", attrs={"units": "K"})


LAT, LON = np.arange(30.0, 51, 5), np.arange(0.0, 31, 5)
COORDS = {
    "lat": ("lat", LAT, {"units": "degrees_north", "standard_name": "latitude"}),
    "lon": ("lon", LON, {"units": "degrees_east", "standard_name": "longitude"}),
}


def on_globe(name="f", **attrs):
    """Return a field of metres per second along latitudes and longitudes."""
    values = np.add.outer(LAT**2, 3 * LON)
    return xr.DataArray(values, COORDS, ("lat", "lon"), name, {"units": "m s-1"} | attrs)
