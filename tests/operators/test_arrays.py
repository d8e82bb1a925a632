"""``xgradient.gradient``: torch.gradient's signature, and equality with NumPy and torch."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from xgradient import gradient

from ..support import reference
from ..support.backends import library, with_dtypes
from ..support.strategies import DTYPES, NODES, chunkings, examples, make_field, positions, shapes


def close(found, expected, tolerance=1e-12) -> bool:
    """Return whether the largest error is small against the largest value."""
    return bool(
        np.abs(found - expected).max(initial=0) <= tolerance * np.abs(expected).max(initial=0)
    )


# -- torch.gradient's documentation -------------------------------------------------------------


def test_the_square_of_torchs_documentation(xp):
    down, right = gradient(xp.asarray(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])))
    assert xp.numpy(down).tolist() == [[3.0, 3.0, 3.0]] * 3
    assert xp.numpy(right).tolist() == [[1.0, 1.0, 1.0]] * 3


def test_the_parabola_of_torchs_documentation(xp):
    (found,) = gradient(xp.asarray(np.array([0, 0.25, 1, 2.25])), spacing=0.5)
    assert xp.numpy(found).tolist() == [0.5, 1, 2, 2.5]


def test_the_cube_of_torchs_documentation(xp):
    found = gradient(xp.asarray(np.arange(27).reshape(3, 3, 3)))
    assert [np.unique(xp.numpy(part)).tolist() for part in found] == [[9], [3], [1]]


# -- NumPy and torch ----------------------------------------------------------------------------


@st.composite
def calls(draw, dtype="f8"):
    """A field, some of its axes, a spacing for each and an edge order."""
    edge_order = draw(st.sampled_from([1, 2]))
    shape = draw(shapes(least=edge_order + 1))
    axes = draw(st.lists(st.sampled_from(range(len(shape))), min_size=1, unique=True))
    spacing = [
        draw(st.one_of(st.sampled_from([1.0, 0.5, 2, -3.25, 1e-4, 86400.0]), positions(shape[d])))
        for d in axes
    ]
    field = make_field(shape, dtype, draw(st.integers(0, 2**32 - 1)))
    return field, axes, spacing, edge_order


@given(call=calls())
@examples(400)
def test_equal_to_numpy(call):
    field, axes, spacing, edge_order = call
    found = gradient(field, spacing=spacing, dim=axes, edge_order=edge_order)
    expected = np.gradient(field, *spacing, axis=axes, edge_order=edge_order)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert close(ours, theirs)


@pytest.mark.parametrize("dtype", ["f8", "c16"])
@given(data=st.data())
@examples(200)
def test_equal_to_torch(dtype, data):
    torch = pytest.importorskip("torch")
    field, axes, spacing, edge_order = data.draw(calls(dtype))
    # torch takes either steps or positions, not some of each.
    if all(np.ndim(s) == 0 for s in spacing):
        theirs = spacing
    else:
        spacing = [
            s * np.arange(field.shape[d]) if np.ndim(s) == 0 else s
            for d, s in zip(axes, spacing, strict=True)
        ]
        theirs = [torch.from_numpy(np.ascontiguousarray(s, np.float64)) for s in spacing]
    found = gradient(field, spacing=spacing, dim=axes, edge_order=edge_order)
    tensor = torch.from_numpy(field)
    expected = torch.gradient(tensor, spacing=theirs, dim=axes, edge_order=edge_order)
    assert len(found) == len(expected)
    for ours, others in zip(found, expected, strict=True):
        assert ours.dtype == others.numpy().dtype
        assert close(ours, others.numpy())


@pytest.mark.parametrize("spacing", [None, 2, 0.5])
@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2), [2, 1], (-2,)])
def test_the_arguments_of_torch(spacing, dim):
    torch = pytest.importorskip("torch")
    field = make_field((4, 5, 6))
    given_ = {key: v for key, v in {"spacing": spacing, "dim": dim}.items() if v is not None}
    expected = torch.gradient(torch.from_numpy(field), **given_)
    found = gradient(field, **given_)
    assert isinstance(found, tuple)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert close(ours, theirs.numpy())


def test_complex_parts_are_differentiated_apart():
    field = make_field((7, 9), "c16", 3)
    for ours, real, imag in zip(
        gradient(field, spacing=[0.3, NODES["jittered"](9)]),
        gradient(field.real, spacing=[0.3, NODES["jittered"](9)]),
        gradient(field.imag, spacing=[0.3, NODES["jittered"](9)]),
        strict=True,
    ):
        assert close(ours.real, real, 1e-15)
        assert close(ours.imag, imag, 1e-15)


@pytest.mark.parametrize("periodic", [True, (True, False), [False, True]])
def test_periodic_axes(xp, periodic):
    field = make_field((8, 9))
    order = {"accuracy": 4, "edge_order": 1}
    found = gradient(xp.asarray(field), spacing=[0.5, 2], periodic=periodic, **order)
    flags = [periodic] * 2 if isinstance(periodic, bool) else periodic
    for axis, (ours, closed, step) in enumerate(zip(found, flags, (0.5, 2), strict=True)):
        period = field.shape[axis] * step if closed else None
        assert close(xp.numpy(ours), reference.along(field, step, axis, **order, period=period))


@pytest.mark.parametrize("periodic", [np.True_, np.array([True, True])], ids=["one", "array"])
def test_numpys_own_booleans_are_booleans(periodic):
    field = make_field((8, 9))
    for ours, expected in zip(
        gradient(field, periodic=periodic), gradient(field, periodic=True), strict=True
    ):
        assert ours.tolist() == expected.tolist()


@pytest.mark.parametrize("periodic", [360.0, [360.0, True], "x", None], ids=repr)
def test_a_period_is_no_flag(periodic):
    # Lengths of periods are for named coordinates; here an axis closes after n steps or does not.
    sentence = f"periodic is {periodic!r}; give True or False, or one for each dimension"
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        gradient(make_field((8, 9)), periodic=periodic)


# -- what goes in and what comes out ------------------------------------------------------------


@pytest.mark.parametrize(("xp", "dtype"), with_dtypes(DTYPES), indirect=["xp"])
@pytest.mark.parametrize("deriv", [1, 2])
def test_every_dtype(xp, dtype, deriv):
    field = make_field((6, 9), dtype, 5)
    expected_dtype = np.dtype("f8") if field.dtype.kind in "biu" else field.dtype.newbyteorder("=")
    x = NODES["jittered"](9)
    array = xp.asarray(field)
    (found,) = gradient(array, spacing=[x], dim=1, deriv=deriv)
    assert type(found) is type(array)
    if xp.chunked:
        assert found.chunks == array.chunks
        assert found.dtype == found._meta.dtype == expected_dtype
    found = xp.numpy(found)
    assert found.dtype == expected_dtype
    assert found.dtype.isnative
    exact = reference.along(field.astype("c16" if field.dtype.kind == "c" else "f8"), x, 1,
                            deriv=deriv)  # fmt: skip
    # Half floats are computed in single precision and rounded once; float64 sets the limit above.
    precision = max(np.finfo(found.dtype).eps, np.finfo("f8").eps)
    assert close(found.astype(exact.dtype), exact, 8 * precision)


@pytest.mark.parametrize(
    ("dtype", "kind", "options"),
    [
        ("f4", "uniform", {"dim": 1}),
        ("f4", "jittered", {"dim": (0, 2), "edge_order": 2}),
        ("c8", "jittered", {"dim": 1, "deriv": 2, "accuracy": 4, "edge_order": 3}),
        ("f8", "uniform", {"dim": (2, 1), "periodic": True}),
        ("i2", "jittered", {"dim": (2, 0, 1)}),
    ],
    ids=str,
)
def test_every_library_has_the_values_of_numpy(xp, dtype, kind, options):
    field = make_field((6, 9, 6), dtype, 2)
    axes = [options["dim"]] if isinstance(options["dim"], int) else options["dim"]
    spacing = [0.5 * NODES[kind](field.shape[d]) for d in axes]
    found = gradient(xp.asarray(field), spacing=spacing, **options)
    expected = gradient(field, spacing=spacing, **options)
    assert isinstance(found, tuple)
    for ours, numpys in zip(found, expected, strict=True):
        ours = xp.numpy(ours)
        assert ours.dtype == numpys.dtype
        # The terms of a sum are the same, and in the same order.
        assert close(ours, numpys, 2 * np.finfo(numpys.dtype).eps)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8"])
def test_unsigned_integers_do_not_wrap_around(xp, dtype):
    field = xp.asarray(np.array([9, 6, 200, 0], dtype))
    assert xp.numpy(gradient(field)[0]).tolist() == [-3, 95.5, -3, -200]


def test_booleans_count_as_numbers(xp):
    field = xp.asarray(np.array([False, True, True, False]))
    assert xp.numpy(gradient(field)[0]).tolist() == [1, 0.5, -0.5, -1]


def test_a_constant_has_no_derivative(xp):
    constant = xp.asarray(np.full((9, 4), 101325, "f4"))
    for periodic in (False, True):
        for deriv in (1, 2):
            (found,) = gradient(constant, spacing=0.3, dim=0, deriv=deriv, periodic=periodic)
            assert not xp.numpy(found).any()
    (found,) = gradient(constant, spacing=[NODES["jittered"](9)], dim=0)
    assert not xp.numpy(found).any()


def test_missing_values_stay_missing_and_do_not_spread(xp):
    field = make_field((9, 4))
    field[4, 1] = np.nan
    for ours, expected in zip(gradient(xp.asarray(field)), gradient(field), strict=True):
        assert np.array_equal(xp.numpy(ours), expected, equal_nan=True)


def test_the_field_stays_as_it_is(xp):
    field = make_field((6, 9))
    array = xp.asarray(field)
    gradient(array, periodic=True, accuracy=4)
    assert np.array_equal(xp.numpy(array), field)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 4, 0), (4, 1), (1, 4, 1), (1, 1, 1, 4)])
def test_empty_and_single_dimensions(xp, shape):
    axis = shape.index(4)
    for options in ({}, {"periodic": True}, {"spacing": [NODES["jittered"](4)]}, {"deriv": 2}):
        (found,) = gradient(xp.asarray(np.ones(shape)), dim=axis, **options)
        assert found.shape == shape
        assert 0 in shape or not xp.numpy(found).any()


def test_lists_are_arrays():
    assert gradient([1, 2, 4])[0].tolist() == [1, 1.5, 2]
    assert gradient([[1.0, 3.0]], dim=1)[0].tolist() == [[2, 2]]
    assert gradient((1j, 3j))[0].tolist() == [2j, 2j]


def test_spacings_of_every_kind(xp):
    values = make_field((4, 5))
    field = xp.asarray(values)
    expected = np.gradient(values, 2.0, np.array([0, 1, 3, 4, 8.0]))
    uneven = [0, 1, 3, 4, 8]
    for second in (uneven, tuple(uneven), np.array(uneven, "u1"), np.array(uneven, "f2")):
        for first in (2, 2.0, np.float32(2), np.int8(2), np.array(2.0)):
            for both in ([first, second], (first, second)):
                for ours, theirs in zip(gradient(field, spacing=both), expected, strict=True):
                    assert close(xp.numpy(ours), theirs)
    assert close(xp.numpy(gradient(field, spacing=np.array(uneven), dim=1)[0]), expected[1])


def test_dims_of_every_kind(xp):
    values = make_field((4, 5))
    field = xp.asarray(values)
    expected = np.gradient(values)
    for dim in (1, -1, np.int64(1), [1], (-1,), np.array([1])):
        assert close(xp.numpy(gradient(field, dim=dim)[0]), expected[1])
    assert close(xp.numpy(gradient(field, dim=[1, 0])[0]), expected[1])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"dim": 1}, {"dim": True}),
        ({"dim": (1,)}, {"dim": (True,)}),
        ({"spacing": 1}, {"spacing": True}),
        ({"spacing": (1, 2)}, {"spacing": (True, 2)}),
        ({"periodic": (True, False)}, {"periodic": (1, 0)}),
        ({"deriv": 1}, {"deriv": True}),
    ],
    ids=repr,
)
def test_a_right_call_does_not_let_an_equal_one_pass(right, wrong):
    field = make_field((4, 5))
    gradient(field, **right)
    with pytest.raises(TypeError, match=f"^({next(iter(wrong))}|spacing of dimension 0) is "):
        gradient(field, **wrong)


def test_positions_changed_in_place_are_looked_at_again():
    field, positions = make_field((4, 5)), np.array([0, 1, 3, 4, 8.0])
    before = gradient(field, spacing=positions, dim=1)[0]
    positions *= 2
    assert close(gradient(field, spacing=positions, dim=1)[0], before / 2)


@pytest.mark.parametrize("dim", [1, -1, "y", ["y"], np.int64(1), np.array([1])], ids=repr)
def test_dims_of_a_dataarray(dim):
    field = xr.DataArray(make_field((4, 5)), dims=("x", "y"), coords={"y": [0, 1, 3, 4, 8.0]})
    (found,) = gradient(field, dim=dim)
    assert isinstance(found, xr.DataArray)
    assert found.dims == field.dims
    assert close(found.values, np.gradient(field.values, axis=1))


def test_a_memory_map_is_an_array(tmp_path):
    mapped = np.memmap(tmp_path / "field", "f8", "w+", shape=(4, 5))
    mapped[:] = make_field((4, 5))
    found = gradient(mapped)
    for ours, theirs in zip(found, np.gradient(np.array(mapped)), strict=True):
        assert type(ours) is np.ndarray
        assert close(ours, theirs)


def test_a_masked_array_does_not_lose_its_mask_in_silence():
    masked = np.ma.masked_array(np.arange(6.0), [False, True, False, False, False, False])
    sentence = "input is a masked array; give one with NaN for what is masked, as .filled"
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}"):
        gradient(masked)


# -- errors -------------------------------------------------------------------------------------

CALLS = {
    "no such dim": (
        ValueError,
        {"dim": 2},
        "dim is 2, but the array has 2 dimensions",
    ),
    "no such negative dim": (
        ValueError,
        {"dim": (0, -3)},
        "dim is -3, but the array has 2 dimensions",
    ),
    "dim twice": (
        ValueError,
        {"dim": (1, -1)},
        "dim is (1, -1), which names a dimension twice",
    ),
    "no dim": (ValueError, {"dim": ()}, "the array has no dimensions to differentiate along"),
    "a name": (TypeError, {"dim": "x"}, "dim is 'x'; give the number of a dimension"),
    "a bool": (TypeError, {"dim": True}, "dim is True; give the number of a dimension"),
    "a float": (TypeError, {"dim": [0, 1.0]}, "dim is 1.0; give the number of a dimension"),
    "few spacings": (
        ValueError,
        {"spacing": [1.0]},
        "spacing has 1 entries for 2 dimensions; give one for each",
    ),
    "many spacings": (
        ValueError,
        {"spacing": (1.0, 2.0), "dim": 0},
        "spacing has 2 entries for 1 dimensions; give one for each",
    ),
    "one array": (
        ValueError,
        {"spacing": np.arange(3.0)},
        "spacing is one array for 2 dimensions; give a list with one entry for each",
    ),
    "short positions": (
        ValueError,
        {"spacing": [1.0, [0.0, 1.0]]},
        (
            "spacing of dimension 1 has 2 values, but the dimension has 4 points; give one number "
            "or 4 positions"
        ),
    ),
    "zero": (
        ValueError,
        {"spacing": 0},
        "spacing of dimension 0 is 0; a step must be finite and not zero",
    ),
    "words": (
        TypeError,
        {"spacing": "wide"},
        "spacing of dimension 0 is 'wide'; give a number or 3 positions",
    ),
    "few periods": (
        ValueError,
        {"periodic": [True]},
        "periodic has 1 entries for 2 dimensions; give one for each",
    ),
    "uneven period": (
        ValueError,
        {"periodic": True, "spacing": [1.0, [0.0, 1, 2, 4]]},
        (
            "spacing of dimension 1 is periodic with non-uniform steps, so its period is unknown; "
            "give it, e.g. periodic={name: 360}"
        ),
    ),
    "too few points": (
        ValueError,
        {"edge_order": 3},
        (
            "dimension 0 has 3 points, but deriv=1, accuracy=2, edge_order=3 needs 4; lower them "
            "or take more points"
        ),
    ),
    "edge order": (
        ValueError,
        {"edge_order": 0},
        "edge_order is 0; give a whole number of at least 1",
    ),
    "unordered": (
        ValueError,
        {"spacing": [[0.0, 1, 2], [0.0, 2, 1, 3]]},
        (
            "spacing of dimension 1 is not monotonic: it turns at index 2, from 2.0 to 1.0; sort "
            "it, e.g. with .sortby"
        ),
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_bad_calls_are_named_when_made(xp, case):
    kind, arguments, sentence = CALLS[case]
    array = xp.asarray(np.zeros((3, 4)))
    with pytest.raises(kind, match=f"^{re.escape(sentence)}$"):
        gradient(array, **arguments)


@pytest.mark.parametrize(
    "data",
    [
        np.array(["a", "b", "c"]),
        np.array([b"a", b"b", b"c"]),
        np.array([1, 2, 3], dtype=object),
        np.array(["2000", "2001", "2002"], dtype="M8[D]"),
        np.array([1, 2, 3], dtype="m8[s]"),
        np.zeros(3, dtype=[("a", "f8")]),
    ],
    ids=lambda a: a.dtype.str,
)
@pytest.mark.parametrize("chunked", [False, True])
def test_data_that_are_no_numbers_are_refused(data, chunked):
    sentence = f"data of dtype {data.dtype} have no derivative; convert them to numbers first"
    array = pytest.importorskip("dask.array").from_array(data, chunks=2) if chunked else data
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        gradient(array)


def test_a_number_has_no_dimensions():
    for number in (3.0, np.float64(3), np.array(3)):
        with pytest.raises(
            ValueError, match=r"^the array has no dimensions to differentiate along$"
        ):
            gradient(number)


@pytest.mark.parametrize(
    "thing", [None, "text", {"a": 1}, object()], ids=lambda t: type(t).__name__
)
def test_things_that_are_no_arrays_are_refused(thing):
    sentence = f"input is a {type(thing).__name__}; give a NumPy or dask array"
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        gradient(thing)


def test_arrays_outside_the_standard_are_refused():
    class Foreign:
        ndim, shape, dtype = 1, (3,), np.dtype("f8")

    sentence = (
        f"{__name__}.test_arrays_outside_the_standard_are_refused.<locals>.Foreign does not "
        "follow the array API standard; give a NumPy or dask array"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        gradient(Foreign())


def test_chunks_of_unknown_length_are_refused():
    da = pytest.importorskip("dask.array")
    array = da.from_array(np.arange(12.0), chunks=3)
    sentence = (
        "dimension 0 has chunks of unknown size; call .compute_chunk_sizes() on the dask array "
        "first"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        gradient(array[array > 3])


@given(data=st.data())
@examples(40)
def test_several_derivatives_at_once_are_those_one_by_one(data):
    da = pytest.importorskip("dask.array")
    shape = data.draw(shapes(least=3, most=6, max_dims=3))
    field = make_field(shape)
    dims = data.draw(st.permutations(range(len(shape))))
    chunked = da.from_array(field, chunks=data.draw(chunkings(shape)))
    together = gradient(chunked, dim=dims)
    for dim, found in zip(dims, together, strict=True):
        (alone,) = gradient(field, dim=dim)
        assert np.array_equal(found.compute(scheduler="sync"), alone)


# -- boundary conditions ------------------------------------------------------------------------


PAIRS = [
    ("even", "odd"), ("extend", ("value", 2.0)), (("slope", 0.3), "missing"), ("odd", "one-sided"),
]  # fmt: skip


def of_gradient_and_grad(library, pair, wall, **options):
    """Derivatives with boundary conditions: of an array, and by name."""
    values = np.random.default_rng(2).normal(size=(5, 17))
    x = np.cumsum(np.random.default_rng(3).uniform(0.5, 1.5, 17))
    da = xr.DataArray(values, {"x": x}, ("y", "x"))
    call = {"wall": wall, "edge_order": 2, **options}
    (found,) = gradient(library.asarray(values), spacing=x, dim=1, boundary={-1: pair}, **call)
    return library.numpy(found), da.grad("x", boundary={"x": pair}, **call).values


@pytest.mark.parametrize("wall", ["node", "face"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("options", [{"accuracy": 4}, {"deriv": 2}, {"skipna": True}], ids=str)
def test_boundary_conditions_are_those_of_grad(pair, wall, options):
    with library("numpy") as arrays:
        np.testing.assert_array_equal(*of_gradient_and_grad(arrays, pair, wall, **options))


@pytest.mark.parametrize("pair", [("even", ("slope", 0.3))], ids=str)
def test_boundary_conditions_of_every_kind_of_array(xp, pair):
    np.testing.assert_array_equal(*of_gradient_and_grad(xp, pair, "face", accuracy=4))


def test_boundary_conditions_by_dimension():
    f = np.random.default_rng(2).normal(size=(9, 12))
    down, right = gradient(f, boundary={0: "even", 1: "periodic"}, accuracy=4)
    (alone,) = gradient(f, dim=0, boundary="even", accuracy=4)
    np.testing.assert_array_equal(down, alone)
    (ring,) = gradient(f, dim=1, periodic=True, accuracy=4)
    np.testing.assert_array_equal(right, ring)
    only = gradient(f, boundary={1: "odd"}, accuracy=4, edge_order=4)
    np.testing.assert_array_equal(only[0], gradient(f, dim=0, accuracy=4, edge_order=4)[0])
    outputs = np.empty_like(f), np.empty_like(f)
    assert gradient(f, boundary="odd", out=outputs) is not None
    for to, expected in zip(outputs, gradient(f, boundary="odd"), strict=True):
        np.testing.assert_array_equal(to, expected)
    da = xr.DataArray(f, dims=("y", "x"))
    by_name = gradient(da, boundary={"y": "even", "x": "periodic"}, accuracy=4, edge_order=4)
    for found, expected in zip(by_name, (down, right), strict=True):
        np.testing.assert_array_equal(found.values, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boundary": "evne"}, "boundary is 'evne'; give one of"),
        ({"boundary": {3: "even"}}, "boundary names 3, along which there is no derivative; there"),
        ({"boundary": {1: "even"}, "dim": 0}, "boundary names 1, along which"),
        ({"boundary": "even", "periodic": True}, "periodic is True for dimension 0, which"),
        (
            {"boundary": ("value", np.zeros(4))},
            "boundary of dimension 0 has the value .*; give a n",
        ),
        ({"wall": "face"}, "wall is 'face', but no boundary says what holds there"),
    ],
)
def test_refusals_of_boundary_conditions(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        gradient(np.zeros((5, 6)), **options)
