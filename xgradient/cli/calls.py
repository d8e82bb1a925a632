"""Calls of operators on a file: choose variables, compute lazily, keep the history."""

from __future__ import annotations

import re
import shlex
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import xarray as xr

from .. import __version__
from ..labels.coordinates import resolve_coord
from . import files
from .errors import Failure
from .options import number_or_text


class Call(NamedTuple):
    """Hold what a command line asks for.

    Attributes
    ----------
    name : str
        Name of the operator.
    arguments : dict
        Its options; those that are not given are left out.
    components : dict
        The variable or number along each dimension, for operators on vectors.
    variables : tuple of str
        The variables that are asked for; none for all.
    chunks : mapping
        Cells per chunk of some dimensions.
    """

    name: str
    arguments: dict[str, Any]
    components: dict[str, str]
    variables: tuple[str, ...]
    chunks: Mapping[str, int]


def apply(call: Call, ds: xr.Dataset, input: str) -> xr.Dataset:
    """Return the lazy results of an operator, with encodings that fit every format."""
    for name in call.variables:
        if name not in ds.data_vars:
            names = ", ".join(str(v) for v in ds.data_vars) or "none"
            raise Failure(f"{input} has no variable {name!r}; there are {names}")
    chunked = files.in_chunks(_choose(call, ds), call.chunks)
    try:
        _check_times(chunked, [*(call.arguments.get("dim") or []), *call.components], input)
        result = _call(call, chunked)
    except (ImportError, TypeError, ValueError) as error:
        raise Failure(f"{input}: {error}") from None
    files.clean_encodings(result)
    result.encoding = {"unlimited_dims": ds.encoding.get("unlimited_dims", ())}
    for wanted in call.variables:
        if not any(_is_result_of(result_name, wanted) for result_name in result.data_vars):
            field = ds[wanted]
            raise Failure(
                f"variable {wanted!r} of {input} has no such derivative; its dimensions are "
                f"{', '.join(str(d) for d in field.dims) or 'none'} and its dtype {field.dtype}"
            )
    if not call.chunks:
        for key, derived in result.data_vars.items():
            _keep_chunks(derived.variable, _sources(chunked, str(key)))
    return result


def _call(call: Call, ds: xr.Dataset) -> xr.Dataset:
    """Apply an operator to a Dataset."""
    method = ds.grad if call.name == "grad" else getattr(ds.grad, call.name)
    components = {name: _component(ds, word) for name, word in call.components.items()}
    result: Any = method(*([components] if components else []), **call.arguments)
    if isinstance(result, xr.DataArray):
        result = result.to_dataset()
    labelled: xr.Dataset = result.assign_attrs(ds.attrs)
    return labelled


def _component(ds: xr.Dataset, word: str) -> Any:
    """Return the name of a variable, or a number where no variable has this name."""
    return word if word in ds.variables else number_or_text(word)


def _choose(call: Call, ds: xr.Dataset) -> xr.Dataset:
    """Return the variables of a call with their coordinates and cell bounds."""
    metric = call.arguments.get("metric")
    if not call.variables:
        return ds
    factors = metric.values() if isinstance(metric, Mapping) else ()
    wanted = [*call.variables, *call.components.values(), *factors]
    chosen = ds[[name for name in dict.fromkeys(wanted) if name in ds.data_vars]]
    encodings = [ds[name].encoding for name in chosen.coords]
    bounds = {e.get(key) for e in encodings for key in ("bounds", "climatology")}
    chosen = chosen.assign_coords({name: ds[name] for name in bounds & set(ds.coords)})
    chosen.encoding = ds.encoding
    return chosen


def _check_times(ds: xr.Dataset, names: Iterable[Hashable], input: str) -> None:
    """Refuse times that stayed numbers, because their unit in seconds is unknown."""
    for name in names:
        units = ""
        with suppress(ValueError):  # the operator says what is wrong with a name
            ref = resolve_coord(ds, name)
            units = "" if ref.coord is None else str(ref.coord.attrs.get("units"))
        if " since " in units:
            raise Failure(
                f"{str(ref.name)!r} of {input} has units {units!r}, which cannot be decoded, "
                "so there is no derivative per second along it"
            )


def _sources(ds: xr.Dataset, result: str) -> list[xr.Variable]:
    """Return the variables of which a result may be made, those with its name in front."""
    names = sorted(ds.data_vars, key=lambda name: not _is_result_of(result, str(name)))
    return [ds[name].variable for name in names]


def _keep_chunks(result: xr.Variable, sources: list[xr.Variable]) -> None:
    """Store a result in the chunks of its source, if its dask chunks are multiples of these."""
    source = next((source for source in sources if source.dims == result.dims), None)
    if source is None or source.chunks is None or source.chunks != result.chunks:
        return
    files.keep_chunks(result, source)


def _is_result_of(result: Hashable, field: str) -> bool:
    """Return True if the name of a result has that of a field in it: ``dT_dx``, ``laplacian_T``."""
    return bool(re.search(rf"(?:^d\d*|_|^){re.escape(field)}(?:_|$)", str(result)))


def history(ds: xr.Dataset, words: list[str]) -> str:
    """Return the CF history attribute with a line for this command."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Bytes in names that are not text cannot be stored unchanged.
    text = shlex.join(words).encode(errors="backslashreplace").decode()
    line = f"{now}: {text} (xgradient {__version__})"
    return "\n".join(filter(None, [str(ds.attrs.get("history", "")), line]))
