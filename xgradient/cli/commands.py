"""The command line: a command for each operator, and ``xgradient demo``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import xarray as xr

from .. import __version__
from ..operators import ON_CELLS, OPERATORS
from . import calls, files, locations, schedulers
from .errors import errors_in_one_line, errors_labelled, need
from .options import (
    COMPONENTS,
    WORDS,
    CommandGroup,
    OperatorCommand,
    chunks,
    operator_arguments,
    operator_options,
)

#: Options of every operator's command that are not parameters of the operator.
FILE_OPTIONS: list[dict[str, Any]] = [
    {
        "param_decls": ["-c", "--chunks"],
        "type": chunks,
        "metavar": "NAME=SIZE,...",
        "help": "Grid points per chunk, such as time=100,lat=auto; -1 means the whole dimension. "
        "By default chunks follow the stored chunks, and small ones are joined.",
    },
    {
        "param_decls": ["-g", "--group"],
        "metavar": "PATH",
        "help": "Group of INPUT, with the groups below it. By default all groups. Groups without "
        "the names of the call keep only their coordinates and attributes.",
    },
    {
        "param_decls": ["--scheduler"],
        "metavar": "ADDRESS",
        "help": "Address of the dask cluster that computes, such as tcp://10.0.0.1:8786.",
    },
    {
        "param_decls": ["-O", "--overwrite"],
        "is_flag": True,
        "help": "Replace OUTPUT if it exists.",
    },
    {
        "param_decls": ["--progress/--no-progress"],
        "default": None,
        "help": "Show on stderr how many tasks are done and how many remain. By default only if "
        "stderr is a terminal.",
    },
    {
        "param_decls": ["-q", "--quiet"],
        "is_flag": True,
        "help": "Print errors only.",
    },
]
VARIABLES: dict[str, Any] = {
    "param_decls": ["-v", "--var", "variables"],
    "multiple": True,
    "metavar": "NAME",
    "help": "Variable to differentiate. Repeat the option for more. By default all numeric "
    "variables.",
}
COMPONENT_HELP = """\
Give each component of the vector by the dimension along which it points, as the name of a
variable or as a number: --lon u --lat v."""
FILES = """\
INPUT and OUTPUT are NetCDF files (.nc, .nc4, .cdf, .netcdf) or Zarr stores (.zarr, or .zip). Each
is a path or a URL, such as s3://bucket/name.zarr. INPUT may be an OPeNDAP address. The suffix of
OUTPUT gives its format. Data are processed in chunks, so they may be larger than memory. OUTPUT
appears only when it is complete."""


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xgradient")
def cli() -> None:
    """Derivatives of labelled scientific data."""


def operator_command(name: str, operator: Callable[..., Any]) -> click.Command:
    """Return the command of an operator: its arguments, options and help."""
    parameters = inspect.signature(operator).parameters
    first = re.split(r"[;.:]", (operator.__doc__ or name).strip().split("\n")[0])[0]
    texts = [f"{first}. Read fields from INPUT, and write the results to OUTPUT.", FILES]
    takes_components = "components" in parameters
    if takes_components:
        texts.insert(1, COMPONENT_HELP)
    has_scalars = parameters["obj"].default is inspect.Parameter.empty
    params: list[click.Parameter] = [
        click.Argument(["input"]),
        click.Argument(["output"]),
        *([click.Option(**VARIABLES)] if has_scalars else []),
        *operator_options(operator, required=name in ("grad", *ON_CELLS)),
        *(click.Option(**option) for option in FILE_OPTIONS),
    ]

    def callback(**given: Any) -> None:
        run(name, operator, click.get_current_context(), **given)

    command = OperatorCommand(
        name, params=params, callback=callback, short_help=f"{first}.", help="\n\n".join(texts)
    )
    command.takes_components = takes_components
    return command


for _name, _operator in {**OPERATORS, **ON_CELLS}.items():
    cli.add_command(operator_command(_name, _operator))


def run(
    name: str,
    operator: Callable[..., Any],
    context: click.Context,
    input: str,
    output: str,
    **options: Any,
) -> None:
    """Apply an operator to a file, and write the results to another one."""
    need("cli", "dask", "tqdm", "netCDF4", "zarr")
    call = calls.Call(
        name,
        operator_arguments(operator, options),
        context.meta[COMPONENTS],
        options.get("variables", ()),
        options["chunks"] or {},
    )
    progress = False if options["quiet"] else options["progress"]
    with errors_in_one_line(f"{output} was not written"):
        source, target = locations.check_paths(input, output, options["overwrite"])
        with files.open_groups(source) as groups:
            chosen = files.select_group(groups, options["group"], input)
            results = calls.apply(call, chosen, input)
            root = results.get("/", xr.Dataset(attrs=groups["/"].attrs))
            root.attrs["history"] = calls.history(root, ["xgradient", name, *context.meta[WORDS]])
            version = files.zarr_version(source, target)
            with (
                schedulers.scheduler(options["scheduler"], target.name, progress) as computing,
                locations.written(target, options["overwrite"]) as place,
                errors_labelled(f"writing {output} failed"),
            ):
                files.write({"/": root, **results}, place, version, computing)
    if options["quiet"]:
        return
    with errors_in_one_line(f"{output} was written, but its summary was not"):
        for path, result in results.items():
            for key, field in result.data_vars.items():
                sizes = ", ".join(f"{dim}: {size}" for dim, size in field.sizes.items())
                label = f"{path.rstrip('/')}/{key}" if len(results) > 1 else key
                units = field.attrs.get("units", "")
                click.echo(f"{label} ({sizes}) {field.dtype} {units}".rstrip())


@cli.command(short_help="Differentiate two real fields, and plot the derivatives.")
@click.option(
    "--output-dir",
    default=".",
    show_default=True,
    metavar="DIR",
    help="Directory of both files. It is created if it does not exist.",
)
def demo(output_dir: str) -> None:
    """Differentiate two real fields, of the air and of the sea, and plot the derivatives.

    Write xgradient_demo.nc and xgradient_demo.png, and replace files of an earlier run.
    """
    need("all", "iris_sample_data", "matplotlib", "netCDF4")
    from .demo import run_demo

    with errors_in_one_line("the demo is not complete"), errors_labelled("the demo failed"):
        run_demo(Path(output_dir), click.echo)
