"""The text and the HTML of an accessor."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from xgradient import operators

from ..support.operations import curved, layered, sample


def rows(accessor):
    """The rows of the table, by name."""
    lines = [line[4:] for line in repr(accessor).splitlines() if line.startswith("    ")]
    cells = [re.split(r"  +", line) for line in lines]
    return {name: rest for name, *rest in cells[1:]}


def test_axes_without_a_metric():
    assert repr(sample().t.grad) == (
        "<xgradient.Grad of DataArray 't' (time: 3, lat: 13, lon: 24)>\n"
        "    axis  length  units          grid points  boundaries\n"
        "    time  3       s              non-uniform  one-sided stencils\n"
        "    lat   13      degrees_north  uniform      one-sided stencils\n"
        "    lon   24      degrees_east   uniform      one-sided stencils\n"
        "metric: none; derivatives are per unit of each coordinate\n"
        "options: defaults\n"
        "methods: (dim), advection, curl, directional, divergence, hessian, jacobian, laplacian, "
        "magnitude, strain, cumulative_integrate, integrate, interpolate, stencil, with_options"
    )


def test_the_metric_closes_axes():
    grad = sample().t.grad.with_options(metric="sphere", skipna=True)
    assert rows(grad)["lat"][-1] == "continues across the poles"
    assert rows(grad)["lon"][-1] == "periodic"
    assert rows(grad)["time"][-1] == "one-sided stencils"
    assert "metric: 'sphere'\noptions: skipna=True\n" in repr(grad)
    assert rows(grad.with_options(periodic=False))["lon"][-1] == "one-sided stencils"


def test_options_change_axes():
    ds = sample()
    assert rows(ds.grad.with_options(periodic="longitude"))["lon"][-1] == "periodic"
    assert rows(ds.grad.with_options(spacing={"time": 2.0}))["time"][2] == "uniform"
    assert rows(ds.grad.with_options(spacing=2.0))["time"][2] == "uniform"
    positions = ds.t[:, 0, 0].grad.with_options(spacing=np.array([1.0, 2.0, 4.0]))
    assert rows(positions)["time"][2] == "non-uniform"


def test_coordinates_of_several_dimensions():
    found = rows(curved(sample()).t.grad)
    assert found["nav_lat (y, x)"] == [
        "13 x 24", "degrees_north", "multi-dimensional", "latitude of a curvilinear grid",
    ]  # fmt: skip
    assert found["y"] == ["13", "steps of 1", "one-sided stencils"]
    height = rows(layered(sample()).t.grad)["height (level, lat, lon)"]
    assert height[-1] == "positions by column, with along="


def test_other_coordinates_of_a_dimension():
    track = {n: ("obs", [1.0, 2.0, 4.0], {"units": u})
             for n, u in (("lat", "degrees_north"), ("lon", "degrees_east"))}  # fmt: skip
    da = xr.DataArray(np.zeros(3), {**track, "station": ("obs", ["a", "b", "c"])}, "obs")
    assert list(rows(da.grad)) == ["obs", "lat (obs)", "lon (obs)"]
    assert rows(da.grad)["obs"][1] == "steps of 1"
    assert rows(da.grad.with_options(metric="sphere"))["obs"][1] == "non-uniform"


@pytest.mark.parametrize("metric", [None, "sphere"])
def test_nothing_is_computed_or_loaded(metric, tmp_path, nothing_computed):
    ds = sample()
    flat = ds.assign_coords(time=[0.0, 1.0, 2.0], age=("time", [1.0, 2.0, 3.0]))
    flat = flat.rename(lat="y", lon="x").reset_index(["y", "x"])
    flat = flat.assign_coords(y=flat.y.assign_attrs(standard_name="latitude"))
    flat.to_netcdf(tmp_path / "flat.nc")
    with xr.open_dataset(tmp_path / "flat.nc", chunks={}) as lazy, nothing_computed():
        found = rows(lazy.t.grad.with_options(metric=metric))
        assert found["age (time)"][1:] == ["unknown", "'age' not in memory"]
        lazy.t.grad._repr_html_()
    with xr.open_dataset(tmp_path / "flat.nc") as lazy:
        repr(lazy.t.grad.with_options(metric=metric))
        assert not lazy.t.variable._in_memory
        assert not lazy.age.variable._in_memory


ODD = {
    "texts": ["a", "b", "c"],
    "unordered": [1.0, 3.0, 2.0],
    "missing": [1.0, np.nan, 3.0],
    "repeated": [1, 1, 1],
    "booleans": [True, False, True],
    "objects": np.array([None, 1, "b"], object),
    "categories": pd.Categorical(["a", "b", "a"]),
}


@pytest.mark.parametrize("metric", [None, "sphere", {"lat": 2.0}])
@pytest.mark.parametrize("values", ODD.values(), ids=ODD)
def test_odd_coordinates_are_described(values, metric):
    da = xr.DataArray(np.zeros(3), {"lat": ("lat", values, {"units": "degrees_north"})}, "lat")
    grad = da.grad.with_options(metric=metric)
    usable, reason = rows(grad)["lat"][-2:]
    assert usable == "unusable"
    assert reason
    assert reason in grad._repr_html_().replace("&#x27;", "'").replace("&lt;", "<").replace(
        "&gt;", ">"
    ).replace("&quot;", '"')


def test_odd_objects_are_described():
    with pytest.warns(UserWarning, match="Duplicate dimension"):
        twice = xr.DataArray(np.zeros((2, 2)), dims=("x", "x"))
    stacked = xr.DataArray(np.zeros((2, 3)), dims=("x", "y")).stack(z=("x", "y"))
    for obj in (xr.DataArray(1.0), xr.Dataset(), twice, stacked,
                xr.DataArray(np.zeros((0, 2)), {"x": []}, ("x", 3), name=("a", 1))):  # fmt: skip
        assert repr(obj.grad).startswith(f"<xgradient.Grad of {type(obj).__name__}")
        assert obj.grad._repr_html_().startswith("<div>")


def test_html_shows_the_same_and_escapes_it():
    da = xr.DataArray(np.zeros(3), {"<b>": [1.0, 2.0, 4.0]}, "<b>", name="<i>")
    html = da.grad._repr_html_()
    assert "<td>&lt;b&gt;</td><td>3</td><td></td><td>non-uniform</td>" in html
    assert "<b>" not in html
    assert "<i>" not in html
    for name in set(operators.OPERATORS) - {"grad"}:
        assert name in html
