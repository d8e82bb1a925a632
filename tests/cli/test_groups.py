"""Files and stores with groups: whole trees and single groups, from each format to each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ..support.command_line import MARKS, here, run
from ..support.operations import sample as wind

netCDF4 = pytest.importorskip("netCDF4")
pytest.importorskip("zarr")

pytestmark = MARKS


def field(n: int, name: str = "t") -> xr.Dataset:
    x = np.linspace(0.0, 4.0, n)
    return xr.Dataset({name: ("x", x**2, {"units": "K"})}, {"x": ("x", x, {"units": "m"})})


def tree() -> xr.DataTree:
    """Two grids, one of them below the other, one that inherits its grid, and a station."""
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs={"title": "a tree", "history": "made by hand"}),
            "/coarse": field(5).assign_attrs(grid="coarse"),
            "/coarse/inner": field(5, "q").drop_vars("x"),
            "/fine": field(9),
            "/station": xr.Dataset({"p": ("time", [1.0, 2.0])}, attrs={"place": "Bergen"}),
        }
    )


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    """Every test in a folder with a tree in a file and in a store."""
    monkeypatch.chdir(tmp_path)
    tree().to_netcdf("in.nc")
    tree().to_zarr("in.zarr")


def load_tree(path: str) -> xr.DataTree:
    with xr.open_datatree(path, engine="zarr" if Path(path).is_dir() else "netcdf4") as opened:
        return opened.load()


@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
@pytest.mark.parametrize("source", ["in.nc", "in.zarr"])
def test_a_tree_is_the_call_on_a_tree(source, target):
    told = run(f"grad {source} {target} --dim x").stdout
    out, expected = load_tree(target), load_tree(source).grad("x")
    assert out.attrs["history"].startswith("made by hand\n")
    for path, node in expected.subtree_with_keys:
        there = out[path].to_dataset(inherit=False)
        there.attrs.pop("history", None)
        assert there.identical(
            node.to_dataset(inherit=False)
            .drop_attrs(deep=False)
            .assign_attrs({k: v for k, v in node.attrs.items() if k != "history"})
        ), path
    assert "/coarse/dt_dx (x: 5) float64 K m-1\n" in told
    assert "/coarse/inner/dq_dx (x: 5) float64 K m-1\n" in told
    np.testing.assert_allclose(out["fine/dt_dx"][1:-1], 2 * out["fine/x"][1:-1], rtol=1e-12)
    assert set(out.children) == {"coarse", "fine", "station"}
    assert dict(out["station"].attrs) == {"place": "Bergen"}
    assert not out["station"].data_vars


@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
@pytest.mark.parametrize(
    ("group", "results"),
    [
        ("/fine", {"/fine/dt_dx"}),
        ("fine/", {"/fine/dt_dx"}),
        ("coarse", {"/coarse/dt_dx", "/coarse/inner/dq_dx"}),
        ("/coarse/inner", {"/coarse/inner/dq_dx"}),
    ],
)
def test_one_group_goes_to_the_same_group(group, results, target):
    run(f"grad in.nc {target} --dim x --group {group}")
    out = load_tree(target)
    assert {
        f"{path}/{name}"
        for path, node in ((n.path, n) for n in out.subtree)
        for name in node.data_vars
    } == results
    assert out.attrs["title"] == "a tree"
    for name in results:
        path = name.rsplit("/", 1)[0]
        given = load_tree("in.nc")[path].to_dataset().grad("x")
        np.testing.assert_array_equal(out[name], given[name.rsplit("/", 1)[1]])
        np.testing.assert_array_equal(out[path]["x"], given["x"])


def test_a_group_that_inherits_no_aligned_coordinate():
    """A group may hide a dimension of the groups that it is in, which a DataTree cannot."""
    with netCDF4.Dataset("hidden.nc", "w") as ds:
        for group, n in ((ds, 3), (ds.createGroup("inner"), 5)):
            group.createDimension("x", n)
            group.createVariable("x", "f8", ("x",))[:] = np.arange(n)
            group.createVariable("t", "f8", ("x",))[:] = np.arange(n) ** 2
    told = run("grad hidden.nc out.nc --dim x", code=1).stderr
    assert told.startswith(
        "xgradient: error: the groups of hidden.nc have other coordinates than those that they "
        "are in; choose one with --group, such as /inner: "
    )
    assert told.count("\n") == 1
    run("grad hidden.nc out.nc --dim x --group inner")
    with netCDF4.Dataset("out.nc") as out:
        assert out["inner/dt_dx"][:].tolist() == [1, 2, 4, 6, 7]


def test_variables_chunks_components_and_units_of_a_tree():
    data = wind(step=30.0)
    xr.DataTree.from_dict(
        {"/a": data, "/b": data.isel(lat=slice(1, None)), "/c": field(4)}
    ).to_netcdf("wind.nc")
    run("curl wind.nc out.nc --lon u --lat v -m sphere -u 'h-1' -c lat=2")
    out = load_tree("out.nc")
    for path in ("a", "b"):
        expected = (
            load_tree("wind.nc")[path]
            .to_dataset()
            .grad.curl(lon="u", lat="v", metric="sphere", units="h-1")
        )
        np.testing.assert_array_equal(out[path]["curl"], expected)
    assert out["a/curl"].attrs["units"] == "h-1"
    assert not out["c"].data_vars
    run("grad wind.nc one.nc --dim lat -v u")
    assert list(load_tree("one.nc")["b"].data_vars) == ["du_dlat"]
    assert set(load_tree("one.nc").children) == {"a", "b", "c"}


def test_record_dimensions_and_chunks_of_each_group():
    field(5).to_netcdf("rec.nc", mode="w", group="a", unlimited_dims=["x"])
    field(6).to_netcdf("rec.nc", mode="a", group="b")
    run("grad rec.nc out.nc --dim x")
    with netCDF4.Dataset("out.nc") as out:
        assert out["a"].dimensions["x"].isunlimited()
        assert not out["b"].dimensions["x"].isunlimited()
    field(8).to_zarr("sized.zarr", group="a", encoding={"t": {"chunks": (3,)}})
    run("grad sized.zarr out.zarr --dim x")
    assert load_tree("out.zarr")["a/dt_dx"].encoding["chunks"] == (3,)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--dim y", "in.nc: no node of the tree has the names of the call; at node '/coarse', 'y'"),
        (
            "--dim x --group fin",
            "in.nc has no group '/fin'; there are /coarse, /coarse/inner, /fine, /station",
        ),
        ("--dim x -v w", "in.nc has no variable 'w'; there are t, q, p"),
        (
            "--dim x -v t -v p",
            "variable 'p' of in.nc has no such derivative; its dimensions are time",
        ),
        ("--dim x -c lev=2", "chunks name 'lev', but the dimensions are x, time"),
        ("--dim x --deriv 7", "in.nc: node '/coarse"),
    ],
)
@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
def test_errors_of_trees_are_one_line(words, told, target):
    found = run(f"grad in.nc {target} {words}", code=1).stderr
    assert found.startswith(f"xgradient: error: {told}")
    assert found.count("\n") == 1
    assert here() == {"in.nc", "in.zarr"}


@pytest.mark.parametrize("target", ["out.nc", "out.zarr"])
def test_a_tree_appears_whole_or_not_at_all(target, monkeypatch):
    """The last group fails when it is computed."""
    from xgradient.cli import files

    write = files._write_netcdf if target.endswith(".nc") else xr.Dataset.to_zarr
    seen = []

    def failing(*args, **options):
        seen.append(here())
        if len(seen) == 4:
            raise OSError(28, "No space left on device")
        return write(*args, **options)

    if target.endswith(".nc"):
        monkeypatch.setattr(files, "_write_netcdf", failing)
    else:
        monkeypatch.setattr(xr.Dataset, "to_zarr", failing)
    told = run(f"grad in.nc {target} --dim x", code=1).stderr
    assert told == f"xgradient: error: writing {target} failed: No space left on device\n"
    assert all(target not in names for names in seen)
    assert any(len(names) == 3 for names in seen), "something was written under another name"
    assert here() == {"in.nc", "in.zarr"}
