"""Which way components and vertical coordinates point, and the warnings where labels disagree."""

from __future__ import annotations

import inspect
import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.labels.standard_names import directions_of, sign_along

UP, DOWN = "upward_sea_water_velocity", "downward_air_velocity"
X, Y, Z = np.array([0.0, 1, 3, 4]), np.array([0.0, 2, 3, 5]), np.array([-9.0, -6, -2, 0])


def flow(*, deep, down):
    """A quadratic flow (u, v, w) and a scalar, with their exact derivatives by x, y and height.

    ``deep`` gives the vertical as a depth, which increases downwards, and ``down`` the downward
    component. The elements of the Jacobian and the gradient are those in x, y and height, upwards.
    """
    x, y, z = (xr.DataArray(a, dims=d) for d, a in zip("xyz", (X, Y, Z), strict=True))
    u = x * y + 2 * z**2 - x * z + 0 * y
    v = y * z - x**2 + 3 * y
    w = z**2 - 2 * x * z + y * y + 4 * x
    s = x * z + y**2 - z**2
    exact = {
        "ux": y - z, "uy": x, "uz": 4 * z - x, "vx": -2 * x, "vy": z + 3, "vz": y,
        "wx": 4 - 2 * z, "wy": 2 * y, "wz": 2 * z - 2 * x, "sx": z, "sy": 2 * y, "sz": x - 2 * z,
    }  # fmt: skip
    if down:
        w = -w
    coords = {d: (d, a, {"units": "m"}) for d, a in zip("xy", (X, Y), strict=True)}
    attrs = {"units": "m", "positive": "Down" if deep else "up"}
    coords["k"] = ("z", -Z if deep else Z, attrs)
    named = {"u": u, "v": v, "w": w, "s": s}
    ds = xr.Dataset({n: f.broadcast_like(u + v + w) for n, f in named.items()}, coords)
    ds = ds.transpose("z", "y", "x").swap_dims(z="k")
    for name in "uvw":
        ds[name].attrs["units"] = "m s-1"
    ds["w"].attrs["standard_name"] = DOWN if down else UP
    return ds, {n: e.rename(z="k").assign_coords(k=ds.k) if "z" in e.dims else e
                for n, e in exact.items()}  # fmt: skip


EVERY = list(itertools.product([False, True], repeat=2))
parts = {"x": "u", "y": "v", "k": "w"}
options = {"edge_order": 2}


def close(found, expected):
    np.testing.assert_allclose(*xr.broadcast(found, expected), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("deep", "down"), EVERY)
@pytest.mark.parametrize("chunks", [None, {"k": 2}])
def test_divergence_is_that_in_coordinates_upwards(deep, down, chunks):
    ds, e = flow(deep=deep, down=down)
    ds = ds.chunk(chunks) if chunks else ds
    close(ds.grad.divergence(parts, **options), e["ux"] + e["vy"] + e["wz"])
    close(ds.grad.divergence(y="v", k="w", **options), e["vy"] + e["wz"])
    close(ds.grad.divergence(k="w", **options), e["wz"])
    close(ds.grad.divergence(parts, **options, metric={"x": 1.0}), e["ux"] + e["vy"] + e["wz"])


@pytest.mark.parametrize(("deep", "down"), EVERY)
def test_curl_is_right_handed_with_the_vertical_upwards(deep, down):
    ds, e = flow(deep=deep, down=down)
    expected = {"x": e["wy"] - e["vz"], "y": e["uz"] - e["wx"], "k": e["vx"] - e["uy"]}
    for given in (parts, dict(reversed(parts.items()))):
        made = ds.grad.curl(given, **options)
        for dim, part in expected.items():
            close(made[f"curl_{dim}"], part)
    words = "component upwards against k" if deep else "component along k"
    assert made.curl_k.attrs["long_name"] == f"curl of (u, v, w), {words}"
    close(ds.grad.curl(x="u", y="v", **options), expected["k"])
    close(ds.grad.curl(x="u", k="w", **options), -expected["y"])
    close(ds.grad.curl(y="v", k="w", **options), expected["x"])


