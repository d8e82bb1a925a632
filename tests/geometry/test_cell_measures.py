"""Lengths and areas of cells at every position, against the formulas of each model."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient.geometry.find_measures import find_cell_measures

from ..support.shared_data import open_shared

RNG = np.random.default_rng(17)
RADIUS = xgradient.Sphere().radius


def length(ds, dim, dims, metric=None, **options):
    return find_cell_measures(ds, dims, metric, **options).length(dim, dims)


def area(ds, dims, metric=None, **options):
    return find_cell_measures(ds, dims, metric, **options).area(*dims, dims)


# -- coordinates ------------------------------------------------------------------------------


def test_lengths_of_centers_and_faces_fill_the_axis():
    x, faces = np.array([0.0, 1, 3, 6]), np.array([-0.5, 0.5, 2, 4.5, 7.5])
    ds = xr.Dataset(coords={"x": ("x", x, {"units": "km"})})
    found = length(ds, "x", ("x",))
    np.testing.assert_array_equal(found, np.diff(faces))
    assert found.attrs == {"units": "km"}
    shifts = {"left": (-0.5, slice(-1)), "right": (0.5, slice(1, None)),
              "outer": (-0.5, slice(None)), "inner": (0.5, slice(1, -1))}  # fmt: skip
    for to, (_, part) in shifts.items():
        on_faces = ds.assign_coords(xg=("xg", faces[part]))
        positions = {"X": {"center": "x", to: "xg"}}
        found = length(on_faces, "xg", ("xg",), positions=positions)
        np.testing.assert_array_equal(found, np.array([0.5, 1, 2, 3, 1.5])[part])


def test_a_periodic_axis_has_no_half_cells():
    x = np.array([0.0, 1, 3, 6])
    ds = xr.Dataset(coords={"x": x, "xg": [-0.5, 0.5, 2, 4.5]})
    positions = {"X": {"center": "x", "left": "xg"}}
    options = {"positions": positions, "periodic": ["x"]}
    found = length(ds, "xg", ("xg",), **options)  # the period is 4 mean steps, 8
    np.testing.assert_array_equal(found, [2, 1, 2, 3])
    np.testing.assert_array_equal(length(ds, "x", ("x",), **options), [1, 1.5, 2.5, 3])
    found = length(ds, "xg", ("xg",), positions=positions, periodic={"x": 10.0})
    np.testing.assert_array_equal(found, [4, 1, 2, 3])
    angles = xr.Dataset(coords={"a": ("a", [0.0, 90, 200], {"units": "degrees"})})
    found = length(angles, "a", ("a",), periodic=["a"])
    np.testing.assert_array_equal(found, [125, 100, 135])


def test_bounds_times_and_numbers_of_points():
    bounds = np.array([[0, 1], [1, 4], [4, 6.0]])
    ds = xr.Dataset(
        {"z_bnds": (("z", "two"), bounds)}, {"z": ("z", [0.5, 2, 5], {"bounds": "z_bnds"})}
    )
    np.testing.assert_array_equal(length(ds, "z", ("z",)), [1, 3, 2])
    time = np.array(["2000-01-01", "2000-01-02", "2000-01-04"], "M8[ns]")
    found = length(xr.Dataset(coords={"time": time}), "time", ("time",))
    np.testing.assert_array_equal(found, [86400, 1.5 * 86400, 2 * 86400])
    assert found.attrs == {"units": "s"}
    plain = xr.Dataset({"t": ("x", np.zeros(4))})
    np.testing.assert_array_equal(length(plain, "x", ("x",)), np.ones(4))


def test_positions_that_do_not_alternate_are_refused():
    ds = xr.Dataset(coords={"x": [0.0, 1, 2], "xg": [0.5, 1.5, 1.7]})
    with pytest.raises(ValueError, match=r"centers and faces along 'x', 'xg' do not alternate"):
        length(ds, "x", ("x",), positions={"X": {"center": "x", "right": "xg"}})


# -- globes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lat", [np.arange(-87.5, 90, 5), np.linspace(90, -90, 37)])
def test_areas_of_cells_fill_the_globe(lat):
    ds = xr.Dataset(coords={"lat": lat.astype("f4"), "lon": np.arange(2.5, 360, 5)})
    whole = area(ds, ("lat", "lon"), "sphere")
    assert float(whole.sum()) == pytest.approx(4 * np.pi * RADIUS**2, rel=1e-14)
    assert whole.attrs == {"units": "m2"}
    # The area of WGS84, by Moritz (2000) as pyproj has it.
    assert float(area(ds, ("lat", "lon"), "ellipsoid").sum()) == pytest.approx(
        510065621724088.5, rel=1e-14
    )


def test_lengths_on_the_globe_are_those_at_each_position():
    lat, lon = np.array([10.0, 20, 40]), np.arange(0.0, 360, 30)
    ds = xr.Dataset(coords={"lat": lat, "lon": lon, "lat_f": [15.0, 30], "lon_f": lon + 15})
    positions = {"X": {"center": "lon", "right": "lon_f"}, "Y": {"center": "lat", "inner": "lat_f"}}
    measures = find_cell_measures(ds, ["lat", "lon"], "sphere", positions)
    step = np.deg2rad(30) * RADIUS
    for y, at in (("lat", lat), ("lat_f", np.array([15.0, 30]))):
        for x in ("lon", "lon_f"):
            expected = np.cos(np.deg2rad(at))[:, None] * np.full(12, step)
            dx = measures.length(x, (y, x))
            np.testing.assert_allclose(dx.transpose(y, x), expected, rtol=1e-14)
    dy = measures.length("lat_f", ("lat_f", "lon"))
    np.testing.assert_allclose(dy, RADIUS * np.deg2rad([10, 20]), rtol=1e-14)
    faces = np.sin(np.deg2rad([15, 30]))
    middle = measures.area("lat", "lon", ("lat", "lon")).values[1]
    np.testing.assert_allclose(middle[:1], RADIUS**2 * np.deg2rad(30) * np.diff(faces), 1e-14)


def test_a_pole_has_no_length():
    ds = xr.Dataset(coords={"lat": [-45.0, 45], "lat_f": [-90.0, 0, 90], "lon": np.arange(4) * 90})
    positions = {"Y": {"center": "lat", "outer": "lat_f"}}
    dx = length(ds, "lon", ("lat_f", "lon"), "sphere", positions=positions)
    np.testing.assert_array_equal(dx[[0, 2]], 0)
    with pytest.raises(ValueError, match=r"metric along 'lon' depends on the latitude, but"):
        length(ds, "lon", ("lon",), "sphere")


def test_latitudes_and_longitudes_of_two_dimensions():
    """A regular grid, given in two dimensions, has the great-circle distances of its points."""
    lat, lon = np.linspace(-60, 60, 25), np.linspace(0, 50, 11)
    x_f = lon[:-1] + 2.5
    two = np.meshgrid(lat, lon, indexing="ij")
    at_u = np.meshgrid(lat, x_f, indexing="ij")
    coords = {
        "nav_lat": (("y_c", "x_c"), two[0]), "nav_lon": (("y_c", "x_c"), two[1]),
        "lat_u": (("y_c", "x_f"), at_u[0]), "lon_u": (("y_c", "x_f"), at_u[1]),
    }  # fmt: skip
    ds = xr.Dataset({"t": (("y_c", "x_c"), two[0]), "u": (("y_c", "x_f"), at_u[0])}, coords)
    half = np.arcsin(np.cos(np.deg2rad(lat)) * np.sin(np.deg2rad(2.5)))
    for dims in (("y_c", "x_f"), ("y_c", "x_c")):
        dx = length(ds, dims[1], dims, "sphere").transpose("y_c", ...)
        inside = dx[:, 1:-1]
        expected = np.broadcast_to(2 * RADIUS * half[:, None], inside.shape)
        np.testing.assert_allclose(inside, expected, rtol=1e-13)
        dy = length(ds, "y_c", dims, "sphere").transpose("y_c", ...)
        np.testing.assert_allclose(dy[:, 1:-1], RADIUS * np.deg2rad(5), rtol=1e-13)


# -- files of models --------------------------------------------------------------------------


def test_lengths_of_roms_are_inverses_of_means():
    ds = open_shared("roms_nordic.nc")
    pm, pn = ds.pm.values, ds.pn.values
    missing = np.full((21, 1), np.nan), np.full((1, 31), np.nan)
    for letter, p in (("xi", pm), ("eta", pn)):
        at_u = np.hstack([2 / (p[:, 1:] + p[:, :-1]), missing[0]])
        at_v = np.vstack([2 / (p[1:] + p[:-1]), missing[1]])
        four = p[1:, 1:] + p[1:, :-1] + p[:-1, 1:] + p[:-1, :-1]
        at_psi = np.pad(4 / four, ((0, 1), (0, 1)), constant_values=np.nan)
        for point, expected in (("rho", 1 / p), ("u", at_u), ("v", at_v), ("psi", at_psi)):
            dims = f"eta_{point}", f"xi_{point}"
            found = length(ds, f"{letter}_{point}", dims, "roms")
            np.testing.assert_allclose(found.transpose(*dims), expected, rtol=4e-16)
            assert found.attrs == {"units": "m"}


def test_lengths_of_wrf_are_steps_over_map_factors():
    ds = open_shared("wrf_katrina_winds.nc")
    for name, dims in {
        "MAPFAC_M": ("south_north", "west_east"),
        "MAPFAC_U": ("south_north", "west_east_stag"),
        "MAPFAC_V": ("south_north_stag", "west_east"),
    }.items():
        expected = 1e4 / ds[name].values[0].astype("f8")
        for dim in dims:
            np.testing.assert_array_equal(length(ds, dim, dims, "wrf").transpose(*dims), expected)
    corners = "south_north_stag", "west_east_stag"
    u, v = (ds[name].values[0].astype("f8") for name in ("MAPFAC_U", "MAPFAC_V"))
    dx, dy = (length(ds, dim, corners, "wrf").transpose(*corners) for dim in corners[::-1])
    np.testing.assert_allclose(dx[1:-1], 2e4 / (u[1:] + u[:-1]), rtol=4e-16)
    np.testing.assert_allclose(dy[:, 1:-1], 2e4 / (v[:, 1:] + v[:, :-1]), rtol=4e-16)
    assert np.isnan(dx[[0, -1]]).all()


def nemo():
    """A file with the names of xnemogcm."""
    points = {"t": ("y_c", "x_c"), "u": ("y_c", "x_f"), "v": ("y_f", "x_c"), "f": ("y_f", "x_f")}
    fields = {
        f"e{i}{point}": (("t", *dims), 1e3 * (1 + RNG.random((1, 4, 5))))
        for point, dims in points.items()
        for i in (1, 2)
    }
    e3 = {"e3t": ("z_c", "y_c", "x_c"), "e3w_0": ("z_f", "y_c", "x_c")}
    return xr.Dataset(fields | {n: (d, 1 + RNG.random((3, 4, 5))) for n, d in e3.items()}), points


def test_lengths_of_nemo_are_its_scale_factors():
    ds, points = nemo()
    for point, dims in points.items():
        for name, dim in ((f"e1{point}", dims[1]), (f"e2{point}", dims[0])):
            np.testing.assert_array_equal(length(ds, dim, dims, "nemo"), ds[name][0])
        product = (ds[f"e1{point}"] * ds[f"e2{point}"])[0]
        np.testing.assert_array_equal(area(ds, dims, "nemo"), product)
    np.testing.assert_array_equal(length(ds, "z_c", ds.e3t.dims, "nemo"), ds.e3t)
    np.testing.assert_array_equal(length(ds, "z_f", ds.e3w_0.dims, "nemo"), ds.e3w_0)
    with pytest.raises(ValueError, match=r"metric is 'nemo', but the data have no e2v, which it"):
        length(ds.drop_vars("e2v"), "y_f", ("y_f", "x_c"), "nemo")
    with pytest.raises(ValueError, match=r"e1t has the value -1.0; scale factors must be positive"):
        length(ds.assign(e1t=-1 + 0 * ds.e1t), "x_c", ("y_c", "x_c"), "nemo")


def test_files_of_nemo_without_scale_factors_have_those_of_their_positions():
    data = pytest.importorskip("iris_sample_data")
    pytest.importorskip("netCDF4")
    name = f"{data.path}/NEMO/nemo_1m_20150101-20150201_grid-T.nc"
    with xr.open_dataset(name, decode_times=False) as ds:
        dx, dy = (length(ds, dim, ("y", "x"), "nemo") for dim in ("x", "y"))
    # On the grid of one degree, rows near the equator are as long as a degree of longitude.
    row = int(abs(ds.nav_lat[:, 0].values).argmin())
    np.testing.assert_allclose(dx[row, 5:-5], np.deg2rad(1) * 6371229, rtol=1e-3)
    assert ((dy > 1e3) & (dy < 1.5e5)).all()  # rows are close in the Arctic
    assert float((dx * dy).sum()) == pytest.approx(4 * np.pi * 6371229**2, rel=0.01)


def test_lengths_of_mitgcm_are_those_of_its_file():
    points = {"cc": ("YC", "XC"), "fc": ("YC", "XG"), "cf": ("YG", "XC"), "ff": ("YG", "XG")}
    names = {
        "cc": "dxF dyF rA", "fc": "dxC dyG rAw", "cf": "dxG dyC rAs", "ff": "dxV dyU rAz",
    }  # fmt: skip
    fields = {n: (points[p], RNG.random((4, 5))) for p, all_ in names.items() for n in all_.split()}
    fields |= {"drF": ("Z", RNG.random(3)), "drC": ("Zp1", RNG.random(4))}
    steps = {"XC": np.arange(5.0), "XG": np.arange(5) - 0.5, "YC": np.arange(4.0)}
    ds = xr.Dataset(fields, {**steps, "YG": np.arange(4) - 0.5})
    for point, dims in points.items():
        dx, dy, whole = names[point].split()
        np.testing.assert_array_equal(length(ds, dims[1], dims, "mitgcm"), ds[dx])
        np.testing.assert_array_equal(length(ds, dims[0], dims, "mitgcm"), ds[dy])
        np.testing.assert_array_equal(area(ds, dims, "mitgcm"), ds[whole])
    np.testing.assert_array_equal(length(ds, "Z", ("Z", "YC"), "mitgcm"), ds.drF)
    np.testing.assert_array_equal(length(ds, "Zp1", ("Zp1", "YC"), "mitgcm"), ds.drC)


def test_derivatives_by_lengths_of_a_file_do_not_depend_on_its_coordinates():
    """Lengths are those of steps of an index, whatever the coordinate counts; z is upwards."""
    z = np.array([-5.0, -20, -50])
    dims = {"Z": 3, "YC": 4, "XC": 5}
    ds = xr.Dataset(
        {
            "t": ([*dims], RNG.random((3, 4, 5)), {"units": "K"}),
            "dxF": (("YC", "XC"), 1 + RNG.random((4, 5))),
            "dyF": (("YC", "XC"), 1 + RNG.random((4, 5))),
            "drF": ("Z", [10.0, 20, 40]),
        },
        {"Z": ("Z", z, {"units": "m"}), "XC": 0.25 * np.arange(5), "YC": 10.0 * np.arange(4)},
    )
    for dim, name in (("XC", "dxF"), ("YC", "dyF"), ("Z", "drF")):
        found = ds[["t", name]].grad(dim, metric="mitgcm")[f"dt_d{dim}"]
        by_index = np.gradient(ds.t, axis=list(dims).index(dim))
        lengths = ds[name] if dim != "Z" else -ds.drF
        np.testing.assert_allclose(found, by_index / lengths.broadcast_like(ds.t).transpose(*dims))
    with pytest.raises(ValueError, match=r"spacing of 'XC' is given together with a metric"):
        ds[["t", "dxF", "dyF"]].grad("XC", metric="mitgcm", spacing={"XC": 2.0})


def test_gaussian_latitudes_fill_the_globe():
    lat = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(32)[0]))
    ds = xr.Dataset(coords={"lat": lat, "lon": np.arange(0, 360, 5.625)})
    total = float(area(ds, ("lat", "lon"), "sphere").sum())
    assert total == pytest.approx(4 * np.pi * RADIUS**2, rel=1e-14)


def test_given_scale_factors_are_averaged_between_positions():
    e1 = 1 + RNG.random((3, 4))
    ds = xr.Dataset({"e1": (("y_c", "x_c"), e1)}, {"x_f": [1.0, 3, 5], "x_c": [0.0, 2, 4, 6]})
    positions = {"X": {"center": "x_c", "inner": "x_f"}}
    options = {"metric": {"x_c": "e1"}, "positions": positions}
    at_centers = length(ds, "x_c", ("y_c", "x_c"), **options)
    np.testing.assert_allclose(at_centers, 2 * e1)
    found = length(ds, "x_f", ("y_c", "x_f"), **options)
    np.testing.assert_allclose(found, e1[:, 1:] + e1[:, :-1])


def test_whether_a_dimension_is_along_x_must_be_known():
    ds = xr.Dataset({"pm": (("a", "b"), np.ones((2, 3))), "pn": (("a", "b"), np.ones((2, 3)))})
    with pytest.raises(ValueError, match=r"'roms', but whether 'b' is along x or y is not known"):
        length(ds, "b", ("a", "b"), "roms")


def test_derivatives_of_fields_at_one_position_have_the_scale_factors_there():
    ds, points = nemo()
    for point, dims in points.items():
        field = xr.DataArray(RNG.random((4, 5)), dims=dims, attrs={"units": "K"})
        one = ds.assign(f=field)[["f", f"e1{point}", f"e2{point}"]]
        found = one.grad(dims[1], metric="nemo")
        expected = np.gradient(field, axis=1) / ds[f"e1{point}"][0]
        np.testing.assert_allclose(found[f"df_d{dims[1]}"], expected)
        assert found[f"df_d{dims[1]}"].attrs["units"] == "K m-1"
    with pytest.raises(ValueError, match=r"fields are at 'y_c', 'y_f', which are several posit"):
        ds.grad("x_c", metric="nemo")
