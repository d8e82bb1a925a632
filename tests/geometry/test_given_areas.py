"""Areas of cells that files give by the CF attribute cell_measures."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import xgradient

RNG = np.random.default_rng(11)


def ocean(units: str = "km2") -> xr.Dataset:
    """Return a field with areas that are not those of its coordinates."""
    ds = xr.Dataset(
        coords={
            "lat": ("lat", np.arange(-40.0, 41, 20), {"units": "degrees_north"}),
            "lon": ("lon", np.arange(0.0, 60, 10), {"units": "degrees_east"}),
        }
    )
    area = RNG.uniform(1, 2, (5, 6))
    ds["areacello"] = ("lat", "lon"), area, {"units": units}
    attrs = {"units": "K", "cell_measures": "area: areacello volume: volcello"}
    ds["tos"] = ("lat", "lon"), RNG.random((5, 6)), attrs
    return ds


def test_integrals_take_the_areas_of_the_file():
    ds = ocean()
    expected = float((ds.tos * ds.areacello).sum()) * 1e6
    found = ds.grad.integrate(["lat", "lon"], metric="sphere").tos_integral
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.attrs["units"] == "K m2"
    with_coord = ds.set_coords("areacello").tos
    found = with_coord.grad.integrate(["lon", "lat"], metric="sphere")
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    moved = with_coord.copy()  # as decode_coords="all" leaves it
    moved.encoding["cell_measures"] = moved.attrs.pop("cell_measures")
    np.testing.assert_allclose(moved.grad.integrate(metric="sphere"), expected, rtol=1e-14)
    lazy = ds.chunk(lat=2).grad.integrate(["lat", "lon"], metric="sphere").tos_integral
    np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-14)


def test_areas_of_other_files_and_missing_ones():
    ds = ocean()
    bare = ds.drop_vars("areacello").grad.integrate(["lat", "lon"], metric="sphere")
    plain = ds.tos.drop_attrs().grad.integrate(["lat", "lon"], metric="sphere")
    np.testing.assert_array_equal(bare.tos_integral, plain)
    ds["areacello"][1, 1] = np.nan
    assert ds.grad.integrate(["lat", "lon"], metric="sphere").tos_integral.isnull()
    sea = ds.where(ds.areacello.notnull()).assign(areacello=ds.areacello)
    found = sea.grad.integrate(["lat", "lon"], metric="sphere", skipna=True).tos_integral
    np.testing.assert_allclose(found, (ds.tos * ds.areacello).sum() * 1e6, rtol=1e-14)


def test_a_conservative_laplacian_is_over_these_areas():
    ds = ocean("m2")
    found = ds.tos.assign_coords(areacello=ds.areacello).grad.laplacian(
        ["lat", "lon"], metric="sphere", form="conservative"
    )
    area = xgradient.integrate(
        xr.ones_like(ds.tos).drop_attrs(), ["lat", "lon"], metric="sphere"
    )  # of the globe, another one
    assert float(area) != pytest.approx(float(ds.areacello.sum()))
    plain = ds.tos.drop_attrs().grad.laplacian(["lat", "lon"], metric="sphere", form="conservative")
    ratio = found * ds.areacello / plain
    inside = ratio.values[1:-1, 1:-1]
    # The fluxes are those of the coordinates, so the ratio is the area between parallels.
    south, north = np.deg2rad([-30.0, -10, 10]), np.deg2rad([-10.0, 10, 30])
    exact = 6371008.8**2 * np.deg2rad(10) * (np.sin(north) - np.sin(south))
    np.testing.assert_allclose(inside, exact[:, None] + 0 * inside, rtol=1e-12)


def test_units_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match="names the areas 'areacello', which have the units 'kg'"):
        ocean("kg").grad.integrate(["lat", "lon"], metric="sphere")