@pytest.mark.parametrize(("deep", "down"), EVERY)
def test_advection_and_derivatives_along_a_flow(deep, down):
    ds, e = flow(deep=deep, down=down)
    w = -ds.w if down else ds.w
    along = ds.u * e["sx"] + ds.v * e["sy"] + w * e["sz"]
    close(ds.grad.advection(parts, **options).advection_s, -along)
    close(ds.s.grad.advection(k=ds.w, **options), -w * e["sz"])
    length = np.sqrt(ds.u**2 + ds.v**2 + w**2)
    close(ds.s.grad.directional({d: ds[n] for d, n in parts.items()}, **options), along / length)


@pytest.mark.parametrize(("deep", "down"), EVERY)
def test_deformation_is_that_in_coordinates_upwards(deep, down):
    ds, e = flow(deep=deep, down=down)
    made = ds.grad.strain(x="u", k="w", **options)
    normal, shear = e["ux"] - e["wz"], e["wx"] + e["uz"]
    close(made.normal_deformation, normal)
    close(made.shear_deformation, shear)
    close(made.okubo_weiss, normal**2 + shear**2 - (e["wx"] - e["uz"]) ** 2)


@pytest.mark.parametrize(("deep", "down"), EVERY)
def test_a_jacobian_is_of_components_and_by_coordinates_as_they_are(deep, down):
    ds, e = flow(deep=deep, down=down)
    made = ds.grad.jacobian(parts, **options)
    for (i, c), (j, d) in itertools.product(enumerate("uvw"), enumerate("xyk")):
        sign = (-1) ** ((i == 2 and down) + (j == 2 and deep))
        close(made[f"d{c}_d{d}"], sign * e[c + "xyz"[j]])


@pytest.mark.parametrize("deep", [False, True])
def test_components_that_a_metric_mixes_have_their_signs(deep):
    """On a shell of radius r, by the formulas in spherical coordinates: u grows with r."""
    r, lat = np.array([2.0, 3, 5]), np.array([0.1, 0.3, 0.6, 0.7])
    depth, attrs = 9 - r, {"units": "m", "positive": "down"}
    at = {"r": ("r", depth if deep else r, attrs if deep else {"units": "m", "positive": "up"})}
    at["lat"] = ("lat", lat)
    ones = xr.DataArray(np.ones((3, 4)), at, ("r", "lat"), attrs={"units": "m s-1"})
    h = (ones * r[:, None]).drop_attrs(deep=False).assign_attrs(units="m")
    w = (2 * ones).assign_attrs(standard_name="upward_air_velocity", units="m s-1").rename("w")
    v = (0 * ones).assign_attrs(units="m s-1").rename("v")
    metric = {"lat": h}
    # div (w ê_r) = ∂_r w + w/r, for one angle; and so the Jacobian has w/r on its diagonal.
    made = xgradient.divergence(lat=v, r=w, metric=metric, edge_order=2)
    np.testing.assert_allclose(made, 2 / r[:, None] * np.ones((3, 4)), rtol=1e-12)
    tensor = xgradient.jacobian(lat=v, r=w, metric=metric, edge_order=2)
    np.testing.assert_allclose(tensor.dv_dlat, 2 / r[:, None] * np.ones((3, 4)), rtol=1e-12)
    np.testing.assert_allclose(tensor.dw_dr, 0, atol=1e-12)


