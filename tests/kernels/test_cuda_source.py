"""The CUDA source: NVIDIA's compiler takes it for GPUs of every kind, and finds nothing amiss."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xgradient.kernels.cuda.source import (
    CXX_TYPES,
    THREADS,
    KernelSignature,
    LaunchConfig,
    TermSignature,
    collapse_dims,
    source,
)

from ..support import cuda_on_cpu

ARCHITECTURES = ["sm_75", "sm_80", "sm_90"]
nvrtc = pytest.mark.skipif(
    not cuda_on_cpu.has_nvrtc(), reason="nvidia-cuda-nvrtc-cu12 is not installed"
)


def result_of(dtype):
    return np.dtype("f8") if np.dtype(dtype).kind in "biu" else np.dtype(dtype)


def one_term(dtype, *, around=None, axis=1, dims=2, cells=4, wide=False, **term):
    """A form with a single term."""
    known = {"width": 3, "uniform": True, "weight_mode": 0, "accumulate": 0, **term}
    term = TermSignature(np.dtype(dtype), np.dtype(around or dtype), axis, **known)
    return KernelSignature(result_of(dtype), dims, cells, wide, ((term,),))


def of_cells(dtype):
    """What the type of the cells matters for: how they are read, alone and around others."""
    f, out = np.dtype(dtype), result_of(dtype)
    yield one_term(dtype)
    yield one_term(dtype, around=out, weight_mode=2, uniform=False, masked=True, wide=True)
    first, more = TermSignature(f, f, 1, 3, True, 0, 3), TermSignature(f, f, 0, 5, False, 2, 2)
    yield KernelSignature(out, 3, 2, False, ((first, more), (first,)))


def of_sums(dtype):
    """Every value of every other choice, and all pairs of what is done with a sum."""
    for weight_mode, accumulate, uniform in product((0, 1, 2, 3), (0, 3), (True, False)):
        yield one_term(dtype, weight_mode=weight_mode, accumulate=accumulate, uniform=uniform)
    for width, uniform in product((1, 5, 7, 9), (True, False)):
        yield one_term(dtype, width=width, uniform=uniform)
    for axis, dims in ((0, 2), (0, 3), (1, 3), (2, 3), (3, 4)):
        yield one_term(dtype, axis=axis, dims=dims)
    for cells, masked in product((1, 2), (False, True)):
        yield one_term(dtype, cells=cells, wide=masked, masked=masked, uniform=masked)
    f = np.dtype(dtype)
    lead, more = (
        [TermSignature(f, f, d, width, True, 1, how) for d, how in enumerate(hows)]
        for width, hows in ((3, (0, 3)), (5, (1, 2)))
    )
    yield KernelSignature(f, 3, 2, False, tuple(zip(lead, more, strict=True)))
    yield KernelSignature(
        f, 3, 1, False, ((lead[0], more[0], more[0]), (lead[1], more[1]), (lead[0],))
    )


def mixed():
    """Sums of fields of different types."""
    for a, b in (("f4", "f8"), ("i4", "f4"), ("f2", "f4"), ("f4", "c8"), ("f2", "c16")):
        out = np.result_type(result_of(a), result_of(b))
        terms = [TermSignature(np.dtype(t), np.dtype(t), 1, 3, True, 0, how)
                 for t, how in ((a, 0), (b, 1))]  # fmt: skip
        yield KernelSignature(out, 2, 2, False, (tuple(terms),))


# -- NVIDIA's compiler --------------------------------------------------------------------------


def together(forms):
    """The sources of several kernels as one, each in a namespace of its own."""
    parts = []
    for i, form in enumerate(forms):
        text = source(form).replace('extern "C" ', "")
        parts.append(f"namespace form{i} {{\n{text}}}\n#undef INLINE\n")
    return "".join(parts)


def compiled(forms, architecture):
    """What was said of some forms: bytes for what finds no register, and registers, of each."""
    code, said = cuda_on_cpu.nvrtc(together(forms), architecture, "--ptxas-options=-v")
    assert code[1:4] == b"ELF", said
    assert not re.search("warning|error", said), said
    found = re.findall(r"(\d+) bytes stack frame.*?Used (\d+) registers", said, flags=re.DOTALL)
    assert len(found) == len(forms)
    return [tuple(map(int, each)) for each in found]


@pytest.mark.slow
@nvrtc
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("forms", "dtype"),
    [
        *((of_cells, t.str) for t in CXX_TYPES),
        (of_sums, "<f4"),
        (of_sums, "<f8"),
        (of_sums, "<c16"),
    ],
)
def test_every_dtype_and_form_compiles_for_every_gpu(forms, dtype, architecture):
    compiled(list(forms(dtype)), architecture)


@nvrtc
def test_sums_of_different_types_compile():
    compiled(list(mixed()), "sm_80")


@nvrtc
@pytest.mark.parametrize("standard", ["--std=c++14", "--std=c++17", "--std=c++20"])
def test_every_standard_will_do(standard):
    code, said = cuda_on_cpu.nvrtc(source(one_term("c8")), "sm_80", standard)
    assert code, said
    assert not said


@nvrtc
def test_a_mistake_is_found():
    wrong = source(one_term("f4")).replace("run<Terms>", "int unused; run<Terms>")
    code, said = cuda_on_cpu.nvrtc(wrong, "sm_80")
    assert "never referenced" in said
    code, said = cuda_on_cpu.nvrtc(wrong.replace("int unused;", "mistake;"), "sm_80")
    assert not code
    assert "undefined" in said


@nvrtc
def test_all_that_a_thread_knows_is_in_few_registers():
    # The 2048 threads that a multiprocessor takes at most have 32 registers each.
    simple = [one_term(dtype, width=width) for dtype in ("f4", "f8") for width in (3, 5)]
    for stack, registers in compiled(simple, "sm_90"):
        assert stack == 0
        assert registers <= 40


# -- half floats --------------------------------------------------------------------------------


@pytest.fixture
def halves():
    """The identity of half floats, as kernels read and write them on this machine."""
    if cuda_on_cpu.compiler() is None:
        pytest.skip("no C++ compiler here")
    return cuda_on_cpu.function(source(one_term("f2", width=1, cells=1)))


def test_half_floats_are_read_and_written_unchanged(halves):
    # All there are, but those that are no numbers.
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every)]
    out = np.empty_like(every)
    grid = LaunchConfig.of([1, every.size], 1)
    f, g = ([a.__array_interface__["data"][0], 0, 1] for a in (every, out))
    none = [0, 0, 0]
    tables = [0, 0, 0, 0, every.size, 0, 0, every.size, 0, 0]
    numbers = [1, every.size, grid.chunks, grid.tiles, *g, *f, *none, *none, *none, *tables]
    halves(grid.blocks, grid.block, np.array(numbers, np.int64))
    assert out.tobytes() == every.tobytes()


# -- the grid -----------------------------------------------------------------------------------


@given(
    lengths=st.lists(st.integers(1, 3000), min_size=2, max_size=4),
    terms=st.integers(1, 6),
)
def test_blocks_cover_every_cell_once(lengths, terms):
    grid = LaunchConfig.of(lengths, terms)
    x, y = grid.block
    assert 1 <= x * y <= THREADS
    rows, last = lengths[-2:]
    assert (grid.chunks - 1) * grid.cells * y < rows <= grid.chunks * grid.cells * y
    assert (grid.tiles - 1) * x < last <= grid.tiles * x
    assert grid.blocks == grid.chunks * grid.tiles * np.prod(lengths[:-2], dtype=int)
    assert grid.cells == 1 or rows >= grid.cells * y


def test_long_rows_fill_whole_blocks():
    for lengths in ([64, 721 * 1440], [64, 721, 1440], [64 * 721, 1440], [1, 10**6], [10**6, 3]):
        grid = LaunchConfig.of(lengths, 1)
        assert grid.block[0] * grid.block[1] == THREADS


@given(data=st.data())
def test_dimensions_that_lie_as_one_become_one(data):
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    axes = set(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1, unique=True)))
    arrays = []
    for _ in range(2):
        roomy = np.zeros([n + data.draw(st.integers(0, 1)) for n in lengths], "i1")
        arrays.append(roomy[tuple(slice(n) for n in lengths)])
    steps = [[s if n > 1 else 0 for s, n in zip(a.strides, a.shape, strict=True)] for a in arrays]
    found, along, places = collapse_dims(lengths, steps, axes)
    assert len(found) >= 2
    assert np.prod(found) == np.prod(lengths)
    assert {d: found[place] for d, place in places.items()} == {d: lengths[d] for d in axes}
    for step, mine in zip(steps, along, strict=True):
        # The same places in memory, in the same order.
        before = np.tensordot(np.indices(lengths).T, step, 1).T.ravel() if lengths else 0
        after = np.tensordot(np.indices(found).T, mine, 1).T.ravel()
        assert np.array_equal(before, after)


def test_whole_arrays_are_two_dimensions():
    steps = [[24, 4, 1]]
    assert collapse_dims([5, 6, 4], steps, {0}) == ([5, 24], [[24, 1]], {0: 0})
    assert collapse_dims([5, 6, 4], steps, {2}) == ([30, 4], [[4, 1]], {2: 1})
    assert collapse_dims([5, 6, 4], steps, {1}) == ([5, 6, 4], steps, {1: 1})
    assert collapse_dims([7], [[1]], {0}) == ([1, 7], [[0, 1]], {0: 1})
