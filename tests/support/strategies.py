"""Strategies of hypothesis: node positions, fields of every dtype, chunkings, memory layouts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

__all__ = [
    "ALL_EXAMPLES",
    "DTYPES",
    "LAYOUTS",
    "NODES",
    "chunkings",
    "examples",
    "fields",
    "make_field",
    "positions",
    "shapes",
]

#: Examples of a test of hypothesis that does not say how many it takes, in the profile "thorough".
ALL_EXAMPLES = 100


def examples(count: int) -> settings:
    """So many examples in the profile "thorough", and as large a part of them in any other one."""
    return settings(max_examples=-(-count * settings.default.max_examples // ALL_EXAMPLES))


_UNEVEN = np.random.default_rng(7).uniform(-0.3, 0.3, 16)


def _even(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float64)


def _jittered(n: int) -> np.ndarray:
    # The same few steps over and over from both ends, so that a refined axis is a similar one.
    i = np.arange(n)
    return i + _UNEVEN[np.minimum(i, n - 1 - i) % 16] * np.where(i < n / 2, 1, -1)


def _alternating(n: int) -> np.ndarray:
    i = np.arange(n)
    return i + 0.25 * (-1.0) ** i


def _stretched(n: int) -> np.ndarray:
    # Steps from 0.4 in the middle to 1.6 at the ends, changing smoothly.
    s = np.arange(n) / max(n - 1, 1)
    return (n - 1) * (s + 0.6 * np.sin(2 * np.pi * s) / (2 * np.pi))


#: Kinds of axes: n increasing positions with steps of about one.
NODES: dict[str, Callable[[int], np.ndarray]] = {
    "uniform": _even,
    "jittered": _jittered,
    "alternating": _alternating,
    "stretched": _stretched,
}

#: Every kind of number a field may be made of.
DTYPES = [
    "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8",
    "f2", "f4", "f8", "g", "c8", "c16", "G", ">f4", ">f8", ">i2", ">u4", ">c8", ">c16",
]  # fmt: skip


@st.composite
def positions(draw: st.DrawFn, n: int, kinds: tuple[str, ...] = tuple(NODES)) -> Any:
    """n positions of some kind, scaled, moved and perhaps descending."""
    x = NODES[draw(st.sampled_from(kinds))](n)
    scale = draw(st.sampled_from([1.0, 0.1, 0.25, 1e-3, 3600.0]))
    offset = draw(st.sampled_from([0.0, -3.5, 100.0]))
    sign = draw(st.sampled_from([1.0, -1.0]))
    return sign * scale * (x + offset)


def shapes(
    *, least: int = 2, most: int = 12, max_dims: int = 4
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes whose every length can be differentiated along."""
    return st.lists(st.integers(least, most), min_size=1, max_size=max_dims).map(tuple)


def make_field(shape: tuple[int, ...], dtype: Any = "f8", seed: int = 0) -> np.ndarray:
    """Random numbers that fill the range of small integers and of floats about one."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        # Not beyond 2**53, where the conversion to float64 itself would round.
        low, high = max(info.min, -(2**52)), min(info.max, 2**52)
        return rng.integers(low, high, shape, endpoint=True).astype(dtype)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return np.asarray(values).astype(dtype)


def fields(shape: tuple[int, ...], dtype: Any = "f8") -> st.SearchStrategy[np.ndarray]:
    """Random fields of one shape; what varies is the seed, which shrinks to 0."""
    return st.integers(0, 2**32 - 1).map(lambda seed: make_field(shape, dtype, seed))


@st.composite
def _one_chunking(draw: st.DrawFn, n: int) -> tuple[int, ...]:
    """One dimension in chunks: whole, even with a remainder, all of one, or anything at all."""
    kind = draw(st.sampled_from(["whole", "even", "ones", "any"]))
    if kind == "whole" or n == 0:
        return (n,)
    if kind == "ones":
        return (1,) * n
    if kind == "even":
        size = draw(st.integers(1, n))
        return (size,) * (n // size) + ((n % size,) if n % size else ())
    # Cuts may fall together: chunks of length zero.
    cuts = sorted(draw(st.lists(st.integers(0, n), max_size=6)))
    bounds = [0, *cuts, n]
    return tuple(b - a for a, b in itertools.pairwise(bounds))


def chunkings(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Chunks of every dimension of a shape."""
    return st.tuples(*(_one_chunking(n) for n in shape))


def _spread(a: np.ndarray) -> np.ndarray:
    """Return an array with gaps between its values in memory, along every dimension."""
    roomy = np.zeros([2 * n + 1 for n in a.shape], a.dtype)
    view = roomy[tuple(slice(1, 2 * n + 1, 2) for n in a.shape)]
    view[...] = a
    return view


def _reversed(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.flip(a))[(slice(None, None, -1),) * a.ndim]


def _reversed_first(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a[::-1])[::-1]


def _turned(a: np.ndarray) -> np.ndarray:
    """The dimensions in memory in another order, neither C nor Fortran from three on."""
    order = np.roll(np.arange(a.ndim), 1)
    return np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order))


def _padded(a: np.ndarray) -> np.ndarray:
    """Rows with room at their end, as in a part of a larger array."""
    roomy = np.zeros((*a.shape[:-1], a.shape[-1] + 3), a.dtype)
    roomy[..., : a.shape[-1]] = a
    return roomy[..., : a.shape[-1]]


def _part(a: np.ndarray) -> np.ndarray:
    """A region of a larger array, whose rows do not follow on each other along any dimension."""
    roomy = np.zeros([n + 3 for n in a.shape], a.dtype)
    view = roomy[tuple(slice(1, n + 1) for n in a.shape)]
    view[...] = a
    return view


def _read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


def _unaligned(a: np.ndarray) -> np.ndarray:
    raw = np.zeros(a.nbytes + 1, np.uint8)
    view = raw[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def _in_records(a: np.ndarray) -> np.ndarray:
    """One field of packed records: a stride that is no multiple of the size of a value."""
    records = np.zeros(a.shape, np.dtype([("flag", "u1"), ("value", a.dtype)]))
    records["value"] = a
    return records["value"]


def _as_subclass(a: np.ndarray) -> np.ndarray:
    return a.copy().view(type("Labelled", (np.ndarray,), {}))


#: Ways for the same values to lie in memory.
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "turned": _turned,
    "spread": _spread,
    "reversed": _reversed,
    "reversed_first": _reversed_first,
    "padded": _padded,
    "part": _part,
    "part_reversed": lambda a: _part(np.flip(a, range(a.ndim - 1)))[
        (slice(None, None, -1),) * (a.ndim - 1)
    ],
    "read_only": _read_only,
    "unaligned": _unaligned,
    "in_records": _in_records,
    "subclass": _as_subclass,
}