def test_on_a_globe_and_on_a_grid_of_two_dimensions():
    lat, lon, z = np.arange(-40.0, 41, 20), np.arange(0.0, 360, 30), np.array([0.0, 10, 30])
    coords = {"z": ("z", z, {"units": "m", "positive": "down"}), "lat": lat, "lon": lon}
    zero = xr.DataArray(np.zeros((3, 5, 12)), coords, ("z", "lat", "lon"), attrs={"units": "m s-1"})
    w = (zero + 2 * zero.z).assign_attrs(units="m s-1", standard_name=UP)
    made = xgradient.divergence(lon=zero, lat=zero, z=w, metric="sphere")
    np.testing.assert_allclose(made, -2, rtol=1e-12)
    wide = {
        "lat": (("j", "i"), np.add.outer(lat, 0 * lon)),
        "lon": (("j", "i"), 0 * lat[:, None] + lon),
    }
    zero, w = (
        f.drop_vars(["lat", "lon"]).rename(lat="j", lon="i").assign_coords(wide) for f in (zero, w)
    )
    made = xgradient.divergence(lon=zero, lat=zero, z=w, metric="sphere")
    np.testing.assert_allclose(made, -2, rtol=1e-12)


@pytest.mark.parametrize(
    ("component", "positive", "sign"),
    [
        ({"standard_name": "upward_air_velocity"}, "up", 1),
        ({"standard_name": "upward_air_velocity"}, "down", -1),
        ({"standard_name": "upward_air_velocity"}, " DOWN ", -1),
        ({"standard_name": "downward_air_velocity"}, "down", 1),
        ({"standard_name": "downward_air_velocity"}, "up", -1),
        ({"standard_name": "land_ice_basal_upward_velocity"}, "down", -1),
        ({"standard_name": "downward_heat_flux_in_sea_water"}, "up", -1),
        ({"standard_name": "upward_eastward_momentum_flux_in_air_due_to_x"}, "down", -1),
        ({"standard_name": "upwelling_longwave_flux_in_air"}, "down", -1),
        ({"standard_name": "product_of_upward_air_velocity_and_air_temperature"}, "down", -1),
        ({"standard_name": "lagrangian_tendency_of_air_pressure"}, "down", 1),
        ({"standard_name": "lagrangian_tendency_of_air_pressure"}, "up", 1),
        ({"standard_name": "upward_derivative_of_eastward_wind"}, "down", None),
        ({"positive": "up"}, "down", -1),
        ({"positive": "down", "standard_name": "x"}, "up", -1),
        ({}, "up", 1),
        ({}, "down", None),
        ({"standard_name": "upward_air_velocity"}, "", 1),
        ({"standard_name": "downward_air_velocity"}, "sideways", 1),
        ({"standard_name": 5}, "down", None),
    ],
)
def test_signs_follow_the_attributes(component, positive, sign):
    assert sign_along(component, {"positive": positive}) == sign
    assert sign_along(component, {}) == 1


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("eastward_wind", "x"), ("northward_wind", "y"), ("sea_water_x_velocity", "x"),
        ("y_wind", "y"), ("upward_air_velocity", "z"), ("lagrangian_tendency_of_air_pressure", "z"),
        ("product_of_eastward_wind_and_northward_wind", "xy"), ("air_temperature", ""),
        ("surface_downward_eastward_stress", "xz"), ("surface_downward_y_stress", "yz"),
        ("eastward_derivative_of_northward_wind", "y"), ("", ""),
    ],
)  # fmt: skip
def test_directions_that_standard_names_say(name, way):
    assert directions_of({"standard_name": name}) == set(way)


# Warnings


LAT, LON = np.arange(-20.0, 21, 10), np.arange(0.0, 31, 10)


def on_globe(name, standard_name=None):
    coords = {"lat": ("lat", LAT, {"units": "degrees_north"}),
              "lon": ("lon", LON, {"units": "degrees_east"})}  # fmt: skip
    attrs = {"units": "m s-1"} | ({"standard_name": standard_name} if standard_name else {})
    return xr.DataArray(np.add.outer(LAT, LON), coords, ("lat", "lon"), name, attrs)


