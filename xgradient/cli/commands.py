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

#: Key under which a context keeps the words of its command line.
WORDS = "xgradient.words"


class Failure(click.ClickException):
    """Report an error in one line on stderr."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code  # type: ignore[misc]  # click knows one per class

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the error to a file, by default to stderr."""
        click.echo(f"xgradient: error: {self.format_message()}", file=file, err=True)


class Stopped(BaseException):
    """Stop the process after a signal to end."""


class Recorded(click.Command):
    """Keep the words of a command, for the history attribute of its output."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after keeping them."""
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)


def _period(word: str) -> tuple[str, float | bool]:
    """Split ``lon`` or ``lon=360`` into name and period; True leaves the period to the axis."""
    name, given, period = word.partition("=")
    try:
        return name, float(period) if given else True
    except ValueError:
        raise click.BadParameter(f"the period {period!r} of {name!r} is not a number") from None


def _chunks(word: str) -> dict[str, int]:
    """Parse ``time=100,lat=auto`` into a mapping, without the automatic sizes."""
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
    help="Variable to differentiate; repeat the option for more. By default all numeric variables.",
)
@click.option(
    "--dim",
    "dims",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Dimension, coordinate or CF name to differentiate along; repeat the option for more.",
)
@click.option("--deriv", default=1, show_default=True, help="Order of the derivative.")
@click.option("--accuracy", default=2, show_default=True, help="Order of accuracy in the interior.")
@click.option(
    "--edge-order",
    type=int,
    help="Order of accuracy at boundaries. By default 1 for accuracy 2, else the accuracy.",
)
@click.option(
    "--periodic",
    multiple=True,
    type=_period,
    metavar="NAME[=PERIOD]",
    help="Periodic dimension, with its period in units of the coordinate (seconds along a time). "
    "By default 360 degrees along longitudes, else n uniform steps. Repeat the option for more.",
)
@click.option(
    "--metric",
    type=click.Choice(["sphere", "ellipsoid"]),
    help="Shape of the Earth, for derivatives per metre along latitudes and longitudes.",
)
@click.option(
    "--skipna",
    is_flag=True,
    help="Take missing values for boundaries, so that cells next to them get a derivative.",
)
@click.option(
    "--chunks",
    type=_chunks,
    metavar="NAME=SIZE,...",
    help="Cells per chunk, such as time=100,lat=auto; -1 means the whole dimension. By default "
    "chunks follow the stored chunks, and small ones are joined.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option(
    "--progress/--no-progress",
    default=None,
    help="Show progress on stderr. By default only if stderr is a terminal.",
)
@click.pass_context
def grad(context: click.Context, /, input: str, output: str, **options: Any) -> None:
    """Write the derivatives of the fields in INPUT along named dimensions to OUTPUT.

    Both are NetCDF files (.nc, .nc4, .cdf, .netcdf) or Zarr stores (.zarr). The format of OUTPUT
    is inferred from its suffix. Data are processed in chunks, so they may be larger than memory.
    OUTPUT appears when it is complete.
    """
    _need("cli", "dask", "tqdm", "netCDF4", "zarr")
    with _errors_in_one_line(f"{output} was not written"):
        source, target = files.check_paths(input, output, options["overwrite"])
        with files.open_lazily(source, input) as opened:
            chosen = _select(opened, input, options["variables"])
            ds = files.in_chunks(chosen, options["chunks"] or {})
            result = _derive(ds, input, options)
            result.attrs["history"] = _history(ds, context)
            version = files.zarr_version(source, target)
            with (
                outputs.written_whole(target, options["overwrite"]) as partial,
                _errors_labelled(f"writing {output} failed"),
            ):
                files.write(result, partial, version, _bar(output, options["progress"]))
    with _errors_in_one_line(f"{output} was written, but its summary was not"):
        for name, field in result.data_vars.items():
            sizes = ", ".join(f"{dim}: {size}" for dim, size in field.sizes.items())
            click.echo(f"{name} ({sizes}) {field.dtype} {field.attrs.get('units', '')}".rstrip())


@cli.command()
@click.option(
    "--output-dir",
    default=".",
    show_default=True,
    metavar="DIR",
    help="Directory of both files; it is created if it does not exist.",
)
def demo(output_dir: str) -> None:
    """Differentiate two real fields, of the air and of the sea, and plot the derivatives.

    Writes xgradient_demo.nc and xgradient_demo.png, and replaces files of an earlier run.
    """
    _need("all", "iris_sample_data", "matplotlib", "netCDF4")
    from .demo import run_demo

    with _errors_in_one_line("the demo is not complete"), _errors_labelled("the demo failed"):
        run_demo(Path(output_dir), click.echo)


