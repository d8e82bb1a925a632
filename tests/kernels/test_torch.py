"""torch: ``xgradient.gradient`` stands in for ``torch.gradient``, in and out of autograd."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xgradient import gradient
from xgradient.engine import evaluate
from xgradient.kernels import torch_interop

from ..support.strategies import NODES, examples, make_field, positions, shapes

torch = pytest.importorskip("torch")


def whole(sentence):
    """A pattern that the whole message must match."""
    return f"^{re.escape(sentence)}$"


# -- parity -------------------------------------------------------------------------------------

FLOATS = ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"]


def in_order(positions):
    """Whether positions are numbers that all increase or all decrease."""
    steps = positions.diff()
    return bool(positions.isfinite().all() and ((steps > 0).all() or (steps < 0).all()))


@st.composite
def calls(draw, dtype):
    """A tensor and the arguments of torch.gradient, of every kind that it takes."""
    edge_order = draw(st.sampled_from([1, 2]))
    shape = draw(shapes(least=edge_order + 1, most=9, max_dims=4))
    field = make_field(shape, "c16" if dtype.startswith("c") else "f8", draw(st.integers(0, 10**6)))
    tensor = torch.from_numpy(field).to(getattr(torch, dtype))
    options = {"edge_order": edge_order}
    axes = list(range(len(shape)))
    if draw(st.booleans()):
        axes = draw(st.lists(st.sampled_from(axes), min_size=1, unique=True))
        signed = [d - len(shape) if draw(st.booleans()) else d for d in axes]
        kinds = [tuple(signed), signed]
        options["dim"] = draw(st.sampled_from([*kinds, signed[0]] if len(axes) == 1 else kinds))
    steps = st.sampled_from([1, 0.5, 2.0, -3.25, 4])
    kind = draw(st.sampled_from(["none", "number", "numbers", "tensors"]))
    if kind == "number":
        options["spacing"] = draw(steps)
    elif kind == "numbers":
        options["spacing"] = [draw(steps) for _ in axes]
    elif kind == "tensors":
        x = [draw(positions(shape[d])) for d in axes]
        real = tensor.real.dtype if tensor.is_complex() else tensor.dtype
        options["spacing"] = tuple(torch.tensor(p, dtype=real) for p in x)
        if not all(in_order(p) for p in options["spacing"]):  # as half floats
            options["spacing"] = 1.0
    return tensor, options


def steps_of(options):
    """The smallest distance of two positions, and the largest position over it."""
    spacing = options.get("spacing", 1.0)
    spacing = spacing if isinstance(spacing, list | tuple) else [spacing]
    smallest, far = [], [0.0]
    for step in spacing:
        smallest.append(float(step.diff().abs().min()) if torch.is_tensor(step) else abs(step))
        far.append(float(step.abs().max()) / smallest[-1] if torch.is_tensor(step) else 0.0)
    return min(smallest), max(far)


def products_overflow(options):
    """Return whether torch's products of two steps overflow in the dtype of the positions."""
    spacing = options.get("spacing", 1.0)
    spacing = spacing if isinstance(spacing, list | tuple) else [spacing]
    tensors = [step for step in spacing if torch.is_tensor(step) and step.dtype.is_floating_point]
    return any(float(t.max() - t.min()) ** 2 > torch.finfo(t.dtype).max for t in tensors)