def calls_without_a_metric():
    u, v, t = on_globe("u"), on_globe("v"), on_globe("t")
    ds = xr.Dataset({"u": u, "v": v, "t": t})
    both = ["lat", "lon"]
    return {
        "magnitude": lambda **o: t.grad.magnitude(both, **o),
        "laplacian": lambda **o: xgradient.laplacian(t, both, **o),
        "hessian": lambda **o: ds.grad.hessian(**o),
        "divergence": lambda **o: xgradient.divergence(lon=u, lat=v, **o),
        "curl": lambda **o: ds.grad.curl(lon="u", lat="v", **o),
        "jacobian": lambda **o: ds.grad.jacobian(lon="u", lat="v", **o),
        "strain": lambda **o: xgradient.strain(ds, {"lon": "u", "lat": "v"}, **o),
        "advection": lambda **o: ds.grad.advection(lon="u", lat="v", **o),
        "directional": lambda **o: t.grad.directional(lon=u, lat=v, **o),
        "pipe": lambda **o: ds.pipe(xgradient.curl, lon="u", lat="v", **o),
        "map": lambda **o: ds.map(xgradient.magnitude, **o),
        "more dimensions": lambda **o: xgradient.divergence(
            {"lon": u.expand_dims(z=3), "lat": v.expand_dims(z=3)}, **o
        ),
    }


@pytest.mark.parametrize("name", calls_without_a_metric())
def test_angles_that_are_combined_without_a_metric(name):
    call = calls_without_a_metric()[name]
    with pytest.warns(xgradient.GridWarning) as caught:
        call()
    lines, start = inspect.getsourcelines(calls_without_a_metric)
    for each in caught:
        assert "are angles" in str(each.message)
        assert "metric='sphere'" in str(each.message)
        assert each.filename == __file__
        assert start <= each.lineno < start + len(lines)
    # Without a word where lengths are known.
    call(metric="sphere")
    call(metric=xgradient.Ellipsoid())
    call(metric={"lat": 1e5, "lon": 1e5})
    call(spacing={"lat": 1e5, "lon": 1e5})
    call(spacing=1e5)


def test_no_warning_where_no_two_angles_are_combined():
    t, u = on_globe("t"), on_globe("u")
    t.grad("lat")
    t.grad(["lat", "lon"])
    t.grad()
    t.to_dataset().grad(["lat", "lon"])
    t.grad({"lat": 1, "lon": 1})
    t.grad.magnitude("lat")
    t.grad.laplacian(["lat"])
    xgradient.divergence(lat=u)
    t.grad.advection(lat=u)
    plane = t.rename(lat="y", lon="x").drop_attrs()
    plane.grad.magnitude(["x", "y"])
    polar = plane.assign_coords(x=("x", LON, {"units": "m"}), y=("y", LAT / 9, {"units": "m"}))
    polar.grad.laplacian()


def test_errors_come_before_warnings():
    u = on_globe("u").expand_dims(z=[0.0, 1.0]).copy()
    u.z.attrs["units"] = "m"
    with pytest.raises(ValueError, match="a divergence would add"):
        xgradient.divergence(lon=u, lat=u, z=u)


def test_swapped_components():
    u, v = on_globe("u", "eastward_wind"), on_globe("v", "northward_wind")
    expected = (
        r"other directions than the call: 'u' along 'lat' \(eastward_wind\) and 'v' along 'lon' "
        r"\(northward_wind\); give each component by the dimension"
    )
    for call in (
        lambda: xgradient.curl(lat=u, lon=v, metric="sphere"),
        lambda: xgradient.divergence(lat=u, lon=v, metric="sphere"),
        lambda: u.grad.advection(lat=u, lon=v, metric="sphere"),
    ):
        with pytest.warns(xgradient.GridWarning, match="along 'lat'") as caught:
            call()
        assert len(caught) == 1
    with pytest.warns(xgradient.GridWarning, match=expected):
        xgradient.jacobian({"lat": u, "lon": v}, metric="sphere")
    xgradient.curl(lat=v, lon=u, metric="sphere")
    with pytest.warns(xgradient.GridWarning, match=r"'w' along 'lat' \(upward_air_velocity\)"):
        xgradient.curl(lon=u, lat=v.rename("w").assign_attrs(standard_name="upward_air_velocity"),
                       metric="sphere")  # fmt: skip
    plain = {"lat": "y", "lon": "x"}
    x, y = (f.drop_attrs().rename(plain).assign_attrs(f.attrs) for f in (u, v))
    xgradient.curl(x=x, y=y)
    with pytest.warns(xgradient.GridWarning, match=r"'v' along 'x' \(northward_wind\)"):
        xgradient.curl(x=y, y=x)
    flux = u.assign_attrs(standard_name="product_of_eastward_wind_and_northward_wind")
    xgradient.divergence(lon=u, lat=flux, metric="sphere")
    stress = u.assign_attrs(standard_name="surface_downward_eastward_stress")
    xgradient.curl(lon=stress, lat=v, metric="sphere")
    with pytest.warns(xgradient.GridWarning, match=r"along 'lat' \(surface_downward_e"):
        xgradient.curl(lat=stress, lon=u, metric="sphere")


