"""Sums in one pass over rows: the bits of terms one after the other, on grids of any layout."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from numba import float32

import xgradient  # noqa: F401  registers .grad
from xgradient.kernels.compiled import (
    numpy_sums,
    on_demand,
    row_sum_driver,
    row_sum_lines,
    tiles,
)
from xgradient.kernels.compiled.on_demand import Loop

from ..support.loops import arrays_of, compile_loops
from ..support.marks import slow
from ..support.strategies import make_field

pytestmark = pytest.mark.compiled

SPHERE = {"metric": "sphere", "periodic": "lon"}
OPERATORS = {
    "magnitude": lambda ds: bare(ds).u.grad.magnitude(["level", "lat", "lon"]),
    "magnitude on the sphere": lambda ds: ds.u.grad.magnitude(["lon", "lat"], **SPHERE),
    "magnitude across rows": lambda ds: ds.u.drop_vars("lat").grad.magnitude(["level", "lat"]),
    "Laplacian": lambda ds: bare(ds).u.grad.laplacian(["level", "lon", "lat"]),
    "Laplacian on the sphere": lambda ds: ds.u.grad.laplacian(["lat", "lon"], **SPHERE),
    "divergence": lambda ds: ds.grad.divergence(lon="u", lat="v", **SPHERE),
    "curl": lambda ds: ds.grad.curl(lon="u", lat="v", metric="sphere"),
    "gradient": lambda ds: bare(ds).u.grad(["lon", "level", "lat"]),
    "gradient on the sphere": lambda ds: ds.u.grad(["lat", "lon"], **SPHERE),
    "Jacobian": lambda ds: ds.grad.jacobian(lon="u", lat="v", **SPHERE),
    "strain": lambda ds: ds.grad.strain(lon="u", lat="v", metric="sphere"),
    "advection": lambda ds: ds.u.rename("t").grad.advection(lon=ds.u, lat=ds.v, **SPHERE),
    "advection by a steady flow": lambda ds: ds.u.rename("t").grad.advection(
        lon=ds.u[0].drop_vars("level"), lat=ds.v[0].drop_vars("level"), **SPHERE
    ),
    "advection across rows": lambda ds: bare(ds).u.grad.advection(lat=bare(ds).v),
    "advection by three": lambda ds: bare(ds).u.grad.advection(
        level=bare(ds).v, lat=bare(ds).u, lon=bare(ds).v
    ),
}
#: Operators that the README's command runs; each compiles loops.
USUAL = "magnitude", "divergence", "Jacobian", "strain", "advection by three"
SIZES = {"level": 5, "lat": 9, "lon": 21}


def bare(ds):
    """A dataset without coordinates, whose steps are 1."""
    return ds.drop_vars(ds.coords)


def grid(dtype="f4", steps="uniform", **sizes):
    """Two fields on levels with uneven steps, whose longitudes are a circle."""
    sizes = SIZES | sizes
    lat = np.linspace(-80, 80, sizes["lat"])
    lon = np.linspace(0, 360, sizes["lon"], endpoint=False)
    if steps == "uneven":
        lat, lon = lat + 3 * np.sin(lat), lon + 2 * np.sin(lon)
    units = [{"units": f"degrees_{way}"} for way in ("north", "east")]
    coords = {"level": np.arange(sizes["level"]) ** 1.5}
    coords |= {"lat": ("lat", lat, units[0]), "lon": ("lon", lon, units[1])}
    shape = tuple(sizes.values())
    fields = {name: (list(sizes), make_field(shape, dtype, seed)) for seed, name in enumerate("uv")}
    return xr.Dataset(fields, coords)


@pytest.fixture
def passes(monkeypatch):
    """The sums that each pass computes, in small arrays too, cut into blocks of rows and units."""
    monkeypatch.setattr(row_sum_driver, "MIN_CELLS", 1)
    monkeypatch.setattr(row_sum_driver, "MIN_ROW_CELLS", 1)
    monkeypatch.setattr(row_sum_lines, "MIN_PIECE_CELLS", 1)
    monkeypatch.setattr(row_sum_driver, "MIN_SHARE", 0)
    monkeypatch.setattr(row_sum_lines, "MAX_ROWS", 3)
    monkeypatch.setattr(row_sum_lines, "ROW_BYTES", 1024)
    monkeypatch.setattr(tiles, "MIN_CELLS_FOR_THREADS", 1)
    found = []

    calls = row_sum_driver.RowPass.calls

    def counted(row_pass, *arguments):
        if units := calls(row_pass, *arguments):
            found.append(row_pass)
        return units

    monkeypatch.setattr(row_sum_driver.RowPass, "calls", counted)
    return found


def compile_passes(patch):
    """Compile the loops of passes, and let NumPy do the work of all others."""
    compile_loops(patch, "never")
    patch.setattr(row_sum_driver.RowPass, "loop", property(lambda row_pass: Loop("now")))


def in_turns(call, monkeypatch, passes):
    """Compare results in one pass with those of NumPy; return them and the number of passes."""
    passes.clear()
    with monkeypatch.context() as patch:
        compile_passes(patch)
        once = arrays_of(call())
    count = len(passes)
    with monkeypatch.context() as patch:
        compile_loops(patch, "never")
        terms = arrays_of(call())
    assert len(passes) == count
    compare(once, terms)
    return once, count


def compare(once, terms):
    """Compare the bits of results."""
    for a, b in zip(once, terms, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(np.signbit(a.real), np.signbit(b.real))


@pytest.mark.parametrize("steps", ["uniform", slow("uneven")])
@pytest.mark.parametrize("dtype", ["f4", slow("f8")])
@pytest.mark.parametrize("operator", [x if x in USUAL else slow(x) for x in OPERATORS])
def test_one_pass_has_the_bits_of_single_terms(operator, dtype, steps, monkeypatch, passes):
    ds = grid(dtype, steps)
    results, count = in_turns(lambda: OPERATORS[operator](ds), monkeypatch, passes)
    # Second derivatives with uneven steps need four cells.
    assert bool(count) == (operator != "Laplacian on the sphere" or steps == "uniform")
    assert all(np.isfinite(found).all() for found in results)


@pytest.mark.slow
@pytest.mark.parametrize("operator", OPERATORS)
def test_compiled_terms_have_the_bits_of_one_pass(operator, monkeypatch, passes):
    results = []
    for cells in (1, 1 << 60):
        compile_loops(monkeypatch, "now")
        monkeypatch.setattr(row_sum_driver, "MIN_CELLS", cells)
        results.append(arrays_of(OPERATORS[operator](grid())))
    compare(*results)
    assert passes


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize(
    "operator",
    ["magnitude on the sphere", "divergence", "Laplacian", "Jacobian", "advection", "strain"],
)
def test_complex_numbers(operator, dtype, monkeypatch, passes):
    """Functions of numbers, such as that of a strain, are for real numbers."""
    ds = grid(dtype)
    _, count = in_turns(lambda: OPERATORS[operator](ds), monkeypatch, passes)
    assert bool(count) == (operator != "strain")


def test_magnitudes_are_those_of_numpy(monkeypatch, passes):
    ds = grid()
    compile_passes(monkeypatch)
    parts = np.gradient(ds.u.values, ds.level.values, 1.0, 1.0)
    result = ds.u.drop_vars(["lat", "lon"]).grad.magnitude(["level", "lat", "lon"])
    assert passes
    np.testing.assert_allclose(result, np.sqrt(sum(part**2 for part in parts)), rtol=1e-5)


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8, 9, 10, 17, 513, slow(520), slow(1030)])
@pytest.mark.parametrize("operator", ["magnitude", "grad", slow("laplacian")])
def test_rows_of_any_length(operator, columns, monkeypatch, passes):
    """Spans of a row overlap where its length is no multiple of the lanes of a processor."""
    ds = grid(lon=columns)
    names = ["level", "lat"] if columns < 3 else ["level", "lat", "lon"]
    grad = bare(ds).u.grad
    call = grad if operator == "grad" else getattr(grad, operator)
    _, count = in_turns(lambda: call(names), monkeypatch, passes)
    assert count


@pytest.mark.parametrize("dtype", ["f4", slow("f8")])
@pytest.mark.parametrize("names", [["level", "lat"], slow(["level", "lat", "lon"])])
def test_squares_that_vanish_or_overflow(names, dtype, monkeypatch, passes):
    """A span with such numbers is computed again with scaled roots; others keep their bits."""
    ds = bare(grid(dtype, lon=1600))
    most = 30 if dtype == "f4" else 250
    powers = np.random.default_rng(3).uniform(-most, most, ds.u.shape)
    sizes = np.where(np.random.default_rng(4).random(ds.u.shape) < 0.9, 0, powers)
    u = (ds.u * 10.0**sizes).astype(dtype)
    u[..., :600] = ds.u[..., :600]
    u[..., 700:760], u[..., 800] = 3.0, np.nan
    u[:, 4, 1000], u[:, 5, 1000] = np.inf, -np.inf
    u[..., 1100:1200] = ds.u[..., 1100:1200] * 10.0**-most
    (result,), count = in_turns(lambda: u.grad.magnitude(names), monkeypatch, passes)
    assert count
    assert np.isfinite(result[..., :600]).all()
    assert (result[..., 702:758] == 0).all()
    inner = result[1:-1, 1:-1, 1120:1180]
    assert (inner > 0).all()
    assert inner.max() < 10.0 ** (10 - most)


@pytest.mark.parametrize("chunks", [{"level": 2}, {"lat": 4, "lon": 10}, {"lon": 1}], ids=str)
@pytest.mark.parametrize(
    "operator", ["divergence", "Jacobian", slow("magnitude on the sphere"), slow("strain")]
)
def test_chunks(operator, chunks, monkeypatch, passes):
    """The rows and columns next to another chunk have their neighbours in the halo."""
    ds = grid()
    lazy, count = in_turns(lambda: OPERATORS[operator](ds.chunk(chunks)), monkeypatch, passes)
    whole, _ = in_turns(lambda: OPERATORS[operator](ds), monkeypatch, passes)
    assert count or chunks == {"lon": 1}
    for a, b in zip(lazy, whole, strict=True):
        np.testing.assert_array_equal(a, b)


def backwards(ds):
    """The dataset with all dimensions in the opposite order in memory."""
    return ds.map(lambda da: da.transpose(*da.dims[::-1]).copy())


LAYOUTS = {
    "opposite order": backwards,
    "transposed": lambda ds: ds.transpose("lat", "lon", "level"),
    "reversed rows": lambda ds: ds.isel(lat=slice(None, None, -1)),
    "reversed columns": lambda ds: ds.isel(lon=slice(None, None, -1)),
    "part": lambda ds: ds.isel(lat=slice(1, -1), level=slice(1, 4)),
    "part of rows": lambda ds: ds.isel(lon=slice(2, 19)),
    "every other row": lambda ds: ds.isel(lat=slice(None, None, 2), level=slice(None, None, 2)),
    "every other column": lambda ds: ds.isel(lon=slice(None, None, 2)),
    "big-endian": lambda ds: ds.astype(">f4"),
    "halves": lambda ds: ds.astype("f2"),
    "two rows": lambda ds: ds.isel(lat=slice(0, 2)),
    "one level": lambda ds: ds.isel(level=0),
    "broadcast levels": lambda ds: ds.assign(u=ds.u[0].expand_dims(level=ds.level)),
    "four dimensions": lambda ds: xr.concat([ds, 2 * ds, -ds], "time"),
    "part of four": lambda ds: xr.concat([ds, 2 * ds], "time").isel(level=slice(1, 4)),
}
#: Layouts without adjacent cells in rows, without rows between others, or of another dtype.
TERM_BY_TERM = (
    "reversed columns",
    "every other column",
    "big-endian",
    "halves",
    "two rows",
    "broadcast levels",
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "operator",
    ["curl", "magnitude", "strain", "advection by three", slow("magnitude across rows")],
)
def test_layouts(operator, layout, monkeypatch, passes):
    ds = LAYOUTS[layout](grid())
    if operator in ("curl", "strain") or "level" in ds.dims:
        _, count = in_turns(lambda: OPERATORS[operator](ds), monkeypatch, passes)
        assert bool(count) == (layout not in TERM_BY_TERM)


@pytest.mark.parametrize("operator", ["divergence", "jacobian", "strain"])
def test_a_component_that_is_broadcast_along_its_own_axis(operator, monkeypatch, passes):
    """Its neighbours there are at the same address."""
    ds = bare(LAYOUTS["broadcast levels"](grid()))
    call = getattr(ds.grad, operator)
    (result, *_), count = in_turns(lambda: call(lat="v", level="u"), monkeypatch, passes)
    assert count
    np.testing.assert_array_equal(result, ds.v.grad("lat").values)


@pytest.mark.parametrize("limit", ["MIN_PIECE_CELLS", "MIN_SHARE", "MIN_CELLS", "MIN_ROW_CELLS"])
def test_small_parts_are_left_to_single_terms(limit, monkeypatch, passes):
    """Where outer axes have no common step, or few rows have neighbours, a pass would be slower."""
    ds = LAYOUTS["four dimensions"](grid())
    module = row_sum_lines if limit == "MIN_PIECE_CELLS" else row_sum_driver
    monkeypatch.setattr(module, limit, 1 << 40)
    _, count = in_turns(lambda: OPERATORS["magnitude"](ds), monkeypatch, passes)
    assert not count


@pytest.mark.parametrize(
    "sizes", [(1, 3, 7), (3, 1, 7), (2, 2, 8), (9, 4, 8), (4, 9, 8), (5, 5, 1)]
)
def test_units_have_all_rows_once(sizes):
    outer, rows, n = sizes
    written = np.zeros((outer, rows), int)
    units = list(row_sum_lines.divide(outer, rows, n))
    for first_outer, last_outer, first_row, last_row in units:
        written[first_outer:last_outer, first_row:last_row] += 1
    assert (written == 1).all()
    assert len(units) == min(n, max(outer, rows))


@pytest.mark.parametrize("at", range(7))
def test_unaligned_and_read_only_arrays(at, monkeypatch, passes):
    ds = bare(grid())
    memory = np.zeros(ds.u.nbytes + 8, np.uint8)
    u = memory[at : at + ds.u.nbytes].view("f4").reshape(ds.u.shape)
    u[...] = ds.u.values
    u.setflags(write=False)
    ds = ds.assign(u=(ds.u.dims, u))
    _, count = in_turns(lambda: OPERATORS["magnitude"](ds), monkeypatch, passes)
    assert bool(count) == (at % 4 == 0)


@pytest.mark.parametrize("names", [*permutations(["level", "lat", "lon"])], ids="-".join)
@pytest.mark.slow
def test_names_in_any_order(names, monkeypatch, passes):
    ds = grid()
    u = ds.u.drop_vars(["lat", "lon"])
    for call in (lambda: u.grad.magnitude(list(names)), lambda: u.grad.laplacian(list(names[:2]))):
        in_turns(call, monkeypatch, passes)


def test_one_pass_takes_the_place_of_terms_when_it_is_compiled(monkeypatch, passes):
    """Until then the terms are summed one by one, and the loop is requested."""
    compile_loops(monkeypatch, "later")
    monkeypatch.setattr(on_demand, "PATIENCE", 0)
    monkeypatch.setattr(tiles, "write_term", numpy_sums.write_term)
    u = bare(grid()).u
    first = u.grad.magnitude(["level", "lat", "lon"])
    assert not passes
    while on_demand._thread is not None:
        on_demand._thread.join()
    second = u.grad.magnitude(["level", "lat", "lon"])
    xr.testing.assert_identical(first, second)
    (row_pass,) = passes
    compiled = row_sum_driver._row_loop(row_pass.fused, row_pass.function)
    results = [types[8].dtype for types in compiled.signatures]
    assert results.count(float32) == 1  # the call needs what was compiled, and nothing else


@pytest.mark.parametrize("part", ["numbers", "ends", "rows"])
@pytest.mark.parametrize("operator", ["curl", "gradient on the sphere"])
def test_the_comparison_can_fail(operator, part, monkeypatch, passes):
    """Other coefficients, windows or rows give other values."""
    compile_passes(monkeypatch)
    ds, original = grid(), row_sum_driver.row_sum_arguments
    right = arrays_of(OPERATORS[operator](ds))

    def wrong(sums, results, n):
        *others, one = sums
        along, *across = one.terms
        if part == "numbers":
            along = along._replace(output_weight=2 * along.output_weight)
        if part == "ends":
            stencil = along.stencil
            stencil = dataclasses.replace(stencil, boundary=2 * stencil.boundary)
            along = along._replace(stencil=stencil)
        arguments = original([*others, one._replace(terms=[along, *across])], results, n)
        return arguments[1:] if part == "rows" else arguments

    monkeypatch.setattr(row_sum_driver, "row_sum_arguments", wrong)
    pairs = zip(arrays_of(OPERATORS[operator](ds)), right, strict=True)
    assert any(np.nanmax(abs(a - b)) > 1e-3 * np.nanmax(abs(b)) for a, b in pairs)
