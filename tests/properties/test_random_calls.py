"""Random calls of every operator: results that are right, or a refusal in one sentence.

The default suite makes a few calls, the same ones in every run. A long run takes every dtype and
every order, from a seed: ``XGRADIENT_FUZZ_CALLS=20000 XGRADIENT_FUZZ_SEED=1 pytest
tests/test_random_calls.py``. It takes a few hours, and fails with the smallest call that it finds.
"""

from __future__ import annotations

import os
import re
import traceback
import warnings
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

import xgradient

from ..support import reference
from ..support.random_calls import Call, calls
from ..support.random_coordinates import exact_nodes
from ..support.strategies import examples

dask = pytest.importorskip("dask")

CALLS = int(os.environ.get("XGRADIENT_FUZZ_CALLS", "0"))
SEED = int(os.environ.get("XGRADIENT_FUZZ_SEED", "0"))
EXAMPLES = settings(max_examples=CALLS) if CALLS else examples(150)
#: What refusals say of values, which are read when chunks are computed.
VALUES = (
    "'[^']*' is [^ ]* at index [^;]*|"
    "field '[^']*' has the value [^ ]* at index .*, which its attribute|data != [^ ]*\\)$"
)
PACKAGE = str(Path(xgradient.__file__).parent) + os.sep


# --------------------------------------------------------------------------------------- outcomes


