"""One call of each kind, without pytest: to see that an installation works, whatever is installed.

``python -W error tests/support/smoke.py`` takes what it needs from the package as installed, skips
what needs an absent library, and ends with one line of counts. Values are compared with exact ones.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

import xgradient

RADIUS = 6371008.8
CHECKS: list[tuple[Callable[[], None], tuple[str, ...]]] = []


def check(*needs: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Note a check and the libraries without which it is skipped."""

    def note(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS.append((function, needs))
        return function

    return note


def close(found: xr.DataArray, expected: object, units: str | None) -> None:
    """Compare values and units."""
    np.testing.assert_allclose(found.values, expected, rtol=1e-10, atol=1e-13)
    if found.attrs.get("units") != units:
        raise AssertionError(f"units are {found.attrs.get('units')!r} and not {units!r}")


def plane() -> xr.DataArray:
    """Return 2 y + 5 x² on uneven coordinates, in kelvins and metres."""
    y = xr.Variable("y", [0.0, 1.0, 3.0, 4.0, 8.0], {"units": "m"})
    x = xr.Variable("x", [0.0, 2.0, 3.0, 7.0, 8.0, 9.0], {"units": "km"})
    values = 2 * y.values[:, None] + 5 * x.values**2
    return xr.DataArray(values, {"y": y, "x": x}, ("y", "x"), "T", {"units": "K"})


def globe() -> xr.Dataset:
    """Return sin φ and the wind of a rigid rotation, from pole to pole and all around."""
    lat = xr.Variable("lat", np.arange(-90, 91, 10.0), {"units": "degrees_north"})
    lon = xr.Variable("lon", np.arange(0, 360, 10.0), {"units": "degrees_east"})
    ds = xr.Dataset(coords={"lat": lat, "lon": lon})
    phi = np.deg2rad(lat.values)[:, None] + 0 * lon.values
    ds["t"] = ("lat", "lon"), np.sin(phi), {"units": "K"}
    ds["u"] = ("lat", "lon"), 20 * np.cos(phi), {"units": "m s-1"}
    ds["v"] = ("lat", "lon"), 0 * phi, {"units": "m s-1"}
    return ds


@check()
def units_and_values() -> None:
    """Differentiate by metres and by kilometres."""
    T = plane()
    close(T.grad("y"), np.full((5, 6), 2.0), "K m-1")
    exact = np.broadcast_to(10 * T.x.values, (5, 6))
    close(T.grad("x", edge_order=2), exact, "K km-1")
    close(T.grad("x", deriv=2, edge_order=1), np.full((5, 6), 10.0), "K km-2")
    if list(T.grad(["y", "x"]).data_vars) != ["dT_dy", "dT_dx"]:
        raise AssertionError("the names of the derivatives are others")


@check()
def float32_and_datasets() -> None:
    """Differentiate what has the dimension, and keep single precision."""
    ds = (
        plane()
        .astype(np.float32)
        .to_dataset()
        .assign(n=("y", np.arange(5)), text=("y", [*"abcde"]))
    )
    found = ds.grad("y")
    if {name: str(field.dtype) for name, field in found.items()} != {
        "dT_dy": "float32",
        "dn_dy": "float64",
    }:
        raise AssertionError(f"the derivatives are {found}")
    np.testing.assert_allclose(found.dT_dy, np.full((5, 6), 2.0), rtol=1e-5)


@check()
def time_in_seconds() -> None:
    """Differentiate by dates of two resolutions and by durations."""
    days = np.array([0, 1, 3, 4, 8])
    for unit in ("ns", "s"):
        since = np.datetime64("2000-02-27", unit)
        for time in (since + days.astype("m8[D]"), days.astype("m8[D]").astype(f"m8[{unit}]")):
            field = xr.DataArray(2.0 * 86400 * days, {"time": time}, ("time",), "T", {"units": "K"})
            close(field.grad("time"), np.full(5, 2.0), "K s-1")


@check("cftime")
def time_of_other_calendars() -> None:
    """Differentiate by dates of a year of 360 days."""
    import cftime

    time = [cftime.Datetime360Day(2000, month, 30) for month in (1, 2, 3, 5)]
    field = xr.DataArray([0.0, 1, 2, 4], {"time": time}, ("time",), "T", {"units": "K"})
    close(field.grad("time"), np.full(4, 1 / (30 * 86400)), "K s-1")


@check()
def periodic() -> None:
    """Close an axis on itself."""
    x = np.arange(0, 360, 45.0)
    field = xr.DataArray(np.sin(np.deg2rad(x)), {"x": ("x", x, {"units": "degrees"})}, ("x",), "f")
    exact = (np.sin(np.deg2rad(x + 45)) - np.sin(np.deg2rad(x - 45))) / 90
    np.testing.assert_allclose(field.grad("x", periodic=True), exact, rtol=1e-12, atol=1e-15)


@check()
def sphere() -> None:
    """Differentiate per metre of the Earth, and in its vector operators."""
    ds = globe()
    inside = slice(1, -1)
    phi = np.deg2rad(ds.lat.values)[:, None] + 0 * ds.lon.values
    ratio = np.sin(np.deg2rad(10)) / np.deg2rad(10)  # of a central difference of a wave
    slope = ratio * np.cos(phi) / RADIUS
    close(ds.t.grad("lat", metric="sphere"), slope, "K m-1")
    size = ds.t.grad.magnitude(["lat", "lon"], metric="sphere")
    close(size, abs(slope), "K m-1")
    # ζ = -1/(R cos φ) ∂(u cos φ)/∂φ, of which the part u tan φ / R is exact.
    zeta = ds.grad.curl(lon="u", lat="v", metric="sphere")
    exact = 20 / RADIUS * np.sin(phi) * (ratio + 1)
    np.testing.assert_allclose(zeta[inside], exact[inside], rtol=1e-10, atol=1e-17)
    if zeta.attrs["units"] != "s-1" or not np.isfinite(zeta).all():
        raise AssertionError(f"the vorticity is {zeta}")
    still = xgradient.divergence(lon=ds.u, lat=ds.v, metric="sphere")
    close(still, np.zeros((19, 36)), "s-1")
    np.testing.assert_allclose(
        ds.grad.strain(lon="u", lat="v", metric="sphere").to_array().shape[1:], (19, 36)
    )
    close(ds.t.grad.advection(lon=ds.u, lat=ds.v, metric="sphere"), np.zeros((19, 36)), "K s-1")
    if not np.isfinite(ds.t.grad.laplacian(["lat", "lon"], metric="sphere")).all():
        raise AssertionError("the Laplacian is not finite")


@check()
def missing_values() -> None:
    """Let a gap be an end of the axis."""
    T = plane()[:, 0].copy()
    T[2] = np.nan
    expected = [2.0, 2.0, np.nan, 2.0, 2.0]
    close(T.grad("y", skipna=True), expected, "K m-1")
    if int(T.grad("y").notnull().sum()) != 2:
        raise AssertionError("without skipna a gap spoils its neighbours")


@check()
def levels() -> None:
    """Differentiate by heights that differ from column to column, and at constant height."""
    z = np.cumsum(np.array([[1.0, 2, 3], [4, 1, 2], [2, 2, 5], [1, 3, 2]]), axis=0)
    x = np.array([0.0, 1, 3])
    coords = {"z": (("k", "x"), z, {"units": "m"}), "x": ("x", x, {"units": "m"})}
    field = xr.DataArray(3 * z + 7 * x, coords, ("k", "x"), "T", {"units": "K"})
    close(field.grad("z", along="k"), np.full((4, 3), 3.0), "K m-1")
    close(field.grad("x", at_constant="z", along="k"), np.full((4, 3), 7.0), "K m-1")


@check()
def curvilinear() -> None:
    """Differentiate to the east and north on a grid that is turned."""
    j, i = np.meshgrid(np.arange(6.0), np.arange(7.0), indexing="ij")
    angles = {"units": "degrees_east"}, {"units": "degrees_north"}
    lon, lat = 10 + 0.2 * i - 0.1 * j, 40 + 0.1 * i + 0.2 * j
    coords = {"lon": (("y", "x"), lon, angles[0]), "lat": (("y", "x"), lat, angles[1])}
    field = xr.DataArray(np.sin(np.deg2rad(lat)), coords, ("y", "x"), "T", {"units": "K"})
    found = field.grad(["lon", "lat"], metric="sphere")
    exact = np.cos(np.deg2rad(lat)) / RADIUS
    np.testing.assert_allclose(found.dT_dlat[1:-1, 1:-1], exact[1:-1, 1:-1], rtol=1e-4)
    np.testing.assert_allclose(found.dT_dlon[1:-1, 1:-1] / exact[1:-1, 1:-1], 0, atol=1e-4)
    if found.dT_dlat.attrs["units"] != "K m-1":
        raise AssertionError(f"units are {found.dT_dlat.attrs}")


@check()
def arrays() -> None:
    """Differentiate plain arrays as torch does."""
    rows, columns = xgradient.gradient(np.array([[1.0, 2, 4], [4, 5, 7]]), spacing=(2.0, 1.0))
    np.testing.assert_array_equal(rows, [[1.5, 1.5, 1.5], [1.5, 1.5, 1.5]])
    np.testing.assert_array_equal(columns, [[1.0, 1.5, 2], [1, 1.5, 2]])


@check("array_api_compat")
def long_doubles() -> None:
    """Differentiate what no loop is compiled for."""
    (found,) = xgradient.gradient(np.array([0, 1, 4, 9], np.longdouble))
    np.testing.assert_array_equal(found, np.array([1, 2, 4, 5], np.longdouble))


@check("dask")
def chunks() -> None:
    """Give on dask what memory gives, bit for bit."""
    T, ds = plane(), globe()
    pairs = [
        (T.chunk(x=2), T, lambda a: a.grad("x", accuracy=4)),
        (ds.chunk(lat=4, lon=7), ds, lambda d: d.grad.curl(lon="u", lat="v", metric="sphere")),
        (ds.t.chunk(lon=5), ds.t, lambda t: t.grad.magnitude(["lat", "lon"], metric="sphere")),
        (T.where(T > 9).chunk(y=2), T.where(T > 9), lambda a: a.grad("y", skipna=True)),
    ]
    for lazy, there, call in pairs:
        found = call(lazy)
        if found.chunks is None:
            raise AssertionError("the result is not lazy")
        xr.testing.assert_identical(found.compute(), call(there))


def _there_and_back(write: Callable[[xr.Dataset, str], object], **options: object) -> None:
    T = (
        plane()
        .astype("f4")
        .assign_coords(time=("y", np.arange(5).astype("M8[D]").astype("M8[ns]")))
    )
    with tempfile.TemporaryDirectory() as folder:
        first, second = str(Path(folder, "first")), str(Path(folder, "second"))
        write(T.to_dataset(), first)
        with xr.open_dataset(first, **options) as ds:  # type: ignore[arg-type]
            expected = ds.T.grad("y").load()
            write(expected.to_dataset(), second)
        with xr.open_dataset(second, **options) as ds:  # type: ignore[arg-type]
            found = ds.dT_dy.load()
    xr.testing.assert_identical(found, expected)
    close(found, np.full((5, 6), 2.0, "f4"), "K m-1")


@check("netCDF4")
def netcdf() -> None:
    """Read a field from a NetCDF file and write its derivative."""
    _there_and_back(lambda ds, path: ds.to_netcdf(path, engine="netcdf4"), engine="netcdf4")


@check("zarr", "dask")
def zarr_store() -> None:
    """Read a field from a Zarr store in chunks and write its derivative."""
    _there_and_back(
        lambda ds, path: ds.chunk(y=2).to_zarr(path, consolidated=False),
        engine="zarr",
        consolidated=False,
        chunks={},
    )


@check("click", "dask", "netCDF4", "tqdm", "zarr")
def command_line() -> None:
    """Differentiate from file to file in another process."""
    with tempfile.TemporaryDirectory() as folder:
        plane().to_dataset().to_netcdf(Path(folder, "in.nc"), engine="netcdf4")
        for output in ("out.nc", "out.zarr"):
            done = subprocess.run(
                [sys.executable, "-m", "xgradient", "grad", "in.nc", output, "--dim", "y"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            if (done.returncode, done.stderr) != (0, "") or "dT_dy (y: 5, x: 6)" not in done.stdout:
                raise AssertionError(f"the command ended with {done}")


@check()
def refusals() -> None:
    """Say in one sentence what is wrong."""
    for call, told in (
        (lambda: plane().grad("z"), "'z' is not a dimension, coordinate or CF name here"),
        (lambda: plane().grad("x", deriv=0), "deriv is 0"),
    ):
        try:
            call()
        except ValueError as error:
            if told not in str(error):
                raise AssertionError(f"the sentence is {error}") from error
        else:
            raise AssertionError(f"nothing was said of {told}")


def main() -> int:
    """Run all checks; return the exit code."""
    passed = failed = skipped = 0
    for function, needs in CHECKS:
        absent = [name for name in needs if importlib.util.find_spec(name) is None]
        if absent:
            skipped += 1
            print(f"{function.__name__}: skipped, {', '.join(absent)} is not installed")
            continue
        try:
            function()
        except Exception:
            failed += 1
            print(f"{function.__name__}: failed")
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
            print(f"{function.__name__}: passed")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if not sys.warnoptions:
        warnings.simplefilter("error")
    sys.exit(main())