@pytest.mark.parametrize("dtype", FLOATS)
@given(data=st.data())
@examples(150)
def test_equal_to_torch(dtype, data):
    tensor, options = data.draw(calls(dtype))
    assume(not products_overflow(options))
    found, expected = gradient(tensor, **options), torch.gradient(tensor, **options)
    assert type(found) is type(expected) is tuple
    assert len(found) == len(expected)
    # What the rounding of values, and of positions, does to differences. Positions that are even
    # but for their rounding count as even here, and as they stand with torch.
    kind, (step, far) = torch.finfo(tensor.dtype), steps_of(options)
    limit = 20 * kind.eps * float(tensor.abs().max()) / step * (1 + far) + kind.tiny
    for ours, theirs in zip(found, expected, strict=True):
        assert type(ours) is torch.Tensor
        assert (ours.dtype, ours.shape, ours.device) == (theirs.dtype, theirs.shape, theirs.device)
        error = (ours.to(torch.complex128) - theirs.to(torch.complex128)).abs().max()
        assert torch.isfinite(theirs).logical_not().any() or float(error) <= limit


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_floats_are_rounded_once(dtype):
    tensor = torch.randn(40, 30, generator=torch.Generator().manual_seed(1))
    tensor = tensor.to(getattr(torch, dtype))
    x = torch.arange(40.0) + 0.25 * (torch.arange(40) % 2)
    found = gradient(tensor, spacing=[x, 0.5])
    single = gradient(tensor.float(), spacing=[x, 0.5])
    for ours, exact in zip(found, single, strict=True):
        assert torch.equal(ours, exact.to(tensor.dtype))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "bool"])
def test_whole_numbers_become_float64(dtype):
    # torch makes float32 of some and refuses others.
    tensor = torch.tensor([9, 6, 1, 0, 3]).to(getattr(torch, dtype))
    (found,) = gradient(tensor)
    assert found.dtype == torch.float64
    (expected,) = torch.gradient(tensor.to(torch.float64))
    assert torch.equal(found, expected)


def test_positions_do_not_change_the_type_of_the_field():
    # With torch they do.
    tensor = torch.arange(5, dtype=torch.float32) ** 2
    x = torch.tensor([0.0, 1, 3, 4, 6], dtype=torch.float64)
    assert gradient(tensor, spacing=[x])[0].dtype == torch.float32
    assert torch.gradient(tensor, spacing=[x])[0].dtype == torch.float64


def test_spacings_beyond_those_of_torch():
    tensor = torch.arange(12.0).reshape(3, 4) ** 2
    x = torch.tensor([0.0, 1, 3, 4])
    alone = gradient(tensor, spacing=x, dim=1)
    assert torch.allclose(alone[0], torch.gradient(tensor, spacing=(x,), dim=1)[0])
    mixed = gradient(tensor, spacing=[torch.tensor(0.5), x])
    assert torch.equal(mixed[0], torch.gradient(tensor, spacing=0.5, dim=0)[0])
    assert torch.equal(mixed[1], alone[0])
    assert torch.equal(gradient(tensor, spacing=[0.5, x.numpy()])[1], alone[0])


def test_numpy_arrays_take_positions_in_tensors():
    field, x = make_field((3, 4)), torch.tensor([0.0, 1, 3, 4])
    (found,) = gradient(field, spacing=[x], dim=1)
    assert np.array_equal(found, gradient(field, spacing=[x.numpy()], dim=1)[0])


# -- memory -------------------------------------------------------------------------------------

VIEWS = {
    "transposed": lambda t: t.T,
    "strided": lambda t: t[::2, 1:],
    "expanded": lambda t: t[:1].expand(6, 8),
    "channels last": lambda t: t[None, None].contiguous(memory_format=torch.channels_last)[0, 0],
    "conjugated": lambda t: torch.complex(t, -t).conj(),
    "imaginary": lambda t: torch.complex(t, 2 * t).conj().imag,
    "parameter": torch.nn.Parameter,
    "detached": lambda t: t.requires_grad_().detach(),
    "expanded along the last": lambda t: t[:, :1].expand(6, 8),
    "one number": lambda t: t[0, 0].expand(6, 8),
    "overlapping": lambda t: t.as_strided((4, 5), (1, 2)),
    "backwards in NumPy": lambda t: torch.from_numpy(t.numpy()[::-1].copy()).flip(0),
    "negated": torch._neg_view,
    "negated, expanded": lambda t: torch._neg_view(t[:1]).expand(6, 8),
    "adjoint": lambda t: torch.complex(t, -t).mH,
    "real part of an adjoint": lambda t: torch.complex(t, -t).mH.real,
    "empty beside": lambda t: t[None, None, :, :, None].expand(0, 0, 6, 8, 0),
    "one cell beside": lambda t: t[None, :, :, None],
}


