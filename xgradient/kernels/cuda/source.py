"""Write the CUDA source of a sum of terms, and divide an array among threads.

The compiler knows the `KernelSignature` of a sum: types, window widths, axes. It does not know
lengths and addresses of arrays. Nothing here needs a GPU or its libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from ..requests import Accumulate

#: Threads of a block in all, and along the last dimension, where more brought no more speed.
THREADS = 256
LANES = 64

#: C++ types of NumPy's dtypes.
CXX_TYPES = {
    np.dtype(dtype): name
    for dtype, name in {
        "?": "unsigned char", "i1": "signed char", "i2": "short", "i4": "int", "i8": "long long",
        "u1": "unsigned char", "u2": "unsigned short", "u4": "unsigned int",
        "u8": "unsigned long long", "f2": "Half", "f4": "float", "f8": "double",
        "c8": "Complex<float>", "c16": "Complex<double>",
    }.items()
}  # fmt: skip


@dataclass(frozen=True)
class TermSignature:
    """Constants of a term that its kernel is compiled for.

    Attributes
    ----------
    field, halo_dtype : dtype
        Type of the field, and of its halo.
    axis, width : int
        Axis of the stencil, and nodes in an interior window.
    uniform : bool
        Whether all interior rows have the same coefficients.
    weight_mode : WeightMode
        How the term is weighted.
    accumulate : Accumulate
        How the term enters the output.
    masked : bool
        Whether there are windows for rows next to missing values.
    """

    field: np.dtype
    halo_dtype: np.dtype
    axis: int
    width: int
    uniform: bool
    weight_mode: int
    accumulate: int
    masked: bool = False


@dataclass(frozen=True)
class KernelSignature:
    """Constants that a kernel is compiled for.

    Attributes
    ----------
    out : dtype
        Type of the results.
    dims, cells : int
        Number of dimensions, at least 2, and of cells that a thread makes.
    wide : bool
        Whether indices take 64 bits.
    sums : tuple of tuple of TermSignature
        The terms of each sum.
    """

    out: np.dtype
    dims: int
    cells: int
    wide: bool
    sums: tuple[tuple[TermSignature, ...], ...]


@cache
def source(signature: KernelSignature) -> str:
    """Return the source of a kernel named ``terms``, which takes 64-bit integers by value.

    They are the lengths, the blocks along the last two dimensions, the address and steps of each
    result, and for each term the numbers that `Term` in terms.cuh reads.
    """
    total = "float" if signature.out == np.float16 else CXX_TYPES[signature.out]
    real = "double" if signature.out in (np.float64, np.complex128) else "float"
    lines = [
        f"typedef {'long long' if signature.wide else 'int'} Index;",
        f"enum {{ DIMS = {signature.dims}, CELLS = {signature.cells} }};",
        files(__package__).joinpath("terms.cuh").read_text(encoding="utf-8"),
        f"typedef {total} Total;",
        f"typedef {real} Real;",
        _terms_code(signature),
        f"struct Numbers {{ long long values[{_count(signature)}]; }};",
        f'extern "C" __global__ void __launch_bounds__({THREADS}) terms(const Numbers numbers) {{',
        "    run<Terms>(numbers.values);",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _terms_code(signature: KernelSignature) -> str:
    """Return the structure of all sums, the argument of the template `run` in terms.cuh."""
    named = [
        (f"t{i}_{k}", t) for i, terms in enumerate(signature.sums) for k, t in enumerate(terms)
    ]
    sums = range(len(signature.sums))
    members = [f"Array<{CXX_TYPES[signature.out]}> g{i};" for i in sums]
    for name, t in named:
        kinds = CXX_TYPES[t.field], CXX_TYPES[t.halo_dtype], "Total", "Real"
        sizes = t.axis, t.width, str(t.uniform).lower(), t.weight_mode, str(t.masked).lower()
        members.append(f"Term<{', '.join(map(str, (*kinds, *sizes)))}> {name};")
    members_read = ", ".join(f"{name}(in)" for name in [*(f"g{i}" for i in sums), *dict(named)])
    inside = " && ".join(f"{name}.inside(cell, further)" for name, _ in named)
    values = [
        ", ".join(_term_code(terms, i, call) for i, terms in enumerate(signature.sums))
        for call in (".inner(cell)", ".any(cell)")
    ]
    written = " ".join(f"write(g{i}.p, g{i}.at(cell), sums.s{i});" for i in sums)
    lines = [
        f"struct Sums {{ Total {', '.join(f's{i}' for i in sums)}; }};",
        *members,
        f"INLINE explicit Terms(Reader& in) : {members_read} {{}}",
        f"INLINE bool inside(const Cell& cell, Index further) const {{ return {inside}; }}",
        f"INLINE Sums inner(const Cell& cell) const {{ return {{{values[0]}}}; }}",
        f"INLINE Sums any(const Cell& cell) const {{ return {{{values[1]}}}; }}",
        f"INLINE void put(const Cell& cell, const Sums& sums) const {{ {written} }}",
    ]
    return "\n".join(["struct Terms {", *(f"    {line}" for line in lines), "};"])


def _term_code(terms: Sequence[TermSignature], i: int, call: str) -> str:
    """Return a sum as a C++ expression of the values of its terms."""
    total = ""
    for k, t in enumerate(terms):
        value = f"t{i}_{k}{call}"
        if t.accumulate == Accumulate.STORE:
            total = value
        elif t.accumulate == Accumulate.ADD:
            total = f"{total} + {value}"
        elif t.accumulate == Accumulate.HYPOT:
            total = f"root_of_squares({total}, {value})"
        else:
            total = f"magnitude({value})"
    return total


def _count(signature: KernelSignature) -> int:
    """Return how many numbers a kernel takes."""
    terms = [term for part in signature.sums for term in part]
    arrays = len(signature.sums) + 5 * len(terms)
    stencils = sum(19 if term.masked else 10 for term in terms)
    return signature.dims + 2 + (1 + signature.dims) * arrays + stencils


@dataclass(frozen=True)
class LaunchConfig:
    """Threads for an array, and the cells that each of them makes."""

    block: tuple[int, int]
    cells: int
    chunks: int
    tiles: int
    blocks: int

    @classmethod
    def of(cls, lengths: Sequence[int], terms: int) -> LaunchConfig:
        """Divide an array: several cells a thread, if there are many rows and few terms."""
        *others, rows, last = lengths
        x = min(LANES, _power(last))
        y = min(THREADS // x, _power(rows))
        x = min(THREADS // y, _power(last))
        cells = 4 if terms == 1 else 2 if terms < 4 else 1
        cells = cells if rows >= cells * y else 1
        chunks, tiles = -(-rows // (cells * y)), -(-last // x)
        return cls((x, y), cells, chunks, tiles, chunks * tiles * int(np.prod(others, dtype=int)))


def _power(n: int) -> int:
    """Return the smallest power of two that is not smaller than ``n``."""
    return 1 << (n - 1).bit_length()


def collapse_dims(
    lengths: Sequence[int], steps: Sequence[Sequence[int]], axes: set[int]
) -> tuple[list[int], list[list[int]], dict[int, int]]:
    """Merge dimensions that are contiguous in every array, and keep at least two.

    Parameters
    ----------
    lengths : sequence of int
        Lengths of the dimensions.
    steps : sequence of sequence of int
        For each array its steps along them.
    axes : set of int
        The dimensions that are not merged.

    Returns
    -------
    list of int, list of list of int, dict
        The lengths and steps after merging, and the new index of each of ``axes``.
    """
    merged: list[list[int]] = []  # the length and the steps of each dimension
    refs: dict[int, int] = {}
    mergeable = False  # whether the dimension before may take another one
    for d, n in enumerate(lengths):
        here = [step[d] for step in steps]
        if d in axes:
            refs[d] = len(merged)
            merged.append([n, *here])
            mergeable = False
        elif n > 1:
            if mergeable and all(a == b * n for a, b in zip(merged[-1][1:], here, strict=True)):
                merged[-1] = [merged[-1][0] * n, *here]
            else:
                merged.append([n, *here])
            mergeable = True
    while len(merged) < 2:
        merged.insert(0, [1] + [0] * len(steps))
        refs = {d: ref + 1 for d, ref in refs.items()}
    columns = list(zip(*merged, strict=True))
    return list(columns[0]), [list(column) for column in columns[1:]], refs
