"""The command line: ``xgradient grad`` and ``xgradient demo``."""

from __future__ import annotations

import errno
import importlib.util
import shlex
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import xarray as xr

from .. import __version__
from ..geometry.track import NAME, find_track
from ..labels.attrs import result_name
from ..labels.coordinates import CoordRef, resolve_coord
from . import files, outputs

#: Where a context keeps the words of its command line.
WORDS = "xgradient.words"


class Failure(click.ClickException):
    """An error told in one line on stderr."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code  # type: ignore[misc]  # click knows one per class

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line."""
        click.echo(f"xgradient: error: {self.format_message()}", file=file, err=True)


class Stopped(BaseException):
    """A signal asked the process to end."""


class Recorded(click.Command):
    """A command that keeps the words it was given, for the history of what it writes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after noting them."""
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)


def _period(word: str) -> tuple[str, float | bool]:
    """``lon`` or ``lon=360`` as name and period, True for the one that the axis gives."""
    name, given, period = word.partition("=")
    try:
        return name, float(period) if given else True
    except ValueError:
        raise click.BadParameter(f"the period {period!r} of {name!r} is no number") from None


def _chunks(word: str) -> dict[str, int]:
    """``time=100,lat=auto`` as a mapping, without what is left to us."""
    sizes = {}
    for entry in word.split(","):
        name, _, size = (part.strip() for part in entry.partition("="))
        if size == "-1" or (size.isdecimal() and int(size)):
            sizes[name] = int(size)
        elif size != "auto":
            raise click.BadParameter(f"{entry!r} is not NAME=SIZE, NAME=-1 or NAME=auto")
    return sizes


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xgradient")
def cli() -> None:
    """Derivatives of labelled scientific data."""


@cli.command(cls=Recorded)
@click.argument("input")
@click.argument("output")
@click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME",
    help="A variable to differentiate; repeat it for more. All numeric ones if left out.",
)
@click.option(
    "--dim",
    "dims",
    multiple=True,
    required=True,
    metavar="NAME",
    help="A dimension, coordinate or CF name to differentiate along; repeat it for more.",
)
@click.option("--deriv", default=1, show_default=True, help="Order of the derivative.")
@click.option("--accuracy", default=2, show_default=True, help="Order of accuracy inside.")
@click.option("--edge-order", type=int, help="Order of accuracy at the ends.")
@click.option(
    "--periodic",
    multiple=True,
    type=_period,
    metavar="NAME[=PERIOD]",
    help="A dimension that closes on itself: after 360 degrees, after n even steps, or after "
    "PERIOD units (seconds along a time); repeat it for more.",
)
@click.option(
    "--metric",
    type=click.Choice(["sphere", "ellipsoid"]),
    help="Derivatives along latitudes and longitudes are per metre, on this model of the Earth.",
)
@click.option(
    "--skipna",
    is_flag=True,
    help="Let missing values be ends of the axis, so that coasts cost no row of data.",
)
@click.option(
    "--chunks",
    type=_chunks,
    metavar="NAME=SIZE,...",
    help="Cells per chunk, such as time=100,lat=auto; -1 is the whole dimension. By default "
    "whole stored chunks, several together if they are small.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--progress/--no-progress",
    default=None,
    help="Whether to show progress on stderr. By default if that is a terminal.",
)
@click.pass_context
def grad(context: click.Context, /, input: str, output: str, **options: Any) -> None:
    """Write the derivatives of the fields in INPUT along named dimensions to OUTPUT.

    Both are NetCDF files (.nc, .nc4, .cdf, .netcdf) or Zarr stores (.zarr). The data pass through
    in chunks, so they may be larger than memory. OUTPUT appears when it is complete.
    """
    _need("cli", "dask", "tqdm", "netCDF4", "zarr")
    with _failing_in_one_line(f"{output} was not written"):
        source, target = files.check_paths(input, output, options["overwrite"])
        with files.open_lazily(source, input) as opened:
            chosen = _select(opened, input, options["variables"])
            ds = files.in_chunks(chosen, options["chunks"] or {})
            result = _derive(ds, input, options)
            result.attrs["history"] = _history(ds, context)
            version = files.zarr_version(source, target)
            with (
                outputs.written_whole(target, options["overwrite"]) as partial,
                _explained(f"writing {output} failed"),
            ):
                files.write(result, partial, version, _bar(output, options["progress"]))
    with _failing_in_one_line(f"{output} was written, but its summary was not"):
        for name, field in result.data_vars.items():
            sizes = ", ".join(f"{dim}: {size}" for dim, size in field.sizes.items())
            click.echo(f"{name} ({sizes}) {field.dtype} {field.attrs.get('units', '')}".rstrip())


@cli.command()
@click.option(
    "--output-dir",
    default=".",
    show_default=True,
    metavar="DIR",
    help="Where the two files go; it is made if need be.",
)
def demo(output_dir: str) -> None:
    """Differentiate two real fields, of the air and of the sea, and plot them.

    Writes xgradient_demo.nc and xgradient_demo.png, and replaces those of an earlier run.
    """
    _need("all", "iris_sample_data", "matplotlib", "netCDF4")
    from .demo import run_demo

    with _failing_in_one_line("the demo is not complete"), _explained("the demo failed"):
        run_demo(Path(output_dir), click.echo)