@pytest.mark.parametrize("name", VIEWS)
def test_tensors_of_every_layout(name):
    view = VIEWS[name](torch.from_numpy(make_field((6, 8), "f4")))
    dims = [d for d, n in enumerate(view.shape) if n > 1]
    pairs = zip(gradient(view, dim=dims), torch.gradient(view, dim=dims), strict=True)
    for ours, theirs in pairs:
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
        assert ours.requires_grad == view.requires_grad


@pytest.mark.parametrize("shared", [False, True])
def test_tensors_in_a_file(tmp_path, shared):
    path = tmp_path / "field"
    field = make_field((6, 8), "f4")
    field.tofile(path)
    mapped = torch.from_file(str(path), shared=shared, size=field.size).reshape(field.shape)
    for ours, theirs in zip(gradient(mapped), gradient(torch.from_numpy(field)), strict=True):
        assert torch.equal(ours, theirs)
    assert path.read_bytes() == field.tobytes()


def test_what_is_changed_in_place():
    tensor = torch.arange(6.0).requires_grad_()
    doubled = 2 * tensor
    (found,) = gradient(doubled)
    doubled.zero_()  # a sum of differences needs no values to go back
    found.mul_(3).sum().backward()
    assert found.tolist() == [6.0] * 6
    assert tensor.grad.tolist() == [-9.0, 3.0, 0.0, 0.0, -3.0, 9.0]


def test_a_tensor_in_memory_is_not_copied(monkeypatch):
    seen = []
    inner = evaluate._whole_term
    monkeypatch.setattr(evaluate, "_whole_term", lambda a, *rest: seen.append(a) or inner(a, *rest))
    tensor = torch.from_numpy(make_field((6, 8), "f4"))
    for given_ in (tensor, tensor.T, tensor[:, ::2], tensor.clone().requires_grad_()):
        with torch.no_grad():
            gradient(given_, dim=0)
        assert type(seen[-1]) is np.ndarray
        assert seen[-1].ctypes.data == given_.data_ptr()
        assert seen[-1].shape == given_.shape


def test_the_result_is_a_tensor_of_its_own():
    tensor = torch.arange(6.0)
    (found,) = gradient(tensor)
    found.add_(1)
    assert tensor.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.is_contiguous()


# -- autograd -----------------------------------------------------------------------------------

# torch's own forward mode is made with what torch has deprecated.
FORWARD = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

OPTIONS = [
    {},
    {"spacing": [0.5, [0.0, 1, 3, 4, 6, 7, 9]], "edge_order": 2},
    {"accuracy": 4, "deriv": 2, "periodic": True},
]


@FORWARD
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_gradients_flow_through(options, dtype):
    tensor = torch.from_numpy(make_field((6, 7), str(dtype)[6:])).requires_grad_()

    def both(t):
        return gradient(t, **options)

    assert all(part.requires_grad for part in both(tensor))
    assert torch.autograd.gradcheck(both, tensor)
    assert torch.autograd.gradcheck(both, tensor, check_forward_ad=True, check_backward_ad=False)
    assert torch.autograd.gradgradcheck(both, tensor)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradients_are_those_through_torch(edge_order):
    x = torch.tensor([0.0, 1, 3, 4, 6, 7, 9])
    options = {"spacing": (torch.arange(6.0), x), "edge_order": edge_order}
    both = []
    for function in (gradient, torch.gradient):
        tensor = torch.from_numpy(make_field((6, 7), "f4")).requires_grad_()
        sum((part**2).sum() for part in function(tensor, **options)).backward()
        both.append(tensor.grad)
    assert torch.allclose(*both, rtol=1e-5, atol=1e-5)


def test_missing_values_next_to_coasts_send_no_gradient():
    values = make_field((9,))
    values[3] = np.nan
    tensor = torch.from_numpy(values).requires_grad_()
    (found,) = gradient(tensor, skipna=True)
    found.nansum().backward()
    assert tensor.grad.isnan().sum() == 0


def test_where_no_gradients_are_wanted_none_flow():
    tensor = torch.arange(6.0).requires_grad_()
    with torch.no_grad():
        assert not gradient(tensor)[0].requires_grad
    with torch.inference_mode():
        assert not gradient(tensor)[0].requires_grad
    assert gradient(tensor)[0].requires_grad


