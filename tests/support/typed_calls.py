"""Calls as users write them, for a type checker: each line says the type or the error it gives."""

from __future__ import annotations

from typing import reveal_type

import xarray as xr

import xgradient


def results(da: xr.DataArray, ds: xr.Dataset) -> None:
    reveal_type(xgradient.grad(da, "lat"))  # DataArray
    reveal_type(xgradient.grad(da, "lat", metric="sphere", periodic=False))  # DataArray
    reveal_type(xgradient.grad(da, {"x": 1, "y": 1}))  # DataArray
    reveal_type(xgradient.grad(da, ["lat", "lon"]))  # Dataset
    reveal_type(xgradient.grad(da, ("lat", "lon")))  # Dataset
    reveal_type(xgradient.grad(da, "z", at=[0.5, 1.5]))  # DataArray
    reveal_type(xgradient.grad(da, "z", to="edges", positions={"Z": {"outer": "zi"}}))  # DataArray
    reveal_type(xgradient.interpolate(da, "x", to="center"))  # DataArray
    reveal_type(xgradient.interpolate(ds, "z", at=[0.5, 1.5], accuracy=4))  # Dataset
    reveal_type(xgradient.integrate(da, ["lat", "lon"], metric="sphere"))  # DataArray
    reveal_type(xgradient.cumulative_integrate(ds, "z", from_="end", to="outer"))  # Dataset
    reveal_type(xgradient.grad(da, "x", boundary="sbp", accuracy=4))  # DataArray
    reveal_type(xgradient.grad(da))  # Dataset
    reveal_type(xgradient.grad(da, deriv=2))  # Dataset
    reveal_type(xgradient.grad(ds, "lat"))  # Dataset
    reveal_type(xgradient.grad(ds, ["lat"], along="s"))  # Dataset
    reveal_type(xgradient.magnitude(da, ["lat", "lon"]))  # DataArray
    reveal_type(xgradient.laplacian(ds))  # Dataset
    reveal_type(xgradient.hessian(da))  # Dataset
    reveal_type(xgradient.divergence(ds, lon="u", lat="v"))  # DataArray
    reveal_type(xgradient.divergence({"lon": da, "lat": da}))  # DataArray
    reveal_type(xgradient.curl(ds, lon="u", lat="v"))  # Any
    reveal_type(xgradient.laplacian(da, form="conservative", metric="roms"))  # DataArray
    reveal_type(xgradient.divergence(ds, x="u", y="v", to="center", metric="nemo"))  # DataArray
    reveal_type(xgradient.jacobian(lon=da, lat=da))  # Dataset
    reveal_type(xgradient.strain(ds, lon="u", lat="v"))  # Dataset
    reveal_type(xgradient.advection(da, lon=da, lat=da))  # DataArray
    reveal_type(xgradient.directional(ds, lon="u", lat="v"))  # Dataset


def options(da: xr.DataArray) -> None:
    xgradient.grad(da, "lat", metric=xgradient.Sphere(6e6), spacing=[1.0, 2.0], periodic="lon")
    xgradient.grad(da, "lat", metric={"lat": "e2t"}, spacing={"lat": da}, periodic={"lon": 360})
    xgradient.grad(da, "lat", spacing=da, periodic=["lon"])
    xgradient.grad(da, "lat", spacing=None, periodic=None, metric=None, edge_order=None)
    xgradient.grad(da, "lat", units="K km-1")
    xgradient.grad(da, "x", boundary={"x": ("even", ("value", 280.0))}, wall="face")
    xgradient.curl(x=da, y=da, boundary="odd", skipna=True, coast=("slope", 0.0))
    xgradient.curl(x=da, y=da, wall="edge")  # error: arg-type
    xgradient.curl(x=da, y=da, form="conservative", coast="zero", metric="mitgcm")
    xgradient.curl(x=da, y=da, form="conservation")  # error: arg-type
    xgradient.laplacian(da, form="flux")  # error: arg-type
    xgradient.hessian(da, boundary=("even", 3))  # error: arg-type
    xgradient.strain(x=da, y=da, units={"okubo_weiss": "day-2"})
    xgradient.grad(da, "lat", units=1.0)  # error: call-overload
    xgradient.curl(x=da, y=da, units=["s-1"])  # error: arg-type
    xgradient.grad(da, "lat", metric="spher")  # error: call-overload
    xgradient.grad(da, "lat", skipna="yes")  # error: call-overload
    xgradient.magnitude(da, metric="spher")  # error: arg-type
    xgradient.curl(x=da, y=da, accuracy="2")  # error: arg-type
    xgradient.strain(x=da, y=da, periodic=1.5)  # error: arg-type
    xgradient.cumulative_integrate(da, "z", from_="top")  # error: arg-type
    xgradient.hessian(da, acuracy=4)  # error: call-arg


def accessor(da: xr.DataArray) -> None:
    grad: xgradient.Grad = da.grad
    reveal_type(grad.with_options(metric="sphere", skipna=True))  # Grad
    reveal_type(grad(["lat", "lon"]))  # Dataset
    reveal_type(grad.strain(lon="u", lat="v"))  # Dataset
    reveal_type(grad.divergence(lon="u", lat="v"))  # DataArray
    reveal_type(grad("lat"))  # Any
    grad.strain(lon="u", lat="v", metric="spher")  # error: arg-type
    grad.with_options(metric="spher")  # error: arg-type
    grad.with_options(skipnan=True)  # error: call-arg
