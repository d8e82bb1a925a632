"""Read groups of NetCDF files and Zarr stores lazily, and write them in chunks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from . import remote
from .locations import Location, local_store, zarr_store
from .outputs import FileError, reason

#: Read stored chunks together up to this size in bytes, so that tasks are few.
CHUNK_BYTES = 32 * 2**20
#: Coordinates above this size in bytes are read in chunks.
LARGE_BYTES = 8 * 2**20
#: Encodings that give the meaning of numbers. Other encodings describe the storage of one format,
#: and do not fit another format, other chunks or another version.
CF_ENCODINGS = (
    "units", "calendar", "dtype", "_FillValue", "missing_value", "scale_factor", "add_offset",
    "_Unsigned", "coordinates", "grid_mapping", "bounds", "climatology", "cell_measures",
    "formula_terms",
)  # fmt: skip


@contextmanager
def open_groups(source: Location) -> Iterator[dict[str, xr.Dataset]]:
    """Yield the groups of a file or store by path, lazily except for index coordinates.

    A file without groups has the root ``/`` only. Times that cannot be decoded ("months since")
    stay numbers with their units.
    """
    groups = _read_groups(source)
    try:
        yield groups
    finally:
        for ds in groups.values():
            ds.close()


def _read_groups(source: Location) -> dict[str, xr.Dataset]:
    place, engine = _readable(source)

    def open_(decode_times: bool) -> dict[str, xr.Dataset]:
        # With "all", grid mappings and cell bounds are coordinates and follow the fields.
        return xr.open_groups(
            place, engine=engine, decode_coords="all", decode_times=decode_times, chunks=None
        )

    try:
        try:
            return open_(True)
        except ValueError as error:
            if "decode time" not in str(error):
                raise
            return open_(False)
    except Exception as error:
        said = reason(error, "a damaged file, or one of another format")
        raise FileError(f"cannot read {source.label}: {said}") from error


def _readable(source: Location) -> tuple[Any, str]:
    """Return what xarray opens for a location, and the name of xarray's engine."""
    if source.format in ("zarr", "zip"):
        with remote.reached(f"input {source.label}"):
            return zarr_store(source), "zarr"
    if source.path is None and source.format == "netcdf":
        return remote.open_file(source.label), "h5netcdf"
    return source.path or source.label, "netcdf4"


def select_group(
    groups: Mapping[str, xr.Dataset], group: str | None, input: str
) -> dict[str, xr.Dataset]:
    """Return the Datasets of all groups, or of one and those below it, with inherited coordinates.

    Raises
    ------
    FileError
        If there is no such group, or groups have other coordinates than those that they are in.
    """
    if group is None and len(groups) == 1:
        return dict(groups)
    top = "/" + (group or "").strip("/")
    chosen = [path for path in groups if top == "/" or f"{path}/".startswith(f"{top}/")]
    if not chosen:
        there = ", ".join(path for path in groups if path != "/") or "none"
        raise FileError(f"{input} has no group {top!r}; there are {there}")
    above = [path for path in groups if f"{top}/".startswith(f"{path.rstrip('/')}/")]
    try:
        tree = xr.DataTree.from_dict({path: groups[path] for path in {*above, *chosen}})
    except ValueError as error:
        if len(chosen) == 1:  # a group hides dimensions of the groups that it is in
            return {top: groups[top]}
        raise FileError(
            f"the groups of {input} have other coordinates than those that they are in; "
            f"choose one with --group, such as {chosen[-1]}: {reason(error)}"
        ) from error
    return {path: tree[path].to_dataset() for path in chosen}


def in_chunks(ds: xr.Dataset, given: Mapping[str, int]) -> xr.Dataset:
    """Return a Dataset in dask chunks: whole stored chunks, several together if they are small.

    Parameters
    ----------
    ds : Dataset
        A Dataset that `open_groups` yielded.
    given : mapping
        Cells per chunk of some dimensions, -1 for the whole dimension.
    """
    chunked = {}
    for name, var in ds.variables.items():
        large = name in ds.data_vars or var.nbytes > LARGE_BYTES
        if large and var.ndim and name not in ds.xindexes and var.dtype.kind in "biufc":
            chunked[name] = ds[name].variable.chunk(_chunk_sizes(var, given))
    return ds.assign({k: v for k, v in chunked.items() if k in ds.data_vars}).assign_coords(
        {k: v for k, v in chunked.items() if k not in ds.data_vars}
    )