@FORWARD
def test_transformations_see_through():
    tensor = torch.from_numpy(make_field((3, 6)))
    columns = torch.func.vmap(lambda row: gradient(row)[0])(tensor)
    assert torch.equal(columns, gradient(tensor, dim=1)[0])
    found = torch.func.grad(lambda t: (gradient(t, dim=1)[0] ** 2).sum())(tensor)
    expected = torch.func.grad(lambda t: (torch.gradient(t, dim=1)[0] ** 2).sum())(tensor)
    assert torch.allclose(found, expected)
    land = tensor.clone()
    land[1, 2] = np.nan
    columns = torch.func.vmap(lambda row: gradient(row, skipna=True)[0])(land)
    assert torch.equal(columns.nan_to_num(), gradient(land, dim=1, skipna=True)[0].nan_to_num())
    jacobian = torch.func.jacrev(lambda row: gradient(row)[0])(tensor[0])
    assert torch.equal(jacobian, torch.func.jacfwd(lambda row: gradient(row)[0])(tensor[0]))


# torch asks itself for it at every end of a graph, and would say so but for this as an error.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("wanted", [False, True], ids=["values", "gradients"])
@pytest.mark.parametrize("options", [*OPTIONS, {"skipna": True}], ids=str)
def test_what_is_compiled_is_no_constant(options, wanted):
    """Between graphs, without a word: torch warns of what it would trace."""

    def steepness(tensor):
        return sum((part**2).sum() for part in gradient(tensor, **options))

    torch.compiler.reset()
    compiled = torch.compile(steepness, backend="eager")
    for seed in (1, 2):
        tensor, other = (
            torch.from_numpy(make_field((6, 7), "f4", seed)).requires_grad_(wanted)
            for _ in range(2)
        )
        found, expected = compiled(tensor), steepness(other)
        assert torch.equal(found, expected)
        if wanted:
            found.backward()
            expected.backward()
            assert torch.equal(tensor.grad, other.grad)


@FORWARD
@pytest.mark.parametrize("options", [*OPTIONS[:2], {"skipna": True}], ids=str)
def test_what_is_exported_is_a_graph(options):
    class Slopes(torch.nn.Module):
        def forward(self, tensor):
            return gradient(tensor, **options)

    first, other = (torch.from_numpy(make_field((6, 7), "f4", seed)) for seed in (1, 2))
    exported = torch.export.export(Slopes(), (first,), strict=False).module()
    for ours, theirs in zip(exported(other), gradient(other, **options), strict=True):
        assert torch.equal(ours, theirs)


class Labelled(torch.Tensor):
    """A tensor of somebody's own kind."""


def test_subclasses_stay_what_they_are():
    tensor = torch.arange(6.0).as_subclass(Labelled)
    (found,) = gradient(tensor)
    assert type(found) is Labelled
    assert found.tolist() == [1.0] * 6


def test_tensors_elsewhere_stay_there():
    tensor = torch.empty((4, 5), device="meta")
    for found in gradient(tensor, spacing=[0.5, [0.0, 1, 3, 4, 6]]):
        assert (found.device, found.shape, found.dtype) == (
            tensor.device, tensor.shape, tensor.dtype,
        )  # fmt: skip


# -- errors -------------------------------------------------------------------------------------


def test_positions_on_another_device():
    sentence = (
        "spacing[1] is on the device meta, but input is on cpu; bring it there, e.g. with "
        ".to(input.device)"
    )
    with pytest.raises(ValueError, match=whole(sentence)):
        gradient(torch.ones(3, 4), spacing=[1.0, torch.ones(4, device="meta")])
    with pytest.raises(ValueError, match=whole(sentence)):
        gradient(np.ones((3, 4)), spacing=[1.0, torch.ones(4, device="meta")])


def test_positions_that_want_gradients():
    sentence = (
        "spacing requires gradients, which do not flow through positions; give it .detach()ed"
    )
    with pytest.raises(ValueError, match=whole(sentence)):
        gradient(torch.ones(4), spacing=torch.arange(4.0).requires_grad_())


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_spacings_as_dimensions(count):
    # torch has read past the end of a short list.
    sentence = f"spacing has {count} entries for 2 dimensions; give one for each"
    for spacing in ([1.0] * count, [torch.arange(4.0)] * count):
        with pytest.raises(ValueError, match=whole(sentence)):
            gradient(torch.ones(4, 4), spacing=spacing)


