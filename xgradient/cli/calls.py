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
from ..geometry.model_measures import MODEL_VARIABLES, MODELS
from ..geometry.wrf import WRF_VARIABLES
from ..labels.coordinates import resolve_coord
from ..labels.helpers import field_names
from ..operators import ON_CELLS
from . import files
from .errors import Failure
from .numbers import number_or_text


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

    @property
    def needs_all_variables(self) -> bool:
        """Return True if other variables tell positions on cells, or have lengths of cells."""
        given = any(self.arguments.get(name) for name in ("to", "form", "positions"))
        return given or self.name in ON_CELLS


def apply(call: Call, groups: Mapping[str, xr.Dataset], input: str) -> dict[str, xr.Dataset]:
    """Return the lazy results of an operator by group, with encodings that fit every format.

    Parameters
    ----------
    call : Call
        The operator and its arguments.
    groups : mapping
        The Dataset of each group. Several are computed node by node, as a DataTree is.
    input : str
        The input in words, for error messages.
    """
    _check_names(call, groups, input)
    chunked = {path: files.in_chunks(_choose(call, ds), call.chunks) for path, ds in groups.items()}
    if call.arguments.get("accuracy") == "auto":  # it depends on all values
        chunked = {path: ds.load() for path, ds in chunked.items()}
    try:
        for ds in chunked.values():
            _check_times(ds, [*(call.arguments.get("dim") or []), *call.components], input)
        results = _call(call, chunked)
    except (ImportError, TypeError, ValueError) as error:
        raise Failure(f"{input}: {error}") from None
    if call.variables and call.needs_all_variables:
        results = {path: _results_of(call.variables, ds) for path, ds in results.items()}
    for path, result in results.items():
        files.clean_encodings(result)
        result.attrs = dict(groups[path].attrs)
        result.encoding = {"unlimited_dims": groups[path].encoding.get("unlimited_dims", ())}
        if not call.chunks:
            for key, derived in result.data_vars.items():
                _keep_chunks(derived.variable, _sources(chunked[path], str(key)))
    _check_results(call, groups, [name for ds in results.values() for name in ds.data_vars], input)
    return results


def _check_names(call: Call, groups: Mapping[str, xr.Dataset], input: str) -> None:
    """Refuse variables and chunked dimensions that no group has."""
    factors = [value for value in _factors(call) if isinstance(value, str)]
    fields = {name for ds in groups.values() for name in ds.data_vars}
    variables = {name for ds in groups.values() for name in ds.variables}
    unknown = [v for v in call.variables if v not in fields]
    unknown += [v for v in factors if v not in variables]
    if unknown:
        found = dict.fromkeys(str(v) for ds in groups.values() for v in field_names(ds))
        there = ", ".join(found) or "none"
        raise Failure(f"{input} has no variable {unknown[0]!r}; there are {there}")
    dims = dict.fromkeys(str(dim) for ds in groups.values() for dim in ds.dims)
    for name in call.chunks:
        if name not in dims:
            raise Failure(f"chunks name {name!r}, but the dimensions are {', '.join(dims)}")


def _check_results(
    call: Call, groups: Mapping[str, xr.Dataset], results: list[Hashable], input: str
) -> None:
    """Refuse variables that are asked for and have no result."""
    for wanted in call.variables:
        if not any(_is_result_of(name, wanted) for name in results):
            field = next(ds[wanted] for ds in groups.values() if wanted in ds.data_vars)
            raise Failure(
                f"variable {wanted!r} of {input} has no such derivative; its dimensions are "
                f"{', '.join(str(d) for d in field.dims) or 'none'} and its dtype {field.dtype}"
            )


def _call(call: Call, groups: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Apply an operator to one Dataset, or to the nodes of a tree."""
    [(path, first), *others] = groups.items()
    data: Any = xr.DataTree.from_dict(dict(groups)) if others else first
    method = data.grad if call.name == "grad" else getattr(data.grad, call.name)
    names = {name for ds in groups.values() for name in ds.variables}
    components = {
        # A number, where no variable has this name.
        dim: word if word in names else number_or_text(word)
        for dim, word in call.components.items()
    }
    arguments = dict(call.arguments)
    if arguments.get("accuracy") == "auto" and len(arguments.get("dim", ())) == 1:
        (arguments["dim"],) = arguments["dim"]
    result = method(*([components] if components else []), **arguments)
    if others:
        # Coordinates that a group inherits are stored once.
        return {path: result[path].to_dataset(inherit=False) for path in groups}
    return {path: result.to_dataset() if isinstance(result, xr.DataArray) else result}


def _choose(call: Call, ds: xr.Dataset) -> xr.Dataset:
    """Return the variables of a call with their coordinates and cell bounds."""
    if not call.variables or call.needs_all_variables:
        return ds  # other variables have the dimensions that results may be on
    wanted = [*call.variables, *call.components.values(), *_factors(call)]
    wanted.append(call.arguments.get("sigma"))
    chosen = ds[[name for name in dict.fromkeys(wanted) if name in ds.data_vars]]
    encodings = [ds[name].encoding for name in chosen.coords]
    bounds = {e.get(key) for e in encodings for key in ("bounds", "climatology")}
    chosen = chosen.assign_coords({name: ds[name] for name in bounds & set(ds.coords)})
    metric = call.arguments.get("metric")
    if isinstance(metric, str) and metric in MODELS:
        names = {*WRF_VARIABLES, *MODEL_VARIABLES} & set(ds.variables)
        chosen = chosen.assign_coords({name: ds[name] for name in names})
    chosen.encoding = ds.encoding
    return chosen


def _factors(call: Call) -> Iterable[Any]:
    """Return the scale factors of a call, as numbers or names of variables."""
    metric = call.arguments.get("metric")
    return metric.values() if isinstance(metric, Mapping) else ()


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


def _results_of(variables: Iterable[str], ds: xr.Dataset) -> xr.Dataset:
    """Return the results of some variables."""
    return ds[[name for name in ds.data_vars if any(_is_result_of(name, v) for v in variables)]]


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
