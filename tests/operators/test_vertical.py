"""Derivatives along and at constant multi-dimensional coordinates: values, names, refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr

import xgradient  # noqa: F401  registers .grad

from ..support import reference, sphere_fields
from ..support.columns import columns, same
from ..support.strategies import NODES

# -- at constant height ----------------------------------------------------------------------------


def sloping(n, dtype="f8"):
    """A wave in x and z on levels that bend with x, and what its derivative at constant z is."""
    x = np.linspace(0, 2, n) + 0.1 * np.sin(np.linspace(0, 2, n) * np.pi)
    ground = 0.3 * np.cos(2 * x)
    s = (np.arange(n)[:, None] / (n - 1)) ** 1.3
    z = ground + (3 - ground) * s
    f, slope = np.sin(2 * x) * np.exp(-z), 2 * np.cos(2 * x) * np.exp(-z)
    coords = {"x": x, "z": (("s", "x"), z, {"units": "m"})}
    return xr.DataArray(f.astype(dtype), coords, ("s", "x"), "f", {"units": "K"}), slope


@pytest.mark.parametrize("accuracy", [1, 2, 3, 4, 6])
def test_order_at_constant_height(accuracy):
    """As accurate as it is said, edges included: measured as a slope."""
    errors = []
    for n in (33, 66):
        f, exact = sloping(n)
        found = f.grad("x", at_constant="z", along="s", accuracy=accuracy, edge_order=accuracy)
        errors.append(abs(found - exact).max())
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.3
    assert abs(f.grad("x", accuracy=accuracy) - exact).max() > 0.1  # along the levels it is another


@pytest.mark.parametrize("skipna", [False, True])
def test_linear_fields_at_constant_height_are_exact(skipna):
    """On levels of any shape, up to any coast, for whatever is differentiated along."""
    rng = np.random.default_rng(3)
    z = columns((5, 12, 9), 1) + 3 * rng.standard_normal((5, 1, 9))
    t, x = NODES["jittered"](5), NODES["stretched"](9)
    f = 3 * t[:, None, None] - 2 * x + 0.5 * z
    f[rng.random(f.shape) < 0.15] = np.nan
    z[rng.random(f.shape) < 0.05] = np.nan
    coords = {"t": t, "x": x, "z": (("t", "s", "x"), z)}
    da = xr.DataArray(f, coords, ("t", "s", "x"), "f")
    for order in ({}, {"edge_order": 2}, {"accuracy": 3, "edge_order": 1}):
        found = da.grad(["t", "x"], at_constant="z", along="s", skipna=skipna, **order)
        for name, value in (("df_dt", 3), ("df_dx", -2)):
            assert abs(found[name] - value).max() < 1e-11
        assert same(da.chunk(t=2, s=5).grad("x", at_constant="z", along="s", **order), da.grad(
            "x", at_constant="z", along="s", **order
        ))  # fmt: skip
    plenty = found.df_dx.notnull().sum() / da.notnull().sum()
    assert plenty > 0.6 if skipna else plenty < 0.4


@pytest.mark.parametrize("poles", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_on_the_globe_with_the_seam_and_the_poles(poles, full):
    """What depends on height alone has no derivative; what is added to it has its own."""
    lat, lon = sphere_fields.grid(15.0, poles=poles)
    phi, lam = np.deg2rad(lat), np.deg2rad(lon)
    g = sphere_fields.labelled(sphere_fields.harmonic(1, phi, lam).f, lat, lon, "f", "K")
    bumps = sphere_fields.labelled(sphere_fields.harmonic(1, phi, lam + 1).f, lat, lon, "z", "m")
    heights = xr.DataArray(np.arange(6.0), dims="s")
    z = heights * (1 + 0.1 * bumps if full else 1 + 0.1 * bumps.isel(lon=0, drop=True)) + 0.01 * (
        heights**2
    )
    f = (g + 2 * z).assign_coords(z=z.assign_attrs(units="m")).rename("f").assign_attrs(units="K")
    plain = (g + 0 * heights).rename("f").assign_attrs(units="K")
    for order in ({}, {"accuracy": 4}):
        call = {"metric": "sphere", **order}
        found = f.grad(["lat", "lon"], at_constant="z", along="s", **call)
        expected = plain.grad(["lat", "lon"], **call)
        for name in ("df_dlat", "df_dlon"):
            assert found[name].attrs["units"] == "K m-1"
            # Half a column round the pole is there for positions without longitudes, too.
            assert abs(found[name] - expected[name]).max() < 1e-12 * abs(expected[name]).max()
            lazy = f.chunk(lat=5, lon=7, s=4)
            lazy = lazy.grad(["lat", "lon"], at_constant="z", along="s", **call)[name]
            assert same(lazy, found[name])


@pytest.mark.parametrize("skipna", [False, True])
def test_on_a_curvilinear_grid(skipna):
    """Both at once, as ocean models have it: no level is flat, and no row runs to the east."""
    j, i = np.meshgrid(np.linspace(0, 1, 12), np.linspace(0, 1, 14), indexing="ij")
    x, y = 8 * i + 1.5 * j**2 + 0.1 * np.sin(7 * j), 6 * j - 1.2 * i**2
    z = np.linspace(-1, 0, 9)[:, None, None] * (1000 + 300 * np.sin(4 * i) * np.cos(3 * j))
    f = 3 * x - 2 * y + 0.5 * z
    f[np.random.default_rng(0).random(f.shape) < 0.15] = np.nan
    coords = {"x": (("j", "i"), x), "y": (("j", "i"), y), "z": (("s", "j", "i"), z)}
    da = xr.DataArray(f, coords, ("s", "j", "i"), "f")
    for order in ({}, {"edge_order": 2}, {"accuracy": 4, "edge_order": 1}):
        call = {"at_constant": "z", "along": "s", "skipna": skipna, **order}
        found = da.grad(["x", "y"], **call)
        assert abs(found.df_dx - 3).max() < 1e-10
        assert abs(found.df_dy + 2).max() < 1e-10
        lazy = da.chunk(s=4, j=5, i=9).grad(["x", "y"], **call)
        assert same(lazy.df_dx, found.df_dx)
        assert same(lazy.df_dy, found.df_dy)
        both = da.grad(["x", "y", "z"], along="s", skipna=skipna, **order)
        assert same(both.df_dz, da.grad("z", along="s", skipna=skipna, **order))
        assert same(both.df_dx, da.grad(["x", "y"], skipna=skipna, **order).df_dx)


def test_dtypes_at_constant_height():
    """The dtype of the result is that of the field, and its digits are those of the positions."""
    for dtype in ("f4", "f8", "c8", "f2", "i4"):
        f, _ = sloping(40)
        f = (100 * f).astype(dtype)
        found = f.grad("x", at_constant="z", along="s", accuracy=4)
        assert found.dtype == (dtype if dtype != "i4" else "f8")
        assert same(f.chunk(s=7, x=9).grad("x", at_constant="z", along="s", accuracy=4), found)
        wide = f.astype("c16" if dtype == "c8" else "f8")
        right = wide.grad("x", at_constant="z", along="s", accuracy=4)
        size = 3 * abs(right).max()
        assert abs(found - right).max() < size * np.finfo(found.dtype).eps


# -- names, units, arguments -----------------------------------------------------------------------


def ocean():
    """Temperatures on levels of the ROMS kind, and a current between their columns."""
    s = xr.Variable("s_rho", np.linspace(-0.9, -0.1, 5), {"axis": "Z", "positive": "up"})
    time = xr.date_range("2001-01-01", periods=3)
    depth = 100 + 50 * np.arange(4.0)[:, None] + 10 * np.arange(6.0)
    zeta = np.array([0.0, 0.5, -0.5])[:, None, None, None]
    z = zeta + (zeta + depth) * s.values[:, None, None]
    t = 20 + z / 100 + np.arange(6.0) * 0.1
    coords = {
        "time": time, "s_rho": s, "x": ("x", 1e3 * np.arange(6.0), {"units": "m"}),
        "z_rho": (("time", "s_rho", "y", "x"), z, {"units": "m", "long_name": "depth"}),
    }  # fmt: skip
    dims = ("time", "s_rho", "y", "x")
    return xr.Dataset(
        {
            "temp": (dims, t, {"units": "degC", "long_name": "potential temperature"}),
            "salt": (dims, 35 - t, {"units": "1"}),
            "zeta": (("time", "y", "x"), t[:, 0]),
            "u": (("time", "s_rho", "y", "x_u"), t[..., 1:]),
            "name": ("y", list("abcd")),
        },
        coords,
        {"title": "a run"},
    )


def test_names_units_and_words():
    found = ocean().temp.grad("z_rho", along="s_rho")
    assert (found.name, found.dims) == ("dtemp_dz_rho", ("time", "s_rho", "y", "x"))
    assert found.attrs["units"] == "K m-1"
    assert found.attrs["long_name"] == "derivative of potential temperature with respect to depth"
    np.testing.assert_allclose(found, 0.01, rtol=1e-10)
    second = ocean().temp.grad("z_rho", along="s_rho", deriv=2)
    assert (second.name, second.attrs["units"]) == ("d2temp_dz_rho2", "K m-2")
    level = ocean().temp.grad("x", at_constant="z_rho")
    assert (level.name, level.attrs["units"]) == ("dtemp_dx", "K m-1")
    assert level.attrs["long_name"] == (
        "derivative of potential temperature with respect to x at constant z_rho"
    )
    np.testing.assert_allclose(level, 1e-4, rtol=1e-9)
    assert "z_rho" in level.coords


def test_several_names_and_whole_datasets():
    ds = ocean()
    both = ds.temp.grad(["z_rho", "time"], along="s_rho")
    assert list(both) == ["dtemp_dz_rho", "dtemp_dtime"]
    assert list(ds.temp.grad(["x", "z_rho", "time"], along="s_rho")) == [
        "dtemp_dx", "dtemp_dz_rho", "dtemp_dtime",
    ]  # fmt: skip
    xr.testing.assert_identical(both.dtemp_dz_rho, ds.temp.grad("z_rho", along="s_rho"))
    xr.testing.assert_identical(both.dtemp_dtime, ds.temp.grad("time"))
    every = ds.grad("z_rho", along="s_rho")
    assert list(every) == ["dtemp_dz_rho", "dsalt_dz_rho"]
    assert every.attrs == ds.attrs
    xr.testing.assert_identical(every.dtemp_dz_rho, both.dtemp_dz_rho)
    levels = ds.grad(["x", "time"], at_constant="z_rho")
    assert set(levels) == {f"d{v}_d{d}" for v in ("temp", "salt") for d in ("x", "time")}
    xr.testing.assert_identical(levels.dsalt_dx, ds.salt.grad("x", at_constant="z_rho"))
    assert set(ds.temp.grad(at_constant="z_rho")) == {"dtemp_dtime", "dtemp_dy", "dtemp_dx"}


def test_the_dimension_is_found():
    ds = ocean()
    expected = ds.temp.grad("z_rho", along="s_rho")
    xr.testing.assert_identical(ds.temp.grad("z_rho"), expected)  # CF: axis Z
    xr.testing.assert_identical(ds.temp.grad("z_rho", along="Z"), expected)
    # The coordinate itself may have a CF name, too.
    standard = ds.temp.drop_vars("s_rho")
    standard.z_rho.attrs["standard_name"] = "altitude"
    xr.testing.assert_identical(
        standard.grad("altitude", along="s_rho"), standard.grad("z_rho", along="s_rho")
    )
    both = standard.grad(["altitude", "x"], along="s_rho")
    assert list(both) == ["dtemp_dz_rho", "dtemp_dx"]
    bare = ds.temp.drop_vars("s_rho")
    named = bare.assign_coords(y=("y", np.arange(4.0), {"axis": "Y"}))
    named = named.assign_coords(x=("x", np.arange(6.0), {"standard_name": "longitude"}))
    assert same(named.grad("z_rho"), expected)  # what is left beside time, y and x
    assert same(bare.grad("x", at_constant="z_rho", along="s_rho"), ds.temp.grad(
        "x", at_constant="z_rho"
    ))  # fmt: skip
    # One column has one dimension, as any coordinate.
    one = ds.temp.isel(time=0, y=1, x=2)
    assert abs(one.grad("z_rho", along="s_rho") - expected[0, :, 1, 2]).max() < 1e-12


def test_what_stays_constant_may_have_a_cf_name():
    ds = ocean()
    expected = ds.temp.grad("x", at_constant="z_rho")
    ds.z_rho.attrs["standard_name"] = "height_above_mean_sea_level"
    assert same(ds.temp.grad("x", at_constant="height_above_mean_sea_level"), expected)
    assert list(ds.grad("x", at_constant="height_above_mean_sea_level")) == ["dtemp_dx", "dsalt_dx"]
    # A coordinate of the levels alone may have the same name; it is constant anyway.
    ds.s_rho.attrs["standard_name"] = "height_above_mean_sea_level"
    assert same(ds.temp.grad("x", at_constant="height_above_mean_sea_level"), expected)
    two = ds.temp.assign_coords(z_w=ds.z_rho + 1)
    two.z_w.attrs["standard_name"] = "height_above_mean_sea_level"
    several = (
        "^'height_above_mean_sea_level' fits several coordinates, 'z_rho', 'z_w'; give the name"
    )
    with pytest.raises(ValueError, match=several):
        two.grad("x", at_constant="height_above_mean_sea_level")


def test_a_field_is_left_as_it_is():
    ds = ocean()
    before = ds.copy(deep=True)
    ds.grad("z_rho")
    ds.grad("x", at_constant="z_rho")
    xr.testing.assert_identical(ds, before)


def turned():
    ds = ocean()
    z = ds.z_rho.values.copy()
    z[1, 3, 2, 4] = z[1, 1, 2, 4]
    return ds.temp.assign_coords(z_rho=(ds.z_rho.dims, z))


def repeated():
    ds = ocean()
    z = ds.z_rho.values.copy()
    z[2, 3, 0, 1] = z[2, 2, 0, 1]
    return ds.temp.assign_coords(z_rho=(ds.z_rho.dims, z))


BAD = {
    "an unknown dimension": (
        lambda: ocean().temp.grad("z_rho", along="sigma"),
        "'sigma' is not a dimension, coordinate or CF name here; there are",
    ),
    "a dimension that it has not": (
        lambda: ocean().isel(s_rho=0).temp.grad("z_rho", along="x_u"),
        "'x_u' is not a dimension, coordinate or CF name here; there are",
    ),
    "a dimension of others": (
        lambda: ocean().grad("z_rho", along="x_u"),
        ("along is 'x_u', but none of 'z_rho' is a coordinate that has this dimension; coordinates "
        "of several dimensions with it are none"),
    ),
    "several dimensions": (
        lambda: ocean().temp.grad("z_rho", along=["s_rho"]),
        "along is ['s_rho']; give one name",
    ),
    "several to keep constant": (
        lambda: ocean().temp.grad("x", at_constant=["z_rho"]),
        "at_constant is ['z_rho']; give one name",
    ),
    "along itself": (
        lambda: ocean().temp.grad("z_rho", along="z_rho"),
        ("along is 'z_rho', which has the dimensions 's_rho', 'time', 'x', 'y'; name one of these"),
    ),
    "the same twice": (
        lambda: ocean().temp.grad(["z_rho", "z_rho"], along="s_rho"),
        "dim names 'z_rho' twice; name it once",
    ),
    "a variable": (
        lambda: ocean().reset_coords("z_rho").grad("z_rho", along="s_rho"),
        "'z_rho' is a variable, not a coordinate; call .set_coords('z_rho') first",
    ),
    "a vector along it": (
        lambda: ocean().temp.grad.advection(z_rho=ocean().temp, x=ocean().temp),
        ("coordinate 'z_rho' has 4 dimensions (time, s_rho, y, x), but a derivative needs a "
        "coordinate along one dimension; name another coordinate or one of the dimensions "
        "'s_rho', 'time', 'x', 'y', or call .grad with along, a dimension of it"),
    ),
    "no coordinate of several dimensions": (
        lambda: ocean().temp.grad("x", along="s_rho"),
        ("along is 's_rho', but none of 'x' is a coordinate that has this dimension; coordinates "
        "of several dimensions with it are 'z_rho'"),
    ),
    "an unknown vertical dimension": (
        lambda: ocean().temp.drop_vars("s_rho").grad("z_rho"),
        ("coordinate 'z_rho' has the dimensions 's_rho', 'x', 'y', and their coordinates do not "
        "say which one is vertical; name it, e.g. along='s_rho'"),
    ),
    "no number": (
        lambda: ocean().temp.assign_coords(z_rho=ocean().z_rho.astype(str)).grad("z_rho"),
        "coordinate 'z_rho' has dtype <U32, which is not numeric; give one that holds positions",
    ),
    "positions that turn": (
        lambda: turned().grad("z_rho"),
        ("coordinate 'z_rho' must strictly increase or decrease along 's_rho' in every column, but "
        "turns, from -119.75 to -167.85, at time=1, s_rho=3, y=2, x=4; sort it, or mask such "
        "columns, e.g. with .where"),
    ),
    "positions that repeat": (
        lambda: repeated().chunk().assign_coords(z_rho=repeated().z_rho).grad("z_rho"),
        ("coordinate 'z_rho' must strictly increase or decrease along 's_rho' in every column, but "
        "repeats the value -55.25 at time=2, s_rho=3, y=0, x=1; sort it, or mask such columns"),
    ),
    "too few levels": (
        lambda: ocean().temp.grad("z_rho", accuracy=6),
        "dimension 's_rho' has 5 points, but deriv=1, accuracy=6, edge_order=6 needs 7; lower them",
    ),
    "a spacing": (
        lambda: ocean().temp.grad("z_rho", spacing=2.0),
        ("spacing is given for 'z_rho', whose positions differ by column; leave it "
        "out, or give spacing by name to the others"),
    ),
    "a spacing among others": (
        lambda: ocean().temp.grad(["x", "z_rho"], spacing=[1.0, 2.0]),
        "spacing is given for 'z_rho', whose positions differ by column",
    ),
    "a period": (
        lambda: ocean().temp.grad("z_rho", periodic=True),
        "periodic is given for 'z_rho', whose positions differ by column",
    ),
    "a metric for nothing": (
        lambda: ocean().temp.grad("z_rho", metric="sphere"),
        "metric is for other coordinates, but 'z_rho' is a length itself; leave metric out, or ",
    ),
    "a mixed derivative": (
        lambda: ocean().temp.grad({"x": 1, "time": 1}, at_constant="z_rho"),
        "along and at_constant are not for mixed derivatives; name coordinates in a list",
    ),
    "no field": (
        lambda: ocean()[["zeta", "u", "z_rho"]].grad("z_rho", along="s_rho"),
        ("no numeric variable of the Dataset has the dimension 'time', 's_rho', 'y', 'x'; its "
        "variables are 'zeta', 'u'"),
    ),
    "nothing to keep constant": (
        lambda: ocean().temp.grad("x", at_constant="depth"),
        "'depth' is not a coordinate here; coordinates of several dimensions are 'z_rho'",
    ),
    "a variable to keep constant": (
        lambda: ocean().grad("x", at_constant="salt"),
        "'salt' is a variable, not a coordinate; call .set_coords('salt') first",
    ),
    "second derivatives at constant height": (
        lambda: ocean().temp.grad("x", at_constant="z_rho", deriv=2),
        "deriv is 2, but at_constant is for first derivatives; leave one out",
    ),
    "the vertical itself": (
        lambda: ocean().temp.grad(["x", "s_rho"], at_constant="z_rho", along="s_rho"),
        ("at_constant is 'z_rho', which changes along 's_rho', but dim names this too; name the "
        "other dimensions only"),
    ),
    "nothing vertical": (
        lambda: ocean().temp.grad(["x"], at_constant="x"),
        "coordinate 'x' has no dimension besides those asked for; leave one out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_in_one_sentence(name):
    call, message = BAD[name]
    with pytest.raises((ValueError, TypeError), match="^" + re.escape(message)):
        call()


# -- a real file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [{}, {"model_level_number": 4, "grid_longitude": 33}])
def test_hybrid_heights(chunks):
    """Potential temperature over hills: in memory and on dask with equal bits."""
    samples, _ = pytest.importorskip("iris_sample_data"), pytest.importorskip("netCDF4")
    with xr.open_dataset(f"{samples.path}/hybrid_height.nc") as ds:
        theta = ds.air_potential_temperature.load()
    height = theta.level_height + theta.sigma * theta.surface_altitude
    theta = theta.assign_coords(height=height.assign_attrs(units="m"))
    by_z = theta.grad("height", accuracy=2, edge_order=2)
    assert by_z.attrs["units"] == "K m-1"
    assert by_z.dtype == np.float32
    z, f = (a.transpose(..., "model_level_number").values for a in (height, theta))
    for y, x in ((0, 0), (50, 20), (99, 99)):
        expected = reference.derivative(
            f[y, x].tolist(), z[y, x].tolist(), edge_order=2, uniform=False
        )
        np.testing.assert_allclose(by_z[:, y, x], expected, rtol=1e-5, atol=1e-9)
    call = {"at_constant": "height", "metric": "sphere"}
    level = theta.grad(["grid_longitude", "grid_latitude"], **call)
    along = theta.grad(["grid_longitude", "grid_latitude"], metric="sphere")
    slope = height.rename("z").grad("grid_longitude", metric="sphere").astype("f8")
    chain = along.dair_potential_temperature_dgrid_longitude - slope * theta.grad("height")
    found = level.dair_potential_temperature_dgrid_longitude
    assert abs(found - chain).max() < 1e-5 * abs(chain).max()
    assert abs(found).mean() < abs(along.dair_potential_temperature_dgrid_longitude).mean()
    lazy = theta.chunk(chunks)
    lazy = lazy.assign_coords(height=lazy.height.chunk(chunks))
    assert same(lazy.grad("height", edge_order=2), by_z)
    for name, value in lazy.grad(["grid_longitude", "grid_latitude"], **call).items():
        assert same(value, level[name])