NO_DENSE = {
    "sparse_coo": (lambda t: t.to_sparse(), ".to_dense()"),
    "sparse_csr": (lambda t: t.to_sparse_csr(), ".to_dense()"),
    "mkldnn": (lambda t: t.to_mkldnn(), ".to_dense()"),
    "nested": (lambda t: torch.nested.nested_tensor([t, t[:2]]), ".to_padded_tensor(nan)"),
    "quantized": (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), ".dequantize()"),
}


# torch warns of some kinds of tensors, as of what may change or go.
@pytest.mark.filterwarnings("ignore:.*(beta state|prototype stage|deprecated|will be removed)")
@pytest.mark.parametrize("kind", NO_DENSE)
def test_tensors_without_a_number_for_each_cell(kind):
    make, mend = NO_DENSE[kind]
    sentence = f"input is a {kind} tensor; make it a dense one first, with {mend}"
    with pytest.raises(TypeError, match=whole(sentence)):
        gradient(make(torch.ones(3, 4)))


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental")
@pytest.mark.parametrize(
    ("dtype", "wide"), [("complex32", "complex64"), ("float8_e4m3fn", "float32")]
)
def test_numbers_that_torch_stores_only(dtype, wide):
    tensor = torch.ones(3, 4, dtype=torch.complex64 if wide == "complex64" else None)
    sentence = f"data of dtype {dtype} have no derivative; convert them to {wide} first"
    with pytest.raises(TypeError, match=whole(sentence)):
        gradient(tensor.to(getattr(torch, dtype)))


@pytest.mark.parametrize(
    ("shape", "options", "sentence"),
    [
        ((), {}, "the array has no dimensions to differentiate along"),
        ((), {"dim": 0}, "dim is 0, but the array has 0 dimensions"),
        ((3, 4), {"dim": 2}, "dim is 2, but the array has 2 dimensions"),
        ((3, 4), {"dim": (1, -1)}, "dim is (1, -1), which names a dimension twice"),
        ((3, 0), {"dim": 1}, "dimension 1 has 0 points, but"),
        ((1, 3), {}, "dimension 0 has 1 point, but"),
        ((2, 3), {"edge_order": 2}, "dimension 0 has 2 points, but"),
        ((3, 4), {"edge_order": 0}, "edge_order is 0; give a whole number of at least 1"),
        ((5,), {"spacing": (torch.arange(7.0),)}, "spacing of dimension 0 has 7 values, but"),
    ],
    ids=str,
)
def test_what_torch_refuses_is_a_value_error(shape, options, sentence):
    """But for a tensor without dimensions, of which torch makes no tensors at all."""
    if shape or options:
        with pytest.raises((RuntimeError, IndexError)):
            torch.gradient(torch.ones(shape), **options)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        gradient(torch.ones(shape), **options)


def test_without_array_api_compat(monkeypatch):
    monkeypatch.setitem(sys.modules, "array_api_compat", None)
    assert gradient(torch.arange(4.0))[0].tolist() == [1.0] * 4  # needs none
    sentence = (
        "torch.Tensor does not follow the array API standard by itself; install "
        "array-api-compat, or give a NumPy or dask array"
    )
    with pytest.raises(TypeError, match=whole(sentence)):
        gradient(torch.arange(4.0).requires_grad_())


def test_who_has_no_torch_has_no_tensors(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    assert not torch_interop.owns(np.ones(3))


@pytest.mark.parametrize("kind", NODES)
def test_the_values_are_those_of_numpy(kind):
    field, x = make_field((5, 12), "f4"), NODES[kind](12)
    for options in ({}, {"accuracy": 4}, {"deriv": 2}, {"skipna": True}):
        (found,) = gradient(torch.from_numpy(field), spacing=[x], dim=1, **options)
        assert np.array_equal(found.numpy(), gradient(field, spacing=[x], dim=1, **options)[0])
