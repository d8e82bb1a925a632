"""Give files and stores their names only when they are complete."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ZARR_FILES = ("zarr.json", ".zgroup", ".zmetadata")
#: A partial file repeats this many bytes of the name; names may have 255, on some systems 143.
NAME_BYTES = 100
#: Error numbers of renaming a directory if the new name exists.
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


class FileError(Exception):
    """Report a file that cannot be read or written, in one sentence."""


def reason(error: BaseException, hint: str = "a full disk or a damaged file") -> str:
    """Return the text of an error, without error numbers and paths."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    if "HDF error" in text:  # the library says no more for any error
        text += f", which comes of {hint}"
    return text if " " in text else f"{type(error).__name__} {text}".strip()


@contextmanager
def refused(label: str) -> Iterator[None]:
    """Turn an error of the operating system about a path into one sentence."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a null byte
        raise FileError(f"{label} cannot be used: {reason(error)}") from error


def is_zarr(path: Path) -> bool:
    """Return whether a directory is a Zarr store."""
    return path.is_dir() and any((path / name).is_file() for name in ZARR_FILES)


def check_replaceable(target: Path, output: str, overwrite: bool, zarr: bool) -> None:
    """Refuse to replace an existing output without ``overwrite``, or one of another kind."""
    if not overwrite:
        raise FileError(f"output {output} exists; name another, or replace it with --overwrite")
    if not (is_zarr(target) if zarr else target.is_file()):
        kind = "Zarr store" if zarr else "file"
        raise FileError(f"output {output} exists but is not a {kind}, so it is not replaced")


@contextmanager
def written_whole(target: Path, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the folder of the target, and rename it to the target at the end.

    Parameters
    ----------
    target : Path
        The name of a file or Zarr store.
    overwrite : bool
        Replace an existing target of the same kind.

    Raises
    ------
    FileError
        If a target that must not be replaced exists at the end.
    """
    name = os.fsencode(target.name)[:NAME_BYTES].decode(errors="ignore")
    partial = target.with_name(f".{name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        if overwrite:
            _replace(partial, target)
        else:
            _take_name(partial, target)
    except BaseException:
        remove(partial)
        raise


def remove(path: Path) -> None:
    """Remove a file or directory as far as the system allows."""
    for _ in range(20):
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.05)  # threads of a failed writer may still create directories


def _take_name(partial: Path, target: Path) -> None:
    """Rename the output, unless the name exists; of several runs at once one succeeds."""
    try:
        if partial.is_dir():
            # The operating system renames a directory only over an empty one.
            if os.path.lexists(target):
                raise FileExistsError
            partial.rename(target)
        else:
            _link(partial, target)
    except OSError as error:
        if isinstance(error, FileExistsError) or os.path.lexists(target):
            raise FileError(
                f"output {target} appeared meanwhile and is not replaced; "
                "name another, or replace it with --overwrite"
            ) from None
        raise


def _link(partial: Path, target: Path) -> None:
    """Rename a file without ever replacing another one."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: an empty file claims the name first
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            partial.replace(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    else:
        with suppress(OSError):  # the output is complete, also if its partial name remains
            partial.unlink()


def _replace(partial: Path, target: Path) -> None:
    """Rename a file or store over an older one; of several runs at once the last one stays."""
    if not partial.is_dir():
        if os.path.lexists(target):
            check_replaceable(target, str(target), True, False)
        partial.replace(target)
        return
    # A directory that is not empty cannot be renamed over: rename the old one first.
    old_store = partial.with_suffix(".old")
    for _ in range(100):
        try:
            with suppress(FileNotFoundError):
                target.rename(old_store)
            if os.path.lexists(old_store):
                check_replaceable(old_store, str(target), True, True)
            partial.rename(target)
        except BaseException as error:
            if isinstance(error, OSError) and error.errno in TAKEN:
                # Another run was faster: replace its store in turn.
                shutil.rmtree(old_store, ignore_errors=True)
                continue
            _put_back(old_store, target)
            raise
        shutil.rmtree(old_store, ignore_errors=True)
        return
    raise FileError(f"output {target} is replaced by others all the time; name another")


def _put_back(old_store: Path, target: Path) -> None:
    """Rename the old store back."""
    if os.path.lexists(old_store) and not os.path.lexists(target):
        old_store.rename(target)
