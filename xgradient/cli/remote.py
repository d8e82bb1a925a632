"""Files and stores at addresses: through fsspec, and by OPeNDAP through netCDF4."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from .outputs import ZARR_FILES, FileError, reason

#: "opendap" is for data that a server cuts.
Format = Literal["netcdf", "zarr", "zip", "opendap"]
#: A protocol, or several of them as fsspec chains them: ``simplecache::s3://``.
ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*::)*([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
#: Protocols that netCDF4 reads by itself.
OPENDAP = ("http://", "https://", "dap2://", "dap4://", "dods://")


def is_address(word: str) -> bool:
    """Return whether a word is an address and no path of this machine."""
    return ADDRESS.match(word) is not None


@contextmanager
def reached(label: str) -> Iterator[None]:
    """Turn the error of any file system into one sentence."""
    try:
        yield
    except FileError:
        raise
    except ModuleNotFoundError as error:
        if error.name != "fsspec":
            raise FileError(f"{label} cannot be used: {reason(error)}") from error
        raise FileError(
            f"{label} is an address, which needs fsspec; install it with: pip install fsspec"
        ) from None
    except Exception as error:  # those of fsspec's many implementations have no common class
        raise FileError(f"{label} cannot be used: {reason(error)}") from error


def _file_system(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    import fsspec

    system, path = fsspec.core.url_to_fs(address)
    return system, path.rstrip("/")


def _is_store(system: Any, path: str) -> bool:
    return any(system.exists(f"{path}/{name}") for name in ZARR_FILES)


def overlap(first: str, second: str) -> bool:
    """Return whether one address is the other one, or inside it."""
    systems, paths = zip(*map(_file_system, (first, second)), strict=True)
    names = [f"{path}/" for path in paths]
    inside = names[0].startswith(names[1]) or names[1].startswith(names[0])
    return bool(systems[0] == systems[1]) and inside


def find_format(address: str) -> Format:
    """Return the format at an address.

    Over HTTP, all but names that end in ``.zarr`` and ``.zip`` are for netCDF4. Elsewhere a store
    is known by its metadata.
    """
    name = address.rstrip("/")
    parts = name.split("/")
    named_store = any(part.endswith(".zarr") for part in parts)
    if name.startswith(OPENDAP) and not named_store and not name.endswith(".zip"):
        return "opendap"
    with reached(f"input {address}"):
        system, path = _file_system(address)
        if _is_store(system, path):
            return "zarr"
        if system.isfile(path):
            return "zip" if name.endswith(".zip") else "netcdf"
    raise FileError(f"input {address} does not exist, or is not a file or Zarr store")


def zarr_store(address: str, format: str, read_only: bool = True) -> Any:
    """Return the store at an address."""
    from zarr.storage import FsspecStore

    chained = f"zip::{address}" if format == "zip" else address
    return FsspecStore.from_url(chained, read_only=read_only)


def open_file(address: str) -> Any:
    """Return a NetCDF file at an address as an open file, which h5netcdf reads."""
    if not all(map(importlib.util.find_spec, ("h5netcdf", "h5py"))):
        raise FileError(
            f"input {address} is a NetCDF file at an address, which needs h5netcdf; install it "
            "with: pip install h5netcdf h5py, or copy the file to this machine first"
        )
    with reached(f"input {address}"):
        system, path = _file_system(address)
        return system.open(path, "rb")


def check_output(address: str, format: str, overwrite: bool) -> None:
    """Refuse an address that cannot be written, or what is there without ``overwrite``."""
    if address.startswith(OPENDAP):
        raise FileError(
            f"output {address} cannot be written, because its protocol only reads; name a path, or "
            "the address of a file system that can be written, such as s3://"
        )
    with reached(f"output {address}"):
        system, path = _file_system(address)
        if not system.exists(path):
            return
        if not overwrite:
            raise FileError(
                f"output {address} exists; name another, or replace it with --overwrite"
            )
        is_store = _is_store(system, path)
        if is_store != (format == "zarr") or not (is_store or system.isfile(path)):
            kind = "Zarr store" if format == "zarr" else "file"
            raise FileError(f"output {address} exists but is not a {kind}, so it is not replaced")


@contextmanager
def written(
    address: str,
    format: str,
    overwrite: bool,
    packed: Callable[[Path], AbstractContextManager[Path]],
) -> Iterator[Any]:
    """Yield a place to write to, whose content is at the address at the end.

    A file is written in a temporary folder, and sent when it is complete. A store is written at
    the address, and removed after an error.

    Parameters
    ----------
    address, format : str
        The output.
    overwrite : bool
        Replace an output of the same format.
    packed : callable
        Yields a directory for a path, and makes it a zip file of this path.
    """
    system, path = _file_system(address)
    check_output(address, format, overwrite)
    if format == "zarr":
        if overwrite and system.exists(path):
            system.rm(path, recursive=True)
        try:
            yield zarr_store(address, format, read_only=False)
        except BaseException:
            with suppress(Exception):
                system.rm(path, recursive=True)
            raise
        return
    with tempfile.TemporaryDirectory(prefix="xgradient-") as folder:
        file = Path(folder) / Path(path).name
        if format == "zip":
            with packed(file) as store:
                yield store
        else:
            yield file
        system.put_file(str(file), path)