def outcome(make: Any, call: Call) -> Any:
    """Return the result of a call, or its error, if that is a sentence of this package."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", xgradient.GridWarning)
            return make()
    except (ValueError, TypeError) as error:
        check_sentence(
            error, repr((call.dims, call.options, [a.attrs for a in call.data.variables.values()]))
        )
        return error


def check_sentence(error: Exception, asked: str) -> None:
    """Refuse what is no whole sentence, or comes from another library."""
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    assert where.startswith(PACKAGE), f"raised in {where}"
    text = str(error)
    assert "\n" not in text, "more than one line"
    assert re.match(r"[a-z0-9'\"(]|None is", text), "does not begin as a sentence here does"
    assert len(text.split()) >= 4, "no sentence"
    assert not text.endswith((".", ":", ";", ",")), "ends as no sentence here does"
    assert not re.search(r"Traceback|object at 0x|<class", text), "of the code"
    told = text.replace("slice(None, -1)", "")
    assert "None" in asked or "None" not in told, "None, which was not given"


def arrays(result: Any) -> dict[Any, np.ndarray]:
    """The arrays of any result, computed."""
    if isinstance(result, tuple):
        return {k: np.asarray(a) for k, a in enumerate(result)}
    if isinstance(result, xr.DataArray):
        return {result.name: result.values}
    return {name: da.values for name, da in result.data_vars.items()}


def parts_of(a: np.ndarray) -> list[np.ndarray]:
    return [a.real, a.imag] if a.dtype.kind == "c" else [a]


def check_same(found: Any, expected: Any) -> None:
    """Assert equal labels, and numbers equal to the bit."""
    if isinstance(expected, tuple):
        assert isinstance(found, tuple)
        assert len(found) == len(expected)
    else:
        xr.testing.assert_identical(found, expected)
    theirs = arrays(found)
    for name, a in arrays(expected).items():
        b = theirs[name]
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        for one, other in zip(parts_of(a), parts_of(b), strict=True):
            same = (one == other) & (np.signbit(one) == np.signbit(other))
            assert np.all(same | (np.isnan(one) & np.isnan(other))), f"{name} differs"


# ---------------------------------------------------------------------------------- dask as memory


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("dask computed while the graph was built")


def check_lazy(call: Call, expected: Any) -> None:
    """In chunks the same to the bit; what is refused, is refused in the same words."""

    # Scale factors that are a variable are positions, too, and read when the call is made.
    given = isinstance(call.options.get("metric"), dict)

    def built() -> Any:
        with dask.config.set(scheduler="synchronous" if given else refuse):
            return call(lazy)

    def computed() -> Any:
        with dask.config.set(scheduler="synchronous"):
            return dask.compute(made, traverse=False)[0] if not isinstance(made, tuple) else (
                dask.compute(*made))  # fmt: skip

    lazy = call.lazy()
    made = outcome(built, call)
    if isinstance(made, Exception) and re.search(VALUES, str(expected)):
        return  # values of fields in chunks are looked at later, after what the call itself refuses
    if not isinstance(made, Exception):
        check_chunks(made, lazy)
        made = outcome(computed, call)
    late = isinstance(expected, Exception) and any(c.ndim > 1 for c in lazy.coords.values())
    if call.all_lazy and late:
        return  # coordinates in chunks are looked at later, after what the call itself refuses
    if isinstance(expected, Exception) or isinstance(made, Exception):
        check_refusal(made, expected)
    else:
        check_same(made, expected)


def check_refusal(made: Exception, expected: Any) -> None:
    """Refuse another error in chunks than in memory."""
    assert type(made) is type(expected), f"{made!r} in chunks, {expected!r} in memory"
    # Of values in chunks, those of any field and cell may be refused first.
    texts = [re.sub(VALUES, "", str(error)) for error in (made, expected)]
    assert texts[0] == texts[1], f"{made} / {expected}"


def check_chunks(made: Any, lazy: xr.Dataset) -> None:
    """Results come in the chunks of the field."""
    chunks = lazy["f"].data.chunks
    if isinstance(made, tuple):
        found = [a.chunks for a in made]
    else:
        every = [made] if isinstance(made, xr.DataArray) else list(made.data_vars.values())
        found = [da.data.chunks for da in every]
    assert all(some == chunks for some in found)


# ----------------------------------------------------------------------------------------- labels


def check_labels(call: Call, result: Any) -> None:
    """Shape and dtype of the field."""
    f = call.data["f"]
    dtype = f.dtype if f.dtype.kind in "fc" else np.dtype("f8")
    for a in arrays(result).values():
        assert a.shape == f.shape
        if call.operator in ("grad", "gradient", "laplacian", "hessian"):
            assert a.dtype == dtype.newbyteorder("=")
    if isinstance(result, xr.DataArray):
        assert result.dims == f.dims
    if not isinstance(result, tuple):
        assert set(result.coords) == set(call.data.coords)


# -------------------------------------------------------------------------------------- doubling


def check_doubling(call: Call, result: Any) -> None:
    """Twice the field has twice the derivative, and four times a product of derivatives."""
    if any(v.dtype.kind not in "fc" for v in call.data.data_vars.values()):
        return
    fill = {"_FillValue", "missing_value"}
    if any(fill & set(v.attrs) for v in call.data.data_vars.values()):
        return
    names = ["f"] if call.operator in ("advection", "directional") else list("fuvw")
    fields = {n: twice(call.data[n].variable) for n in names}
    doubled = outcome(lambda: call(call.data.assign(fields)), call)
    assert not isinstance(doubled, Exception), f"twice the field is refused: {doubled}"
    theirs = arrays(doubled)
    for name, a in arrays(result).items():
        factor = 4 if name == "okubo_weiss" else 2
        squares = name in ("okubo_weiss", "total_deformation") or call.operator == "magnitude"
        for one, other in zip(parts_of(a), parts_of(theirs[name]), strict=True):
            usual = within_range(a, squares)
            with np.errstate(over="ignore"):
                expected = factor * one
            assert np.all((expected == other) | ~usual), f"{name} is not {factor} times"
            lost = np.isnan(one) != np.isnan(other)
            assert not np.any(lost) or not np.all(usual | np.isnan(one)), "missing elsewhere"


def twice(da: xr.Variable) -> xr.Variable:
    return da.copy(data=da.values + da.values)


def within_range(a: np.ndarray, squares: bool) -> np.ndarray:
    """Where neither a number nor what it is made of overflows or is subnormal."""
    info = np.finfo(a.dtype)
    low, high = info.tiny * (1 if a.dtype.itemsize == 2 else 2.0**30), info.max / 2**6
    if squares:
        low, high = np.sqrt(low) * 2**10, np.sqrt(high)
    size = np.minimum(*map(np.abs, parts_of(a))) if a.dtype.kind == "c" else np.abs(a)
    with np.errstate(invalid="ignore"):
        return np.isfinite(a) & (size >= low) & (np.abs(a) <= high)


# -------------------------------------------------------------------- against exact arithmetic


def one_axis(call: Call) -> tuple[int, dict[str, Any]] | None:
    """The axis of a call along one dimension alone, and what the reference needs to repeat it."""
    options = dict(call.options)
    order = {k: options.pop(k, d) for k, d in (("deriv", 1), ("accuracy", 2), ("edge_order", None))}
    skipna = options.pop("skipna", False)
    f = call.data["f"]
    if call.operator == "gradient":
        if order["edge_order"] is None:
            order["edge_order"] = 1
        options.pop("metric", None)
        if set(options) or call.dims not in (0, -1) or isinstance(call.dims, bool):
            return None
        axis, values, uniform = call.dims % f.ndim, np.arange(f.shape[call.dims]), True
    else:
        given = options.pop("spacing", None)
        dims = [n for n in f.dims if isinstance(call.dims, str) and n == call.dims]
        if call.operator != "grad" or set(options) or not dims or dims[0] not in call.lines:
            return None
        axis, line = f.dims.index(dims[0]), call.lines[dims[0]]
        values, uniform = line.values, line.uniform
        if values is None:
            values = np.arange(line.n)
        if isinstance(given, float | int) and not isinstance(given, bool):
            values, uniform = given * np.arange(line.n), True
        elif given is not None:
            return None
    if uniform is None or f.dtype.kind not in "fc" or f.dtype.itemsize in (2, 16, 32):
        return None
    nodes = exact_nodes(values, uniform)
    if nodes is None or skipna not in (False, True):
        return None
    return axis, {**order, "nodes": nodes, "uniform": uniform, "skipna": bool(skipna)}


def check_numbers(call: Call, result: Any) -> None:
    """One line of a derivative against the slow reference; reversed; and of a polynomial."""
    found = one_axis(call)
    f = call.data["f"]
    if found is None or not f.size:
        return
    axis, plan = found
    (values,) = arrays(result).values()
    first = tuple(slice(None) if k == axis else 0 for k in range(f.ndim))
    field, made = f.values[first], values[first]
    if field.dtype.kind == "c":
        field, made = field.real, made.real
    exact, bound = by_reference(field, plan)
    eps = np.finfo(made.dtype).eps
    assert np.array_equal(np.isnan(made), np.isnan(exact)), "missing elsewhere"
    limit = 8 * eps * bound
    assert np.all((np.abs(made.astype(float) - exact) <= limit) | np.isnan(exact)), (
        made,
        exact,
        limit,
    )
    if call.operator == "grad":
        backwards = call(call.data.isel({f.dims[axis]: slice(None, None, -1)}))
        turned = np.flip(backwards.values, axis)[first].real
        if "spacing" in call.options or call.lines[f.dims[axis]].values is None:
            turned = turned * (-1) ** plan["deriv"]
        assert np.array_equal(np.isnan(turned), np.isnan(made))
        assert np.all((np.abs(turned - made) <= limit) | np.isnan(made)), (turned, made, limit)
        check_polynomial(call, axis, plan)


def by_reference(field: np.ndarray, plan: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The exact derivative of a line, and for each point the sum over j of |w_j| |f_j+1 - f_j|."""
    options = dict(plan)
    nodes, skipna = options.pop("nodes"), options.pop("skipna")
    one = reference.coastal if skipna else reference.derivative
    exact = np.array(one(field.tolist(), nodes, **options), float)
    bound = np.zeros(len(field))
    for i in range(len(field)):
        order = {k: v for k, v in options.items() if k != "deriv"}
        first, last = 0, len(field)
        if skipna:
            if np.isnan(exact[i]):
                continue
            gaps = np.flatnonzero(np.isnan(field))
            first = max([g + 1 for g in gaps if g < i], default=0)
            last = min([g for g in gaps if g > i], default=len(field))
        w = reference.window(i - first, last - first, deriv=plan["deriv"], **order)
        w = range(first + max(w[0], 0), first + min(w[-1] + 1, last - first))
        near = tuple(nodes[j] - nodes[i] for j in w)
        factors = reference.differences(reference.weights(near, 0, plan["deriv"]))
        steps = np.abs(np.diff(field[w.start : w.stop].astype(float)))
        bound[i] = sum(abs(float(c)) * s for c, s in zip(factors, steps, strict=True))
    return exact, bound