def _need(extra: str, *modules: str) -> None:
    """Refuse to run without optional packages."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Failure(
            f"this command needs {', '.join(missing)}; "
            f'install what is missing with: pip install "xgradient[{extra}]"'
        )


@contextmanager
def _errors_in_one_line(outcome: str) -> Iterator[None]:
    """Turn errors of arguments and files, and signals to end, into one line."""
    with _stoppable() as received, warnings.catch_warnings():
        # Hide warnings of libraries about formats and undefined numbers, meant for programmers.
        warnings.simplefilter("ignore")
        try:
            yield
        except BaseException as error:
            if received:  # the signal may have caused other errors
                message = f"stopped by {received[0].name}; {outcome}"
                raise Failure(message, 128 + received[0]) from None
            if isinstance(error, outputs.FileError):
                raise Failure(str(error)) from None
            # Errors of the operating system and of libraries that read files; click itself
            # handles a pipe whose reader has ended.
            broken = getattr(error, "errno", None) == errno.EPIPE
            if isinstance(error, OSError | RuntimeError | MemoryError) and not broken:
                raise Failure(f"{outcome}: {outputs.reason(error)}") from error
            raise


@contextmanager
def _errors_labelled(label: str) -> Iterator[None]:
    """Put a label before the error of any library."""
    try:
        yield
    except Exception as error:
        raise Failure(f"{label}: {outputs.reason(error)}") from error


@contextmanager
def _stoppable() -> Iterator[list[signal.Signals]]:
    """Let signals that end a process raise `Stopped`, so that partial outputs are removed.

    Yields the list of signals received.
    """
    handlers: dict[int, Any] = {}
    received: list[signal.Signals] = []

    def stop(number: int, _: Any) -> None:
        for other in handlers:  # a second signal must not disturb the removal
            signal.signal(other, signal.SIG_IGN)
        received.append(signal.Signals(number))
        raise Stopped

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # Ignored signals stay ignored, as nohup needs it.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                handlers[number] = signal.signal(number, stop)
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _select(ds: xr.Dataset, input: str, variables: tuple[str, ...]) -> xr.Dataset:
    """Return the chosen variables with their coordinates and cell bounds."""
    for name in variables:
        if name not in ds.data_vars:
            names = ", ".join(str(v) for v in ds.data_vars) or "none"
            raise Failure(f"{input} has no variable {name!r}; there are {names}")
    if not variables:
        return ds
    chosen = ds[list(dict.fromkeys(variables))]
    encodings = [ds[name].encoding for name in chosen.coords]
    bounds = {e.get(key) for e in encodings for key in ("bounds", "climatology")}
    chosen = chosen.assign_coords({name: ds[name] for name in bounds & set(ds.coords)})
    chosen.encoding = ds.encoding
    return chosen


def _derive(ds: xr.Dataset, input: str, options: dict[str, Any]) -> xr.Dataset:
    """Return the labelled derivatives, with encodings that fit every format."""
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
        derivatives = [result[n].variable for n in names if n in result.data_vars]
        if name in options["variables"] and not derivatives:
            raise Failure(
                f"variable {name!r} of {input} has no such derivative; its dimensions are "
                f"{', '.join(str(d) for d in field.dims) or 'none'} and its dtype {field.dtype}"
            )
        if not options["chunks"]:
            for derivative in derivatives:
                files.keep_chunks(derivative, field.variable)
    return result


def _check_times(refs: list[CoordRef], input: str) -> None:
    """Refuse times that stayed numbers, because their unit in seconds is unknown."""
    for ref in refs:
        units = "" if ref.coord is None else str(ref.coord.attrs.get("units"))
        if " since " in units:
            raise Failure(
                f"{str(ref.name)!r} of {input} has units {units!r}, which cannot be decoded, "
                "so there is no derivative per second along it"
            )


def _history(ds: xr.Dataset, context: click.Context) -> str:
    """Return the CF history attribute with a line for this command."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = shlex.join(["xgradient", "grad", *context.meta[WORDS]])
    # Bytes in names that are not text cannot be stored unchanged.
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
