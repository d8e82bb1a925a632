"""Tracks, along whose one dimension both latitude and longitude change."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import Ellipsoid, Sphere
from xgradient.geometry.track import distances

R = 6371008.8
NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def track(values, lat, lon, dim="obs", **attrs):
    coords = {"lat": (dim, lat, NORTH), "lon": (dim, lon, EAST)}
    return xr.DataArray(values, coords, dim, "T", {"units": "K", **attrs})


def great_circle(angle, tilt=1.1, start=0.3):
    """Latitudes and longitudes at angles in radians along a great circle."""
    x, y, z = np.cos(angle), np.sin(angle) * np.cos(tilt), np.sin(angle) * np.sin(tilt)
    return np.rad2deg(np.arcsin(z)), np.rad2deg(np.arctan2(y, x) + start)


def uneven(n, span):
    i = np.linspace(0, 1, n)
    return span * (i + 0.05 * np.sin(7 * i))


def of_issue():
    s = np.linspace(0, 1, 40)
    lat, lon = 10 + 30 * s, 100 + 40 * s**1.3
    return track(20 - 0.5 * lat, lat, lon)


# ---------------------------------------------------------------------------------------- distances


def test_distances_on_a_sphere_lose_nothing(rng):
    mp = pytest.importorskip("mpmath")
    pairs = [
        (10.0, 20.0, 10.0, 20.0 + 1e-11),
        (60.0, 5.0, 60.0 + 1e-13, 5.0), (0.0, 359.9999, 0.0, 1e-4),
        (89.9999999, 3.0, 89.9999999, 183.0), (90.0, 0.0, 89.0, 77.0), (-90.0, 12.0, 90.0, 50.0),
        (12.5, 40.0, -12.5, 220.0), (12.5, 40.0, -12.5, 220.0 + 1e-9), (5.0, -179.9, 5.5, 179.9),
        (-45.0, 0.0, -45.0, 720.0 + 1e-6),
        *zip(*(rng.uniform(-a, a, 30) for a in (90, 180, 90, 180)), strict=True),
    ]  # fmt: skip
    with mp.workdps(60):
        for pair in pairs:
            a, b, c, d = (mp.radians(mp.mpf(float(x))) for x in pair)
            half = mp.sin((c - a) / 2) ** 2 + mp.cos(a) * mp.cos(c) * mp.sin((d - b) / 2) ** 2
            exact = float(2 * R * mp.asin(mp.sqrt(half)))
            (found,) = distances(Sphere(), *(np.array([x]) for x in pair))
            assert found == pytest.approx(exact, rel=2e-15, abs=1e-300), pair


def test_the_derivative_of_the_issue_is_the_one_along_the_track():
    found = of_issue().grad("obs", metric="sphere")
    assert (found.name, found.attrs["units"]) == ("dT_ds", "K m-1")
    assert found.attrs["long_name"] == "derivative of T with respect to distance along the track"
    # dT/ds = dT/dlat · dlat/ds, with the angle of the track to the meridian.
    s = np.linspace(0, 1, 40)
    lat, north, east = np.deg2rad(10 + 30 * s), 30 + 0 * s, 52 * s**0.3
    exact = -0.5 * north / (np.deg2rad(np.hypot(north, east * np.cos(lat))) * R)
    assert abs(found.values / exact - 1)[5:-5].max() < 1e-3
    assert found.coords.identical(of_issue().coords)


@pytest.mark.parametrize(("deriv", "accuracy"), [(1, 2), (1, 4), (2, 2), (2, 4)])
@pytest.mark.parametrize("metric", ["sphere", "ellipsoid"])
def test_order_of_convergence(deriv, accuracy, metric):
    errors = []
    for n in (80, 160):
        s, scale = uneven(n, 0.8 * R), R / 10
        lat, lon = great_circle(s / R)
        if metric == "ellipsoid":
            geod = pytest.importorskip("pyproj").Geod(ellps="WGS84")
            lon, lat, _ = geod.fwd(np.full(n, 170.0), np.full(n, -10.0), np.full(n, 33.0), s)
        da = track(np.sin(s / scale), lat, np.mod(lon, 360))
        found = da.grad("obs", metric=metric, deriv=deriv, accuracy=accuracy)
        exact = (np.cos(s / scale) if deriv == 1 else -np.sin(s / scale)) / scale**deriv
        assert (found.name, found.attrs["units"]) == (
            ("dT_ds", "K m-1") if deriv == 1 else ("d2T_ds2", "K m-2")
        )
        errors.append(abs(found.values - exact)[5:-5].max() * scale**deriv)
    assert errors[1] < 1e-3
    assert np.log2(errors[0] / errors[1]) > accuracy - 0.4


def test_polynomials_of_the_distance_are_exact_to_rounding():
    s = uneven(30, 2e6)
    da = track((s / 1e6) ** 4, *great_circle(s / R))
    found = da.grad("obs", metric="sphere", accuracy=4)
    np.testing.assert_allclose(found * 1e6, 4 * (s / 1e6) ** 3, rtol=1e-11, atol=1e-11)


def test_points_a_millimetre_apart():
    lat = 60 + np.arange(6) * np.rad2deg(1e-3 / R)
    found = track(np.arange(6.0), lat, 0 * lat).grad("obs", metric="sphere")
    exact = 1 / (np.deg2rad(np.diff(lat)) * R)
    assert abs(found.values[0] / exact[0] - 1) < 1e-12


def test_metrics_of_other_sizes_and_radians():
    s = uneven(20, 0.5)
    lat, lon = great_circle(s)
    by_degrees = track(s**2, lat, lon).grad("obs", metric=Sphere(1000.0))
    coords = {
        "lat": ("obs", np.deg2rad(lat), {"units": "radians", "standard_name": "latitude"}),
        "lon": ("obs", np.deg2rad(lon), {"units": "radians", "standard_name": "longitude"}),
    }
    radians = xr.DataArray(s**2, coords, "obs", "T").grad("obs", metric=Sphere(1000.0))
    np.testing.assert_allclose(by_degrees, radians, rtol=1e-12)
    np.testing.assert_allclose(by_degrees[1:-1], 2 * s[1:-1] / 1000, rtol=1e-2)
    pytest.importorskip("pyproj")
    round_ = track(s**2, lat, lon).grad("obs", metric=Ellipsoid(1000.0, 1000.0))
    np.testing.assert_allclose(by_degrees, round_, rtol=1e-9)


def test_the_dimension_s_own_coordinate_counts_only_without_a_metric():
    timed = of_issue().rename(obs="time").assign_coords(time=np.arange(40) * 3.0)
    plain = timed.grad("time")
    assert plain.name == "dT_dtime"
    np.testing.assert_allclose(plain, np.gradient(timed.values, 3.0), rtol=1e-14)
    found = timed.grad("time", metric="sphere")
    assert found.name == "dT_ds"
    np.testing.assert_array_equal(found, of_issue().grad("obs", metric="sphere"))


def test_one_coordinate_alone_is_taken_as_before():
    da = of_issue()
    np.testing.assert_allclose(da.grad("lat"), -0.5, rtol=1e-12)
    np.testing.assert_allclose(da.grad("lat", metric="sphere"), -0.5 / np.deg2rad(R), rtol=1e-12)
    assert da.grad("lon", metric="sphere").name == "dT_dlon"
    assert da.grad.magnitude("lat").name == "grad_T_magnitude"


# ----------------------------------------------------------------------------------------- sections


def section(lazy=False):
    s, depth = uneven(30, 1e6), np.array([0.0, 10, 30, 60, 100])
    lat, lon = great_circle(s / R)
    values = (s / 1e5)[:, None] ** 2 + depth * 0.1
    coords = {"lat": ("obs", lat, NORTH), "lon": ("obs", lon, EAST),
              "depth": ("depth", depth, {"units": "m"})}  # fmt: skip
    da = xr.DataArray(values, coords, ("obs", "depth"), "T", {"units": "K"})
    return da.chunk(obs=7) if lazy else da


def test_sections():
    da, s = section(), uneven(30, 1e6)[:, None]
    inside = {"obs": slice(1, -1)}
    along, down = 2 * s / 1e10 + 0 * da.depth.values, 0.1
    both = da.grad(["obs", "depth"], metric="sphere")
    assert list(both.data_vars) == ["dT_ds", "dT_ddepth"]
    np.testing.assert_allclose(both.dT_ds.isel(inside), along[1:-1], rtol=1e-9)
    np.testing.assert_allclose(both.dT_ddepth, down, rtol=1e-12)
    assert both.identical(da.grad(metric="sphere"))
    size = da.grad.magnitude(["obs", "depth"], metric="sphere")
    assert size.attrs["units"] == "K m-1"
    np.testing.assert_allclose(size.isel(inside), np.hypot(along, down)[1:-1], rtol=1e-9)
    laplacian = da.grad.laplacian(["obs", "depth"], metric="sphere")
    np.testing.assert_allclose(laplacian.isel(inside), 2e-10, rtol=1e-6, atol=1e-15)
    hessian = da.grad.hessian(["obs", "depth"], metric="sphere")
    assert list(hessian.data_vars) == ["d2T_ds2", "d2T_ds_ddepth", "d2T_ddepth2"]
    flow = da.assign_attrs(units="m s-1")
    parts = {"obs": flow.rename("u"), "depth": (0.5 * flow).assign_attrs(flow.attrs).rename("w")}
    spread = xgradient.divergence(parts, metric="sphere")
    np.testing.assert_allclose(spread.isel(inside), (along + 0.05)[1:-1], rtol=1e-9)
    brought = da.grad.advection(parts, metric="sphere")
    np.testing.assert_allclose(
        brought.isel(inside), -(da.values * (along + 0.5 * down))[1:-1], rtol=1e-9
    )


def test_the_magnitude_along_a_track_is_that_of_its_derivative():
    da = of_issue()
    found = da.grad.magnitude("obs", metric="sphere")
    np.testing.assert_array_equal(found, abs(da.grad("obs", metric="sphere")))
    found = da.grad.laplacian("obs", metric="sphere")
    np.testing.assert_array_equal(found, da.grad("obs", metric="sphere", deriv=2))
    in_dataset = da.to_dataset().grad("obs", metric="sphere")
    assert in_dataset.dT_ds.identical(da.grad("obs", metric="sphere"))


def test_without_names_the_track_is_the_horizontal():
    da = of_issue()
    found = da.grad.magnitude(metric="sphere")
    assert found.identical(da.grad.magnitude("obs", metric="sphere"))
    assert da.grad.laplacian(metric="sphere").name == "laplacian_T"
    assert list(da.grad.hessian(metric="sphere").data_vars) == ["d2T_ds2"]
    found = section().grad.magnitude(metric="sphere")
    assert found.identical(section().grad.magnitude("obs", metric="sphere"))
    # A coordinate that the dimension is named by is no track's length.
    with pytest.raises(ValueError, match=r"\.swap_dims\(\{'lat': 'obs'\}\)"):
        da.swap_dims(obs="lat").grad.magnitude(metric="sphere")


def test_columns_along_a_section():
    da = section()
    depth = da.depth * (1 + 0.1 * xr.DataArray(np.arange(30.0), dims="obs"))
    deep = da.assign_coords(z=depth.transpose("obs", "depth").assign_attrs(units="m"))
    both = deep.grad(["obs", "z"], along="depth", metric="sphere")
    np.testing.assert_array_equal(both.dT_ds, da.grad("obs", metric="sphere"))
    assert "dT_dz" in both
    level = deep.grad("obs", at_constant="z", along="depth", metric="sphere")
    slope = depth.transpose("obs", "depth").assign_coords(da.coords).grad("obs", metric="sphere")
    np.testing.assert_allclose(level, both.dT_ds - slope * both.dT_dz, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("call", [
    lambda da: da.grad("obs", metric="sphere", accuracy=4),
    lambda da: da.grad("obs", metric="sphere", deriv=2, skipna=True),
    lambda da: da.grad.magnitude(["obs", "depth"], metric="sphere"),
])  # fmt: skip
def test_dask_gives_what_memory_gives(call, nothing_computed):
    pytest.importorskip("dask")
    gap = section()
    gap["lat"] = gap.lat.where(gap.lat != gap.lat[11])
    for da in (section(), gap, gap.astype("f4")):
        expected = call(da)
        with nothing_computed():
            lazy = call(da.chunk(obs=7).assign_coords(da.coords))
        assert lazy.chunks is not None
        assert lazy.dtype == expected.dtype == da.dtype
        np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), expected)
        np.testing.assert_array_equal(call(da.chunk(obs=7)), expected)  # positions in chunks, too


# -------------------------------------------------------------------------------- missing positions


def with_gaps(values, skipna, **order):
    """Return the derivatives of the runs between missing positions, each by itself."""
    s = uneven(24, 1e6)
    lat, lon = great_circle(s / R)
    da = track(values, lat, lon)
    holes, expected = [0, 9, 10, 17], np.full(24, np.nan)
    for run in np.split(np.arange(24), [1, 9, 11, 17, 18]):
        if not set(run) & set(holes):
            alone = da.isel(obs=run).grad("obs", metric="sphere", skipna=skipna, **order)
            cut = 0 if skipna else order.get("accuracy", 2) // 2
            rows = [i for i in run if i - cut > run[0] - 1 or run[0] == 0]
            rows = [i for i in rows if i + cut < run[-1] + 1 or run[-1] == 23]
            expected[rows] = alone.values[[i - run[0] for i in rows]]
    lat, lon = lat.copy(), lon.copy()
    lat[[0, 9]] = np.nan
    lon[[10, 17]] = np.nan
    return track(values, lat, lon), expected


@pytest.mark.parametrize("skipna", [False, True])
@pytest.mark.parametrize("kind", ["f8", "i8"])
def test_steps_of_missing_positions_are_missing(skipna, kind):
    da, expected = with_gaps((uneven(24, 10) ** 2 * 100).astype(kind), skipna)
    found = da.grad("obs", metric="sphere", skipna=skipna)
    assert found.dtype == "f8"
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    size = da.grad.magnitude("obs", metric="sphere", skipna=skipna)
    np.testing.assert_allclose(size, abs(expected), rtol=1e-9)


def test_a_track_without_a_known_step():
    da = track(np.arange(4.0), [np.nan, 1.0, np.nan, 2.0], [0.0, 1, 2, 3])
    assert np.isnan(da.grad("obs", metric="sphere")).all()
    assert np.isnan(da.grad("obs", metric="sphere", skipna=True)).all()


def test_other_variables_of_a_dataset_are_left_as_they_are():
    da = section()
    da["lat"] = da.lat.where(da.lat != da.lat[3])
    ds = da.to_dataset().assign(depth_only=da[0].drop_vars(["lat", "lon"]) * 2)
    both = ds.grad(["obs", "depth"], metric="sphere")
    assert both.ddepth_only_ddepth.dims == ("depth",)
    assert not np.isnan(both.ddepth_only_ddepth).any()


# ----------------------------------------------------------------------------------------- refusals

PARTIAL = (
    "'lat' and 'lon' both lie along 'obs', where neither changes alone; a track has a derivative "
    "along its length, .grad('obs', metric='sphere'), and cells of a mesh have none before they "
    "are interpolated to a grid"
)  # fmt: skip


def refused(call, message, kind=ValueError):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


COMBINED = {
    "list": lambda da, **o: da.grad(["lat", "lon"], **o),
    "CF names": lambda da, **o: da.grad(["latitude", "longitude"], **o),
    "dataset": lambda da, **o: da.to_dataset().grad(["lat", "lon"], **o),
    "magnitude": lambda da, **o: da.grad.magnitude(["lat", "lon"], **o),
    "laplacian": lambda da, **o: da.grad.laplacian(["lat", "lon"], **o),
    "hessian": lambda da, **o: da.grad.hessian(["lat", "lon"], **o),
    "divergence": lambda da, **o: xgradient.divergence(lat=da, lon=da, **o),
    "curl": lambda da, **o: xgradient.curl(lat=da, lon=da, **o),
    "jacobian": lambda da, **o: xgradient.jacobian(lat=da, lon=da, **o),
    "strain": lambda da, **o: xgradient.strain(lat=da, lon=da, **o),
    "advection": lambda da, **o: da.grad.advection(lat=da, lon=da, **o),
    "directional": lambda da, **o: da.grad.directional(lat=da, lon=da, **o),
}


@pytest.mark.parametrize("metric", [None, "sphere", "ellipsoid", {"obs": 2.0}])
@pytest.mark.parametrize("name", COMBINED)
def test_two_coordinates_of_a_track_are_refused(name, metric):
    message = PARTIAL
    if name in ("curl", "strain"):  # which put the longitude first
        message = PARTIAL.replace("'lat' and 'lon'", "'lon' and 'lat'")
    refused(lambda: COMBINED[name](of_issue(), metric=metric), message)


def test_what_the_refusal_names_works():
    da = of_issue()
    found = eval("da" + re.search(r"\.grad\('obs'.*?\)", PARTIAL)[0])
    assert found.name == "dT_ds"
    by_lat = da.swap_dims(obs="lat")
    with pytest.raises(ValueError, match=r"swap_dims\(\{'lat': 'obs'\}\)\.grad\('obs'") as error:
        by_lat.grad(["lat", "lon"])
    call = re.search(r"\.swap_dims.*?\)\.grad\(.*?\)", str(error.value))[0]
    assert eval("by_lat" + call).identical(found)


def test_mixed_derivatives_and_the_dimension_itself():
    refused(lambda: of_issue().grad({"lat": 1, "lon": 1}), PARTIAL)
    both = PARTIAL.replace("'lat' and 'lon'", "'obs' and 'lat'")
    refused(lambda: of_issue().grad(["obs", "lat"], metric="sphere"), both)
    two = xr.DataArray(np.arange(4.0), {"x": np.arange(4.0), "x2": ("x", np.arange(4.0) ** 2)}, "x")
    for names in (["x", "x2"], ["x2", "x"]):
        message = (
            f"{names[0]!r} and {names[1]!r} both lie along 'x', where neither changes alone; name "
            "one at a time, for the derivative by it along its length"
        )
        refused(lambda names=names: two.grad(names), message)
        refused(lambda names=names: two.grad.magnitude(names, metric={"x": 2.0}), message)
        refused(lambda names=names: two.grad.laplacian(names), message)
    assert two.grad("x2").name == "d_dx2"


def test_columns_along_one_dimension():
    da = section().assign_coords(z=section() * 0 + section().depth, p=section().depth * 2)
    da = da.assign_coords(q=da.z * 3)
    message = "both lie along 'depth', where neither changes alone; name one at a time"
    for names in (["z", "depth"], ["depth", "z"], ["z", "q"], ["p", "depth"]):
        with pytest.raises(ValueError, match=message):
            da.drop_attrs().grad(names, along="depth")


def test_repeated_positions():
    da = of_issue().isel(obs=[0, 1, 2, 2, 3, 3, 3, 4])
    message = (
        "the track along 'obs' repeats the position before at index 3, 5, 6; drop what is "
        "repeated, e.g. with .drop_isel({'obs': [3, 5, 6]})"
    )
    refused(lambda: da.grad("obs", metric="sphere"), message)
    right = of_issue().isel(obs=slice(5)).grad("obs", metric="sphere")
    kept = eval("da" + message.partition("e.g. with ")[2])
    np.testing.assert_array_equal(kept.grad("obs", metric="sphere"), right)
    data = of_issue().isel(obs=np.repeat(np.arange(10), 3))
    with pytest.raises(ValueError, match="and 12 more; drop what is repeated") as error:
        data.grad("obs", metric="sphere")
    kept = eval("data" + str(error.value).partition("e.g. with ")[2], {"np": np, "data": data})
    assert kept.grad("obs", metric="sphere").sizes["obs"] == 10
    seam = track(np.arange(3.0), [1.0, 1.0, 2.0], [0.0, 360.0, 1.0])
    with pytest.raises(ValueError, match="repeats the position before at index 1;"):
        seam.grad("obs", metric="sphere")


def test_arguments_that_do_not_go_with_a_track():
    with_a_metric = (
        " of 'obs' is given together with a metric, by which this is the distance along a track "
        "with two ends; leave one of them out"
    )
    for options in ({"spacing": 2.0}, {"spacing": {"obs": np.arange(40.0)}}):
        refused(lambda o=options: of_issue().grad("obs", metric="sphere", **o),
                "spacing" + with_a_metric)  # fmt: skip
    for periodic in (True, "obs", {"obs": 1e6}, {"lon": 360}):
        refused(lambda p=periodic: of_issue().grad("obs", metric="sphere", periodic=p),
                "periodic" + with_a_metric)  # fmt: skip
    expected = of_issue().grad("obs", metric="sphere")
    assert of_issue().grad("obs", metric="sphere", periodic=False).identical(expected)
    beside = of_issue().expand_dims(y=[0, 1]).assign_coords(lat_y=("y", [0.0, 1.0], NORTH))
    refused(
        lambda: beside.grad(["obs", "lat_y"], metric="sphere"),
        "'lat_y' is named together with 'obs', along which there is a track at other positions; "
        "name them one at a time",
    )
    refused(
        lambda: of_issue().assign_coords(lat2=of_issue().lat).grad("obs", metric="sphere"),
        "several coordinates along 'obs' may be its latitude, 'lat', 'lat2'; drop all but one, "
        "e.g. with .drop_vars",
    )
    refused(
        lambda: track([1.0, 2], [95.0, 3.0], [0.0, 1.0]).grad("obs", metric="sphere"),
        "coordinate 'lat' has the value 95 at index 0; latitudes lie between -90 and 90, so check "
        "its units",
    )


def test_positions_that_are_not_known_as_such():
    ds = of_issue().to_dataset().reset_coords(["lat", "lon"])
    message = (
        "'lat', 'lon' along 'obs' are variables and not yet coordinates; call "
        ".set_coords(['lat', 'lon']) first"
    )
    refused(lambda: ds.T.to_dataset().assign(ds).grad("obs", metric="sphere"), message)
    found = eval("ds" + message.partition("call ")[2].removesuffix(" first"))
    assert list(found.grad("obs", metric="sphere").data_vars) == ["dT_ds"]
    odd = of_issue().assign_coords(lat=of_issue().lat.assign_attrs(units="degrees north"))
    with pytest.raises(ValueError, match=r"^coordinate 'lat' has the units 'degrees north'"):
        odd.grad("obs", metric="sphere")


def test_cells_of_a_mesh():
    coords = {"lat": ("n", [0.0, 5, 2], NORTH), "lon": ("n", [9.0, 3, 5], EAST)}
    da = xr.DataArray(np.arange(3.0), coords, "n", "T")
    refused(lambda: da.grad(["lat", "lon"], metric="sphere"), PARTIAL.replace("'obs'", "'n'"))
    message = (
        "coordinate 'lat' is not monotonic: it turns at index 2, from 5.0 to 2.0; a track has a "
        "derivative along its length, .grad('n', metric='sphere'), and cells of a mesh have none "
        "before they are interpolated to a grid"
    )
    refused(lambda: da.grad("lat"), message)
    message = message.replace("'lat' is", "'lon' is").replace("5.0 to 2.0", "3.0 to 5.0")
    refused(lambda: da.grad("lat", metric="sphere"), message)
    assert da.grad("n", metric="sphere").name == "dT_ds"
    griddata = pytest.importorskip("scipy.interpolate").griddata
    at = np.meshgrid([2.0, 2.5], [5.0, 5.5], indexing="ij")
    values = griddata((da.lat, da.lon), da.values, tuple(at))
    grid = xr.DataArray(values, {"lat": [2.0, 2.5], "lon": [5.0, 5.5]}, ("lat", "lon"), "T")
    assert set(grid.grad(["lat", "lon"], metric="sphere")) == {"dT_dlat", "dT_dlon"}


def test_an_ellipsoid_needs_pyproj(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyproj", None)
    with pytest.raises(ImportError, match=r'pyproj; .*pip install "xgradient\[geodesic\]"'):
        of_issue().grad("obs", metric="ellipsoid")
    assert of_issue().grad("lat", metric="ellipsoid").name == "dT_dlat"


# --------------------------------------------------------------------------------- the command line


def test_the_command_line(tmp_path, monkeypatch):
    pytest.importorskip("netCDF4")
    pytest.importorskip("tqdm")
    testing = pytest.importorskip("click.testing")
    from xgradient.cli.commands import cli

    of_issue().to_netcdf(tmp_path / "in.nc")
    source, target = str(tmp_path / "in.nc"), str(tmp_path / "out.nc")

    def run(*words):
        return testing.CliRunner().invoke(cli, ["grad", source, target, *words])

    done = run("--var", "T", "--dim", "obs", "--metric", "sphere")
    assert done.output == "dT_ds (obs: 40) float64 K m-1\n"
    with xr.open_dataset(target) as found:
        np.testing.assert_array_equal(found.dT_ds, of_issue().grad("obs", metric="sphere"))
    (tmp_path / "out.nc").unlink()
    for words in (["--metric", "sphere"], []):
        both = run("--dim", "lat", "--dim", "lon", *words)
        assert both.exit_code == 1
        assert both.output.endswith(PARTIAL + "\n")
        assert both.output.count("\n") == 1
    monkeypatch.setitem(sys.modules, "pyproj", None)
    without = run("--dim", "obs", "--metric", "ellipsoid")
    assert without.exit_code == 1
    assert "need pyproj" in without.output
    assert without.output.count("\n") == 1
    assert not (tmp_path / "out.nc").exists()


def test_undecoded_positions_and_cyclic_points_beside_a_track():
    packed = of_issue().assign_coords(lat=of_issue().lat.assign_attrs(_FillValue=10.0))
    with pytest.raises(
        ValueError, match=r"^coordinate 'lat' has the value 10\.0 at index 0, which"
    ):
        packed.grad("obs", metric="sphere")
    hours = np.arange(0, 25, 3.0)
    daily = (of_issue() * xr.DataArray(np.cos(hours * np.pi / 12), {"hour": hours}, "hour")).rename(
        "T"
    )
    both = daily.grad(["obs", "hour"], metric="sphere", periodic={"hour": 24})
    single = daily.grad("hour", periodic={"hour": 24})
    np.testing.assert_array_equal(both.dT_dhour, single)
    np.testing.assert_array_equal(both.dT_ds[:, -1], both.dT_ds[:, 0])
