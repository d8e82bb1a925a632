"""Read NetCDF files and Zarr stores lazily, and write them in chunks."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..kernels.threads import processor_count
from .outputs import FileError, check_replaceable, is_zarr, reason, refused

#: Read stored chunks together up to this size in bytes, so that tasks are few.
CHUNK_BYTES = 32 * 2**20
#: The chunks of all threads together may take this many bytes.
WORK_BYTES = 512 * 2**20
#: Coordinates above this size in bytes are read in chunks.
LARGE_BYTES = 8 * 2**20
NETCDF_SUFFIXES = (".nc", ".nc4", ".cdf", ".netcdf")
#: Encodings that give the meaning of numbers. Other encodings describe the storage of one format,
#: and do not fit another format, other chunks or another version.
CF_ENCODINGS = (
    "units", "calendar", "dtype", "_FillValue", "missing_value", "scale_factor", "add_offset",
    "_Unsigned", "coordinates", "grid_mapping", "bounds", "climatology", "cell_measures",
    "formula_terms",
)  # fmt: skip


def check_paths(input: str, output: str, overwrite: bool) -> tuple[Path, Path]:
    """Return input and output with links followed, after checking both.

    Raises
    ------
    FileError
        If the input does not exist, or the output cannot be written.
    """
    with refused(f"input {input}"):
        source = Path(input).resolve()
        if not source.exists():
            raise FileError(f"input {input} does not exist")
        if not source.is_dir() and not source.is_file():
            raise FileError(f"input {input} is not a file or Zarr store")
        if source.is_dir() and not is_zarr(source):
            raise FileError(f"input {input} is a directory but not a Zarr store")
    with refused(f"output {output}"):
        target = Path(output).resolve()
        if target.suffix not in (".zarr", *NETCDF_SUFFIXES):
            known = ", ".join(NETCDF_SUFFIXES)
            raise FileError(f"output {output} has no known suffix; end it in .zarr or in {known}")
        if not target.parent.is_dir():
            raise FileError(f"the directory of output {output} does not exist; make it first")
        inside = source.is_relative_to(target) or target.is_relative_to(source)
        if inside or (target.exists() and target.samefile(source)):
            raise FileError(
                f"output {output} is the input, or one is inside the other; name another"
            )
        if os.path.lexists(target):
            check_replaceable(target, output, overwrite, target.suffix == ".zarr")
    return source, target


def open_lazily(source: Path, input: str) -> xr.Dataset:
    """Open a NetCDF file or Zarr store, and load only its index coordinates.

    Times that cannot be decoded ("months since") stay numbers with their units.
    """

    def open_(decode_times: bool) -> xr.Dataset:
        zarr = source.is_dir()
        # With "all", grid mappings and cell bounds are coordinates and follow the fields.
        return xr.open_dataset(
            _local_store(source, read_only=True) if zarr else source,
            engine="zarr" if zarr else "netcdf4",
            decode_coords="all",
            decode_times=decode_times,
            chunks=None,
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
        raise FileError(f"cannot read {input}: {said}") from error


def _local_store(path: Path, read_only: bool = False) -> Any:
    """Return the store in a directory; zarr would take a name with ``::`` for a network address."""
    from zarr.storage import LocalStore

    return LocalStore(path, read_only=read_only)


def in_chunks(ds: xr.Dataset, given: Mapping[str, int]) -> xr.Dataset:
    """Return a Dataset in dask chunks: whole stored chunks, several together if they are small.

    Parameters
    ----------
    ds : Dataset
        A Dataset that `open_lazily` returned.
    given : mapping
        Cells per chunk of some dimensions, -1 for the whole dimension.
    """
    unknown = [dim for dim in given if dim not in ds.dims]
    if unknown:
        dims = ", ".join(str(dim) for dim in ds.dims)
        raise FileError(f"chunks name {unknown[0]!r}, but the dimensions are {dims}")
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


def zarr_version(source: Path, target: Path) -> int:
    """Return the Zarr version to write: that of the input, else 3; 0 for a NetCDF file."""
    if target.suffix != ".zarr":
        return 0
    return 2 if source.is_dir() and not (source / "zarr.json").exists() else 3


def write(ds: xr.Dataset, path: Path, zarr: int, watch: AbstractContextManager[Any]) -> None:
    """Compute a Dataset into a file or store, on as many threads as memory allows.

    Parameters
    ----------
    ds : Dataset
        The fields in dask chunks.
    path : Path
        The path to write to, of any suffix.
    zarr : int
        The version of a Zarr store, 0 for a NetCDF file.
    watch : context manager
        Entered while dask computes, as a progress bar.
    """
    import dask
    from dask.threaded import get

    def run(graph: Any, keys: Any, **kwargs: Any) -> Any:
        pool = ThreadPoolExecutor(_threads(ds))
        try:
            return get(graph, keys, pool=pool, **kwargs)
        finally:
            # After an error, tasks that write must end before their file is closed and removed.
            pool.shutdown(wait=True, cancel_futures=True)

    # Not compute=False: with its final task, dask would load most chunks before using them.
    with dask.config.set(scheduler=run), watch:
        if zarr:
            ds.to_zarr(_local_store(path), mode="w-", zarr_format=zarr)
        else:
            for name, field in ds.data_vars.items():
                if field.dtype.kind == "c":
                    raise FileError(f"{name} is complex, which only Zarr stores can hold")
            records = [d for d in ds.encoding.get("unlimited_dims", ()) if d in ds.dims]
            _writable_attrs(ds).to_netcdf(path, engine="netcdf4", unlimited_dims=records)


def _threads(ds: xr.Dataset) -> int:
    """Return a number of threads whose chunks fit in memory; dask's own setting has priority."""
    import dask

    wanted = dask.config.get("num_workers", None)
    if wanted is not None:
        return max(1, int(wanted))
    # A thread holds a chunk, its neighbours, and all derivatives of that chunk.
    fields = ds.data_vars.values()
    sizes = [math.prod(map(max, f.chunksizes.values())) * f.dtype.itemsize for f in fields]
    needs = max(sizes) * (4 + len(sizes))
    return max(1, min(processor_count(), WORK_BYTES // max(1, needs)))