def test_a_component_that_does_not_say_which_way_it_points():
    ds, _ = flow(deep=True, down=False)
    del ds.w.attrs["standard_name"]
    for call in (
        lambda: ds.grad.divergence(parts),
        lambda: ds.grad.curl(parts),
        lambda: ds.grad.jacobian(parts),
        lambda: ds.grad.advection(parts),
        lambda: ds.s.grad.directional(k=ds.w),
    ):
        with pytest.warns(
            xgradient.GridWarning, match="'k' is positive downwards and the direction of 'w'"
        ):
            call()
    with pytest.warns(xgradient.GridWarning, match="is treated as downward"):
        found = ds.grad.divergence(parts)
    ds.w.attrs["positive"] = "down"
    xr.testing.assert_equal(ds.grad.divergence(parts), found)
    del ds.w.attrs["positive"]
    # Without it a coordinate increases as its component points, and nothing is to be said.
    del ds.k.attrs["positive"]
    xr.testing.assert_equal(ds.grad.divergence(parts), found)
    ds.w.attrs["standard_name"] = UP
    xr.testing.assert_equal(ds.grad.divergence(parts), found)
    ds.k.attrs["positive"] = "up"
    xr.testing.assert_equal(ds.grad.divergence(parts), found)
    ds.s.grad("k")


def test_the_coordinate_of_any_component_may_say_which_way_is_up():
    ds, e = flow(deep=True, down=False)
    w = ds.w.copy()
    w.k.attrs["positive"] = "down"
    u = ds.u.copy()
    u.coords["k"] = u.k.drop_attrs().assign_attrs(units="m")
    close(xgradient.divergence(x=u, k=w, **options), e["ux"] + e["wz"])


def test_pressure_and_its_rate_of_change_go_together():
    p, x = np.array([100.0, 300, 600, 1000]), X
    coords = {"p": ("p", p, {"units": "Pa", "positive": "down"}), "x": ("x", x, {"units": "m"})}
    zero = xr.DataArray(np.zeros((4, 4)), coords, ("p", "x"), "u", {"units": "m s-1"})
    omega = (zero + 3 * zero.p).rename("omega").assign_attrs(
        units="Pa s-1", standard_name="lagrangian_tendency_of_air_pressure"
    )  # fmt: skip
    np.testing.assert_allclose(xgradient.divergence(x=zero, p=omega), 3, rtol=1e-13)
    t = (2 * omega.p + 0 * omega).rename("t").assign_attrs(units="K")
    np.testing.assert_allclose(t.grad.advection(p=omega), -2 * omega)


SCRIPT = """
import warnings, xarray as xr, xgradient
warnings.simplefilter("always")
t = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], {"lat": [0.0, 1.0], "lon": [0.0, 1.0]}, ("lat", "lon"))
t.grad.magnitude()
"""


@pytest.mark.slow
def test_the_line_of_the_call_is_shown(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert run.stderr.startswith(f"{path}:5: GridWarning: 'lat' and 'lon' are angles")
    assert "  t.grad.magnitude()" in run.stderr


def test_warnings_have_a_category_that_is_public():
    assert issubclass(xgradient.GridWarning, UserWarning)
    assert "GridWarning" in xgradient.__all__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xgradient.GridWarning)
        on_globe("t").grad.magnitude()