def _need(extra: str, *modules: str) -> None:
    """Make sure that optional packages are there."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Failure(
            f"this command needs {', '.join(missing)}; "
            f'install what is missing with: pip install "xgradient[{extra}]"'
        )


@contextmanager
def _failing_in_one_line(upshot: str) -> Iterator[None]:
    """Turn what is wrong with arguments and files, and signals to end, into one line."""
    with _stoppable() as received, warnings.catch_warnings():
        # Remarks of the libraries on formats and on undefined numbers, meant for programmers.
        warnings.simplefilter("ignore")
        try:
            yield
        except BaseException as error:
            if received:  # whatever else failed when the signal came
                told = f"stopped by {received[0].name}; {upshot}"
                raise Failure(told, 128 + received[0]) from None
            if isinstance(error, outputs.FileError):
                raise Failure(str(error)) from None
            # What the operating system refuses, and the libraries that read files, at any step;
            # a reader that went away is click's own affair.
            broken = getattr(error, "errno", None) == errno.EPIPE
            if isinstance(error, OSError | RuntimeError | MemoryError) and not broken:
                raise Failure(f"{upshot}: {outputs.reason(error)}") from error
            raise


@contextmanager
def _explained(label: str) -> Iterator[None]:
    """Say what failed, whichever library it failed in."""
    try:
        yield
    except Exception as error:
        raise Failure(f"{label}: {outputs.reason(error)}") from error


@contextmanager
def _stoppable() -> Iterator[list[signal.Signals]]:
    """Within it signals that end a process raise `Stopped`, so that it can tidy up first.

    Gives the list of the signals that came.
    """
    found: dict[int, Any] = {}
    received: list[signal.Signals] = []

    def stop(number: int, _: Any) -> None:
        for other in found:  # a second signal must not disturb the tidying
            signal.signal(other, signal.SIG_IGN)
        received.append(signal.Signals(number))
        raise Stopped

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What is ignored stays so: nohup has its reasons.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                found[number] = signal.signal(number, stop)
    try:
        yield received
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)


def _select(ds: xr.Dataset, input: str, variables: tuple[str, ...]) -> xr.Dataset:
    """The chosen variables with their coordinates, and the cell bounds of these."""
    for name in variables:
        if name not in ds.data_vars:
            there = ", ".join(str(v) for v in ds.data_vars) or "none"
            raise Failure(f"{input} has no variable {name!r}; there are {there}")
    if not variables:
        return ds
    chosen = ds[list(dict.fromkeys(variables))]
    encodings = [ds[name].encoding for name in chosen.coords]
    bounds = {e.get(key) for e in encodings for key in ("bounds", "climatology")}
    chosen = chosen.assign_coords({name: ds[name] for name in bounds & set(ds.coords)})
    chosen.encoding = ds.encoding
    return chosen


def _derive(ds: xr.Dataset, input: str, options: dict[str, Any]) -> xr.Dataset:
    """The derivatives, labelled, with encodings that fit every format."""
    try:
        refs = [resolve_coord(ds, dim) for dim in options["dims"]]
        _check_times(refs, input)
        tracks = options["metric"] is not None
        axes = [NAME if tracks and find_track(ds, p) else p.name for p in refs]
        result: xr.Dataset = ds.grad(
            list(options["dims"]),
            deriv=options["deriv"],
            accuracy=options["accuracy"],
            edge_order=options["edge_order"],
            periodic=dict(options["periodic"]) or None,
            metric=options["metric"],
            skipna=options["skipna"],
        )
    except (ImportError, TypeError, ValueError) as error:
        raise Failure(f"{input}: {error}") from None
    files.clean_encodings(result)
    result.encoding = {"unlimited_dims": ds.encoding.get("unlimited_dims", ())}
    for name, field in ds.data_vars.items():
        names = [result_name(name, axis, options["deriv"]) for axis in axes]
        made = [result[n].variable for n in names if n in result.data_vars]
        if name in options["variables"] and not made:
            raise Failure(
                f"variable {name!r} of {input} has no such derivative; its dimensions are "
                f"{', '.join(str(d) for d in field.dims) or 'none'} and its dtype {field.dtype}"
            )
        if not options["chunks"]:
            for derivative in made:
                files.keep_chunks(derivative, field.variable)
    return result


def _check_times(refs: list[CoordRef], input: str) -> None:
    """Refuse times that stayed numbers: nothing tells how many seconds their unit has."""
    for ref in refs:
        units = "" if ref.coord is None else str(ref.coord.attrs.get("units"))
        if " since " in units:
            raise Failure(
                f"{str(ref.name)!r} of {input} has units {units!r}, which cannot be decoded, "
                "so there is no derivative per second along it"
            )


def _history(ds: xr.Dataset, context: click.Context) -> str:
    """The history attribute with a line for this command, as the CF conventions ask for."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = shlex.join(["xgradient", "grad", *context.meta[WORDS]])
    # Bytes in names that are no text cannot be stored as such.
    words = words.encode(errors="backslashreplace").decode()
    line = f"{now}: {words} (xgradient {__version__})"
    return "\n".join(filter(None, [str(ds.attrs.get("history", "")), line]))


def _bar(output: str, progress: bool | None) -> Any:
    from tqdm.dask import TqdmCallback
    from tqdm.std import tqdm

    return TqdmCallback(
        tqdm_class=tqdm,
        desc=Path(output).name,
        unit=" tasks",
        leave=False,
        disable=None if progress is None else not progress,
    )
