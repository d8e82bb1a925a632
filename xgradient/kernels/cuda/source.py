"""CUDA source for sums of terms, and how an array is shared out among threads.

The compiler knows the `KernelSignature` of a sum: types, window widths, axes. It does not know
lengths and places of arrays. Nothing here needs a GPU or its libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

#: Threads of a block; more than a warp along the last dimension brings nothing more.
THREADS = 256
LANES = 64

#: NumPy's types in C++.
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
    """What the compiler knows of a term.

    Attributes
    ----------
    field, around : dtype
        Type of the field, and of the cells before and after it.
    axis, width : int
        Axis of the stencil, and nodes in an interior window.
    even : bool
        Whether all interior rows have the same coefficients.
    weigh : int
        0 without a weight, 1 if the sum is multiplied with it, 2 if it belongs to the field itself.
    how : int
        What becomes of the result, as `TermRequest` has it.
    coasts : bool
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
    """What the compiler knows of a kernel.

    Attributes
    ----------
    out : dtype
        Type of the results.
    dims, cells : int
        Number of dimensions, at least 2, and of cells that a thread makes.
    wide : bool
        Whether places take 64 bits.
    sums : tuple of tuple of TermForm
        The terms of each sum.
    """

    out: np.dtype
    dims: int
    cells: int
    wide: bool
    sums: tuple[tuple[TermSignature, ...], ...]


@cache
def source(form: KernelSignature) -> str:
    """The source of a kernel named ``terms``, which takes 64-bit integers by value.

    They are the lengths, the blocks along the last two dimensions, the place of each result, and
    for each term what `Term` in terms.cuh reads.
    """
    total = "float" if form.out == np.float16 else CXX_TYPES[form.out]
    real = "double" if form.out in (np.float64, np.complex128) else "float"
    lines = [
        f"typedef {'long long' if form.wide else 'int'} Index;",
        f"enum {{ DIMS = {form.dims}, CELLS = {form.cells} }};",
        files(__package__).joinpath("terms.cuh").read_text(encoding="utf-8"),
        f"typedef {total} Total;",
        f"typedef {real} Real;",
        _terms_code(form),
        f"struct Numbers {{ long long values[{_count(form)}]; }};",
        f'extern "C" __global__ void __launch_bounds__({THREADS}) terms(const Numbers numbers) {{',
        "    run<Terms>(numbers.values);",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _terms_code(form: KernelSignature) -> str:
    """The structure of all sums: what `run_block` in terms.cuh is a template of."""
    every = [(f"t{i}_{k}", t) for i, terms in enumerate(form.sums) for k, t in enumerate(terms)]
    each = range(len(form.sums))
    members = [f"Array<{CXX_TYPES[form.out]}> g{i};" for i in each]
    for name, t in every:
        kinds = CXX_TYPES[t.field], CXX_TYPES[t.halo_dtype], "Total", "Real"
        sizes = t.axis, t.width, str(t.uniform).lower(), t.weight_mode, str(t.masked).lower()
        members.append(f"Term<{', '.join(map(str, (*kinds, *sizes)))}> {name};")
    made = ", ".join(f"{name}(in)" for name in [*(f"g{i}" for i in each), *dict(every)])
    inside = " && ".join(f"{name}.inside(cell, further)" for name, _ in every)
    values = [
        ", ".join(_term_code(terms, i, call) for i, terms in enumerate(form.sums))
        for call in (".inner(cell)", ".any(cell)")
    ]
    written = " ".join(f"write(g{i}.p, g{i}.at(cell), sums.s{i});" for i in each)
    lines = [
        f"struct Sums {{ Total {', '.join(f's{i}' for i in each)}; }};",
        *members,
        f"INLINE explicit Terms(Reader& in) : {made} {{}}",
        f"INLINE bool inside(const Cell& cell, Index further) const {{ return {inside}; }}",
        f"INLINE Sums inner(const Cell& cell) const {{ return {{{values[0]}}}; }}",
        f"INLINE Sums any(const Cell& cell) const {{ return {{{values[1]}}}; }}",
        f"INLINE void put(const Cell& cell, const Sums& sums) const {{ {written} }}",
    ]
    return "\n".join(["struct Terms {", *(f"    {line}" for line in lines), "};"])


def _term_code(terms: Sequence[TermSignature], i: int, call: str) -> str:
    """A sum as an expression, of the values of its terms."""
    total = ""
    for k, t in enumerate(terms):
        value = f"t{i}_{k}{call}"
        if t.accumulate in (0, 3):
            total = value if t.accumulate == 0 else f"magnitude({value})"
        else:
            total = f"{total} + {value}" if t.accumulate == 1 else f"together({total}, {value})"
    return total


def _count(form: KernelSignature) -> int:
    """How many numbers a kernel takes."""
    terms = [term for each in form.sums for term in each]
    arrays = len(form.sums) + 4 * len(terms)
    own = sum(19 if term.masked else 10 for term in terms)
    return form.dims + 2 + (1 + form.dims) * arrays + own


@dataclass(frozen=True)
class LaunchConfig:
    """Threads for an array of some lengths, and cells for each of them."""

    block: tuple[int, int]
    cells: int
    chunks: int
    tiles: int
    blocks: int

    @classmethod
    def of(cls, lengths: Sequence[int], terms: int) -> LaunchConfig:
        """Share out an array: several cells a thread if there are enough, and few terms."""
        *others, rows, last = lengths
        x = min(LANES, _power(last))
        y = min(THREADS // x, _power(rows))
        x = min(THREADS // y, _power(last))
        cells = 4 if terms == 1 else 2 if terms < 4 else 1
        cells = cells if rows >= cells * y else 1
        chunks, tiles = -(-rows // (cells * y)), -(-last // x)
        return cls((x, y), cells, chunks, tiles, chunks * tiles * int(np.prod(others, dtype=int)))


def _power(n: int) -> int:
    """The smallest power of two that is not smaller."""
    return 1 << (n - 1).bit_length()


def collapse_dims(
    lengths: Sequence[int], steps: Sequence[Sequence[int]], axes: set[int]
) -> tuple[list[int], list[list[int]], dict[int, int]]:
    """Dimensions that lie in all arrays as one, made one; at least two are left.

    Parameters
    ----------
    lengths : sequence of int
        Lengths of the dimensions.
    steps : sequence of sequence of int
        For each array its steps along them.
    axes : set of int
        The dimensions that stay by themselves.

    Returns
    -------
    list of int, list of list of int, dict
        The lengths and steps of what is left, and where each of ``axes`` is among them.
    """
    kept: list[list[int]] = []  # of each dimension left its length and its steps
    refs: dict[int, int] = {}
    joins = False  # whether the dimension before takes another one
    for d, n in enumerate(lengths):
        mine = [step[d] for step in steps]
        if d in axes:
            refs[d] = len(kept)
            kept.append([n, *mine])
            joins = False
        elif n > 1:
            if joins and all(a == b * n for a, b in zip(kept[-1][1:], mine, strict=True)):
                kept[-1] = [kept[-1][0] * n, *mine]
            else:
                kept.append([n, *mine])
            joins = True
    while len(kept) < 2:
        kept.insert(0, [1] + [0] * len(steps))
        refs = {d: ref + 1 for d, ref in refs.items()}
    columns = list(zip(*kept, strict=True))
    return list(columns[0]), [list(column) for column in columns[1:]], refs