def _chunk_sizes(var: xr.Variable, given: Mapping[str, int]) -> dict[Hashable, int]:
    """Return cells per chunk: multiples of the stored chunk, larger along the last dimensions."""
    stored = _stored_chunks(var)
    sizes: dict[Hashable, int] = {}
    for dim, n in var.sizes.items():
        size = given.get(str(dim), stored.get(dim, 1))
        sizes[dim] = max(1, n if size == -1 else min(size, n))
    room = CHUNK_BYTES // (var.dtype.itemsize * math.prod(sizes.values()))
    for dim in reversed(var.dims):
        if dim not in given and room > 1:
            grow = min(room, -(-var.sizes[dim] // sizes[dim]))
            sizes[dim] = max(1, min(sizes[dim] * grow, var.sizes[dim]))
            room //= max(1, grow)
    return sizes


def _stored_chunks(var: xr.Variable) -> dict[Hashable, int]:
    """Return the cells per stored chunk by dimension; empty if the file has no chunks."""
    shards = var.encoding.get("shards")
    chunks = dict(zip(var.dims, shards, strict=True)) if shards else {}
    chunks = chunks or var.encoding.get("preferred_chunks") or {}
    return {d: max(c) if isinstance(c, tuple) else int(c) for d, c in chunks.items()}


def clean_encodings(ds: xr.Dataset) -> None:
    """Drop encodings that only some formats understand."""
    for name, var in ds.variables.items():
        kept = {k: var.encoding[k] for k in CF_ENCODINGS if k in var.encoding}
        dtype = kept.pop("dtype", None)
        if dtype is not None and np.dtype(dtype).kind in "iuf":
            kept["dtype"] = np.dtype(dtype).newbyteorder("=")
        if name not in ds.data_vars:
            # CF coordinates have no missing values; xarray would add a _FillValue of NaN.
            kept.setdefault("_FillValue", None)
        var.encoding = kept


def _writable_attrs(ds: xr.Dataset) -> xr.Dataset:
    """Return a Dataset with attributes that NetCDF can hold; other values become JSON."""

    def plain(value: Any) -> bool:
        if isinstance(value, list | tuple):
            return all(map(plain, value))
        return isinstance(value, str | bytes | Number | np.ndarray) and not isinstance(value, bool)

    ds = ds.copy()
    everything: list[Any] = [ds, *ds.variables.values()]
    for labelled in everything:
        labelled.attrs = {k: v if plain(v) else json.dumps(v) for k, v in labelled.attrs.items()}
    return ds


def keep_chunks(field: xr.Variable, source: xr.Variable) -> None:
    """Store a field in the Zarr chunks of its source, of which its dask chunks are multiples."""
    for key in ("chunks", "shards"):
        sizes = source.encoding.get(key)
        if sizes is not None and all(isinstance(size, int) for size in sizes):
            field.encoding[key] = sizes


def zarr_version(source: Location, target: Location) -> int:
    """Return the Zarr version to write: that of the input, else 3; 0 for a NetCDF file."""
    import zarr

    if target.format == "netcdf":
        return 0
    if source.format not in ("zarr", "zip"):
        return 3
    return int(zarr.open_group(zarr_store(source), mode="r").metadata.zarr_format)


def write(
    groups: Mapping[str, xr.Dataset],
    place: Any,
    version: int,
    computing: Callable[[xr.Dataset], AbstractContextManager[Any]],
) -> None:
    """Compute Datasets into the groups of a file or store.

    Parameters
    ----------
    groups : mapping
        The fields of each group in dask chunks, the root first.
    place : Path or store
        The path to write to, of any suffix, or a store.
    version : int
        The version of a Zarr store, 0 for a NetCDF file.
    computing : callable
        Return a context in which dask computes the fields of a Dataset.
    """
    if not version:
        for group, ds in groups.items():
            with computing(ds):
                _write_netcdf(ds, place, group)
        return
    import zarr

    store = local_store(place) if isinstance(place, Path) else place
    for group, ds in groups.items():
        # Not compute=False: with its final task, dask would load most chunks before using them.
        with computing(ds):
            ds.to_zarr(store, group=group, mode="w-", zarr_format=version, consolidated=False)
    zarr.consolidate_metadata(store)


def _write_netcdf(ds: xr.Dataset, path: Path, group: str) -> None:
    for name, field in ds.data_vars.items():
        if field.dtype.kind == "c":
            raise FileError(f"{name} is complex, which only Zarr stores can hold")
    records = [d for d in ds.encoding.get("unlimited_dims", ()) if d in ds.dims]
    _writable_attrs(ds).to_netcdf(
        path,
        mode="w" if group == "/" else "a",
        group=group,
        engine="netcdf4",
        unlimited_dims=records,
    )
