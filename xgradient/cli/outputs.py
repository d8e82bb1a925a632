"""Files and stores that stand under their names whole or not at all."""

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
#: Bytes of a name that its partial file takes over: names may have 255, on some systems 143.
NAME_BYTES = 100
#: What a directory's renaming fails with if something stands under the new name.
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


class FileError(Exception):
    """What is wrong with a file, in one sentence."""


def reason(error: BaseException, hint: str = "a full disk or a damaged file") -> str:
    """What an error says, without the numbers and paths that some put around it."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    if "HDF error" in text:  # all that the library says, whatever happened
        text += f", which comes of {hint}"
    return text if " " in text else f"{type(error).__name__} {text}".strip()


@contextmanager
def refused(label: str) -> Iterator[None]:
    """Say in one sentence what cannot be used where the operating system refuses a path."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a null byte
        raise FileError(f"{label} cannot be used: {reason(error)}") from error


def is_zarr(path: Path) -> bool:
    """Return whether a directory is a Zarr store."""
    return path.is_dir() and any((path / name).is_file() for name in ZARR_FILES)


def check_replaceable(target: Path, output: str, overwrite: bool, zarr: bool) -> None:
    """Refuse to replace what exists, or what is of another kind than the output."""
    if not overwrite:
        raise FileError(f"output {output} exists; name another, or replace it with --overwrite")
    if not (is_zarr(target) if zarr else target.is_file()):
        what = "Zarr store" if zarr else "file"
        raise FileError(f"output {output} exists but is no {what}, so it is not replaced")


@contextmanager
def written_whole(target: Path, overwrite: bool = True) -> Iterator[Path]:
    """Give a path beside the target to write to, which becomes the target if all goes well.

    Parameters
    ----------
    target : Path
        The name of a file or Zarr store.
    overwrite : bool
        Whether it replaces what is there then: a file a file, a store a store.

    Raises
    ------
    FileError
        If something is there by then that must not be replaced.
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
        _remove(partial)
        raise


def _remove(path: Path) -> None:
    """Remove a file or directory as far as the system allows."""
    for _ in range(20):
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.05)  # threads of a writer that failed may still be making directories


def _take_name(partial: Path, target: Path) -> None:
    """Give the output its name, if nothing has that name; of several at once one succeeds."""
    try:
        if partial.is_dir():
            # The system itself renames a store over nothing but an empty directory.
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
        with suppress(OSError):  # the output is complete, whatever becomes of its other name
            partial.unlink()


def _replace(partial: Path, target: Path) -> None:
    """Rename a file or store over what has its name; of several at once the last one stays."""
    if not partial.is_dir():
        if os.path.lexists(target):
            check_replaceable(target, str(target), True, False)
        partial.replace(target)
        return
    # A directory that is not empty cannot be renamed over: the old one steps aside first.
    aside = partial.with_suffix(".old")
    for _ in range(100):
        try:
            with suppress(FileNotFoundError):
                target.rename(aside)
            if os.path.lexists(aside):
                check_replaceable(aside, str(target), True, True)
            partial.rename(target)
        except BaseException as error:
            if isinstance(error, OSError) and error.errno in TAKEN:
                # Another run was quicker, and its store steps aside in turn.
                shutil.rmtree(aside, ignore_errors=True)
                continue
            _put_back(aside, target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
        return
    raise FileError(f"output {target} is replaced by others all the time; name another")


def _put_back(aside: Path, target: Path) -> None:
    """Give the old store its name again."""
    if os.path.lexists(aside) and not os.path.lexists(target):
        aside.rename(target)
