"""Where inputs and outputs are: paths of this machine, and addresses of others."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from . import remote
from .outputs import FileError, check_replaceable, is_zarr, refused, remove, written_whole
from .remote import Format

#: Suffixes of outputs, and the format of each.
FORMATS: dict[str, Format] = {
    ".zarr": "zarr",
    ".zip": "zip",
    ".nc": "netcdf",
    ".nc4": "netcdf",
    ".cdf": "netcdf",
    ".netcdf": "netcdf",
}


class Location(NamedTuple):
    """Hold the place and the format of an input or output.

    Attributes
    ----------
    label : str
        The path or address as it was given.
    path : Path or None
        The path with links followed; None for an address.
    format : str
        "netcdf"; "zarr" for a store in a directory; "zip" for a store in a zip file; "opendap" for
        data that a server cuts.
    """

    label: str
    path: Path | None
    format: Format

    @property
    def name(self) -> str:
        """Return the last part of the path or address."""
        return PurePosixPath(self.label).name if self.path is None else Path(self.label).name


def find_input(input: str) -> Location:
    """Return the location of an input that exists."""
    word = _without_file_protocol(input)
    if remote.is_address(word):
        return Location(word, None, remote.find_format(word))
    with refused(f"input {input}"):
        source = Path(word).resolve()
        if not source.exists():
            raise FileError(f"input {input} does not exist")
        if not source.is_dir() and not source.is_file():
            raise FileError(f"input {input} is not a file or Zarr store")
        if source.is_dir() and not is_zarr(source):
            raise FileError(f"input {input} is a directory but not a Zarr store")
    if source.is_dir():
        return Location(input, source, "zarr")
    return Location(input, source, "zip" if source.suffix == ".zip" else "netcdf")


def check_paths(input: str, output: str, overwrite: bool) -> tuple[Location, Location]:
    """Return input and output with links followed, after checking both.

    Raises
    ------
    FileError
        If the input does not exist, or the output cannot be written.
    """
    source, word = find_input(input), _without_file_protocol(output)
    address = remote.is_address(word)
    with refused(f"output {output}"):
        path = None if address else Path(word).resolve()
        suffix = PurePosixPath(word.rstrip("/")).suffix if path is None else path.suffix
        if suffix not in FORMATS:
            *others, last = FORMATS
            raise FileError(
                f"output {output} has no known suffix; end it in {', '.join(others)} or {last}"
            )
        target = Location(word if address else output, path, FORMATS[suffix])
        if path is None:
            remote.check_output(word, target.format, overwrite)
        elif not path.parent.is_dir():
            raise FileError(f"the directory of output {output} does not exist; make it first")
        if _overlap(source, target):
            raise FileError(
                f"output {output} is the input, or one is inside the other; name another"
            )
        if path is not None and os.path.lexists(path):
            check_replaceable(path, output, overwrite, target.format == "zarr")
    return source, target


def _overlap(source: Location, target: Location) -> bool:
    """Return whether one location is the other one, or inside it."""
    if source.path is None or target.path is None:
        both = source.path is target.path and source.format != "opendap"
        return both and remote.overlap(source.label, target.label)
    inside = source.path.is_relative_to(target.path) or target.path.is_relative_to(source.path)
    return inside or (target.path.exists() and target.path.samefile(source.path))


def _without_file_protocol(word: str) -> str:
    """Return the path of an address that begins with ``file://``; other words as they are."""
    return url2pathname(urlsplit(word).path) if word.startswith("file://") else word


def zarr_store(location: Location) -> Any:
    """Return the store of a location, to read from."""
    if location.path is None:
        return remote.zarr_store(location.label, location.format)
    return local_store(location.path, read_only=True)


def local_store(path: Path, read_only: bool = False) -> Any:
    """Return the store in a path; zarr would take a name with ``::`` for a network address."""
    from zarr.storage import LocalStore, ZipStore

    if path.is_file():
        return ZipStore(path, read_only=read_only)
    return LocalStore(path, read_only=read_only)


@contextmanager
def written(target: Location, overwrite: bool) -> Iterator[Any]:
    """Yield a place to write to, a path or a store, and give it the name of the target at the end.

    Outputs on this machine, files at addresses and zip files appear when they are complete.
    """
    if target.path is None:
        with remote.written(target.label, target.format, overwrite, packed) as place:
            yield place
    else:
        with written_whole(target.path, overwrite) as partial:
            if target.format == "zip":
                with packed(partial) as folder:
                    yield folder
            else:
                yield partial


@contextmanager
def packed(path: Path) -> Iterator[Path]:
    """Yield a directory for a store, and pack it into a zip file of this path at the end."""
    folder = path.with_name(f"{path.name}.store")
    try:
        yield folder
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                archive.write(file, file.relative_to(folder))
    finally:
        remove(folder)