def check_polynomial(call: Call, axis: int, plan: dict[str, Any]) -> None:
    """Polynomials of the promised degree are differentiated without an error but rounding."""
    f, deriv, accuracy = call.data["f"], plan["deriv"], plan["accuracy"]
    edge_order = plan["edge_order"] or (1 if accuracy == 2 else accuracy)
    nodes, n = plan["nodes"], f.shape[axis]
    if plan["skipna"]:
        return
    middle, span = nodes[n // 2], abs(nodes[-1] - nodes[0]) or 1
    s = [(x - middle) / span for x in nodes]
    for degree in {deriv + accuracy - 1, deriv + edge_order - 1}:
        factor = np.prod(range(degree - deriv + 1, degree + 1), dtype=object)
        promised = [factor * x ** (degree - deriv) / span**deriv for x in s]
        line = np.array([float(x**degree) for x in s]).astype(f.dtype)
        shape = [n if k == axis else 1 for k in range(f.ndim)]
        data = np.broadcast_to(line.reshape(shape), f.shape).astype(f.dtype)
        made = call(call.data.assign(f=f.variable.copy(data=data))).values
        made = np.moveaxis(made, axis, -1).reshape(-1, n)[0].real
        _, bound = by_reference(line.real, plan)
        eps = np.finfo(made.dtype).eps
        for i in range(n):
            w = reference.window(i, n, deriv=deriv, accuracy=accuracy, edge_order=edge_order,
                                 uniform=plan["uniform"])  # fmt: skip
            centred = plan["uniform"] and deriv % 2 == 0 and i - w[0] == w[-1] - i
            if degree >= len(w) + centred:
                continue  # nothing is promised for this one
            weights = reference.weights(tuple(nodes[j] - nodes[i] for j in w), 0, deriv)
            rounded = sum(
                abs(float(c)) * abs(float(line[j].real)) for c, j in zip(weights, w, strict=True)
            )
            off = abs(float(made[i]) - float(promised[i]))
            assert off <= eps * (8 * bound[i] + rounded), (degree, i, off)


# ------------------------------------------------------------------------------------ the test


def check(call: Call) -> None:
    """All that holds for one call."""
    result = outcome(call, call)
    check_lazy(call, result)
    if not isinstance(result, Exception):
        check_labels(call, result)
        check_doubling(call, result)
        check_numbers(call, result)


@given(calls(quick=not CALLS))
@settings(EXAMPLES, derandomize=not CALLS, database=None)
def test_random_calls_are_right_or_refused_in_one_sentence(call):
    check(call)


if CALLS:
    hypothesis.seed(SEED)(test_random_calls_are_right_or_refused_in_one_sentence)
