"""Operators on DataTrees: each node as a Dataset, names, coordinates, and groups of files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import xgradient
from xgradient import operators

from ..support.marks import slow
from ..support.operations import sample

GLOBE = {"metric": "sphere"}
#: Every operator by a call that both samples take.
CALLS: dict[str, Any] = {
    "grad": lambda grad, **o: grad("lat", **o),
    "magnitude": lambda grad, **o: grad.magnitude(["lat", "lon"], **o),
    "laplacian": lambda grad, **o: grad.laplacian(["lat", "lon"], **o),
    "hessian": lambda grad, **o: grad.hessian(["lat", "lon"], **o),
    "divergence": lambda grad, **o: grad.divergence(lon="u", lat="v", **o),
    "curl": lambda grad, **o: grad.curl({"lon": "u", "lat": "v"}, **o),
    "jacobian": lambda grad, **o: grad.jacobian(lon="u", lat="v", **o),
    "strain": lambda grad, **o: grad.strain(lon="u", lat="v", **o),
    "advection": lambda grad, **o: grad.advection(lon="u", lat="v", **o),
    "directional": lambda grad, **o: grad.directional(lon="u", lat="v", **o),
}


@pytest.fixture(scope="module")
def coarse():
    return sample(step=30.0)[["u", "v", "t"]].assign_attrs(model="coarse")


@pytest.fixture(scope="module")
def fine():
    return sample(step=15.0)[["u", "v", "t"]]


@pytest.fixture
def tree(coarse, fine):
    """An empty root, two grids, and a node without latitudes."""
    station = xr.Dataset({"p": ("time", [1.0, 2.0])}, {"time": [0.0, 1.0]}, {"place": "Bergen"})
    return xr.DataTree.from_dict(
        {"/coarse": coarse, "/fine": fine, "/fine/station": station.rename(time="hour")},
        name="models",
    )


def as_dataset(found):
    return found if isinstance(found, xr.Dataset) else found.to_dataset()


def test_every_operator_is_called():
    assert set(CALLS) == set(operators.OPERATORS)


@pytest.mark.parametrize("name", CALLS)
def test_each_node_is_as_its_dataset(tree, coarse, fine, name):
    found = CALLS[name](tree.grad, **GLOBE)
    assert found.name == "models"
    assert [path for path, _ in found.subtree_with_keys] == [p for p, _ in tree.subtree_with_keys]
    for path, ds in (("coarse", coarse), ("fine", fine)):
        expected = as_dataset(CALLS[name](ds.grad, **GLOBE))
        xr.testing.assert_identical(
            found[path].to_dataset(), expected.assign_attrs(ds.attrs).assign_coords(ds.coords)
        )
    assert not found["fine/station"].data_vars
    assert found["fine/station"].attrs == {"place": "Bergen"}
    assert "hour" in found["fine/station"].coords


def test_a_node_without_the_names_keeps_coordinates_and_attributes(tree):
    found = tree.grad("lat")
    assert not found.has_data
    assert found["coarse"].attrs == {"model": "coarse"}
    xr.testing.assert_identical(found["fine/station"].coords, tree["fine/station"].coords)


def test_inherited_coordinates_stay_inherited():
    parent = xr.Dataset(coords={"x": ("x", [0.0, 1.0, 3.0], {"units": "m"})})
    child = xr.Dataset({"f": ("x", [0.0, 1.0, 9.0], {"units": "K"})})
    found = xr.DataTree.from_dict({"/": parent, "/child": child}).grad("x")
    np.testing.assert_allclose(found["child/df_dx"], [1.0, 2.0, 4.0])
    assert found["child/df_dx"].attrs["units"] == "K m-1"
    assert "x" in found.coords
    assert "x" not in found["child"].to_dataset(inherit=False).coords


def test_a_part_of_a_tree_is_a_tree(tree, fine):
    found = tree["fine"].grad("lat")
    xr.testing.assert_identical(found.to_dataset(), fine.grad("lat"))
    assert found.name == "fine"


def test_chunks_stay_lazy(tree):
    lazy = tree.chunk({"lat": 5})
    found = lazy.grad("lat")
    assert found["fine/dt_dlat"].chunks == lazy["fine/t"].chunks
    xr.testing.assert_identical(found.compute(), tree.grad("lat"))


def test_options_of_one_node_leave_others_alone():
    closed = xr.Dataset({"f": (("y", "a"), np.eye(4))}, {"a": [0.0, 90, 180, 270]})
    line = xr.Dataset({"f": ("y", [0.0, 1, 4, 9])})
    tree = xr.DataTree.from_dict({"/closed": closed, "/line": line})
    for options in (
        {"periodic": {"a": 360}, "spacing": {"y": 2.0, "a": 90.0}},
        {"periodic": ["a"], "spacing": 2.0},
        {"periodic": "a"},
    ):
        found = tree.grad("y", **options)
        xr.testing.assert_identical(found["closed"].to_dataset(), closed.grad("y", **options))
        spacing = options.get("spacing")
        spacing = spacing["y"] if isinstance(spacing, dict) else spacing
        xr.testing.assert_identical(found["line"].to_dataset(), line.grad("y", spacing=spacing))


def test_bound_options_are_those_of_every_node(tree):
    bound = tree.grad.with_options(metric="sphere", accuracy=4)
    expected = tree.grad.curl(lon="u", lat="v", metric="sphere", accuracy=4)
    xr.testing.assert_identical(bound.curl(lon="u", lat="v"), expected)
    with pytest.raises(TypeError, match="'deriv' is not an option"):
        tree.grad.with_options(deriv=2)
    with pytest.raises(ValueError, match=r"no node of the tree has .* at node '/coarse', 'lot' is"):
        tree.grad.with_options(periodic="lot")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            lambda grad: grad("lattitude"),
            "no node of the tree has the names of the call; at node '/coarse', 'lattitude' is not",
        ),
        (
            lambda grad: grad.curl(lon="u", lat="w"),
            "at node '/coarse', the component along 'lat' is 'w', which is neither",
        ),
        (lambda grad: grad("lat", periodic="lot"), "at node '/coarse', 'lot' is not a dimension"),
        (lambda grad: grad("t"), "node '/coarse': 't' is a variable, not a coordinate"),
        (lambda grad: grad("lat", deriv=0), "deriv is 0; give a whole number"),
        (lambda grad: grad("lat", accuracy=20), "node '/coarse': dimension 'lat' has 7 points"),
    ],
)
def test_what_no_node_has_or_one_refuses_is_an_error(tree, call, told):
    with pytest.raises(ValueError, match=told) as raised:
        call(tree.grad)
    assert "\n" not in str(raised.value)


def test_an_empty_tree_is_refused():
    with pytest.raises(ValueError, match="at node '/', the data have no dimensions"):
        xr.DataTree().grad()


def test_functions_name_the_accessor(tree):
    with pytest.raises(TypeError, match=r"grad takes .*, not DataTree; call tree\.grad\(\.\.\.\)"):
        xgradient.grad(tree, "lat")
    with pytest.raises(TypeError, match=r"not DataTree; call tree\.grad\.laplacian\(\.\.\.\)"):
        xgradient.laplacian(tree, "lat")


def test_warnings_point_to_the_call(tree):
    with pytest.warns(xgradient.GridWarning, match="are angles") as told:
        tree["fine"].grad.laplacian(["lat", "lon"])
    assert told[0].filename == __file__


def test_the_accessor_of_a_tree_shows_the_axes_of_each_node(tree):
    text = repr(tree.grad.with_options(metric="sphere"))
    assert text.startswith("<xgradient.Grad of DataTree 'models' (4 nodes)>")
    assert "/coarse lat" in text
    assert "continues across the poles" in text
    assert "/fine lat" in tree.grad._repr_html_()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["netcdf4", slow("zarr")])
def test_results_go_through_groups_of_files(tree, tmp_path, kind, name):
    pytest.importorskip({"netcdf4": "netCDF4"}.get(kind, kind))
    path = tmp_path / "in"
    write(tree, path, kind)
    options = {"engine": kind, **({"consolidated": False} if kind == "zarr" else {})}
    with xr.open_datatree(path, chunks={}, **options) as opened:
        found = CALLS[name](opened.grad, **GLOBE)
        write(found, tmp_path / "out", kind)
        computed = found.compute()
    with xr.open_datatree(tmp_path / "out", **options) as back:
        xr.testing.assert_identical(back.load(), computed)
    computed.name = tree.name  # files have none
    xr.testing.assert_identical(computed, CALLS[name](tree.grad, **GLOBE))


def write(tree, path, kind):
    if kind == "zarr":
        tree.to_zarr(path, consolidated=False)
    else:
        tree.to_netcdf(path, engine=kind)


def test_packed_groups_do_not_pack_their_derivatives(tmp_path):
    pytest.importorskip("netCDF4")
    packing = {"dtype": "i2", "scale_factor": 0.01, "_FillValue": -32768}
    lat = ("lat", [0.0, 10.0, 30.0], {"units": "degrees_north", "bounds": "lat_bnds"})
    t = "lat", [1.0, 2.0, 9.0], {"units": "K", "grid_mapping": "crs"}
    coords = {"lat": lat, "crs": 0, "lat_bnds": (("lat", "two"), np.ones((3, 2)))}
    ds = xr.Dataset({"t": t}, coords)
    tree = xr.DataTree.from_dict({"/a": ds, "/a/b": ds[["t"]]})
    for node in ("a", "a/b"):
        tree[node]["t"].encoding = packing
    tree.to_netcdf(tmp_path / "in.nc")
    with xr.open_datatree(tmp_path / "in.nc", decode_coords="all") as opened:
        found = opened.grad("lat").load()
    assert "scale_factor" not in found["a/dt_dlat"].encoding
    found.to_netcdf(tmp_path / "out.nc")
    with xr.open_datatree(tmp_path / "out.nc", decode_coords="all") as back:
        xr.testing.assert_identical(back.load(), found)
