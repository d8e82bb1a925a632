"""Order of accuracy of divergence and curl on an analytic C-grid of the sphere and of a plane.

The winds are those of cases 2 and 6 of Williamson et al. (1992), doi:10.1016/S0021-9991(05)80016-6:
a solid rotation about an axis that is not the Earth's, and a Rossby-Haurwitz wave.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

A = xgradient.Sphere().radius


def solid_rotation(phi, lam):
    """Case 2: u, v and the vorticity."""
    u0, alpha = 2 * np.pi * A / (12 * 86400), 0.7
    c, s = np.cos(alpha), np.sin(alpha)
    u = u0 * (np.cos(phi) * c + np.cos(lam) * np.sin(phi) * s)
    vorticity = 2 * u0 / A * (np.sin(phi) * c - np.cos(lam) * np.cos(phi) * s)
    return u, -u0 * np.sin(lam) * s + 0 * phi, vorticity


def rossby_haurwitz(phi, lam):
    """Case 6: u, v and the vorticity."""
    w, k, r = 7.848e-6, 7.848e-6, 4
    c, s = np.cos(phi), np.sin(phi)
    u = A * w * c + A * k * c ** (r - 1) * (r * s**2 - c**2) * np.cos(r * lam)
    v = -A * k * r * c ** (r - 1) * s * np.sin(r * lam)
    vorticity = 2 * w * s - k * s * c**r * (r * r + 3 * r + 2) * np.cos(r * lam)
    return u, v, vorticity


def c_grid(n, wind, faces="outer"):
    """The wind on the faces of n rows; and a flow at right angles, whose divergence is known."""
    step = 180 / n
    lat, lon = -90 + step * (np.arange(n) + 0.5), step * np.arange(2 * n)
    lat_f = -90 + step * np.arange(n + 1)[{"outer": slice(None), "inner": slice(1, -1)}[faces]]
    coords = {"lat": lat, "lat_f": lat_f, "lon": lon, "lon_f": lon - step / 2}

    def at(i, *dims):
        phi, lam = (np.deg2rad(coords[dim]) for dim in dims)
        return dims, wind(phi[:, None], lam)[i]

    fields = {
        "u": at(0, "lat", "lon_f"), "v": at(1, "lat_f", "lon"),
        "across_u": at(1, "lat", "lon_f"), "across_v": at(0, "lat_f", "lon"),
        "at_centers": at(2, "lat", "lon"), "at_corners": at(2, "lat_f", "lon_f"),
    }  # fmt: skip
    ds = xr.Dataset(fields, coords)
    ds["across_u"] = -ds.across_u
    positions = {"X": {"center": "lon", "left": "lon_f"}, "Y": {"center": "lat", faces: "lat_f"}}
    return ds, {"positions": positions, "metric": "sphere"}


def errors(n, wind, **options):
    """Largest errors of divergences and of the curl, everywhere and away from the poles."""
    ds, given = c_grid(n, wind)
    given |= options
    none = ds.grad.divergence(lon="u", lat="v", **given)
    some = ds.grad.divergence(lon="across_u", lat="across_v", **given) + ds.at_centers
    curl = ds.grad.curl(lon="u", lat="v", **given) - ds.at_corners
    scale = float(abs(ds.at_centers).max())
    found = []
    for error, dim in ((none, "lat"), (some, "lat"), (curl, "lat_f")):
        error = abs(error) / scale
        found.append([float(error.max()), float(error.sel({dim: slice(-70, 70)}).max())])
    return np.array(found)


@pytest.mark.parametrize("wind", [solid_rotation, rossby_haurwitz])
@pytest.mark.parametrize(
    ("form", "accuracy"), [("conservative", 2), (None, 2), (None, 4), (None, 6)]
)
def test_orders_on_the_sphere(wind, form, accuracy):
    """On the rows next to a pole the order is one less, where a flow goes across it."""
    rows = 20 * accuracy
    coarse, fine = (errors(n, wind, form=form, accuracy=accuracy) for n in (rows, 2 * rows))
    exact = fine < 1e-11
    exact[1:] = False  # only a divergence of zero may have no error but rounding
    slopes = np.where(exact, np.inf, np.log2(coarse / fine))
    assert (slopes[:, 1] > accuracy - 0.35).all()
    assert (slopes[:, 0] > accuracy - 1.15).all()


@pytest.mark.parametrize("wind", [solid_rotation, rossby_haurwitz])
@pytest.mark.parametrize("faces", ["outer", "inner"])
def test_sums_over_the_globe_are_zero(wind, faces):
    ds, options = c_grid(24, wind, faces)
    found = ds.grad.divergence(lon="across_u", lat="across_v", form="conservative", **options)
    edges = np.sin(np.deg2rad(np.linspace(-90, 90, 25)))
    area = xr.DataArray(np.diff(edges), {"lat": ds.lat}, "lat")
    assert np.isfinite(found).all()
    assert abs(float((found * area).sum())) < 1e-14 * float(abs(found * area).sum())


@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("operator", ["divergence", "curl"])
def test_orders_on_a_plane_of_uneven_cells(operator, accuracy):
    """Faces are not in the middle of centers, and the curl goes to centers by means."""
    found = []
    for n in (32, 64):
        every = np.linspace(0, 1, 2 * n + 1)
        every = every + 0.15 * np.sin(2 * every)
        x, xf, y, yf = every[1::2], every[::2], every[1::2], every[::2]
        coords = {"x": x, "xf": xf, "y": y, "yf": yf}
        ds = xr.Dataset(
            {
                "u": (("y", "xf"), np.sin(3 * xf + 2 * y[:, None])),
                "v": (("yf", "x"), np.cos(2 * x - 3 * yf[:, None])),
            },
            coords,
        )
        positions = {"X": {"center": "x", "outer": "xf"}, "Y": {"center": "y", "outer": "yf"}}
        result = getattr(ds.grad, operator)(
            x="u", y="v", to="center", positions=positions, accuracy=accuracy
        ).transpose("y", "x")
        a, b = 3 * x + 2 * y[:, None], 2 * x - 3 * y[:, None]
        exact = 3 * np.cos(a) + 3 * np.sin(b) if operator == "divergence" else (
            -2 * np.sin(b) - 2 * np.cos(a)
        )  # fmt: skip
        found.append(float(abs(result - exact).max()))
    assert np.log2(found[0] / found[1]) > accuracy - 0.3
